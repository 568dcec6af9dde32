/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/dnstap.h"

#include <dlfcn.h>
#include <errno.h>
#include <fstrm.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/cleanup.h"
#include "resolver/wire.h"

#define LIBRARY      "libfstrm.so.0"
#define CONTENT_TYPE "protobuf:dnstap.Dnstap"

/* What is called of the library. */
#define FSTRM_CALLS(X)                               \
	X(fstrm_unix_writer_options_init)            \
	X(fstrm_unix_writer_options_set_socket_path) \
	X(fstrm_unix_writer_options_destroy)         \
	X(fstrm_unix_writer_init)                    \
	X(fstrm_file_options_init)                   \
	X(fstrm_file_options_set_file_path)          \
	X(fstrm_file_options_destroy)                \
	X(fstrm_file_writer_init)                    \
	X(fstrm_writer_options_init)                 \
	X(fstrm_writer_options_add_content_type)     \
	X(fstrm_writer_options_destroy)              \
	X(fstrm_writer_destroy)                      \
	X(fstrm_iothr_init)                          \
	X(fstrm_iothr_get_input_queue)               \
	X(fstrm_iothr_submit)                        \
	X(fstrm_iothr_destroy)                       \
	X(fstrm_free_wrapper)

struct calls {
#define MEMBER(name) __typeof__(&(name)) name; /* NOLINT(bugprone-macro-parentheses) */
	FSTRM_CALLS(MEMBER)
#undef MEMBER
};

struct dnstap {
	struct calls call;
	const char *identity, *version;
	struct fstrm_iothr *iothr;
	struct fstrm_iothr_queue *queue;
	uint64_t lost;
};

int dnstap_load(struct err *err)
{
	if (!dlopen(LIBRARY, RTLD_NOW))
		return err_set(err, ENOENT, "--dnstap needs the library %s (Debian: libfstrm0)",
			       LIBRARY);
	return 0;
}

static bool find_calls(struct calls *calls)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_NOLOAD);
	bool found = library != NULL;
	void *symbol;

#define FIND(name)                                     \
	symbol = found ? dlsym(library, #name) : NULL; \
	memcpy(&calls->name, &symbol, sizeof(symbol)); \
	found = symbol != NULL;
	FSTRM_CALLS(FIND)
#undef FIND
	return found;
}

const char *dnstap_path(const char *where)
{
	return !strncmp(where, "unix:", 5) || !strncmp(where, "file:", 5) ? where + 5 : NULL;
}

static struct fstrm_writer *make_writer(const struct calls *call, const char *where)
{
	struct fstrm_writer_options *options = call->fstrm_writer_options_init();
	struct fstrm_writer *writer;

	call->fstrm_writer_options_add_content_type(options, CONTENT_TYPE,
						    sizeof(CONTENT_TYPE) - 1);
	if (*where == 'u') {
		struct fstrm_unix_writer_options *to = call->fstrm_unix_writer_options_init();

		call->fstrm_unix_writer_options_set_socket_path(to, dnstap_path(where));
		writer = call->fstrm_unix_writer_init(to, options);
		call->fstrm_unix_writer_options_destroy(&to);
	} else {
		struct fstrm_file_options *to = call->fstrm_file_options_init();

		call->fstrm_file_options_set_file_path(to, dnstap_path(where));
		writer = call->fstrm_file_writer_init(to, options);
		call->fstrm_file_options_destroy(&to);
	}
	call->fstrm_writer_options_destroy(&options);
	return writer;
}

int dnstap_open(const char *where, const char *identity, const char *version,
		struct dnstap **ret_dnstap, struct err *err)
{
	cleanup_free struct dnstap *dnstap = calloc(1, sizeof(*dnstap));
	struct fstrm_writer *writer;

	if (!dnstap)
		return err_set(err, ENOMEM, "out of memory");
	if (!find_calls(&dnstap->call))     /* The analyzer does not know cleanup_free. */
		return err_set(err, ENOENT, /* NOLINT(clang-analyzer-unix.Malloc) */
			       "--dnstap: %s is not the library it should be", LIBRARY);
	dnstap->identity = identity;
	dnstap->version = version;
	/* The thread connects, and connects again; nothing is asked of the other side here. */
	if (!(writer = make_writer(&dnstap->call, where)) ||
	    !(dnstap->iothr = dnstap->call.fstrm_iothr_init(NULL, &writer))) {
		dnstap->call.fstrm_writer_destroy(&writer);
		return err_set(err, EINVAL, "--dnstap %s: cannot be opened", where);
	}
	dnstap->queue = dnstap->call.fstrm_iothr_get_input_queue(dnstap->iothr);
	*ret_dnstap = take_ptr(&dnstap);
	return 0;
}

void dnstap_close(struct dnstap *dnstap)
{
	if (!dnstap)
		return;
	dnstap->call.fstrm_iothr_destroy(&dnstap->iothr);
	free(dnstap);
}

uint64_t dnstap_lost(const struct dnstap *dnstap)
{
	return dnstap ? dnstap->lost : 0;
}

void dnstap_event(struct dnstap *dnstap, const struct tap_event *event, int64_t epoch_us)
{
	size_t size = event->kept + DNSTAP_OVERHEAD, len = 0;
	uint8_t *frame = malloc(size);

	if (frame)
		len = dnstap_encode(event, epoch_us, dnstap->identity, dnstap->version, frame,
				    size);
	if (len && dnstap->call.fstrm_iothr_submit(dnstap->iothr, dnstap->queue, frame, len,
						   dnstap->call.fstrm_free_wrapper,
						   NULL) == fstrm_res_success)
		return;
	free(frame);
	dnstap->lost++;
}

