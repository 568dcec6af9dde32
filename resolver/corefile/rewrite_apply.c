/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/rewrite_apply.h"

#include <errno.h>
#include <stdlib.h>

#include "resolver/names.h"
#include "resolver/nametext.h"
#include "resolver/rebuild.h"

/* A name in lower-cased wire form. */
struct name {
	uint8_t len, octets[DNS_NAME_MAX];
};

/* The rules that apply to a question, each with the name that it found. */
struct steps {
	size_t n;
	struct {
		const struct corefile_rewrite *rule;
		struct name found, left; /* before and after it */
	} list[REWRITE_STEPS_MAX];
	struct name name; /* after all of them */
	uint16_t type, class;
	struct regex_scratch *scratch;
};

/* --- names as text ----------------------------------------------------------------------------
 */

/* Text under construction; what is too long for a name is none. */
struct text {
	char at[NAMETEXT_MAX];
	size_t len;
	bool too_long;
};

static void put(struct text *t, const char *text, size_t len)
{
	if (len > sizeof(t->at) - t->len) {
		t->too_long = true;
		return;
	}
	memcpy(t->at + t->len, text, len);
	t->len += len;
}

static void put_text(struct text *t, const char *text)
{
	put(t, text, strlen(text));
}

static bool begins_with(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* Where it ends with that, NULL if it does not. */
static const char *find_suffix(const char *text, const char *suffix)
{
	size_t len = strlen(text), end = strlen(suffix);

	return end <= len && !strcmp(text + len - end, suffix) ? text + len - end : NULL;
}

/* Every FROM becomes TO. */
static void replace_all(const char *text, const char *from, const char *to, struct text *ret)
{
	const char *found;

	while ((found = strstr(text, from))) {
		put(ret, text, (size_t)(found - text));
		put_text(ret, to);
		text = found + strlen(from);
	}
	put_text(ret, text);
}

/* TO with the groups for {0}, {1} and so on. */
static void put_groups(const char *text, const struct regex_match *match, const char *to,
		       struct text *ret)
{
	while (*to) {
		char *end = NULL;
		unsigned long group = *to == '{' ? strtoul(to + 1, &end, 10) : 0;

		if (end && end > to + 1 && *end == '}' && group < match->n) {
			put(ret, text + match->group[group].begin,
			    match->group[group].end - match->group[group].begin);
			to = end + 1;
		} else {
			put(ret, to++, 1);
		}
	}
}

/* False: it is not what the rule is for. *ret is what it makes of it, if it changes names. */
static bool match_rule(const struct corefile_rewrite *r, struct regex_scratch *scratch,
		       const char *text, size_t len, struct text *ret)
{
	const char *to = r->to ? r->to : "", *suffix;
	struct regex_match match;

	switch (r->how) {
	case REWRITE_EXACT:
		if (strcmp(text, r->from) != 0)
			return false;
		put_text(ret, to);
		return true;
	case REWRITE_PREFIX:
		if (!begins_with(text, r->from))
			return false;
		put_text(ret, to);
		put_text(ret, text + strlen(r->from));
		return true;
	case REWRITE_SUFFIX:
		if (!(suffix = find_suffix(text, r->from)))
			return false;
		put(ret, text, (size_t)(suffix - text));
		put_text(ret, to);
		return true;
	case REWRITE_SUBSTRING:
		if (!strstr(text, r->from))
			return false;
		replace_all(text, r->from, to, ret);
		return true;
	case REWRITE_REGEX:
		if (!regex_match(r->regex, scratch, text, len, &match))
			return false;
		put_groups(text, &match, to, ret);
		return true;
	}
	return false;
}

static bool read_text(const struct text *text, struct name *ret)
{
	struct name name;

	name.len = text->too_long ? 0 : (uint8_t)nametext_read(text->at, text->len, name.octets);
	if (!name.len)
		return false;
	*ret = name;
	return true;
}

/* --- the question -----------------------------------------------------------------------------
 */

/* One rule on the question as it is; *ret_applies. False: the name is none any more. */
static bool take_step(struct steps *s, const struct corefile_rewrite *r, bool *ret_applies)
{
	uint16_t *number = r->what == REWRITE_TYPE ? &s->type : &s->class;
	struct text text = {.len = 0};
	char name[NAMETEXT_MAX];
	size_t len;

	if (r->what == REWRITE_TYPE || r->what == REWRITE_CLASS) {
		*ret_applies = *number == r->from_number;
		if (*ret_applies)
			*number = r->to_number;
		return true;
	}
	len = nametext_write(s->name.octets, name);
	*ret_applies = match_rule(r, s->scratch, name, len, &text);
	return !*ret_applies || r->what != REWRITE_NAME || read_text(&text, &s->name);
}

static int take_steps(struct steps *s, const struct rewrite_context *context,
		      const struct query *asked, struct err *err)
{
	s->n = 0;
	s->scratch = context->scratch;
	s->type = asked->qtype;
	s->class = asked->qclass;
	s->name.len = asked->qname_len;
	memcpy(s->name.octets, asked->qname, asked->qname_len);
	for (const struct corefile_rewrite *r = context->rules; r; r = r->next) {
		struct name found = s->name;
		bool applies;

		if (!take_step(s, r, &applies))
			return err_set(err, EINVAL, "%s:%u: what it makes of the name is none",
				       r->place.file, r->place.line);
		if (!applies)
			continue;
		if (s->n == REWRITE_STEPS_MAX)
			return err_set(err, E2BIG, "%s:%u: more than %d rules apply", r->place.file,
				       r->place.line, REWRITE_STEPS_MAX);
		s->list[s->n].rule = r;
		s->list[s->n].found = found;
		s->list[s->n++].left = s->name;
		if (!r->goes_on)
			break;
	}
	return 0;
}

/* The packet with the steps' question, and the OPT behind it. */
static bool rebuild_query(const struct steps *s, struct query *q, uint8_t *packet, size_t *len,
			  size_t size)
{
	size_t opt_len = q->edns.present ? EDNS_OPT_LEN + (size_t)q->edns.options_len : 0;
	size_t question_len = s->name.len + 4u;
	struct wire w = wire_over(packet, size), opt = w, head = w;
	struct wire_header h;
	uint8_t *to;

	wire_take(&opt, DNS_HEADER_LEN + question_len);
	if (!(to = wire_take(&opt, opt_len)))
		return false;
	if (opt_len) {
		memmove(to, q->edns.options - EDNS_OPT_LEN, opt_len);
		q->edns.options = to + EDNS_OPT_LEN;
	}
	wire_get_header(&w, &h);
	h.arcount = q->edns.present;
	wire_put_header(&head, &h);
	wire_put_bytes(&w, s->name.octets, s->name.len);
	wire_put_u16(&w, s->type);
	wire_put_u16(&w, s->class);
	*len = opt.pos;
	q->qname_len = s->name.len;
	memcpy(q->qname, s->name.octets, s->name.len);
	q->question_len = (uint16_t)question_len;
	q->qtype = s->type;
	q->qclass = s->class;
	return true;
}

enum rewrite_verdict rewrite_question(const struct rewrite_context *context, struct query *query,
				      uint8_t *packet, size_t *len, size_t size, struct err *err)
{
	struct steps s; /* large: what is not used is not cleared */

	if (take_steps(&s, context, query, err) < 0)
		return REWRITE_FAILED;
	if (s.n == 0)
		return REWRITE_NONE;
	if (s.type == query->qtype && s.class == query->qclass && s.name.len == query->qname_len &&
	    !memcmp(s.name.octets, query->qname, s.name.len))
		return REWRITE_DONE; /* only its answer changes */
	if (!rebuild_query(&s, query, packet, len, size)) {
		err_set(err, ENOBUFS, "no room for the changed question");
		return REWRITE_FAILED;
	}
	return REWRITE_DONE;
}

/* --- the answer -------------------------------------------------------------------------------
 */

/* `name` with `from`, which it is or lies under, become `to`. False: it is too long. */
static bool move_name(struct name *name, const struct name *from, const struct name *to)
{
	size_t kept = name->len - (size_t)from->len;

	if (kept + to->len > DNS_NAME_MAX)
		return false;
	memcpy(name->octets + kept, to->octets, to->len);
	name->len = (uint8_t)(kept + to->len);
	return true;
}

/* TO at its end becomes FROM: what `suffix` with `answer auto` does. */
static bool swap_suffix(const struct corefile_rewrite *r, struct name *name)
{
	struct text result = {.len = 0};
	char text[NAMETEXT_MAX];
	const char *suffix;

	nametext_write(name->octets, text);
	if (!(suffix = find_suffix(text, r->to)))
		return true;
	put(&result, text, (size_t)(suffix - text));
	put_text(&result, r->from);
	return read_text(&result, name);
}

static bool apply_answers(const struct corefile_rewrite_answer *a, bool is_value,
			  struct regex_scratch *scratch, struct name *name)
{
	struct regex_match match;
	struct text result = {.len = 0};
	char text[NAMETEXT_MAX];
	size_t len;

	if (!a)
		return true;
	/* The last is the first here, too. */
	if (!apply_answers(a->next, is_value, scratch, name))
		return false;
	if (a->is_value != is_value)
		return true;
	len = nametext_write(name->octets, text);
	if (!regex_match(a->regex, scratch, text, len, &match))
		return true;
	put_groups(text, &match, a->to, &result);
	return read_text(&result, name);
}

static bool undo(const struct steps *s, size_t i, bool is_value, struct name *name)
{
	const struct corefile_rewrite *r = s->list[i].rule;
	const struct name *left = &s->list[i].left;

	if (r->what != REWRITE_NAME)
		return true;
	if (!apply_answers(r->answers, is_value, s->scratch, name))
		return false;
	if (r->how == REWRITE_SUFFIX)
		return !r->answer_auto || swap_suffix(r, name);
	if ((r->answer_auto || r->how == REWRITE_EXACT) &&
	    names_is_under(name->octets, name->len, left->octets, left->len))
		return move_name(name, left, &s->list[i].found);
	return true;
}

static bool change_name(void *context, enum rebuild_place place, uint8_t octets[DNS_NAME_MAX],
			size_t *len)
{
	const struct steps *s = context;
	struct name name = {.len = (uint8_t)*len}, before;

	if (place == REBUILD_OTHER)
		return true;
	memcpy(name.octets, octets, *len);
	wire_name_fold(name.octets, *len);
	before = name;
	for (size_t i = s->n; i-- > 0;) {
		if (!undo(s, i, place == REBUILD_VALUE, &name))
			return false;
	}
	/* What stays, stays in its case. */
	if (name.len == before.len && !memcmp(name.octets, before.octets, name.len))
		return true;
	memcpy(octets, name.octets, name.len);
	*len = name.len;
	return true;
}

static uint32_t clamp(uint32_t n, uint32_t min, uint32_t max)
{
	return n < min ? min : n > max ? max : n;
}

/* One pair of bounds does what all the ttl rules do, the last of them first. */
static void bound_ttls(const struct steps *s, struct rebuild *r)
{
	for (size_t i = s->n; i-- > 0;) {
		const struct corefile_rewrite *rule = s->list[i].rule;

		if (rule->what != REWRITE_TTL)
			continue;
		r->ttl_min = clamp(r->ttl_min, rule->ttl_min, rule->ttl_max);
		r->ttl_max = clamp(r->ttl_max, rule->ttl_min, rule->ttl_max);
	}
}

static uint16_t change_rcode(const struct steps *s, uint16_t flags)
{
	for (size_t i = s->n; i-- > 0;) {
		const struct corefile_rewrite *rule = s->list[i].rule;

		if (rule->what == REWRITE_RCODE && (flags & DNS_RCODE_MASK) == rule->from_number)
			flags = (uint16_t)((flags & ~DNS_RCODE_MASK) |
					   (rule->to_number & DNS_RCODE_MASK));
	}
	return flags;
}

/* What an answer is cut down to: the records up to `end`, TC and an OPT. */
static void cut(struct rebuild *r, const struct query *asked, struct wire_header *h, size_t end,
		uint16_t kept)
{
	r->out.failed = false;
	r->out.pos = end;
	h->flags |= DNS_FLAG_TC;
	h->ancount = kept;
	h->nscount = 0;
	h->arcount = asked->edns.present;
	if (asked->edns.present)
		edns_put(&r->out, &asked->edns, DNS_RCODE_NOERROR);
}

/* All the records. False: one cannot be copied. What does not fit is cut off. */
static bool copy_records(struct rebuild *r, const struct query *asked, struct wire *in,
			 struct wire_header *h)
{
	size_t end = r->out.pos; /* of those that leave room for an OPT */
	uint16_t kept = 0;

	for (unsigned int i = 0; i < (unsigned int)h->ancount + h->nscount + h->arcount; i++) {
		if (!rebuild_copy(r, in)) {
			if (!r->out.failed)
				return false;
			cut(r, asked, h, end, kept);
			return true;
		}
		if (i < h->ancount && wire_left(&r->out) >= edns_len(&asked->edns)) {
			end = r->out.pos;
			kept = (uint16_t)(i + 1);
		}
	}
	return true;
}

size_t rewrite_answer(const struct rewrite_context *context, const struct query *asked,
		      const uint8_t *question, uint8_t *reply, size_t len, uint8_t *out,
		      size_t limit, struct err *err)
{
	struct wire in = wire_over(reply, len), head = wire_over(out, limit);
	struct wire_header h;
	struct rebuild r;
	struct steps s; /* large: what is not used is not cleared */

	if (take_steps(&s, context, asked, err) < 0)
		return 0;
	wire_get_header(&in, &h);
	for (uint16_t i = 0; i < h.qdcount; i++) {
		wire_skip_name(&in);
		wire_take(&in, 4);
	}
	rebuild_begin(&r, head, question, asked->question_len, asked->qname_len);
	r.change = change_name;
	r.context = &s;
	bound_ttls(&s, &r);
	h.qdcount = 1;
	h.flags = change_rcode(&s, h.flags);
	if (in.failed || !copy_records(&r, asked, &in, &h)) {
		err_set(err, EBADMSG, "the answer cannot be changed back");
		return 0;
	}
	wire_put_header(&head, &h);
	return r.out.pos;
}
