/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/kube_get.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "version.h"

#define ANSWER_MAX ((size_t)4 * 1024 * 1024)
#define PAUSE_MIN  200  /* ms */
#define PAUSE_MAX  2000 /* ms */

/* Metadata is all we want; servers that cannot give it alone give the pod. */
#define ACCEPT                                                                   \
	"Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, " \
	"application/json"

struct getter {
	const struct kube_config *config;
	const struct kube_pod *pod;
	CURL *curl;
	struct curl_slist *headers, *place; /* place: where to connect to, NULL: the server */
	char words[CURL_ERROR_SIZE];        /* why it failed */
	char *text;                         /* the answer */
	size_t len;
};

static size_t take(char *data, size_t one, size_t len, void *arg)
{
	struct getter *get = arg;
	char *grown;

	(void)one; /* is 1 */
	if (get->len + len > ANSWER_MAX || !(grown = realloc(get->text, get->len + len + 1)))
		return CURL_WRITEFUNC_ERROR;
	memcpy(grown + get->len, data, len);
	get->text = grown;
	get->len += len;
	return len;
}

static int out_of_memory(struct err *err)
{
	return err_set(err, ENOMEM, "out of memory");
}

static void set_pem(CURL *curl, CURLoption option, const struct kube_pem *pem)
{
	struct curl_blob blob = {pem->data, pem->len, CURL_BLOB_NOCOPY};

	if (pem->data)
		curl_easy_setopt(curl, option, &blob);
}

/*
 * libcurl asks a certificate for the URL's host. So that is what it must be for, and where to
 * connect to and whom to ask stay the server.
 */
static int set_server_name(struct getter *get, const char *url, struct err *err)
{
	char *host = NULL, *port = NULL, *renamed = NULL, place[512];
	CURLU *parts = curl_url();
	int rc = err_set(err, EINVAL, "no URL with the tls-server-name %.200s",
			 get->config->server_name);

	if (curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	    curl_url_set(parts, CURLUPART_HOST, get->config->server_name, 0) == CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_URL, &renamed, 0) == CURLUE_OK) {
		snprintf(place, sizeof(place), "::%s:%s", host, port); /* from anywhere */
		get->place = curl_slist_append(NULL, place);
		curl_easy_setopt(get->curl, CURLOPT_CONNECT_TO, get->place);
		curl_easy_setopt(get->curl, CURLOPT_URL, renamed);
		rc = get->place ? 0 : out_of_memory(err);
	}
	curl_free(renamed);
	curl_free(port);
	curl_free(host);
	curl_url_cleanup(parts);
	return rc;
}

