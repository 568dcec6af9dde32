/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plugin's entry in the network's configuration: CNI's own keys, the plugin's, which are these,
 * and the options of the rules, named as in the files of `meshdns-redirect --config`.
 */
#ifndef MESHDNS_CNI_CONF_H
#define MESHDNS_CNI_CONF_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/failure.h"
#include "common/log.h"
#include "common/options.h"
#include "redirector/settings.h"

#define CONF_LOG_FILE        "/var/log/meshdns-cni.log"
#define CONF_API_TIMEOUT     5 /* seconds */
#define CONF_API_TIMEOUT_MAX 60
#define CONF_API_RETRIES     3
#define CONF_API_RETRIES_MAX 30

enum conf_inject { CONF_INJECT_UNSAID, CONF_INJECT_ANNOTATED, CONF_INJECT_ALWAYS };

struct conf {
	enum conf_inject inject;       /* inject */
	json_t *exclude_namespaces[2]; /* here, and in "kubernetes" where Kuma has it */
	const char *state_dir;         /* NULL: STORE_DIR */
	const char *log_file;          /* "": none */
	enum log_level log_level;      /* of that file */
	const char *kubeconfig;        /* kubeconfig, here or in "kubernetes"; NULL: none */
	unsigned int api_timeout_s;    /* api_timeout: of one request */
	unsigned int api_retries;      /* api_retries */
	bool skip_on_api_failure;      /* on_api_failure */
};

/* Reads the plugin's own keys; the strings are borrowed. `json` may be NULL: all defaults. */
int conf_read(json_t *json, struct conf *ret_conf, struct failure *failure);

/* Pods of that Kubernetes namespace are left alone. */
bool conf_excludes(const struct conf *conf, const char *namespace, size_t len);

/* Sets the options of the rules. */
int conf_apply(json_t *json, const struct option_row *rows, struct settings *settings,
	       struct failure *failure);

/*
 * The rows of `meshdns-redirect install` that make sense here: for whoever administers the node,
 * or, fewer, for whoever writes a pod's annotations. The others' keys are taken and ignored, for
 * Kuma's files name them all.
 */
enum conf_author { CONF_OF_NODE, CONF_OF_POD };
void conf_rows(enum conf_author author, struct option_row ret_rows[OPTIONS_MAX]);

#endif
