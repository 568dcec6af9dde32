/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libnftnl and nl.c need of libmnl, for programs that are linked statically: Debian has the
 * archives of all other libraries that they use, but not of this one. Names, arguments and results
 * are those of its documentation; everything else links libmnl itself.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ATTR_BYTES MNL_ALIGN(sizeof(struct nlattr))

/* --- attributes that are read --- */

uint16_t mnl_attr_get_type(const struct nlattr *attr)
{
	return attr->nla_type & NLA_TYPE_MASK;
}

uint16_t mnl_attr_get_payload_len(const struct nlattr *attr)
{
	return (uint16_t)(attr->nla_len - ATTR_BYTES);
}

void *mnl_attr_get_payload(const struct nlattr *attr)
{
	return (char *)attr + ATTR_BYTES;
}

bool mnl_attr_ok(const struct nlattr *attr, int len)
{
	return len >= (int)sizeof(*attr) && attr->nla_len >= sizeof(*attr) &&
	       (int)attr->nla_len <= len;
}

struct nlattr *mnl_attr_next(const struct nlattr *attr)
{
	return (void *)((char *)attr + MNL_ALIGN(attr->nla_len));
}

int mnl_attr_type_valid(const struct nlattr *attr, uint16_t max)
{
	if (mnl_attr_get_type(attr) <= max)
		return 1;
	errno = EOPNOTSUPP;
	return -1;
}

/* By the length that a value of the type has, exactly or at least. */
static bool has_length_of(const struct nlattr *attr, enum mnl_attr_data_type type)
{
	static const uint16_t exact[MNL_TYPE_MAX] = {
		[MNL_TYPE_U8] = 1,  [MNL_TYPE_U16] = 2,   [MNL_TYPE_U32] = 4,
		[MNL_TYPE_U64] = 8, [MNL_TYPE_MSECS] = 8,
	};
	uint16_t len = mnl_attr_get_payload_len(attr);
	const char *text = mnl_attr_get_payload(attr);

	switch (type) {
	case MNL_TYPE_FLAG: return len == 0;
	case MNL_TYPE_STRING: return len > 0;
	case MNL_TYPE_NUL_STRING: return len > 0 && !text[len - 1];
	case MNL_TYPE_NESTED: return len == 0 || len >= ATTR_BYTES;
	default: return type < MNL_TYPE_MAX && (!exact[type] || len == exact[type]);
	}
}

int mnl_attr_validate(const struct nlattr *attr, enum mnl_attr_data_type type)
{
	if (has_length_of(attr, type))
		return 0;
	errno = type == MNL_TYPE_STRING || type == MNL_TYPE_NUL_STRING ? EINVAL : ERANGE;
	return -1;
}

static int parse(const struct nlattr *attr, int len, mnl_attr_cb_t callback, void *data)
{
	int state = MNL_CB_OK;

	for (; state == MNL_CB_OK && mnl_attr_ok(attr, len); attr = mnl_attr_next(attr)) {
		state = callback(attr, data);
		len -= MNL_ALIGN(attr->nla_len);
	}
	return state;
}

int mnl_attr_parse(const struct nlmsghdr *nlh, unsigned int offset, mnl_attr_cb_t callback,
		   void *data)
{
	size_t skipped = MNL_NLMSG_HDRLEN + MNL_ALIGN(offset);
	const char *attrs = (const char *)nlh + skipped;

	return parse((const void *)attrs, (int)nlh->nlmsg_len - (int)skipped, callback, data);
}

int mnl_attr_parse_nested(const struct nlattr *nested, mnl_attr_cb_t callback, void *data)
{
	return parse(mnl_attr_get_payload(nested), mnl_attr_get_payload_len(nested), callback,
		     data);
}

uint8_t mnl_attr_get_u8(const struct nlattr *attr)
{
	return *(const uint8_t *)mnl_attr_get_payload(attr);
}

uint16_t mnl_attr_get_u16(const struct nlattr *attr)
{
	return *(const uint16_t *)mnl_attr_get_payload(attr);
}

uint32_t mnl_attr_get_u32(const struct nlattr *attr)
{
	return *(const uint32_t *)mnl_attr_get_payload(attr);
}

/* Attributes are aligned to 4 bytes. */
uint64_t mnl_attr_get_u64(const struct nlattr *attr)
{
	uint64_t value;

	memcpy(&value, mnl_attr_get_payload(attr), sizeof(value));
	return value;
}

const char *mnl_attr_get_str(const struct nlattr *attr)
{
	return mnl_attr_get_payload(attr);
}

