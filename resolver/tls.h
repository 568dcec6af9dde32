/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS to servers, RFC 7858 and 8310 (strict: whoever cannot show the right certificate is not
 * spoken to), by OpenSSL. The library is loaded when the first such server is configured, and never
 * otherwise: linking it costs an idle process more memory than all the rest of the resolver.
 *
 * What a server must show is a struct tls, one for each set of words in the configuration, made
 * before the process is confined (files can't be read afterwards), shared by all workers and never
 * freed. The certificates of the system, or of `ca`, are read then; a changed store wants a
 * restart.
 *
 * A connection is a tls_conn on a non-blocking socket, which stands in for send(2) and recv(2).
 * The last session is kept, and resumed by the next connection.
 */
#ifndef MESHDNS_RESOLVER_TLS_H
#define MESHDNS_RESOLVER_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/addr.h"
#include "common/err.h"

struct tls;

/* NULL: not said. Then the system's certificates are trusted, and the server's must be for its
 * address. `cert` goes with `key`. */
struct tls_config {
	const char *ca, *cert, *key; /* files, PEM */
	const char *name;            /* whose certificate is wanted */
};

/* The one of these words, made if need be. For the control thread. Errors say which file is wrong.
 */
int tls_find(const struct tls_config *config, const struct tls **ret, struct err *err);

/* From here on no library may be loaded: what is in force then would end the process. */
void tls_seal(void);

struct tls_conn {
	struct ssl_st *ssl;             /* NULL: it is not open */
	struct ssl_session_st *session; /* to be resumed; NULL: none */
};

/* Begins on a socket that connects to `addr`. -ENOMEM. */
int tls_conn_open(struct tls_conn *conn, const struct tls *tls, const struct addr *addr, int fd);

/*
 * Goes on with the handshake: 0 when it is over, -EAGAIN when it has to wait, to write if
 * *ret_write. Else it failed, and `err` says why.
 */
int tls_conn_handshake(struct tls_conn *conn, bool *ret_write, struct err *err);

/* As send(2) and recv(2), errno included; what was not sent is to be sent again, from its first
 * octet. */
ssize_t tls_conn_send(struct tls_conn *conn, const void *data, size_t len);
ssize_t tls_conn_recv(struct tls_conn *conn, void *buf, size_t size);

/* Something has come in that poll(2) does not know of. */
bool tls_conn_has_more(const struct tls_conn *conn);

/* Says good-bye if that can be done at once. The session stays. */
void tls_conn_close(struct tls_conn *conn);
void tls_conn_forget(struct tls_conn *conn);

#endif
