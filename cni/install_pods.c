/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/install.h"

#include <dirent.h>
#include <string.h>

#include "cni/cache.h"
#include "cni/store.h"
#include "common/cleanup.h"

static int count(const char *container, const char *ifname, void *arg)
{
	(void)container;
	(void)ifname;
	++*(unsigned int *)arg;
	return 0;
}

static int count_cached(const struct cache_entry *entry, void *arg)
{
	*(unsigned int *)arg += netd_count_entries(entry->list) > 0;
	return 0;
}

unsigned int install_pods_left(const struct install_settings *settings)
{
	cleanup_store struct store store = {.dir = -1};
	unsigned int remembered = 0, cached = 0;

	if (store_open(settings->state_dir, false, &store, &(struct failure){0}) == 0)
		store_each(&store, count, &remembered);
	cache_each(settings->cache_dir, count_cached, &cached);
	return remembered > cached ? remembered : cached;
}
