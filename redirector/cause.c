/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/cause.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define STATE_UNCONNECTED 0x07 /* UDP: TCP_CLOSE */
#define STATE_LISTEN      0x0A

/* A number and the character behind it; moves on behind that. */
static bool take_number(const char **p, int base, char end, unsigned long *ret_number)
{
	char *stop;

	*p += strspn(*p, " ");
	*ret_number = strtoul(*p, &stop, base);
	if (stop == *p || *stop != end)
		return false;
	*p = stop + 1;
	return true;
}

/* Words of 32 bits as the kernel has them in memory, which is how an address is; and its port. */
static bool take_endpoint(const char **p, struct endpoint *ret_ep)
{
	unsigned long port;
	char word[9] = "";
	size_t len;

	*p += strspn(*p, " ");
	len = strspn(*p, "0123456789ABCDEF");
	if ((len != 8 && len != 32) || (*p)[len] != ':')
		return false;
	*ret_ep = (struct endpoint){.addr.family = len == 8 ? AF_INET : AF_INET6};
	for (size_t i = 0; i < len; i += 8) {
		uint32_t value;

		memcpy(word, *p + i, 8);
		value = (uint32_t)strtoul(word, NULL, 16);
		memcpy(ret_ep->addr.bytes + i / 2, &value, sizeof(value));
	}
	*p += len + 1;
	if (!take_number(p, 16, ' ', &port))
		return false;
	ret_ep->port = (uint16_t)port;
	ret_ep->addr = addr_unmap(&ret_ep->addr);
	return true;
}

/* "  0: 0100007F:3ACD 00000000:0000 0A 00000000:00000000 00:00000000 00000000  5678 ..." */
bool cause_parse_socket(const char *line, struct cause_socket *ret_socket)
{
	static const char ends[] = {':', ' ', ':', ' ', ' '}; /* queues, timer, retransmits */
	struct endpoint local;
	unsigned long number, state, uid;

	if (!take_number(&line, 10, ':', &number) || !take_endpoint(&line, &local) ||
	    !take_endpoint(&line, &ret_socket->remote) || !take_number(&line, 16, ' ', &state))
		return false;
	for (size_t i = 0; i < sizeof(ends); i++) {
		if (!take_number(&line, 16, ends[i], &number))
			return false;
	}
	if (!take_number(&line, 10, ' ', &uid))
		return false;
	ret_socket->port = local.port;
	ret_socket->listens = ret_socket->remote.port == 0 &&
			      (state == STATE_UNCONNECTED || state == STATE_LISTEN);
	ret_socket->uid = (uid_t)uid;
	return true;
}

/* The first socket of this namespace that is as wanted. */
static bool find_socket(const char *protocol,
			bool (*is_wanted)(const struct cause_socket *, const void *),
			const void *arg, struct cause_socket *ret_socket)
{
	static const char *const families[] = {"", "6"};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		cleanup_free char *line = NULL;
		cleanup_file FILE *file = NULL;
		char path[64];
		size_t size = 0;

		snprintf(path, sizeof(path), "/proc/thread-self/net/%s%s", protocol, families[i]);
		file = fopen(path, "re");
		while (file && getline(&line, &size, file) > 0) {
			if (cause_parse_socket(line, ret_socket) && is_wanted(ret_socket, arg))
				return true;
		}
	}
	return false;
}

static bool listens_there(const struct cause_socket *socket, const void *port)
{
	return socket->listens && socket->port == *(const uint16_t *)port;
}

bool cause_listens(const char *protocol, uint16_t port, uid_t *ret_uid)
{
	struct cause_socket socket;

	if (!find_socket(protocol, listens_there, &port, &socket))
		return false;
	*ret_uid = socket.uid;
	return true;
}

struct question {
	uid_t uid;
	const struct endpoint *server;
};

static bool asks_there(const struct cause_socket *socket, const void *arg)
{
	const struct question *question = arg;
	const struct endpoint *server = question->server;

	return socket->uid == question->uid && socket->remote.port == server->port &&
	       (server->addr.family == AF_UNSPEC ||
		addr_equal(&socket->remote.addr, &server->addr));
}

bool cause_asks(const char *protocol, uid_t uid, const struct endpoint *server)
{
	struct question question = {.uid = uid, .server = server};
	struct cause_socket socket;

	return find_socket(protocol, asks_there, &question, &socket);
}

bool cause_uses_nss_resolve(const char *text)
{
	static const char hosts[] = "hosts:", word[] = "resolve";

	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *p;

		line += strspn(line, " \t\n");
		if (strncmp(line, hosts, strlen(hosts)) != 0)
			continue;
		p = line + strlen(hosts);
		while (*(p += strspn(p, " \t")) && *p != '\n' && *p != '#') {
			size_t len = strcspn(p, " \t\n#[");

			if (len == strlen(word) && !strncmp(p, word, len))
				return true;
			p += len;
			if (*p == '[') /* an action: [!UNAVAIL=return] */
				p += strcspn(p, "]\n");
			if (*p == ']')
				p++;
		}
	}
	return false;
}
