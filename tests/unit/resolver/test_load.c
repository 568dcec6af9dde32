/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "resolver/load.h"
#include "tests/unit/resolver/packets.h"

/* Loads a text and builds; NULL when the load failed. *ret_skipped may be NULL. */
static struct names_snapshot *load_and_build(const char *text, size_t *ret_skipped)
{
	struct table *t = table_new();
	struct err err;

	log_set_level(LOG_LEVEL_ERROR);
	if (load_text(&t->load, text, strlen(text), load_is_json(text), LOAD_WHOLE, &err) < 0) {
		table_free(t);
		return NULL;
	}
	if (ret_skipped)
		*ret_skipped = t->warnings.skipped;
	return table_build(t);
}

Test(load, hosts)
{
	size_t skipped;
	struct names_snapshot *names =
		load_and_build("# a comment\n\n"
			       "240.0.0.100\tredis.mesh  cache.mesh # two names\r\n"
			       "fd00:fd00::64 redis.mesh\n"
			       "240.0.0.7 echo-server_echo-example_svc_1010.mesh.",
			       &skipped);

	cr_expect_eq(skipped, 0);
	cr_expect_eq(names_count(names), 3);
	cr_expect_eq(table_find(names, "redis.mesh")->n_aaaa, 1);
	cr_expect_eq(table_find(names, "cache.mesh")->n_a, 1);
	cr_expect_not_null(table_find(names, "echo-server_echo-example_svc_1010.mesh"));
	cr_expect_eq(table_find(names, "redis.mesh")->ttl, 60);
	names_free(names);
}

Test(load, bad_hosts_lines_never_hide_the_good_ones)
{
	size_t skipped;
	struct names_snapshot *names = load_and_build("240.0.0.1\n"
						      "240.0.0 a.mesh\n"
						      "fe80::1%lo b.mesh\n"
						      "240.0.0.3 bad..name good.mesh\n"
						      "one two three\n"
						      "240.0.0.4 last.mesh\n",
						      &skipped);

	cr_expect_eq(skipped, 5);
	cr_expect_eq(names_count(names), 2);
	cr_expect_not_null(table_find(names, "good.mesh"));
	cr_expect_not_null(table_find(names, "last.mesh"));
	names_free(names);
}

Test(load, json_as_kuma_serves_it)
{
	size_t skipped;
	struct names_snapshot *names = load_and_build(
		"{\"records\":[{\"name\":\"redis.mesh\",\"ips\":[\"240.0.0.1\",\"::ffff:f000:1\"]},"
		"{\"name\":\"b.mesh\",\"ips\":[\"240.0.0.2\"]}],"
		"\"ttl\":30,\"extraLabels\":{\"mesh\":\"default\"}}",
		&skipped);
	const struct names_record *r = table_find(names, "redis.mesh");

	cr_expect_eq(skipped, 0);
	cr_expect_eq(names_count(names), 2);
	cr_assert_not_null(r);
	cr_expect(r->n_a == 1 && r->n_aaaa == 1, "a v4-mapped address is a v6 one");
	cr_expect_eq(r->ttl, 30);
	names_free(names);
}

Test(load, json_bad_record_is_skipped_alone)
{
	size_t skipped;
	struct names_snapshot *names = load_and_build(
		"{\"records\":[7,{\"name\":\"a.mesh\"},{\"name\":3,\"ips\":[]},"
		"{\"name\":\"b.mesh\",\"ips\":[\"240.0.0.1\",5,\"x\"]},"
		"{\"name\":\"a\\u0000b\",\"ips\":[\"240.0.0.9\",\"240.0.0.9\\u0000\"]},"
		"{\"name\":\"c.mesh\",\"ips\":[\"240.0.0.2\"]}],\"ttl\":\"soon\"}",
		&skipped);

	cr_expect_eq(skipped, 8);
	cr_expect_eq(names_count(names), 2);
	cr_expect_eq(table_find(names, "c.mesh")->ttl, 60);
	names_free(names);
}

