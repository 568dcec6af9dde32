/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Corefile that is a template, as Kuma's data plane has it: {{ .CoreDNSPort }} and the like are
 * filled in before it is read.
 */
#ifndef MESHDNS_COREFILE_RENDER_H
#define MESHDNS_COREFILE_RENDER_H

#include "resolver/corefile/corefile.h"

/* What Kuma calls .CoreDNSPort and so on, and where it takes it from. */
struct render_variables {
	uint16_t port, empty_port, envoy_port, proxy_port, prometheus_port;
	bool logging;
	const char *binary_path, *template_path, *config_dir; /* NULL: nothing */
};

#define RENDER_PORT            15053
#define RENDER_EMPTY_PORT      15055
#define RENDER_ENVOY_PORT      15054
#define RENDER_PROMETHEUS_PORT 19153

/* Reads a template, renders and reads it. Errors in the result name its lines, not the template's.
 */
int render_read(const char *path, const struct render_variables *variables, struct corefile **ret,
		struct err *err);

/* The same of a text. */
int render_read_text(const char *name, const char *text, size_t len,
		     const struct render_variables *variables, struct corefile **ret,
		     struct err *err);

/* Kuma's own template, in our words: what it runs with when nobody says otherwise. */
extern const char render_default[];

#endif
