/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/rrtext.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "resolver/corefile/mnemonic.h"
#include "resolver/corefile/rrtext_parts.h"
#include "resolver/nametext.h"

/*
 * What the data of a type is made of, one letter a field:
 *   n name   a IPv4   6 IPv6   1 2 4 numbers of so many octets   t time   s string
 *   S strings to the end   g string, its length as one octet, letters and digits only (CAA)
 *   r string without a length   x hex to the end   b base64 to the end   p service parameters
 *   f key tag of DS in front of hex: as 2
 */
static const struct {
	const char *type, *fields;
} layouts[] = {
	{"A", "a"},       {"AAAA", "6"},    {"AFSDB", "2n"},    {"CAA", "1gr"},
	{"CNAME", "n"},   {"DNAME", "n"},   {"DNSKEY", "211b"}, {"DS", "211x"},
	{"HINFO", "ss"},  {"HTTPS", "2np"}, {"MX", "2n"},       {"NAPTR", "22sssn"},
	{"NS", "n"},      {"PTR", "n"},     {"RP", "nn"},       {"SOA", "nn4tttt"},
	{"SPF", "S"},     {"SRV", "222n"},  {"SSHFP", "11x"},   {"SVCB", "2np"},
	{"TLSA", "111x"}, {"TXT", "S"},     {"URI", "22r"},
};

bool rrtext_fail(struct rrtext *r, const char *what)
{
	err_set(r->err, EINVAL, "%s%s%.*s%s", what, r->word.len ? ": \"" : "",
		(int)(r->word.len > 60 ? 60 : r->word.len), r->word.at, r->word.len ? "\"" : "");
	return false;
}

/* --- words --------------------------------------------------------------------------------------
 */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Parentheses only join lines, and here there is one. */
static void skip_blanks(struct rrtext *r)
{
	for (; r->at < r->end; r->at++) {
		if (*r->at == ';') {
			const char *eol = memchr(r->at, '\n', (size_t)(r->end - r->at));

			r->at = eol ? eol : r->end - 1;
		} else if (!is_blank(*r->at) && *r->at != '(' && *r->at != ')') {
			return;
		}
	}
}

bool rrtext_next(struct rrtext *r)
{
	const char *begin;
	bool quoted;

	skip_blanks(r);
	r->word = (struct rrtext_word){.at = r->at};
	if (r->at == r->end)
		return false;
	quoted = *r->at == '"';
	begin = r->at += quoted;
	for (; r->at < r->end; r->at++) {
		if (*r->at == '\\' && r->end - r->at > 1)
			r->at++;
		else if (quoted ? *r->at == '"' : is_blank(*r->at) || strchr("();\"", *r->at))
			break;
	}
	r->word.at = begin;
	r->word.len = (size_t)(r->at - begin);
	r->word.is_quoted = quoted;
	if (quoted && r->at < r->end)
		r->at++;
	return true;
}

static bool want(struct rrtext *r)
{
	return rrtext_next(r) || rrtext_fail(r, "the record's data ends too early");
}

/* --- fields -------------------------------------------------------------------------------------
 */

bool rrtext_put_name(struct rrtext *r)
{
	bool is_origin = r->word.len == 1 && *r->word.at == '@'; /* there is none but the root */
	uint8_t name[DNS_NAME_MAX];
	size_t len = nametext_read(is_origin ? "." : r->word.at, r->word.len, name);

	if (!len)
		return rrtext_fail(r, "not a name");
	wire_put_bytes(r->w, name, len);
	return true;
}

static bool parse_number(const struct rrtext_word *word, uint64_t max, uint64_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < word->len; i++) {
		if (word->at[i] < '0' || word->at[i] > '9')
			return false;
		*ret = *ret * 10 + (uint64_t)(word->at[i] - '0');
		if (*ret > max)
			return false;
	}
	return word->len > 0;
}

