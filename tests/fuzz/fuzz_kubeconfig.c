/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kubeconfig: what is taken of it is enough to ask, and fits into a header. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cni/kube_config.h"
#include "common/cleanup.h"
#include "tests/fuzz/fuzz.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_token(struct kube_config *config)
{
	cleanup_free char *token = NULL;
	struct err err = {0};

	free(config->token_file); /* no file is read here */
	config->token_file = NULL;
	token = kube_config_token(config, &err);
	must(token || !config->token || *err.msg);
	for (const char *c = token; c && *c; c++)
		must(isgraph((unsigned char)*c));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_kube_config struct kube_config config = {0};
	struct err err = {0};

	if (kube_config_parse((const char *)data, size, &config, &err) < 0) {
		must(*err.msg && !config.server);
		return 0;
	}
	must(config.server && !strncmp(config.server, "https://", 8));
	must(config.insecure || config.ca.file || config.ca.data);
	must((config.cert.file || config.cert.data) == (config.key.file || config.key.data));
	check_token(&config);
	return 0;
}
