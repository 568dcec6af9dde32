/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/http_response.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void fail(struct http_response *r, const char *error)
{
	r->state = HTTP_AT_BAD;
	r->error = error;
}

void http_response_init(struct http_response *r, size_t body_max)
{
	*r = (struct http_response){.body_max = body_max};
}

void http_response_free(struct http_response *r)
{
	free(r->body);
	r->body = NULL;
	r->body_len = r->body_size = 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* --- the head, line by line ------------------------------------------------------------------ */

/* "HTTP/1.1 200 OK" */
static void take_status(struct http_response *r, const char *line)
{
	const char *code = line + 9;

	if (strncmp(line, "HTTP/1.", 7) != 0 || !is_digit(line[7]) || line[8] != ' ' ||
	    code[0] < '1' || code[0] > '5' || !is_digit(code[1]) || !is_digit(code[2]) ||
	    (code[3] && code[3] != ' ')) {
		fail(r, "it is not HTTP/1.1");
		return;
	}
	r->status = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
	r->state = HTTP_AT_FIELD;
}

/* All of `text` as a number, in base 10 or 16, up to `max`. */
static bool parse_size(const char *text, size_t len, unsigned int base, uint64_t max,
		       uint64_t *ret_size)
{
	uint64_t size = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] | 0x20) : text[i];
		unsigned int digit = is_digit(c)            ? (unsigned int)(c - '0')
				     : c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a' + 10)
							    : 16;

		if (digit >= base || (size = size * base + digit) > max)
			return false;
	}
	*ret_size = size;
	return len > 0;
}

static void take_length(struct http_response *r, const char *value)
{
	uint64_t length = 0;

	if (!parse_size(value, strlen(value), 10, r->body_max, &length))
		fail(r, "its Content-Length is none, or too large");
	else if (r->has_length && length != r->left)
		fail(r, "it has two lengths");
	r->has_length = true;
	r->left = length;
}

/* One that could not be sent back as it is, is as good as none. */
static void take_etag(struct http_response *r, const char *value)
{
	size_t len = strlen(value);

	for (size_t i = 0; i < len; i++) {
		if (value[i] < '!' || value[i] > '~')
			return;
	}
	if (len < sizeof(r->etag))
		memcpy(r->etag, value, len + 1);
}

static void take_field(struct http_response *r, char *line)
{
	size_t name_len = strcspn(line, ": \t");
	char *value = line + name_len + 1, *end;

	if (name_len == 0 || line[name_len] != ':') {
		fail(r, "a field without a name");
		return;
	}
	value += strspn(value, " \t");
	for (end = value + strlen(value); end > value && (end[-1] == ' ' || end[-1] == '\t'); end--)
		end[-1] = '\0';
	line[name_len] = '\0';
	if (!strcasecmp(line, "Content-Length")) {
		take_length(r, value);
	} else if (!strcasecmp(line, "Transfer-Encoding")) {
		if (strcasecmp(value, "chunked") != 0 || r->is_chunked)
			fail(r, "its Transfer-Encoding is not \"chunked\"");
		r->is_chunked = true;
	} else if (!strcasecmp(line, "ETag")) {
		take_etag(r, value);
	}
}

/* The empty line: what follows, RFC 9112 section 6.3. */
static void end_fields(struct http_response *r)
{
	if (r->status < 200) /* interim: another response follows */
		*r = (struct http_response){.body_max = r->body_max, .head_len = r->head_len};
	else if (r->status == 204 || r->status == 304)
		r->state = HTTP_AT_END;
	else if (r->is_chunked && r->has_length)
		fail(r, "it is chunked and has a length");
	else if (r->is_chunked)
		r->state = HTTP_AT_CHUNK;
	else if (!r->has_length)
		r->state = HTTP_TO_END;
	else
		r->state = r->left ? HTTP_IN_LENGTH : HTTP_AT_END;
}

