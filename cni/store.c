/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cni/pod.h"
#include "common/cleanup.h"
#include "common/file.h"

/*
 * A file is called CONTAINER:INTERFACE; neither can hold a colon, nor begin with a dot as the lock
 * and what is being written do.
 */
#define NAME_BYTES   (REQUEST_ID_MAX + 32)
#define LOCK_FILE    ".lock"
#define LOCK_TIMEOUT 10000 /* ms */
#define LOCK_POLL    2     /* ms */

/* `name`: of a file in it; NULL: the directory itself. */
static int complain(const struct store *store, const char *what, const char *name,
		    struct failure *failure)
{
	return failure_set(failure, FAILURE_IO, "cannot %s %s%s%s: %s%s", what, store->path,
			   name ? "/" : "", name ? name : "", err_text(errno),
			   errno == EACCES ? "; the plugin needs root" : "");
}

int store_open(const char *path, bool create, struct store *ret_store, struct failure *failure)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

	path = path ? path : STORE_DIR;
	*ret_store = (struct store){.dir = open(path, flags), .path = path};
	if (ret_store->dir < 0 && errno == ENOENT && create && file_make_directory(path) == 0)
		ret_store->dir = open(path, flags);
	if (ret_store->dir < 0 && (create || errno != ENOENT))
		return complain(ret_store, "open", NULL, failure);
	return 0;
}

/*
 * One file for all namespaces, and of it one byte for each: its inode's number says which. There is
 * nothing to clean up, and nobody in a pod can reach it.
 */
int store_lock(const struct store *store, const struct namespace *ns, int *ret_fd,
	       struct failure *failure)
{
	static const struct timespec pause = {.tv_nsec = LOCK_POLL * 1000000L};
	struct flock byte = {.l_type = F_WRLCK,
			     .l_whence = SEEK_SET,
			     .l_start = (off_t)(ns->ino & INT64_MAX),
			     .l_len = 1};
	int fd = openat(store->dir, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return complain(store, "open", LOCK_FILE, failure);
	for (int waited = 0; fcntl(fd, F_OFD_SETLK, &byte) < 0; waited += LOCK_POLL) {
		int why = errno;

		if ((why == EAGAIN || why == EACCES) && waited < LOCK_TIMEOUT) {
			nanosleep(&pause, NULL);
			continue;
		}
		close(fd);
		return failure_set(failure, why == EAGAIN ? FAILURE_AGAIN : FAILURE_IO,
				   "cannot lock the pod's network namespace: %s",
				   why == EAGAIN ? "somebody is at work on it" : err_text(why));
	}
	*ret_fd = fd;
	return 0;
}

/* --- what is in a file --- */

static json_t *encode(const struct request *request, const struct namespace *ns)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:o}", "container", request->container,
			 "ifname", request->ifname, "netns", request->netns, "args", request->args,
			 "dev", (json_int_t)ns->dev, "ino", (json_int_t)ns->ino, "conf",
			 pod_reduce(request));
}

/* False when the file is not one of ours. */
static bool decode(json_t *json, struct attachment *attachment)
{
	struct request *request = &attachment->request;
	json_int_t dev, ino;
	json_t *conf;

	*attachment = (struct attachment){.ns.fd = -1, .json = json};
	if (json_unpack(json, "{s:s, s:s, s:s, s:s, s:I, s:I, s:o}", "container",
			&request->container, "ifname", &request->ifname, "netns", &request->netns,
			"args", &request->args, "dev", &dev, "ino", &ino, "conf", &conf) < 0 ||
	    json_unpack(conf, "{s:s, s:s}", "name", &request->network, "cniVersion",
			&request->version) < 0)
		return false;
	request->conf = json_incref(conf);
	attachment->ns.dev = (uint64_t)dev;
	attachment->ns.ino = (uint64_t)ino;
	return true;
}

void attachment_free(struct attachment *attachment)
{
	request_free(&attachment->request);
	json_decref(attachment->json);
	*attachment = (struct attachment){.ns.fd = -1};
}

/* --- files --- */

static void name_file(char name[NAME_BYTES], const char *container, const char *ifname)
{
	snprintf(name, NAME_BYTES, "%s:%s", container, ifname);
}

static int write_file(int dir, const char *name, const json_t *json)
{
	cleanup_free char *text = json_dumps(json, JSON_COMPACT);
	cleanup_fd int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t len = text ? strlen(text) : 0;

	if (!text)
		errno = ENOMEM;
	return text && fd >= 0 ? file_write_all(fd, text, len) : -1;
}

int store_save(const struct store *store, const struct request *request, const struct namespace *ns,
	       struct failure *failure)
{
	char name[NAME_BYTES], new_name[NAME_BYTES + 16];
	json_t *json = encode(request, ns);
	int rc;

	name_file(name, request->container, request->ifname);
	snprintf(new_name, sizeof(new_name), ".%s.new", name); /* the lock is ours */
	if (!json)
		return failure_set(failure, FAILURE_INTERNAL, "out of memory");
	rc = write_file(store->dir, new_name, json);
	if (rc == 0)
		rc = renameat(store->dir, new_name, store->dir, name);
	if (rc < 0) {
		complain(store, "write", name, failure);
		unlinkat(store->dir, new_name, 0);
	}
	json_decref(json);
	return rc;
}

int store_load(const struct store *store, const char *container, const char *ifname,
	       bool *ret_found, struct attachment *ret_attachment, struct failure *failure)
{
	cleanup_fd int fd = -1;
	char name[NAME_BYTES];
	json_t *json;

	*ret_attachment = (struct attachment){.ns.fd = -1};
	*ret_found = false;
	name_file(name, container, ifname);
	if (store->dir < 0)
		return 0;
	fd = openat(store->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : complain(store, "read", name, failure);
	json = json_loadfd(fd, JSON_ALLOW_NUL, NULL);
	*ret_found = json && decode(json, ret_attachment);
	return 0;
}

int store_remove(const struct store *store, const char *container, const char *ifname,
		 struct failure *failure)
{
	char name[NAME_BYTES];

	name_file(name, container, ifname);
	if (store->dir >= 0 && unlinkat(store->dir, name, 0) < 0 && errno != ENOENT)
		return complain(store, "remove", name, failure);
	return 0;
}

int store_each(const struct store *store, store_fn *each, void *arg)
{
	cleanup_dir DIR *dir = NULL;
	struct dirent *entry;
	int fd, rc = 0;

	if (store->dir < 0)
		return 0;
	if ((fd = openat(store->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -1;
	if (!(dir = fdopendir(fd))) {
		close(fd);
		return -1;
	}
	while (rc == 0 && (entry = readdir(dir))) {
		char *colon = strchr(entry->d_name, ':');

		if (entry->d_name[0] == '.' || !colon)
			continue;
		*colon = '\0';
		rc = each(entry->d_name, colon + 1, arg);
	}
	return rc;
}

struct search {
	const char *container, *but_ifname;
};

static int is_sought(const char *container, const char *ifname, void *arg)
{
	const struct search *search = arg;

	return !strcmp(container, search->container) &&
	       (!search->but_ifname || strcmp(ifname, search->but_ifname) != 0);
}

bool store_knows(const struct store *store, const char *container, const char *but_ifname)
{
	struct search search = {container, but_ifname};

	return store_each(store, is_sought, &search) == 1;
}
