/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <string.h>

#include "resolver/http_response.h"

#define BODY_MAX 64

/* Takes the text in steps of so many octets, and then the end. */
static enum http_progress take(struct http_response *r, const char *text, size_t step, bool end)
{
	size_t len = strlen(text);
	enum http_progress progress = HTTP_MORE;

	http_response_init(r, BODY_MAX);
	for (size_t at = 0; at < len && progress == HTTP_MORE; at += step)
		progress = http_response_take(r, text + at, len - at < step ? len - at : step);
	return progress == HTTP_MORE && end ? http_response_end(r) : progress;
}

/* However the octets come: status, ETag and content. */
static void expect(const char *text, int status, const char *etag, const char *body, bool end)
{
	struct http_response r;

	for (size_t step = 1; step <= 64; step++) {
		cr_assert_eq(take(&r, text, step, end), HTTP_DONE, "%s by %zu: %s", text, step,
			     r.error ? r.error : "more");
		cr_expect_eq(r.status, status, "%s", text);
		cr_expect_str_eq(r.etag, etag, "%s", text);
		cr_expect_str_eq(r.body ? r.body : "", body, "%s", text);
		cr_expect_eq(r.body_len, strlen(body), "%s", text);
		http_response_free(&r);
	}
}

static void expect_bad(const char *text)
{
	struct http_response r;

	for (size_t step = 1; step <= 64; step++) {
		cr_expect_eq(take(&r, text, step, true), HTTP_BAD, "%s by %zu", text, step);
		cr_expect_not_null(r.error);
		http_response_free(&r);
	}
}

Test(http_response, by_length)
{
	expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: abc\r\n\r\nhellothere", 200, "abc",
	       "hello", false);
	expect("HTTP/1.0 200\ncontent-length:\t2 \nContent-Length: 2\n\n{}", 200, "", "{}", false);
	expect("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404, "", "", false);
}

Test(http_response, by_the_end)
{
	expect("HTTP/1.1 200 OK\r\nEtag: W/\"a b\"\r\n\r\nhello", 200, "", "hello", true);
	expect("HTTP/1.1 503 x\r\n\r\n", 503, "", "", true);
}

Test(http_response, in_chunks)
{
	expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\neTAG: \"1\"\r\n\r\n"
	       "3\r\nhel\r\n02;name=\"value\"\r\nlo\r\nA\r\n, everyone\r\n0\r\nX: y\r\n\r\n",
	       200, "\"1\"", "hello, everyone", false);
}

Test(http_response, without_content)
{
	expect("HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 7\r\n\r\n", 304, "x", "",
	       false);
	expect("HTTP/1.1 100 Continue\r\nETag: no\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, "",
	       "", false);
}

Test(http_response, what_may_be_read_in_two_ways_is_refused)
{
	expect_bad("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhello");
	expect_bad("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhello");
	expect_bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n"
		   "\r\n");
	expect_bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
	expect_bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
		   "\r\n0\r\n\r\n");
	expect_bad("HTTP/1.1 200 OK\r\nX: y\r\n folded\r\n\r\n");
	expect_bad("HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello");
}

Test(http_response, what_is_none_is_refused)
{
	expect_bad("");
	expect_bad("hello\n");
	expect_bad("HTTP/2 200\r\n\r\n");
	expect_bad("HTTP/1.1 20 OK\r\n\r\n");
	expect_bad("HTTP/1.1 2000 OK\r\n\r\n");
	expect_bad("HTTP/1.1 200 OK\r\nno field\r\n\r\n");
	expect_bad("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n");
	expect_bad("HTTP/1.1 200 OK\r\nContent-Length: 0x10\r\n\r\n");
	expect_bad("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n");
}

Test(http_response, what_ends_too_early_is_refused)
{
	expect_bad("HTTP/1.1 200 OK");
	expect_bad("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell");
	expect_bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n");
	expect_bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\n");
}

Test(http_response, what_is_too_large_is_refused)
{
	char text[HTTP_HEAD_MAX + 256] = "HTTP/1.1 200 OK\r\n";
	size_t at = strlen(text);

	expect_bad("HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n");
	expect_bad("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551617\r\n\r\n");
	expect_bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n");
	expect_bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		   "1\r\nx\r\nffffffffffffffff\r\n");
	expect_bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n");
	expect_bad("HTTP/1.1 200 OK\r\n\r\n"
		   "0123456789012345678901234567890123456789012345678901234567890123x");
	memset(text + at, 'x', HTTP_LINE_MAX);
	expect_bad(text);
	for (; at < HTTP_HEAD_MAX; at += 4)
		memcpy(text + at, "X:\r\n", 5);
	expect_bad(text);
}

Test(http_response, an_etag_that_could_not_be_sent_back_is_none)
{
	char text[512] = "HTTP/1.1 304 x\r\nETag: ";

	expect("HTTP/1.1 304 x\r\nETag: a\x01\r\n\r\n", 304, "", "", false);
	expect("HTTP/1.1 304 x\r\nETag: a b\r\n\r\n", 304, "", "", false);
	memset(text + strlen(text), 'x', HTTP_ETAG_MAX);
	strcat(text, "\r\n\r\n");
	expect(text, 304, "", "", false);
}
