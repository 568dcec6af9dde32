/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The iptables backend: a plan as chains of its own in the tables raw, mangle and nat, and jumps to
 * them from the built-in chains. Written by iptables-restore --noflush, read by iptables-save.
 *
 * One document a family. iptables-restore commits a table at once, but one table after the other,
 * and one family after the other; so what captures (nat) comes last and goes first, and when
 * anything is refused, what was there before is put back, line by line, whoever wrote it.
 *
 * Both flavours are the same but for their programs, and for the lock that the legacy one takes: we
 * ask it to wait.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "iptables/backend.h"
#include "iptables/xt_exec.h"
#include "iptables/xt_lines.h"
#include "iptables/xt_probe.h"

#define STATUS_PARAMETER 2 /* iptables' exit status for what it does not understand */
#define STATUS_VERSION   3

static const sa_family_t families[] = {AF_INET, AF_INET6};
#define FAMILIES ARRAY_SIZE(families)

struct xt {
	const struct backend_options *options;
	enum xt_flavour flavour;
	struct xt_lines there[FAMILIES]; /* as they were read */
};

static void xt_free(struct xt *xt)
{
	for (size_t i = 0; i < FAMILIES; i++)
		xt_lines_free(&xt->there[i]);
}

#define cleanup_xt __attribute__((cleanup(xt_free)))

static const char *family_name(size_t i)
{
	return families[i] == AF_INET ? "IPv4" : "IPv6";
}

/* A kernel without IPv6, or with it switched off at boot, has no tables for it either. */
static bool host_has(sa_family_t family)
{
	return family == AF_INET || access("/proc/thread-self/net/if_inet6", F_OK) == 0;
}

/* --- reading --- */

static int read_family(struct xt *xt, size_t i, struct err *err)
{
	cleanup_free char *output = NULL;
	char path[PATH_MAX];
	const char *const argv[] = {path, "-c", NULL};
	struct xt_result result;
	int rc;

	xt_lines_free(&xt->there[i]);
	if (!host_has(families[i]))
		return 0;
	if ((rc = xt_find_program(xt->options, xt->flavour, BACKEND_SAVE, families[i], path, err)) <
		    0 ||
	    (rc = xt_run(argv, NULL, XT_SAVE_MAX, &result, err)) < 0)
		return rc;
	output = result.output;
	if (result.status != 0)
		return err_set(err, geteuid() ? EPERM : EIO, "%s ended with status %d%s%s", path,
			       result.status, result.complaint[0] ? ": " : "", result.complaint);
	return xt_lines_of_save(output, &xt->there[i], err);
}

static int read_families(struct xt *xt, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < FAMILIES && rc == 0; i++)
		rc = read_family(xt, i, err);
	return rc;
}

static int read_plan(const struct backend_options *options, enum xt_flavour flavour,
		     struct plan *ret_found, struct err *err)
{
	cleanup_xt struct xt xt = {.options = options, .flavour = flavour};
	int rc = read_families(&xt, err), foreign = 0;

	if (rc < 0)
		return rc;
	if (!xt.there[0].n && !xt.there[1].n)
		return err_set(err, ENOENT, "there are no chains " XT_CHAIN_PREFIX "...");
	for (size_t i = 0; i < FAMILIES; i++) {
		struct err first;

		rc = xt_lines_to_plan(&xt.there[i], families[i], ret_found, foreign ? &first : err);
		if (rc < 0 && rc != -EBADMSG)
			return rc;
		foreign = foreign ? foreign : rc;
	}
	for (size_t i = 0; i < FAMILIES && !foreign; i++)
		foreign = xt_lines_check_hooks(&xt.there[i], families[i], ret_found, err);
	ret_found->installed = true;
	return foreign;
}

/* --- writing --- */

/* The rule that iptables-restore means when it says "line 7". */
static void quote_line(const char *document, const char *complaint, char *buf, size_t size)
{
	const char *number = strstr(complaint, "line");
	unsigned long line;

	*buf = '\0';
	number = number ? strpbrk(number, "0123456789") : NULL;
	line = number ? strtoul(number, NULL, 10) : 0;
	while (line > 1 && (document = strchr(document, '\n'))) {
		document++;
		line--;
	}
	if (line == 1 && document)
		snprintf(buf, size, ": %.*s", (int)strcspn(document, "\n"), document);
}

static void sleep_ms(unsigned int ms)
{
	nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000}, NULL);
}

static int restore(const struct xt *xt, size_t i, const char *document, struct err *err)
{
	char path[PATH_MAX], wait[16], interval[16], rule[200];
	const char *argv[8] = {path, "--noflush", "--counters", "--wait", wait};
	struct xt_result result;
	int rc;

	if ((rc = xt_find_program(xt->options, xt->flavour, BACKEND_RESTORE, families[i], path,
				  err)) < 0)
		return rc;
	snprintf(wait, sizeof(wait), "%u", xt->options->lock_wait_s);
	snprintf(interval, sizeof(interval), "%u", xt->options->lock_interval_us);
	if (xt->options->lock_interval_us) {
		argv[5] = "--wait-interval";
		argv[6] = interval;
	}
	if (xt->flavour == XT_NFT || !xt->options->lock_wait_s)
		argv[3] = NULL;
	for (unsigned int tries = 0;; tries++) {
		if ((rc = xt_run(argv, document, XT_SAVE_MAX, &result, err)) < 0)
			return rc;
		free(result.output);
		if (result.status == 0)
			return 0;
		if (tries == xt->options->retries || result.status == STATUS_PARAMETER ||
		    result.status == STATUS_VERSION || geteuid())
			break;
		log_info("iptables-restore failed, trying again", "program=%s status=%d tries=%u",
			 path, result.status, tries + 1);
		sleep_ms(xt->options->retry_sleep_ms);
	}
	if (geteuid())
		return err_set(err, EPERM, "changing the kernel's rules needs root");
	quote_line(document, result.complaint, rule, sizeof(rule));
	return err_set(err, result.status == STATUS_PARAMETER ? EOPNOTSUPP : EIO,
		       "%s refused the %s rules: %s%s", path, family_name(i), result.complaint,
		       rule);
}

