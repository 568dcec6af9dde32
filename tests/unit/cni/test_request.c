/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/cni/requests.h"

static enum failure_code parse_code(const char *text)
{
	cleanup_request struct request request = request_of(text);
	struct failure failure = {0};

	return request_parse(&request, &failure) < 0 ? failure.code : 0;
}

Test(request, input_must_be_a_json_object)
{
	cr_expect_eq(parse_code(REQUEST("")), 0);
	cr_expect_eq(parse_code(""), FAILURE_DECODE);
	cr_expect_eq(parse_code("{"), FAILURE_DECODE);
	cr_expect_eq(parse_code("[]"), FAILURE_DECODE);
	cr_expect_eq(parse_code(REQUEST("") "x"), FAILURE_DECODE);
	cr_expect_eq(parse_code("{\"cniVersion\": 1, \"name\": \"n\"}"), FAILURE_DECODE);
}

Test(request, version_must_be_one_that_has_chains)
{
	cr_expect_eq(parse_code(REQUEST_OF("0.3.0", "")), 0);
	cr_expect_eq(parse_code(REQUEST_OF("1.1.0", "")), 0);
	cr_expect_eq(parse_code(REQUEST_OF("0.2.0", "")), FAILURE_VERSION);
	cr_expect_eq(parse_code(REQUEST_OF("1.0", "")), FAILURE_VERSION);
	cr_expect_eq(parse_code(REQUEST_OF("", "")), FAILURE_VERSION, "empty means 0.1.0");
	cr_expect_eq(parse_code("{\"name\": \"n\"}"), FAILURE_VERSION, "none means 0.1.0");
	cr_expect_eq(parse_code("{\"cniVersion\": null, \"name\": \"n\"}"), FAILURE_VERSION);
}

Test(request, network_must_have_a_name)
{
	cr_expect_eq(parse_code("{\"cniVersion\": \"1.0.0\"}"), FAILURE_CONFIGURATION);
	cr_expect_eq(parse_code("{\"cniVersion\": \"1.0.0\", \"name\": \"\"}"),
		     FAILURE_CONFIGURATION);
	cr_expect_eq(parse_code("{\"cniVersion\": \"1.0.0\", \"name\": \"a/b\"}"),
		     FAILURE_CONFIGURATION);
	cr_expect_eq(parse_code("{\"cniVersion\": \"1.0.0\", \"name\": {}}"),
		     FAILURE_CONFIGURATION);
}

static const char *complaint(const struct request *request, unsigned int needs)
{
	static struct failure failure;

	failure = (struct failure){0};
	if (request_check_environment(request, needs, &failure) == 0)
		return "";
	cr_expect_eq(failure.code, FAILURE_ENVIRONMENT);
	return failure.err.msg;
}

#define ALL (REQUEST_CONTAINER | REQUEST_NETNS | REQUEST_IFNAME)

Test(request, all_missing_variables_are_named)
{
	const struct request none = {.container = "", .netns = "", .ifname = "", .args = ""};
	const struct request some = {.container = "c", .netns = "", .ifname = "", .args = ""};

	cr_expect_str_eq(complaint(&none, ALL),
			 "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME] missing");
	cr_expect_str_eq(complaint(&some, ALL),
			 "required env variables [CNI_NETNS,CNI_IFNAME] missing");
	cr_expect_str_eq(complaint(&none, 0), "");
}

Test(request, ids_and_interfaces_are_checked)
{
	static const char *const bad_ids[] = {"-a", "a/b", "a b", "../x", "a:b", "\xc3\xa9"};
	static const char *const bad_ifnames[] = {".",   "..",  "a/b",
						  "a:b", "a b", "sixteen-letters-"};
	struct request request = {.container = "0a_.-Z", .netns = "/x", .ifname = "eth0.1"};
	char long_id[REQUEST_ID_MAX + 2] = "";

	cr_expect_str_eq(complaint(&request, ALL), "");
	for (size_t i = 0; i < sizeof(bad_ids) / sizeof(*bad_ids); i++) {
		request.container = bad_ids[i];
		cr_expect_neq(*complaint(&request, ALL), '\0', "%s", bad_ids[i]);
	}
	memset(long_id, 'a', sizeof(long_id) - 1);
	request.container = long_id;
	cr_expect_neq(*complaint(&request, ALL), '\0', "too long");
	request.container = "c";
	for (size_t i = 0; i < sizeof(bad_ifnames) / sizeof(*bad_ifnames); i++) {
		request.ifname = bad_ifnames[i];
		cr_expect_neq(*complaint(&request, ALL), '\0', "%s", bad_ifnames[i]);
	}
}

static void expect_arg(const char *args, const char *key, const char *value)
{
	const struct request request = {.args = args};
	size_t len = 0;
	const char *found = request_arg(&request, key, &len);

	cr_expect_eq(!found, !value, "%s in %s", key, args);
	if (found && value)
		cr_expect(len == strlen(value) && !memcmp(found, value, len), "%s in %s", key,
			  args);
}

Test(request, arguments)
{
	expect_arg("A=1;B=2=3;C=", "A", "1");
	expect_arg("A=1;B=2=3;C=", "B", "2=3");
	expect_arg("A=1;B=2=3;C=", "C", "");
	expect_arg("AB=1", "A", NULL);
	expect_arg("XA=1", "A", NULL);
	expect_arg("", "A", NULL);
	expect_arg("A", "A", NULL);
	expect_arg(";;A=1", "A", "1");
}

Test(request, capabilities_are_absent_null_or_there)
{
	cleanup_request struct request absent = request_parsed(REQUEST(""));
	cleanup_request struct request null =
		request_parsed(REQUEST(", \"runtimeConfig\": {\"DNS\": null}"));
	cleanup_request struct request there =
		request_parsed(REQUEST(", \"runtimeConfig\": {\"dns\": {\"Servers\": [\"x\"]}}"));

	cr_expect_null(request_capability(&absent, "dns"));
	cr_expect(json_is_null(request_capability(&null, "dns")));
	cr_expect_eq(json_array_size(request_member(request_capability(&there, "dns"), "servers")),
		     1);
}

Test(request, input_is_read_to_its_end_or_refused)
{
	cleanup_request struct request request = {.version = ""}, large = {.version = ""};
	struct failure failure = {0};
	size_t len = 3 * 4096 + 1;
	char *text = malloc(len);
	FILE *file = tmpfile();

	cr_assert(text && file);
	memset(text, ' ', len);
	cr_assert_eq(fwrite(text, 1, len, file), len);
	rewind(file);
	cr_expect_eq(request_read_input(&request, fileno(file), &failure), 0);
	cr_expect(request.text_len == len && !memcmp(request.text, text, len));
	cr_assert_eq(ftruncate(fileno(file), (off_t)REQUEST_BYTES_MAX + 1), 0);
	rewind(file);
	cr_expect_eq(request_read_input(&large, fileno(file), &failure), -1);
	cr_expect_eq(failure.code, FAILURE_IO);
	fclose(file);
	free(text);
}
