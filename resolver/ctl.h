/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: what `meshdns-resolver ctl` talks to. A line of words in, a JSON object and
 * a newline out, closed; root and the resolver's own user only. An answer with the key "error" says
 * why nothing was done, one with "failed" that the name looked up has no answer and why.
 */
#ifndef MESHDNS_RESOLVER_CTL_H
#define MESHDNS_RESOLVER_CTL_H

#include "common/user.h"
#include "resolver/dns.h"
#include "resolver/oneshot.h"
#include "resolver/querylog.h"

#define CTL_PATH      "/run/meshdns/resolver.sock"
#define CTL_WORDS_MAX 8
#define CTL_TRIES_MAX 16 /* of a lookup that are told */

struct facts;

/* What went to a server for a lookup, and what came back. */
struct ctl_try {
	int16_t upstream; /* the server's number */
	bool is_answered, has_failed;
	uint16_t rcode;
	int64_t sent_us, answered_us;
};

/* One question asked through the resolver itself; a second one has to wait its turn. */
struct ctl_lookup {
	int fd; /* UDP, to our own listener; -1: idle */
	uint16_t id;
	int64_t began_ms;
	struct oneshot_conn *conn;
	char name[256];
	char type[16];
	uint8_t wire[DNS_NAME_MAX]; /* the name, lower-cased */
	size_t wire_len;
	struct tap_event seen; /* what the worker told of the answer; size 0: nothing yet */
	struct ctl_try tries[CTL_TRIES_MAX];
	size_t n_tries;
};

struct ctl {
	struct facts *facts;
	struct querylog *log;
	struct tap_wish *wish;
	struct oneshot server;
	ino_t inode; /* of the socket: another one there is a successor's */
	struct ctl_lookup lookup;
};

/*
 * Makes the socket, mode 0660 and `user`'s, and the folder it is in if there is none. What a dead
 * resolver left there is replaced, a living one's is -EADDRINUSE unless `replace` says that we are
 * its successor.
 */
int ctl_listen(const char *path, const struct user *user, bool replace, int *ret_fd,
	       struct err *err);

/* Takes `fd`; -1: there is none. `ctl`'s pointers are set by the caller. */
void ctl_init(struct ctl *ctl, int fd);
void ctl_close(struct ctl *ctl);

/* Answers one line, without its newline. False: later. For oneshot.h and the fuzzer. */
bool ctl_answer(struct ctl *ctl, struct oneshot_conn *conn, const char *line, size_t len,
		FILE *out);

/* --- lookup ---------------------------------------------------------------------------------- */

/* 0: asked, and ctl_lookup_run() will answer `conn`. */
int ctl_lookup_start(struct ctl *ctl, struct oneshot_conn *conn, const char *name, const char *type,
		     struct err *err);
/* What a worker tells about it. */
void ctl_lookup_event(struct ctl *ctl, const struct tap_event *event);
/* Looks whether the answer is there, or it is too late for it. */
void ctl_lookup_run(struct ctl *ctl);

/* --- the other end --------------------------------------------------------------------------- */

enum ctl_exit { CTL_DONE = 0, CTL_REFUSED = 1, CTL_UNREACHABLE = 2, CTL_NO_ANSWER = 3 };

/* `meshdns-resolver ctl …`: argv begins behind "ctl". Returns the exit status. */
int ctl_main(int argc, char **argv);

#endif
