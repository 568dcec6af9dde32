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
#include "common/log.h"

#define BATCH_FDS  64 /* in one message; the kernel takes 253 */
#define PATIENCE_S 5

enum { LAST_BATCH = 0, MORE_BATCHES = 1, SERVING = 2 };

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

/* The descriptors of a message, which are ours from here on; how many. */
static size_t take_fds(struct msghdr *msg, int fds[BATCH_FDS])
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	size_t n;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	return n;
}

/* Receives one message: its octet, or -errno. */
static int receive_batch(int fd, struct inherit *inherit, struct err *err)
{
	union fds_control control;
	uint8_t octet;
	struct iovec iov = {&octet, 1};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	int fds[BATCH_FDS], rc = 0;
	size_t n_fds = n < 0 ? 0 : take_fds(&msg, fds);

	if (n < 1 || msg.msg_flags & (MSG_CTRUNC | MSG_TRUNC) || n_fds == 0)
		rc = err_set(err, n < 0 ? errno : EPROTO, "it handed over nothing");
	for (size_t i = 0; i < n_fds; i++) {
		if (rc < 0)
			close(fds[i]);
		else
			rc = inherit_add(inherit, fds[i], err);
	}
	if (rc < 0)
		return rc;
	return octet <= MORE_BATCHES ? octet : err_set(err, EPROTO, "it handed over nothing");
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
static int listen_at(const char *path, struct err *err)
{
	struct sockaddr_un un = {0};
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	set_path(&un, path, ".new");
	unlink(un.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 ||
	    chmod(un.sun_path, 0600) < 0 || listen(fd, 1) < 0 || rename(un.sun_path, path) < 0)
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
	handover->listen_fd = listen_at(handover->path, err);
	if (handover->old_fd >= 0) {
		if (send(handover->old_fd, &octet, 1, MSG_NOSIGNAL) < 0)
			log_warning("the resolver before me has ended by itself", NULL);
		close(handover->old_fd);
		handover->old_fd = -1;
	}
	return handover->listen_fd < 0 ? handover->listen_fd : 0;
}

/* --- the old one ----------------------------------------------------------------------------- */

static int send_batch(int fd, const int *fds, size_t n, uint8_t octet)
{
	union fds_control control = {0};
	struct iovec iov = {&octet, 1};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(n * sizeof(int)),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
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
		rc = send_batch(fd, fds, used, i + 1 < n ? MORE_BATCHES : LAST_BATCH);
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
	close(handover->new_fd);
	handover->new_fd = -1;
	if (n != 1 || octet != SERVING) {
		log_warning("the resolver that was to take my place has ended, I stay", NULL);
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
	if (handover->listen_fd >= 0) {
		unlink(handover->path);
		close(handover->listen_fd);
	}
	if (handover->old_fd >= 0)
		close(handover->old_fd);
	if (handover->new_fd >= 0)
		close(handover->new_fd);
	handover->path = NULL;
}
