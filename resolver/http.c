/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/http.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

static const char *reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 400: return "Bad Request";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 431: return "Request Header Fields Too Large";
	case 503: return "Service Unavailable";
	default: return "Internal Server Error";
	}
}

bool http_is_whole(const char *request, size_t len)
{
	return memmem(request, len, "\r\n\r\n", 4) || memmem(request, len, "\n\n", 2);
}

/* The next word of the request line, up to a space; moves past it. */
static size_t take_word(const char **at, const char *end, const char **ret_word)
{
	const char *space;

	*ret_word = *at;
	space = memchr(*at, ' ', (size_t)(end - *at));
	*at = space ? space + 1 : end;
	return (size_t)((space ? space : end) - *ret_word);
}

static bool is_text(const char *word, size_t len, const char *text)
{
	return strlen(text) == len && !memcmp(word, text, len);
}

/* The status that the request line alone earns it, 200 for a route that is to be asked. */
static int parse(const struct http_route *routes, const char *request, size_t len, bool *ret_head,
		 const struct http_route **ret_route)
{
	const char *end = memchr(request, '\n', len), *at = request, *method, *path, *query,
		   *version;
	size_t method_len, path_len, version_len;

	*ret_head = false;
	if (!http_is_whole(request, len))
		return 431;
	if (end > request && end[-1] == '\r')
		end--;
	method_len = take_word(&at, end, &method);
	path_len = take_word(&at, end, &path);
	version_len = take_word(&at, end, &version);
	if (at != end || version_len != 8 || memcmp(version, "HTTP/1.", 7) != 0 || !path_len ||
	    *path != '/')
		return 400;
	*ret_head = is_text(method, method_len, "HEAD");
	if (!*ret_head && !is_text(method, method_len, "GET"))
		return 405;
	if ((query = memchr(path, '?', path_len)))
		path_len = (size_t)(query - path);
	for (*ret_route = routes; (*ret_route)->path; (*ret_route)++) {
		if (is_text(path, path_len, (*ret_route)->path))
			return 200;
	}
	return 404;
}

void http_answer(const struct http_route *routes, void *context, const char *request, size_t len,
		 FILE *out)
{
	const char *type = "text/plain; charset=utf-8";
	const struct http_route *route;
	cleanup_free char *body = NULL;
	size_t body_len = 0;
	FILE *to_body = open_memstream(&body, &body_len);
	int status;
	bool head;

	if (!to_body)
		return;
	status = parse(routes, request, len, &head, &route);
	if (status == 200) {
		status = route->print(context, to_body);
		type = route->content_type;
	} else {
		fprintf(to_body, "%s\n", reason(status));
	}
	if (fclose(to_body) != 0)
		return;
	fprintf(out,
		"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
		"Connection: close\r\n\r\n",
		status, reason(status), type, body_len,
		status == 405 ? "Allow: GET, HEAD\r\n" : "");
	if (!head)
		fwrite(body, 1, body_len, out);
}
