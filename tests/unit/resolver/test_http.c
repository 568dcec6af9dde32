/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/http.h"

static int print_hello(void *context, FILE *body)
{
	fputs("hello", body);
	return *(int *)context;
}

static const struct http_route routes[] = {{"/hello", "text/x-hello", print_hello}, {0}};

static char *answer(const char *request, int status)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	http_answer(routes, &status, request, strlen(request), out);
	fclose(out);
	return text;
}

static void expect(const char *request, const char *begins, const char *ends)
{
	char *text = answer(request, 200), *body = strstr(text, "\r\n\r\n");

	cr_expect(!strncmp(text, begins, strlen(begins)), "%s: %s", request, text);
	cr_assert(body);
	cr_expect_str_eq(body + 4, ends, "%s", request);
	free(text);
}

Test(http, answers)
{
	expect("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n", "hello");
	expect("GET /hello HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ", "hello");
	expect("GET /hello?name[]=x HTTP/1.1\n\n", "HTTP/1.1 200 ", "hello");
	expect("HEAD /hello HTTP/1.1\r\n\r\n", "HTTP/1.1 200 ", "");
	expect("GET /hell HTTP/1.1\r\n\r\n", "HTTP/1.1 404 ", "Not Found\n");
	expect("GET /helloo HTTP/1.1\r\n\r\n", "HTTP/1.1 404 ", "Not Found\n");
	expect("POST /hello HTTP/1.1\r\n\r\n", "HTTP/1.1 405 ", "Method Not Allowed\n");
}

Test(http, says_length_and_type)
{
	char *text = answer("HEAD /hello HTTP/1.1\r\n\r\n", 503);

	cr_expect(!strncmp(text, "HTTP/1.1 503 Service Unavailable\r\n", 34), "%s", text);
	cr_expect(strstr(text, "\r\nContent-Length: 5\r\n"));
	cr_expect(strstr(text, "\r\nContent-Type: text/x-hello\r\n"));
	cr_expect(strstr(text, "\r\nConnection: close\r\n"));
	free(text);
}

Test(http, refuses_what_is_none)
{
	expect("", "HTTP/1.1 431 ", "Request Header Fields Too Large\n");
	expect("GET /hello HTTP/1.1\r\nHost: x\r\n", "HTTP/1.1 431 ",
	       "Request Header Fields Too Large\n");
	expect("\r\n\r\n", "HTTP/1.1 400 ", "Bad Request\n");
	expect("GET\r\n\r\n", "HTTP/1.1 400 ", "Bad Request\n");
	expect("GET /hello\r\n\r\n", "HTTP/1.1 400 ", "Bad Request\n");
	expect("GET  HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "Bad Request\n");
	expect("GET hello HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "Bad Request\n");
	expect("GET /hello HTTP/2.0\r\n\r\n", "HTTP/1.1 400 ", "Bad Request\n");
	expect("GET /hello HTTP/1.1 x\r\n\r\n", "HTTP/1.1 400 ", "Bad Request\n");
}

Test(http, waits_for_the_empty_line)
{
	cr_expect_not(http_is_whole("", 0));
	cr_expect_not(http_is_whole("GET / HTTP/1.1\r\n\r", 17));
	cr_expect(http_is_whole("GET / HTTP/1.1\r\n\r\n", 18));
}
