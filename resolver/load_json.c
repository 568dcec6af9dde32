/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table as Kuma's data plane serves it at GET /dns, and more:
 *
 *   {"records": [{"name": "redis.mesh", "ips": ["240.0.0.100", "fd00:fd00::64"],
 *                 "ttl": 10, "ports": [{"name": "redis", "port": 6379, "protocol": "tcp"}]},
 *                {"name": "cache.mesh", "alias": "redis.mesh"}], "ttl": 30}
 *
 * Kuma has "name" and "ips" of a record only. "cname" is the same as "alias". A port's "name" may
 * be missing, its "protocol" is tcp (also what runs over it: http, http2, grpc, kafka, tls) or udp.
 * Keys that are not known are passed over.
 */
#include <ctype.h>
#include <errno.h>

#include "resolver/json_read.h"
#include "resolver/load.h"

#define TEXT_MAX 320 /* more than any name or address */

struct reading {
	struct load *load;
	struct json_read j;
	const char *counted; /* lines are counted up to here */
	size_t line;
	char name[TEXT_MAX];
	size_t name_len;
};

static size_t count_lines(struct reading *r)
{
	const char *at;

	while ((at = memchr(r->counted, '\n', (size_t)(r->j.at - r->counted)))) {
		r->counted = at + 1;
		r->line++;
	}
	r->counted = r->j.at;
	return r->line;
}

/* Takes a string into `buf`; false and skipped when it is something else. */
static bool take_string(struct json_read *j, char buf[TEXT_MAX], size_t *ret_len)
{
	if (json_read_peek(j) != '"') {
		json_read_skip(j);
		return false;
	}
	json_read_string(j, buf, TEXT_MAX, ret_len);
	if (*ret_len > TEXT_MAX)
		*ret_len = TEXT_MAX;
	return !j->error;
}

/* The keys of a record and where their values begin; j.at NULL: not there. */
enum key { KEY_NAME, KEY_IPS, KEY_ALIAS, KEY_CNAME, KEY_TTL, KEY_PORTS, N_KEYS };
static const char *const keys[] = {"name", "ips", "alias", "cname", "ttl", "ports"};

/* Walks an object whose '{' is next; notes the values of these keys. */
static void find_keys(struct json_read *j, const char *const *wanted, size_t n_wanted,
		      struct json_read *ret_values)
{
	size_t n = 0;

	json_read_expect(j, '{');
	while (!j->error && json_read_more(j, '}', &n)) {
		char key[16];
		size_t len;

		json_read_string(j, key, sizeof(key), &len);
		json_read_expect(j, ':');
		json_read_peek(j);
		for (size_t i = 0; i < n_wanted; i++) {
			if (j->error || strlen(wanted[i]) != len ||
			    memcmp(wanted[i], key, len) != 0)
				continue;
			if (ret_values[i].at)
				j->error = "a key twice";
			ret_values[i] = *j;
		}
		json_read_skip(j);
	}
}

static void skip_record(struct reading *r, const char *reason)
{
	load_skip(r->load, reason, "", 0);
}

static bool begin_part(struct reading *r, uint32_t ttl, int *rc)
{
	return load_name(r->load, r->name, r->name_len, ttl, rc);
}

static int take_ips(struct reading *r, struct json_read j, uint32_t ttl)
{
	char text[TEXT_MAX];
	size_t n = 0, len;
	int rc = 0;

	j.at++;
	while (rc == 0 && json_read_more(&j, ']', &n)) {
		struct addr addr;

		if (!take_string(&j, text, &len))
			skip_record(r, "an address that is not a string");
		else if (load_parse_address(r->load, text, len, &addr) && begin_part(r, ttl, &rc))
			rc = load_add_address(r->load, &addr);
	}
	return rc;
}

static bool is_tcp(const char *text, size_t len)
{
	static const char *const over_tcp[] = {"tcp", "http", "http2", "grpc", "kafka", "tls"};

	for (size_t i = 0; i < sizeof(over_tcp) / sizeof(over_tcp[0]); i++) {
		if (strlen(over_tcp[i]) == len && !memcmp(over_tcp[i], text, len))
			return true;
	}
	return false;
}

