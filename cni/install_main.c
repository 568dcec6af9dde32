/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/cache.h"
#include "cni/install.h"
#include "cni/store.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/options.h"
#include "version.h"

#define PROGRAM    "meshdns-cni-install"
#define ENV_PREFIX "MESHDNS_CNI_"

enum { EXIT_DONE, EXIT_NOT_INSTALLED, EXIT_USAGE };

static int parse_mode(void *settings, const char *value, struct err *err)
{
	struct install_settings *s = settings;

	if (!strcmp(value, "auto"))
		s->mode = INSTALL_AUTO;
	else if (!strcmp(value, "drop-in"))
		s->mode = INSTALL_DROP_IN;
	else if (!strcmp(value, "insert"))
		s->mode = INSTALL_INSERT;
	else
		return err_set(err, EINVAL, "\"%s\" is none of auto, drop-in and insert", value);
	return 0;
}

static int parse_on_exit(void *settings, const char *value, struct err *err)
{
	if (strcmp(value, "keep") != 0 && strcmp(value, "remove") != 0)
		return err_set(err, EINVAL, "\"%s\" is neither keep nor remove", value);
	((struct install_settings *)settings)->remove_on_exit = !strcmp(value, "remove");
	return 0;
}

#define AT(member) offsetof(struct install_settings, member)
static const struct option_row rows[] = {
	{"bin-dir", OPTION_STRING, AT(bin_dir), "DIR",
	 .help = "where the runtime looks for plugins (" INSTALL_BIN_DIR ")", .env = "BIN_DIR"},
	{"net-dir", OPTION_STRING, AT(net_dir), "DIR",
	 .help = "where networks are configured (" NETD_DIR ")", .env = "NET_DIR"},
	{"conf-name", OPTION_STRING, AT(conf_name), "FILE",
	 .help = "which file there (the first that is valid, as the runtime takes it)",
	 .env = "CONF_NAME"},
	{"mode", OPTION_CALL, 0, "MODE",
	 .help = "drop-in: a file of our own beside the network's, which stays as it is; insert: "
		 "into "
		 "the network's list; auto: drop-in, where the running container runtimes are seen "
		 "to "
		 "take it",
	 .parse = parse_mode, .env = "MODE"},
	{"entry", OPTION_STRING, AT(entry), "FILE",
	 .help = "JSON with the plugin's configuration (the capabilities alone)", .env = "ENTRY"},
	{"plugin", OPTION_STRING, AT(plugin), "FILE",
	 .help = "the plugin to install (meshdns-cni beside this program); meshdns-cni-kube beside "
		 "it "
		 "is installed too",
	 .env = "PLUGIN"},
	{"kubeconfig", OPTION_STRING, AT(kubeconfig), "FILE",
	 .help = "make this kubeconfig for the plugin, of the service account",
	 .env = "KUBECONFIG"},
	{"service-account", OPTION_STRING, AT(service_account), "DIR",
	 .help = "where its token and authority are (" INSTALL_ACCOUNT ")",
	 .env = "SERVICE_ACCOUNT"},
	{"on-exit", OPTION_CALL, 0, "WHAT",
	 .help = "watch: what to do when told to end, keep or remove (keep)",
	 .parse = parse_on_exit, .env = "ON_EXIT"},
	{"ready-file", OPTION_STRING, AT(ready_file), "FILE",
	 .help = "watch: is there while all is as it should be", .env = "READY_FILE"},
	{"metrics-file", OPTION_STRING, AT(metrics_file), "FILE",
	 .help = "watch: counters, as Prometheus' node exporter collects them from files",
	 .env = "METRICS_FILE"},
	{"cache-dir", OPTION_STRING, AT(cache_dir), "DIR",
	 .help = "where libcni remembers pods (" CACHE_DIR ")", .env = "CACHE_DIR"},
	{"state-dir", OPTION_STRING, AT(state_dir), "DIR",
	 .help = "where the plugin does (" STORE_DIR ")", .env = "STATE_DIR"},
	{"dry-run", OPTION_BOOL, AT(dry_run), NULL,
	 .help = "say what would be done, and do nothing"},
	{"json", OPTION_BOOL, AT(json), NULL, .help = "status: print JSON"},
	{"help", OPTION_BOOL, AT(help), NULL, .help = "print this"},
	{"version", OPTION_BOOL, AT(version), NULL, .help = "print the version"},
	{0},
};

static int complain(const struct err *err)
{
	log_error(err->msg, NULL);
	return EXIT_NOT_INSTALLED;
}

