/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "redirector/settings_parse.h"

/* Keys of a network's configuration that are not options of the rules: CNI's and the plugin's. */
static const char *const other_keys[] = {
	"args",       "capabilities",   "cniVersion", "dns",           "ipMasq",
	"ipam",       "name",           "prevResult", "runtimeConfig", "type",
	"inject",     "state_dir",      "log_file",   "log_level",     "exclude_namespaces",
	"kubernetes", "on_api_failure", "kubeconfig", "api_timeout",   "api_retries",
};

/* What a namespace that is not the node's own has no use for. */
static const char *const never[] = {"netns", "resolv-conf", "config",         "rollback-after",
				    "as",    "dry-run",     "json",           "verbose",
				    "help",  "version",     "store-firewalld"};

/* What would have the node look at files or run programs of the pod's choice, or wait for it. */
static const char *const not_from_pods[] = {"backend",
					    "proxy-cgroup",
					    "wait",
					    "wait-interval",
					    "max-retries",
					    "sleep-between-retries",
					    "iptables-executables"};

static bool is_one_of(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(word, list[i]))
			return true;
	}
	return false;
}

static bool begins(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool is_for(const struct option_row *row, enum conf_author author)
{
	if (is_one_of(row->name, never, ARRAY_SIZE(never)))
		return false;
	return author == CONF_OF_NODE ||
	       (!is_one_of(row->name, not_from_pods, ARRAY_SIZE(not_from_pods)) &&
		(!row->key || !begins(row->key, "iptablesExecutables.")));
}

void conf_rows(enum conf_author author, struct option_row ret_rows[OPTIONS_MAX])
{
	const struct option_row *row = settings_install_rows;

	for (; row->name; row++)
		*ret_rows++ = is_for(row, author) ? *row
						  : (struct option_row){.name = "",
									.kind = OPTION_UNUSED,
									.key = row->key};
	*ret_rows = (struct option_row){0};
}

/* --- the plugin's own keys --- */

/* Fails when there is something else than text. */
static int read_text(json_t *json, const char *key, const char **ret, struct failure *failure)
{
	json_t *value = json_object_get(json, key);

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return failure_set(failure, FAILURE_CONFIGURATION, "\"%s\" must be text", key);
	*ret = json_string_value(value);
	return 0;
}

/* The runtime may run us anywhere. */
static int read_path(json_t *json, const char *key, const char **ret, struct failure *failure)
{
	if (read_text(json, key, ret, failure) < 0)
		return -1;
	if (*ret && **ret != '/')
		return failure_set(failure, FAILURE_CONFIGURATION,
				   "\"%s\" is \"%.100s\", and must be a path from the root", key,
				   *ret);
	return 0;
}

static int read_inject(json_t *json, enum conf_inject *ret, struct failure *failure)
{
	const char *text = NULL;

	if (read_text(json, "inject", &text, failure) < 0)
		return -1;
	if (text && !strcmp(text, "annotated"))
		*ret = CONF_INJECT_ANNOTATED;
	else if (text && !strcmp(text, "always"))
		*ret = CONF_INJECT_ALWAYS;
	else if (text)
		return failure_set(failure, FAILURE_CONFIGURATION,
				   "\"inject\" is \"%.50s\", and must be annotated or always",
				   text);
	return 0;
}

static int read_namespaces(json_t *json, json_t **ret, struct failure *failure)
{
	json_t *list = json_object_get(json, "exclude_namespaces"), *item;
	size_t i;

	if (list && !json_is_null(list) && !json_is_array(list))
		return failure_set(failure, FAILURE_CONFIGURATION,
				   "\"exclude_namespaces\" must be a list of names");
	json_array_foreach(list, i, item)
	{
		if (!json_is_string(item))
			return failure_set(failure, FAILURE_CONFIGURATION,
					   "\"exclude_namespaces\" must be a list of names");
	}
	*ret = list;
	return 0;
}

static int read_number(json_t *json, const char *key, unsigned int min, unsigned int max,
		       unsigned int *ret, struct failure *failure)
{
	json_t *value = json_object_get(json, key);

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < min ||
	    json_integer_value(value) > max)
		return failure_set(failure, FAILURE_CONFIGURATION,
				   "\"%s\" must be a number from %u to %u", key, min, max);
	*ret = (unsigned int)json_integer_value(value);
	return 0;
}

