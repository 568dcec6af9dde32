/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of a block: [dns://]ZONE[:PORT], where ZONE may be a network, for its reverse names. */
#ifndef MESHDNS_COREFILE_KEY_H
#define MESHDNS_COREFILE_KEY_H

#include "resolver/corefile/corefile.h"

/*
 * Adds the key to the server's: one zone, or the several that a network takes whose prefix does not
 * end between two labels (10.0.0.0/9 is 128 of them at most).
 */
int key_parse(struct arena *arena, const char *text, struct corefile_place place,
	      uint16_t default_port, struct corefile_server *server, struct err *err);

#endif
