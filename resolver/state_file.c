/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/state_file.h"

#define XXH_INLINE_ALL
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/cleanup.h"
#include "common/file.h"

#define MAGIC        "meshdns\n"
#define VERSION      1
#define CHUNK        ((size_t)64 << 10) /* written at once */

#define PATH_FILE(d) (d), "/names"
#define PATH_NEW(d)  (d), "/names.new"

_Static_assert(sizeof(struct state_header) % NAMES_RECORD_ALIGN == 0, "parts are aligned");

static int make_path(char path[PATH_MAX], const char *dir, const char *name, struct err *err)
{
	if (snprintf(path, PATH_MAX, "%s%s", dir, name) < PATH_MAX)
		return 0;
	return err_set(err, ENAMETOOLONG, "the path %s is too long", dir);
}

static uint64_t hash_header(const struct state_header *header)
{
	return XXH3_64bits(header, offsetof(struct state_header, hash));
}

static void begin_header(struct state_header *header)
{
	*header = (struct state_header){.version = VERSION};
	memcpy(header->magic, MAGIC, sizeof(header->magic));
}

void state_file_seal(struct state_header *header, const void *parts, size_t len)
{
	struct state_header sealed;

	begin_header(&sealed);
	sealed.negative_ttl = header->negative_ttl;
	sealed.n_parts = header->n_parts;
	sealed.parts_len = len;
	sealed.parts_hash = XXH3_64bits(parts, len);
	sealed.hash = hash_header(&sealed);
	*header = sealed;
}

/* --- writing --------------------------------------------------------------------------------- */

struct writer {
	XXH3_state_t hash;
	struct state_header header;
	int fd, rc;
	const atomic_bool *cancel;
	size_t used;
	uint8_t chunk[CHUNK];
};

static int flush(struct writer *w)
{
	if (atomic_load_explicit(w->cancel, memory_order_relaxed))
		return -ECANCELED;
	XXH3_64bits_update(&w->hash, w->chunk, w->used);
	w->header.parts_len += w->used;
	if (file_write_all(w->fd, w->chunk, w->used) < 0)
		return -errno;
	w->used = 0;
	return 0;
}

static int put(struct writer *w, const void *bytes, size_t n)
{
	const uint8_t *from = bytes;
	int rc = 0;

	while (n && rc == 0) {
		size_t fits = n < CHUNK - w->used ? n : CHUNK - w->used;

		memcpy(w->chunk + w->used, from, fits);
		w->used += fits;
		from += fits;
		n -= fits;
		if (w->used == CHUNK)
			rc = flush(w);
	}
	return rc;
}

static int put_part(void *arg, const struct names_record *part, const uint8_t *name,
		    size_t name_len)
{
	static const uint8_t zeros[NAMES_RECORD_ALIGN];
	struct writer *w = arg;
	struct names_record header = *part;
	const uint8_t *rest = names_record_alias(part);
	size_t len = (size_t)(names_record_ports(part) - rest) + part->ports_len;
	int rc;

	header.name_len = (uint8_t)name_len;
	header.domain_len = 0;
	header.flags = 0;
	w->header.n_parts++;
	if ((rc = put(w, &header, sizeof(header))) < 0 || (rc = put(w, name, name_len)) < 0 ||
	    (rc = put(w, rest, len)) < 0)
		return rc;
	return put(w, zeros, names_record_size(&header) - sizeof(header) - name_len - len);
}

static int write_names(struct writer *w, const struct names_snapshot *names)
{
	int rc;

	begin_header(&w->header);
	XXH3_64bits_reset(&w->hash);
	w->header.negative_ttl = names_negative_ttl(names);
	if (file_write_all(w->fd, &w->header, sizeof(w->header)) < 0)
		return -errno;
	if ((rc = names_each(names, put_part, w)) < 0 || (rc = flush(w)) < 0)
		return rc;
	w->header.parts_hash = XXH3_64bits_digest(&w->hash);
	w->header.hash = hash_header(&w->header);
	if (w->header.parts_len > STATE_FILE_MAX - sizeof(w->header))
		return -EFBIG;
	if (pwrite(w->fd, &w->header, sizeof(w->header), 0) != sizeof(w->header) ||
	    fsync(w->fd) < 0)
		return -errno;
	return atomic_load(w->cancel) ? -ECANCELED : 0;
}

int state_file_write(const char *dir, const struct names_snapshot *names, const atomic_bool *cancel,
		     struct err *err)
{
	cleanup_fd int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	cleanup_free struct writer *w = aligned_alloc(_Alignof(struct writer), sizeof(*w));
	char path[PATH_MAX], new_path[PATH_MAX];
	int rc;

