/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/tls.h"

#include <dlfcn.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

#define LIBRARY "libssl.so.3"

/* X(name): all that is called of the library, and of libcrypto, which comes with it. */
#define SSL_CALLS(X)                          \
	X(TLS_client_method)                  \
	X(SSL_CTX_new)                        \
	X(SSL_CTX_free)                       \
	X(SSL_CTX_ctrl)                       \
	X(SSL_CTX_set_options)                \
	X(SSL_CTX_set_verify)                 \
	X(SSL_CTX_set_alpn_protos)            \
	X(SSL_CTX_load_verify_file)           \
	X(SSL_CTX_sess_set_new_cb)            \
	X(SSL_CTX_use_PrivateKey_file)        \
	X(SSL_CTX_check_private_key)          \
	X(SSL_CTX_use_certificate_chain_file) \
	X(SSL_new)                            \
	X(SSL_free)                           \
	X(SSL_ctrl)                           \
	X(SSL_set_fd)                         \
	X(SSL_set1_host)                      \
	X(SSL_get0_param)                     \
	X(SSL_set_ex_data)                    \
	X(SSL_get_ex_data)                    \
	X(SSL_set_session)                    \
	X(SSL_SESSION_free)                   \
	X(SSL_set_connect_state)              \
	X(SSL_do_handshake)                   \
	X(SSL_get_verify_result)              \
	X(SSL_read)                           \
	X(SSL_write)                          \
	X(SSL_pending)                        \
	X(SSL_shutdown)                       \
	X(SSL_get_error)                      \
	X(ERR_clear_error)                    \
	X(ERR_peek_last_error)                \
	X(ERR_reason_error_string)            \
	X(X509_verify_cert_error_string)      \
	X(X509_VERIFY_PARAM_set1_ip_asc)

static struct calls {
#define DECLARE(name) __typeof__(&(name)) name; /* NOLINT(bugprone-macro-parentheses) */
	SSL_CALLS(DECLARE)
#undef DECLARE
} call; /* there is one library, loaded before there are workers */

struct tls {
	struct tls *next;
	struct tls_config config;
	SSL_CTX *context; /* shared by those that differ in their names only */
};

/* The control thread's. */
static struct tls *all;
static bool is_loaded, is_sealed;

void tls_seal(void)
{
	is_sealed = true;
}

static int load(struct err *err)
{
	void *library = NULL, *symbol;
	bool found;

	if (is_loaded)
		return 0;
	if (!is_sealed)
		library = dlopen(LIBRARY, RTLD_NOW);
	found = library != NULL;
#define FIND(name)                                     \
	symbol = found ? dlsym(library, #name) : NULL; \
	memcpy(&call.name, &symbol, sizeof(symbol));   \
	found = symbol != NULL;
	SSL_CALLS(FIND)
#undef FIND
	is_loaded = found;
	if (is_sealed)
		return err_set(err, EPERM, "the first server with TLS needs a restart");
	return found ? 0
		     : err_set(err, ENOENT, "DNS over TLS needs the library %s (Debian: libssl3)",
			       LIBRARY);
}

/* --- whom to trust ---------------------------------------------------------------------------- */

static const char *reason(void)
{
	const char *text = call.ERR_reason_error_string(call.ERR_peek_last_error());

	return text ? text : "no reason given";
}

/* Where distributions keep the certificates that they trust. */
static const char *system_store(void)
{
	static const char *const files[] = {
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem",
		"/etc/ssl/cert.pem",
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (access(files[i], R_OK) == 0)
			return files[i];
	}
	return files[0];
}

/* A session that the server offers; taken: 1. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls_conn *conn = call.SSL_get_ex_data(ssl, 0);

	tls_conn_forget(conn);
	conn->session = session;
	return 1;
}

/* Of a file, which OpenSSL has no words for if it cannot be opened. */
static const char *reason_for(const char *path)
{
	return access(path, R_OK) < 0 ? err_text(errno) : reason();
}

static int read_files(SSL_CTX *context, const struct tls_config *c, struct err *err)
{
	const char *ca = c->ca ? c->ca : system_store();

	if (call.SSL_CTX_load_verify_file(context, ca) != 1)
		return err_set(err, EINVAL, "cannot read the certificates to trust in %s: %s%s", ca,
			       reason_for(ca), c->ca ? "" : " (Debian: ca-certificates)");
	if (!c->cert)
		return 0;
	if (call.SSL_CTX_use_certificate_chain_file(context, c->cert) != 1)
		return err_set(err, EINVAL, "cannot read the certificate %s: %s", c->cert,
			       reason_for(c->cert));
	if (call.SSL_CTX_use_PrivateKey_file(context, c->key, SSL_FILETYPE_PEM) != 1)
		return err_set(err, EINVAL, "cannot read the key %s: %s", c->key,
			       reason_for(c->key));
	if (call.SSL_CTX_check_private_key(context) != 1)
		return err_set(err, EINVAL, "the key %s is not that of %s", c->key, c->cert);
	return 0;
}

static int new_context(const struct tls_config *config, SSL_CTX **ret, struct err *err)
{
	static const unsigned char alpn[] = {3, 'd', 'o', 't'}; /* RFC 7858, registered later */
	SSL_CTX *context;
	int rc;

	call.ERR_clear_error();
	if (!(context = call.SSL_CTX_new(call.TLS_client_method())))
		return err_set(err, ENOMEM, "OpenSSL does not work: %s", reason());
	call.SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL);
	call.SSL_CTX_ctrl(context, SSL_CTRL_MODE,
			  SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				  SSL_MODE_RELEASE_BUFFERS,
			  NULL);
	call.SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE,
			  SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL, NULL);
	call.SSL_CTX_sess_set_new_cb(context, keep_session);
	/* Messages say how long they are: nobody can cut one short by an end without good-bye. */
	call.SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
						  SSL_OP_IGNORE_UNEXPECTED_EOF);
	call.SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	call.SSL_CTX_set_alpn_protos(context, alpn, sizeof(alpn));
	if ((rc = read_files(context, config, err)) < 0) {
		call.SSL_CTX_free(context);
		return rc;
	}
	*ret = context;
	return 0;
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static char *copy(const char *text, bool *failed)
{
	char *copied = text ? strdup(text) : NULL;

	*failed |= text && !copied;
	return copied;
}

