/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `meshdns-resolver ctl …`: says a line to the control socket and prints what comes back. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "resolver/ctl.h"

#define ANSWER_MAX     ((size_t)16 << 20)
#define CTL_NAMES_MOST "1000" /* a page of --all */

struct request {
	const char *path;
	const char *after; /* of names: the page behind it; NULL: the first */
	bool as_json, all; /* all pages */
	char line[ONESHOT_REQUEST_MAX];
	size_t len;
};

static const char usage[] =
	"Usage: meshdns-resolver ctl [--control PATH] [--json] COMMAND\n\n"
	"Talks to a running resolver; root and the resolver's user may.\n\n"
	"  status               how it is (the default)\n"
	"  names [--after NAME] [--under NAME] [--limit N | --all]\n"
	"                       what is loaded, from where, and what went wrong; and N names "
	"(100),\n"
	"                       those behind NAME in an order of their own, those below NAME\n"
	"  lookup NAME [TYPE]   ask it, and say who answered, or why nobody did\n"
	"  upstreams            where everything else is asked, how that is, and what was counted\n"
	"  flush [NAME]         forget cached answers; those for a name\n"
	"  reload               read the names again\n"
	"  log on [--sample N] [--rate N] [--name SUFFIX] [--for TIME]\n"
	"                       log one in N queries, N lines a second at most (100), of names\n"
	"                       under SUFFIX, for so long (30s, 5m, 1h)\n"
	"  log off\n\n"
	"Exit codes: 0 done, 1 refused or wrong usage, 2 no resolver there, 3 lookup: no answer.\n";

static bool add_word(struct request *r, const char *key, const char *value)
{
	int n = snprintf(r->line + r->len, sizeof(r->line) - r->len, "%s%s%s%s", r->len ? " " : "",
			 key ? key : "", key ? "=" : "", value);

	/* What is one word here must be one there. */
	if (n < 0 || r->len + (size_t)n + 2 > sizeof(r->line) || strpbrk(value, " \n") || !*value)
		return false;
	r->len += (size_t)n;
	return true;
}

/* "90", "90s", "5m", "1h" to seconds, as text. */
static bool add_time(struct request *r, const char *value)
{
	char *end, text[32];
	unsigned long number = strtoul(value, &end, 10);
	unsigned long unit = !strcmp(end, "h")            ? 3600
			     : !strcmp(end, "m")          ? 60
			     : !strcmp(end, "s") || !*end ? 1
							  : 0;

	if (*value < '0' || *value > '9' || !unit || number > 31536000)
		return false;
	snprintf(text, sizeof(text), "%lu", number * unit);
	return add_word(r, "for", text);
}

static bool take_option(struct request *r, const char *name, const char *value)
{
	if (!strcmp(name, "control"))
		return (r->path = value) != NULL;
	if (!strcmp(name, "after"))
		return (r->after = value) != NULL;
	if (!strcmp(name, "under") || !strcmp(name, "limit"))
		return add_word(r, name, value);
	if (!strcmp(name, "sample") || !strcmp(name, "rate") || !strcmp(name, "name"))
		return add_word(r, name, value);
	return !strcmp(name, "for") && add_time(r, value);
}

/* argv to a request; false and a complaint if it can't be. */
static bool parse(int argc, char **argv, struct request *r)
{
	for (int i = 0; i < argc; i++) {
		char name[32] = "", *equals = strchr(argv[i], '=');
		const char *value = equals ? equals + 1 : NULL;

		if (!strcmp(argv[i], "--json")) {
			r->as_json = true;
			continue;
		}
		if (!strcmp(argv[i], "--all")) {
			r->all = true;
			continue;
		}
		if (strncmp(argv[i], "--", 2) != 0) {
			if (!add_word(r, NULL, argv[i]))
				goto wrong;
			continue;
		}
		snprintf(name, sizeof(name), "%s", argv[i] + 2);
		name[strcspn(name, "=")] = '\0';
		if (!value && i + 1 < argc)
			value = argv[i + 1];
		if (!value || !take_option(r, name, value))
			goto wrong;
		i += !equals;
		continue;
	wrong:
		fprintf(stderr, "meshdns-resolver ctl: what is \"%s\"? --help tells\n", argv[i]);
		return false;
	}
	if (!r->len)
		add_word(r, NULL, "status");
	if (r->all)
		add_word(r, "limit", CTL_NAMES_MOST);
	return true;
}

