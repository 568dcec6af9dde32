/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/handover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

#define BATCH_FDS  64 /* in one message; the kernel takes 253 */
#define PATIENCE_S 5

enum { LAST_BATCH = 0, MORE_BATCHES = 1, SERVING = 2, CLIENT = 3 };

union fds_control {
	size_t align;
	char bytes[CMSG_SPACE(BATCH_FDS * sizeof(int))];
};

static int set_path(struct sockaddr_un *un, const char *path, const char *suffix)
{
	int len = snprintf(un->sun_path, sizeof(un->sun_path), "%s%s", path, suffix);

	un->sun_family = AF_UNIX;
	return len < (int)sizeof(un->sun_path) ? 0 : -ENAMETOOLONG;
}

static bool is_trusted(int fd, uid_t user)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == 0 || peer.uid == user);
}

/* --- the new one ----------------------------------------------------------------------------- */

/* A message: its octet, what is behind it, and its descriptors. */
struct parcel {
	uint8_t octet;
	uint8_t *said; /* room for `size` octets, len of them used */
	size_t size, len;
	int fds[BATCH_FDS];
	size_t n_fds;
};

static void close_fds(struct parcel *p)
{
	while (p->n_fds > 0)
		close(p->fds[--p->n_fds]);
}

static void take_fds(struct msghdr *msg, struct parcel *p)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return;
	p->n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(p->fds, CMSG_DATA(c), p->n_fds * sizeof(int));
}