/* --- protocol buffers ------------------------------------------------------------------------ */

enum wire_type { VARINT = 0, BYTES = 2, FIXED32 = 5 };

static void put_varint(struct wire *w, uint64_t value)
{
	while (value >= 0x80) {
		wire_put_u8(w, (uint8_t)(value | 0x80));
		value >>= 7;
	}
	wire_put_u8(w, (uint8_t)value);
}

static void put_number(struct wire *w, unsigned int field, uint64_t value)
{
	put_varint(w, field << 3 | VARINT);
	put_varint(w, value);
}

static void put_fixed32(struct wire *w, unsigned int field, uint32_t value)
{
	put_varint(w, field << 3 | FIXED32);
	for (int i = 0; i < 4; i++) /* least significant first */
		wire_put_u8(w, (uint8_t)(value >> 8 * i));
}

static void put_bytes(struct wire *w, unsigned int field, const void *bytes, size_t len)
{
	put_varint(w, field << 3 | BYTES);
	put_varint(w, len);
	wire_put_bytes(w, bytes, len);
}

/* Numbers of dnstap.proto. */
enum { DNSTAP_IDENTITY = 1, DNSTAP_VERSION = 2, DNSTAP_MESSAGE = 14, DNSTAP_TYPE = 15 };
enum {
	MESSAGE_TYPE = 1,
	MESSAGE_FAMILY = 2,
	MESSAGE_PROTOCOL = 3,
	MESSAGE_QUERY_ADDRESS = 4,
	MESSAGE_RESPONSE_ADDRESS = 5,
	MESSAGE_QUERY_PORT = 6,
	MESSAGE_RESPONSE_PORT = 7,
	MESSAGE_QUERY_SEC = 8,
	MESSAGE_QUERY_NSEC = 9,
	MESSAGE_QUERY = 10,
	MESSAGE_RESPONSE_SEC = 12,
	MESSAGE_RESPONSE_NSEC = 13,
	MESSAGE_RESPONSE = 14,
};

static const uint8_t message_types[] = {
	[TAP_CLIENT_QUERY] = 5,
	[TAP_CLIENT_RESPONSE] = 6,
	[TAP_FORWARDER_QUERY] = 7,
	[TAP_FORWARDER_RESPONSE] = 8,
};

static void put_time(struct wire *w, unsigned int sec_field, int64_t us)
{
	put_number(w, sec_field, (uint64_t)(us / 1000000));
	put_fixed32(w, sec_field + 1, (uint32_t)(us % 1000000) * 1000);
}

/* The client asks us, and we ask a server: the peer is who asks, or who answers. */
static void put_peer(struct wire *w, const struct tap_event *event, bool peer_asks)
{
	struct sockaddr_storage sa = {0};
	struct endpoint ep = {0};
	bool v4;

	memcpy(&sa, &event->peer, sizeof(event->peer));
	if (!endpoint_from_sockaddr(&sa, &ep))
		return;
	v4 = ep.addr.family == AF_INET;
	put_number(w, MESSAGE_FAMILY, v4 ? 1 : 2);
	put_bytes(w, peer_asks ? MESSAGE_QUERY_ADDRESS : MESSAGE_RESPONSE_ADDRESS,
		  v4 ? (void *)&ep.addr.v4 : (void *)&ep.addr.v6, v4 ? 4 : 16);
	put_number(w, peer_asks ? MESSAGE_QUERY_PORT : MESSAGE_RESPONSE_PORT, ep.port);
}

static void put_message(struct wire *w, const struct tap_event *event, int64_t epoch_us)
{
	bool is_query = event->kind == TAP_CLIENT_QUERY || event->kind == TAP_FORWARDER_QUERY;
	bool is_clients = event->kind == TAP_CLIENT_QUERY || event->kind == TAP_CLIENT_RESPONSE;

	put_number(w, MESSAGE_TYPE, message_types[event->kind]);
	put_number(w, MESSAGE_PROTOCOL, event->is_tcp ? 2 : 1);
	put_peer(w, event, is_clients);
	put_time(w, MESSAGE_QUERY_SEC, (is_query ? event->at_us : event->began_us) + epoch_us);
	if (!is_query)
		put_time(w, MESSAGE_RESPONSE_SEC, event->at_us + epoch_us);
	put_bytes(w, is_query ? MESSAGE_QUERY : MESSAGE_RESPONSE, tap_message(event), event->kept);
}

size_t dnstap_encode(const struct tap_event *event, int64_t epoch_us, const char *identity,
		     const char *version, uint8_t *ret_bytes, size_t size)
{
	struct wire w = wire_over(ret_bytes, size), measured;
	size_t start;

	if (strlen(identity) + strlen(version) > DNSTAP_OVERHEAD - 128)
		return 0;
	put_bytes(&w, DNSTAP_IDENTITY, identity, strlen(identity));
	put_bytes(&w, DNSTAP_VERSION, version, strlen(version));
	put_number(&w, DNSTAP_TYPE, 1);
	start = w.pos;
	measured = w; /* written once to see how long it is, and then behind its length */
	put_message(&measured, event, epoch_us);
	if (measured.failed)
		return 0;
	put_varint(&w, DNSTAP_MESSAGE << 3 | BYTES);
	put_varint(&w, measured.pos - start);
	put_message(&w, event, epoch_us);
	return w.failed ? 0 : w.pos;
}
