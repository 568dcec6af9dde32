/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kubeconfig for the plugin, of the service account that Kubernetes gives to our container: the
 * plugin runs on the node, where there is none. The account's token is replaced before it expires,
 * and then so is the kubeconfig.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cni/base64.h"
#include "cni/install.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

#define FILE_MAX ((size_t)1024 * 1024)
#define MODE     0600 /* there is a token in it */

static int read_account(const struct install_settings *settings, const char *name, char **ret_text,
			size_t *ret_len, struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", settings->service_account, name);
	return file_read(path, FILE_MAX, ret_text, ret_len, err);
}

/* JSON is YAML. */
static char *compose(const char *server, const char *ca, const char *token)
{
	json_t *json = json_pack("{s:s, s:s, s:[{s:s, s:{s:s, s:s}}], s:[{s:s, s:{s:s}}], "
				 "s:[{s:s, s:{s:s, s:s}}], s:s}",
				 "apiVersion", "v1", "kind", "Config", "clusters", "name", "local",
				 "cluster", "server", server, "certificate-authority-data", ca,
				 "users", "name", "meshdns-cni", "user", "token", token, "contexts",
				 "name", "local", "context", "cluster", "local", "user",
				 "meshdns-cni", "current-context", "local");
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;

	json_decref(json);
	return text;
}

/* The kubeconfig's text, the caller's; NULL: `err` says why. */
static char *make_text(const struct install_settings *settings, struct err *err)
{
	cleanup_free char *ca = NULL, *token = NULL, *encoded = NULL;
	const char *host = getenv("KUBERNETES_SERVICE_HOST"),
		   *port = getenv("KUBERNETES_SERVICE_PORT");
	size_t ca_len, token_len;
	char server[512], *text;

	if (!host || !port) {
		err_set(err, EINVAL,
			"--kubeconfig needs KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, "
			"which Kubernetes gives to its containers");
		return NULL;
	}
	if (read_account(settings, "ca.crt", &ca, &ca_len, err) < 0 ||
	    read_account(settings, "token", &token, &token_len, err) < 0)
		return NULL;
	token[strcspn(token, "\n")] = '\0';
	snprintf(server, sizeof(server), strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s",
		 host, port);
	encoded = base64_encode(ca, ca_len);
	if (!encoded || !(text = compose(server, encoded, token))) {
		err_set(err, ENOMEM, "out of memory for the kubeconfig");
		return NULL;
	}
	return text;
}

static bool is_there(const char *path, const char *text)
{
	cleanup_free char *found = NULL;
	struct stat st;
	size_t len;

	return stat(path, &st) == 0 && (st.st_mode & 0777) == MODE &&
	       file_read(path, FILE_MAX, &found, &len, NULL) == 0 && !strcmp(found, text);
}

int install_kubeconfig(const struct install_settings *settings, bool change, bool *ret_there,
		       struct err *err)
{
	cleanup_free char *text = NULL;
	int rc = 0;

	*ret_there = !settings->kubeconfig;
	if (!settings->kubeconfig)
		return 0;
	if (!(text = make_text(settings, err)))
		return err->code;
	*ret_there = is_there(settings->kubeconfig, text);
	if (*ret_there || !change)
		return 0;
	log_info(settings->dry_run ? "would write" : "writing", "file=%s", settings->kubeconfig);
	if (settings->dry_run)
		return 0;
	rc = file_replace(settings->kubeconfig, text, strlen(text), MODE, err);
	*ret_there = rc == 0;
	return rc;
}
