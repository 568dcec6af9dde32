/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the runtime asks: a few environment variables, and one JSON object on standard input, which
 * is the plugin's entry in the network's configuration with the runtime's additions. Both are
 * taken as hostile.
 */
#ifndef MESHDNS_CNI_REQUEST_H
#define MESHDNS_CNI_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cni/failure.h"

#define REQUEST_BYTES_MAX       ((size_t)4 * 1024 * 1024) /* annotations alone can be 256 KiB */
#define REQUEST_ID_MAX          200                       /* bytes of a container's id */
#define REQUEST_ANNOTATIONS_KEY "io.kubernetes.cri.pod-annotations"

/* Keys of CNI_ARGS: a kubelet's runtime gives the first three, podman the second, and ours is last.
 */
#define REQUEST_POD_NAMESPACE "K8S_POD_NAMESPACE"
#define REQUEST_POD_NAME      "K8S_POD_NAME"
#define REQUEST_POD_UID       "K8S_POD_UID"
#define REQUEST_CONFIG        "MESHDNS_CONFIG"

/* Variables that a verb cannot do without. */
enum request_need {
	REQUEST_CONTAINER = 1 << 0, /* CNI_CONTAINERID */
	REQUEST_NETNS = 1 << 1,     /* CNI_NETNS */
	REQUEST_IFNAME = 1 << 2,    /* CNI_IFNAME */
};

/* All zero is an empty one; request_free() releases what it holds. */
struct request {
	/* CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_ARGS; borrowed, "" where not given. */
	const char *container, *netns, *ifname, *args;

	char *text; /* standard input */
	size_t text_len;
	json_t *conf;        /* it, an object; NULL before it is read, or where DEL went without */
	const char *version; /* cniVersion; never NULL */
	const char *network; /* name; never NULL */
};

void request_free(struct request *request);

#define cleanup_request __attribute__((cleanup(request_free)))

/* Takes the variables from the environment; what they hold must outlive the request. */
void request_read_environment(struct request *request);

/* Refuses variables that are missing, naming all that are, or that make no sense. */
int request_check_environment(const struct request *request, unsigned int needs,
			      struct failure *failure);

/* Reads `fd` to its end. */
int request_read_input(struct request *request, int fd, struct failure *failure);

/* Makes request->conf of request->text, and checks cniVersion and name. */
int request_parse(struct request *request, struct failure *failure);

/* The value of a key in CNI_ARGS ("K=V;K=V"), which ends before ';' or NUL; NULL: it has none. */
const char *request_arg(const struct request *request, const char *key, size_t *ret_len);

/* The value of a key of runtimeConfig, whatever its case; NULL: there is none, which is no null. */
json_t *request_capability(const struct request *request, const char *key);

/* A member whatever the case of its name, for runtimes spell them differently; NULL: none. */
json_t *request_member(json_t *object, const char *key);

#endif
