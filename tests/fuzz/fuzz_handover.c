/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a resolver takes over from elsewhere: any messages in the place of those that hand sockets
 * over, and any values of the variables that systemd would set. Whatever comes, every descriptor is
 * either kept or closed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "resolver/handover.h"
#include "tests/fuzz/fuzz.h"

#define MESSAGES_MAX 6
#define FDS_MAX      80 /* of a message: more than the receiver has room for */

/* One descriptor of each kind that may come, to send as often as is wanted. */
enum { UDP, TCP, UDP_UNBOUND, UNIX, NULL_DEVICE, KINDS };
static int kinds[KINDS];

static void open_kinds(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	kinds[UDP] = socket(AF_INET, SOCK_DGRAM, 0);
	kinds[TCP] = socket(AF_INET, SOCK_STREAM, 0);
	kinds[UDP_UNBOUND] = socket(AF_INET, SOCK_DGRAM, 0);
	kinds[UNIX] = socket(AF_UNIX, SOCK_DGRAM, 0);
	kinds[NULL_DEVICE] = open("/dev/null", O_RDWR);
	if (bind(kinds[UDP], (struct sockaddr *)&sin, sizeof(sin)) < 0 ||
	    bind(kinds[TCP], (struct sockaddr *)&sin, sizeof(sin)) < 0 || kinds[NULL_DEVICE] < 0)
		abort();
}

/* The number that the next descriptor would get. */
static int next_fd(void)
{
	int fd = dup(kinds[UDP]);

	close(fd);
	return fd;
}

/*
 * A message of so many octets: the first two digits say how many there are of text and of
 * descriptors, of what kind the first and the others are; then the text. How much was used.
 */
static size_t send_message(int fd, const uint8_t *data, size_t size)
{
	union {
		size_t align;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = {0};
	size_t len = data[0] % 4, n = data[1] % (FDS_MAX + 1);
	int fds[FDS_MAX];
	struct iovec iov = {(void *)(data + 3), len < size - 3 ? len : size - 3};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	for (size_t i = 0; i < n; i++)
		fds[i] = kinds[(i ? data[2] / KINDS : data[2]) % KINDS];
	if (n) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	if (sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
		abort();
	return 3 + iov.iov_len;
}

static void take_sockets(int fd)
{
	static struct inherit inherit;

	inherit.n = 0;
	handover_receive(fd, &inherit, NULL);
	for (size_t i = 0; i < inherit.n; i++) {
		if (inherit.sockets[i].ep.port == 0)
			abort(); /* not bound, and so none of ours */
		close(inherit.sockets[i].fd);
	}
}

static void take_clients(int from)
{
	uint8_t said[2];
	int fd;

	while (handover_receive_client(from, said, sizeof(said), &fd) >= 0)
		close(fd);
}

static void receive(const uint8_t *data, size_t size, void (*take)(int fd))
{
	int pair[2], before = next_fd();

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) < 0)
		abort();
	for (int i = 0; i < MESSAGES_MAX && size > 3; i++) {
		size_t used = send_message(pair[0], data, size);

		data += used;
		size -= used;
	}
	close(pair[0]);
	take(pair[1]);
	close(pair[1]);
	if (next_fd() != before)
		abort(); /* one is left open */
}

/* The one that is succeeded: only one octet of one value ends it. */
static void be_succeeded(const uint8_t *data, size_t size)
{
	struct handover handover = {.path = "", .old_fd = -1, .listen_fd = -1};
	int pair[2], before = next_fd();
	bool ends;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		abort();
	handover.new_fd = pair[0];
	if (size && send(pair[1], data, size < 64 ? size : 64, MSG_NOSIGNAL) < 0)
		abort();
	close(pair[1]);
	ends = handover_run(&handover);
	handover_close(&handover);
	if (ends != (size > 0 && data[0] == 2) || next_fd() != before)
		abort();
}

/* Two texts with a NUL between them. */
static void read_environment(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, 0, size);
	size_t len = end ? (size_t)(end - data) : size;
	char *pid = strndup((const char *)data, len);
	char *fds = end ? strndup((const char *)end + 1, size - len - 1) : NULL;
	int n = inherit_parse(pid, fds, 4242, NULL);

	if (n > INHERIT_MAX || (n > 0 && strtoul(pid, NULL, 10) != 4242))
		abort();
	free(pid);
	free(fds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!kinds[UDP]) {
		log_set_level(LOG_LEVEL_ERROR);
		open_kinds();
	}
	if (size == 0)
		return 0;
	switch (data[0] % 4) {
	case 0: receive(data + 1, size - 1, take_sockets); break;
	case 1: be_succeeded(data + 1, size - 1); break;
	case 3: receive(data + 1, size - 1, take_clients); break;
	default: read_environment(data + 1, size - 1);
	}
	return 0;
}
