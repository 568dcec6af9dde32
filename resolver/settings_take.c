/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/settings_take.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/options.h"
#include "resolver/cache.h"
#include "resolver/corefile/directives.h"
#include "resolver/dnstap.h"
#include "resolver/kuma.h"
#include "resolver/settings.h"

static int parse_endpoint(const char *value, uint16_t port, struct endpoint *list, size_t *n,
			  size_t max, struct err *err)
{
	if (*n == max)
		return err_set(err, E2BIG, "given more than %zu times", max);
	if (!endpoint_parse(value, port, &list[*n]))
		return err_set(err, EINVAL,
			       "\"%s\" is not an address with an optional port, like 10.0.0.1:%u "
			       "or [fd00::1]:%u",
			       value, port, port);
	(*n)++;
	return 0;
}

int settings_take_listen(void *settings, const char *value, struct err *err)
{
	struct settings *s = settings;

	return parse_endpoint(value, SETTINGS_PORT, s->listen, &s->n_listen, SETTINGS_LISTEN_MAX,
			      err);
}

/* "tls://ADDR[:PORT][#NAME]": the address is copied, the name is borrowed. False: it is not TLS. */
static bool split_tls(const char *server, size_t len, struct settings_forward *forward,
		      char ret_address[ENDPOINT_TEXT_MAX + 1])
{
	const char *hash = memchr(server, '#', len);

	if (len < 6 || strncmp(server, "tls://", 6) != 0)
		return false;
	forward->is_tls = true;
	if (hash && server + len > hash + 1) {
		forward->tls_name = hash + 1;
		forward->tls_name_len = (size_t)(server + len - hash) - 1;
	}
	len = (hash ? (size_t)(hash - server) : len) - 6;
	snprintf(ret_address, ENDPOINT_TEXT_MAX + 1, "%.*s", (int)len, server + 6);
	return true;
}

static int add_forward(struct settings *s, const uint8_t *suffix, size_t suffix_len,
		       const char *server, size_t len, struct err *err)
{
	struct settings_forward *forward = &s->forwards[s->n_forwards];
	char address[ENDPOINT_TEXT_MAX + 1];

	if (s->n_forwards == SETTINGS_FORWARDS_MAX)
		return err_set(err, E2BIG, "more than %d servers", SETTINGS_FORWARDS_MAX);
	if (!split_tls(server, len, forward, address))
		snprintf(address, sizeof(address), "%.*s", (int)len, server);
	if (!endpoint_parse(address, forward->is_tls ? 853 : 53, &forward->ep))
		return err_set(err, EINVAL,
			       "\"%.*s\" is not an address with an optional port, like "
			       "10.0.0.1:53, [fd00::1]:53 or tls://10.0.0.1#dns.example",
			       (int)len, server);
	forward->suffix_len = (uint8_t)suffix_len;
	memcpy(forward->suffix, suffix, suffix_len);
	s->n_forwards++;
	return 0;
}

int settings_take_upstream(void *settings, const char *value, struct err *err)
{
	return add_forward(settings, (const uint8_t *)"", 1, value, strlen(value), err);
}

/* SUFFIX=ADDR[:PORT][,ADDR...] */
int settings_take_forward(void *settings, const char *value, struct err *err)
{
	const char *equals = strchr(value, '='), *at;
	uint8_t suffix[DNS_NAME_MAX] = {0};
	size_t len = equals ? (size_t)(equals - value) : 0, suffix_len = 1;
	int rc = 0;

	if (len == 0 || !equals[1])
		return err_set(err, EINVAL, "\"%s\" is not SUFFIX=ADDR[:PORT],...", value);
	if (strncmp(value, ".", len) != 0 &&
	    !(suffix_len = wire_name_from_text(value, len, suffix)))
		return err_set(err, EINVAL, "\"%.*s\" is not a domain", (int)len, value);
	for (at = equals + 1; *at && rc == 0; at += len + (at[len] == ',')) {
		len = strcspn(at, ",");
		if (len)
			rc = add_forward(settings, suffix, suffix_len, at, len, err);
	}
	return rc;
}

