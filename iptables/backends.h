/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The backends that there are, for backend.c, which chooses among them. */
#ifndef MESHDNS_IPTABLES_BACKENDS_H
#define MESHDNS_IPTABLES_BACKENDS_H

#include "iptables/backend.h"

extern const struct backend backend_nftables, backend_iptables_nft, backend_iptables_legacy;

#endif
