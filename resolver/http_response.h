/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A server's response to a GET, in HTTP/1.1 (RFC 9112), taken as it comes: pure, octets in, status,
 * ETag and content out. How it was framed makes no difference: by Content-Length, in chunks, or by
 * the end of the connection. What may be read in two ways is refused, section 6.3: both framings at
 * once, two lengths, another coding than "chunked", a field folded over lines.
 */
#ifndef MESHDNS_RESOLVER_HTTP_RESPONSE_H
#define MESHDNS_RESOLVER_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_LINE_MAX 1024 /* a field, or the head of a chunk */
#define HTTP_HEAD_MAX 8192 /* all fields, those behind the content included */
#define HTTP_ETAG_MAX 256

enum http_progress { HTTP_MORE, HTTP_DONE, HTTP_BAD };

/* What comes next. */
enum http_state {
	HTTP_AT_STATUS,
	HTTP_AT_FIELD,
	HTTP_IN_LENGTH, /* `left` octets of content */
	HTTP_TO_END,    /* content until the connection ends */
	HTTP_AT_CHUNK,  /* the line with its size */
	HTTP_IN_CHUNK,  /* `left` octets of it */
	HTTP_AT_CHUNK_END,
	HTTP_AT_TRAILER,
	HTTP_AT_END, /* HTTP_DONE: what comes is not looked at */
	HTTP_AT_BAD, /* HTTP_BAD: `error` says why */
};

struct http_response {
	enum http_state state;
	const char *error;
	int status;
	char etag[HTTP_ETAG_MAX]; /* as it is to be sent back; "": there is none */
	char *body;               /* malloc'ed, or NULL: there is none; body[body_len] is NUL */
	size_t body_len;

	size_t body_size, body_max;
	uint64_t left;
	bool has_length, is_chunked;
	size_t head_len, line_len;
	char line[HTTP_LINE_MAX];
};

/* Begins; a content of more than `body_max` octets is refused. */
void http_response_init(struct http_response *r, size_t body_max);
void http_response_free(struct http_response *r);

/* Takes the next octets. */
enum http_progress http_response_take(struct http_response *r, const char *data, size_t len);

/* The connection has ended. */
enum http_progress http_response_end(struct http_response *r);

#endif