int settings_take_policy(void *settings, const char *value, struct err *err)
{
	static const char *const names[] = {"sequential", "random", "round-robin"};
	struct settings *s = settings;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(value, names[i])) {
			s->policy = (enum upstream_policy)i;
			s->has_policy = true;
			return 0;
		}
	}
	return err_set(err, EINVAL, "\"%s\" is none of sequential, random, round-robin", value);
}

int settings_take_names(void *settings, const char *value, struct err *err)
{
	struct settings *s = settings;

	if (s->n_names == SETTINGS_NAMES_MAX)
		return err_set(err, E2BIG, "given more than %d times; name a folder instead",
			       SETTINGS_NAMES_MAX);
	if (!*value)
		return err_set(err, EINVAL, "wants a file or a folder");
	s->names[s->n_names++] = value;
	return 0;
}

int settings_take_kuma_socket(void *settings, const char *value, struct err *err)
{
	if (!*value || strlen(value) > KUMA_PATH_MAX)
		return err_set(err, EINVAL, "wants a socket's path of at most %d octets",
			       KUMA_PATH_MAX);
	((struct settings *)settings)->kuma_socket = value;
	return 0;
}

int settings_take_domain(void *settings, const char *value, struct err *err)
{
	struct load_settings *load = &((struct settings *)settings)->load;

	load->domain_len = wire_name_from_text(value, strlen(value), load->domain);
	return load->domain_len ? 0 : err_set(err, EINVAL, "\"%s\" is not a domain", value);
}

int settings_take_authoritative(void *settings, const char *value, struct err *err)
{
	if (resolve_domains_add(&((struct settings *)settings)->authoritative, value,
				strlen(value)))
		return 0;
	return err_set(err, EINVAL, "\"%s\" is not a domain, or given more than %d times", value,
		       RESOLVE_DOMAINS_MAX);
}

int settings_take_search(void *settings, const char *value, struct err *err)
{
	struct settings *s = settings;

	if (!strcmp(value, "resolv.conf")) {
		s->search_resolv_conf = true;
		return 0;
	}
	for (size_t len; *value; value += len + (value[len] == ',')) {
		len = strcspn(value, ",");
		if (!resolve_domains_add(&s->search, value, len))
			return err_set(err, EINVAL, "\"%.*s\" is not a domain, or the %dth",
				       (int)len, value, RESOLVE_DOMAINS_MAX + 1);
	}
	return 0;
}

static int parse_uint(const char *value, uint64_t min, uint64_t max, uint32_t *ret, struct err *err)
{
	uint64_t number;

	if (!options_parse_number(value, min, max, &number))
		return err_set(err, EINVAL, "\"%s\" is not a number from %llu to %llu", value,
			       (unsigned long long)min, (unsigned long long)max);
	*ret = (uint32_t)number;
	return 0;
}

struct unit {
	const char *name;
	uint64_t size;
};

/* A number and the name of what it counts, one of `units`, whose list ends without a name. */
static bool parse_unit(const char *value, const struct unit *units, uint64_t max,
		       uint64_t *ret_number)
{
	size_t digits = strspn(value, "0123456789");
	char text[24] = "";

	if (digits >= sizeof(text))
		return false;
	memcpy(text, value, digits);
	while (units->name && strcmp(units->name, value + digits) != 0)
		units++;
	if (!units->name || !options_parse_number(text, 0, max / units->size, ret_number))
		return false;
	*ret_number *= units->size;
	return true;
}

int settings_take_cache(void *settings, const char *value, struct err *err)
{
	static const struct unit units[] = {
		{"", 1}, {"K", 1u << 10}, {"M", 1u << 20}, {"G", 1u << 30}, {0}};

	if (parse_unit(value, units, CACHE_MAX, &((struct settings *)settings)->cache))
		return 0;
	return err_set(err, EINVAL, "\"%s\" is not a size up to 16G, like 4M or 512K", value);
}

