/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floor: what a UDP server on this machine costs that does nothing at all. Answers whatever
 * comes in, taken to be one question without EDNS, with one A record; in batches, as the resolver
 * does. Usage: echo PORT, on 127.0.0.1.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH       64
#define PACKET_MAX  512
#define HEADER_SIZE 12

static const unsigned char record[] = {
	0xc0, HEADER_SIZE,                          /* the name of the question */
	0,    1,           0, 1, 0, 0, 0, 60, 0, 4, /* A, IN, 60 s, 4 octets */
	240,  0,           0, 1,
};

static unsigned char packets[BATCH][PACKET_MAX + sizeof(record)];
static struct sockaddr_in clients[BATCH];
static struct iovec vectors[BATCH];
static struct mmsghdr messages[BATCH];

static void prepare(void)
{
	for (int i = 0; i < BATCH; i++) {
		vectors[i] = (struct iovec){packets[i], PACKET_MAX};
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &clients[i],
			.msg_namelen = sizeof(clients[i]),
			.msg_iov = &vectors[i],
			.msg_iovlen = 1,
		};
	}
}

/* Turns the query in slot `i` into its answer. */
static void answer(int i)
{
	unsigned char *packet = packets[i];
	size_t len = messages[i].msg_len;

	if (len < HEADER_SIZE)
		return;
	packet[2] |= 0x84; /* QR, AA */
	packet[7] = 1;     /* ANCOUNT */
	memcpy(packet + len, record, sizeof(record));
	vectors[i].iov_len = len + sizeof(record);
}

static int serve(int fd)
{
	for (;;) {
		prepare();
		int n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);

		if (n < 0)
			return -1;
		for (int i = 0; i < n; i++)
			answer(i);
		for (int sent = 0; sent < n;) {
			int rc = sendmmsg(fd, messages + sent, (unsigned int)(n - sent), 0);

			if (rc < 0)
				return -1;
			sent += rc;
		}
	}
}

int main(int argc, char **argv)
{
	unsigned long port = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((in_port_t)port),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (port == 0 || port > 65535) {
		fprintf(stderr, "usage: echo PORT\n");
		return 2;
	}
	if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 || serve(fd) < 0)
		perror("echo");
	return 1;
}