static int read_api(json_t *json, struct conf *conf, struct failure *failure)
{
	json_t *kubernetes = json_object_get(json, "kubernetes");
	const char *action = "fail";

	if (read_path(kubernetes, "kubeconfig", &conf->kubeconfig, failure) < 0 ||
	    read_path(json, "kubeconfig", &conf->kubeconfig, failure) < 0 ||
	    read_number(json, "api_timeout", 1, CONF_API_TIMEOUT_MAX, &conf->api_timeout_s,
			failure) < 0 ||
	    read_number(json, "api_retries", 0, CONF_API_RETRIES_MAX, &conf->api_retries, failure) <
		    0 ||
	    read_text(json, "on_api_failure", &action, failure) < 0)
		return -1;
	conf->skip_on_api_failure = !strcmp(action, "skip");
	if (strcmp(action, "skip") != 0 && strcmp(action, "fail") != 0)
		return failure_set(failure, FAILURE_CONFIGURATION,
				   "\"on_api_failure\" is \"%.50s\", and must be fail or skip",
				   action);
	return 0;
}

int conf_read(json_t *json, struct conf *ret_conf, struct failure *failure)
{
	json_t *kubernetes = json_object_get(json, "kubernetes");
	const char *level = "info";

	*ret_conf = (struct conf){.log_file = CONF_LOG_FILE,
				  .log_level = LOG_LEVEL_INFO,
				  .api_timeout_s = CONF_API_TIMEOUT,
				  .api_retries = CONF_API_RETRIES};
	if (read_inject(json, &ret_conf->inject, failure) < 0 ||
	    read_api(json, ret_conf, failure) < 0 ||
	    read_path(json, "state_dir", &ret_conf->state_dir, failure) < 0 ||
	    read_text(json, "log_file", &ret_conf->log_file, failure) < 0 ||
	    (*ret_conf->log_file &&
	     read_path(json, "log_file", &ret_conf->log_file, failure) < 0) ||
	    read_text(json, "log_level", &level, failure) < 0 ||
	    read_namespaces(json, &ret_conf->exclude_namespaces[0], failure) < 0 ||
	    read_namespaces(kubernetes, &ret_conf->exclude_namespaces[1], failure) < 0)
		return -1;
	if (!log_level_parse(level, &ret_conf->log_level))
		return failure_set(failure, FAILURE_CONFIGURATION,
				   "\"log_level\" is \"%.50s\", and must be error, warning, info "
				   "or debug",
				   level);
	return 0;
}

bool conf_excludes(const struct conf *conf, const char *namespace, size_t len)
{
	for (size_t list = 0; list < ARRAY_SIZE(conf->exclude_namespaces); list++) {
		json_t *item;
		size_t i;

		json_array_foreach(conf->exclude_namespaces[list], i, item)
		{
			if (json_string_length(item) == len &&
			    !memcmp(json_string_value(item), namespace, len))
				return true;
		}
	}
	return false;
}

/* --- the options of the rules --- */

/* Some row's key is this, or lies under it. */
static bool is_option(const struct option_row *rows, const char *key)
{
	size_t len = strlen(key);

	for (; rows->name; rows++) {
		if (rows->key && begins(rows->key, key) &&
		    (!rows->key[len] || rows->key[len] == '.'))
			return true;
	}
	return false;
}

static int refuse_key(const char *key, json_t *value, struct failure *failure)
{
	cleanup_free char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	return failure_set(failure, FAILURE_FIELD,
			   "unsupported field \"%.64s\" with value %.200s in the network's "
			   "configuration; meshdns-cni(8) lists what there is",
			   key, text ? text : "?");
}

/* JSON is YAML: what is left of the configuration is such a file. */
int conf_apply(json_t *json, const struct option_row *rows, struct settings *settings,
	       struct failure *failure)
{
	json_t *options = json_object(), *value;
	cleanup_free char *text = NULL;
	const char *key;
	int rc = 0;

	json_object_foreach(json, key, value)
	{
		if (is_one_of(key, other_keys, ARRAY_SIZE(other_keys)) || begins(key, "cni.dev/"))
			continue;
		if (rc == 0 && !is_option(rows, key))
			rc = refuse_key(key, value, failure);
		json_object_set(options, key, value);
	}
	if (rc == 0 && json_object_size(options)) {
		text = json_dumps(options, JSON_COMPACT);
		rc = text ? settings_parse_text(rows, settings, "the network's configuration", text,
						strlen(text), &failure->err)
			  : err_set(&failure->err, ENOMEM, "out of memory");
		if (rc < 0)
			rc = failure_is(failure, FAILURE_CONFIGURATION);
	}
	json_decref(options);
	return rc;
}
