/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/kube_config.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "cni/base64.h"
#include "common/cleanup.h"
#include "common/file.h"

#define FILE_MAX ((size_t)1024 * 1024)

void kube_config_free(struct kube_config *config)
{
	struct kube_pem *pems[] = {&config->ca, &config->cert, &config->key};

	for (size_t i = 0; i < ARRAY_SIZE(pems); i++) {
		free(pems[i]->file);
		free(pems[i]->data);
	}
	free(config->server);
	free(config->server_name);
	free(config->token);
	free(config->token_file);
	*config = (struct kube_config){0};
}

/* --- YAML: never deeper than we ask, whatever aliases make of it --- */

static yaml_node_t *member(yaml_document_t *doc, const yaml_node_t *map, const char *key)
{
	if (!map || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *pair = map->data.mapping.pairs.start;
	     pair < map->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = yaml_document_get_node(doc, pair->key);

		if (name && name->type == YAML_SCALAR_NODE &&
		    !strcmp((const char *)name->data.scalar.value, key))
			return yaml_document_get_node(doc, pair->value);
	}
	return NULL;
}

/* NULL: it is not there, or empty, or no text. */
static const char *text_of(yaml_document_t *doc, const yaml_node_t *map, const char *key)
{
	const yaml_node_t *node = member(doc, map, key);
	const char *text;

	if (!node || node->type != YAML_SCALAR_NODE)
		return NULL;
	text = (const char *)node->data.scalar.value;
	return *text && strlen(text) == node->data.scalar.length ? text : NULL;
}

/* `list` holds {name: NAME, what: THIS} for each NAME. */
static yaml_node_t *find_named(yaml_document_t *doc, const char *list, const char *name,
			       const char *what)
{
	yaml_node_t *node = member(doc, yaml_document_get_root_node(doc), list);

	if (!name || !node || node->type != YAML_SEQUENCE_NODE)
		return NULL;
	for (yaml_node_item_t *item = node->data.sequence.items.start;
	     item < node->data.sequence.items.top; item++) {
		yaml_node_t *entry = yaml_document_get_node(doc, *item);
		const char *its_name = text_of(doc, entry, "name");

		if (its_name && !strcmp(its_name, name))
			return member(doc, entry, what);
	}
	return NULL;
}

/* --- what it says --- */

static int copy_text(const char *text, char **ret, struct err *err)
{
	if (text && !(*ret = strdup(text)))
		return err_set(err, ENOMEM, "out of memory");
	return 0;
}

/* KEY-data has more weight than KEY, as for kubectl. */
static int take_pem(yaml_document_t *doc, const yaml_node_t *map, const char *key,
		    struct kube_pem *pem, struct err *err)
{
	char data_key[64];
	const char *data;

	snprintf(data_key, sizeof(data_key), "%s-data", key);
	if (!(data = text_of(doc, map, data_key)))
		return copy_text(text_of(doc, map, key), &pem->file, err);
	if (!base64_decode(data, strlen(data), &pem->data, &pem->len))
		return err_set(err, EINVAL, "%s is no base64", data_key);
	return 0;
}

static int take_cluster(yaml_document_t *doc, const yaml_node_t *cluster,
			struct kube_config *config, struct err *err)
{
	const char *server = text_of(doc, cluster, "server");
	const char *insecure = text_of(doc, cluster, "insecure-skip-tls-verify");

	if (!server || strncmp(server, "https://", 8) != 0)
		return err_set(err, EINVAL, "the cluster's server must be https://…, and is %.100s",
			       server ? server : "not there");
	if (text_of(doc, cluster, "proxy-url"))
		return err_set(
			err, EOPNOTSUPP,
			"the cluster's proxy-url is not supported; give it a server that the "
			"node reaches without a proxy");
	config->insecure = insecure && !strcmp(insecure, "true");
	if (copy_text(server, &config->server, err) < 0 ||
	    copy_text(text_of(doc, cluster, "tls-server-name"), &config->server_name, err) < 0 ||
	    take_pem(doc, cluster, "certificate-authority", &config->ca, err) < 0)
		return err->code;
	if (!config->ca.file && !config->ca.data && !config->insecure)
		return err_set(err, EINVAL, "the cluster has no certificate-authority");
	return 0;
}