Test(load, json_numbers_have_bounds)
{
	size_t skipped;
	struct names_snapshot *names = load_and_build(
		"{\"records\":[{\"name\":\"a.mesh\",\"ips\":[\"240.0.0.1\"],\"ttl\":2147483648,"
		"\"ports\":[{\"port\":0},{\"port\":65536},{\"port\":1,\"name\":\"a.b\"},"
		"{\"port\":80,\"name\":\"a\"}]}]}",
		&skipped);
	const struct names_record *r = table_find(names, "a.mesh");

	cr_expect_eq(skipped, 4);
	cr_expect_eq(r->ttl, 60);
	cr_expect_eq(r->ports_len, sizeof(struct names_port) + 1);
	names_free(names);
}

Test(load, json_that_is_none_fails_as_a_whole)
{
	static const char *const texts[] = {
		"{\"records\":[",
		"{\"ttl\":3}",
		"{\"records\":{}}",
		"{\"records\":[],\"records\":[]}",
		"{\"records\":[]}{}",
		"{\"records\":[{\"name\":\"a\",\"ips\":[]},]}",
		"{\"records\":[{\"name\":\"a\",\"name\":\"a\",\"ips\":[]}]}"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_null(load_and_build(texts[i], NULL), "%s", texts[i]);
}

Test(load, json_error_names_file_and_line)
{
	struct table *t = table_new();
	struct err err;

	cr_expect_eq(load_json(&t->load, "{\n\"records\":x\n}", 15, LOAD_WHOLE, &err), -EINVAL);
	cr_expect_not_null(strstr(err.msg, "test, line 2"), "%s", err.msg);
	table_free(t);
}

static char folder[] = "/tmp/meshdns-load-XXXXXX";

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	cr_assert_not_null(f = fopen(path, "w"));
	fputs(text, f);
	fclose(f);
}

static void remove_file(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
}

static int load_once(const struct load_settings *settings, struct names_snapshot **ret_names,
		     struct err *err)
{
	struct loader *loader = loader_new(settings);
	int rc = loader_load(loader, NULL, NULL, ret_names, err);

	loader_free(loader);
	return rc;
}

Test(load, folder_and_failure)
{
	const char *sources[] = {folder};
	struct load_settings settings = {
		.sources = sources, .n_sources = 1, .ttl = 60, .domain = "\4mesh", .domain_len = 6};
	struct names_snapshot *names;
	struct err err;

	log_set_level(LOG_LEVEL_ERROR);
	cr_assert_not_null(mkdtemp(folder));
	write_file("a.hosts", "240.0.0.1 a.mesh\n");
	write_file("b.json", " \n{\"records\":[{\"name\":\"b.mesh\",\"ips\":[\"240.0.0.2\"]}]}");
	write_file("c.txt", "240.0.0.3 c.mesh\n");
	write_file(".d.hosts", "240.0.0.4 d.mesh\n");
	cr_assert_eq(load_once(&settings, &names, &err), 0);
	cr_expect_eq(names_count(names), 2, "neither other endings nor dot files");
	names_free(names);

	write_file("b.json", "{");
	cr_expect_lt(load_once(&settings, &names, &err), 0);
	cr_expect_not_null(strstr(err.msg, "b.json"), "%s", err.msg);
	remove_file("a.hosts");
	remove_file("b.json");
	remove_file("c.txt");
	remove_file(".d.hosts");
	rmdir(folder);
	cr_expect_eq(load_once(&settings, &names, &err), -ENOENT);
}

static int count_part(void *arg, const struct names_record *part, const uint8_t *name, size_t len)
{
	(void)part, (void)name, (void)len;
	++*(size_t *)arg;
	return 0;
}

/* However the text changes, what is read of the difference is what the whole would give. */
static void expect_as_fresh(const struct load_settings *settings,
			    const struct names_snapshot *names, int round)
{
	struct names_snapshot *fresh;
	size_t parts = 0, fresh_parts = 0;

	cr_assert_eq(load_once(settings, &fresh, NULL), 0);
	names_each(names, count_part, &parts);
	names_each(fresh, count_part, &fresh_parts);
	cr_assert_eq(names_count(names), names_count(fresh), "round %d", round);
	cr_assert_geq(parts, fresh_parts);
	for (int i = 0; i < 2000; i++) {
		const struct names_record *is, *wanted;
		char name[64];

		snprintf(name, sizeof(name), "s-%d.mesh", i);
		is = table_find(names, name);
		wanted = table_find(fresh, name);
		cr_assert_eq(!is, !wanted, "round %d: %s", round, name);
		if (is)
			cr_assert_arr_eq(names_record_a(is), names_record_a(wanted), 4,
					 "round %d: %s", round, name);
	}
	names_free(fresh);
}

