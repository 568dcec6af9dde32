/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meshdns-resolver: the order of starting.
 *
 *   1 settings    and the Corefile; nothing is touched yet
 *   2 sockets     what may need root: binding, unless they are inherited
 *   3 privileges  the proxy user from here on, no capability left, none to be had back; and only
 *                 the files and system calls that are needed from here on
 *   4 facts       upstreams and names are read, as the user that will have to read them again
 *   5 threads     workers; this thread becomes control
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/privs.h"
#include "common/resolvconf.h"
#include "resolver/adopt.h"
#include "resolver/control.h"
#include "resolver/corefile/front.h"
#include "resolver/ctl.h"
#include "resolver/dnstap.h"
#include "resolver/memory.h"
#include "resolver/service_source.h"
#include "resolver/state.h"
#include "version.h"

enum exit_code { EXIT_DONE = 0, EXIT_CONFIGURATION = 1, EXIT_MACHINE = 2 };

struct sockets {
	struct inherit inherit;
	struct listener *listeners; /* those of a worker side by side */
	size_t n, n_per_worker;
	struct access access;
	struct interfaces interfaces; /* for the Corefile */
};

static size_t max_of(size_t a, size_t b)
{
	return a > b ? a : b;
}

/*
 * Opens the listeners of all workers. Inherited sockets are dealt out: every one is served, so that
 * a worker may have several at one address, or workers share one when there are too few. Of the
 * default addresses, one whose family this host lacks is only left out.
 */
static int open_listeners(const struct settings *s, struct sockets *sockets, struct err *err)
{
	size_t workers = s->workers, slots = 0, per_ep[SETTINGS_LISTEN_MAX], n = 0;

	for (size_t i = 0; i < s->n_listen; i++) {
		size_t udp = inherit_count(&sockets->inherit, &s->listen[i], SOCK_DGRAM);
		size_t tcp = inherit_count(&sockets->inherit, &s->listen[i], SOCK_STREAM);

		per_ep[i] = max_of(1, (max_of(udp, tcp) + workers - 1) / workers);
		slots += per_ep[i];
	}
	if (!(sockets->listeners = calloc(workers * slots + 1, sizeof(*sockets->listeners))))
		return err_set(err, ENOMEM, "out of memory");
	for (size_t worker = 0; worker < workers; worker++) {
		for (size_t i = 0; i < s->n_listen; i++) {
			for (size_t slot = 0; slot < per_ep[i]; slot++) {
				int rc = listen_open(&s->listen[i], workers > 1, &sockets->inherit,
						     slot * workers + worker,
						     &sockets->listeners[sockets->n], err);

				if (s->listen_is_default && s->listen[i].addr.family == AF_INET6 &&
				    (rc == -EAFNOSUPPORT || rc == -EADDRNOTAVAIL)) {
					log_warning("no IPv6 here, serving IPv4 only",
						    "reason=\"%s\"", err->msg);
					per_ep[i] = 0;
					break;
				}
				if (rc < 0)
					return rc;
				sockets->n++;
			}
		}
		n = worker == 0 ? sockets->n : n;
	}
	sockets->n_per_worker = n;
	inherit_close(&sockets->inherit);
	return 0;
}

/* Root is given up for the proxy user; anybody else stays who he is. */
static int find_user(const struct settings *s, struct user *ret_user, struct err *err)
{
	*ret_user = (struct user){.uid = getuid(), .gid = getgid()};
	if (geteuid() == 0) {
		if (user_resolve(s->user, ret_user, err) < 0)
			return err_wrap(err, "--user");
		if (ret_user->uid == 0)
			return err_set(err, EINVAL,
				       "--user: not as root: name the proxy user, "
				       "whose DNS is not redirected");
	} else if (s->user) {
		if (user_resolve(s->user, ret_user, err) < 0)
			return err_wrap(err, "--user");
		if (ret_user->uid != getuid())
			return err_set(err, EPERM,
				       "--user: only root can become uid %u; this is "
				       "uid %u",
				       ret_user->uid, getuid());
	}
	return 0;
}

/* The default control socket is a convenience, one that was asked for is not. */
static int open_control(const struct settings *s, const struct user *user, bool replace,
			int *ret_fd, struct err *err)
{
	bool is_default = !strcmp(s->control, CTL_PATH);
	int rc;

	*ret_fd = -1;
	if (!strcmp(s->control, "off"))
		return 0;
	rc = ctl_listen(s->control, user, replace, ret_fd, err);
	if (rc < 0 && !is_default)
		return rc;
	if (rc == -EADDRINUSE)
		log_warning("no control socket", "reason=\"%s\"", err->msg);
	else if (rc < 0)
		log_debug("no control socket", "reason=\"%s\"", err->msg);
	return 0;
}