/* Seconds, or 1w2d3h4m5s. */
static bool parse_time(const struct rrtext_word *word, uint32_t *ret)
{
	static const char units[] = "smhdw";
	static const uint32_t seconds[] = {1, 60, 3600, 86400, 604800};
	uint64_t total = 0, part = 0;
	bool has_digit = false;

	for (size_t i = 0; i < word->len; i++) {
		char c = word->at[i];
		const char *unit;

		if (c >= '0' && c <= '9') {
			part = part * 10 + (uint64_t)(c - '0');
			has_digit = true;
		} else if (c && has_digit && (unit = strchr(units, c | 0x20))) {
			total += part * seconds[unit - units];
			part = 0;
			has_digit = false;
		} else {
			return false;
		}
		if (part > UINT32_MAX || total > UINT32_MAX)
			return false;
	}
	total += part;
	*ret = (uint32_t)total;
	return word->len > 0 && total <= UINT32_MAX;
}

bool rrtext_put_number(struct rrtext *r, unsigned int octets)
{
	uint64_t value;

	if (!parse_number(&r->word, ((uint64_t)1 << 8 * octets) - 1, &value))
		return rrtext_fail(r, "not a number, or too large a one");
	if (octets == 1)
		wire_put_u8(r->w, (uint8_t)value);
	else if (octets == 2)
		wire_put_u16(r->w, (uint16_t)value);
	else
		wire_put_u32(r->w, (uint32_t)value);
	return true;
}

static bool put_time(struct rrtext *r)
{
	uint32_t value;

	if (!parse_time(&r->word, &value))
		return rrtext_fail(r, "not a time");
	wire_put_u32(r->w, value);
	return true;
}

bool rrtext_put_address(struct rrtext *r, int family, const char *text, size_t len)
{
	char copy[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	if (len >= sizeof(copy))
		return rrtext_fail(r, "not an address");
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(family, copy, bytes) != 1)
		return rrtext_fail(r, family == AF_INET ? "not an IPv4 address"
							: "not an IPv6 address");
	wire_put_bytes(r->w, bytes, family == AF_INET ? 4 : 16);
	return true;
}

/* A string behind its length, or without one. */
static bool put_string(struct rrtext *r, bool has_length)
{
	size_t at = r->w->pos, len;
	bool escaped;
	uint8_t c;

	if (has_length)
		wire_put_u8(r->w, 0);
	while (r->word.len) {
		if (!nametext_take_octet(&r->word.at, &r->word.len, &c, &escaped))
			return rrtext_fail(r, "a wrong \\ in a string");
		wire_put_u8(r->w, c);
	}
	len = r->w->pos - at - 1;
	if (!has_length || r->w->failed)
		return true;
	if (len > 255)
		return rrtext_fail(r, "a string of more than 255 octets");
	r->w->pos = at;
	wire_put_u8(r->w, (uint8_t)len);
	r->w->pos += len;
	return true;
}

static bool put_strings(struct rrtext *r)
{
	do {
		if (!put_string(r, true))
			return false;
	} while (rrtext_next(r));
	return true;
}

