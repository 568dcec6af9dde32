/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cni/netd.h"
#include "common/cleanup.h"
#include "common/file.h"

static char dir[] = "/tmp/meshdns-netd-XXXXXX";

static void setup(void)
{
	cr_assert_not_null(mkdtemp(dir));
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}

TestSuite(netd, .init = setup, .fini = teardown);

static void write_file(const char *name, const char *text)
{
	char path[256];
	struct err err = {0};

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	cr_assert_eq(file_replace(path, text, strlen(text), 0644, &err), 0, "%s", err.msg);
}

static void expect_chosen(const char *asked, const char *expected)
{
	cleanup_netd struct netd netd;
	struct err err = {0};

	cr_assert_eq(netd_read(dir, asked, &netd, &err), 0, "%s", err.msg);
	if (!expected)
		cr_expect_eq(netd.chosen, netd.n);
	else
		cr_expect_str_eq(netd.files[netd.chosen].name, expected);
}

#define LIST "{\"name\": \"n\", \"plugins\": [{\"type\": \"bridge\"}]}"

Test(netd, first_valid_one_is_chosen)
{
	expect_chosen(NULL, NULL);
	write_file("50-c.conf", "{\"name\": \"n\", \"type\": \"bridge\"}");
	expect_chosen(NULL, "50-c.conf");
	write_file("40-b.conflist", LIST);
	expect_chosen(NULL, "40-b.conflist");
	write_file("10-a.conflist", "{\"name\": \"n\", \"plugins\": []}");
	write_file("11-a.conflist", "{\"plugins\": [{\"type\": \"bridge\"}]}");
	write_file("12-a.conflist", "{\"name\": \"n\", \"plugins\": [{}]}");
	write_file("13-a.conf", LIST);
	write_file("14-a.conflist", "[");
	write_file("15-a.conflist", "");
	write_file("16-a.conflist.bak", LIST);
	expect_chosen(NULL, "40-b.conflist");
	expect_chosen("50-c.conf", "50-c.conf");
	expect_chosen("10-a.conflist", NULL);
}

Test(netd, directory_must_be_there)
{
	struct netd netd;
	struct err err = {0};

	cr_expect_lt(netd_read("/nowhere", NULL, &netd, &err), 0);
	cr_expect(strstr(err.msg, "/nowhere"));
}

#define OURS(more) "{\"type\": \"" NETD_PLUGIN "\"" more "}"

static void read_one(const char *name, const char *text, struct netd *netd)
{
	struct err err = {0};

	write_file(name, text);
	cr_assert_eq(netd_read(dir, name, netd, &err), 0, "%s", err.msg);
	cr_assert_lt(netd->chosen, netd->n, "%s: %s", text, netd->files[0].why_not);
}

/* The text that a list becomes with this entry, or without one. */
static char *edited(const char *text, const json_t *entry)
{
	cleanup_netd struct netd netd;
	struct err err = {0};
	char *result;

	read_one("a.conflist", text, &netd);
	cr_assert_eq(netd_edit(&netd.files[netd.chosen], entry, &result, &err), 0, "%s", err.msg);
	return result;
}

