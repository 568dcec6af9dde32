/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which backend, and what concerns iptables' programs. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "common/cleanup.h"
#include "redirector/settings_parse.h"

#define WAIT_MAX_S   3600
#define INTERVAL_MAX 1000000000
#define RETRIES_MAX  1000
#define SLEEP_MAX_MS 3600000

int settings_parse_backend(void *settings, const char *value, struct err *err)
{
	if (strcmp(value, "auto") != 0 && !backend_find(value))
		return err_set(err, EINVAL,
			       "\"%s\" is none of auto, nftables, iptables-nft, iptables-legacy",
			       value);
	((struct settings *)settings)->backend.name =
		backend_find(value) ? backend_find(value)->name : NULL;
	return 0;
}

static int parse_number(const char *value, uint64_t max, const char *what, unsigned int *ret,
			struct err *err)
{
	uint64_t number;

	if (!options_parse_number(value, 0, max, &number))
		return err_set(err, EINVAL, "\"%s\" is not a number of %s (0 to %ju)", value, what,
			       (uintmax_t)max);
	*ret = (unsigned int)number;
	return 0;
}

int settings_parse_wait(void *settings, const char *value, struct err *err)
{
	return parse_number(value, WAIT_MAX_S, "seconds",
			    &((struct settings *)settings)->backend.lock_wait_s, err);
}

int settings_parse_wait_interval(void *settings, const char *value, struct err *err)
{
	return parse_number(value, INTERVAL_MAX, "microseconds",
			    &((struct settings *)settings)->backend.lock_interval_us, err);
}

int settings_parse_retries(void *settings, const char *value, struct err *err)
{
	return parse_number(value, RETRIES_MAX, "tries",
			    &((struct settings *)settings)->backend.retries, err);
}

/* As Go writes durations: numbers, perhaps with a fraction, each with its unit; or 0. */
static bool parse_duration_ms(const char *text, uint64_t max, uint64_t *ret_ms)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = {{"ns", 1e-6}, {"us", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}};
	double total = 0;

	if (!strcmp(text, "0"))
		text = "0s";
	do {
		size_t digits = strspn(text, "0123456789."), len, i;
		double number = strtod(text, NULL);

		text += digits;
		len = strspn(text, "nusmh");
		for (i = 0; i < ARRAY_SIZE(units); i++) {
			if (strlen(units[i].unit) == len && !strncmp(units[i].unit, text, len))
				break;
		}
		if (!digits || digits > 12 || i == ARRAY_SIZE(units))
			return false;
		total += number * units[i].ms;
		text += len;
	} while (*text);
	*ret_ms = total > (double)max ? max + 1 : (uint64_t)(total + 0.5);
	return total <= (double)max;
}

int settings_parse_retry_sleep(void *settings, const char *value, struct err *err)
{
	uint64_t ms;

	if (!parse_duration_ms(value, SLEEP_MAX_MS, &ms))
		return err_set(err, EINVAL, "\"%s\" is no time up to an hour, such as 2s or 500ms",
			       value);
	((struct settings *)settings)->backend.retry_sleep_ms = (unsigned int)ms;
	return 0;
}

/* Where the path of a program belongs; NULL: not among those that we run, *ret_known if it exists.
 */
static const char **find_program(struct settings *settings, const char *name, bool *ret_known)
{
	static const struct {
		const char *name;
		int program; /* -1: it is not run */
		bool ipv6;
	} programs[] = {
		{"iptables", -1, false},
		{"iptables-save", BACKEND_SAVE, false},
		{"iptables-restore", BACKEND_RESTORE, false},
		{"ip6tables", -1, true},
		{"ip6tables-save", BACKEND_SAVE, true},
		{"ip6tables-restore", BACKEND_RESTORE, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		*ret_known = !strcmp(programs[i].name, name);
		if (*ret_known && programs[i].program >= 0)
			return &settings->backend.programs[programs[i].program][programs[i].ipv6];
		if (*ret_known)
			break;
	}
	return NULL;
}

int settings_parse_programs(void *settings_, const char *value, struct err *err)
{
	struct settings *settings = settings_;

	while (*value) {
		size_t len = strcspn(value, ","), colon = strcspn(value, ":");
		char name[32], path[PATH_MAX];
		const char **program;
		bool known;

		if (colon >= len || colon >= sizeof(name) || len - colon - 1 >= sizeof(path))
			return err_set(err, EINVAL, "\"%.*s\" is not NAME:PATH", (int)len, value);
		snprintf(name, sizeof(name), "%.*s", (int)colon, value);
		snprintf(path, sizeof(path), "%.*s", (int)(len - colon - 1), value + colon + 1);
		program = find_program(settings, name, &known);
		if (!known)
			return err_set(err, EINVAL,
				       "\"%s\" is none of ip[6]tables, ip[6]tables-save, "
				       "ip[6]tables-restore",
				       name);
		if (program && !(*program = settings_keep_text(settings, path)))
			return err_set(err, ENOMEM, "out of memory");
		value += len;
		value += *value != '\0';
	}
	return 0;
}