static bool put_tag(struct rrtext *r)
{
	for (size_t i = 0; i < r->word.len; i++) {
		char c = r->word.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
			return rrtext_fail(r, "not a tag");
	}
	return r->word.len ? put_string(r, true) : rrtext_fail(r, "an empty tag");
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hex to the end, in as many words as there are; *ret_len octets. */
static bool put_hex(struct rrtext *r, size_t *ret_len)
{
	int half = -1;

	*ret_len = 0;
	do {
		for (size_t i = 0; i < r->word.len; i++) {
			int digit = hex_digit(r->word.at[i]);

			if (digit < 0)
				return rrtext_fail(r, "not hexadecimal");
			if (half >= 0) {
				wire_put_u8(r->w, (uint8_t)(half << 4 | digit));
				++*ret_len;
			}
			half = half < 0 ? digit : -1;
		}
	} while (rrtext_next(r));
	return half < 0 || rrtext_fail(r, "half an octet of hexadecimal");
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool rrtext_put_base64(struct rrtext *r)
{
	uint32_t bits = 0;
	int n = 0;

	do {
		for (size_t i = 0; i < r->word.len && r->word.at[i] != '='; i++) {
			int digit = base64_digit(r->word.at[i]);

			if (digit < 0)
				return rrtext_fail(r, "not base64");
			bits = bits << 6 | (uint32_t)digit;
			n += 6;
			if (n >= 8) {
				n -= 8;
				wire_put_u8(r->w, (uint8_t)(bits >> n));
			}
		}
	} while (rrtext_next(r));
	return true;
}

static bool put_field(struct rrtext *r, char field)
{
	size_t len;

	switch (field) {
	case 'n': return rrtext_put_name(r);
	case 'a': return rrtext_put_address(r, AF_INET, r->word.at, r->word.len);
	case '6': return rrtext_put_address(r, AF_INET6, r->word.at, r->word.len);
	case '1': return rrtext_put_number(r, 1);
	case '2': return rrtext_put_number(r, 2);
	case '4': return rrtext_put_number(r, 4);
	case 't': return put_time(r);
	case 's': return put_string(r, true);
	case 'S': return put_strings(r);
	case 'g': return put_tag(r);
	case 'r': return put_string(r, false);
	case 'x': return put_hex(r, &len);
	case 'b': return rrtext_put_base64(r);
	default: return false;
	}
}

/* --- the record ---------------------------------------------------------------------------------
 */

/* `\# length hex` */
static bool put_generic(struct rrtext *r)
{
	uint64_t wanted;
	size_t len = 0;

	if (!want(r))
		return false;
	if (!parse_number(&r->word, UINT16_MAX, &wanted))
		return rrtext_fail(r, "not the length of the data");
	if (rrtext_next(r) && !put_hex(r, &len))
		return false;
	return len == wanted || rrtext_fail(r, "the data is not as long as \\# says");
}

static bool put_data(struct rrtext *r, uint16_t type)
{
	const char *name = mnemonic_name(mnemonic_types, type), *fields = NULL;

	if (!want(r))
		return false;
	if (r->word.len == 2 && !memcmp(r->word.at, "\\#", 2))
		return put_generic(r);
	for (size_t i = 0; name && i < sizeof(layouts) / sizeof(*layouts); i++) {
		if (!strcmp(name, layouts[i].type))
			fields = layouts[i].fields;
	}
	if (!fields)
		return rrtext_fail(r, "data of this type has to be written as \\# LENGTH HEX");
	for (const char *field = fields; *field; field++) {
		if (*field == 'p') {
			if (!rrtext_put_parameters(r))
				return false;
			continue;
		}
		if ((field > fields && !want(r)) || !put_field(r, *field))
			return false;
	}
	return !rrtext_next(r) || rrtext_fail(r, "more data than the type has");
}

static bool is_type(const struct rrtext_word *word, uint16_t *ret_type)
{
	char upper[16];

	if (word->len >= sizeof(upper) || word->is_quoted)
		return false;
	for (size_t i = 0; i < word->len; i++)
		upper[i] = (char)(word->at[i] >= 'a' && word->at[i] <= 'z' ? word->at[i] - 32
									   : word->at[i]);
	return mnemonic_find_type(upper, word->len, ret_type);
}

static bool is_class(const struct rrtext_word *word, uint16_t *ret_class)
{
	return mnemonic_find_class(word->at, word->len, ret_class) && *ret_class != 255;
}

bool rrtext_put(struct wire *w, const char *text, size_t len, struct err *err)
{
	struct rrtext r = {.w = w, .at = text, .end = text + len, .err = err};
	uint16_t type, class = DNS_CLASS_IN;
	uint32_t ttl = RRTEXT_TTL;
	size_t length_at, end;

	if (!rrtext_next(&r))
		return rrtext_fail(&r, "no record");
	if (!rrtext_put_name(&r))
		return false;
	while (true) {
		if (!rrtext_next(&r))
			return rrtext_fail(&r, "a record without a type");
		if (!parse_time(&r.word, &ttl) && !is_class(&r.word, &class))
			break;
	}
	if (!is_type(&r.word, &type))
		return rrtext_fail(&r, "not a type");
	if (type == 0 || type == DNS_TYPE_OPT || (type >= 249 && type <= 255))
		return rrtext_fail(&r, "not a type of records");
	wire_put_u16(w, type);
	wire_put_u16(w, class);
	wire_put_u32(w, ttl > INT32_MAX ? 0 : ttl);
	length_at = w->pos;
	wire_put_u16(w, 0);
	if (!put_data(&r, type))
		return false;
	r.word.len = 0;
	if (w->failed)
		return rrtext_fail(&r, "no room for the record");
	end = w->pos;
	if (end - length_at - 2 > UINT16_MAX)
		return rrtext_fail(&r, "too long a record");
	w->pos = length_at;
	wire_put_u16(w, (uint16_t)(end - length_at - 2));
	w->pos = end;
	return true;
}
