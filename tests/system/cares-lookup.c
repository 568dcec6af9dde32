/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks names up with c-ares, as Node.js, curl and Envoy do: asks for A, then for AAAA, of each
 * argument and prints one line an address, "A 240.0.0.1", or the error, "AAAA no data". Servers
 * are those of /etc/resolv.conf. Exit status 1 when anything failed.
 */
#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/select.h>

struct lookup {
	const char *type;
	int failed;
};

static const char *error_text(int status)
{
	switch (status) {
	case ARES_ENODATA: return "no data";
	case ARES_ENOTFOUND: return "not found";
	default: return ares_strerror(status);
	}
}

/* ares_host_callback */
static void print_host(void *arg, int status, int timeouts, struct hostent *host)
{
	struct lookup *lookup = arg;
	char text[INET6_ADDRSTRLEN];

	(void)timeouts;
	if (status != ARES_SUCCESS) {
		printf("%s %s\n", lookup->type, error_text(status));
		lookup->failed = 1;
		return;
	}
	for (char **addr = host->h_addr_list; *addr; addr++)
		printf("%s %s\n", lookup->type,
		       ares_inet_ntop(host->h_addrtype, *addr, text, sizeof(text)));
}

static void run(ares_channel channel)
{
	fd_set readable;
	fd_set writable;
	struct timeval tv;
	int n_fds;

	for (;;) {
		FD_ZERO(&readable);
		FD_ZERO(&writable);
		n_fds = ares_fds(channel, &readable, &writable);
		if (!n_fds)
			return;
		select(n_fds, &readable, &writable, NULL, ares_timeout(channel, NULL, &tv));
		ares_process(channel, &readable, &writable);
	}
}

static int look_up(ares_channel channel, const char *name, int family)
{
	struct lookup lookup = {.type = family == AF_INET6 ? "AAAA" : "A"};

	ares_gethostbyname(channel, name, family, print_host, &lookup);
	run(channel);
	return lookup.failed;
}

int main(int argc, char **argv)
{
	char dns_only[] = "b";
	struct ares_options options = {.lookups = dns_only};
	ares_channel channel;
	int failed = 0;
	int status = ares_library_init(ARES_LIB_INIT_ALL);

	if (status == ARES_SUCCESS)
		status = ares_init_options(&channel, &options, ARES_OPT_LOOKUPS);
	if (status != ARES_SUCCESS) {
		fprintf(stderr, "cares-lookup: %s\n", ares_strerror(status));
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		failed |= look_up(channel, argv[i], AF_INET);
		failed |= look_up(channel, argv[i], AF_INET6);
	}
	ares_destroy(channel);
	ares_library_cleanup();
	return failed;
}