/* The whole answer, malloc'ed; NULL with errno. */
static char *converse(struct request request, size_t *ret_len)
{
	struct request *r = &request;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cleanup_free char *answer = malloc(ANSWER_MAX); /* only what is filled is there */
	size_t len = 0;
	ssize_t n;

	errno = ENAMETOOLONG;
	if (r->after && !add_word(r, "after", r->after))
		return NULL; /* NOLINT(clang-analyzer-unix.Malloc): cleanup_free */
	r->line[r->len++] = '\n';
	if (!answer || strlen(r->path) >= sizeof(sa.sun_path))
		return NULL; /* NOLINT(clang-analyzer-unix.Malloc): cleanup_free */
	memcpy(sa.sun_path, r->path, strlen(r->path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return NULL;
	if (send(fd, r->line, r->len, MSG_NOSIGNAL) != (ssize_t)r->len)
		errno = EPIPE; /* and whatever was said before is to be read */
	while (len < ANSWER_MAX && (n = read(fd, answer + len, ANSWER_MAX - len)) > 0)
		len += (size_t)n;
	errno = EPERM; /* taken and closed without a word: not for us */
	if (!len)
		return NULL;
	*ret_len = len;
	return take_ptr(&answer);
}

static void print_key(const char *key)
{
	for (; *key; key++)
		putchar(*key == '_' ? ' ' : *key);
}

static void print_value(const json_t *value)
{
	size_t i;
	json_t *item;

	switch (json_typeof(value)) {
	case JSON_STRING: fputs(json_string_value(value), stdout); break;
	case JSON_INTEGER: printf("%lld", (long long)json_integer_value(value)); break;
	case JSON_REAL: printf("%.3f", json_real_value(value)); break;
	case JSON_TRUE: fputs("yes", stdout); break;
	case JSON_FALSE: fputs("no", stdout); break;
	case JSON_ARRAY:
		if (!json_array_size(value))
			fputs("none", stdout);
		json_array_foreach(value, i, item)
		{
			fputs(i ? ", " : "", stdout);
			print_value(item);
		}
		break;
	case JSON_OBJECT:
		for (void *at = json_object_iter((json_t *)value); at;
		     at = json_object_iter_next((json_t *)value, at)) {
			printf("%s ", json_object_iter_key(at));
			print_value(json_object_iter_value(at));
			putchar(json_object_iter_next((json_t *)value, at) ? ' ' : '.');
		}
		break;
	default: fputs("-", stdout);
	}
}

/* A line an object, without what is nought. */
static void print_objects(const json_t *list)
{
	size_t i;
	json_t *object;

	json_array_foreach(list, i, object)
	{
		for (void *at = json_object_iter(object); at;
		     at = json_object_iter_next(object, at)) {
			const json_t *value = json_object_iter_value(at);

			if (json_is_null(value) ||
			    (json_is_integer(value) && !json_integer_value(value)))
				continue;
			fputs("  ", stdout);
			print_key(json_object_iter_key(at));
			putchar(' ');
			print_value(value);
		}
		putchar('\n');
	}
}

/* A line a key; what is not there is not mentioned. */
static void print_words(json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		if (json_is_null(value))
			continue;
		print_key(key);
		if (json_is_object(json_array_get(value, 0))) {
			puts(":");
			print_objects(value);
			continue;
		}
		fputs(": ", stdout);
		print_value(value);
		putchar('\n');
	}
}

/* *ret_next: where to go on, malloc'ed, if there is more. */
static int report(const struct request *r, const char *answer, size_t len, char **ret_next)
{
	json_t *object = json_loadb(answer, len, 0, NULL);
	const char *error = json_string_value(json_object_get(object, "error"));
	const char *next = json_string_value(json_object_get(object, "next"));
	int code = CTL_DONE;

	if (!json_is_object(object)) {
		fputs("meshdns-resolver ctl: the answer is not to be understood\n", stderr);
		json_decref(object);
		return CTL_UNREACHABLE;
	}
	if (r->as_json)
		fwrite(answer, 1, len, stdout);
	else if (r->all)
		print_objects(json_object_get(object, "list"));
	else if (!error)
		print_words(object);
	if (error) {
		fprintf(stderr, "meshdns-resolver ctl: %s\n", error);
		code = CTL_REFUSED;
	} else if (json_object_get(object, "failed")) {
		code = CTL_NO_ANSWER;
	} else if (r->all && next) {
		*ret_next = strdup(next);
	}
	json_decref(object);
	return fflush(stdout) ? CTL_REFUSED : code;
}

int ctl_main(int argc, char **argv)
{
	struct request r = {.path = CTL_PATH};
	cleanup_free char *next = NULL;
	int code;

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--help"))
			return fputs(usage, stdout) < 0 ? CTL_REFUSED : CTL_DONE;
	}
	if (!parse(argc, argv, &r))
		return CTL_REFUSED;
	do {
		size_t len;
		cleanup_free char *answer = converse(r, &len);

		if (!answer) {
			fprintf(stderr, "meshdns-resolver ctl: no resolver to talk to at %s: %s\n",
				r.path,
				errno == EPERM || errno == EACCES ? "only root and its own user may"
								  : err_text(errno));
			return CTL_UNREACHABLE;
		}
		free(take_ptr(&next));
		code = report(&r, answer, len, &next);
		r.after = next;
	} while (code == CTL_DONE && next);
	return code; /* NOLINT(clang-analyzer-unix.Malloc): cleanup_free */
}
