/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/result.h"
#include "common/cleanup.h"
#include "tests/unit/cni/requests.h"

static void expect_answer(const char *text, const char *expected)
{
	cleanup_request struct request request = request_parsed(text);
	cleanup_free char *answer = NULL;
	struct failure failure = {0};

	cr_assert_eq(result_compose(&request, &answer, &failure), 0, "%s", failure.err.msg);
	cr_expect_str_eq(answer, expected);
}

static enum failure_code refuses(const char *text)
{
	cleanup_request struct request request = request_parsed(text);
	cleanup_free char *answer = NULL;
	struct failure failure = {0};

	return result_compose(&request, &answer, &failure) < 0 ? failure.code : 0;
}

Test(result, of_the_same_version_passes_byte_by_byte)
{
	static const char *const results[] = {
		"{\"cniVersion\":\"1.0.0\"}",
		"{ \"x\": [1.0, 1e2, {\"}\": \"\\\"]\\u00e9\"}], \"cniVersion\": \"1.0.0\" }",
		("{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"::1/128\",\"n\":10.50}],\n"
		 "\t\"interfaces\":[],\"dns\":{},\"new\":{\"prevResult\":null}}"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		char request[512];

		snprintf(request, sizeof(request),
			 "{\"prevResult\" : %s , \"name\": \"n\", \"cniVersion\": \"1.0.0\"}",
			 results[i]);
		expect_answer(request, results[i]);
		snprintf(request, sizeof(request),
			 "{\"name\":\"n\",\"cniVersion\":\"1.0.0\",\"a\":{\"prevResult\":{}},"
			 "\"prevResult\":%s}",
			 results[i]);
		expect_answer(request, results[i]);
	}
}

Test(result, without_version_gets_that_of_the_request)
{
	expect_answer(REQUEST_OF("0.3.1", ", \"prevResult\": {\"ips\": []}"),
		      "{\"cniVersion\":\"0.3.1\",\"ips\": []}");
	expect_answer(REQUEST_OF("0.3.1", ", \"prevResult\": {}"), "{\"cniVersion\":\"0.3.1\"}");
	expect_answer(REQUEST_OF("0.3.1", ", \"prevResult\": {\"cniVersion\":\"\"}"),
		      "{\"cniVersion\":\"0.3.1\"}");
}

Test(result, under_an_escaped_name_is_found_all_the_same)
{
	expect_answer(REQUEST(", \"prevResult\": {}, \"prev\\u0052esult\": {\"cniVersion\": "
			      "\"1.0.0\", \"a\": 1.50}"),
		      "{\"cniVersion\": \"1.0.0\", \"a\": 1.50}");
}

Test(result, of_several_the_last_counts)
{
	expect_answer(REQUEST(", \"prevResult\": {\"cniVersion\":\"1.0.0\",\"a\":1}, "
			      "\"prevResult\": {\"cniVersion\":\"1.0.0\",\"a\":2}"),
		      "{\"cniVersion\":\"1.0.0\",\"a\":2}");
}

Test(result, of_another_version_is_converted)
{
	expect_answer(REQUEST_OF("1.1.0", ", \"prevResult\": {\"cniVersion\":\"1.0.0\",\"a\":1}"),
		      "{\"cniVersion\":\"1.1.0\",\"a\":1}");
	expect_answer(REQUEST_OF("1.0.0",
				 ", \"prevResult\": {\"cniVersion\":\"0.4.0\","
				 "\"ips\":[{\"version\":\"4\",\"address\":\"10.0.0.2/24\"}]}"),
		      "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.2/24\"}]}");
	expect_answer(
		REQUEST_OF("0.4.0",
			   ", \"prevResult\": {\"cniVersion\":\"1.1.0\",\"interfaces\":"
			   "[{\"name\":\"eth0\",\"mtu\":1500,\"sandbox\":\"/s\"}],"
			   "\"ips\":[{\"address\":\"10.0.0.2/24\"},{\"address\":\"::1/64\"}"
			   "]}"),
		"{\"cniVersion\":\"0.4.0\",\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/s\"}],"
		"\"ips\":[{\"address\":\"10.0.0.2/24\",\"version\":\"4\"},"
		"{\"address\":\"::1/64\",\"version\":\"6\"}]}");
}

Test(result, is_refused_where_there_is_none)
{
	cr_expect_eq(refuses(REQUEST("")), FAILURE_CONFIGURATION);
	cr_expect_eq(refuses(REQUEST(", \"prevResult\": null")), FAILURE_CONFIGURATION);
	cr_expect_eq(refuses(REQUEST(", \"prevResult\": []")), FAILURE_DECODE);
	cr_expect_eq(refuses(REQUEST(", \"prevResult\": {\"cniVersion\": \"0.2.0\"}")),
		     FAILURE_VERSION);
	cr_expect_eq(refuses(REQUEST_OF("0.4.0", ", \"prevResult\": {\"cniVersion\": \"1.0.0\", "
						 "\"ips\": [{}]}")),
		     FAILURE_DECODE);
}

/* What was written, parsed. */
static json_t *read_back(int fd)
{
	char text[2048];
	ssize_t n = pread(fd, text, sizeof(text), 0);

	return n > 0 ? json_loadb(text, (size_t)n, 0, NULL) : NULL;
}

Test(result, failures_are_json_whatever_they_quote)
{
	struct failure failure = {.code = FAILURE_DECODE, .details = "cut \xc3"};
	FILE *file = tmpfile();
	json_t *json;

	err_set(&failure.err, 1, "say \"%s\"\x01 \xff", "hello");
	cr_assert(file && result_write_failure(fileno(file), "0.4.0", &failure));
	json = read_back(fileno(file));
	cr_assert(json);
	cr_expect_str_eq(json_string_value(json_object_get(json, "cniVersion")), "0.4.0");
	cr_expect_eq(json_integer_value(json_object_get(json, "code")), 6);
	cr_expect_str_eq(json_string_value(json_object_get(json, "msg")), "say \"hello\"\x01 ?");
	cr_expect_str_eq(json_string_value(json_object_get(json, "details")), "cut ?");
	json_decref(json);
	fclose(file);
}

Test(result, versions)
{
	FILE *file = tmpfile();
	json_t *json;

	cr_assert(file && result_write_versions(fileno(file), "1.0.0"));
	json = read_back(fileno(file));
	cr_expect_str_eq(json_string_value(json_object_get(json, "cniVersion")), "1.0.0");
	cr_expect_eq(json_array_size(json_object_get(json, "supportedVersions")), 5);
	json_decref(json);
	fclose(file);
}

Test(result, that_cannot_be_written_is_told)
{
	int fd = open("/dev/full", O_WRONLY);

	cr_assert_geq(fd, 0);
	cr_expect_not(result_write(fd, "{}"));
	close(fd);
}