int settings_take_stale(void *settings, const char *value, struct err *err)
{
	static const struct unit units[] = {{"", 1},     {"s", 1},     {"m", 60},
					    {"h", 3600}, {"d", 86400}, {0}};
	uint64_t seconds;

	if (!parse_unit(value, units, 259200, &seconds))
		return err_set(err, EINVAL, "\"%s\" is not a time up to 3d, like 1h or 1d", value);
	((struct settings *)settings)->serve_stale_s = (uint32_t)seconds;
	return 0;
}

int settings_take_kuma_poll(void *settings, const char *value, struct err *err)
{
	uint32_t *poll_ms = &((struct settings *)settings)->kuma_poll_ms;

	if (!duration_parse(value, poll_ms) || *poll_ms < KUMA_POLL_MIN_MS ||
	    *poll_ms > KUMA_POLL_MAX_MS)
		return err_set(err, EINVAL, "\"%s\" is not a time from 100ms to 1h, like 1s",
			       value);
	return 0;
}

int settings_take_ready_fd(void *settings, const char *value, struct err *err)
{
	uint32_t fd = 0;
	int rc = parse_uint(value, 3, INT_MAX, &fd, err);

	if (rc < 0)
		return rc;
	/* A closed one would soon be the number of a socket of ours. */
	if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_set(err, EBADF, "descriptor %u is not open", fd);
	((struct settings *)settings)->ready_fd = (int)fd;
	return 0;
}

int settings_take_allow(void *settings, const char *value, struct err *err)
{
	struct settings *s = settings;

	if (s->n_allow == ACCESS_MAX)
		return err_set(err, E2BIG, "given more than %d times", ACCESS_MAX);
	if (!access_parse(value, &s->allow[s->n_allow]))
		return err_set(err, EINVAL, "\"%s\" is not a network like 10.0.0.0/8 or fd00::/8",
			       value);
	s->n_allow++;
	return 0;
}

int settings_take_allow_interface(void *settings, const char *value, struct err *err)
{
	struct settings *s = settings;

	if (s->n_allow_interfaces == SETTINGS_INTERFACES_MAX)
		return err_set(err, E2BIG, "given more than %d times", SETTINGS_INTERFACES_MAX);
	s->allow_interfaces[s->n_allow_interfaces++] = value;
	return 0;
}

int settings_take_workers(void *settings, const char *value, struct err *err)
{
	unsigned int *workers = &((struct settings *)settings)->workers;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (strcmp(value, "auto") != 0)
		return parse_uint(value, 1, SETTINGS_WORKERS_MAX, workers, err);
	*workers = cores < 1 ? 1 : (unsigned int)cores;
	if (*workers > SETTINGS_WORKERS_MAX)
		*workers = SETTINGS_WORKERS_MAX;
	return 0;
}

int settings_take_metrics(void *settings, const char *value, struct err *err)
{
	struct settings *s = settings;
	struct endpoint ep[1] = {0};
	size_t n = 0;
	int rc = 0;

	if (strcmp(value, "off") != 0)
		rc = parse_endpoint(value, SETTINGS_METRICS_PORT, ep, &n, 1, err);
	s->metrics = ep[0];
	s->metrics_is_default = false;
	return rc;
}

int settings_take_dnstap(void *settings, const char *value, struct err *err)
{
	if (!dnstap_path(value))
		return err_set(err, EINVAL, "\"%s\" is neither unix:PATH nor file:PATH", value);
	((struct settings *)settings)->dnstap = value;
	return 0;
}

int settings_take_log_level(void *settings, const char *value, struct err *err)
{
	if (log_level_parse(value, &((struct settings *)settings)->log_level))
		return 0;
	return err_set(err, EINVAL, "\"%s\" is none of error, warning, info, debug", value);
}
