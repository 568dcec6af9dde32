/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From addresses back to names: what an update of a snapshot changes about that. */
#ifndef MESHDNS_RESOLVER_NAMES_VIPS_H
#define MESHDNS_RESOLVER_NAMES_VIPS_H

#include "resolver/names_shards.h"

struct vips_op {
	struct names_vip vip;
	uint32_t order; /* of what is added: by place and line, not 0; 0: it is removed */
};

/* What is different, in no order; zeroed to begin with. */
struct vips {
	struct vips_op *ops;
	size_t n, size;
};

/* Takes note of what is different between two records of a name; either may be NULL. 0, -ENOMEM. */
int vips_note(struct vips *vips, uint32_t name_hash, const struct names_record *was,
	      const struct names_record *is);

/*
 * Rebuilds the reverse shards of next that something was noted for, of those of `old`: a snapshot
 * with as many shards, or NULL. 0, -ENOMEM.
 */
int vips_apply(const struct vips *vips, const struct names_snapshot *old,
	       struct names_snapshot *next);

void vips_free(struct vips *vips);

#endif