	if ((rc = make_path(path, PATH_FILE(dir), err)) < 0 ||
	    (rc = make_path(new_path, PATH_NEW(dir), err)) < 0)
		return rc;
	if (dir_fd < 0 || flock(dir_fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, errno, "cannot write to %s: %s", dir,
			       errno == EWOULDBLOCK ? "another resolver does" : err_text(errno));
	if (!w)
		return err_set(err, ENOMEM, "out of memory");
	unlink(new_path); /* of whoever died over it, and whoever's it was */
	fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	w->fd = fd;
	w->cancel = cancel;
	w->used = 0;
	rc = fd < 0 ? -errno : write_names(w, names);
	if (rc == 0 && (rename(new_path, path) < 0 || fsync(dir_fd) < 0))
		rc = -errno;
	if (rc < 0 && fd >= 0)
		unlink(new_path);
	return rc < 0 ? err_set(err, rc, "cannot write %s: %s", new_path, err_text(rc)) : 0;
}

/* --- reading --------------------------------------------------------------------------------- */

/* A name in wire form and lower case, of exactly so many octets. */
static bool is_name(const uint8_t *name, size_t len)
{
	struct wire w = wire_over((void *)name, len);
	uint8_t read[DNS_NAME_MAX];

	return len > 1 && wire_get_name(&w, read) == len && !memcmp(name, read, len);
}

static bool are_ports(const uint8_t *ports, size_t len)
{
	while (len) {
		const struct names_port *port = (const struct names_port *)ports;

		if (len < sizeof(*port) || port->name_len > DNS_LABEL_MAX ||
		    len - sizeof(*port) < port->name_len)
			return false;
		ports += sizeof(*port) + port->name_len;
		len -= sizeof(*port) + port->name_len;
	}
	return true;
}

/* Whether a part lies in these octets that is one. */
static bool is_part(const struct names_record *part, size_t left)
{
	return left >= sizeof(*part) && names_record_size(part) <= left && part->flags == 0 &&
	       part->ttl <= NAMES_TTL_MAX && names_has_data(part) &&
	       is_name(part->data, part->name_len) &&
	       (!part->alias_len || is_name(names_record_alias(part), part->alias_len)) &&
	       are_ports(names_record_ports(part), part->ports_len);
}

/* The parts into `added`, which has room for header->n_parts of them. False: that is not them. */
static bool take_parts(const struct state_header *header, const struct load_settings *settings,
		       struct names_added *added)
{
	uint8_t *at = (uint8_t *)(header + 1), *end = at + header->parts_len;

	for (uint64_t i = 0; i < header->n_parts; i++) {
		struct names_record *part = (struct names_record *)at;

		if (!is_part(part, (size_t)(end - at)))
			return false;
		part->domain_len = names_is_under(part->data, part->name_len, settings->domain,
						  settings->domain_len)
					   ? (uint8_t)settings->domain_len
					   : 0;
		added[i] = (struct names_added){wire_name_hash(part->data, part->name_len), part};
		at += names_record_size(part);
	}
	return at == end;
}

static const char *what_is_wrong(const struct state_header *header, size_t len)
{
	if (len < sizeof(*header) || memcmp(header->magic, MAGIC, sizeof(header->magic)) != 0)
		return "it is no table of names";
	if (header->version != VERSION)
		return "it is of another version";
	if (header->hash != hash_header(header))
		return "its header is damaged";
	if (header->parts_len != len - sizeof(*header) ||
	    header->n_parts > header->parts_len / sizeof(struct names_record))
		return "it is not whole";
	if (header->parts_hash != XXH3_64bits(header + 1, header->parts_len))
		return "it is damaged";
	return NULL;
}

int state_file_parse(void *data, size_t len, const struct load_settings *settings,
		     struct names_snapshot **ret_names, struct err *err)
{
	const struct state_header *header = data;
	const char *wrong = what_is_wrong(header, len);
	cleanup_free struct names_added *added = NULL;
	struct names_change change = {0};

	if (wrong)
		return err_set(err, EBADMSG, "%s", wrong);
	if (!(added = reallocarray(NULL, header->n_parts + 1, sizeof(*added))))
		return err_set(err, ENOMEM, "out of memory");
	if (!take_parts(header, settings, added))
		return err_set(err, EBADMSG, "what it says cannot be");
	change.added = added;
	change.n_added = header->n_parts;
	change.negative_ttl = header->negative_ttl;
	return names_update(NULL, &change, ret_names, err);
}

int state_file_read(const char *dir, const struct load_settings *settings,
		    struct names_snapshot **ret_names, struct err *err)
{
	char path[PATH_MAX], *data;
	size_t len;
	int rc;

	if ((rc = make_path(path, PATH_FILE(dir), err)) < 0 ||
	    (rc = file_read_own(path, STATE_FILE_MAX, &data, &len, err)) < 0)
		return rc;
	if ((rc = state_file_parse(data, len, settings, ret_names, err)) < 0)
		err_wrap(err, "%s", path);
	free(data);
	malloc_trim(0);
	return rc;
}
