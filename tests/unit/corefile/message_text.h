/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages as text, so that a test can say what it expects in one string:
 *
 *   NOERROR qr aa rd ra | ? a.example. A | = a.example. 60 A 10.0.0.1 | + . OPT 1232
 *
 * The question (?), then answer (=), authority (!) and additional (+) records.
 */
#ifndef MESHDNS_TESTS_MESSAGE_TEXT_H
#define MESHDNS_TESTS_MESSAGE_TEXT_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>

#include "resolver/corefile/corefile.h"
#include "resolver/corefile/mnemonic.h"
#include "resolver/nametext.h"
#include "tests/unit/resolver/packets.h"

#define MESSAGE_TEXT_MAX 65536

/* The name at `*at`, pointers followed; what is wrong with it fails the test. */
static inline void text_name(const uint8_t *message, size_t len, size_t *at, FILE *out)
{
	uint8_t name[DNS_NAME_MAX + 64];
	char text[NAMETEXT_MAX];
	size_t from = *at, n = 0;
	bool jumped = false;

	while (true) {
		cr_assert_lt(from, len);
		if ((message[from] & 0xc0) == 0xc0) {
			size_t to = (size_t)(message[from] & 0x3f) << 8 | message[from + 1];

			cr_assert_lt(to, from, "a pointer forwards");
			cr_assert_geq(to, DNS_HEADER_LEN);
			*at = jumped ? *at : from + 2;
			jumped = true;
			from = to;
			continue;
		}
		cr_assert_lt(message[from], 64);
		memcpy(name + n, message + from, message[from] + 1u);
		n += message[from] + 1u;
		cr_assert_leq(n, DNS_NAME_MAX);
		if (message[from] == 0)
			break;
		from += message[from] + 1u;
	}
	*at = jumped ? *at : from + 1;
	nametext_write(name, text);
	fputs(text, out);
}

static inline unsigned int text_number(const uint8_t *at, size_t octets)
{
	unsigned int n = 0;

	while (octets--)
		n = n << 8 | *at++;
	return n;
}

static inline void text_data(const uint8_t *message, size_t len, uint16_t type, size_t at,
			     size_t rdlength, FILE *out)
{
	size_t end = at + rdlength;
	char address[INET6_ADDRSTRLEN];

	/* Numbers, names and what is left. */
	static const struct {
		uint16_t type;
		const char *fields;
	} layouts[] = {{2, "n"},   {5, "n"},     {6, "nn44444"}, {12, "n"},
		       {15, "2n"}, {33, "222n"}, {39, "n"}};

	if (type == DNS_TYPE_A || type == DNS_TYPE_AAAA) {
		cr_assert_eq(rdlength, type == DNS_TYPE_A ? 4 : 16);
		fprintf(out, " %s",
			inet_ntop(type == DNS_TYPE_A ? AF_INET : AF_INET6, message + at, address,
				  sizeof(address)));
		return;
	}
	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++) {
		for (const char *f = layouts[i].type == type ? layouts[i].fields : ""; *f; f++) {
			fputc(' ', out);
			if (*f == 'n') {
				text_name(message, len, &at, out);
			} else {
				fprintf(out, "%u", text_number(message + at, (size_t)(*f - '0')));
				at += (size_t)(*f - '0');
			}
		}
	}
	cr_assert_leq(at, end);
	if (at < end)
		fputc(' ', out);
	for (; at < end; at++)
		fprintf(out, "%02x", message[at]);
}

static inline void text_record(const uint8_t *message, size_t len, size_t *at, FILE *out)
{
	char text[MNEMONIC_TEXT_MAX];
	const char *class;
	struct wire_rr rr;
	struct wire w = wire_over((void *)message, len);

	w.pos = *at;
	cr_assert(wire_get_rr(&w, &rr), "not a whole record at %zu", *at);
	text_name(message, len, at, out);
	*at = w.pos;
	if (rr.type == DNS_TYPE_OPT) {
		fprintf(out, " OPT %u%s", rr.class, rr.ttl & 0x8000 ? " do" : "");
		if (rr.ttl >> 24)
			fprintf(out, " rcode+%u", rr.ttl >> 24 << 4);
	} else {
		class = mnemonic_name(mnemonic_classes, rr.class);
		fprintf(out, " %u %s%s%s", rr.ttl,
			rr.class == 1 ? ""
			: class       ? class
				      : "?",
			rr.class == 1 ? "" : " ", mnemonic_type_text(rr.type, text));
	}
	text_data(message, len, rr.type, (size_t)(rr.rdata - message), rr.rdlength, out);
}

/* In a buffer that the next call uses again. */
static inline const char *message_text(const uint8_t *message, size_t len)
{
	static char text[MESSAGE_TEXT_MAX];
	static const struct {
		uint16_t bit;
		const char *name;
	} flags[] = {{DNS_FLAG_QR, " qr"}, {DNS_FLAG_AA, " aa"}, {DNS_FLAG_TC, " tc"},
		     {DNS_FLAG_RD, " rd"}, {DNS_FLAG_RA, " ra"}, {DNS_FLAG_AD, " ad"},
		     {DNS_FLAG_CD, " cd"}};
	FILE *out = fmemopen(text, sizeof(text), "w");
	struct wire w = wire_over((void *)message, len);
	char number[MNEMONIC_TEXT_MAX];
	struct wire_header h;
	uint16_t type, class;
	size_t at = DNS_HEADER_LEN;

	wire_get_header(&w, &h);
	cr_assert_not(w.failed);
	fputs(mnemonic_name(mnemonic_rcodes, h.flags & DNS_RCODE_MASK), out);
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		fputs(h.flags & flags[i].bit ? flags[i].name : "", out);
	for (unsigned int i = 0; i < h.qdcount; i++) {
		fputs(" | ? ", out);
		text_name(message, len, &at, out);
		w.pos = at;
		type = wire_get_u16(&w);
		class = wire_get_u16(&w);
		cr_assert_not(w.failed);
		at = w.pos;
		fprintf(out, " %s%s", mnemonic_type_text(type, number),
			class == 1     ? ""
			: class == 3   ? " CH"
			: class == 255 ? " ANY"
				       : " ?");
	}
	for (unsigned int i = 0; i < (unsigned int)h.ancount + h.nscount + h.arcount; i++) {
		fputs(i < h.ancount                             ? " | = "
		      : i < (unsigned int)h.ancount + h.nscount ? " | ! "
								: " | + ",
		      out);
		text_record(message, len, &at, out);
	}
	cr_assert_eq(at, len, "octets behind the message");
	fclose(out);
	return text;
}

/* The first server block of a Corefile; what is wrong with it fails the test. */
static inline struct corefile *corefile_of(const char *text)
{
	struct corefile *corefile;
	struct err err = {0};

	if (corefile_read_text("Corefile", text, strlen(text), 53, &corefile, &err) < 0)
		cr_assert_fail("%s", err.msg);
	return corefile;
}

#endif
