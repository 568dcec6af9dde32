/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "redirector/settings_parse.h"

static int parse(const char *text, struct settings *ret, struct err *err)
{
	*ret = settings_default;
	return settings_parse_text(settings_install_rows, ret, "f.yaml", text, strlen(text), err);
}

static void takes(const char *text, struct settings *ret)
{
	struct err err = {0};

	cr_assert_eq(parse(text, ret, &err), 0, "%s", err.msg);
}

/* What Kuma's Helm chart makes is in the corpus of the fuzz target. */
Test(settings_yaml, kumas_own_file)
{
	struct settings s = settings_default;
	struct err err = {0};
	char *text;
	size_t len;

	cr_assert_eq(file_read("tests/fuzz/corpus/config/kuma", 10000, &text, &len, &err), 0, "%s",
		     err.msg);
	cr_assert_eq(settings_parse_text(settings_install_rows, &s, "kuma", text, len, &err), 0,
		     "%s", err.msg);
	free(text);
	cr_expect(s.redirect_dns && s.redirect_all_dns && s.redirect_inbound &&
		  s.redirect_outbound);
	cr_expect_str_eq(s.proxy_user, "5678");
	cr_expect_str_eq(s.resolv_conf, "/etc/resolv.conf");
	settings_free(&s);
}

Test(settings_yaml, every_key_arrives)
{
	struct settings s;

	takes("dryRun: true\nverbose: true\nipFamilyMode: ipv4\nkumaDPUser: envoy\n"
	      "dropInvalidPackets: true\nlog:\n  enabled: true\n  level: 4\n"
	      "comments: {disabled: true}\n"
	      "redirect:\n"
	      "  dns: {enabled: true, port: 1, skipConntrackZoneSplit: true, tcp: false,\n"
	      "        resolvConfigPath: /r}\n"
	      "  inbound:\n    enabled: true\n    port: 2\n    excludePorts: [3, 4-5]\n"
	      "    includePorts:\n    - 6\n    - 8\n    excludePortsForIPs: ['::1']\n"
	      "    insertRedirectInsteadOfAppend: true\n    excludePortsForUIDs: []\n"
	      "  outbound:\n    enabled: true\n    port: 9\n    excludePorts: 10,12\n"
	      "    includePorts: [14]\n    excludePortsForIPs: [10.0.0.0/8]\n"
	      "    excludePortsForUIDs: [\"tcp:80,81:1000\", 5, '*:*:6']\n"
	      "    insertRedirectInsteadOfAppend: true\n    vips: [240.0.0.0/4, fd00::/8]\n"
	      "  vnet: {networks: ['docker0:172.17.0.0/16', 'iface:::1/64']}\n",
	      &s);
	cr_expect(s.dry_run && s.verbose && s.drop_invalid && s.log && s.no_comments);
	cr_expect(s.redirect_dns && s.skip_zones && !s.redirect_dns_tcp && s.redirect_inbound &&
		  s.redirect_outbound && s.insert_inbound && s.insert_outbound);
	cr_expect(s.dns_port == 1 && s.inbound_port == 2 && s.outbound_port == 9);
	cr_expect(s.log_level == 4 && s.family_mode == FAMILY_IPV4);
	cr_expect(s.exclude_inbound_ports.n == 1 && s.include_inbound_ports.n == 2);
	cr_expect(s.exclude_outbound_ports.n == 2 && s.include_outbound_ports.n == 1);
	cr_expect(s.exclude_inbound_ips.n == 1 && s.exclude_outbound_ips.n == 1);
	cr_expect(s.redirect_vips.n == 2 && s.n_uid_exclusions == 3 && s.n_vnets == 2);
	cr_expect_str_eq(s.proxy_user, "envoy");
	cr_expect_str_eq(s.resolv_conf, "/r");
	settings_free(&s);
}