/* Of what is not ours every byte stays: numbers, keys said twice, blanks. */
Test(netd, entry_goes_behind_all_others_once)
{
	static const struct {
		const char *before, *with, *without; /* NULL: as before */
	} cases[] = {
		{"{\"name\":\"n\",\"plugins\":[{\"type\":\"a\"}]}",
		 "{\"name\":\"n\",\"plugins\":[{\"type\":\"a\"}," OURS(", \"v\": 2") "]}", NULL},
		{" {\"plugins\": [{\"type\": \"x\"}], \"name\": \"n\", \"n\" : "
		 "18446744073709551616 ,\n"
		 "  \"plugins\": [\n    {\"type\": \"a\", \"n\": 1.50e+3, \"n\": -0},\n"
		 "    {\"type\": \"b\", \"s\": \"\\u00e9 ] , \\\" \\\\\"}\n  ] }\n\n",
		 " {\"plugins\": [{\"type\": \"x\"}], \"name\": \"n\", \"n\" : "
		 "18446744073709551616 ,\n"
		 "  \"plugins\": [\n    {\"type\": \"a\", \"n\": 1.50e+3, \"n\": -0},\n"
		 "    {\"type\": \"b\", \"s\": \"\\u00e9 ] , \\\" \\\\\"},\n    " OURS(
			 ", \"v\": 2") "\n  ] }\n\n",
		 NULL},
		{"{\"name\": \"n\", \"plugins\": [" OURS(
			 ", \"v\": 1") ", {\"type\": \"a\"} ,\n" OURS("") ",\t{\"type\": "
									  "\"b\"}, " OURS("") " ]}",
		 "{\"name\": \"n\", \"plugins\": [ {\"type\": \"a\"},\t{\"type\": \"b\"},\t" OURS(
			 ", \"v\": 2") " ]}",
		 "{\"name\": \"n\", \"plugins\": [ {\"type\": \"a\"},\t{\"type\": \"b\"} ]}"},
		{"{\"name\": \"n\", \"plugins\": [{}], \"plug\\u0069ns\": [" OURS("") "]}",
		 "{\"name\": \"n\", \"plugins\": [{}], \"plug\\u0069ns\": [" OURS(
			 ", \"v\": 2") "]}",
		 "{\"name\": \"n\", \"plugins\": [{}], \"plug\\u0069ns\": []}"},
		{"{\"name\": \"n\", \"plugins\": [" OURS("") "]}",
		 "{\"name\": \"n\", \"plugins\": [" OURS(", \"v\": 2") "]}",
		 "{\"name\": \"n\", \"plugins\": []}"},
	};
	json_t *entry = json_pack("{s:s, s:i}", "type", NETD_PLUGIN, "v", 2);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *without = cases[i].without ? cases[i].without : cases[i].before;
		cleanup_free char *with = edited(cases[i].before, entry);
		cleanup_free char *again = edited(with, entry), *back = edited(with, NULL);

		cr_expect_str_eq(with, cases[i].with);
		cr_expect_str_eq(again, cases[i].with);
		cr_expect_str_eq(back, without);
	}
	json_decref(entry);
}

Test(netd, entry_in_effect_is_as_it_was_given)
{
	cleanup_netd struct netd netd;
	json_t *entry;

	read_one("a.conflist",
		 "{\"name\": \"n\", \"plugins\": [{\"type\": \"a\"}, " OURS(
			 ", \"port\": 15053, \"x\": 1.5") "]}",
		 &netd);
	entry = netd_entry_in_effect(dir, &netd.files[netd.chosen]);
	cr_expect(json_is_integer(json_object_get(entry, "port")));
	json_decref(entry);
}

/* The network's name is that of the folder with them. */
Test(netd, files_are_dropped_in_where_the_name_is_one_of_a_folder)
{
#define NAMED(name, more) "{\"name\": \"" name "\", \"plugins\": [{\"type\": \"a\"}]" more "}"
	static const struct {
		const char *text;
		bool are;
	} cases[] = {
		{NAMED("n", ""), true},
		{NAMED("a/../../n", ""), false},
		{NAMED("..", ""), false},
		{NAMED("n", ", \"loadOnlyInlinedPlugins\": true"), false},
	};
#undef NAMED

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_netd struct netd netd;

		read_one("a.conflist", cases[i].text, &netd);
		cr_expect_eq(netd_takes_drop_ins(&netd.files[0]), cases[i].are, "%s",
			     cases[i].text);
	}
}

Test(netd, single_plugin_becomes_a_list)
{
	static const struct {
		const char *single, *list;
	} cases[] = {
		{" {\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"type\":\"a\",\"x\":1.50}\n",
		 "{\n  \"cniVersion\": \"0.4.0\",\n  \"name\": \"n\",\n  \"plugins\": [\n    "
		 "{\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"type\":\"a\",\"x\":1.50},\n"
		 "    " OURS("") "\n  ]\n}\n"},
		{"{\"name\": \"n\", \"type\": \"a\"}", "{\n  \"name\": \"n\",\n  \"plugins\": [\n  "
						       "  {\"name\": \"n\", \"type\": \"a\"},\n"
						       "    " OURS("") "\n  ]\n}\n"},
	};
	json_t *entry = json_pack("{s:s}", "type", NETD_PLUGIN);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_netd struct netd netd;
		cleanup_free char *text = NULL;
		struct err err = {0};

		read_one("a.conf", cases[i].single, &netd);
		cr_assert_eq(netd_wrap(&netd.files[0], entry, &text, &err), 0, "%s", err.msg);
		cr_expect_str_eq(text, cases[i].list);
	}
	json_decref(entry);
}
