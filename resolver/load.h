/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From files to a snapshot.
 *
 * A source is a file or a folder; of a folder, all `*.hosts` and `*.json` in it, in the order of
 * their names, dot files left out (Kubernetes keeps the data of a mounted ConfigMap in such ones).
 * A file whose first character is '{' is JSON, any other is hosts(5). The formats:
 *
 *   240.0.0.100 redis.mesh cache.mesh   # lines of an address and its names
 *   {"records": [{"name": "redis.mesh", "ips": ["240.0.0.100"]}], "ttl": 30}
 *
 * the latter as Kuma's data plane serves it; further keys are ignored, "ttl" is optional.
 * A bad record is skipped with a warning that names its source and place; a bad file (unreadable,
 * too large, broken JSON) fails the load as a whole, so that the caller keeps what it has.
 */
#ifndef MESHDNS_RESOLVER_LOAD_H
#define MESHDNS_RESOLVER_LOAD_H

#include <dirent.h>

#include "common/err.h"
#include "resolver/names.h"

#define LOAD_FILE_MAX     ((size_t)256 << 20)
#define LOAD_WARNINGS_MAX 10 /* a load; the rest is counted in one more line */

struct load_settings {
	const char *const *sources;
	size_t n_sources;
	uint32_t ttl;                 /* for records whose source says none */
	uint8_t domain[DNS_NAME_MAX]; /* the mesh domain, lower-cased wire form */
	size_t domain_len;
};

/* Reads all sources into a new snapshot, which is the caller's to free. */
int load_snapshot(const struct load_settings *settings, struct names_snapshot **ret_names,
		  struct err *err);

/* Is it one of a folder's files that are read? As scandir(3) wants it. */
int load_is_names_file(const struct dirent *entry);

/* --- for the formats and their tests -------------------------------------------------------- */

/* One run over the sources. */
struct load {
	struct names_builder *builder;
	uint32_t ttl;
	size_t skipped; /* records */
	char warnings[LOAD_WARNINGS_MAX]
		     [320]; /* about the first of them; logged if all ends well */
};

/*
 * Adds a name's address, both as text, not NUL-terminated. Skips with a warning what is no host
 * name or no address; `place` says where in `source` it stands ("line 3"). Fails only for lack of
 * memory.
 */
int load_record(struct load *load, const char *source, const char *place, const char *name,
		size_t name_len, const char *address, size_t address_len, uint32_t ttl,
		struct err *err);

/* Notes a warning about something skipped. */
void load_skip(struct load *load, const char *source, const char *place, const char *reason);

/* All take the whole text, `text[len]` being NUL. The first tells which of the others it is for. */
int load_text(struct load *load, const char *source, const char *text, size_t len, struct err *err);
int load_hosts(struct load *load, const char *source, const char *text, size_t len,
	       struct err *err);
int load_json(struct load *load, const char *source, const char *text, size_t len, struct err *err);

#endif
