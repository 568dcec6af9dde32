/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/kube_config.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The rest of it around a cluster and a user. */
#define CONFIG(cluster, user)                                                                  \
	"clusters: [{name: other, cluster: {server: x}}, {name: l, cluster: {" cluster "}}]\n" \
	"users: [{name: u, user: {" user "}}]\n"                                               \
	"contexts: [{name: c, context: {cluster: l, user: u}}]\ncurrent-context: c\n"
#define CLUSTER "server: 'https://10.0.0.1', certificate-authority-data: \"YW\\nJj\""

static int parse(const char *text, struct kube_config *config, struct err *err)
{
	*err = (struct err){0};
	return kube_config_parse(text, strlen(text), config, err);
}

Test(kube_config, of_the_current_context)
{
	struct kube_config config;
	struct err err;
	char *token;

	cr_assert_eq(parse(CONFIG(CLUSTER, "token: 'secret'"), &config, &err), 0, "%s", err.msg);
	cr_expect_str_eq(config.server, "https://10.0.0.1");
	cr_expect_eq(config.ca.len, 3);
	cr_expect_arr_eq(config.ca.data, "abc", 3);
	cr_expect_not(config.insecure);
	token = kube_config_token(&config, &err);
	cr_expect_str_eq(token, "secret");
	free(token);
	kube_config_free(&config);
}

Test(kube_config, refuses_what_it_cannot_do)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{CONFIG(CLUSTER, "exec: {command: aws}"), "exec is not supported"},
		{CONFIG(CLUSTER, "username: a, password: b"), "username is not supported"},
		{CONFIG(CLUSTER, "client-certificate: a"), "go together"},
		{CONFIG("server: 'http://a'", ""), "must be https://"},
		{CONFIG("server: 'https://a'", ""), "no certificate-authority"},
		{CONFIG("server: 'https://a', certificate-authority-data: '%'", ""), "no base64"},
		{CONFIG(CLUSTER ", proxy-url: 'http://a'", ""), "proxy-url is not supported"},
		{"current-context: d\ncontexts: []\n", "no context \"d\""},
		{"contexts: [{name: c, context: {cluster: l, user: u}}]\ncurrent-context: c\n",
		 "no cluster"},
		{"a: [", "no YAML"},
		{"", "no current-context"},
	};
	struct kube_config config;
	struct err err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_lt(parse(cases[i].text, &config, &err), 0, "%s", cases[i].text);
		cr_expect(strstr(err.msg, cases[i].why), "%s: %s", cases[i].why, err.msg);
	}
}

/* It would end the header and begin another. */
Test(kube_config, takes_no_token_with_a_newline)
{
	struct kube_config config;
	struct err err;

	cr_assert_eq(parse(CONFIG(CLUSTER, "token: \"a\\nb\""), &config, &err), 0, "%s", err.msg);
	cr_expect_null(kube_config_token(&config, &err));
	cr_expect(strstr(err.msg, "no token"), "%s", err.msg);
	kube_config_free(&config);
}