int tls_find(const struct tls_config *config, const struct tls **ret, struct err *err)
{
	struct tls *tls;
	SSL_CTX *context = NULL;
	bool failed = false;
	int rc;

	for (tls = all; tls; tls = tls->next) {
		const struct tls_config *c = &tls->config;

		if (!is_same(c->ca, config->ca) || !is_same(c->cert, config->cert) ||
		    !is_same(c->key, config->key))
			continue;
		context = tls->context;
		*ret = tls;
		if (is_same(c->name, config->name))
			return 0;
	}
	if ((rc = load(err)) < 0 || (!context && (rc = new_context(config, &context, err)) < 0))
		return rc;
	if (!(tls = calloc(1, sizeof(*tls))))
		return err_set(err, ENOMEM, "out of memory");
	*tls = (struct tls){
		.next = all,
		.context = context,
		.config = {copy(config->ca, &failed), copy(config->cert, &failed),
			   copy(config->key, &failed), copy(config->name, &failed)},
	};
	all = tls;
	*ret = tls;
	return failed ? err_set(err, ENOMEM, "out of memory") : 0;
}

/* --- connections ------------------------------------------------------------------------------ */

/* Whose certificate it must be: the name's, which is told to the server too, or the address'. */
static bool expect(SSL *ssl, const char *name, const struct addr *addr)
{
	struct addr numeric = *addr;
	char text[ADDR_TEXT_MAX];

	if (name && !addr_parse(name, &numeric))
		return call.SSL_set1_host(ssl, name) == 1 &&
		       call.SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
				     (void *)name) == 1;
	return call.X509_VERIFY_PARAM_set1_ip_asc(call.SSL_get0_param(ssl),
						  addr_format(&numeric, text)) == 1;
}

int tls_conn_open(struct tls_conn *conn, const struct tls *tls, const struct addr *addr, int fd)
{
	SSL *ssl = call.SSL_new(tls->context);

	if (!ssl || call.SSL_set_fd(ssl, fd) != 1 || call.SSL_set_ex_data(ssl, 0, conn) != 1 ||
	    !expect(ssl, tls->config.name, addr)) {
		call.SSL_free(ssl);
		return -ENOMEM;
	}
	if (conn->session)
		call.SSL_set_session(ssl, conn->session);
	call.SSL_set_connect_state(ssl);
	conn->ssl = ssl;
	return 0;
}

int tls_conn_handshake(struct tls_conn *conn, bool *ret_write, struct err *err)
{
	long verdict;
	int rc, why;

	call.ERR_clear_error();
	if ((rc = call.SSL_do_handshake(conn->ssl)) == 1)
		return 0;
	why = call.SSL_get_error(conn->ssl, rc);
	*ret_write = why == SSL_ERROR_WANT_WRITE;
	if (*ret_write || why == SSL_ERROR_WANT_READ)
		return -EAGAIN;
	tls_conn_forget(conn); /* should it have been the session's fault */
	if ((verdict = call.SSL_get_verify_result(conn->ssl)) != X509_V_OK)
		return err_set(err, EPROTO, "its certificate is not believed: %s",
			       call.X509_verify_cert_error_string(verdict));
	if (why == SSL_ERROR_SYSCALL && call.ERR_peek_last_error() == 0)
		return err_set(err, EPROTO, "it closes the connection");
	return err_set(err, EPROTO, "%s", reason());
}

/* What stands in errno after a call that did not give anything. */
static ssize_t conclude(const struct tls_conn *conn, int rc)
{
	int why = call.SSL_get_error(conn->ssl, rc);

	if (why == SSL_ERROR_ZERO_RETURN)
		return 0;
	errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EPIPE;
	return -1;
}

static int at_most(size_t len)
{
	return len > 65536 ? 65536 : (int)len;
}

ssize_t tls_conn_send(struct tls_conn *conn, const void *data, size_t len)
{
	int rc;

	call.ERR_clear_error();
	rc = call.SSL_write(conn->ssl, data, at_most(len));
	if (rc > 0)
		return rc;
	if (conclude(conn, rc) == 0)
		errno = EPIPE;
	return -1;
}

ssize_t tls_conn_recv(struct tls_conn *conn, void *buf, size_t size)
{
	int rc;

	call.ERR_clear_error();
	rc = call.SSL_read(conn->ssl, buf, at_most(size));
	return rc > 0 ? rc : conclude(conn, rc);
}

bool tls_conn_has_more(const struct tls_conn *conn)
{
	return conn->ssl && call.SSL_pending(conn->ssl) > 0;
}

void tls_conn_close(struct tls_conn *conn)
{
	if (!conn->ssl)
		return;
	call.ERR_clear_error();
	call.SSL_shutdown(conn->ssl);
	call.SSL_free(conn->ssl);
	conn->ssl = NULL;
}

void tls_conn_forget(struct tls_conn *conn)
{
	if (conn->session)
		call.SSL_SESSION_free(conn->session);
	conn->session = NULL;
}