/* Leads from `there` to `wanted`, if that is a way at all. */
static int write_family(const struct xt *xt, size_t i, const struct xt_lines *there,
			const struct xt_lines *wanted, struct err *err)
{
	cleanup_free char *document = NULL;
	size_t size;
	FILE *out;

	if (!there->n && !wanted->n)
		return 0;
	if (!(out = open_memstream(&document, &size)))
		return err_set(err, ENOMEM, "out of memory for the rules");
	xt_lines_print(there, wanted, out);
	if (fclose(out) == EOF)
		return err_set(err, ENOMEM, "out of memory for the rules");
	return restore(xt, i, document, err);
}

/* Puts back what was there, from whatever is there now. */
static void undo(const struct xt *xt, size_t i)
{
	cleanup_xt struct xt now = {.options = xt->options, .flavour = xt->flavour};
	struct err err = {0};

	if (read_family(&now, i, &err) < 0 ||
	    write_family(xt, i, &now.there[i], &xt->there[i], &err) < 0)
		log_error("cannot put back what was there before", "reason=\"%s\"", err.msg);
}

/* All families or none. */
static int write_families(struct xt *xt, const struct xt_lines wanted[FAMILIES], struct err *err)
{
	int rc;

	for (size_t i = 0; i < FAMILIES; i++) {
		if ((rc = write_family(xt, i, &xt->there[i], &wanted[i], err)) == 0)
			continue;
		for (size_t done = 0; done <= i; done++)
			undo(xt, done);
		return rc;
	}
	return 0;
}

static int apply_plan(const struct backend_options *options, enum xt_flavour flavour,
		      const struct plan *expressed, struct err *err)
{
	cleanup_xt struct xt xt = {.options = options, .flavour = flavour}, wanted = {0};
	int rc = read_families(&xt, err);

	for (size_t i = 0; i < FAMILIES && rc == 0; i++)
		rc = xt_lines_of_plan(expressed, families[i], &wanted.there[i], err);
	return rc < 0 ? rc : write_families(&xt, wanted.there, err);
}

static int remove_all(const struct backend_options *options, enum xt_flavour flavour,
		      bool *ret_was_there, struct err *err)
{
	static const struct xt_lines none[FAMILIES];
	cleanup_xt struct xt xt = {.options = options, .flavour = flavour};
	int rc = read_families(&xt, err);

	*ret_was_there = xt.there[0].n || xt.there[1].n;
	return rc < 0 ? rc : write_families(&xt, none, err);
}

static int express(const struct plan *plan, struct plan *ret_expressed, struct err *err)
{
	return xt_express(plan, host_has(AF_INET6), ret_expressed, err);
}

static int print_documents(const struct plan *expressed, FILE *out, struct err *err)
{
	static const struct xt_lines none;

	for (size_t i = 0; i < FAMILIES; i++) {
		cleanup_xt_lines struct xt_lines wanted = {0};
		int rc = xt_lines_of_plan(expressed, families[i], &wanted, err);

		if (rc < 0)
			return rc;
		if (!wanted.n)
			continue;
		fprintf(out, "### %s ###\n", family_name(i));
		xt_lines_print(&none, &wanted, out);
	}
	if (fflush(out) == EOF || ferror(out))
		return err_set(err, errno ? errno : EIO, "cannot write the rules: %s",
			       err_text(errno ? errno : EIO));
	return 0;
}

/* --- the flavours --- */

static bool nft_is_present(void)
{
	return xt_probe_nft(XT_CHAIN_PREFIX).chain;
}

static bool legacy_is_present(void)
{
	return xt_probe_legacy(XT_CHAIN_PREFIX).chain;
}

#define FLAVOUR(name_, flavour_)                                                               \
	static int name_##_apply(const struct backend_options *options,                        \
				 const struct plan *expressed, bool replace, struct err *err)  \
	{                                                                                      \
		(void)replace;                                                                 \
		return apply_plan(options, flavour_, expressed, err);                          \
	}                                                                                      \
	static int name_##_remove(const struct backend_options *options, bool *ret_was_there,  \
				  struct err *err)                                             \
	{                                                                                      \
		return remove_all(options, flavour_, ret_was_there, err);                      \
	}                                                                                      \
	static int name_##_read(const struct backend_options *options, struct plan *ret_found, \
				struct err *err)                                               \
	{                                                                                      \
		return read_plan(options, flavour_, ret_found, err);                           \
	}                                                                                      \
	const struct backend backend_iptables_##name_ = {                                      \
		.name = "iptables-" #name_,                                                    \
		.place = "chains " XT_CHAIN_PREFIX "*",                                        \
		.is_present = name_##_is_present,                                              \
		.express = express,                                                            \
		.apply = name_##_apply,                                                        \
		.remove = name_##_remove,                                                      \
		.read = name_##_read,                                                          \
		.print = print_documents,                                                      \
	};

FLAVOUR(nft, XT_NFT)
FLAVOUR(legacy, XT_LEGACY)
