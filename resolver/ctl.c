/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/ctl.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "resolver/ctl_parts.h"
#include "resolver/metrics.h"
#include "version.h"

json_t *ctl_error(const struct err *err)
{
	return json_pack("{s:s}", "error", err->msg);
}

/* NULL where it is no source. */
static json_t *kuma_state(const struct kuma *k)
{
	if (!k)
		return NULL;
	return json_pack("{s:s,s:b,s:s,s:I,s:I,s:s*}", "socket", k->path, "has_names",
			 (int)k->has_map, "etag", k->etag, "polls", (json_int_t)k->polls, "errors",
			 (json_int_t)k->errors, "problem",
			 *k->complaint.msg ? k->complaint.msg : NULL);
}

/* Answers and denials. */
static json_int_t both(const stats_counter counter[2])
{
	uint64_t sum = stats_get(&counter[0]) + stats_get(&counter[1]);

	return (json_int_t)sum;
}

/* NULL where there is no cache. */
static json_t *cache_state(const struct settings *s, const struct stats_cache *c)
{
	if (!s->cache)
		return NULL;
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "bytes", (json_int_t)s->cache,
			 "entries", both(c->entries), "hits", both(c->hits), "misses",
			 (json_int_t)stats_get(&c->misses), "prefetches",
			 (json_int_t)stats_get(&c->prefetches), "evictions", both(c->evictions),
			 "served_stale", (json_int_t)stats_get(&c->stale), "not_kept",
			 (json_int_t)stats_get(&c->drops));
}

static json_t *cmd_status(struct ctl *ctl)
{
	const struct facts *f = ctl->facts;
	struct stats_tally questions;
	struct stats total = {0};
	uint64_t answers = 0;
	char text[ENDPOINT_TEXT_MAX];

	eyes_sum(f, &total);
	stats_book_sum(f->pages, &questions);
	for (int writer = 0; writer < STATS_WRITERS; writer++) {
		for (int rcode = 0; rcode < STATS_RCODES; rcode++)
			answers += stats_get(&questions.responses[writer][rcode]);
	}
	return json_pack("{s:s,s:i,s:b,s:s?,s:s,s:i,s:I,s:s,s:f,s:I,s:I,s:I,s:b,s:o*,s:o*}",
			 "version", MESHDNS_VERSION, "pid", (int)getpid(), "ready", !f->not_ready,
			 "reason", f->not_ready, "listens", endpoint_format(&f->server, text),
			 "workers", (int)f->n_workers, "names", (json_int_t)f->names, "names_from",
			 ctl_names_from(f), "names_age_s",
			 (double)(f->now_ms - f->loaded_ms) / 1000, "answers", (json_int_t)answers,
			 "loops", (json_int_t)stats_get(&total.loops), "resident_kib",
			 (json_int_t)(metrics_rss() / 1024), "query_log", (int)ctl->log->on, "kuma",
			 kuma_state(f->kuma), "cache", cache_state(f->settings, &questions.cache));
}

static json_t *cmd_flush(struct ctl *ctl, char **words, size_t n)
{
	uint8_t name[DNS_NAME_MAX];
	size_t len = n ? wire_name_from_text(words[0], strlen(words[0]), name) : 0;
	struct stats_tally questions;
	struct err err = {0};

	if (n && !len) {
		err_set(&err, EINVAL, "\"%.64s\" is not a name", words[0]);
		return ctl_error(&err);
	}
	stats_book_sum(ctl->facts->pages, &questions);
	recall_order_flush(&ctl->facts->flush, name, len);
	if (n)
		return json_pack("{s:s}", "flushed", words[0]);
	return json_pack("{s:I}", "flushed", both(questions.cache.entries));
}

static json_t *cmd_reload(struct ctl *ctl)
{
	ctl->facts->reload_wanted = true;
	return json_pack("{s:s}", "done", "the names are being read again");
}

static json_t *log_state(const struct ctl *ctl)
{
	const struct querylog *log = ctl->log;

	return json_pack("{s:b,s:I,s:I,s:s?,s:I,s:I,s:I}", "query_log", (int)log->on, "sample",
			 (json_int_t)log->sample, "rate", (json_int_t)log->rate, "name",
			 *log->suffix ? log->suffix : NULL, "written", (json_int_t)log->written,
			 "kept_back", (json_int_t)log->kept_back, "lost",
			 (json_int_t)eyes_lost(ctl->facts));
}

static json_t *cmd_log(struct ctl *ctl, char **words, size_t n)
{
	struct err err = {0};

	if (!strcmp(words[0], "on")) {
		if (querylog_start(ctl->log, words + 1, n - 1, ctl->facts->now_ms, &err) < 0)
			return ctl_error(&err);
	} else if (!strcmp(words[0], "off") && n == 1) {
		ctl->log->on = false;
	} else {
		err_set(&err, EINVAL, "log on or log off, not \"%.64s\"", words[0]);
		return ctl_error(&err);
	}
	return log_state(ctl);
}