/* "1a; extension" */
static void take_chunk(struct http_response *r, const char *line)
{
	size_t len = strcspn(line, "; \t");

	if (!parse_size(line, len, 16, r->body_max - r->body_len, &r->left))
		fail(r, "a chunk's size is none, or too large");
	else
		r->state = r->left ? HTTP_IN_CHUNK : HTTP_AT_TRAILER;
}

static void take_line(struct http_response *r, char *line)
{
	switch (r->state) {
	case HTTP_AT_STATUS: take_status(r, line); break;
	case HTTP_AT_FIELD:
		if (*line)
			take_field(r, line);
		else
			end_fields(r);
		break;
	case HTTP_AT_CHUNK: take_chunk(r, line); break;
	case HTTP_AT_CHUNK_END:
		if (*line)
			fail(r, "a chunk is longer than its size");
		else
			r->state = HTTP_AT_CHUNK;
		break;
	default:
		if (!*line)
			r->state = HTTP_AT_END;
	}
}

/* Collects a line, and takes it when it is there; returns how many octets. */
static size_t collect(struct http_response *r, const char *data, size_t len)
{
	const char *end = memchr(data, '\n', len);
	size_t n = end ? (size_t)(end - data) : len;

	if (r->state != HTTP_AT_CHUNK && r->state != HTTP_AT_CHUNK_END)
		r->head_len += n + (end != NULL);
	if (n >= sizeof(r->line) - r->line_len || r->head_len > HTTP_HEAD_MAX ||
	    memchr(data, '\0', n)) {
		fail(r, "its head is too long, or has a NUL in it");
		return len;
	}
	memcpy(r->line + r->line_len, data, n);
	r->line_len += n;
	if (!end)
		return n;
	if (r->line_len && r->line[r->line_len - 1] == '\r')
		r->line_len--;
	r->line[r->line_len] = '\0';
	r->line_len = 0;
	take_line(r, r->line);
	return n + 1;
}

/* --- the content ------------------------------------------------------------------------------ */

/* By doubling, whatever length the server told: it may never come. */
static bool reserve(struct http_response *r, size_t more)
{
	size_t wanted = r->body_size ? r->body_size : 4096;
	char *grown;

	while (wanted - r->body_len <= more)
		wanted *= 2;
	if (wanted == r->body_size)
		return true;
	if (!(grown = realloc(r->body, wanted)))
		return false;
	r->body = grown;
	r->body_size = wanted;
	return true;
}

static size_t take_content(struct http_response *r, const char *data, size_t len)
{
	if (r->state != HTTP_TO_END && len > r->left)
		len = (size_t)r->left;
	if (len > r->body_max - r->body_len || !reserve(r, len)) {
		fail(r, "it is too large");
		return len;
	}
	memcpy(r->body + r->body_len, data, len);
	r->body_len += len;
	r->body[r->body_len] = '\0';
	if (r->state == HTTP_TO_END || (r->left -= len) > 0)
		return len;
	r->state = r->state == HTTP_IN_CHUNK ? HTTP_AT_CHUNK_END : HTTP_AT_END;
	return len;
}

static enum http_progress progress(const struct http_response *r)
{
	return r->state == HTTP_AT_END ? HTTP_DONE : r->state == HTTP_AT_BAD ? HTTP_BAD : HTTP_MORE;
}

enum http_progress http_response_take(struct http_response *r, const char *data, size_t len)
{
	while (len > 0 && progress(r) == HTTP_MORE) {
		bool content = r->state == HTTP_IN_LENGTH || r->state == HTTP_IN_CHUNK ||
			       r->state == HTTP_TO_END;
		size_t n = content ? take_content(r, data, len) : collect(r, data, len);

		data += n;
		len -= n;
	}
	return progress(r);
}

enum http_progress http_response_end(struct http_response *r)
{
	if (r->state == HTTP_TO_END)
		r->state = HTTP_AT_END;
	else if (progress(r) == HTTP_MORE)
		fail(r, "it ended too early");
	return progress(r);
}