/* --- attributes that are written: the caller knows that they fit --- */

static void *tail(const struct nlmsghdr *nlh)
{
	return (char *)nlh + MNL_ALIGN(nlh->nlmsg_len);
}

void mnl_attr_put(struct nlmsghdr *nlh, uint16_t type, size_t len, const void *data)
{
	struct nlattr *attr = tail(nlh);
	char *payload = mnl_attr_get_payload(attr);

	*attr = (struct nlattr){.nla_len = (uint16_t)(ATTR_BYTES + len), .nla_type = type};
	memset(payload, 0, MNL_ALIGN(len));
	if (len)
		memcpy(payload, data, len);
	nlh->nlmsg_len = MNL_ALIGN(nlh->nlmsg_len) + MNL_ALIGN(attr->nla_len);
}

void mnl_attr_put_u8(struct nlmsghdr *nlh, uint16_t type, uint8_t value)
{
	mnl_attr_put(nlh, type, sizeof(value), &value);
}

void mnl_attr_put_u16(struct nlmsghdr *nlh, uint16_t type, uint16_t value)
{
	mnl_attr_put(nlh, type, sizeof(value), &value);
}

void mnl_attr_put_u32(struct nlmsghdr *nlh, uint16_t type, uint32_t value)
{
	mnl_attr_put(nlh, type, sizeof(value), &value);
}

void mnl_attr_put_u64(struct nlmsghdr *nlh, uint16_t type, uint64_t value)
{
	mnl_attr_put(nlh, type, sizeof(value), &value);
}

void mnl_attr_put_str(struct nlmsghdr *nlh, uint16_t type, const char *text)
{
	mnl_attr_put(nlh, type, strlen(text), text);
}

void mnl_attr_put_strz(struct nlmsghdr *nlh, uint16_t type, const char *text)
{
	mnl_attr_put(nlh, type, strlen(text) + 1, text);
}

struct nlattr *mnl_attr_nest_start(struct nlmsghdr *nlh, uint16_t type)
{
	struct nlattr *nest = tail(nlh);

	*nest = (struct nlattr){.nla_type = NLA_F_NESTED | type};
	nlh->nlmsg_len = MNL_ALIGN(nlh->nlmsg_len) + ATTR_BYTES;
	return nest;
}

void mnl_attr_nest_end(struct nlmsghdr *nlh, struct nlattr *nest)
{
	nest->nla_len = (uint16_t)((char *)tail(nlh) - (char *)nest);
}

/* --- messages --- */

struct nlmsghdr *mnl_nlmsg_put_header(void *buf)
{
	struct nlmsghdr *nlh = buf;

	*nlh = (struct nlmsghdr){.nlmsg_len = MNL_NLMSG_HDRLEN};
	return nlh;
}

void *mnl_nlmsg_put_extra_header(struct nlmsghdr *nlh, size_t size)
{
	void *header = tail(nlh);

	memset(header, 0, MNL_ALIGN(size));
	nlh->nlmsg_len += MNL_ALIGN(size);
	return header;
}

void *mnl_nlmsg_get_payload(const struct nlmsghdr *nlh)
{
	return (char *)nlh + MNL_NLMSG_HDRLEN;
}

size_t mnl_nlmsg_get_payload_len(const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_len - MNL_NLMSG_HDRLEN;
}

bool mnl_nlmsg_ok(const struct nlmsghdr *nlh, int len)
{
	return len >= (int)sizeof(*nlh) && nlh->nlmsg_len >= sizeof(*nlh) &&
	       (int)nlh->nlmsg_len <= len;
}

struct nlmsghdr *mnl_nlmsg_next(const struct nlmsghdr *nlh, int *len)
{
	*len -= MNL_ALIGN(nlh->nlmsg_len);
	return tail(nlh);
}

/* An error's, or an acknowledgement's, which ends the answer. */
static int on_error(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*error)) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	errno = error->error < 0 ? -error->error : error->error;
	return error->error ? MNL_CB_ERROR : MNL_CB_STOP;
}

static int on_message(const struct nlmsghdr *nlh, mnl_cb_t callback, void *data)
{
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR) {
		errno = EINTR;
		return MNL_CB_ERROR;
	}
	switch (nlh->nlmsg_type) {
	case NLMSG_NOOP:
	case NLMSG_OVERRUN: return MNL_CB_OK;
	case NLMSG_ERROR: return on_error(nlh);
	case NLMSG_DONE: return MNL_CB_STOP;
	default: return callback ? callback(nlh, data) : MNL_CB_OK;
	}
}

