/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/compare.h"

#include <errno.h>

#include "common/netns.h"

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

/* In the words of the backend that is there, or would be. */
static int diff_expressed(const struct settings *settings, struct compare *compare,
			  const struct plan *wanted, struct err *err)
{
	const struct backend *backend =
		backend_candidate(&settings->backend, 0, &(const char *){0});
	cleanup_plan struct plan expressed = {0};
	int rc;

	if (compare->backend && settings->backend.name && compare->backend != backend)
		note_difference('-', compare->backend->place, &compare->differences);
	else if (compare->backend)
		backend = compare->backend;
	if ((rc = backend->express(wanted, &expressed, err)) < 0)
		return rc;
	plan_diff(compare->backend == backend ? &compare->found : &(const struct plan){0},
		  &expressed, note_difference, &compare->differences);
	return 0;
}

int compare_rules(const struct settings *settings, const struct plan *wanted,
		  struct compare *ret_compare, struct err *err)
{
	struct compare *compare = ret_compare;
	int rc;

	if (settings->netns && (rc = netns_enter(settings->netns, err)) < 0)
		return rc;
	*compare = (struct compare){.differences = json_array()};
	rc = backend_read(&settings->backend, &compare->found, &compare->backend, err);
	if (rc < 0 && rc != -EBADMSG)
		return rc;
	if (rc == -EBADMSG)
		note_difference('-', err->msg, &compare->differences);
	*err = (struct err){0};
	if (wanted && (rc = diff_expressed(settings, compare, wanted, err)) < 0)
		return rc;
	if (!compare->differences)
		return err_set(err, ENOMEM, "out of memory for the differences");
	if (!compare->backend)
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
