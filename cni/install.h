/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meshdns-cni-install: brings the plugin to a node, keeps it there, and takes it away again.
 *
 * Everything is one function, install_reconcile(): it looks at what is there, and changes what
 * differs from what should be. Watching is calling it when something has changed.
 */
#ifndef MESHDNS_CNI_INSTALL_H
#define MESHDNS_CNI_INSTALL_H

#include <limits.h>
#include <stdbool.h>

#include "cni/netd.h"
#include "common/err.h"

#define INSTALL_BIN_DIR "/opt/cni/bin"
#define INSTALL_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

enum install_mode { INSTALL_AUTO, INSTALL_DROP_IN, INSTALL_INSERT };

struct install_settings {
	const char *bin_dir, *net_dir, *cache_dir, *state_dir;
	const char *plugin;     /* the file to install; NULL: meshdns-cni beside this program */
	const char *conf_name;  /* the file to use; NULL: the one that the runtime uses */
	const char *entry;      /* a JSON file with the plugin's configuration; NULL: the default */
	const char *kubeconfig; /* the file to make; NULL: none */
	const char *service_account; /* the folder to make it of */
	enum install_mode mode;
	bool remove_on_exit;
	const char *ready_file, *metrics_file; /* NULL: none */
	bool dry_run, json, help, version;
};

/* What is there; all of it strings and flags, for status and metrics. */
struct install_state {
	bool binary_there;          /* as it should be, and so is what the plugin starts */
	bool kubeconfig_there;      /* likewise, or none is wanted */
	bool drop_ins;              /* the mode that was decided on */
	const char *why_mode;       /* why that one */
	char file[NAME_MAX + 1];    /* the configuration that counts, "" when there is none */
	char network[NAME_MAX + 1]; /* its name */
	bool configured;            /* the plugin is in it as it should be */
	unsigned int binary_changes, conf_changes; /* by this call */
};

/* Makes it so; with dry_run only says what it would do. *ret_state is filled in any case. */
int install_reconcile(const struct install_settings *settings, struct install_state *ret_state,
		      struct err *err);

/* Looks, changes nothing. */
int install_look(const struct install_settings *settings, struct install_state *ret_state,
		 struct err *err);

/*
 * Takes the plugin out of every configuration, and then the binary away, unless some pod is left
 * whose deletion will call it: *ret_kept_for is the number of those.
 */
int install_remove(const struct install_settings *settings, unsigned int *ret_kept_for,
		   struct err *err);

/* Brings the plugin's programs to the node; of *state, what is said of them. */
int install_programs(const struct install_settings *settings, bool change,
		     struct install_state *state, struct err *err);

/* Makes the kubeconfig, where one is wanted, of the service account. */
int install_kubeconfig(const struct install_settings *settings, bool change, bool *ret_there,
		       struct err *err);

/* Pods whose deletion will call the plugin, as it or the runtime remembers them. */
unsigned int install_pods_left(const struct install_settings *settings);

/* Which file to install, of the plugin or of the program that it may start, and where. */
void install_source(const struct install_settings *settings, const char *program,
		    char ret_path[PATH_MAX]);
void install_target(const struct install_settings *settings, const char *program,
		    char ret_path[PATH_MAX]);

/*
 * Whether the container runtimes that run on this machine have a libcni that takes what is dropped
 * in, as their programs say that they were built with; false when there is none, or one that does
 * not say. *ret_why says why.
 */
bool install_runtimes_take_drop_ins(const char **ret_why);

/* Stays, until it is told to end, and puts back what others change. */
int install_watch(const struct install_settings *settings, struct err *err);

#endif
