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

static void expect_json(json_t *json, const char *expected)
{
	cleanup_free char *text = json_dumps(json, JSON_COMPACT);

	cr_expect_str_eq(text, expected);
	json_decref(json);
}

Test(netd, entry_goes_behind_all_others_once)
{
	json_t *entry = json_pack("{s:s, s:i}", "type", NETD_PLUGIN, "v", 2);
	json_t *list = json_loads("{\"z\":1,\"plugins\":[{\"type\":\"" NETD_PLUGIN
				  "\",\"v\":1},{\"type\":\"a\"},{\"type\":\"" NETD_PLUGIN "\"}]}",
				  0, NULL);

	cr_expect_eq(json_integer_value(json_object_get(netd_find_entry(list), "v")), 1);
	expect_json(netd_with_entry(list, entry),
		    "{\"z\":1,\"plugins\":[{\"type\":\"a\"},{\"type\":\"" NETD_PLUGIN
		    "\",\"v\":2}]}");
	expect_json(netd_without_entry(list), "{\"z\":1,\"plugins\":[{\"type\":\"a\"}]}");
	json_decref(entry);
	json_decref(list);
}

Test(netd, single_plugin_becomes_a_list)
{
	json_t *single = json_loads(
		"{\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"type\":\"a\",\"x\":1}", 0, NULL);
	json_t *without = json_loads("{\"name\":\"n\",\"type\":\"a\"}", 0, NULL);

	expect_json(netd_wrap(single), "{\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"plugins\":[{"
				       "\"type\":\"a\",\"x\":1}]}");
	expect_json(netd_wrap(without), "{\"name\":\"n\",\"plugins\":[{\"type\":\"a\"}]}");
	json_decref(single);
	json_decref(without);
}