/* A service's name is one label, and lower-cased as all names are. */
static bool parse_label(const char *text, size_t len, uint8_t ret_label[DNS_LABEL_MAX])
{
	uint8_t wire[DNS_NAME_MAX];
	size_t wire_len = wire_name_from_text(text, len, wire);

	if (len == 0)
		return true;
	if (wire_len != len + 2 || wire[0] != len)
		return false;
	memcpy(ret_label, wire + 1, len);
	return true;
}

static int take_port(struct reading *r, struct json_read *j, uint32_t ttl)
{
	static const char *const port_keys[] = {"name", "port", "protocol"};
	struct json_read values[3] = {{0}};
	char text[TEXT_MAX] = "", protocol[TEXT_MAX] = "tcp";
	size_t len = 0, protocol_len = 3;
	uint8_t label[DNS_LABEL_MAX];
	int64_t number = 0;
	int rc = 0;

	if (json_read_peek(j) != '{') {
		json_read_skip(j);
		skip_record(r, "a port that is not an object");
		return 0;
	}
	find_keys(j, port_keys, 3, values);
	if (j->error)
		return 0;
	if (values[2].at && !take_string(&values[2], protocol, &protocol_len))
		protocol_len = 0;
	for (size_t i = 0; i < protocol_len; i++)
		protocol[i] = (char)tolower((unsigned char)protocol[i]);
	if (!values[1].at ||
	    !(isdigit((unsigned char)*values[1].at) && json_read_integer(&values[1], &number) &&
	      number > 0 && number < 65536) ||
	    (values[0].at && !take_string(&values[0], text, &len)) ||
	    !parse_label(text, len, label) ||
	    !(is_tcp(protocol, protocol_len) ||
	      (protocol_len == 3 && !memcmp(protocol, "udp", 3)))) {
		skip_record(r, "a port wants a \"port\" from 1 to 65535, a label as its \"name\", "
			       "tcp or udp as its \"protocol\"");
		return 0;
	}
	if (begin_part(r, ttl, &rc))
		rc = load_add_port(r->load, (uint16_t)number,
				   is_tcp(protocol, protocol_len) ? IPPROTO_TCP : IPPROTO_UDP,
				   label, (uint8_t)len);
	return rc;
}

static int take_ports(struct reading *r, struct json_read j, uint32_t ttl)
{
	size_t n = 0;
	int rc = 0;

	if (json_read_peek(&j) != '[') {
		skip_record(r, "\"ports\" is not a list");
		return 0;
	}
	j.at++;
	while (rc == 0 && json_read_more(&j, ']', &n))
		rc = take_port(r, &j, ttl);
	return rc;
}

static int take_alias(struct reading *r, struct json_read j, uint32_t ttl)
{
	char text[TEXT_MAX];
	size_t len;
	int rc = 0;

	if (!take_string(&j, text, &len))
		skip_record(r, "an alias that is not a string");
	else if (begin_part(r, ttl, &rc))
		rc = load_add_alias(r->load, text, len);
	return rc;
}

/* "ttl" in seconds. A bad one is skipped, not what has it. */
static uint32_t take_ttl(struct reading *r, struct json_read j, uint32_t absent)
{
	int64_t value;
	char c = j.at ? json_read_peek(&j) : '\0';

	if (!j.at)
		return absent;
	if (!isdigit((unsigned char)c) || !json_read_integer(&j, &value) || value > NAMES_TTL_MAX) {
		skip_record(r, "\"ttl\" is not a number of seconds; the default is used");
		return absent;
	}
	return (uint32_t)value;
}

static int take_record(struct reading *r)
{
	struct json_read values[N_KEYS] = {{0}}, *alias = &values[KEY_ALIAS],
			 *ips = &values[KEY_IPS];
	bool is_object = json_read_peek(&r->j) == '{';
	uint32_t ttl;
	int rc = 0;

	r->load->line = count_lines(r);
	if (is_object)
		find_keys(&r->j, keys, N_KEYS, values);
	else
		json_read_skip(&r->j);
	if (r->j.error)
		return 0;
	if (!alias->at)
		*alias = values[KEY_CNAME];
	if (!is_object || !values[KEY_NAME].at || (ips->at && *ips->at != '[') ||
	    (!ips->at && !alias->at && !values[KEY_PORTS].at) ||
	    !take_string(&values[KEY_NAME], r->name, &r->name_len)) {
		skip_record(r, "wants a string \"name\" and a list \"ips\", or an \"alias\"");
		return 0;
	}
	ttl = take_ttl(r, values[KEY_TTL], LOAD_TTL_TABLE);
	if (ips->at)
		rc = take_ips(r, *ips, ttl);
	if (rc == 0 && values[KEY_PORTS].at)
		rc = take_ports(r, values[KEY_PORTS], ttl);
	if (rc == 0 && alias->at && ips->at && r->load->a_len + r->load->aaaa_len)
		skip_record(r, "an alias has no addresses of its own; it is none");
	else if (rc == 0 && alias->at)
		rc = take_alias(r, *alias, ttl);
	return rc;
}

