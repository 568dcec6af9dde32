/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `ctl names`: how the table is, and a page of what is in it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "common/options.h"
#include "resolver/ctl_parts.h"

#define SCAN_MAX 200000 /* names that are looked at for one page */

/* A page under construction. */
struct page {
	const struct facts *facts;
	json_t *list;
	size_t limit, scanned;
	uint8_t after[DNS_NAME_MAX], under[DNS_NAME_MAX];
	size_t after_len, under_len;
	char next[NAMETEXT_MAX]; /* the last name that was looked at, if there are more */
};

const char *ctl_names_from(const struct facts *f)
{
	return f->restored ? "state" : "sources";
}

/* A name as people write it: without the final dot. */
static void put_name(json_t *object, const char *key, const uint8_t *name)
{
	char text[NAMETEXT_MAX];
	size_t len = nametext_write(name, text);

	json_object_set_new(object, key, json_stringn(text, len > 1 ? len - 1 : len));
}

struct sources {
	const struct facts *facts;
	json_t *list;
};

static int add_source(void *arg, const struct names_record *part, const uint8_t *name, size_t len)
{
	struct sources *s = arg;
	const char *path;
	size_t line;

	(void)name;
	(void)len;
	if (s->facts->loader && loader_locate(s->facts->loader, part, &path, &line))
		json_array_append_new(s->list, json_sprintf("%s:%zu", path, line));
	return 0;
}

json_t *ctl_record_sources(const struct facts *f, const struct names_record *record)
{
	struct sources s = {f, json_array()};

	if (f->restored)
		json_array_append_new(s.list, json_sprintf("%s/names", f->settings->state_dir));
	else
		names_each_part(record, add_source, &s);
	return s.list;
}

static void add_addresses(json_t *list, int family, const uint8_t *at, size_t n, size_t len)
{
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			list, json_string(inet_ntop(family, at + i * len, text, sizeof(text))));
}

static json_t *ports(const struct names_record *record)
{
	const struct names_port *port = NULL;
	json_t *list = json_array();

	while ((port = names_next_port(record, port)))
		json_array_append_new(
			list, json_sprintf("%d/%s%s%.*s", port->number[0] << 8 | port->number[1],
					   port->protocol == IPPROTO_UDP ? "udp" : "tcp",
					   port->name_len ? " " : "", port->name_len, port->name));
	return list;
}

static json_t *describe(const struct facts *f, const struct names_record *record)
{
	json_t *object = json_object(), *addresses = json_array();

	put_name(object, "name", record->data);
	add_addresses(addresses, AF_INET, names_record_a(record), record->n_a, 4);
	add_addresses(addresses, AF_INET6, names_record_aaaa(record), record->n_aaaa, 16);
	json_object_set_new(object, "addresses", addresses);
	if (record->alias_len)
		put_name(object, "alias", names_record_alias(record));
	if (record->ports_len)
		json_object_set_new(object, "ports", ports(record));
	json_object_set_new(object, "ttl", json_integer(record->ttl));
	json_object_set_new(object, "sources", ctl_record_sources(f, record));
	return object;
}

static int add_record(void *arg, const struct names_record *record)
{
	struct page *page = arg;

	if (json_array_size(page->list) == page->limit || page->scanned == SCAN_MAX)
		return 1;
	page->scanned++;
	nametext_write(record->data, page->next);
	if (!page->under_len ||
	    names_is_under(record->data, record->name_len, page->under, page->under_len))
		json_array_append_new(page->list, describe(page->facts, record));
	return 0;
}

/* Lower-cased wire form of what we wrote ourselves, or of a name that a person did. */
static size_t read_name(const char *text, uint8_t ret_name[DNS_NAME_MAX])
{
	size_t len = nametext_read(text, strlen(text), ret_name);

	for (size_t i = 0; i < len; i += ret_name[i] + 1u) {
		for (size_t k = i + 1; k <= i + ret_name[i]; k++)
			ret_name[k] |= ret_name[k] >= 'A' && ret_name[k] <= 'Z' ? 0x20 : 0;
	}
	return len;
}

static int parse_word(struct page *page, const char *word, struct err *err)
{
	const char *equals = strchr(word, '='), *value = equals ? equals + 1 : "";
	size_t key_len = equals ? (size_t)(equals - word) : 0;
	uint64_t limit;

	if (key_len == 5 && !strncmp(word, "after", key_len))
		page->after_len = read_name(value, page->after);
	else if (key_len == 5 && !strncmp(word, "under", key_len))
		page->under_len = read_name(value, page->under);
	else if (key_len == 5 && !strncmp(word, "limit", key_len)) {
		if (!options_parse_number(value, 0, CTL_NAMES_MAX, &limit))
			return err_set(err, EINVAL, "\"%.64s\" is not a number up to %d", value,
				       CTL_NAMES_MAX);
		page->limit = limit;
		return 0;
	} else
		return err_set(err, EINVAL, "what is \"%.64s\"?", word);
	if (key_len && (word[0] == 'a' ? page->after_len : page->under_len) == 0)
		return err_set(err, EINVAL, "\"%.64s\" is not a name", value);
	return 0;
}

static json_t *paths(const struct facts *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->settings->n_names; i++)
		json_array_append_new(list, json_string(f->settings->names[i]));
	if (f->kuma)
		json_array_append_new(list, json_string(f->kuma->source));
	return list;
}

/* Since the names were kept by us, NULL: they were not. */
static json_t *state_age(const struct facts *f)
{
	if (!f->state->saved_ms)
		return NULL;
	return json_real((double)(f->now_ms - f->state->saved_ms) / 1000);
}

json_t *ctl_names(struct ctl *ctl, char **words, size_t n)
{
	const struct facts *f = ctl->facts;
	struct page page = {.facts = f, .limit = CTL_NAMES_LIMIT};
	struct err err = {0};
	json_t *object;
	int more = 0;

	for (size_t i = 0; i < n; i++) {
		if (parse_word(&page, words[i], &err) < 0)
			return ctl_error(&err);
	}
	page.list = json_array();
	if (f->table)
		more = names_each_after(f->table, page.after, page.after_len, add_record, &page);
	object =
		json_pack("{s:I,s:I,s:f,s:s,s:s?,s:o?,s:I,s:I,s:s?,s:o,s:o}", "names",
			  (json_int_t)f->names, "bytes", (json_int_t)f->names_bytes, "age_s",
			  (double)(f->now_ms - f->loaded_ms) / 1000, "from", ctl_names_from(f),
			  "state_dir", f->settings->state_dir, "state_age_s", state_age(f), "loads",
			  (json_int_t)f->reloads_ok, "failed_loads", (json_int_t)f->reloads_failed,
			  "last_failure", *f->complaint ? f->complaint : NULL, "sources", paths(f),
			  "list", page.list);
	if (more > 0 && *page.next)
		json_object_set_new(object, "next", json_string(page.next));
	return object;
}