Test(settings_yaml, json)
{
	struct settings s;

	takes("{\"kumaDPUser\": \"7\",\n\t\"redirect\": {\"dns\": {\"enabled\": true, \"port\": "
	      "53}, \"outbound\": {\"excludePorts\": [22, 80]}}}",
	      &s);
	cr_expect(s.redirect_dns && s.dns_port == 53 && s.exclude_outbound_ports.n == 2);
	cr_expect_str_eq(s.proxy_user, "7");
	settings_free(&s);
}

Test(settings_yaml, nothing_said_is_nothing_changed)
{
	static const char *const texts[] = {"",
					    "# only this\n",
					    "---\n",
					    "~",
					    "null",
					    "redirect:\n  dns:\n",
					    "{}",
					    "redirect: {dns: {port: ~}, outbound: null}",
					    "redirect:\n  outbound:\n    excludePorts:\n"};
	struct settings s;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		takes(texts[i], &s);
		cr_expect_arr_eq(&s, &settings_default, sizeof(s), "%s", texts[i]);
	}
}

Test(settings_yaml, a_uid_needs_no_quotes)
{
	struct settings s;

	takes("kumaDPUser: 1000700000", &s);
	cr_expect_str_eq(s.proxy_user, "1000700000");
	settings_free(&s);
}

static void refused(const char *text, const char *message)
{
	struct err err = {0};
	struct settings s;

	cr_expect_lt(parse(text, &s, &err), 0, "%s", text);
	cr_expect(strstr(err.msg, message) == err.msg, "%s: expected \"%s\" in: %s", text, message,
		  err.msg);
	settings_free(&s);
}

Test(settings_yaml, unknown_keys_name_the_nearest)
{
	refused("redirct: {}\n", "f.yaml:1: unknown key redirct; did you mean redirect?");
	refused("redirect:\n  dsn:\n    port: 1\n",
		"f.yaml:2: unknown key redirect.dsn; did you mean redirect.dns?");
	refused("redirect:\n  dns:\n    prot: 1\n",
		"f.yaml:3: unknown key redirect.dns.prot; did you mean redirect.dns.port?");
	refused("captureAll: true\n", "f.yaml:1: unknown key captureAll; meshdns-redirect(8)");
	refused("redirect.dns.port: 1\n", "f.yaml:1: unknown key redirect.dns.port");
	refused("'': 1\n", "f.yaml:1: unknown key ");
	refused("redirect: {'': 1}\n", "f.yaml:1: unknown key redirect.");
	refused("Verbose: true\n", "f.yaml:1: unknown key Verbose; did you mean verbose?");
	refused("log: &l {level: 1}\n<<: *l\n", "f.yaml:1: log: anchors");
	refused("<<: {level: 1}\n", "f.yaml:1: unknown key <<");
}

Test(settings_yaml, ebpf_that_is_off_is_nothing)
{
	struct settings s;

	takes("ebpf:\n"
	      "  enabled: false\n"
	      "  instanceIP: 10.0.0.1\n"
	      "  bpffsPath: /sys/fs/bpf\n"
	      "  cgroupPath: /sys/fs/cgroup\n"
	      "  tcAttachIface: eth0\n"
	      "  programsSourcePath: /tmp/kuma-ebpf\n",
	      &s);
	settings_free(&s);
	takes("ebpf:\n", &s);
	settings_free(&s);
}

Test(settings_yaml, removed_keys_say_what_to_use)
{
	refused("ebpf:\n  enabled: true\n",
		"f.yaml:2: ebpf.enabled: this was removed: leave it out");
	refused("storeFirewalld: yes\n", "f.yaml:1: storeFirewalld: must be true or false");
	refused("redirect: {inbound: {excludePortsForUIDs: ['80:1']}}\n",
		"f.yaml:1: redirect.inbound.excludePortsForUIDs: \"80:1\": what comes in");
}

Test(settings_yaml, keys_given_twice)
{
	refused("wait: 1\nwait: 1\n", "f.yaml:2: wait: given twice");
	refused("log: {level: 1}\nlog: {enabled: true}\n", "f.yaml:2: log: given twice");
	refused("redirect:\n  dns: {port: 1}\n  dns: {port: 1}\n",
		"f.yaml:3: redirect.dns: given twice");
	refused("verbose:\nverbose: true\n", "f.yaml:2: verbose: given twice");
}

