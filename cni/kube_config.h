/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kubeconfig, as kubectl reads it: which server, whom to trust, and who we are. Refused by name
 * are proxies and, of its ways to say who, those that run a program (exec, auth-provider) and
 * passwords.
 */
#ifndef MESHDNS_CNI_KUBE_CONFIG_H
#define MESHDNS_CNI_KUBE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* PEM, written out or in a file. */
struct kube_pem {
	char *file; /* NULL: none; relative to the kubeconfig's folder */
	char *data; /* NULL: not read yet, or none */
	size_t len;
};

/* All zero is an empty one; kube_config_free() releases what it holds. */
struct kube_config {
	char *server;       /* https://HOST[:PORT][/PATH] */
	char *server_name;  /* whom its certificate must be for; NULL: the server's HOST */
	bool insecure;      /* do not look at the server's certificate */
	struct kube_pem ca; /* there unless `insecure` */
	struct kube_pem cert, key;
	char *token, *token_file; /* the latter, where there is one, counts */
};

void kube_config_free(struct kube_config *config);

#define cleanup_kube_config __attribute__((cleanup(kube_config_free)))

/* Takes the current context of the YAML; reads no other file. Errors do not name it. */
int kube_config_parse(const char *text, size_t len, struct kube_config *ret_config,
		      struct err *err);

/* Reads the file `path`, and those that it names, but for the token's. */
int kube_config_read(const char *path, struct kube_config *ret_config, struct err *err);

/* The token as it is now, the caller's; NULL: there is none, or `err` has a message. */
char *kube_config_token(const struct kube_config *config, struct err *err);

#endif
