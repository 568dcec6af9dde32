/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks names up as an application does, with the C library's getaddrinfo(): one line an address,
 * "A 240.0.0.1" or "AAAA fd00::1", or the error. Linked with musl for the tests; plain C, so that
 * it can be built with any library. Exit status 1 when a name has no address.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

static int look_up(const char *name)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	char text[NI_MAXHOST];
	int rc = getaddrinfo(name, NULL, &hints, &list);

	if (rc) {
		printf("%s\n", gai_strerror(rc));
		return 1;
	}
	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		rc = getnameinfo(ai->ai_addr, ai->ai_addrlen, text, sizeof(text), NULL, 0,
				 NI_NUMERICHOST);
		if (rc)
			break;
		printf("%s %s\n", ai->ai_family == AF_INET6 ? "AAAA" : "A", text);
	}
	freeaddrinfo(list);
	return rc != 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= look_up(argv[i]);
	return failed;
}
