/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which TLS a server is spoken to by, as flags or a Corefile have it. */
#include <errno.h>

#include "resolver/corefile/parser.h"
#include "resolver/service_make.h"

int service_flag_tls(const struct settings *s, const struct settings_forward *forward,
		     const struct tls **ret, struct err *err)
{
	char name[DNS_NAME_MAX + 1];
	struct tls_config config = {.ca = s->tls_ca, .name = forward->tls_name ? name : NULL};
	char text[ENDPOINT_TEXT_MAX];

	*ret = NULL;
	if (!forward->is_tls)
		return 0;
	if (snprintf(name, sizeof(name), "%.*s", (int)forward->tls_name_len,
		     forward->tls_name ? forward->tls_name : "") >= (int)sizeof(name))
		return err_set(err, EINVAL, "tls://%s: the name is too long",
			       endpoint_format(&forward->ep, text));
	if (tls_find(&config, ret, err) < 0)
		return err_wrap(err, "tls://%s", endpoint_format(&forward->ep, text));
	return 0;
}

int service_target_tls(const struct corefile_forward *forward, const struct corefile_target *target,
		       const struct tls **ret, struct err *err)
{
	struct tls_config config = {
		.ca = forward->tls_ca,
		.cert = forward->tls_cert,
		.key = forward->tls_key,
		.name = target->tls_name ? target->tls_name : forward->tls_servername,
	};

	*ret = NULL;
	if (target->transport != COREFILE_TLS || tls_find(&config, ret, err) == 0)
		return 0;
	return err_wrap(err, "%s:%u: forward", forward->place.file, forward->place.line);
}

int service_prepare_tls(const struct settings *s, const struct corefile *corefile, struct err *err)
{
	const struct tls *tls;
	int rc = 0;

	for (size_t i = 0; i < s->n_forwards && rc == 0; i++)
		rc = service_flag_tls(s, &s->forwards[i], &tls, err);
	for (const struct corefile_server *c = corefile ? corefile->servers : NULL; c;
	     c = c->next) {
		for (const struct corefile_forward *f = c->forward; f; f = f->next) {
			for (size_t i = 0; i < f->to.n && rc == 0; i++)
				rc = service_target_tls(f, &f->to.list[i], &tls, err);
		}
	}
	tls_seal();
	return rc;
}
