/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/load.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

void load_skip(struct load *load, const char *source, const char *place, const char *reason)
{
	if (load->skipped < LOAD_WARNINGS_MAX)
		snprintf(load->warnings[load->skipped], sizeof(load->warnings[0]),
			 "source=%s place=\"%s\" reason=\"%s\"", source, place, reason);
	load->skipped++;
}

static void log_skipped(const struct load *load)
{
	for (size_t i = 0; i < load->skipped && i < LOAD_WARNINGS_MAX; i++)
		log_warning("record skipped", "%s", load->warnings[i]);
	if (load->skipped > LOAD_WARNINGS_MAX)
		log_warning("further records skipped", "count=%zu",
			    load->skipped - LOAD_WARNINGS_MAX);
}

int load_record(struct load *load, const char *source, const char *place, const char *name,
		size_t name_len, const char *address, size_t address_len, uint32_t ttl,
		struct err *err)
{
	char text[ADDR_TEXT_MAX], reason[128];
	uint8_t wire[DNS_NAME_MAX];
	struct addr addr;
	size_t wire_len;

	snprintf(text, sizeof(text), "%.*s", (int)address_len, address);
	/* No address has a NUL in it or is longer than the buffer; a scope has no place in DNS. */
	if (address_len >= sizeof(text) || strlen(text) != address_len || strchr(text, '%') ||
	    !addr_parse(text, &addr)) {
		snprintf(reason, sizeof(reason), "not an address: %.*s",
			 (int)(address_len < 64 ? address_len : 64), address);
		load_skip(load, source, place, reason);
		return 0;
	}
	if (!(wire_len = wire_name_from_text(name, name_len, wire))) {
		snprintf(reason, sizeof(reason), "not a host name: %.*s",
			 (int)(name_len < 64 ? name_len : 64), name);
		load_skip(load, source, place, reason);
		return 0;
	}
	return names_add(load->builder, wire, wire_len, &addr, ttl, err);
}

int load_text(struct load *load, const char *source, const char *text, size_t len, struct err *err)
{
	if (text[strspn(text, " \t\r\n")] == '{')
		return load_json(load, source, text, len, err);
	return load_hosts(load, source, text, len, err);
}

static int load_file(struct load *load, const char *path, struct err *err)
{
	cleanup_free char *text = NULL;
	size_t len;
	int rc;

	if ((rc = file_read(path, LOAD_FILE_MAX, &text, &len, err)) < 0)
		return rc;
	return load_text(load, path, text, len, err);
}

int load_is_names_file(const struct dirent *entry)
{
	const char *ending = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && ending &&
	       (!strcmp(ending, ".hosts") || !strcmp(ending, ".json"));
}

static int load_dir(struct load *load, const char *path, struct err *err)
{
	struct dirent **entries;
	int n = scandir(path, &entries, load_is_names_file, alphasort), rc = 0;

	if (n < 0)
		return err_set(err, errno, "cannot read the folder %s: %s", path, err_text(errno));
	for (int i = 0; i < n; i++) {
		char file[PATH_MAX];

		if (rc == 0 && snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name) >=
				       (int)sizeof(file))
			rc = err_set(err, ENAMETOOLONG, "path too long in %s", path);
		if (rc == 0)
			rc = load_file(load, file, err);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

static int load_source(struct load *load, const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(err, errno, "cannot read the names in %s: %s", path,
			       err_text(errno));
	return S_ISDIR(st.st_mode) ? load_dir(load, path, err) : load_file(load, path, err);
}

int load_snapshot(const struct load_settings *settings, struct names_snapshot **ret_names,
		  struct err *err)
{
	struct load load = {.builder = names_builder_new(), .ttl = settings->ttl};
	int rc = 0;

	if (!load.builder)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < settings->n_sources && rc == 0; i++)
		rc = load_source(&load, settings->sources[i], err);
	if (rc == 0)
		rc = names_build(load.builder, settings->domain, settings->domain_len, ret_names,
				 err);
	if (rc == 0)
		log_skipped(&load);
	names_builder_free(load.builder);
	malloc_trim(0); /* reading takes several times the snapshot's memory, for a moment */
	return rc;
}