static const struct {
	const char *name;
	size_t min, max; /* words behind the name */
	json_t *(*simple)(struct ctl *ctl);
	json_t *(*with_words)(struct ctl *ctl, char **words, size_t n);
} commands[] = {
	{"status", 0, 0, .simple = cmd_status},
	{"names", 0, 3, .with_words = ctl_names},
	{"upstreams", 0, 0, .simple = ctl_upstreams},
	{"flush", 0, 1, .with_words = cmd_flush},
	{"reload", 0, 0, .simple = cmd_reload},
	{"log", 1, 5, .with_words = cmd_log},
	{"lookup", 1, 2, NULL, NULL}, /* ctl_lookup.c */
};

/* The object to answer with; NULL: there will be an answer later. */
static json_t *run(struct ctl *ctl, struct oneshot_conn *conn, char **words, size_t n)
{
	struct err err = {0};

	for (size_t i = 0; n > 0 && i < ARRAY_SIZE(commands); i++) {
		if (strcmp(words[0], commands[i].name) != 0)
			continue;
		if (n - 1 < commands[i].min || n - 1 > commands[i].max) {
			err_set(&err, EINVAL, "%s does not go with %zu words", words[0], n - 1);
			return ctl_error(&err);
		}
		if (commands[i].simple)
			return commands[i].simple(ctl);
		if (commands[i].with_words)
			return commands[i].with_words(ctl, words + 1, n - 1);
		if (ctl_lookup_start(ctl, conn, words[1], n > 2 ? words[2] : "A", &err) < 0)
			return ctl_error(&err);
		return NULL;
	}
	err_set(&err, EINVAL, "no such command: \"%.64s\"", n ? words[0] : "");
	return ctl_error(&err);
}

bool ctl_answer(struct ctl *ctl, struct oneshot_conn *conn, const char *line, size_t len, FILE *out)
{
	char text[ONESHOT_REQUEST_MAX + 1], *words[CTL_WORDS_MAX] = {NULL}, *rest;
	struct err err = {0};
	json_t *answer;
	size_t n = 0;

	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	memcpy(text, line, len);
	text[len] = '\0';
	for (size_t i = 0; i < len; i++) {
		/* Whatever is said back goes into JSON and onto a terminal. */
		if (text[i] != ' ' && (text[i] < '!' || text[i] > '~'))
			text[i] = '?';
	}
	for (char *word = strtok_r(text, " ", &rest); word && n < CTL_WORDS_MAX;
	     word = strtok_r(NULL, " ", &rest))
		words[n++] = word;
	if (n == CTL_WORDS_MAX) {
		err_set(&err, E2BIG, "too many words");
		answer = ctl_error(&err);
	} else if (!(answer = run(ctl, conn, words, n))) {
		return false;
	}
	json_dumpf(answer, out, JSON_COMPACT);
	fputc('\n', out);
	json_decref(answer);
	return true;
}

static bool is_whole(const char *in, size_t len)
{
	return memchr(in, '\n', len) != NULL;
}

static bool answer(void *context, struct oneshot_conn *conn, FILE *out)
{
	const char *end = memchr(conn->in, '\n', conn->in_len);

	return ctl_answer(context, conn, conn->in, end ? (size_t)(end - conn->in) : conn->in_len,
			  out);
}

static bool admit(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

void ctl_init(struct ctl *ctl, int fd)
{
	ctl->inode = fd >= 0 ? file_inode(ctl->facts->settings->control) : 0;
	ctl->lookup.fd = -1;
	ctl->server.admit = admit;
	ctl->server.is_whole = is_whole;
	ctl->server.answer = answer;
	ctl->server.context = ctl;
	oneshot_init(&ctl->server, fd);
}

void ctl_close(struct ctl *ctl)
{
	if (ctl->server.fd >= 0 && file_inode(ctl->facts->settings->control) == ctl->inode)
		unlink(ctl->facts->settings->control);
	if (ctl->lookup.fd >= 0)
		close(ctl->lookup.fd);
	oneshot_close(&ctl->server);
}

/* Nobody listens there any more. */
static bool is_dead(const struct sockaddr_un *sa)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0 &&
	       errno == ECONNREFUSED;
}

/* The folder, and ours: the socket is to be removed at the end, without root. */
static void make_folder(const char *path, const struct user *user)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	if (!(slash = strrchr(folder, '/')) || slash == folder)
		return;
	*slash = '\0';
	if (mkdir(folder, 0755) == 0 && chown(folder, user->uid, user->gid) < 0)
		log_debug("cannot give the folder away", "folder=%s", folder);
}

int ctl_listen(const char *path, const struct user *user, bool replace, int *ret_fd,
	       struct err *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t mask;
	int rc;

	if (strlen(path) >= sizeof(sa.sun_path))
		return err_set(err, ENAMETOOLONG, "--control %s: too long for a socket", path);
	memcpy(sa.sun_path, path, strlen(path));
	make_folder(path, user);
	mask = umask(0117);
	rc = bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	if (rc < 0 && errno == EADDRINUSE && (replace || is_dead(&sa)) && unlink(path) == 0)
		rc = bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	umask(mask);
	if (rc < 0 || (geteuid() == 0 && chown(path, user->uid, user->gid) < 0) ||
	    listen(fd, 8) < 0)
		return err_set(err, errno, "cannot make the control socket %s: %s", path,
			       err_text(errno));
	*ret_fd = take_fd(&fd);
	return 0;
}