Test(settings_yaml, values_of_the_wrong_type)
{
	refused("verbose: yes\n", "f.yaml:1: verbose: must be true or false");
	refused("verbose: 1\n", "f.yaml:1: verbose: must be true or false");
	refused("verbose: 'true'\n", "f.yaml:1: verbose: must be true or false");
	refused("verbose: [true]\n", "f.yaml:1: verbose: must be one value, not a list");
	refused("verbose: {a: b}\n", "f.yaml:1: verbose: must be a value; there are no keys");
	refused("redirect: {dns: {port: '53'}}\n", "f.yaml:1: redirect.dns.port: must be a number");
	refused("redirect: {dns: {port: 0}}\n", "f.yaml:1: redirect.dns.port: \"0\" is not a port");
	refused("redirect: {dns: {port: 5e3}}\n", "f.yaml:1: redirect.dns.port: \"5e3\" is not");
	refused("kumaDPUser: true\n", "f.yaml:1: kumaDPUser: must be text");
	refused("redirect: true\n", "f.yaml:1: redirect: must have keys under it");
	refused("redirect: []\n", "f.yaml:1: redirect: must have keys under it");
	refused("[]\n", "f.yaml:1: must have keys under it");
	refused("text\n", "f.yaml:1: must have keys under it");
	refused("? [a]\n: 1\n", "f.yaml:1: a key must be a word");
	refused("log: {level: 8}\n", "f.yaml:1: log.level: \"8\" is not a syslog level");
	refused("ipFamilyMode: v4\n", "f.yaml:1: ipFamilyMode: \"v4\" is none of");
	refused("redirect:\n  outbound:\n    excludePorts:\n    - 80\n    - [81]\n",
		"f.yaml:5: redirect.outbound.excludePorts: an item must be");
	refused("redirect:\n  outbound:\n    excludePorts:\n    - 80\n    - 0\n",
		"f.yaml:5: redirect.outbound.excludePorts: \"0\" is neither a port");
	refused("redirect: {outbound: {excludePorts: [80, ~]}}\n",
		"f.yaml:1: redirect.outbound.excludePorts: an item is missing");
}

Test(settings_yaml, what_only_an_enemy_writes)
{
	static char deep[60000], many[60000];

	refused("wait: &a 5\nwaitInterval: *a\n", "f.yaml:1: wait: anchors and tags");
	refused("wait: *a\n", "f.yaml:1: wait: aliases are not taken");
	refused("wait: !!int 5\n", "f.yaml:1: wait: anchors and tags");
	refused("!x {}\n", "f.yaml:1: anchors and tags");
	refused("kumaDPUser: \"a\\0b\"\n", "f.yaml:1: kumaDPUser: there is a NUL in it");
	refused("wait: 1\n---\nwait: 2\n", "f.yaml:2: a second document");
	refused("redirect: {inbound: {excludePorts: [\n", "f.yaml:2: no YAML: ");
	refused("wait: 1\n\tb: 2\n", "f.yaml:2: no YAML: ");
	refused("kumaDPUser: \xff\n", "f.yaml: no YAML: ");
	memset(deep, '[', sizeof(deep) - 1);
	refused(deep, "f.yaml:1: must have keys under it");
	memset(many, 'a', sizeof(many) - 1);
	memcpy(many + sizeof(many) - 4, ": 1", 4);
	refused(many, "f.yaml:");
}

Test(settings_yaml, files)
{
	struct settings s = settings_default;
	struct err err = {0};

	cr_expect_eq(settings_parse_file(settings_install_rows, &s, "/no/such", &err), -ENOENT);
	cr_expect_str_eq(err.msg, "cannot open /no/such: No such file or directory");
	cr_expect_eq(settings_parse_file(settings_install_rows, &s, "/dev/zero", &err), -EINVAL);
	cr_expect_eq(settings_parse_file(settings_install_rows, &s, "/", &err), -EINVAL);
}
