/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `alpn=h2,h3 port=443 ipv4hint=10.0.0.1`: the parameters of SVCB and HTTPS, RFC 9460. */
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "resolver/corefile/rrtext_parts.h"

#define PARAMETERS_MAX 32

static const char *const keys[] = {"mandatory", "alpn", "no-default-alpn", "port",
				   "ipv4hint",  "ech",  "ipv6hint",        "dohpath"};

enum { KEY_MANDATORY, KEY_ALPN, KEY_NO_DEFAULT_ALPN, KEY_PORT, KEY_IPV4, KEY_ECH, KEY_IPV6 };

static bool find_key(const char *text, size_t len, uint16_t *ret)
{
	uint32_t number = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strlen(keys[i]) == len && !memcmp(keys[i], text, len)) {
			*ret = (uint16_t)i;
			return true;
		}
	}
	if (len < 4 || len > 8 || memcmp(text, "key", 3) != 0)
		return false;
	for (size_t i = 3; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + (uint32_t)(text[i] - '0');
	}
	*ret = (uint16_t)number;
	return number < UINT16_MAX;
}

/* One item of a list. */
static bool put_item(struct rrtext *r, uint16_t key, const char *text, size_t len)
{
	uint16_t number;

	switch (key) {
	case KEY_MANDATORY:
		if (!find_key(text, len, &number))
			return rrtext_fail(r, "not the key of a parameter");
		wire_put_u16(r->w, number);
		return true;
	case KEY_ALPN:
		if (len == 0 || len > 255)
			return rrtext_fail(r, "not a protocol");
		wire_put_u8(r->w, (uint8_t)len);
		wire_put_bytes(r->w, text, len);
		return true;
	case KEY_IPV4: return rrtext_put_address(r, AF_INET, text, len);
	default: return rrtext_put_address(r, AF_INET6, text, len);
	}
}

static bool put_list(struct rrtext *r, uint16_t key)
{
	const char *at = r->word.at, *end = at + r->word.len;

	while (true) {
		const char *comma = memchr(at, ',', (size_t)(end - at));

		if (!put_item(r, key, at, (size_t)((comma ? comma : end) - at)))
			return false;
		if (!comma)
			return true;
		at = comma + 1;
	}
}

/* The word at hand is the value. */
static bool put_value(struct rrtext *r, uint16_t key)
{
	struct rrtext alone = *r;
	bool ok;

	if (r->word.len == 0)
		return key == KEY_NO_DEFAULT_ALPN || key > KEY_IPV6 ||
		       rrtext_fail(r, "a parameter without its value");
	switch (key) {
	case KEY_NO_DEFAULT_ALPN: return rrtext_fail(r, "no-default-alpn has no value");
	case KEY_PORT: return rrtext_put_number(r, 2);
	case KEY_ECH:
		alone.at = alone.end; /* this word and none behind it */
		ok = rrtext_put_base64(&alone);
		return ok;
	case KEY_MANDATORY:
	case KEY_ALPN:
	case KEY_IPV4:
	case KEY_IPV6: return put_list(r, key);
	default: wire_put_bytes(r->w, r->word.at, r->word.len); return true;
	}
}

/* key=value, key="value" or key. */
static bool put_parameter(struct rrtext *r, uint16_t *ret_key)
{
	const char *equals = memchr(r->word.at, '=', r->word.len);
	size_t key_len = equals ? (size_t)(equals - r->word.at) : r->word.len, length_at, end;

	if (!find_key(r->word.at, key_len, ret_key))
		return rrtext_fail(r, "not the key of a parameter");
	if (equals && key_len + 1 == r->word.len && r->at < r->end && *r->at == '"') {
		rrtext_next(r);
	} else {
		r->word.at += equals ? key_len + 1 : key_len;
		r->word.len -= equals ? key_len + 1 : key_len;
	}
	wire_put_u16(r->w, *ret_key);
	length_at = r->w->pos;
	wire_put_u16(r->w, 0);
	if (!put_value(r, *ret_key))
		return false;
	if (r->w->failed)
		return true;
	end = r->w->pos;
	r->w->pos = length_at;
	wire_put_u16(r->w, (uint16_t)(end - length_at - 2));
	r->w->pos = end;
	return true;
}

struct parameter {
	uint16_t key;
	size_t at, len;
};

/* On the wire they are in the order of their keys, each once. */
bool rrtext_put_parameters(struct rrtext *r)
{
	struct parameter found[PARAMETERS_MAX];
	size_t start = r->w->pos, n = 0;
	uint8_t sorted[2048];
	struct wire out = wire_over(sorted, sizeof(sorted));

	for (; rrtext_next(r); n++) {
		struct parameter p = {.at = r->w->pos};
		size_t i = n;

		if (n == PARAMETERS_MAX)
			return rrtext_fail(r, "too many parameters");
		if (!put_parameter(r, &p.key))
			return false;
		p.len = r->w->pos - p.at;
		for (; i > 0 && found[i - 1].key >= p.key; i--) {
			if (found[i - 1].key == p.key)
				return rrtext_fail(r, "a parameter given twice");
			found[i] = found[i - 1];
		}
		found[i] = p;
	}
	if (r->w->failed)
		return true;
	for (size_t i = 0; i < n; i++)
		wire_put_bytes(&out, r->w->data + found[i].at, found[i].len);
	if (out.failed)
		return rrtext_fail(r, "too long parameters");
	r->w->pos = start;
	wire_put_bytes(r->w, sorted, out.pos);
	return true;
}
