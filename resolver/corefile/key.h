/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of a block: [dns://]ZONE[:PORT], see zone_text.h. */
#ifndef MESHDNS_COREFILE_KEY_H
#define MESHDNS_COREFILE_KEY_H

#include "resolver/corefile/corefile.h"

/* Adds the key to the server's: one zone, or the several that a network stands for. */
int key_parse(struct arena *arena, const char *text, struct corefile_place place,
	      uint16_t default_port, struct corefile_server *server, struct err *err);

#endif
