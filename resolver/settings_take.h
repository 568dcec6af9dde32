/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of options that are neither numbers, texts nor switches: for the rows of settings.c.
 * `settings` is a struct settings; what may be given repeatedly is appended. 0, -EINVAL, -E2BIG.
 */
#ifndef MESHDNS_RESOLVER_SETTINGS_TAKE_H
#define MESHDNS_RESOLVER_SETTINGS_TAKE_H

#include "common/err.h"

int settings_take_listen(void *settings, const char *value, struct err *err);
int settings_take_upstream(void *settings, const char *value, struct err *err);
int settings_take_forward(void *settings, const char *value, struct err *err);
int settings_take_policy(void *settings, const char *value, struct err *err);
int settings_take_names(void *settings, const char *value, struct err *err);
int settings_take_kuma_socket(void *settings, const char *value, struct err *err);
int settings_take_domain(void *settings, const char *value, struct err *err);
int settings_take_authoritative(void *settings, const char *value, struct err *err);
int settings_take_search(void *settings, const char *value, struct err *err);
int settings_take_cache(void *settings, const char *value, struct err *err);
int settings_take_stale(void *settings, const char *value, struct err *err);
int settings_take_kuma_poll(void *settings, const char *value, struct err *err);
int settings_take_ready_fd(void *settings, const char *value, struct err *err);
int settings_take_allow(void *settings, const char *value, struct err *err);
int settings_take_allow_interface(void *settings, const char *value, struct err *err);
int settings_take_workers(void *settings, const char *value, struct err *err);
int settings_take_metrics(void *settings, const char *value, struct err *err);
int settings_take_dnstap(void *settings, const char *value, struct err *err);
int settings_take_log_level(void *settings, const char *value, struct err *err);

#endif
