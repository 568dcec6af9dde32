/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From sources to snapshots: source -> parts of records -> names_update().
 *
 * A source is a file or a folder; of a folder, all `*.hosts` and `*.json` in it, in the order of
 * their names, dot files left out (Kubernetes keeps the data of a mounted ConfigMap in such ones).
 * A file whose first character is '{' is JSON, any other is hosts(5). One more source is no file: a
 * text that the caller hands over when it has changed (load_given). The formats:
 *
 *   240.0.0.100 redis.mesh cache.mesh   # lines of an address and its names
 *   {"records": [{"name": "redis.mesh", "ips": ["240.0.0.100"]}], "ttl": 30}
 *
 * the latter as Kuma's data plane serves it; see load_json.c for what may be said beyond that.
 * A bad record is skipped with a warning that names its source and line; a bad file (unreadable,
 * too large, broken JSON) fails the load as a whole, so that the caller keeps what it has.
 *
 * Reading again reads little. The text of a file is cut into pieces of a few KiB, at ends of lines
 * or of JSON records; of each the loader keeps a hash of the text and the hashes of the names in
 * it. When the file has changed, the pieces at its beginning and its end that are the same are left
 * alone, and only what lies between is parsed: a million names take the time to hash their text,
 * which is some milliseconds. A file whose inode, size and times are the same is not even opened.
 */
#ifndef MESHDNS_RESOLVER_LOAD_H
#define MESHDNS_RESOLVER_LOAD_H

#include <dirent.h>

#include "common/err.h"
#include "resolver/names.h"

#define LOAD_FILE_MAX     ((size_t)256 << 20)
#define LOAD_WARNINGS_MAX 10   /* a load; the rest is counted in one more line */
#define LOAD_PIECE_MIN    4096 /* octets of text, then the next end of a record */

struct load_settings {
	const char *const *sources;
	size_t n_sources;
	uint32_t ttl;                 /* for records whose source says none */
	uint8_t domain[DNS_NAME_MAX]; /* the mesh domain, lower-cased wire form */
	size_t domain_len;
};

/*
 * A source that is no file, in JSON. Its text is needed for one load only: what it said stays until
 * the next one.
 */
struct load_given {
	const char *source; /* what it is called; not the name of a file */
	const char *text;   /* text[len] is NUL; NULL: nothing new */
	size_t len;
	bool is_needed; /* while it has never said anything, the load fails */
};

struct loader;

/* `settings` are borrowed. NULL when out of memory. */
struct loader *loader_new(const struct load_settings *settings);
void loader_free(struct loader *loader);

/*
 * Makes the next snapshot of `current`, the one it made before (NULL: the first time), which stays
 * as it is and the caller's to free by names_free_old(). Failing, it changes nothing. `given` is
 * NULL where there is no such source.
 */
int loader_load(struct loader *loader, const struct names_snapshot *current,
		const struct load_given *given, struct names_snapshot **ret_names, struct err *err);

/*
 * Ends a load that succeeded: frees what only the load needed. This can wait until the snapshot is
 * in place; the next load does it, if nobody has.
 */
void loader_settle(struct loader *loader);

/* Where a record, or the first of its parts, comes from, as of the last settled load: a path and
 * a line. False: unknown. */
bool loader_locate(const struct loader *loader, const struct names_record *record,
		   const char **ret_path, size_t *ret_line);

/* Is it one of a folder's files that are read? As scandir(3) wants it. */
int load_is_names_file(const struct dirent *entry);

/* --- for the formats and their tests -------------------------------------------------------- */

/* A piece of a source's text. Its number is the `place` of the parts that come from it. */
struct load_piece {
	uint64_t text_hash;
	uint32_t place;
	uint32_t text_len, lines;
	bool is_open; /* does not end where a piece should: the end of a text */
	uint32_t n_hashes;
	uint32_t *hashes; /* of the names in it */
};

/* What is read of one text. */
struct load {
	const struct load_settings *settings;
	const char *source;
	uint32_t ttl;        /* the table's own, or the settings' */
	uint32_t head_ttl;   /* what it was before the records: a tail may tell another */
	size_t first_line;   /* of the text, counted from 1 */
	uint32_t next_place; /* for the piece in hand, if no piece of before has it */
	const bool *used;    /* by place: that it has; n_used of them */
	uint32_t n_used;
	struct load_piece *pieces;
	size_t n_pieces, pieces_size;
	uint8_t *block; /* the parts, one behind the other */
	size_t block_len, block_size;
	struct load_part *parts;
	size_t n_parts, parts_size;
	size_t piece_parts; /* parts before the piece in hand */
	size_t piece_line;  /* its first line */
	size_t line;        /* that is being read, for warnings and the next part */

	/* The part in hand. */
	uint8_t name[DNS_NAME_MAX], alias[DNS_NAME_MAX];
	uint8_t name_len, alias_len; /* name_len 0: none is in hand */
	char text[DNS_NAME_MAX];     /* what the name was written as */
	size_t text_len;
	uint32_t part_ttl;
	size_t part_line;
	uint8_t *a, *aaaa, *ports;
	size_t a_len, a_size, aaaa_len, aaaa_size, ports_len, ports_size;

	struct load_warnings *warnings;
};

struct load_part {
	uint32_t hash;
	size_t at; /* in the block */
};

struct load_warnings {
	size_t skipped;                    /* records, or parts of such */
	char text[LOAD_WARNINGS_MAX][320]; /* about the first of them; logged if all ends well */
};

#define LOAD_TTL_TABLE UINT32_MAX /* a part's that is the table's */

/* Takes note of a warning about load->line. */
void load_skip(struct load *load, const char *reason, const char *text, size_t len);

/*
 * Begins a part, or goes on with the one in hand when it is of the same name and TTL. False: it is
 * no name, and skipped with a warning. Names are host names, with or without a leading "*.".
 */
bool load_name(struct load *load, const char *name, size_t len, uint32_t ttl, int *rc);

/* An address as text; skipped with a warning if it is none. */
bool load_parse_address(struct load *load, const char *text, size_t len, struct addr *ret_addr);

/* What the part in hand says. 0 or -ENOMEM. */
int load_add_address(struct load *load, const struct addr *addr);
int load_add_alias(struct load *load, const char *text, size_t len);
int load_add_port(struct load *load, uint16_t number, uint8_t protocol, const uint8_t *name,
		  uint8_t len);

/* Ends the part in hand. */
int load_end_part(struct load *load);

/* Ends a piece: `text` up to where line `next_line` begins or goes on. */
int load_end_piece(struct load *load, const char *text, size_t len, size_t next_line, bool is_open);

/*
 * All take text of which text[len] is NUL. A text may be but a part of its source: of JSON, the
 * elements of the list of records, without the head before them or the tail behind.
 */
enum load_part_of { LOAD_HEAD = 1, LOAD_TAIL = 2, LOAD_WHOLE = 3 };
bool load_is_json(const char *text);
int load_text(struct load *load, const char *text, size_t len, bool is_json,
	      enum load_part_of which, struct err *err);
int load_hosts(struct load *load, const char *text, size_t len, struct err *err);
int load_json(struct load *load, const char *text, size_t len, enum load_part_of which,
	      struct err *err);

/* All parts, of which there are load->n_parts, into `ret_added`. The load is over. */
void load_added(struct load *load, struct names_added *ret_added);

void load_free(struct load *load);

#endif
