/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the text of one value, wherever it stands, to settings.
 *
 * All return 0 or -EINVAL with `err` filled. Items of a list are appended; blanks around them and
 * empty ones do not count. `settings` is a struct settings.
 */
#ifndef MESHDNS_REDIRECTOR_SETTINGS_PARSE_H
#define MESHDNS_REDIRECTOR_SETTINGS_PARSE_H

#include "redirector/settings.h"

/* What a string from a file points into. */
struct settings_text {
	struct settings_text *next;
	char text[];
};

/* "80,443,8000-8999": joined with what overlaps or touches it. */
int settings_parse_ports(struct port_list *ports, const char *value, struct err *err);

/* "10.0.0.0/8,fd00::1": bits behind the length are dropped, and what lies within another. */
int settings_parse_prefixes(struct prefix_list *prefixes, const char *value, struct err *err);

/*
 * "[PROTOCOLS:][PORTS:]UIDS", more of them behind ';'. Protocols are "tcp", "udp", both with a
 * comma between, or '*'; ports a list as above or '*'; either may be empty, which is '*' too. A uid
 * is a number or a range.
 */
int settings_parse_uid_exclusions(void *settings, const char *value, struct err *err);

/* "INTERFACE:CIDR,...": the first ':' ends the interface. */
int settings_parse_vnets(void *settings, const char *value, struct err *err);

int settings_parse_family_mode(void *settings, const char *value, struct err *err);
int settings_parse_log_level(void *settings, const char *value, struct err *err);
int settings_parse_config(void *settings, const char *value, struct err *err);

/* Those of the backend; durations are as Go writes them. */
int settings_parse_backend(void *settings, const char *value, struct err *err);
int settings_parse_wait(void *settings, const char *value, struct err *err);
int settings_parse_wait_interval(void *settings, const char *value, struct err *err);
int settings_parse_retries(void *settings, const char *value, struct err *err);
int settings_parse_retry_sleep(void *settings, const char *value, struct err *err);
int settings_parse_programs(void *settings, const char *value, struct err *err);

/* A copy that lives as long as the settings; NULL: out of memory. */
const char *settings_keep_text(struct settings *settings, const char *text);

/*
 * A file of --config, "-" is standard input: YAML or JSON whose keys are those of the rows. What it
 * does not mention stays as it is. `err` begins with FILE:LINE. Strings are added to
 * settings->texts.
 */
int settings_parse_file(const struct option_row *rows, struct settings *settings, const char *path,
			struct err *err);

/* The same of a text; `name` is what messages call it. */
int settings_parse_text(const struct option_row *rows, struct settings *settings, const char *name,
			const char *text, size_t len, struct err *err);

#define SETTINGS_NO_EBPF "leave it out, nftables does it"

/* Options of Kuma's that this version takes, but not in the way that they are given here. */
int settings_refuse_ebpf(void *settings, const char *value, struct err *err);
int settings_refuse_inbound_uids(void *settings, const char *value, struct err *err);

#endif
