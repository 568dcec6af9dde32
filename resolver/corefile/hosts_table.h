/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of a `hosts` directive: the lines of its file, then those in the Corefile; and its
 * answers, as CoreDNS' plugin of that name gives them.
 *
 * A, AAAA and, unless no_reverse says otherwise, PTR, all of them in the file's order. A name of
 * the table has no records of other types: NOERROR, empty. A name that is not in it is passed on to
 * the next plugin with fallthrough, else the answer is SERVFAIL. Names outside of the zones are
 * passed on, and so are reverse names that are not there. `*` as a name's first label stands for
 * any one label that has no line of its own.
 *
 * A table is never changed; whoever has made one may hand it to any thread.
 */
#ifndef MESHDNS_COREFILE_HOSTS_TABLE_H
#define MESHDNS_COREFILE_HOSTS_TABLE_H

#include "resolver/corefile/corefile.h"
#include "resolver/query.h"

#define HOSTS_FILE_MAX ((size_t)64 << 20)

struct hosts_table;

/*
 * Makes a table; `block` are the zones of the server block. Both are borrowed, for as long as the
 * table lives. Lines that make no sense are left out, and counted. -ENOMEM; or the file cannot be
 * read, and `err` says why: keep the table there was, or make one without the file (`file` false).
 */
int hosts_load(const struct corefile_hosts *config, const struct corefile_zones *block, bool file,
	       struct hosts_table **ret, struct err *err);

void hosts_free(struct hosts_table *table);

/* Whether the file is another than the table was made of: to be looked at every reload_ms. */
bool hosts_is_stale(const struct hosts_table *table);

/* How many names and addresses it has (coredns_hosts_entries), and lines that were left out. */
size_t hosts_count(const struct hosts_table *table, size_t *ret_skipped);

/* The file it is of, and when that was last changed, in seconds since 1970; 0: it was not read. */
const char *hosts_file(const struct hosts_table *table);
double hosts_changed_s(const struct hosts_table *table);

enum hosts_verdict {
	HOSTS_NONE,     /* the next plugin is asked; the packet is untouched */
	HOSTS_ANSWERED, /* the packet is the answer now, *ret_len octets */
	HOSTS_SERVFAIL, /* SERVFAIL is the answer; the packet is untouched */
};

/* `limit` is as in answer.h. */
enum hosts_verdict hosts_answer(const struct hosts_table *table, const struct query *query,
				uint8_t *packet, size_t limit, size_t *ret_len);

#endif