static int take_user(yaml_document_t *doc, const yaml_node_t *user, struct kube_config *config,
		     struct err *err)
{
	static const char *const refused[] = {"exec", "auth-provider", "username"};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		if (member(doc, user, refused[i]))
			return err_set(err, EOPNOTSUPP,
				       "the user's %s is not supported; give it a token, a "
				       "tokenFile or a client-certificate",
				       refused[i]);
	}
	if (take_pem(doc, user, "client-certificate", &config->cert, err) < 0 ||
	    take_pem(doc, user, "client-key", &config->key, err) < 0 ||
	    copy_text(text_of(doc, user, "token"), &config->token, err) < 0 ||
	    copy_text(text_of(doc, user, "tokenFile"), &config->token_file, err) < 0)
		return err->code;
	if ((config->cert.file || config->cert.data) != (config->key.file || config->key.data))
		return err_set(err, EINVAL,
			       "the user's client-certificate and client-key go together");
	return 0;
}

static int take_context(yaml_document_t *doc, struct kube_config *config, struct err *err)
{
	const char *name = text_of(doc, yaml_document_get_root_node(doc), "current-context");
	yaml_node_t *context = find_named(doc, "contexts", name, "context"), *cluster, *user;

	if (!context)
		return err_set(err, EINVAL, "there is no current-context, or no context \"%.100s\"",
			       name ? name : "");
	cluster = find_named(doc, "clusters", text_of(doc, context, "cluster"), "cluster");
	user = find_named(doc, "users", text_of(doc, context, "user"), "user");
	if (!cluster || !user)
		return err_set(err, EINVAL, "the context \"%.100s\" names no %s that is there",
			       name, cluster ? "user" : "cluster");
	if (take_cluster(doc, cluster, config, err) < 0)
		return err->code;
	return take_user(doc, user, config, err);
}

int kube_config_parse(const char *text, size_t len, struct kube_config *ret_config, struct err *err)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	int rc;

	*ret_config = (struct kube_config){0};
	if (!yaml_parser_initialize(&parser))
		return err_set(err, ENOMEM, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (yaml_parser_load(&parser, &doc)) {
		rc = take_context(&doc, ret_config, err);
		yaml_document_delete(&doc);
	} else {
		rc = err_set(err, EINVAL, "line %zu: no YAML: %s", parser.problem_mark.line + 1,
			     parser.problem ? parser.problem : "out of memory");
	}
	yaml_parser_delete(&parser);
	if (rc < 0)
		kube_config_free(ret_config);
	return rc;
}

/* --- files --- */

/* Files are named from the kubeconfig's folder, which is "" or ends in a slash. */
static int resolve(const char *folder, char **file, struct err *err)
{
	char *path;

	if (!*file || **file == '/')
		return 0;
	if (asprintf(&path, "%s%s", folder, *file) < 0)
		return err_set(err, ENOMEM, "out of memory");
	free(*file);
	*file = path;
	return 0;
}

static int read_pem(const char *folder, struct kube_pem *pem, struct err *err)
{
	if (pem->data || !pem->file)
		return 0;
	if (resolve(folder, &pem->file, err) < 0)
		return err->code;
	return file_read(pem->file, FILE_MAX, &pem->data, &pem->len, err);
}

int kube_config_read(const char *path, struct kube_config *ret_config, struct err *err)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *text = NULL;
	char folder[PATH_MAX];
	size_t len;
	int rc;

	*ret_config = (struct kube_config){0};
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash + 1 - path) : 0, path);
	if ((rc = file_read(path, FILE_MAX, &text, &len, err)) < 0)
		return rc;
	if (kube_config_parse(text, len, ret_config, err) < 0)
		return err_wrap(err, "%s", path);
	if (resolve(folder, &ret_config->token_file, err) < 0 ||
	    read_pem(folder, &ret_config->ca, err) < 0 ||
	    read_pem(folder, &ret_config->cert, err) < 0 ||
	    read_pem(folder, &ret_config->key, err) < 0)
		return err->code;
	return 0;
}

/* It becomes a line of a header. */
static bool is_token(const char *token)
{
	for (; *token; token++) {
		if (!isgraph((unsigned char)*token))
			return false;
	}
	return true;
}

char *kube_config_token(const struct kube_config *config, struct err *err)
{
	char *token = NULL;
	size_t len;
	int rc = 0;

	if (config->token_file)
		rc = file_read(config->token_file, FILE_MAX, &token, &len, err);
	else if (config->token)
		rc = copy_text(config->token, &token, err);
	if (rc < 0 || !token)
		return NULL;
	for (len = strlen(token); len && isspace((unsigned char)token[len - 1]); len--)
		token[len - 1] = '\0';
	if (*token && is_token(token))
		return token;
	err_set(err, EINVAL, "%s%s is no token", config->token_file ? "" : "the user's token",
		config->token_file ? config->token_file : "");
	free(token);
	return NULL;
}
