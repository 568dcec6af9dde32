/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cni/store.h"
#include "common/cleanup.h"
#include "tests/unit/cni/requests.h"

static char top[] = "/tmp/meshdns-store-XXXXXX", path[64];
static const struct namespace ns = {.fd = -1, .dev = 4, .ino = 4026532000};

static void setup(void)
{
	cr_assert_not_null(mkdtemp(top));
	snprintf(path, sizeof(path), "%s/a/b", top);
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", top);
	cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}

TestSuite(store, .init = setup, .fini = teardown);

static struct store open_store(bool create)
{
	struct store store;
	struct failure failure = {0};

	cr_assert_eq(store_open(path, create, &store, &failure), 0, "%s", failure.err.msg);
	return store;
}

static void save(const struct store *store, const char *container, const char *ifname)
{
	cleanup_request struct request request =
		request_parsed(REQUEST(", \"inject\": \"always\", \"theirs\": \"\\u0000\""));
	struct failure failure = {0};

	request.container = container;
	request.ifname = ifname;
	request.args = "A=1";
	cr_assert_eq(store_save(store, &request, &ns, &failure), 0, "%s", failure.err.msg);
}

static bool is_there(const struct store *store, const char *container, const char *ifname)
{
	cleanup_attachment struct attachment attachment;
	struct failure failure = {0};
	bool found;

	cr_assert_eq(store_load(store, container, ifname, &found, &attachment, &failure), 0);
	return found;
}

Test(store, that_is_not_there_is_empty)
{
	cleanup_store struct store store = open_store(false);
	struct failure failure = {0};

	cr_expect_eq(store.dir, -1);
	cr_expect_not(is_there(&store, "c", "eth0"));
	cr_expect_eq(store_remove(&store, "c", "eth0", &failure), 0);
	cr_expect_not(store_knows(&store, "c", NULL));
}

Test(store, remembers_and_forgets)
{
	cleanup_attachment struct attachment attachment;
	cleanup_store struct store store = open_store(true);
	struct failure failure = {0};
	bool found;

	save(&store, "c", "eth0");
	cr_assert_eq(store_load(&store, "c", "eth0", &found, &attachment, &failure), 0);
	cr_assert(found);
	cr_expect_str_eq(attachment.request.container, "c");
	cr_expect_str_eq(attachment.request.network, "net");
	cr_expect_str_eq(attachment.request.args, "A=1");
	cr_expect(attachment.ns.ino == ns.ino && attachment.ns.dev == ns.dev);
	cr_expect_not_null(json_object_get(attachment.request.conf, "inject"));
	cr_expect_eq(store_remove(&store, "c", "eth0", &failure), 0);
	cr_expect_eq(store_remove(&store, "c", "eth0", &failure), 0);
	cr_expect_not(is_there(&store, "c", "eth0"));
}

Test(store, knows_the_interfaces_of_a_container)
{
	cleanup_store struct store store = open_store(true);

	save(&store, "c", "eth0");
	save(&store, "cc", "eth1");
	cr_expect(store_knows(&store, "c", NULL));
	cr_expect_not(store_knows(&store, "c", "eth0"));
	save(&store, "c", "eth1");
	cr_expect(store_knows(&store, "c", "eth0"));
	close(openat(store.dir, ".d:eth0.new", O_WRONLY | O_CREAT, 0600));
	cr_expect_not(store_knows(&store, ".d", NULL), "it is being written");
}

Test(store, a_file_of_somebody_else_is_nothing)
{
	static const char *const texts[] = {
		"", "{", "[]", "{\"container\": 1}",
		("{\"container\":\"c\",\"ifname\":\"eth0\",\"netns\":\"\","
		 "\"args\":\"\",\"dev\":1,\"ino\":1,\"conf\":[]}")};
	cleanup_store struct store store = open_store(true);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int fd = openat(store.dir, "c:eth0", O_WRONLY | O_CREAT | O_TRUNC, 0600);

		cr_assert_eq(write(fd, texts[i], strlen(texts[i])), (ssize_t)strlen(texts[i]));
		close(fd);
		cr_expect_not(is_there(&store, "c", "eth0"), "%s", texts[i]);
	}
}

Test(store, one_at_a_time_for_each_namespace)
{
	const struct namespace other = {.fd = -1, .dev = 4, .ino = ns.ino + 1};
	cleanup_store struct store store = open_store(true);
	struct flock byte = {.l_type = F_WRLCK, .l_start = (off_t)ns.ino, .l_len = 1};
	struct failure failure = {0};
	cleanup_fd int lock = -1, second = -1;
	cleanup_fd int third = openat(store.dir, ".lock", O_RDWR | O_CREAT, 0600);

	cr_assert_eq(store_lock(&store, &ns, &lock, &failure), 0);
	cr_assert_eq(store_lock(&store, &other, &second, &failure), 0);
	cr_expect(fcntl(third, F_OFD_SETLK, &byte) < 0 && errno == EAGAIN);
	close(take_fd(&lock));
	cr_expect_eq(fcntl(third, F_OFD_SETLK, &byte), 0);
}