/* 0, and the descriptors are ours; -EPIPE at the end, -EPROTO when it is cut short. */
static int receive(int from, int flags, struct parcel *p)
{
	union fds_control control;
	struct iovec iov[2] = {{&p->octet, 1}, {p->said, p->size}};
	struct msghdr msg = {
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(from, &msg, flags | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return -errno;
	take_fds(&msg, p);
	if (n > 0 && !(msg.msg_flags & (MSG_CTRUNC | MSG_TRUNC))) {
		p->len = (size_t)n - 1;
		return 0;
	}
	close_fds(p);
	return n ? -EPROTO : -EPIPE;
}

/* Receives one message with listening sockets: its octet, or -errno. */
static int receive_batch(int fd, struct inherit *inherit, struct err *err)
{
	struct parcel p = {.n_fds = 0};
	int rc = receive(fd, 0, &p);

	if (rc == 0 && p.n_fds == 0)
		rc = -EPROTO;
	if (rc < 0)
		return err_set(err, rc, "it handed over nothing");
	for (size_t i = 0; i < p.n_fds; i++) {
		if (rc < 0)
			close(p.fds[i]);
		else
			rc = inherit_add(inherit, p.fds[i], err);
	}
	if (rc < 0)
		return rc;
	return p.octet <= MORE_BATCHES ? p.octet : err_set(err, EPROTO, "it handed over nothing");
}

ssize_t handover_receive_client(int from, uint8_t *said, size_t size, int *ret_fd)
{
	struct parcel p = {.said = said, .size = size};
	int rc = receive(from, MSG_DONTWAIT, &p);

	if (rc < 0)
		return rc;
	if (p.n_fds != 1 || p.octet != CLIENT) {
		close_fds(&p);
		return -EPROTO;
	}
	*ret_fd = p.fds[0];
	return (ssize_t)p.len;
}

int handover_receive(int fd, struct inherit *inherit, struct err *err)
{
	int rc;

	do {
		rc = receive_batch(fd, inherit, err);
	} while (rc == MORE_BATCHES);
	return rc;
}

int handover_take(struct handover *handover, const char *path, uid_t user, struct inherit *inherit,
		  struct err *err)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_un un = {0};
	cleanup_fd int fd = -1;

	*handover = (struct handover){.path = path, .old_fd = -1, .listen_fd = -1, .new_fd = -1};
	if (!path)
		return 0;
	if (set_path(&un, path, ".new") < 0 || set_path(&un, path, "") < 0)
		return err_set(err, ENAMETOOLONG, "%s is too long for a socket", path);
	if ((fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) < 0)
		return err_set(err, errno, "cannot make a socket: %s", err_text(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return 0; /* nobody yet, or nobody any more */
		return err_set(err, errno, "%s: %s", path, err_text(errno));
	}
	if (!is_trusted(fd, user))
		return err_set(err, EPERM, "%s: a process of another user is there", path);
	if (handover_receive(fd, inherit, err) < 0)
		return err_wrap(err, "--takeover");
	log_info("taking the place of a resolver that runs", "sockets=%zu", inherit->n);
	handover->old_fd = take_fd(&fd);
	return 0;
}

/* A socket at `path`, in place of what is there: at no moment there is none. */
static int listen_at(const char *path, ino_t *ret_inode, struct err *err)
{
	struct sockaddr_un un = {0};
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	set_path(&un, path, ".new");
	unlink(un.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 ||
	    chmod(un.sun_path, 0600) < 0 || listen(fd, 1) < 0 ||
	    !(*ret_inode = file_inode(un.sun_path)) || rename(un.sun_path, path) < 0)
		return err_set(err, errno, "--takeover %s: %s", path, err_text(errno));
	return take_fd(&fd);
}

int handover_begin(struct handover *handover, const struct listener *listeners, size_t n,
		   struct err *err)
{
	uint8_t octet = SERVING;

	if (!handover->path)
		return 0;
	handover->listeners = listeners;
	handover->n_listeners = n;
	handover->listen_fd = listen_at(handover->path, &handover->inode, err);
	if (handover->old_fd >= 0 && send(handover->old_fd, &octet, 1, MSG_NOSIGNAL) < 0)
		log_warning("the resolver before me has ended by itself", NULL);
	return handover->listen_fd < 0 ? handover->listen_fd : 0;
}

/* --- the old one ----------------------------------------------------------------------------- */

static int send_fds(int to, const int *fds, size_t n, uint8_t octet, const uint8_t *said,
		    size_t len)
{
	union fds_control control = {0};
	struct iovec iov[2] = {{&octet, 1}, {(void *)said, len}};
	struct msghdr msg = {
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(n * sizeof(int)),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	return sendmsg(to, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int handover_send_client(int to, int fd, const uint8_t *said, size_t len)
{
	return send_fds(to, &fd, 1, CLIENT, said, len);
}

/* A listener is two sockets. */
static int send_listeners(int fd, const struct listener *listeners, size_t n)
{
	int fds[BATCH_FDS], rc = 0;
	size_t used = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		fds[used++] = listeners[i].udp_fd;
		fds[used++] = listeners[i].tcp_fd;
		if (used < BATCH_FDS && i + 1 < n)
			continue;
		rc = send_fds(fd, fds, used, i + 1 < n ? MORE_BATCHES : LAST_BATCH, NULL, 0);
		used = 0;
	}
	return rc;
}

int handover_fd(const struct handover *handover)
{
	if (!handover->path)
		return -1;
	return handover->new_fd >= 0 ? handover->new_fd : handover->listen_fd;
}

static void welcome(struct handover *handover)
{
	cleanup_fd int fd = accept4(handover->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int rc;

	if (fd < 0)
		return;
	if (!is_trusted(fd, geteuid())) {
		log_warning("somebody else's process asked for my sockets", NULL);
		return;
	}
	if ((rc = send_listeners(fd, handover->listeners, handover->n_listeners)) < 0)
		log_warning("the sockets could not be handed over", "reason=\"%s\"", err_text(rc));
	else
		handover->new_fd = take_fd(&fd);
}

bool handover_run(struct handover *handover)
{
	uint8_t octet = 0;
	ssize_t n;

	if (handover->new_fd < 0) {
		if (handover->listen_fd >= 0)
			welcome(handover);
		return false;
	}
	n = recv(handover->new_fd, &octet, 1, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n != 1 || octet != SERVING) {
		log_warning("the resolver that was to take my place has ended, I stay", NULL);
		close(handover->new_fd);
		handover->new_fd = -1;
		return false;
	}
	/* What is at the path is the new one's. */
	close(handover->listen_fd);
	handover->listen_fd = -1;
	return true;
}

void handover_close(struct handover *handover)
{
	if (!handover->path)
		return;
	if (handover->listen_fd >= 0 && file_inode(handover->path) == handover->inode)
		unlink(handover->path);
	if (handover->listen_fd >= 0)
		close(handover->listen_fd);
	if (handover->old_fd >= 0)
		close(handover->old_fd);
	if (handover->new_fd >= 0)
		close(handover->new_fd);
	handover->path = NULL;
}
