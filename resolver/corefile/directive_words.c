/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the words of directives can be: numbers, durations, zones, rcodes, servers. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/options.h"
#include "resolver/corefile/directives.h"
#include "resolver/corefile/mnemonic.h"
#include "resolver/corefile/zone_text.h"

int directive_fail(struct directive_parse *d, const struct corefile_line *line, const char *fmt,
		   ...)
{
	char what[sizeof(d->err->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return corefile_fail(d->err, line->place, "%s: %s", d->line->words[0], what);
}

int directive_no_memory(struct directive_parse *d)
{
	corefile_fail(d->err, d->line->place, "no memory left for it");
	return d->err ? d->err->code = -ENOMEM : -ENOMEM;
}

static void free_regex(void *regex)
{
	regex_free(regex);
}

int directive_regex(struct directive_parse *d, const struct corefile_line *line,
		    const char *pattern, struct regex **ret)
{
	struct err why = {0};

	if (regex_compile(pattern, ret, &why) < 0)
		return directive_fail(d, line, "%s", why.msg);
	return directive_own(d, *ret, free_regex);
}

int directive_number(struct directive_parse *d, const struct corefile_line *line, size_t i,
		     uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t number;

	if (!options_parse_number(line->words[i], min, max, &number))
		return directive_fail(d, line,
				      "%s: expected a number from %u to %u but not \"%.60s\"",
				      line->words[0], min, max, line->words[i]);
	*ret = (uint32_t)number;
	return 0;
}

/* The unit at `text` in nanoseconds, *ret_len letters of it; 0: it is none. */
static uint64_t find_unit(const char *text, size_t *ret_len)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{"ns", 1},         {"us", 1000},       {"\xc2\xb5s", 1000},  {"ms", 1000000},
		{"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000},
	};

	*ret_len = 0;
	while (text[*ret_len] && !isdigit((unsigned char)text[*ret_len]) && text[*ret_len] != '.')
		++*ret_len;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) == *ret_len && !memcmp(text, units[i].name, *ret_len))
			return units[i].ns;
	}
	return 0;
}

#define DURATION_DIGITS 10

bool duration_parse(const char *text, uint32_t *ret_ms)
{
	uint64_t total_ms = 0;

	if (!strcmp(text, "0")) {
		*ret_ms = 0;
		return true;
	}
	if (!*text)
		return false;
	while (*text) {
		uint64_t whole = 0, part = 0, scale = 1, unit;
		size_t digits = 0, len;

		for (; isdigit((unsigned char)*text); text++, digits++)
			whole = whole * 10 + (uint64_t)(*text - '0');
		if (digits > DURATION_DIGITS)
			return false;
		for (text += *text == '.'; isdigit((unsigned char)*text); text++, digits++) {
			if (scale < 1000000) {
				part = part * 10 + (uint64_t)(*text - '0');
				scale *= 10;
			}
		}
		if (digits == 0 || !(unit = find_unit(text, &len)))
			return false;
		text += len;
		/* 10^10 hours do not fit; 10^6 of anything do. */
		if (whole > UINT64_MAX / 2 / unit)
			return false;
		total_ms += (whole * unit + unit / scale * part) / 1000000;
		if (total_ms > UINT32_MAX)
			return false;
	}
	*ret_ms = (uint32_t)total_ms;
	return true;
}

int directive_duration(struct directive_parse *d, const struct corefile_line *line, size_t i,
		       uint32_t *ret_ms)
{
	if (duration_parse(line->words[i], ret_ms))
		return 0;
	return directive_fail(d, line,
			      "%s: expected a duration as 500ms or 1m30s but not \"%.60s\"",
			      line->words[0], line->words[i]);
}

int directive_zone(struct directive_parse *d, const struct corefile_line *line, size_t i,
		   struct corefile_zone *ret)
{
	if (zone_parse(line->words[i], strlen(line->words[i]), ret))
		return 0;
	return directive_fail(d, line, "expected a domain as . or example.org but not \"%.60s\"",
			      line->words[i]);
}

/* A scheme and a port are of no account here. */
static int parse_zone_text(struct directive_parse *d, const struct corefile_line *line, size_t i,
			   struct zone_text *ret)
{
	uint64_t port;

	zone_text_parse(line->words[i], ret);
	if (ret->n && (!ret->port || options_parse_number(ret->port, 0, UINT16_MAX, &port)))
		return 0;
	return directive_fail(d, line,
			      "expected a zone as . or example.org or 10.0.0.0/8 but not \"%.60s\"",
			      line->words[i]);
}

int directive_zones(struct directive_parse *d, const struct corefile_line *line, size_t i,
		    struct corefile_zones *ret)
{
	struct zone_text text;
	size_t n = 0;
	int rc;

	*ret = (struct corefile_zones){0};
	for (size_t k = i; k < line->n_words; k++) {
		if ((rc = parse_zone_text(d, line, k, &text)) < 0)
			return rc;
		n += text.n;
	}
	if (n > DIRECTIVE_ZONES_MAX)
		return directive_fail(d, line, "expected %d zones at most, networks taken apart",
				      DIRECTIVE_ZONES_MAX);
	if (n && !(ret->list = ARENA_ARRAY(&d->corefile->arena, struct corefile_zone, n)))
		return directive_no_memory(d);
	for (; i < line->n_words; i++) {
		zone_text_parse(line->words[i], &text);
		for (size_t k = 0; k < text.n; k++)
			zone_text_get(&text, k, &ret->list[ret->n++]);
	}
	return 0;
}

