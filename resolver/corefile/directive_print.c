/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The same words, written. */
#include <string.h>

#include "resolver/corefile/directives.h"
#include "resolver/corefile/mnemonic.h"

/* A word that would be read as another one, or as several, gets quotes. */
void corefile_print_word(const char *word, FILE *out)
{
	const char *end = word + strlen(word);
	bool plain = *word && *word != '"';

	for (const char *c = word; *c; c++)
		plain = plain && !corefile_blank_len(c, end) && *c != '#' && *c != '\r';
	if (plain) {
		fputs(word, out);
		return;
	}
	fputc('"', out);
	for (; *word; word++)
		fprintf(out, "%s%c", *word == '"' ? "\\" : "", *word);
	fputc('"', out);
}

void print_zone(const struct corefile_zone *zone, FILE *out)
{
	if (zone->len == 1)
		fputc('.', out);
	for (size_t at = 0; zone->name[at]; at += zone->name[at] + 1u)
		fprintf(out, "%s%.*s", at ? "." : "", zone->name[at],
			(const char *)zone->name + at + 1);
}

void print_zones(const struct corefile_zones *zones, FILE *out)
{
	for (size_t i = 0; i < zones->n; i++) {
		fputc(' ', out);
		print_zone(&zones->list[i], out);
	}
}

void print_duration(uint32_t ms, FILE *out)
{
	if (ms % 1000)
		fprintf(out, "%ums", ms);
	else if (ms % 60000 || ms == 0)
		fprintf(out, "%us", ms / 1000);
	else if (ms % 3600000)
		fprintf(out, "%um", ms / 60000);
	else
		fprintf(out, "%uh", ms / 3600000);
}

void print_rcodes(uint32_t rcodes, const char *between, FILE *out)
{
	bool first = true;

	for (uint16_t rcode = 0; rcode < 32; rcode++) {
		if (!(rcodes & COREFILE_RCODE(rcode)))
			continue;
		fprintf(out, "%s%s", first ? "" : between, mnemonic_name(mnemonic_rcodes, rcode));
		first = false;
	}
}

void print_targets(const struct corefile_targets *targets, FILE *out)
{
	char text[ENDPOINT_TEXT_MAX];

	for (size_t i = 0; i < targets->n; i++) {
		const struct corefile_target *t = &targets->list[i];
		const char *ep = endpoint_format(&t->ep, text);
		const char *colon = strrchr(ep, ':');

		fputc(' ', out);
		if (t->file)
			corefile_print_word(t->file, out);
		else if (t->transport == COREFILE_TLS)
			fprintf(out, "tls://%.*s%s%s%s", (int)(colon - ep), ep,
				t->tls_name ? "%" : "", t->tls_name ? t->tls_name : "", colon);
		else
			fputs(ep, out);
	}
}

void print_fallthrough(const struct corefile_fallthrough *fallthrough, FILE *out)
{
	if (!fallthrough->on)
		return;
	fputs("        fallthrough", out);
	print_zones(&fallthrough->zones, out);
	fputc('\n', out);
}

void print_service(const struct corefile_service *service, FILE *out)
{
	char text[ENDPOINT_TEXT_MAX];

	if (service->is_everywhere)
		fprintf(out, " :%u", service->ep.port);
	else
		fprintf(out, " %s", endpoint_format(&service->ep, text));
}
