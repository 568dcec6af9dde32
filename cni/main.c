/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CNI plugin. Its caller is a container runtime: what is asked is in the environment and on
 * standard input, the answer goes to standard output, and nothing else does.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/conf.h"
#include "cni/log_file.h"
#include "cni/protocol.h"
#include "cni/repair.h"
#include "cni/result.h"
#include "cni/verbs.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "version.h"

#define PROGRAM "meshdns-cni"

static const struct verb *const verbs[] = {&verb_add, &verb_del, &verb_check, &verb_gc,
					   &verb_status};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
	}
	return NULL;
}

/* An open file of ours must not be taken for one of the three. */
static bool open_standard_files(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR | O_NOCTTY)) >= 0 && fd <= STDERR_FILENO)
		;
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int complain(const struct request *request, const struct failure *failure)
{
	const char *version = *request->version ? request->version : PROTOCOL_NEWEST;

	log_error(failure->err.msg, *failure->details ? "details=\"%s\"" : NULL, failure->details);
	result_write_failure(STDOUT_FILENO, version, failure);
	return EXIT_FAILURE;
}

/* Whatever is on standard input, or nothing. */
static int tell_versions(struct request *request)
{
	const char *version = PROTOCOL_NEWEST;
	json_t *asked;

	if (request_read_input(request, STDIN_FILENO, &(struct failure){0}) == 0)
		request->conf = json_loadb(request->text, request->text_len, JSON_ALLOW_NUL, NULL);
	asked = json_object_get(request->conf, "cniVersion");
	if (json_string_length(asked))
		version = json_string_value(asked);
	return result_write_versions(STDOUT_FILENO, version) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int read_request(const struct verb *verb, struct request *request, struct failure *failure)
{
	if (request_check_environment(request, verb->needs, failure) < 0)
		return -1;
	if (request_read_input(request, STDIN_FILENO, failure) < 0 ||
	    request_parse(request, failure) < 0) {
		if (!verb->lenient || failure->code == FAILURE_VERSION)
			return -1;
		log_warning("the configuration makes no sense, and is not needed", "reason=\"%s\"",
			    failure->err.msg);
		return 0;
	}
	if (verb->since && !protocol_is_since(request->version, verb->since))
		return failure_set(failure, FAILURE_VERSION,
				   "config version does not allow %s: it is \"%s\", and must be %s "
				   "or later",
				   verb->name, request->version, verb->since);
	return 0;
}

static void open_log(const struct request *request)
{
	struct conf conf;

	if (conf_read(request->conf, &conf, &(struct failure){0}) < 0)
		conf_read(NULL, &conf, &(struct failure){0});
	log_file_open(conf.log_file, conf.log_level);
}

static int run(const struct verb *verb, struct request *request)
{
	struct failure failure = {.code = FAILURE_INTERNAL};
	cleanup_free char *answer = NULL;
	int rc = read_request(verb, request, &failure);

	open_log(request);
	if (rc < 0 || verb->run(request, &answer, &failure) < 0)
		return complain(request, &failure);
	if (!answer || result_write(STDOUT_FILENO, answer))
		return EXIT_SUCCESS;
	log_error("cannot write the answer", "reason=\"%s\"", err_text(errno));
	return EXIT_FAILURE;
}

/* Not called by a runtime. */
static int introduce(void)
{
	fputs(PROGRAM " " MESHDNS_VERSION ", a CNI plugin: see meshdns-cni(8)\n"
		      "CNI protocol versions supported:",
	      stderr);
	for (size_t i = 0; protocol_supported[i]; i++)
		fprintf(stderr, " %s", protocol_supported[i]);
	fputc('\n', stderr);
	return EXIT_SUCCESS;
}

static int run_by_hand(int argc, char **argv)
{
	log_set_level(LOG_LEVEL_INFO);
	if (!strcmp(argv[1], "repair"))
		return repair_main(argc - 1, argv + 1);
	if (!strcmp(argv[1], "--version")) {
		puts(PROGRAM " " MESHDNS_VERSION);
		return EXIT_SUCCESS;
	}
	fputs("Usage: " PROGRAM " repair [OPTION]...\n"
	      "       " PROGRAM " --version\n"
	      "A container runtime calls it without words; meshdns-cni(8) says how.\n",
	      strcmp(argv[1], "--help") != 0 ? stderr : stdout);
	return strcmp(argv[1], "--help") != 0 ? 2 : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	cleanup_request struct request request;
	struct failure failure = {0};
	const char *command = getenv("CNI_COMMAND");
	const struct verb *verb;

	log_set_program(PROGRAM);
	log_set_level(LOG_LEVEL_WARNING);
	signal(SIGPIPE, SIG_IGN);
	request_read_environment(&request);
	clearenv();           /* what was inherited is nobody's word; the strings stay */
	setenv("TZ", ":", 1); /* the log is in UTC: libc need not read where this node is */
	if (!open_standard_files())
		return EXIT_FAILURE;
	if (!command && argc > 1)
		return run_by_hand(argc, argv);
	if (!command)
		return introduce();
	if (!strcmp(command, "VERSION"))
		return tell_versions(&request);
	if (!(verb = find_verb(command))) {
		failure_set(&failure, FAILURE_ENVIRONMENT, "unknown CNI_COMMAND: %.64s", command);
		return complain(&request, &failure);
	}
	return run(verb, &request);
}