int directive_from(struct directive_parse *d, const struct corefile_line *line, size_t i,
		   struct corefile_zone *ret)
{
	struct zone_text text;
	int rc = parse_zone_text(d, line, i, &text);

	if (rc < 0)
		return rc;
	zone_text_get(&text, 0, ret);
	if (text.n > 1)
		log_warning("of this network only the first reverse zone is taken",
			    "at=%s:%u network=%s", line->place.file, line->place.line,
			    line->words[i]);
	return 0;
}

int directive_rcodes(struct directive_parse *d, const struct corefile_line *line, const char *list,
		     uint32_t *ret)
{
	while (true) {
		size_t len = strcspn(list, ",");
		char upper[16] = "";
		uint16_t rcode;

		for (size_t i = 0; i < len && i < sizeof(upper) - 1; i++)
			upper[i] = (char)toupper((unsigned char)list[i]);
		if (len >= sizeof(upper) || !mnemonic_find(mnemonic_rcodes, upper, len, &rcode))
			return directive_fail(d, line,
					      "expected an rcode as NXDOMAIN but not \"%.*s\"",
					      (int)(len > 60 ? 60 : len), list);
		*ret |= COREFILE_RCODE(rcode);
		if (!list[len])
			return 0;
		list += len + 1;
	}
}

/* [dns://|tls://]ADDRESS[:PORT][%NAME], or a file. */
static int parse_target(struct directive_parse *d, const struct corefile_line *line,
			const char *text, bool plain_only, struct corefile_target *ret)
{
	const char *scheme_end = strstr(text, "://"), *at = text;
	char address[ENDPOINT_TEXT_MAX + 8];
	const char *percent;
	int len;

	if (scheme_end) {
		ret->transport = !strncmp(text, "tls://", 6) ? COREFILE_TLS : COREFILE_PLAIN;
		if (strncmp(text, "tls://", 6) != 0 && strncmp(text, "dns://", 6) != 0)
			return directive_fail(d, line,
					      "expected dns:// or tls:// but not \"%.60s\"", text);
		if (plain_only && ret->transport == COREFILE_TLS)
			return directive_fail(d, line, "only dns transport allowed, not \"%.60s\"",
					      text);
		at = scheme_end + 3;
	}
	if (ret->transport == COREFILE_TLS && (percent = strrchr(at, '%'))) {
		const char *name_end = percent + strcspn(percent, ":");

		ret->tls_name = arena_copy(&d->corefile->arena, percent + 1,
					   (size_t)(name_end - percent) - 1);
		if (!ret->tls_name)
			return directive_no_memory(d);
		len = snprintf(address, sizeof(address), "%.*s%s", (int)(percent - at), at,
			       name_end);
	} else {
		len = snprintf(address, sizeof(address), "%s", at);
	}
	if ((size_t)len < sizeof(address) &&
	    endpoint_parse(address, ret->transport == COREFILE_TLS ? 853 : 53, &ret->ep))
		return 0;
	/* Whether a path is there is seen when it is read; a word may be a mistyped address. */
	if (!scheme_end && (strchr(text, '/') || access(text, R_OK) == 0)) {
		ret->file = text;
		return 0;
	}
	return directive_fail(d, line,
			      "expected an address as 10.0.0.53 or [fd00::53]:53, or a "
			      "file, but not \"%.60s\"",
			      text);
}

int directive_targets(struct directive_parse *d, const struct corefile_line *line, size_t i,
		      size_t max, bool plain_only, struct corefile_targets *ret)
{
	int rc = 0;

	if (line->n_words - i > max)
		return directive_fail(d, line, "expected at most %zu servers", max);
	ret->list = ARENA_ARRAY(&d->corefile->arena, struct corefile_target, line->n_words - i);
	if (!ret->list)
		return directive_no_memory(d);
	for (; i < line->n_words && rc == 0; i++)
		rc = parse_target(d, line, line->words[i], plain_only, &ret->list[ret->n++]);
	return rc;
}

int directive_service(struct directive_parse *d, const char *otherwise,
		      struct corefile_service *ret)
{
	const char *text = d->line->n_words > 1 ? d->line->words[1] : otherwise;
	const char *colon = strrchr(text, ':'), *host = text;
	uint64_t port;

	if (colon && options_parse_number(colon + 1, 1, UINT16_MAX, &port)) {
		ret->is_everywhere = colon == text;
		if (ret->is_everywhere)
			host = "0.0.0.0";
		else if (colon - text == 9 && !strncmp(text, "localhost", 9))
			host = "127.0.0.1";
		if (endpoint_parse(host, (uint16_t)port, &ret->ep))
			return 0;
	}
	return directive_fail(d, d->line,
			      "expected an address with a port as localhost:9153 or :8080 but not "
			      "\"%.60s\"",
			      text);
}

int property_fallthrough(struct directive_parse *d, const struct corefile_line *line,
			 void *fallthrough)
{
	struct corefile_fallthrough *f = fallthrough;

	f->on = true;
	return directive_zones(d, line, 1, &f->zones);
}
