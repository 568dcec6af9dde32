/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paced ADDRESS PORT RATE SECONDS NAMES: asks for the A record of service-I.mesh, I from 1 to NAMES
 * in no order, RATE times a second, and prints what the answers took in µs: "p50 p99 max lost".
 *
 * Questions go out when they are due, whether those before were answered or not. When an answer
 * came is the kernel's word, not when this program got to read it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IDS       65536
#define PATIENCE  INT64_C(2000000000) /* ns after the last question */
#define QUERY_MAX 64

static int64_t sent_ns[IDS]; /* by id; 0: answered, or not asked */

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static size_t write_query(uint8_t query[QUERY_MAX], uint16_t id, unsigned int number)
{
	static const uint8_t tail[] = "\4mesh\0\0\1\0"; /* and a final 1 */
	uint8_t header[12] = {(uint8_t)(id >> 8), (uint8_t)id, 1, 0, 0, 1};
	int len = snprintf((char *)query + 13, QUERY_MAX - 13, "service-%u", number);

	memcpy(query, header, sizeof(header));
	query[12] = (uint8_t)len;
	memcpy(query + 13 + len, tail, sizeof(tail));
	query[13 + (size_t)len + sizeof(tail) - 1] = 1;
	return 13 + (size_t)len + sizeof(tail);
}

/* When the message that was just read came. */
static int64_t arrival_ns(struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		struct timespec at;

		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&at, CMSG_DATA(c), sizeof(at));
			return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
		}
	}
	return now_ns();
}

/* Takes what answers there are; returns how many. */
static size_t take_answers(int fd, int64_t *took_ns)
{
	size_t n = 0;

	while (true) {
		uint8_t answer[512], control[128];
		struct iovec iov = {answer, sizeof(answer)};
		struct msghdr message = {.msg_iov = &iov,
					 .msg_iovlen = 1,
					 .msg_control = control,
					 .msg_controllen = sizeof(control)};
		unsigned int id;

		if (recvmsg(fd, &message, MSG_DONTWAIT) < 12)
			return n;
		id = (unsigned int)answer[0] << 8 | answer[1];
		if (!sent_ns[id])
			continue;
		took_ns[n++] = arrival_ns(&message) - sent_ns[id];
		sent_ns[id] = 0;
	}
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* A number above 0; anything else ends this. */
static uint32_t number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || value == 0 || value > 100000000) {
		fprintf(stderr, "paced: not a number: %s\n", text);
		exit(1);
	}
	return (uint32_t)value;
}

static int connect_to(const char *address, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number(port))};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), yes = 1;

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof(yes)) < 0) {
		perror("paced");
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	size_t n, asked = 0, answered = 0, middle, late;
	uint32_t rate, names;
	int64_t *took_ns, start = now_ns(), gap;
	int fd;

	if (argc != 6) {
		fputs("usage: paced ADDRESS PORT RATE SECONDS NAMES\n", stderr);
		return 1;
	}
	fd = connect_to(argv[1], argv[2]);
	rate = number(argv[3]);
	gap = INT64_C(1000000000) / rate;
	n = (size_t)rate * number(argv[4]);
	names = number(argv[5]);
	if (!(took_ns = calloc(n, sizeof(*took_ns))))
		return 1;
	while (answered < n) {
		int64_t now = now_ns(), due = start + (int64_t)asked * gap, wait = due - now;
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		struct timespec pause;

		if (asked == n && now > due + PATIENCE)
			break;
		if (asked < n && wait <= 0) {
			uint8_t query[QUERY_MAX];
			uint16_t id = (uint16_t)asked;
			size_t len = write_query(query, id,
						 1 + (unsigned int)(asked * 2654435761u % names));

			sent_ns[id] = now_ns();
			send(fd, query, len, 0);
			asked++;
		} else {
			wait = asked == n ? PATIENCE : wait;
			pause = (struct timespec){wait / 1000000000, wait % 1000000000};
			ppoll(&ready, 1, &pause, NULL);
		}
		answered += take_answers(fd, took_ns + answered);
	}
	qsort(took_ns, answered, sizeof(*took_ns), compare);
	if (answered == 0)
		return 1;
	middle = answered / 2;
	late = answered * 99 / 100;
	printf("%.1f %.1f %.1f %zu\n", (double)took_ns[middle] / 1e3, (double)took_ns[late] / 1e3,
	       (double)took_ns[answered - 1] / 1e3, n - answered);
	return 0;
}
