/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/netns.h"

/*
 * A file as the process `pid` sees it; NULL: as we do. Its absolute symbolic links mean its own
 * root: an open of /proc/PID/root/etc/resolv.conf would follow them into ours. ret_name is what to
 * call the file.
 */
static int read_of_process(const char *pid, const char *path, char ret_name[PATH_MAX],
			   struct resolvconf *conf, struct err *err)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	char root_path[64], fd_path[64];
	cleanup_fd int root = -1, fd = -1;
	int rc;

	snprintf(ret_name, PATH_MAX, "%s", path);
	if (!pid)
		return resolvconf_read(path, conf, err);
	snprintf(root_path, sizeof(root_path), "/proc/%.20s/root", pid);
	snprintf(ret_name, PATH_MAX, "%s%s", root_path, path);
	root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	if (fd < 0)
		return err_set(err, errno, "cannot open %s: %s; --resolv-conf names another",
			       ret_name, err_text(errno));
	snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", fd);
	if ((rc = resolvconf_read(fd_path, conf, err)) < 0)
		err_wrap(err, "%s", ret_name);
	return rc;
}

/* Which resolv.conf is meant where none is named: whose, and what it is called there. */
static int find_resolv_conf(const struct settings *settings, const char **ret_pid,
			    char ret_path[PATH_MAX], struct err *err)
{
	enum netns_kind kind;
	char netns[PATH_MAX];
	int rc;

	*ret_pid = NULL;
	snprintf(ret_path, PATH_MAX, RESOLVCONF_PATH);
	if (!settings->netns)
		return 0;
	if ((rc = netns_path(settings->netns, &kind, netns, err)) < 0)
		return rc;
	if (kind == NETNS_PID) {
		*ret_pid = settings->netns;
		return 0;
	}
	if (kind == NETNS_NAME) /* where ip-netns(8) finds it too */
		snprintf(ret_path, PATH_MAX, "/etc/netns/%s/resolv.conf", settings->netns);
	if (kind == NETNS_PATH || access(ret_path, F_OK) < 0) {
		snprintf(ret_path, PATH_MAX, RESOLVCONF_PATH);
		log_warning("the network namespace has no resolv.conf of its own, "
			    "this machine's is used; --resolv-conf names another",
			    "netns=%s", settings->netns);
	}
	return 0;
}

static int read_nameservers(const struct settings *settings, struct host *host, struct err *err)
{
	struct resolvconf conf = {0}, behind = {0};
	char path[PATH_MAX];
	const char *pid;
	int rc;

	if (settings->resolv_conf) {
		snprintf(host->resolv_conf, PATH_MAX, "%s", settings->resolv_conf);
		if ((rc = resolvconf_read(settings->resolv_conf, &conf, err)) == 0)
			host_set_nameservers(host, &conf, NULL);
		return rc;
	}
	if ((rc = find_resolv_conf(settings, &pid, path, err)) < 0 ||
	    (rc = read_of_process(pid, path, host->resolv_conf, &conf, err)) < 0)
		return rc;
	if (resolvconf_has_stub(&conf))
		read_of_process(pid, RESOLVCONF_RESOLVED_PATH, host->resolved_conf, &behind, NULL);
	if (behind.n_servers == 0)
		host->resolved_conf[0] = '\0';
	host->stub_alone = resolvconf_has_stub(&conf) && behind.n_servers == 0;
	host_set_nameservers(host, &conf, &behind);
	return 0;
}

static void warn_about_nameservers(const struct settings *settings, const struct host *host)
{
	log_info("nameservers read", "file=%s", host->resolv_conf);
	if (host->resolved_conf[0])
		log_info("nameservers read, behind the stub", "file=%s", host->resolved_conf);
	if (host->nameservers_assumed)
		log_warning("no nameserver in resolv.conf: programs then ask 127.0.0.1 and ::1, "
			    "and these are captured; if they ask others, use "
			    "--redirect-all-dns-traffic or name the right file with --resolv-conf",
			    "file=%s", host->resolv_conf);
	if (host->stub_alone && !settings->redirect_all_dns)
		log_warning("systemd-resolved knows of no server yet: only questions to its stub "
			    "are captured, not its own for programs that ask it by nss-resolve or "
			    "D-Bus; install again when it does, or use "
			    "--redirect-all-dns-traffic",
			    "file=%s missing=%s", host->resolv_conf, RESOLVCONF_RESOLVED_PATH);
	if (host->link_local_left_out)
		log_warning("queries to link-local nameservers cannot be redirected and are not "
			    "captured; name these servers by another address",
			    "file=%s", host->resolv_conf);
}

int host_read(const struct settings *settings, struct host *ret_host, struct err *err)
{
	int rc;

	memset(ret_host, 0, sizeof(*ret_host));
	if ((rc = owners_find(settings, &ret_host->owners, err)) < 0)
		return rc;
	if (!settings->redirect_dns)
		return 0;
	if ((rc = read_nameservers(settings, ret_host, err)) < 0)
		return rc;
	warn_about_nameservers(settings, ret_host);
	return 0;
}
