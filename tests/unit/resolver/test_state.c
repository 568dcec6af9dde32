/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "resolver/state.h"
#include "resolver/state_file.h"
#include "tests/unit/resolver/packets.h"

static const char text[] =
	"{\"records\": ["
	"{\"name\": \"redis.mesh\", \"ips\": [\"240.0.0.2\", \"fd00:fd00::2\"], \"ttl\": 7,"
	" \"ports\": [{\"port\": 6379, \"name\": \"redis\"}]},"
	"{\"name\": \"a.b.c.mesh\", \"ips\": [\"240.0.0.1\", \"240.0.0.2\"]},"
	"{\"name\": \"*.c.mesh\", \"ips\": [\"240.0.0.3\"]},"
	"{\"name\": \"redis.mesh\", \"ips\": [\"240.0.0.9\"], \"ttl\": 9},"
	"{\"name\": \"other.example\", \"alias\": \"redis.mesh\"}], \"ttl\": 30}";

static char dir[] = "/tmp/meshdns-state-XXXXXX";
static char path[64], new_path[64];
static atomic_bool cancel;
static struct err err;

static void make_dir(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/names", dir);
	snprintf(new_path, sizeof(new_path), "%s/names.new", dir);
}

static void remove_dir(void)
{
	unlink(path);
	unlink(new_path);
	cr_expect_eq(rmdir(dir), 0, "something is left in %s", dir);
}

TestSuite(state, .init = make_dir, .fini = remove_dir);

static void write_text(void)
{
	struct names_snapshot *names = table_of(text);

	cr_assert_eq(state_file_write(dir, names, &cancel, &err), 0, "%s", err.msg);
	names_free(names);
}

static struct names_snapshot *read_back(void)
{
	struct names_snapshot *names;

	cr_assert_eq(state_file_read(dir, &table_settings, &names, &err), 0, "%s", err.msg);
	return names;
}

/* How the content, changed by the test, is taken. */
static int parse(const void *data, size_t len)
{
	struct names_snapshot *names;
	void *copy = malloc(len + 1);
	int rc;

	memcpy(copy, data, len);
	if ((rc = state_file_parse(copy, len, &table_settings, &names, &err)) == 0)
		names_free(names);
	free(copy);
	return rc;
}

Test(state, what_was_written_is_read)
{
	struct names_snapshot *was = table_of(text), *names;
	const struct names_record *r, *o;
	struct addr addr;

	write_text();
	names = read_back();
	cr_expect_eq(names_count(names), names_count(was));
	cr_expect_eq(names_bytes(names), names_bytes(was));
	cr_expect_eq(names_negative_ttl(names), 30);
	r = table_find(names, "redis.mesh");
	o = table_find(was, "redis.mesh");
	cr_assert_eq(names_record_size(r), names_record_size(o));
	cr_expect_arr_eq(r, o, names_record_size(r));
	cr_expect_eq(r->domain_len, 6);
	cr_expect_eq(r->n_a, 2);
	cr_expect_neq(r->ports_len, 0);
	cr_expect_neq(table_find(names, "other.example")->alias_len, 0);
	cr_expect_not_null(names_match(names, (const uint8_t *)"\1x\1c\4mesh", 10));
	cr_expect_not(names_has_data(table_find(names, "b.c.mesh")));
	addr_parse("240.0.0.2", &addr);
	cr_expect_eq(names_find_addr(names, &addr)->name_len, 12, "the name added first");
	names_free(names);
	names_free(was);
}

Test(state, the_domain_is_that_of_today)
{
	struct load_settings settings = {.domain = "\7example", .domain_len = 9};
	struct names_snapshot *names;

	write_text();
	cr_assert_eq(state_file_read(dir, &settings, &names, &err), 0, "%s", err.msg);
	cr_expect_eq(table_find(names, "redis.mesh")->domain_len, 0);
	cr_expect_eq(table_find(names, "other.example")->domain_len, 9);
	names_free(names);
}

Test(state, an_empty_table_is_one)
{
	struct names_snapshot *names = table_build(table_new());

	cr_assert_eq(state_file_write(dir, names, &cancel, &err), 0, "%s", err.msg);
	names_free(names);
	names = read_back();
	cr_expect_eq(names_count(names), 0);
	names_free(names);
}

Test(state, every_octet_counts)
{
	cleanup_free char *data = NULL;
	size_t len;

	write_text();
	cr_assert_eq(file_read(path, 1 << 20, &data, &len, &err), 0);
	for (size_t i = 0; i < len; i++) {
		data[i] ^= 0x10;
		cr_expect_eq(parse(data, len), -EBADMSG, "octet %zu is not looked at", i);
		data[i] ^= 0x10;
		cr_expect_eq(parse(data, i), -EBADMSG, "%zu octets are not all", i);
	}
	cr_expect_eq(parse(data, len + 1), -EBADMSG);
	cr_expect_eq(parse(data, len), 0);
}