static int prepare(struct getter *get, const struct kube_limits *limits, struct err *err)
{
	const struct kube_config *config = get->config;
	size_t len = strlen(config->server);
	char url[2048];

	if (!(get->curl = curl_easy_init()))
		return out_of_memory(err);
	while (len && config->server[len - 1] == '/')
		len--;
	if (snprintf(url, sizeof(url), "%.*s/api/v1/namespaces/%s/pods/%s", (int)len,
		     config->server, get->pod->namespace, get->pod->name) >= (int)sizeof(url))
		return err_set(err, ENAMETOOLONG, "the server's URL is too long");
	curl_easy_setopt(get->curl, CURLOPT_URL, url);
	curl_easy_setopt(get->curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(get->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(get->curl, CURLOPT_TIMEOUT, (long)limits->timeout_s);
	curl_easy_setopt(get->curl, CURLOPT_USERAGENT, "meshdns-cni/" MESHDNS_VERSION);
	curl_easy_setopt(get->curl, CURLOPT_ERRORBUFFER, get->words);
	curl_easy_setopt(get->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(get->curl, CURLOPT_WRITEDATA, get);
	curl_easy_setopt(get->curl, CURLOPT_SSL_VERIFYPEER, config->insecure ? 0L : 1L);
	curl_easy_setopt(get->curl, CURLOPT_SSL_VERIFYHOST, config->insecure ? 0L : 2L);
	set_pem(get->curl, CURLOPT_CAINFO_BLOB, &config->ca);
	set_pem(get->curl, CURLOPT_SSLCERT_BLOB, &config->cert);
	set_pem(get->curl, CURLOPT_SSLKEY_BLOB, &config->key);
	return config->server_name ? set_server_name(get, url, err) : 0;
}

/* Anew each time, for the token in a file is replaced before it expires. */
static int set_headers(struct getter *get, struct err *err)
{
	cleanup_free char *token = NULL, *line = NULL, *host = NULL;
	const char *authority = get->config->server + strlen("https://");
	struct curl_slist *headers;

	err->code = 0;
	token = kube_config_token(get->config, err);
	if (!token && err->code)
		return err->code;
	if (token && asprintf(&line, "Authorization: Bearer %s", token) < 0)
		return out_of_memory(err);
	if (asprintf(&host, "Host: %.*s", (int)strcspn(authority, "/"), authority) < 0)
		return out_of_memory(err);
	curl_slist_free_all(get->headers);
	get->headers = headers = curl_slist_append(NULL, ACCEPT);
	if (!headers || !curl_slist_append(headers, host) ||
	    (line && !curl_slist_append(headers, line)))
		return out_of_memory(err);
	curl_easy_setopt(get->curl, CURLOPT_HTTPHEADER, headers);
	return 0;
}

/* What will not pass by itself. */
static bool is_lasting(CURLcode code)
{
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WRITE_ERROR: return true;
	default: return false;
	}
}

static int complain_of_status(const struct getter *get, long status, struct err *err)
{
	bool may_pass = status == 404 || status == 408 || status == 425 || status == 429 ||
			status >= 500 || (status == 401 && get->config->token_file);
	char reason[256];

	kube_answer_reason(get->text, get->len, reason);
	return err_set(
		err, may_pass ? EAGAIN : EACCES, "the Kubernetes API at %.100s says %ld%s%s%s",
		get->config->server, status, *reason ? ": " : "", reason,
		status == 403 ? "; the user of the kubeconfig needs the right to get pods" : "");
}

static int try_once(struct getter *get, json_t **ret_annotations, struct err *err)
{
	long status = 0;
	CURLcode code;
	int rc;

	if ((rc = set_headers(get, err)) < 0)
		return rc;
	get->len = 0;
	get->words[0] = '\0';
	code = curl_easy_perform(get->curl);
	if (code != CURLE_OK)
		return err_set(err, is_lasting(code) ? EPROTO : EAGAIN,
			       "cannot ask the Kubernetes API at %.100s: %.200s",
			       get->config->server,
			       code == CURLE_WRITE_ERROR ? "its answer is too long"
			       : get->words[0]           ? get->words
							 : curl_easy_strerror(code));
	curl_easy_getinfo(get->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return complain_of_status(get, status, err);
	rc = kube_answer_read(get->text, get->len, get->pod, ret_annotations, err);
	if (rc == -ESTALE) /* what the server has cached is not the newest, perhaps */
		rc = err->code = -EAGAIN;
	return rc;
}

static void pause_ms(unsigned int ms)
{
	nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000}, NULL);
}

int kube_get(const struct kube_config *config, const struct kube_pod *pod,
	     const struct kube_limits *limits, json_t **ret_annotations, struct err *err)
{
	struct getter get = {.config = config, .pod = pod};
	unsigned int pause = PAUSE_MIN;
	int rc;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	rc = prepare(&get, limits, err);
	for (unsigned int i = 0; rc == 0; i++) {
		rc = try_once(&get, ret_annotations, err);
		if (rc != -EAGAIN || i == limits->retries)
			break;
		pause_ms(pause);
		pause = 2 * pause < PAUSE_MAX ? 2 * pause : PAUSE_MAX;
		rc = 0;
	}
	curl_easy_cleanup(get.curl);
	curl_slist_free_all(get.headers);
	curl_slist_free_all(get.place);
	curl_global_cleanup();
	free(get.text);
	return rc;
}
