/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iptables/backend.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "iptables/backends.h"
#include "iptables/xt_exec.h"
#include "iptables/xt_probe.h"

#define DOCKER_CHAIN "DOCKER" /* whose rules ours must stand in front of */

const struct backend *const backends[BACKENDS] = {
	&backend_nftables,
	&backend_iptables_nft,
	&backend_iptables_legacy,
};

const struct backend *backend_find(const char *name)
{
	for (size_t i = 0; i < BACKENDS; i++) {
		if (!strcmp(backends[i]->name, name))
			return backends[i];
	}
	return NULL;
}

/* The flavour that this host uses; where it uses both, Docker's; then nft's, which replaces legacy.
 */
static const struct backend *flavour_in_use(const char **ret_why)
{
	struct xt_use legacy = xt_probe_legacy(DOCKER_CHAIN), nft = xt_probe_nft(DOCKER_CHAIN);

	*ret_why = "this host's iptables rules are of that flavour";
	if (legacy.rules && !nft.rules)
		return &backend_iptables_legacy;
	if (!legacy.rules && nft.rules)
		return &backend_iptables_nft;
	if (legacy.rules && nft.rules && legacy.chain != nft.chain) {
		*ret_why = "this host has iptables rules of both flavours, and Docker's are of "
			   "that one";
		return legacy.chain ? &backend_iptables_legacy : &backend_iptables_nft;
	}
	*ret_why = legacy.rules ? "this host has iptables rules of both flavours, and it is the "
				  "newer one"
				: "this host has no iptables rules, and it is the newer flavour";
	return &backend_iptables_nft;
}

const struct backend *backend_candidate(const struct backend_options *options, size_t turn,
					const char **ret_why)
{
	const struct backend *flavour;

	if (options->name && strcmp(options->name, "auto") != 0) {
		*ret_why = "it was asked for";
		return turn == 0 ? backend_find(options->name) : NULL;
	}
	if (options->default_iptables) {
		*ret_why = "what is called iptables here is of that flavour";
		if (turn != 0)
			return NULL;
		return xt_is_default(XT_LEGACY) ? &backend_iptables_legacy : &backend_iptables_nft;
	}
	if (turn == 0) {
		*ret_why = "it is the default, where the kernel has it";
		return &backend_nftables;
	}
	flavour = flavour_in_use(ret_why);
	if (turn == 1)
		return flavour;
	*ret_why = "the other flavour does not work here";
	if (turn == 2)
		return flavour == &backend_iptables_nft ? &backend_iptables_legacy
							: &backend_iptables_nft;
	return NULL;
}

int backend_read(const struct backend_options *options, struct plan *ret_found,
		 const struct backend **ret_backend, struct err *err)
{
	int state = 0, rc;

	*ret_backend = NULL;
	for (size_t i = 0; i < BACKENDS; i++) {
		struct err other = {0};

		if (!backends[i]->is_present())
			continue;
		if (*ret_backend)
			return state < 0 ? state
					 : err_set(err, EBADMSG,
						   "there are rules of the backend %s as well",
						   backends[i]->name);
		rc = backends[i]->read(options, ret_found, &other);
		if (rc == -ENOENT || rc == -EOPNOTSUPP)
			continue; /* nothing there, or nothing that could be */
		state = rc;
		if (rc < 0 && err)
			*err = other;
		if (rc < 0 && rc != -EBADMSG)
			return rc;
		*ret_backend = backends[i];
	}
	return state;
}

int backend_remove(const struct backend_options *options, const struct backend *kept,
		   bool *ret_was_there, struct err *err)
{
	int rc = 0;

	*ret_was_there = false;
	for (size_t i = 0; i < BACKENDS && rc == 0; i++) {
		bool was_there = false;

		if (backends[i] == kept || !backends[i]->is_present())
			continue;
		rc = backends[i]->remove(options, &was_there, err);
		*ret_was_there = *ret_was_there || was_there;
	}
	return rc;
}