int mnl_cb_run(const void *buf, size_t bytes, unsigned int seq, unsigned int port,
	       mnl_cb_t callback, void *data)
{
	const struct nlmsghdr *nlh = buf;
	int len = (int)bytes, state = MNL_CB_OK;

	for (; state == MNL_CB_OK && mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		bool ours = (!nlh->nlmsg_pid || nlh->nlmsg_pid == port) &&
			    (!nlh->nlmsg_seq || nlh->nlmsg_seq == seq);

		if (!ours) {
			errno = nlh->nlmsg_seq == seq ? ESRCH : EPROTO;
			return MNL_CB_ERROR;
		}
		state = on_message(nlh, callback, data);
	}
	return state;
}

/* --- several messages in one buffer: only libnftnl's nftnl_batch_is_supported() makes such --- */

struct mnl_nlmsg_batch {
	char *start;
	size_t limit, size;
};

struct mnl_nlmsg_batch *mnl_nlmsg_batch_start(void *buf, size_t limit)
{
	struct mnl_nlmsg_batch *batch = malloc(sizeof(*batch));

	if (batch)
		*batch = (struct mnl_nlmsg_batch){.start = buf, .limit = limit};
	return batch;
}

void mnl_nlmsg_batch_stop(struct mnl_nlmsg_batch *batch)
{
	free(batch);
}

void *mnl_nlmsg_batch_head(struct mnl_nlmsg_batch *batch)
{
	return batch->start;
}

void *mnl_nlmsg_batch_current(struct mnl_nlmsg_batch *batch)
{
	return batch->start + batch->size;
}

size_t mnl_nlmsg_batch_size(struct mnl_nlmsg_batch *batch)
{
	return batch->size;
}

bool mnl_nlmsg_batch_next(struct mnl_nlmsg_batch *batch)
{
	const struct nlmsghdr *nlh = mnl_nlmsg_batch_current(batch);

	if (batch->size + MNL_ALIGN(nlh->nlmsg_len) > batch->limit)
		return false;
	batch->size += MNL_ALIGN(nlh->nlmsg_len);
	return true;
}

/* --- sockets --- */

struct mnl_socket {
	int fd;
	struct sockaddr_nl addr;
};

struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	struct mnl_socket *socket_ = calloc(1, sizeof(*socket_));

	if (socket_ && (socket_->fd = socket(AF_NETLINK, SOCK_RAW | flags, bus)) < 0) {
		int why = errno;

		free(socket_);
		errno = why;
		return NULL;
	}
	return socket_;
}

struct mnl_socket *mnl_socket_open(int bus)
{
	return mnl_socket_open2(bus, 0);
}

int mnl_socket_bind(struct mnl_socket *nl, unsigned int groups, pid_t pid)
{
	socklen_t len = sizeof(nl->addr);

	nl->addr = (struct sockaddr_nl){
		.nl_family = AF_NETLINK, .nl_groups = groups, .nl_pid = (unsigned int)pid};
	if (bind(nl->fd, (const struct sockaddr *)&nl->addr, len) < 0)
		return -1;
	return getsockname(nl->fd, (struct sockaddr *)&nl->addr, &len);
}

int mnl_socket_close(struct mnl_socket *nl)
{
	int rc = close(nl->fd);

	free(nl);
	return rc;
}

int mnl_socket_setsockopt(const struct mnl_socket *nl, int type, void *buf, socklen_t len)
{
	return setsockopt(nl->fd, SOL_NETLINK, type, buf, len);
}

int mnl_socket_get_fd(const struct mnl_socket *nl)
{
	return nl->fd;
}

unsigned int mnl_socket_get_portid(const struct mnl_socket *nl)
{
	return nl->addr.nl_pid;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len)
{
	static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	return sendto(nl->fd, buf, len, 0, (const struct sockaddr *)&kernel, sizeof(kernel));
}

/* What is no kernel's message is none. */
ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size)
{
	struct sockaddr_nl from = {0};
	struct iovec part = {.iov_base = buf, .iov_len = size};
	struct msghdr message = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1};
	ssize_t n = recvmsg(nl->fd, &message, 0);

	if (n < 0)
		return n;
	if (message.msg_flags & MSG_TRUNC || message.msg_namelen != sizeof(from)) {
		errno = message.msg_flags & MSG_TRUNC ? ENOSPC : EINVAL;
		return -1;
	}
	return n;
}