static int run_install(const struct install_settings *settings)
{
	struct install_state state;
	struct err err = {0};

	if (install_reconcile(settings, &state, &err) < 0)
		return complain(&err);
	if (!state.binary_changes && !state.conf_changes && !settings->dry_run)
		log_info("nothing to do: the plugin is installed already", "network=%s file=%s",
			 state.network, state.file);
	return EXIT_DONE;
}

static int run_watch(const struct install_settings *settings)
{
	struct err err = {0};

	if (settings->dry_run) {
		err_set(&err, EINVAL, "watch cannot be tried with --dry-run; install can");
		complain(&err);
		return EXIT_USAGE;
	}
	return install_watch(settings, &err) < 0 ? complain(&err) : EXIT_DONE;
}

static int run_remove(const struct install_settings *settings)
{
	unsigned int kept_for;
	struct err err = {0};

	if (install_remove(settings, &kept_for, &err) < 0)
		return complain(&err);
	if (kept_for)
		log_warning("the plugin's binary stays, for these pods' deletion will call it; "
			    "remove it again when they are gone",
			    "pods=%u", kept_for);
	return EXIT_DONE;
}

static void print_json(const struct install_settings *settings, const struct install_state *state,
		       bool ready, const struct err *err)
{
	json_t *json = json_pack(
		"{s:b, s:b, s:b, s:b, s:s, s:s, s:s, s:s, s:i, s:s}", "ready", ready, "binary",
		state->binary_there, "kubeconfig", state->kubeconfig_there, "configured",
		state->configured, "network", state->network, "file", state->file, "mode",
		state->drop_ins ? "drop-in" : "insert", "why_mode", state->why_mode, "pods",
		(int)install_pods_left(settings), "problem", err->msg);

	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(json);
}

static void print_text(const struct install_settings *settings, const struct install_state *state,
		       const struct err *err)
{
	printf("binary:        %s\n",
	       state->binary_there ? "installed" : "missing, or another version");
	if (settings->kubeconfig)
		printf("kubeconfig:    %s\n",
		       state->kubeconfig_there ? "installed" : "missing, or different");
	if (*state->file)
		printf("configuration: %s (%s/%s)\nmode:          %s (%s)\n",
		       state->configured ? "installed" : "missing, or different", settings->net_dir,
		       state->file, state->drop_ins ? "drop-in" : "insert", state->why_mode);
	printf("pods:          %u\n", install_pods_left(settings));
	if (*err->msg)
		printf("problem:       %s\n", err->msg);
}

static int run_status(const struct install_settings *settings)
{
	struct install_state state;
	struct err err = {0};
	bool ready;

	install_look(settings, &state, &err);
	ready = state.binary_there && state.kubeconfig_there && state.configured;
	if (settings->json)
		print_json(settings, &state, ready, &err);
	else
		print_text(settings, &state, &err);
	return ready ? EXIT_DONE : EXIT_NOT_INSTALLED;
}

static const struct {
	const char *name, *summary;
	int (*run)(const struct install_settings *settings);
} commands[] = {
	{"install", "put the plugin on this node", run_install},
	{"watch", "put it there, and back whenever somebody takes it away", run_watch},
	{"remove", "take it away", run_remove},
	{"status", "tell whether it is there", run_status},
};

static int print_usage(FILE *out, int code)
{
	fputs("Usage: " PROGRAM " COMMAND [OPTION]...\n\nCommands:\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-9s%s\n", commands[i].name, commands[i].summary);
	fputs("\nOptions, each also in the environment, as " ENV_PREFIX "NET_DIR:\n", out);
	options_print_help(rows, out);
	return code;
}

int main(int argc, char **argv)
{
	struct install_settings settings = {.bin_dir = INSTALL_BIN_DIR,
					    .net_dir = NETD_DIR,
					    .cache_dir = CACHE_DIR,
					    .service_account = INSTALL_ACCOUNT,
					    .state_dir = STORE_DIR};
	struct err err = {0};
	int words = 0;

	log_set_program(PROGRAM);
	if (options_parse_env(rows, &settings, ENV_PREFIX, environ, &err) < 0 ||
	    options_parse(rows, &settings, argc - 1, argv + 1, &words, &err) < 0) {
		complain(&err);
		return EXIT_USAGE;
	}
	if (settings.version) {
		puts(PROGRAM " " MESHDNS_VERSION);
		return EXIT_DONE;
	}
	if (settings.help)
		return print_usage(stdout, EXIT_DONE);
	for (size_t i = 0; words == 1 && i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i].name, argv[1]))
			return commands[i].run(&settings);
	}
	return print_usage(stderr, EXIT_USAGE);
}
