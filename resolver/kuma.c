/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/kuma.h"

#define XXH_INLINE_ALL
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/cleanup.h"

#define READ_MAX 64 /* reads in a row, so that a sender without end leaves time for the rest */

void kuma_init(struct kuma *k, const char *path, uint32_t poll_ms, int64_t now_ms)
{
	*k = (struct kuma){.path = path, .poll_ms = poll_ms, .fd = -1, .began_ms = now_ms};
	k->asked_ms = now_ms - poll_ms;
	k->waited_s = -1;
	if (path)
		snprintf(k->source, sizeof(k->source), "unix:%s", path);
}

static void hang_up(struct kuma *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}

void kuma_close(struct kuma *k)
{
	if (!k->path)
		return;
	hang_up(k);
	http_response_free(&k->response);
}

/* Says what is wrong, once: it is asked again and again. */
static void complain(struct kuma *k, int64_t now_ms, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void complain(struct kuma *k, int64_t now_ms, const char *format, ...)
{
	struct err err = {0};
	uint32_t suppressed;
	va_list args;

	va_start(args, format);
	vsnprintf(err.msg, sizeof(err.msg), format, args);
	va_end(args);
	if (strcmp(err.msg, k->complaint.msg) != 0 &&
	    log_limit_pass(&k->limit[k->has_map], now_ms, &suppressed)) {
		if (k->has_map)
			log_warning("no news from Kuma's data plane, its last names stay",
				    "reason=\"%s\" source=%s", err.msg, k->source);
		else
			log_info("no names from Kuma's data plane yet", "reason=\"%s\" source=%s",
				 err.msg, k->source);
	}
	k->complaint = err;
}

static void content(struct kuma *k)
{
	if (*k->complaint.msg && k->has_map)
		log_info("Kuma's data plane answers again", "source=%s", k->source);
	k->complaint = (struct err){0};
}

/* --- asking ----------------------------------------------------------------------------------- */

static int dial(const struct kuma *k, int *ret_fd)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memcpy(sa.sun_path, k->path, strlen(k->path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

static int ask(struct kuma *k)
{
	char request[256 + HTTP_ETAG_MAX];
	int len = snprintf(request, sizeof(request),
			   "GET /dns HTTP/1.1\r\nHost: localhost\r\n"
			   "User-Agent: meshdns-resolver\r\n%s%s%sConnection: close\r\n\r\n",
			   *k->etag ? "If-None-Match: " : "", k->etag, *k->etag ? "\r\n" : "");
	int rc = dial(k, &k->fd);

	if (rc < 0)
		return rc;
	if (send(k->fd, request, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) != len) {
		hang_up(k);
		return -EPIPE;
	}
	http_response_init(&k->response, KUMA_MAP_MAX);
	return 0;
}

static void begin(struct kuma *k, int64_t now_ms)
{
	int rc;

	k->asked_ms = now_ms;
	k->polls++;
	if ((rc = ask(k)) == 0)
		return;
	/* Envoy makes the socket when it has something to say, and leaves it when it ends. */
	if (rc != -ENOENT && rc != -ECONNREFUSED)
		k->errors++;
	complain(k, now_ms, "cannot connect: %s", err_text(rc));
}

/* --- the answer ------------------------------------------------------------------------------- */

static bool take_map(struct kuma *k)
{
	k->found_hash = XXH3_64bits(k->response.body, k->response.body_len);
	if (!k->has_map || k->found_hash != k->hash)
		return true;
	content(k);
	memcpy(k->etag, k->response.etag, sizeof(k->etag));
	return false;
}

/* It is all there. True: a map to load. */
static bool take_answer(struct kuma *k, int64_t now_ms)
{
	hang_up(k);
	switch (k->response.status) {
	case 200: return take_map(k);
	case 304:
		if (*k->etag) {
			content(k);
			return false;
		}
		k->errors++;
		complain(k, now_ms, "HTTP status 304, where no ETag was sent");
		break;
	case 404: complain(k, now_ms, "it has no /dns: HTTP status 404"); break;
	default: k->errors++; complain(k, now_ms, "HTTP status %d", k->response.status);
	}
	k->etag[0] = '\0';
	return false;
}

static enum http_progress receive(struct kuma *k)
{
	enum http_progress progress = HTTP_MORE;
	char buf[16384];

	for (int i = 0; i < READ_MAX && progress == HTTP_MORE; i++) {
		ssize_t n = recv(k->fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0) {
			k->response.error = err_text(errno); /* and no end that content may have */
			return HTTP_BAD;
		}
		progress = n > 0 ? http_response_take(&k->response, buf, (size_t)n)
				 : http_response_end(&k->response);
	}
	return progress;
}

static bool go_on(struct kuma *k, int64_t now_ms)
{
	enum http_progress progress = receive(k);
	bool found = false;

	if (progress == HTTP_MORE && now_ms < k->asked_ms + KUMA_TIMEOUT_MS)
		return false;
	if (progress == HTTP_DONE)
		found = take_answer(k, now_ms);
	hang_up(k);
	if (progress != HTTP_DONE) {
		k->errors++;
		complain(k, now_ms, "%s", progress == HTTP_BAD ? k->response.error : "too slow");
	}
	if (!found)
		http_response_free(&k->response);
	return found;
}

/* --- what others call ------------------------------------------------------------------------- */

size_t kuma_poll(const struct kuma *k, struct pollfd *fds)
{
	if (!k->path || k->fd < 0)
		return 0;
	*fds = (struct pollfd){.fd = k->fd, .events = POLLIN};
	return 1;
}

int64_t kuma_next_ms(const struct kuma *k)
{
	if (!k->path)
		return INT64_MAX;
	return k->asked_ms + (k->fd >= 0 ? KUMA_TIMEOUT_MS : k->poll_ms);
}

bool kuma_run(struct kuma *k, int64_t now_ms, struct load_given *ret_given)
{
	bool found;

	*ret_given = (struct load_given){.source = k->source};
	if (!k->path)
		return false;
	if (k->fd < 0 && now_ms >= kuma_next_ms(k))
		begin(k, now_ms);
	found = k->fd >= 0 && go_on(k, now_ms);
	if (found) {
		ret_given->text = k->response.body_len ? k->response.body : "";
		ret_given->len = k->response.body_len;
	}
	return found;
}

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

bool kuma_run_first(struct kuma *k, struct load_given *ret_given)
{
	struct pollfd fd;
	int64_t left_ms;

	do {
		if (kuma_run(k, monotonic_ms(), ret_given))
			return true;
		left_ms = k->asked_ms + KUMA_FIRST_MS - monotonic_ms();
	} while (kuma_poll(k, &fd) && left_ms > 0 && poll(&fd, 1, (int)left_ms) >= 0);
	return false;
}

void kuma_took(struct kuma *k, bool loaded, int64_t now_ms)
{
	size_t skipped = 0;

	k->etag[0] = '\0';
	if (loaded) {
		content(k);
		memcpy(k->etag, k->response.etag, sizeof(k->etag));
		k->hash = k->found_hash;
		kuma_labels(k->response.body, k->response.body_len, k->labels, &skipped);
		if (k->waited_s < 0)
			k->waited_s = (double)(now_ms - k->began_ms) / 1000;
		k->has_map = true;
	} else {
		k->errors++; /* the caller has said why */
		err_set(&k->complaint, EINVAL, "its names cannot be loaded");
	}
	if (skipped)
		log_warning("labels left out", "count=%zu source=%s", skipped, k->source);
	http_response_free(&k->response);
}

bool kuma_is_awaited(const struct kuma *k, int64_t now_ms)
{
	return k->path && !k->has_map && now_ms < k->began_ms + KUMA_READY_MS;
}

bool kuma_is_late(const struct kuma *k, int64_t now_ms)
{
	double waited_s = k->has_map ? k->waited_s : (double)(now_ms - k->began_ms) / 1000;

	return k->path && waited_s * 1000 >= KUMA_READY_MS;
}
