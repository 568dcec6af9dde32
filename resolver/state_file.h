/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of names as a file: what the last good names are kept in, DIR/names.
 *
 * The table and not its sources, so that it does not matter where they are or what they speak: a
 * header and, one behind the other, all parts as they lie in the snapshot (names.h). It is read by
 * the host that wrote it and nobody else. A file of another version, byte order or length, or whose
 * hashes are not those of its content, is refused as a whole; of one that passes, nothing is
 * believed either that could lead outside of it.
 *
 * Whoever reads finds the old file or the new one, whole, also after a power failure or kill -9:
 * it is written as DIR/names.new, synced and renamed. A lock on the folder keeps a second resolver
 * away meanwhile; it ends with the process, and what is left of the file is then overwritten.
 */
#ifndef MESHDNS_RESOLVER_STATE_FILE_H
#define MESHDNS_RESOLVER_STATE_FILE_H

#include <stdatomic.h>

#include "common/err.h"
#include "resolver/load.h"

#define STATE_FILE_MAX ((size_t)1 << 30)

struct state_header {
	char magic[8];
	uint32_t version; /* of the format, and of struct names_record */
	uint32_t negative_ttl;
	uint64_t n_parts, parts_len; /* number and octets of what follows */
	uint64_t parts_hash;         /* XXH3 of that */
	uint64_t hash;               /* XXH3 of the header before this */
};

/*
 * Writes `names` to `dir`; gives up with -ECANCELED as soon as *cancel is true. -EAGAIN: another
 * process is writing there.
 */
int state_file_write(const char *dir, const struct names_snapshot *names, const atomic_bool *cancel,
		     struct err *err);

/*
 * Reads what lies in `dir`, if root or this process's user wrote it and nobody else can. The
 * settings say what the mesh domain is now. -ENOENT: there is nothing. -EBADMSG: it is damaged.
 */
int state_file_read(const char *dir, const struct load_settings *settings,
		    struct names_snapshot **ret_names, struct err *err);

/* --- for tests and the fuzzer ---------------------------------------------------------------- */

/* What state_file_read() does with the content; `data` is aligned as malloc() does, and changed. */
int state_file_parse(void *data, size_t len, const struct load_settings *settings,
		     struct names_snapshot **ret_names, struct err *err);

/* Makes the header one that goes with the `len` octets of parts. */
void state_file_seal(struct state_header *header, const void *parts, size_t len);

#endif
