/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cgroup.h"
#include "common/cleanup.h"

#define DNS_PORT        53
#define RCODE_SERVFAIL  2
#define HEADER_BYTES    12
#define SECONDS         2
#define OUTSIDE_SECONDS 6 /* the resolver answers within 5, if only that it cannot */
#define EXIT_NO_USER    100

struct message {
	size_t len;
	uint8_t bytes[512];
};

static void put_label(struct message *m, const char *label)
{
	size_t len = strlen(label);

	m->bytes[m->len++] = (uint8_t)len;
	memcpy(m->bytes + m->len, label, len);
	m->len += len;
}

static void make_question(bool outside, struct message *m)
{
	static const uint8_t txt_ch[] = {0, 0, 16, 0, 3}, a_in[] = {0, 0, 1, 0, 1};
	static const uint8_t rd_one_question[] = {1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
	uint32_t random[2] = {0};
	char label[24];

	if (getrandom(random, sizeof(random), 0) < 0)
		random[0] = (uint32_t)getpid();
	memcpy(m->bytes, random, 2);
	memcpy(m->bytes + 2, rd_one_question, sizeof(rd_one_question));
	m->len = HEADER_BYTES;
	if (outside) {
		snprintf(label, sizeof(label), "meshdns-%08x", random[1]);
		put_label(m, label);
		put_label(m, "example");
		put_label(m, "com");
	} else {
		put_label(m, "version");
		put_label(m, "bind");
	}
	memcpy(m->bytes + m->len, outside ? a_in : txt_ch, sizeof(a_in));
	m->len += sizeof(a_in);
}

static enum probe_result judge(const struct message *question, const struct message *answer)
{
	if (answer->len < HEADER_BYTES || memcmp(answer->bytes, question->bytes, 2) != 0 ||
	    !(answer->bytes[2] & 0x80))
		return PROBE_SILENCE;
	if (memmem(answer->bytes + HEADER_BYTES, answer->len - HEADER_BYTES, "meshdns ", 8))
		return PROBE_RESOLVER;
	return (answer->bytes[3] & 0x0f) == RCODE_SERVFAIL ? PROBE_SERVFAIL : PROBE_ANSWER;
}

static enum probe_result result_of_errno(void)
{
	switch (errno) {
	case ECONNREFUSED:
	case ECONNRESET: return PROBE_REFUSED;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EADDRNOTAVAIL: return PROBE_UNREACHABLE;
	case EAGAIN:
	case EINPROGRESS:
	case ETIMEDOUT: return PROBE_SILENCE;
	default: return PROBE_FAILED;
	}
}

/* Over TCP the length goes first. */
static enum probe_result converse(int fd, bool tcp, const struct message *question)
{
	struct message answer = {0};
	uint16_t len = htons((uint16_t)question->len);
	ssize_t n;

	if ((tcp && send(fd, &len, sizeof(len), MSG_NOSIGNAL | MSG_MORE) < 0) ||
	    send(fd, question->bytes, question->len, MSG_NOSIGNAL) < 0)
		return result_of_errno();
	if (tcp) {
		if ((n = recv(fd, &len, sizeof(len), MSG_WAITALL)) < 0)
			return result_of_errno();
		if (n != sizeof(len))
			return PROBE_SILENCE;
		n = recv(fd, answer.bytes,
			 ntohs(len) < sizeof(answer.bytes) ? ntohs(len) : sizeof(answer.bytes),
			 MSG_WAITALL);
	} else {
		n = recv(fd, answer.bytes, sizeof(answer.bytes), 0);
	}
	if (n < 0)
		return result_of_errno();
	answer.len = (size_t)n;
	return judge(question, &answer);
}

static enum probe_result ask(const struct probe *probe)
{
	const struct timeval patience = {.tv_sec = probe->outside ? OUTSIDE_SECONDS : SECONDS};
	const struct endpoint to = {.addr = probe->server, .port = DNS_PORT};
	bool tcp = probe->protocol == IPPROTO_TCP;
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&to, &ss);
	struct message question;
	cleanup_fd int fd =
		socket(probe->server.family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);

	if (fd >= 0 && probe->owner && probe->owner->kind == PLAN_MATCH_MARK &&
	    setsockopt(fd, SOL_SOCKET, SO_MARK, &probe->owner->value, sizeof(probe->owner->value)) <
		    0)
		return PROBE_FAILED;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return PROBE_FAILED;
	if (connect(fd, (const struct sockaddr *)&ss, len) < 0)
		return result_of_errno();
	make_question(probe->outside, &question);
	return converse(fd, tcp, &question);
}

/* Becomes whoever asks. Only root may mark packets, so there the user stays. */
static bool become(const struct probe *probe)
{
	enum plan_match_kind kind = probe->owner ? probe->owner->kind : PLAN_MATCH_END;
	uid_t uid = kind == PLAN_MATCH_UID ? probe->owner->value : probe->uid;
	gid_t gid = kind == PLAN_MATCH_GID ? probe->owner->value : probe->gid;

	if (kind == PLAN_MATCH_MARK)
		return true;
	if (kind == PLAN_MATCH_CGROUP && cgroup_join(probe->owner->cgroup) < 0)
		return false;
	return setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
	       setresuid(uid, uid, uid) == 0;
}

/* In a child: its exit status is the result. */
static _Noreturn void ask_as_user(const struct probe *probe)
{
	_exit(become(probe) ? (int)ask(probe) : EXIT_NO_USER);
}

int probe_ask(struct probe *probes, size_t n, struct err *err)
{
	int status, rc = 0;

	for (size_t i = 0; i < n; i++) {
		probes[i].pid = fork();
		if (probes[i].pid == 0)
			ask_as_user(&probes[i]);
	}
	for (size_t i = 0; i < n; i++) {
		probes[i].result = PROBE_FAILED;
		if (probes[i].pid < 0 || waitpid(probes[i].pid, &status, 0) < 0 ||
		    !WIFEXITED(status))
			continue;
		if (WEXITSTATUS(status) == EXIT_NO_USER)
			rc = err_set(err, EPERM,
				     "cannot become who asks (CAP_SETUID, CAP_SETGID, and write "
				     "access to the cgroup)");
		else if (WEXITSTATUS(status) <= PROBE_FAILED)
			probes[i].result = (enum probe_result)WEXITSTATUS(status);
	}
	return rc;
}

const char *probe_result_name(enum probe_result result)
{
	static const char *const names[] = {
		[PROBE_RESOLVER] = "answered by meshdns-resolver",
		[PROBE_ANSWER] = "answered, and not as meshdns-resolver",
		[PROBE_SERVFAIL] = "answered with SERVFAIL",
		[PROBE_SILENCE] = "no answer",
		[PROBE_REFUSED] = "refused",
		[PROBE_UNREACHABLE] = "the server cannot be reached",
		[PROBE_FAILED] = "could not be asked",
	};

	return names[result];
}