#ifdef __clang__ /* `data` is the record's flexible array */
#pragma clang diagnostic ignored "-Wgnu-variable-sized-type-not-at-end"
#endif

/* A part that is good but for what a test does to it; the hashes are always right. */
struct crafted {
	struct state_header header;
	struct names_record record;
	uint8_t data[60];
};

static struct crafted craft(void)
{
	struct crafted c = {.header.n_parts = 1,
			    .record = {.name_len = 6, .alias_len = 3, .n_a = 1, .ports_len = 6}};

	memcpy(c.record.data, "\4name\0\1a\0\1\2\3\4\0\1\6\2ab", 19);
	return c;
}

static int parse_crafted(struct crafted *c, size_t data_len)
{
	size_t len = sizeof(c->record) + data_len;

	state_file_seal(&c->header, &c->record, len);
	return parse(c, sizeof(c->header) + len);
}

Test(state, right_hashes_excuse_nothing)
{
	struct crafted c = craft();
	size_t len = names_record_size(&c.record) - sizeof(c.record);

	cr_assert_eq(parse_crafted(&c, len), 0, "%s", err.msg);
	cr_expect_eq(parse_crafted(&c, len - 4), -EBADMSG);
	cr_expect_eq(parse_crafted(&c, len + 4), -EBADMSG);
#define REFUSED(change) \
	c = craft();    \
	change;         \
	cr_expect_eq(parse_crafted(&c, len), -EBADMSG, #change)
	REFUSED(c.header.n_parts = 0);
	REFUSED(c.header.n_parts = 2);
	REFUSED(c.header.n_parts = UINT64_MAX);
	REFUSED(c.record.flags = NAMES_TREE);
	REFUSED(c.record.flags = NAMES_PARTS);
	REFUSED(c.record.ttl = NAMES_TTL_MAX + 1);
	REFUSED(c.record.n_a = 9);
	REFUSED(c.record.n_aaaa = 1);
	REFUSED(c.record.data[0] = 3);
	REFUSED(c.record.data[0] = 5);
	REFUSED(c.record.data[0] = 0xc0);
	REFUSED(c.record.data[1] = 'N');
	REFUSED(c.record.name_len = 5);
	REFUSED(c.record.name_len = 0);
	REFUSED(c.record.data[6] = 2);
	REFUSED(c.record.alias_len = 2);
	REFUSED(c.record.ports_len = 5);
	REFUSED(c.record.ports_len = 3);
	REFUSED(c.record.data[16] = 3);
	REFUSED(c.record.data[16] = 1);
#undef REFUSED
}

Test(state, only_what_nobody_else_could_write_is_believed)
{
	struct names_snapshot *names;

	cr_expect_eq(state_file_read(dir, &table_settings, &names, &err), -ENOENT);
	write_text();
	chmod(path, 0620);
	cr_expect_eq(state_file_read(dir, &table_settings, &names, &err), -EPERM);
	chmod(path, 0602);
	cr_expect_eq(state_file_read(dir, &table_settings, &names, &err), -EPERM);
	chmod(path, 0644);
	names_free(read_back());
	if (geteuid() == 0) {
		cr_assert_eq(chown(path, 65534, 65534), 0);
		cr_expect_eq(state_file_read(dir, &table_settings, &names, &err), -EPERM);
	}
	rename(path, new_path);
	cr_assert_eq(symlink(new_path, path), 0);
	cr_expect_eq(state_file_read(dir, &table_settings, &names, &err), -ELOOP);
}

Test(state, one_writes_at_a_time_and_leaves_no_rest)
{
	struct names_snapshot *names = table_of(text);
	cleanup_fd int fd = open(dir, O_RDONLY);
	atomic_bool yes = true;

	cr_assert_eq(flock(fd, LOCK_EX), 0);
	cr_expect_eq(state_file_write(dir, names, &cancel, &err), -EAGAIN);
	flock(fd, LOCK_UN);
	cr_expect_eq(state_file_write(dir, names, &yes, &err), -ECANCELED);
	cr_expect_neq(access(new_path, F_OK), 0);
	cr_assert_eq(file_replace(new_path, "rest", 4, 0666, &err), 0);
	cr_expect_eq(state_file_write(dir, names, &cancel, &err), 0, "%s", err.msg);
	cr_expect_neq(access(new_path, F_OK), 0);
	names_free(read_back());
	names_free(names);
}

/* `n` names with one address, so that tables that are mixed show. */
static struct names_snapshot *table_with(const char *address, int n)
{
	struct table *t = table_new();
	char name[32];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "n%d.mesh", i);
		table_add(t, name, address, 60);
	}
	return table_build(t);
}

static int check_address(void *arg, const struct names_record *part, const uint8_t *name,
			 size_t len)
{
	(void)name;
	(void)len;
	return memcmp(arg, names_record_a(part), 4);
}

