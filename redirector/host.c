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

/* The address that a packet to this nameserver carries. */
static struct addr on_the_wire(const struct addr *server)
{
	static const struct in6_addr loopback6 = IN6ADDR_LOOPBACK_INIT;
	struct addr addr = addr_unmap(server);

	addr.scope_id = 0;
	if (!addr_is_unspecified(&addr))
		return addr;
	if (addr.family == AF_INET)
		addr.v4.s_addr = htonl(INADDR_LOOPBACK);
	else
		addr.v6 = loopback6;
	return addr;
}

static void add_nameserver(struct host *host, const struct addr *server)
{
	struct addr addr = on_the_wire(server);

	if (addr.family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&addr.v6)) {
		host->link_local_left_out = true;
		return;
	}
	for (size_t i = 0; i < host->n_nameservers; i++) {
		if (addr_equal(&host->nameservers[i], &addr))
			return;
	}
	host->nameservers[host->n_nameservers++] = addr;
}

void host_set_nameservers(struct host *host, const struct resolvconf *conf)
{
	static const struct addr any4 = {.family = AF_INET}, any6 = {.family = AF_INET6};

	host->n_nameservers = 0;
	for (size_t i = 0; i < conf->n_servers; i++)
		add_nameserver(host, &conf->servers[i]);
	if (conf->n_servers)
		return;
	host->nameservers_assumed = true; /* as resolv.conf(5) says */
	add_nameserver(host, &any4);
	add_nameserver(host, &any6);
}

/*
 * /etc/resolv.conf as the process `pid` sees it. Its absolute symbolic links mean its own root: an
 * open of /proc/PID/root/etc/resolv.conf would follow them into ours.
 */
static int read_of_process(const char *pid, struct host *host, struct resolvconf *conf,
			   struct err *err)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	char root_path[64], fd_path[64];
	cleanup_fd int root = -1, fd = -1;
	int rc;

	snprintf(root_path, sizeof(root_path), "/proc/%.20s/root", pid);
	snprintf(host->resolv_conf, sizeof(host->resolv_conf), "%s" RESOLVCONF_PATH, root_path);
	root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		fd = (int)syscall(SYS_openat2, root, RESOLVCONF_PATH, &how, sizeof(how));
	if (fd < 0)
		return err_set(err, errno, "cannot open %s: %s; --resolv-conf names another",
			       host->resolv_conf, err_text(errno));
	snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", fd);
	if ((rc = resolvconf_read(fd_path, conf, err)) < 0)
		err_wrap(err, "%s", host->resolv_conf);
	return rc;
}

static int read_resolv_conf(const struct settings *settings, struct host *host,
			    struct resolvconf *conf, struct err *err)
{
	enum netns_kind kind;
	char netns[PATH_MAX];
	int rc;

	snprintf(host->resolv_conf, sizeof(host->resolv_conf), "%s",
		 settings->resolv_conf ? settings->resolv_conf : RESOLVCONF_PATH);
	if (settings->netns && !settings->resolv_conf) {
		if ((rc = netns_path(settings->netns, &kind, netns, err)) < 0)
			return rc;
		if (kind == NETNS_PID)
			return read_of_process(settings->netns, host, conf, err);
		if (kind == NETNS_NAME) /* where ip-netns(8) finds it too */
			snprintf(host->resolv_conf, sizeof(host->resolv_conf),
				 "/etc/netns/%s/resolv.conf", settings->netns);
		if (kind == NETNS_PATH || access(host->resolv_conf, F_OK) < 0) {
			snprintf(host->resolv_conf, sizeof(host->resolv_conf), RESOLVCONF_PATH);
			log_warning("the network namespace has no resolv.conf of its own, "
				    "this machine's is used; --resolv-conf names another",
				    "netns=%s", settings->netns);
		}
	}
	return resolvconf_read(host->resolv_conf, conf, err);
}

static void warn_about_nameservers(const struct host *host)
{
	if (host->nameservers_assumed)
		log_warning("no nameserver in resolv.conf: programs then ask 127.0.0.1 and ::1, "
			    "and these are captured; if they ask others, use "
			    "--redirect-all-dns-traffic or name the right file with --resolv-conf",
			    "file=%s", host->resolv_conf);
	if (host->link_local_left_out)
		log_warning("queries to link-local nameservers cannot be redirected and are not "
			    "captured; name these servers by another address",
			    "file=%s", host->resolv_conf);
}

int host_read(const struct settings *settings, struct host *ret_host, struct err *err)
{
	struct resolvconf conf = {0};
	int rc;

	memset(ret_host, 0, sizeof(*ret_host));
	/* A number is not looked up: that may take long, where users are kept elsewhere. */
	if ((!settings->proxy_user ||
	     !user_parse_uid(settings->proxy_user, &ret_host->proxy_user.uid)) &&
	    (rc = user_resolve(settings->proxy_user, &ret_host->proxy_user, err)) < 0) {
		err_wrap(err, "--proxy-user");
		return rc;
	}
	if (!settings->redirect_dns)
		return 0;
	if ((rc = read_resolv_conf(settings, ret_host, &conf, err)) < 0)
		return rc;
	host_set_nameservers(ret_host, &conf);
	warn_about_nameservers(ret_host);
	return 0;
}
