/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/rules.h"

#include <errno.h>
#include <string.h>

#include "iptables/xt_probe.h"
#include "redirector/apply.h"
#include "redirector/compare.h"

#define KUMA_CHAINS "KUMA_MESH_"

bool rules_run_programs(const struct settings *settings)
{
	return !settings->backend.name || strcmp(settings->backend.name, "nftables") != 0;
}

bool rules_are_none(void)
{
	return xt_probe_untouched();
}

int rules_install(const struct pod *pod, bool none, struct failure *failure)
{
	int (*apply)(const struct backend_options *options, const struct plan *plan,
		     struct err *err) = none ? apply_first_plan : apply_plan;

	if (apply(&pod->settings.backend, &pod->plan, &failure->err) < 0)
		return failure_is(failure, FAILURE_RULES);
	return 0;
}

int rules_remove(const struct settings *settings, struct failure *failure)
{
	bool was_there;

	if (backend_remove(&settings->backend, NULL, &was_there, &failure->err) < 0)
		return failure_is(failure, FAILURE_RULES);
	return 0;
}

static void tell_difference(const struct compare *compare, struct failure *failure)
{
	json_t *first = json_array_get(compare->differences, 0);
	const char *sign = json_string_value(json_object_get(first, "sign"));
	const char *text = json_string_value(json_object_get(first, "text"));

	failure_set(failure, FAILURE_CHECK,
		    "the rules in the pod's network namespace are not those of its "
		    "configuration; %s: %s",
		    sign && *sign == '+' ? "missing" : "not of the plan", text ? text : "");
}

int rules_compare(const struct pod *pod, enum rules_state *ret_state, struct failure *failure)
{
	cleanup_compare struct compare compare = {0};

	if (compare_rules(&pod->settings, &pod->plan, &compare, &failure->err) < 0)
		return failure_is(failure, FAILURE_RULES);
	*ret_state = compare.state == COMPARE_SAME            ? RULES_RIGHT
		     : compare.state == COMPARE_NOT_INSTALLED ? RULES_MISSING
							      : RULES_DIFFER;
	if (*ret_state != RULES_RIGHT)
		tell_difference(&compare, failure);
	return 0;
}

bool rules_are_anothers(const struct pod *pod)
{
	enum rules_state state = RULES_RIGHT;
	struct failure failure;

	if (xt_probe_nft(KUMA_CHAINS).chain || xt_probe_legacy(KUMA_CHAINS).chain)
		return true;
	return rules_compare(pod, &state, &failure) == 0 && state == RULES_DIFFER;
}