Test(state, whoever_is_killed_over_it_leaves_a_whole_one)
{
	struct names_snapshot *a = table_with("240.0.0.1", 3000);
	struct names_snapshot *b = table_with("240.0.0.2", 2000);
	char first[] = "\xf0\0\0\1", second[] = "\xf0\0\0\2";

	cr_assert_eq(state_file_write(dir, a, &cancel, &err), 0, "%s", err.msg);
	for (int i = 0; i < 60; i++) {
		struct names_snapshot *names;
		pid_t child = fork();

		while (child == 0) {
			state_file_write(dir, b, &cancel, NULL);
			state_file_write(dir, a, &cancel, NULL);
		}
		usleep((useconds_t)(i * 100));
		kill(child, SIGKILL);
		cr_assert_eq(waitpid(child, NULL, 0), child);
		names = read_back();
		cr_assert(names_count(names) == 3000 || names_count(names) == 2000);
		cr_expect_eq(names_each(names, check_address,
					names_count(names) == 3000 ? first : second),
			     0, "names of two tables");
		names_free(names);
	}
	names_free(a);
	names_free(b);
}

/* --- when ------------------------------------------------------------------------------------ */

static struct state state;

/* Runs it until it wants to be left alone; returns until when. */
static int64_t run_until_idle(const struct names_snapshot *names, int64_t now_ms)
{
	int64_t next_ms = state_run(&state, names, now_ms);

	while (state.writing) {
		usleep(1000);
		next_ms = state_run(&state, names, now_ms);
	}
	return next_ms;
}

Test(state, written_after_a_moment_and_then_not_for_long)
{
	struct table *t = table_new();
	struct names_change nothing = {.negative_ttl = 60, .is_partial = true};
	struct names_snapshot *partial, *first, *second, *third;

	cr_assert_eq(names_update(NULL, &nothing, &partial, &err), 0);
	table_add(t, "a.mesh", "240.0.0.1", 60);
	first = table_snapshot(t, partial);
	table_add(t, "b.mesh", "240.0.0.2", 60);
	second = table_snapshot(t, first);
	cr_assert_eq(state_init(&state, dir, &err), 0, "%s", err.msg);
	state_names_replaced(&state, NULL, partial, 500);
	cr_expect_eq(run_until_idle(partial, 500), INT64_MAX,
		     "the next start would take it for all");
	state_names_replaced(&state, partial, first, 1000);
	cr_expect_eq(run_until_idle(first, 1000), 1000 + STATE_SETTLE_MS);
	cr_expect_eq(state.saved, 0);
	cr_expect_eq(run_until_idle(first, 1000 + STATE_SETTLE_MS), INT64_MAX);
	cr_expect_eq(state.saved, 1);

	state_names_replaced(&state, first, second, 2000);
	cr_expect_eq(run_until_idle(second, 2000), 1000 + STATE_SETTLE_MS + STATE_PAUSE_MS);
	cr_expect_eq(run_until_idle(second, 9000), INT64_MAX);
	cr_expect_eq(state.saved, 2);

	cr_assert_eq(names_update(second, &(struct names_change){.negative_ttl = 60}, &third, &err),
		     0);
	state_names_replaced(&state, second, third, 20000);
	cr_expect_eq(run_until_idle(third, 20000), INT64_MAX, "nothing has changed");
	state_close(&state, third, true);
	names_free(third);
	third = read_back();
	cr_expect_eq(names_count(third), 2);
	names_free(third);
	table_free(t);
}

/* Snapshots replaced while the thread writes stay until it ends; a sanitizer sees if not. */
Test(state, what_is_replaced_meanwhile_is_held)
{
	struct table *t = table_new();
	struct names_snapshot *names = table_snapshot(t, NULL), *next;
	size_t most = 0;
	char name[32];

	cr_assert_eq(state_init(&state, dir, &err), 0);
	state_names_replaced(&state, NULL, names, 0);
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "n%d.mesh", i);
		load_free(&t->load);
		t->load = (struct load){
			.settings = &table_settings, .ttl = 60, .warnings = &t->warnings};
		table_add(t, name, "240.0.0.1", 60);
		next = table_snapshot(t, names);
		state_names_replaced(&state, names, next, i * INT64_C(10000));
		names = next;
		state_run(&state, names, i * INT64_C(10000));
		most = state.n_held > most ? state.n_held : most;
	}
	cr_expect_gt(most, 0, "nothing was ever held");
	state_close(&state, names, true);
	names_free(names);
	names = read_back();
	cr_expect_eq(names_count(names), 2000);
	names_free(names);
	table_free(t);
}

Test(state, a_folder_that_cannot_be_used)
{
	struct names_snapshot *names = table_of(text);

	cr_expect_eq(state_init(&state, path, &err), -ENOENT);
	cr_assert_eq(file_replace(path, "", 0, 0600, &err), 0);
	cr_expect_eq(state_init(&state, path, &err), -ENOTDIR);
	state.dir = path; /* as if it had vanished since */
	state_names_replaced(&state, NULL, names, 0);
	run_until_idle(names, 1000);
	cr_expect_eq(state.failed, 1);
	cr_expect(state.changed, "to be tried again");
	state_close(&state, names, false);
	names_free(names);
}
