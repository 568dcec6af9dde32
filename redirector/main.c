/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/nearest.h"
#include "redirector/commands.h"
#include "version.h"

#define PROGRAM "meshdns-redirect"

static const struct command *const commands[] = {
	&command_install, &command_plan,      &command_status, &command_diff,
	&command_confirm, &command_uninstall, &command_verify,
};

static void print_usage(FILE *out)
{
	fputs("Usage: " PROGRAM " COMMAND [OPTION]...\n\n"
	      "Redirects the DNS queries of this machine's programs to a local resolver.\n\n"
	      "Commands:\n",
	      out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-11s%s\n", commands[i]->name, commands[i]->summary);
	fputs("\n" PROGRAM " COMMAND --help lists the command's options; --version prints the\n"
	      "version. More in meshdns-redirect(8).\n",
	      out);
}

static void print_command_help(const struct command *command, const struct option_row *rows)
{
	printf("Usage: " PROGRAM " %s [transparent-proxy] [OPTION]...\n\n%s.\n", command->name,
	       command->summary);
	if (command->rows->kind != OPTION_TITLE)
		fputs("\nOptions:\n", stdout);
	options_print_help(rows, stdout);
	printf("\nExamples:\n%s\nExit codes: %s. More in meshdns-redirect(8).\n", command->examples,
	       command->exit_codes ? command->exit_codes
				   : "0 done, 1 usage or configuration, 2 the machine or the\n"
				     "privileges lack something, 3 the kernel refused");
}

static int complain(const struct err *err, enum exit_code code)
{
	log_error(err->msg, NULL);
	return (int)code;
}

static int unknown_command(const char *word)
{
	const char *best = commands[0]->name;

	for (size_t i = 1; i < ARRAY_SIZE(commands); i++) {
		if (nearest_distance(word, commands[i]->name) < nearest_distance(word, best))
			best = commands[i]->name;
	}
	fprintf(stderr, PROGRAM ": there is no command \"%s\"", word);
	if (nearest_is_close(word, nearest_distance(word, best)))
		fprintf(stderr, "; did you mean %s?\n", best);
	else
		fputs("; " PROGRAM " --help lists them\n", stderr);
	return EXIT_CONFIGURATION;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	enum exit_code wrong = command->exit_codes ? EXIT_LACKING : EXIT_CONFIGURATION, code;
	cleanup_settings struct settings settings;
	struct option_row rows[OPTIONS_MAX + 1];
	struct err err = {0};

	options_rows_for(command->rows, command->name, rows);
	if (settings_collect(rows, argc, argv, &settings, &err) < 0)
		return complain(&err, wrong);
	if (settings.help) {
		print_command_help(command, rows);
		return EXIT_DONE;
	}
	if (settings.version) {
		puts(PROGRAM " " MESHDNS_VERSION);
		return EXIT_DONE;
	}
	log_set_level(settings.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING);
	code = command->run(&settings, &err);
	return code == EXIT_DONE || !err.msg[0] ? (int)code : complain(&err, code);
}

int main(int argc, char **argv)
{
	log_set_program(PROGRAM);
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_CONFIGURATION;
	}
	if (!strcmp(argv[1], "--help")) {
		print_usage(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "--version")) {
		puts(PROGRAM " " MESHDNS_VERSION);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(argv[1], commands[i]->name))
			return run_command(commands[i], argc - 2, argv + 2);
	}
	return unknown_command(argv[1]);
}