/* Loads the file, or hands its text over, and has the loader go on without it. */
static void load_next(struct loader *loader, const char *path, bool give,
		      struct names_snapshot **names)
{
	struct load_given given = {.source = "unix:socket"};
	struct names_snapshot *next;
	char *text = NULL;

	if (give) {
		cr_assert_eq(file_read(path, LOAD_FILE_MAX, &text, &given.len, NULL), 0);
		given.text = text;
	}
	cr_assert_eq(loader_load(loader, *names, give ? &given : NULL, &next, NULL), 0);
	free(text);
	names_free_old(*names, next);
	*names = next;
	if (!give)
		return;
	given.text = NULL;
	given.is_needed = true; /* it was there once */
	cr_assert_eq(loader_load(loader, *names, &given, &next, NULL), 0);
	names_free_old(*names, next);
	*names = next;
}

static void change_and_compare(const char *name, const char *head, const char *line,
			       const char *between, const char *tail, bool give)
{
	static const struct load_settings base = {.ttl = 60, .domain = "\4mesh", .domain_len = 6};
	struct load_settings settings = base;
	char path[256], address[32];
	const char *sources[] = {path};
	uint32_t version[2000] = {0};
	struct load_settings of_loader;
	struct names_snapshot *names = NULL;
	struct loader *loader;

	snprintf(path, sizeof(path), "/tmp/meshdns-load-%d-%s", getpid(), name);
	settings.sources = sources;
	settings.n_sources = 1;
	of_loader = give ? base : settings;
	loader = loader_new(&of_loader);
	srand(1);
	for (int round = 0; round < 30; round++) {
		FILE *f = fopen(path, "w");
		bool first = true;

		cr_assert_not_null(f);
		fputs(head, f);
		for (int i = 0; i < 2000; i++) {
			if (version[i] % 5 == 4)
				continue;
			snprintf(address, sizeof(address), "240.%u.%d.%d", version[i], i / 256,
				 i % 256);
			fprintf(f, "%s", first ? "" : between);
			fprintf(f,
				line[0] == '{' ? "{\"name\":\"s-%d.mesh\",\"ips\":[\"%s\"]}"
					       : "%2$s s-%1$d.mesh",
				i, address);
			first = false;
		}
		fputs(tail, f);
		fclose(f);
		load_next(loader, path, give, &names);
		expect_as_fresh(&settings, names, round);
		for (int n = rand() % 4; n >= 0; n--)
			version[rand() % 2000]++;
		if (round % 3 == 0)
			version[round % 2 ? 1999 : 0]++;
	}
	names_free(names);
	loader_free(loader);
	unlink(path);
}

Test(load, changes_of_hosts)
{
	change_and_compare("hosts", "# names\n", "", "\n", "\n", false);
}

Test(load, changes_of_json)
{
	change_and_compare("json", "{\"records\":[\n", "{", ",\n", "\n],\"ttl\":30}\n", false);
}

Test(load, changes_of_a_text_that_is_given)
{
	change_and_compare("given", "{\"records\":[", "{", ",", "],\"ttl\":30}", true);
}

