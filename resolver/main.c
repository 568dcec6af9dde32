/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meshdns-resolver: the order of starting.
 *
 *   1 settings    nothing is touched yet
 *   2 sockets     what may need root: binding
 *   3 privileges  the proxy user from here on, no capability left, none to be had back; and only
 *                 the files and system calls that are needed from here on
 *   4 facts       upstreams and names are read, as the user that will have to read them again
 *   5 threads     workers; this thread becomes control
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/privs.h"
#include "common/resolvconf.h"
#include "resolver/control.h"
#include "version.h"

enum exit_code { EXIT_DONE = 0, EXIT_CONFIGURATION = 1, EXIT_MACHINE = 2 };

/*
 * Opens the listeners of all workers, a worker's side by side. Of the default addresses, one whose
 * family this host lacks is only left out.
 */
static int open_listeners(const struct settings *s, struct listener *listeners, size_t *ret_n,
			  struct err *err)
{
	bool shared = s->workers > 1, missing[SETTINGS_LISTEN_MAX] = {false};
	size_t n = 0, total = 0;

	for (unsigned int worker = 0; worker < s->workers; worker++) {
		for (size_t i = 0; i < s->n_listen; i++) {
			int rc;

			if (missing[i])
				continue;
			rc = listen_open(&s->listen[i], shared, worker == 0, &listeners[total],
					 err);
			if (s->listen_is_default && s->listen[i].addr.family == AF_INET6 &&
			    (rc == -EAFNOSUPPORT || rc == -EADDRNOTAVAIL)) {
				log_warning("no IPv6 here, serving IPv4 only", "reason=\"%s\"",
					    err->msg);
				missing[i] = true;
				continue;
			}
			if (rc < 0)
				return rc;
			total++;
		}
		n = worker == 0 ? total : n;
	}
	*ret_n = n;
	return 0;
}

/* Root is given up for the proxy user; anybody else stays who he is. */
static int drop_privileges(const struct settings *s, struct err *err)
{
	struct user user = {.uid = getuid(), .gid = getgid()};

	if (geteuid() == 0) {
		if (user_resolve(s->user, &user, err) < 0)
			return err_wrap(err, "--user");
		if (user.uid == 0)
			return err_set(err, EINVAL,
				       "--user: not as root: name the proxy user, "
				       "whose DNS is not redirected");
	} else if (s->user) {
		if (user_resolve(s->user, &user, err) < 0)
			return err_wrap(err, "--user");
		if (user.uid != getuid())
			return err_set(err, EPERM,
				       "--user: only root can become uid %u; this is "
				       "uid %u",
				       user.uid, getuid());
	}
	return privs_drop(&user, err);
}

/* Every path that is opened from here on is to be named here. */
static int confine(const struct settings *s, struct err *err)
{
	struct privs_path paths[SETTINGS_NAMES_MAX + 2];
	size_t n = 0;

	if (s->no_sandbox)
		return 0;
	for (size_t i = 0; i < s->n_names; i++)
		paths[n++] = (struct privs_path){.path = s->names[i]};
	paths[n++] = (struct privs_path){.path = s->resolv_conf};
	paths[n++] = (struct privs_path){.path = "/proc/self"}; /* what the metrics tell */
	return privs_confine(paths, n, err);
}

/* The servers to forward to: --upstream, else those of resolv.conf. None of them may be us. */
static int find_upstreams(const struct settings *s, const struct listener *listeners, size_t n,
			  struct endpoint upstreams[SETTINGS_UPSTREAMS_MAX], size_t *ret_n,
			  struct err *err)
{
	struct resolvconf conf;
	char text[ENDPOINT_TEXT_MAX];
	int rc;

	*ret_n = 0;
	for (size_t i = 0; i < s->n_upstreams; i++) {
		if (listen_is_own(listeners, n, &s->upstreams[i]))
			return err_set(err, ELOOP, "--upstream %s is this resolver itself",
				       endpoint_format(&s->upstreams[i], text));
		upstreams[(*ret_n)++] = s->upstreams[i];
	}
	if (*ret_n)
		return 0;
	if ((rc = resolvconf_read(s->resolv_conf, &conf, err)) < 0)
		return rc;
	for (size_t i = 0; i < conf.n_servers && *ret_n < SETTINGS_UPSTREAMS_MAX; i++) {
		struct endpoint ep = {.addr = conf.servers[i], .port = 53};

		if (listen_is_own(listeners, n, &ep))
			log_warning("left out as an upstream: it is this resolver itself",
				    "server=%s source=%s", endpoint_format(&ep, text),
				    s->resolv_conf);
		else
			upstreams[(*ret_n)++] = ep;
	}
	if (*ret_n == 0)
		return err_set(err, ENOENT,
			       "no nameserver to forward to in %s; name one with "
			       "--upstream ADDR",
			       s->resolv_conf);
	return 0;
}

/* Sockets must not be numbered like stdin, stdout and stderr: somebody would write to them. */
static void open_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* Every question in flight and every TCP client is a descriptor. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int run(const struct settings *s, struct listener *listeners, struct err *err)
{
	struct endpoint upstreams[SETTINGS_UPSTREAMS_MAX];
	size_t n_listeners, n_upstreams;

	if (open_listeners(s, listeners, &n_listeners, err) < 0)
		return EXIT_MACHINE;
	if (drop_privileges(s, err) < 0 || confine(s, err) < 0 ||
	    find_upstreams(s, listeners, n_listeners, upstreams, &n_upstreams, err) < 0)
		return EXIT_CONFIGURATION;
	switch (control_run(s, upstreams, n_upstreams, listeners, n_listeners, err)) {
	case 0: return EXIT_DONE;
	case -EADDRINUSE:
	case -EADDRNOTAVAIL:
	case -ENOMEM:
	case -EAGAIN:
	case -EMFILE:
	case -ENFILE:
	case -ENOSPC: return EXIT_MACHINE;
	default: return EXIT_CONFIGURATION;
	}
}

int main(int argc, char **argv)
{
	struct err err = {0};
	struct settings settings;
	struct listener *listeners;
	size_t max;
	int code;

	open_standard_descriptors();
	if (settings_read(&settings, argc - 1, argv + 1, &err) < 0) {
		fprintf(stderr, "meshdns-resolver: %s\n", err.msg);
		return EXIT_CONFIGURATION;
	}
	if (settings.help || settings.version) {
		if (settings.help)
			settings_print_help(stdout);
		else
			puts("meshdns-resolver " MESHDNS_VERSION);
		return fflush(stdout) ? EXIT_MACHINE : EXIT_DONE;
	}
	log_set_level(settings.log_level);
	signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();

	max = settings.workers * settings.n_listen;
	if (!(listeners = calloc(max, sizeof(*listeners)))) {
		fputs("meshdns-resolver: out of memory\n", stderr);
		return EXIT_MACHINE;
	}
	for (size_t i = 0; i < max; i++)
		listeners[i].udp_fd = listeners[i].tcp_fd = -1;
	code = run(&settings, listeners, &err);
	if (code != EXIT_DONE)
		fprintf(stderr, "meshdns-resolver: %s\n", err.msg);
	for (size_t i = 0; i < max; i++)
		listen_close(&listeners[i]);
	free(listeners);
	return code;
}
