/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/compare.h"

#include <errno.h>

#include "common/netns.h"
#include "iptables/nft.h"

void compare_free(struct compare *compare)
{
	plan_free(&compare->found);
	json_decref(compare->differences);
	*compare = (struct compare){0};
}

/* An array that could not be extended is given up: what is left out must not look like nothing. */
static void note_difference(char sign, const char *text, void *arg)
{
	json_t **list = arg;
	json_t *item = json_pack("{s:s%, s:s}", "sign", &sign, (size_t)1, "text", text);

	if (*list && json_array_append_new(*list, item) < 0) {
		json_decref(*list);
		*list = NULL;
	}
}

int compare_rules(const struct settings *settings, const struct plan *wanted,
		  struct compare *ret_compare, struct err *err)
{
	struct compare *compare = ret_compare;
	int rc;

	if (settings->netns && (rc = netns_enter(settings->netns, err)) < 0)
		return rc;
	*compare = (struct compare){.differences = json_array()};
	rc = nft_read(&compare->found, err);
	if (rc < 0 && rc != -ENOENT && rc != -EBADMSG)
		return rc;
	if (rc == -EBADMSG)
		note_difference('-', err->msg, &compare->differences);
	*err = (struct err){0};
	if (wanted)
		plan_diff(&compare->found, wanted, note_difference, &compare->differences);
	if (!compare->differences)
		return err_set(err, ENOMEM, "out of memory for the differences");
	if (rc == -ENOENT)
		compare->state = COMPARE_NOT_INSTALLED;
	else if (json_array_size(compare->differences))
		compare->state = COMPARE_DIFFERS;
	else
		compare->state = wanted ? COMPARE_SAME : COMPARE_INSTALLED;
	return 0;
}

void compare_print_differences(const struct compare *compare, FILE *out)
{
	const json_t *item;
	size_t i;

	json_array_foreach(compare->differences, i, item)
		fprintf(out, "%s %s\n", json_string_value(json_object_get(item, "sign")),
			json_string_value(json_object_get(item, "text")));
}