static bool folder_of(const char *path, char folder[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int len = slash ? (int)(slash - path) + 1 : 2;

	return snprintf(folder, PATH_MAX, "%.*s", len, slash ? path : "./") < PATH_MAX;
}

/* Every path that is opened from here on is to be named here. */
static int confine(const struct settings *s, const struct corefile *corefile, struct err *err)
{
	struct privs_path paths[SETTINGS_NAMES_MAX + WATCH_PATHS_MAX + 8];
	char conf[PATH_MAX], takeover[PATH_MAX], control[PATH_MAX],
		dnstap[PATH_MAX]; /* the folders of these */
	const char *sources[WATCH_PATHS_MAX];
	size_t n = 0, n_sources = service_source_paths(s, corefile, sources);

	if (s->no_sandbox)
		return 0;
	for (size_t i = 0; i < s->n_names; i++)
		paths[n++] = (struct privs_path){.path = s->names[i]};
	for (size_t i = 0; i < n_sources; i++)
		paths[n++] = (struct privs_path){.path = sources[i]};
	/* With its folder, for another may be put in its place. */
	if (front_has_file(s) && folder_of(front_path(s), conf))
		paths[n++] = (struct privs_path){.path = conf};
	if (s->search_resolv_conf)
		paths[n++] = (struct privs_path){.path = settings_resolv_conf(s)};
	if (s->state_dir)
		paths[n++] = (struct privs_path){.path = s->state_dir, .writable = true};
	paths[n++] = (struct privs_path){.path = "/proc/self"}; /* what the metrics tell */
	if (s->takeover && !folder_of(s->takeover, takeover))
		return err_set(err, ENAMETOOLONG, "--takeover: %s is too long", s->takeover);
	if (s->takeover)
		paths[n++] = (struct privs_path){.path = takeover, .writable = true};
	if (strcmp(s->control, "off") != 0 && folder_of(s->control, control))
		paths[n++] = (struct privs_path){.path = control, .writable = true};
	if (s->dnstap && folder_of(dnstap_path(s->dnstap), dnstap))
		paths[n++] = (struct privs_path){.path = dnstap, .writable = true};
	return privs_confine(paths, n, err);
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

/* The search list of resolv.conf, where it is asked for. */
static int find_search(struct settings *s, struct err *err)
{
	struct resolvconf conf;
	int rc;

	if (!s->search_resolv_conf)
		return 0;
	if ((rc = resolvconf_read(settings_resolv_conf(s), &conf, err)) < 0)
		return rc;
	for (const char *at = conf.search; *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");

		if (!resolve_domains_add(&s->search, at, len))
			log_warning("not a domain to search, or one too many",
				    "domain=\"%.*s\" source=%s", (int)len, at,
				    settings_resolv_conf(s));
		at += len;
	}
	return 0;
}

/* The sockets that were there before us, and where to listen if only they say so. */
static int inherit(struct settings *s, const struct user *user, struct sockets *sockets,
		   struct handover *handover, struct err *err)
{
	int rc;

	if ((rc = inherit_from_environment(&sockets->inherit, err)) < 0 ||
	    (rc = handover_take(handover, s->takeover, user->uid, &sockets->inherit, err)) < 0)
		return rc;
	if (s->listen_is_default && sockets->inherit.n > 0 && !front_has_file(s)) {
		s->n_listen = inherit_endpoints(&sockets->inherit, s->listen, SETTINGS_LISTEN_MAX);
		s->listen_is_default = false;
	}
	return 0;
}

/* Who may ask; read while the kernel may still be asked about interfaces. */
static int find_clients(const struct settings *s, struct access *access, struct err *err)
{
	int rc = access_add_own(access, err);

	/* Who starts a CoreDNS expects it to answer containers, say. */
	if (rc == 0 && front_has_file(s) && !s->n_allow && !s->n_allow_interfaces)
		rc = access_add_networks(access, err);
	for (size_t i = 0; i < s->n_allow && rc == 0; i++)
		rc = access_add(access, &s->allow[i], err);
	for (size_t i = 0; i < s->n_allow_interfaces && rc == 0; i++) {
		if ((rc = access_add_interface(access, s->allow_interfaces[i], err)) < 0)
			err_wrap(err, "--allow-interface");
	}
	return rc;
}

/* For those who start CoreDNS with one; a file that nobody removes. */
static int write_pidfile(const char *path, struct err *err)
{
	FILE *file;
	bool failed;

	if (!path)
		return 0;
	if (!(file = fopen(path, "we")))
		return err_set(err, errno, "--pidfile: cannot write %s: %s", path, err_text(errno));
	fprintf(file, "%d\n", (int)getpid());
	failed = ferror(file);
	return fclose(file) || failed ? err_set(err, EIO, "--pidfile: cannot write %s", path) : 0;
}

/* Another Corefile may want expressions, and no library can be loaded by then. */
static void load_expressions(void)
{
	struct regex *regex;
	struct err err;

	if (regex_compile(".", &regex, &err) == 0)
		regex_free(regex);
}

/* NULL where there is no file: then the flags are all there is. */
static int read_corefile(struct settings *s, struct sockets *sockets, struct corefile **ret,
			 struct err *err)
{
	int rc;

	*ret = NULL;
	if (!front_has_file(s))
		return 0;
	if ((rc = front_read(s, ret, err)) < 0)
		return rc;
	if ((rc = interfaces_read(&sockets->interfaces, err)) == 0)
		rc = settings_adopt(s, *ret, &sockets->interfaces, err);
	log_set_level(s->log_level);
	load_expressions();
	if (rc < 0) {
		corefile_free(*ret);
		*ret = NULL;
	}
	return rc;
}

/* `corefile` is taken when control_run() is called. */
static int run(struct settings *s, struct sockets *sockets, struct corefile **corefile,
	       struct handover *handover, struct err *err)
{
	struct user user = {0};
	struct corefile *taken;
	int control_fd;

	if (read_corefile(s, sockets, corefile, err) < 0 || find_user(s, &user, err) < 0)
		return EXIT_CONFIGURATION;
	if (write_pidfile(s->corefile.pidfile, err) < 0 ||
	    inherit(s, &user, sockets, handover, err) < 0 || open_listeners(s, sockets, err) < 0 ||
	    open_control(s, &user, sockets->inherit.n > 0, &control_fd, err) < 0 ||
	    state_make_folder(s->state_dir, &user, err) < 0)
		return EXIT_MACHINE;
	if (s->dnstap && dnstap_load(err) < 0)
		return EXIT_MACHINE;
	if (service_prepare_tls(s, *corefile, err) < 0 ||
	    find_clients(s, &sockets->access, err) < 0 || privs_drop(&user, err) < 0 ||
	    confine(s, *corefile, err) < 0 || find_search(s, err) < 0)
		return EXIT_CONFIGURATION;
	taken = *corefile;
	*corefile = NULL;
	switch (control_run(s, sockets->listeners, sockets->n_per_worker, taken,
			    &sockets->interfaces, &sockets->access, handover, control_fd, err)) {
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

/* kuma-dp looks for the second line of a CoreDNS and does not start without one. */
static const char version_text[] =
	"meshdns-resolver " MESHDNS_VERSION "\nCoreDNS-meshdns-" MESHDNS_VERSION;

/* --check and --print-config */
static int check_configuration(const struct settings *settings)
{
	struct corefile *corefile;
	struct err err = {0};

	log_set_level(settings->log_level);
	if (front_read(settings, &corefile, &err) < 0) {
		fprintf(stderr, "meshdns-resolver: %s\n", err.msg);
		return EXIT_CONFIGURATION;
	}
	if (settings->corefile.print)
		corefile_print(corefile, stdout);
	else
		puts("OK");
	corefile_free(corefile);
	return fflush(stdout) ? EXIT_MACHINE : EXIT_DONE;
}

int main(int argc, char **argv)
{
	struct err err = {0};
	/* Large, and mostly unused: pages that are not touched are no memory. */
	static struct settings settings;
	static struct sockets sockets;
	struct handover handover = {0};
	struct corefile *corefile = NULL;
	int code;

	open_standard_descriptors();
	memory_begin();
	if (argc > 1 && !strcmp(argv[1], "ctl"))
		return ctl_main(argc - 2, argv + 2);
	if (settings_read(&settings, argc - 1, argv + 1, &err) < 0) {
		fprintf(stderr, "meshdns-resolver: %s\n", err.msg);
		return EXIT_CONFIGURATION;
	}
	if (settings.help || settings.version || settings.corefile.plugins) {
		if (settings.help)
			settings_print_help(stdout);
		else if (settings.version)
			puts(version_text);
		else
			front_print_plugins(stdout);
		return fflush(stdout) ? EXIT_MACHINE : EXIT_DONE;
	}
	if (settings.corefile.check || settings.corefile.print)
		return check_configuration(&settings);
	log_set_level(settings.log_level);
	signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();

	code = run(&settings, &sockets, &corefile, &handover, &err);
	if (code != EXIT_DONE)
		fprintf(stderr, "meshdns-resolver: %s\n", err.msg);
	handover_close(&handover);
	for (size_t i = 0; i < sockets.n; i++)
		listen_close(&sockets.listeners[i]);
	corefile_free(corefile);
	free(sockets.listeners);
	return code;
}
