/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/corefile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "resolver/corefile/directives.h"
#include "resolver/corefile/key.h"

#define MEMORY_MAX ((size_t)32 << 20)

static bool keys_equal(const struct corefile_key *a, const struct corefile_key *b)
{
	return a->port == b->port && a->zone.len == b->zone.len &&
	       !memcmp(a->zone.name, b->zone.name, a->zone.len);
}

/* The server that has one of these keys already and is bound to the same addresses. */
static const struct corefile_server *find_double(const struct corefile *corefile,
						 const struct corefile_server *server,
						 const struct corefile_key **ret_key)
{
	for (const struct corefile_server *s = corefile->servers; s; s = s->next) {
		if (s->bind || server->bind)
			continue;
		for (size_t i = 0; i < s->n_keys; i++) {
			for (size_t j = 0; j < server->n_keys; j++) {
				*ret_key = &server->keys[j];
				if ((s != server || j > i) &&
				    keys_equal(&s->keys[i], &server->keys[j]))
					return s;
			}
		}
		if (s == server)
			break;
	}
	return NULL;
}

static int check_double(const struct corefile *corefile, const struct corefile_server *server,
			struct err *err)
{
	const struct corefile_key *key;
	const struct corefile_server *other = find_double(corefile, server, &key);
	char name[4 * DNS_NAME_MAX] = "";
	FILE *text;

	if (!other)
		return 0;
	if ((text = fmemopen(name, sizeof(name), "w"))) {
		print_zone(&key->zone, text);
		fclose(text);
	}
	return corefile_fail(err, server->place, "%s:%u is served by the block of line %u already",
			     name, key->port, other->place.line);
}

static int read_block(struct corefile *corefile, const struct corefile_block *block,
		      uint16_t default_port, struct corefile_server ***end, struct err *err)
{
	struct corefile_server *server = ARENA_NEW(&corefile->arena, struct corefile_server);
	int rc;

	if (!server)
		return corefile_fail(err, block->place, "no memory left for it");
	server->place = block->place;
	**end = server;
	*end = &server->next;
	for (size_t i = 0; i < block->n_keys; i++) {
		if ((rc = key_parse(&corefile->arena, block->keys[i], block->place, default_port,
				    server, err)) < 0)
			return rc;
	}
	if ((rc = directives_parse(corefile, server, block->lines, err)) < 0)
		return rc;
	return check_double(corefile, server, err);
}

int corefile_read_text(const char *name, const char *text, size_t len, uint16_t default_port,
		       struct corefile **ret, struct err *err)
{
	struct corefile *corefile = calloc(1, sizeof(*corefile));
	struct corefile_server **end;
	struct corefile_tree tree = {0};
	const char *file;
	int rc;

	if (!corefile)
		return err_set(err, ENOMEM, "out of memory");
	corefile->arena.max = MEMORY_MAX;
	end = &corefile->servers;
	if (!(file = arena_copy(&corefile->arena, name, strlen(name))))
		rc = err_set(err, ENOMEM, "out of memory");
	else
		rc = corefile_parse(&corefile->arena, file, text, len, &tree, err);
	for (const struct corefile_block *b = rc == 0 ? tree.blocks : NULL; b && rc == 0;
	     b = b->next)
		rc = read_block(corefile, b, default_port, &end, err);
	if (rc == 0 && !corefile->servers)
		rc = err_set(err, EINVAL, "%s: there is no block in it", name);
	if (rc < 0) {
		corefile_free(corefile);
		return rc;
	}
	*ret = corefile;
	return 0;
}

int corefile_read(const char *path, uint16_t default_port, struct corefile **ret, struct err *err)
{
	cleanup_free char *text = NULL;
	size_t len;
	int rc = file_read(path, COREFILE_SIZE_MAX, &text, &len, err);

	return rc < 0 ? rc : corefile_read_text(path, text, len, default_port, ret, err);
}

void corefile_print(const struct corefile *corefile, FILE *out)
{
	for (const struct corefile_server *s = corefile->servers; s; s = s->next) {
		for (size_t i = 0; i < s->n_keys; i++) {
			fputs(i ? " " : "", out);
			print_zone(&s->keys[i].zone, out);
			fprintf(out, ":%u", s->keys[i].port);
		}
		fputs(" {\n", out);
		for (const struct directive *row = directives; row->name; row++)
			row->print(s, out);
		fputs(s->next ? "}\n\n" : "}\n", out);
	}
}

uint32_t corefile_reload_ms(const struct corefile *corefile, uint16_t random)
{
	const struct corefile_reload *shortest = NULL;

	for (const struct corefile_server *s = corefile->servers; s; s = s->next) {
		if (s->reload && s->reload->interval_ms &&
		    (!shortest || s->reload->interval_ms < shortest->interval_ms))
			shortest = s->reload;
	}
	return shortest ? shortest->interval_ms - shortest->jitter_ms / 2 +
				  (uint32_t)((uint64_t)random * shortest->jitter_ms >> 16)
			: 0;
}
