/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kuma's own Corefile and those of its documentation, which are templates of Go. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "resolver/corefile/render.h"

static const struct render_variables kuma = {
	.port = 16001, .empty_port = 16004, .envoy_port = 16002, .prometheus_port = 16003};

static char *rendered(const char *text, const struct render_variables *variables)
{
	struct corefile *corefile = NULL;
	struct err err = {0};
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	if (render_read_text("template", text, strlen(text), variables, &corefile, &err) < 0)
		fprintf(out, "! %s", err.msg);
	else
		corefile_print(corefile, out);
	fclose(out);
	corefile_free(corefile);
	return result;
}

#define FILTER_THEN_OTHERS                                                            \
	"    alternate FORMERR,SERVFAIL,NXDOMAIN,NOTIMP,REFUSED . /etc/resolv.conf\n" \
	"    forward . 127.0.0.1:16002\n}\n"

Test(render, default_of_kuma)
{
	struct render_variables logging = kuma;
	char *got = rendered(render_default, &kuma);

	cr_expect_str_eq(
		got, ".:16001 {\n    prometheus 127.0.0.1:16003\n    errors\n" FILTER_THEN_OTHERS);
	free(got);
	logging.logging = true;
	got = rendered(render_default, &logging);
	cr_expect_str_eq(got, ".:16001 {\n    prometheus 127.0.0.1:16003\n    errors\n    "
			      "log\n" FILTER_THEN_OTHERS);
	free(got);
}

/* What Kuma documents for musl: no address of the other family is an answer, not a failure. */
#define OVERRIDE                                                                      \
	".:{{ .CoreDNSPort }} {\n"                                                    \
	"    # an empty answer for AAAA\n"                                            \
	"    template IN AAAA . {\n"                                                  \
	"        rcode NOERROR\n"                                                     \
	"        fallthrough\n"                                                       \
	"    }\n"                                                                     \
	"    forward . 127.0.0.1:{{ .EnvoyDNSPort }}\n"                               \
	"    alternate NOTIMP,FORMERR,NXDOMAIN,SERVFAIL,REFUSED . /etc/resolv.conf\n" \
	"    prometheus localhost:{{ .PrometheusPort }}\n"                            \
	"    errors\n"                                                                \
	"}\n"
#define OVERRIDE_RESULT                                           \
	".:16001 {\n    prometheus 127.0.0.1:16003\n    errors\n" \
	"    template IN AAAA . {\n        fallthrough\n    }\n" FILTER_THEN_OTHERS

Test(render, overrides_of_kuma)
{
	static const struct {
		const char *text, *result;
	} rows[] = {
		{OVERRIDE, OVERRIDE_RESULT},
		{OVERRIDE "\n.:{{ .CoreDNSEmptyPort }} {\n    template ANY ANY . {\n      rcode "
			  "NXDOMAIN\n    }\n}\n",
		 OVERRIDE_RESULT
		 "\n.:16004 {\n    template ANY ANY . {\n        rcode NXDOMAIN\n   "
		 " }\n}\n"},
		{".:{{ .CoreDNSPort }} {\n  template IN A a {\n  answer \"{{ `{{ .Name }}` }} 60 "
		 "IN A "
		 "10.0.0.1\"\n  }\n}\n",
		 ".:16001 {\n    template IN A a {\n        answer \"{{ .Name }} 60 IN A "
		 "10.0.0.1\"\n    }\n}\n"},
		{". {\n {{ .None }}\n}\n", "! template:2: there is no field .None"},
		{"", "! template: there is no block in it"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *got = rendered(rows[i].text, &kuma);

		cr_expect_str_eq(got, rows[i].result, "%s\n  gives  %s\n  not    %s", rows[i].text,
				 got, rows[i].result);
		free(got);
	}
}
