/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as the output of iptables-save: to a plan, and to the document that removes it. */
#include <stdlib.h>
#include <string.h>

#include "iptables/xt_lines.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct xt_lines none;
	struct xt_lines lines = {0};
	struct plan plan = {0};
	char *text = malloc(size + 1), *document = NULL;
	size_t len;
	FILE *out = open_memstream(&document, &len);
	struct err err;

	if (!text || !out)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (xt_lines_of_save(text, &lines, &err) == 0) {
		xt_lines_to_plan(&lines, AF_INET, &plan, &err);
		xt_lines_check_hooks(&lines, AF_INET, &plan, &err);
		xt_lines_print(&lines, &none, out);
		/* What is read back must be printable as a plan and as rules. */
		plan_print(&plan, out, &err);
		for (size_t i = 0; i < plan.n_chains; i++) {
			for (size_t j = 0; j < plan.chains[i].n_rules; j++)
				xt_rule_print(&plan.chains[i].rules[j], out);
		}
	}
	fclose(out);
	free(document);
	xt_lines_free(&lines);
	plan_free(&plan);
	free(text);
	return 0;
}
