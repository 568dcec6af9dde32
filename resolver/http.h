/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answers of the metrics port: HTTP/1.1 (RFC 9112), GET and HEAD on fixed paths, one request a
 * connection. Pure: text in, text out; oneshot.h does the talking.
 *
 * Why not libmicrohttpd: Debian's links GnuTLS, whose relocations alone made an idle process grow
 * from 1.1 to 4.3 MiB (VmRSS), more than the whole resolver. What is needed is three fixed paths
 * for a scraper on the same host.
 */
#ifndef MESHDNS_RESOLVER_HTTP_H
#define MESHDNS_RESOLVER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct http_route {
	const char *path; /* NULL ends the table */
	const char *content_type;
	int (*print)(void *context, FILE *body); /* returns the status: 200, 503 */
};

/* Whether the header section is there, to its empty line. */
bool http_is_whole(const char *request, size_t len);

/* Answers a request; one that is none with 400, an unfinished one with 431. */
void http_answer(const struct http_route *routes, void *context, const char *request, size_t len,
		 FILE *out);

#endif