/* What is left of a text may be of another line, or of another format, than it was. */
Test(load, a_line_or_the_format_changes)
{
	static const struct load_settings base = {.ttl = 60, .domain = "\4mesh", .domain_len = 6};
	struct load_settings settings = base;
	char path[64], text[3 * LOAD_PIECE_MIN];
	const char *sources[] = {path};
	struct names_snapshot *names = NULL;
	struct loader *loader;
	char *end = text, *joint = NULL;

	log_set_level(LOG_LEVEL_ERROR);
	for (int i = 0; end < text + sizeof(text) - 64; i++) {
		end += sprintf(end, "240.0.%d.%d s-%d.mesh\n", i / 256, i % 256, i);
		if (!joint && end - text >= 2 * LOAD_PIECE_MIN + 64)
			joint = end - 1;
	}
	snprintf(path, sizeof(path), "/tmp/meshdns-load-%d-joint", getpid());
	settings.sources = sources;
	settings.n_sources = 1;
	loader = loader_new(&settings);
	/* Wherever the second piece ends. */
	for (char *at = joint; at > text + 2 * LOAD_PIECE_MIN - 64; at--) {
		if (*at != '\n')
			continue;
		cr_assert_eq(file_replace(path, text, strlen(text), 0600, NULL), 0);
		load_next(loader, path, false, &names);
		*at = ' ';
		cr_assert_eq(file_replace(path, text, strlen(text), 0600, NULL), 0);
		load_next(loader, path, false, &names);
		expect_as_fresh(&settings, names, (int)(joint - at));
		*at = '\n';
	}
	strcpy(text, "{\"records\":[{\"name\":\"s-1.mesh\",\"ips\":[\"240.0.0.1\"]}]}");
	cr_assert_eq(file_replace(path, text, strlen(text), 0600, NULL), 0);
	load_next(loader, path, false, &names);
	expect_as_fresh(&settings, names, -1);
	names_free(names);
	loader_free(loader);
	unlink(path);
}

/* Before the records, behind them, both or neither: what another text said does not linger. */
Test(load, the_ttl_is_that_of_the_text)
{
	static const struct load_settings settings = {
		.ttl = 60, .domain = "\4mesh", .domain_len = 6};
	static const struct {
		const char *head, *tail;
		uint32_t ttl;
	} rows[] = {
		{"", ",\"ttl\":30", 30},
		{"", ",\"ttl\":31", 31},
		{"", "", 60},
		{"\"ttl\":32,", "", 32},
		{"\"ttl\":32,", ",\"ttl\":33", 33},
		{"\"ttl\":32,", "", 32},
		{"", "", 60},
	};
	char text[3 * LOAD_PIECE_MIN];
	struct loader *loader = loader_new(&settings);
	struct load_given given = {.source = "unix:socket"};
	struct names_snapshot *names = NULL, *next;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		/* The second record is of another piece, as the tail is. */
		given.len = (size_t)snprintf(text, sizeof(text),
					     "{%s\"records\":[{\"name\":\"a.mesh\",\"ips\":[\"240."
					     "0.0.1\"],\"x\":\"%*s\"},"
					     "{\"name\":\"b.mesh\",\"ips\":[\"240.0.0.2\"]}]%s}",
					     rows[i].head, LOAD_PIECE_MIN, "", rows[i].tail);
		given.text = text;
		cr_assert_eq(loader_load(loader, names, &given, &next, NULL), 0);
		names_free_old(names, next);
		names = next;
		cr_expect_eq(table_find(names, "a.mesh")->ttl, rows[i].ttl, "row %zu", i);
		cr_expect_eq(table_find(names, "b.mesh")->ttl, rows[i].ttl, "row %zu", i);
	}
	names_free(names);
	loader_free(loader);
}

Test(load, a_given_text_that_is_missing_or_no_json)
{
	static const struct load_settings settings = {
		.ttl = 60, .domain = "\4mesh", .domain_len = 6};
	struct loader *loader = loader_new(&settings);
	struct load_given given = {.source = "unix:socket"};
	struct names_snapshot *names;
	struct err err;

	given.is_needed = true;
	cr_expect_eq(loader_load(loader, NULL, &given, &names, &err), -EAGAIN);
	cr_expect_str_eq(err.msg, "unix:socket: nothing came from there yet");
	given.text = "240.0.0.1 hosts.mesh\n";
	given.len = strlen(given.text);
	cr_expect_eq(loader_load(loader, NULL, &given, &names, &err), -EINVAL);
	given.text = "";
	given.len = 0;
	cr_expect_eq(loader_load(loader, NULL, &given, &names, &err), -EINVAL);
	given = (struct load_given){.source = "unix:socket"};
	cr_assert_eq(loader_load(loader, NULL, &given, &names, &err), 0);
	cr_expect_eq(names_count(names), 0);
	names_free(names);
	loader_free(loader);
}
