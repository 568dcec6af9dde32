/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/querylog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/addr.h"
#include "common/cleanup.h"
#include "common/options.h"
#include "resolver/metrics.h"
#include "resolver/nametext.h"
#include "resolver/wire.h"

/* "REDIS.mesh." or ".mesh" to ".redis.mesh.": what names must end in, labels whole. */
static int parse_suffix(const char *value, char suffix[QUERYLOG_NAME_TEXT], struct err *err)
{
	uint8_t wire[DNS_NAME_MAX];
	const char *at = value + (*value == '.');
	size_t len = wire_name_from_text(at, strlen(at), wire);

	if (!len)
		return err_set(err, EINVAL, "name: \"%s\" is not a domain", value);
	for (size_t i = 0; i < len; i += wire[i] + 1u) {
		*suffix++ = '.';
		memcpy(suffix, wire + i + 1, wire[i]);
		suffix += wire[i];
	}
	*suffix = '\0';
	return 0;
}

int querylog_start(struct querylog *log, char *const *words, size_t n, int64_t now_ms,
		   struct err *err)
{
	struct querylog next = *log;
	uint64_t sample = 1, rate = QUERYLOG_RATE, seconds = 0;

	next.suffix[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const char *equals = strchr(words[i], '='), *value = equals ? equals + 1 : "";
		size_t len = equals ? (size_t)(equals - words[i]) : 0;
		bool ok = true;

		if (len == 6 && !strncmp(words[i], "sample", len))
			ok = options_parse_number(value, 1, UINT32_MAX, &sample);
		else if (len == 4 && !strncmp(words[i], "rate", len))
			ok = options_parse_number(value, 1, 1000000, &rate);
		else if (len == 3 && !strncmp(words[i], "for", len))
			ok = options_parse_number(value, 1, 31536000, &seconds);
		else if (len == 4 && !strncmp(words[i], "name", len))
			ok = parse_suffix(value, next.suffix, err) == 0;
		else
			return err_set(err, EINVAL, "what is \"%.64s\"?", words[i]);
		if (!ok)
			return err_set(err, EINVAL, "\"%.64s\" is out of range", words[i]);
	}
	next.on = true;
	next.sample = (uint32_t)sample;
	next.rate = (uint32_t)rate;
	next.until_ms = seconds ? now_ms + (int64_t)seconds * 1000 : INT64_MAX;
	*log = next;
	return 0;
}

void querylog_question(const uint8_t *message, size_t len, struct querylog_question *ret)
{
	struct wire w = wire_over((void *)message, len);
	uint8_t name[DNS_NAME_MAX];
	struct wire_header h;
	uint16_t type = 0, class = 0;

	wire_get_header(&w, &h);
	if (h.qdcount > 0) {
		wire_get_name(&w, name);
		type = wire_get_u16(&w);
		class = wire_get_u16(&w);
	}
	if (h.qdcount == 0 || w.failed)
		name[0] = type = class = 0;
	nametext_write(name, ret->name);
	stats_type_text(type, ret->type);
	if (class == DNS_CLASS_IN || class == DNS_CLASS_CH)
		sprintf(ret->class, "%s", class == DNS_CLASS_IN ? "IN" : "CH");
	else
		sprintf(ret->class, "CLASS%u", class);
}

static bool is_wanted(const struct querylog *log, const char *name)
{
	size_t suffix = strlen(log->suffix), len = strlen(name);

	if (suffix == 0)
		return true;
	/* ".mesh." is the suffix of "redis.mesh.", and of "mesh." but for the dot in front. */
	if (len + 1 == suffix)
		return !strcmp(name, log->suffix + 1);
	return len >= suffix && !strcmp(name + len - suffix, log->suffix);
}

static void print_flags(const struct tap_event *event, FILE *out)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} flags[] = {{DNS_FLAG_AA, ",aa"}, {DNS_FLAG_TC, ",tc"}, {DNS_FLAG_RD, ",rd"},
		     {DNS_FLAG_RA, ",ra"}, {0x0020, ",ad"},      {DNS_FLAG_CD, ",cd"}};
	struct wire w = wire_over((void *)tap_message(event), event->kept);
	struct wire_header h;

	wire_get_header(&w, &h);
	fputs("qr", out);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (h.flags & flags[i].bit)
			fputs(flags[i].name, out);
	}
}

bool querylog_rate_pass(struct querylog_rate *rate, uint32_t max, int64_t now_ms)
{
	if (now_ms / 1000 != rate->second)
		*rate = (struct querylog_rate){.second = now_ms / 1000};
	return rate->in_second++ < max;
}

void querylog_event(struct querylog *log, const struct tap_event *event, int64_t now_ms, FILE *out)
{
	struct querylog_question question;
	struct sockaddr_storage peer = {0};
	struct endpoint ep = {0};
	char text[ENDPOINT_TEXT_MAX];
	struct wire w = wire_over((void *)tap_message(event), event->kept);
	uint16_t id = wire_get_u16(&w);

	querylog_question(tap_message(event), event->kept, &question);
	if (!is_wanted(log, question.name))
		return;
	if (!querylog_rate_pass(&log->lines, log->rate, now_ms)) {
		log->kept_back++;
		return;
	}
	memcpy(&peer, &event->peer, sizeof(event->peer));
	endpoint_from_sockaddr(&peer, &ep);
	fprintf(out, "[INFO] %s - %u \"%s %s %s %s %u %s %u\" %s ", endpoint_format(&ep, text), id,
		question.type, question.class, question.name, event->is_tcp ? "tcp" : "udp",
		event->query_len, event->dnssec_ok ? "true" : "false",
		event->edns_size ? event->edns_size
		: event->is_tcp  ? DNS_MESSAGE_MAX
				 : DNS_UDP_MIN_SIZE,
		metrics_rcode_name(event->rcode));
	print_flags(event, out);
	fprintf(out, " %u %.6fs\n", event->len, (double)(event->at_us - event->began_us) / 1e6);
	log->written++;
}
