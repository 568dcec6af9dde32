/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that libcni keeps of an attachment: the request made of it is one that the plugin takes.
 */
#include <stdlib.h>
#include <string.h>

#include "cni/cache.h"
#include "cni/pod.h"
#include "common/log.h"
#include "tests/fuzz/fuzz.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static int look(const struct cache_entry *cached, void *arg)
{
	json_t *entry = json_pack("{s:s}", "type", "meshdns-cni");
	struct failure failure = {0};
	struct pod pod = {0};
	struct request request;

	(void)arg;
	must(cached->container && cached->ifname && cached->network && cached->netns &&
	     cached->args);
	if (cache_request(cached, entry, &request)) {
		must(*request.container && *request.ifname && json_is_object(request.conf));
		must(pod_read(&request, &pod, &failure) == 0 || *failure.err.msg);
		pod_free(&pod);
		request_free(&request);
	}
	json_decref(entry);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	log_set_level(LOG_LEVEL_ERROR);
	cache_read((const char *)data, size, look, NULL);
	return 0;
}