/* --- the table ------------------------------------------------------------------------------ */

/* The elements of the list, up to and with its end; or, without a tail, up to the last comma. */
static int take_records(struct reading *r, const char *piece, const char **ret_piece,
			enum load_part_of which)
{
	bool to_tail = which & LOAD_TAIL, may_end = which & LOAD_HEAD;
	int rc = 0;

	*ret_piece = piece;
	while (rc == 0 && !r->j.error) {
		char c = json_read_peek(&r->j);

		if (c == ']' && to_tail && may_end) {
			r->j.at++;
			return 0;
		}
		if (c == '\0' && !to_tail && r->j.at == r->j.end)
			return r->j.at > piece
				       ? load_end_piece(r->load, piece, (size_t)(r->j.at - piece),
							count_lines(r), false)
				       : 0;
		may_end = false;
		rc = take_record(r);
		c = json_read_peek(&r->j);
		if (rc < 0 || r->j.error)
			break;
		if (c == ']' && to_tail) {
			r->j.at++;
			return 0;
		}
		json_read_expect(&r->j, ',');
		if (json_read_peek(&r->j) == ']')
			r->j.error = "a value expected after ','";
		if (r->j.at - piece >= LOAD_PIECE_MIN) {
			rc = load_end_piece(r->load, piece, (size_t)(r->j.at - piece),
					    count_lines(r), false);
			*ret_piece = piece = r->j.at;
		}
	}
	return rc;
}

/* Keys of the table up to "records" (true), or to the end. */
static bool take_keys(struct reading *r, size_t *n, bool may_have_records)
{
	while (!r->j.error && json_read_more(&r->j, '}', n)) {
		char key[16];
		size_t len;

		json_read_string(&r->j, key, sizeof(key), &len);
		json_read_expect(&r->j, ':');
		if (len == 7 && !memcmp(key, "records", 7)) {
			if (!may_have_records)
				r->j.error = "\"records\" twice";
			json_read_expect(&r->j, '[');
			return !r->j.error;
		}
		if (len == 3 && !memcmp(key, "ttl", 3)) {
			r->load->line = count_lines(r);
			r->load->ttl = take_ttl(r, r->j, r->load->settings->ttl);
		}
		json_read_skip(&r->j);
	}
	return false;
}

int load_json(struct load *load, const char *text, size_t len, enum load_part_of which,
	      struct err *err)
{
	struct reading r = {.load = load, .j = {text, text + len, NULL}, .counted = text};
	const char *piece = text;
	size_t n = 0;
	int rc = 0;

	r.line = load->first_line;
	if (which & LOAD_HEAD) {
		json_read_expect(&r.j, '{');
		if (!take_keys(&r, &n, true) && !r.j.error)
			return err_set(err, EINVAL, "%s: no list \"records\" in it", load->source);
		load->head_ttl = load->ttl;
		if (!r.j.error && (rc = load_end_piece(load, piece, (size_t)(r.j.at - piece),
						       count_lines(&r), false)) == 0)
			piece = r.j.at;
	}
	if (rc == 0 && !r.j.error)
		rc = take_records(&r, piece, &piece, which);
	if (rc == 0 && !r.j.error && which & LOAD_TAIL) {
		n = 1;
		take_keys(&r, &n, false);
		if (json_read_peek(&r.j) || (!r.j.error && r.j.at < r.j.end))
			r.j.error = "something behind the table";
		if (!r.j.error)
			rc = load_end_piece(load, piece, (size_t)(r.j.at - piece), count_lines(&r),
					    true);
	}
	if (r.j.error)
		return err_set(err, EINVAL, "%s, line %zu: %s", load->source, count_lines(&r),
			       r.j.error);
	return rc < 0 ? err_set(err, rc, "%s: %s", load->source, err_text(rc)) : 0;
}
