/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The labels in Kuma's map: {"records": …, "extraLabels": {"mesh": "default"}}. */
#include <string.h>

#include "common/cleanup.h"
#include "resolver/json_read.h"
#include "resolver/kuma.h"

#define NAME_MAX_LEN  64
#define VALUE_MAX_LEN 256

struct labels {
	char *text; /* KUMA_LABELS_MAX octets */
	size_t len;
	size_t skipped;
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* One that the metrics don't have already. */
static bool is_label(const struct labels *l, const char *name, size_t len)
{
	static const char *const taken[] = {"le", "qtype", "rcode", "source"};
	char before[NAME_MAX_LEN + 4];

	for (size_t i = 0; i < len; i++) {
		if (!is_letter(name[i]) && (i == 0 || name[i] < '0' || name[i] > '9'))
			return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		if (strlen(taken[i]) == len && !memcmp(taken[i], name, len))
			return false;
	}
	snprintf(before, sizeof(before), ",%.*s=\"", (int)len, name);
	return len > 0 && strstr(l->text, before + 1) != l->text && !strstr(l->text, before);
}

/* As the exposition format wants a value: \, " and the newline escaped. */
static size_t escape(const char *value, size_t len, char *to)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (value[i] == '\\' || value[i] == '"' || value[i] == '\n')
			to[n++] = '\\';
		to[n++] = value[i];
		if (value[i] == '\n')
			to[n - 1] = 'n';
	}
	return n;
}

static void add(struct labels *l, const char *name, size_t name_len, const char *value,
		size_t value_len)
{
	size_t room = KUMA_LABELS_MAX - l->len;

	if (name_len > NAME_MAX_LEN || value_len > VALUE_MAX_LEN || !is_label(l, name, name_len) ||
	    memchr(value, '\0', value_len) || room < name_len + 2 * value_len + 5) {
		l->skipped++;
		return;
	}
	if (l->len)
		l->text[l->len++] = ',';
	memcpy(l->text + l->len, name, name_len);
	l->len += name_len;
	l->text[l->len++] = '=';
	l->text[l->len++] = '"';
	l->len += escape(value, value_len, l->text + l->len);
	l->text[l->len++] = '"';
	l->text[l->len] = '\0';
}

static void take_labels(struct json_read *j, struct labels *l)
{
	size_t n = 0;

	json_read_expect(j, '{');
	while (!j->error && json_read_more(j, '}', &n)) {
		char name[NAME_MAX_LEN], value[VALUE_MAX_LEN];
		size_t name_len, value_len;

		json_read_string(j, name, sizeof(name), &name_len);
		json_read_expect(j, ':');
		if (json_read_peek(j) != '"') {
			json_read_skip(j);
			l->skipped++;
			continue;
		}
		json_read_string(j, value, sizeof(value), &value_len);
		if (!j->error)
			add(l, name, name_len, value, value_len);
	}
}

void kuma_labels(const char *text, size_t len, char ret_labels[KUMA_LABELS_MAX],
		 size_t *ret_skipped)
{
	struct json_read j = {text, text + len, NULL};
	struct labels labels = {.text = ret_labels};
	size_t n = 0;

	ret_labels[0] = '\0';
	json_read_expect(&j, '{');
	while (!j.error && json_read_more(&j, '}', &n)) {
		char key[16];
		size_t key_len;

		json_read_string(&j, key, sizeof(key), &key_len);
		json_read_expect(&j, ':');
		if (key_len == 11 && !memcmp(key, "extraLabels", 11) && json_read_peek(&j) == '{')
			take_labels(&j, &labels);
		else
			json_read_skip(&j);
	}
	*ret_skipped = labels.skipped;
}
