/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/render.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"

#define RESULT_MAX COREFILE_SIZE_MAX

/* The filter answers for the mesh; what it can't goes to the servers that were there before. */
const char render_default[] = ".:{{ .CoreDNSPort }} {\n"
			      "    forward . 127.0.0.1:{{ .EnvoyDNSPort }}\n"
			      "    alternate NOTIMP,FORMERR,NXDOMAIN,SERVFAIL,REFUSED . "
			      "/etc/resolv.conf\n"
			      "    prometheus localhost:{{ .PrometheusPort }}\n"
			      "    errors{{ if .CoreDNSLogging }}\n"
			      "    log{{ end }}\n"
			      "}\n";

static struct gotemplate_value text_or_nothing(const char *text)
{
	return gotemplate_string(text ? text : "");
}

static struct gotemplate_value port_number(uint16_t port)
{
	return (struct gotemplate_value){.kind = GOTEMPLATE_INT, .number = port};
}

static struct gotemplate_value boolean(bool is)
{
	return (struct gotemplate_value){.kind = GOTEMPLATE_BOOL, .boolean = is};
}

static int render(const char *name, const char *text, size_t len, const struct render_variables *v,
		  char *out, size_t *ret_len, struct err *err)
{
	const struct gotemplate_field fields[] = {
		{"Enabled", boolean(true)},
		{"CoreDNSPort", port_number(v->port)},
		{"CoreDNSEmptyPort", port_number(v->empty_port)},
		{"EnvoyDNSPort", port_number(v->envoy_port)},
		{"ProxyPort", port_number(v->proxy_port)},
		{"PrometheusPort", port_number(v->prometheus_port)},
		{"CoreDNSLogging", boolean(v->logging)},
		{"CoreDNSBinaryPath", text_or_nothing(v->binary_path)},
		{"CoreDNSConfigTemplatePath", text_or_nothing(v->template_path)},
		{"ConfigDir", text_or_nothing(v->config_dir)},
	};
	const struct gotemplate_value data = {
		.kind = GOTEMPLATE_STRUCT, .fields = fields, .n = ARRAY_SIZE(fields)};
	struct gotemplate *template;
	int rc = gotemplate_compile(text, len, (struct gotemplate_place){name, 1}, NULL, &template,
				    err);

	if (rc < 0)
		return rc;
	rc = gotemplate_execute(template, &data, out, RESULT_MAX, ret_len, err);
	gotemplate_free(template);
	return rc;
}

int render_read_text(const char *name, const char *text, size_t len,
		     const struct render_variables *variables, struct corefile **ret,
		     struct err *err)
{
	char *out = malloc(RESULT_MAX);
	size_t out_len = 0;
	int rc;

	if (!out)
		return err_set(err, ENOMEM, "out of memory");
	if ((rc = render(name, text, len, variables, out, &out_len, err)) == 0)
		rc = corefile_read_text(name, out, out_len, variables->port, ret, err);
	free(out);
	return rc;
}

int render_read(const char *path, const struct render_variables *variables, struct corefile **ret,
		struct err *err)
{
	cleanup_free char *text = NULL;
	size_t len;
	int rc = file_read(path, COREFILE_SIZE_MAX, &text, &len, err);

	return rc < 0 ? rc : render_read_text(path, text, len, variables, ret, err);
}
