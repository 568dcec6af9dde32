/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What systemd-resolved(8) is told that leads its own questions past the rules, or makes it refuse
 * what the mesh answers. Read from its files: it may not run, and nobody else need.
 */
#ifndef MESHDNS_REDIRECTOR_RESOLVED_H
#define MESHDNS_REDIRECTOR_RESOLVED_H

#include <stdbool.h>
#include <stddef.h>

#define RESOLVED_USER      "systemd-resolve" /* whose its questions are */
#define RESOLVED_FILE_MAX  256
#define RESOLVED_VALUE_MAX 128

/* A setting and the file that says so, both "" where none does. */
struct resolved_fact {
	char file[RESOLVED_FILE_MAX], value[RESOLVED_VALUE_MAX];
};

struct resolved {
	struct resolved_fact tls;    /* DNSOverTLS= is on */
	struct resolved_fact dnssec; /* DNSSEC= is on */
	struct resolved_fact port;   /* DNS= has a server with another port than 53 */
};

/*
 * Reads resolved.conf(5), what is dropped in beside it, and what links were given by hand; of those
 * that say something about a setting the last one counts. What cannot be read says nothing.
 */
void resolved_read(struct resolved *ret_resolved);

/* --- its parts, for tests --- */

/*
 * The last value that the text gives the key, without regard to case (resolved.conf has DNSSEC=,
 * the files of links DNSSEC= and DNSOVERTLS=), cut to fit. False where it does not give it any.
 */
bool resolved_setting(const char *text, const char *key, char ret_value[RESOLVED_VALUE_MAX]);

/* Whether one of the servers "ADDRESS[:PORT][%INTERFACE][#NAME] ..." has another port than 53. */
bool resolved_has_other_port(const char *servers);

#endif
