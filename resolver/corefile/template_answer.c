/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/template_answer.h"

#include <errno.h>

#include "common/cleanup.h"
#include "resolver/answer_parts.h"
#include "resolver/corefile/mnemonic.h"
#include "resolver/corefile/rrtext.h"
#include "resolver/names.h"
#include "resolver/nametext.h"

/* A record's addresses can be longer than their text. */
#define RECORD_MAX     (2 * TEMPLATE_TEXT_MAX)
#define ERROR_TEXT_MAX 128 /* of an extended error, whose answer has to fit into 512 octets */

/* A template and the question that it is for. */
struct matched {
	const struct corefile_template *template;
	const struct corefile_zone *zone;
	const char *pattern;
	char name[NAMETEXT_MAX]; /* lower-cased; written when it is first needed */
	size_t name_len;
	const struct regex *regex; /* NULL: any name matches */
	struct regex_match match;
};

/* --- which template ---------------------------------------------------------------------------
 */

static void need_name(struct matched *m, const struct query *q)
{
	if (m->name_len == 0)
		m->name_len = nametext_write(q->qname, m->name);
}

/* Whether an expression of the template matches the name. */
static bool match_name(const struct template_context *context, struct matched *m,
		       const struct query *q)
{
	const struct corefile_template *t = m->template;

	m->pattern = ".*";
	m->regex = NULL;
	if (t->n_match)
		need_name(m, q);
	for (size_t i = 0; i < t->n_match; i++) {
		m->pattern = t->match_text[i];
		m->regex = t->match[i];
		if (regex_match(m->regex, context->scratch, m->name, m->name_len, &m->match))
			return true;
	}
	return t->n_match == 0;
}

/* Zone, class and type are the template's. */
static bool is_concerned(const struct template_context *context, struct matched *m,
			 const struct query *q)
{
	const struct corefile_template *t = m->template;

	m->zone = corefile_zones_find(t->zones.n ? &t->zones : context->zones, q->qname,
				      q->qname_len);
	return m->zone &&
	       (t->class == DNS_CLASS_ANY || q->qclass == DNS_CLASS_ANY || t->class == q->qclass) &&
	       (t->type == DNS_TYPE_ANY || q->qtype == DNS_TYPE_ANY || t->type == q->qtype);
}

/* TEMPLATE_ANSWERED: `m` is what answers. */
static enum template_verdict find(const struct template_context *context, const struct query *q,
				  struct matched *m)
{
	for (m->template = context->templates; m->template; m->template = m->template->next) {
		if (!is_concerned(context, m, q))
			continue;
		if (match_name(context, m, q))
			return TEMPLATE_ANSWERED;
		if (!corefile_falls_through(&m->template->fallthrough, q->qname, q->qname_len))
			return TEMPLATE_SERVFAIL;
	}
	return TEMPLATE_NONE;
}

/* --- records ----------------------------------------------------------------------------------
 */

struct writer {
	struct answer answer;
	const struct matched *matched;
	const struct gotemplate_value *data;
	struct template_outcome *outcome;
	struct err *err;
};

/* The record on the wire goes in, its owner as a pointer if the question ends in it. */
static bool put_record(struct answer *a, struct wire record)
{
	size_t len = record.pos, owner_len, skip = 0;
	uint8_t owner[DNS_NAME_MAX];

	record.pos = 0;
	owner_len = wire_get_name(&record, owner);
	if (owner_len > 1 && names_is_under(a->q->qname, a->q->qname_len, owner, owner_len))
		skip = owner_len;
	if (!answer_fits(a, len - skip + (skip ? 2 : 0)))
		return false;
	if (skip)
		wire_put_u16(&a->w,
			     answer_pointer(DNS_HEADER_LEN + a->q->qname_len - (size_t)owner_len));
	wire_put_bytes(&a->w, record.data + skip, len - skip);
	return true;
}

/* Where the target of a CNAME lies that was put at `start`; 0: something else was. */
static size_t find_target(const struct answer *a, size_t start)
{
	struct wire w = wire_over(a->packet, a->w.pos);
	struct wire_rr rr;

	w.pos = start;
	return wire_get_rr(&w, &rr) && rr.type == DNS_TYPE_CNAME ? w.pos - rr.rdlength : 0;
}

/* One record of a section, which is cut off if it does not fit. False: it is none. */
static bool put_rendered(struct writer *w, enum template_section section, size_t i, uint16_t *count)
{
	char text[TEMPLATE_TEXT_MAX];
	uint8_t bytes[RECORD_MAX];
	struct wire record = wire_over(bytes, sizeof(bytes));
	struct answer *a = &w->answer;
	bool is_cut = a->header.flags & DNS_FLAG_TC;
	size_t start = a->w.pos, len;

	w->outcome->section = section;
	w->outcome->record = i;
	w->outcome->failure = TEMPLATE_NOT_RENDERED;
	if (gotemplate_execute(w->matched->template->section[section].records[i], w->data, text,
			       sizeof(text), &len, w->err) < 0)
		return false;
	w->outcome->failure = TEMPLATE_NO_RECORD;
	if (!rrtext_put(&record, text, len, w->err))
		return false;
	w->outcome->failure = TEMPLATE_NOT_FAILED;
	if (!is_cut && put_record(a, record)) {
		++*count;
		if (section == TEMPLATE_ANSWER)
			w->outcome->target = find_target(a, start);
	}
	/* What is merely additional is left out without a word, RFC 2181 section 9. */
	if (!is_cut && section == TEMPLATE_ADDITIONAL)
		a->header.flags &= (uint16_t)~DNS_FLAG_TC;
	return true;
}

static bool put_sections(struct writer *w)
{
	struct wire_header *header = &w->answer.header;
	uint16_t *const counts[] = {
		[TEMPLATE_ANSWER] = &header->ancount,
		[TEMPLATE_AUTHORITY] = &header->nscount,
		[TEMPLATE_ADDITIONAL] = &header->arcount,
	};

	for (enum template_section s = 0; s < TEMPLATE_SECTIONS; s++) {
		for (size_t i = 0; i < w->matched->template->section[s].n; i++) {
			if (!put_rendered(w, s, i, counts[s]))
				return false;
		}
	}
	return true;
}

/* --- what a template sees ---------------------------------------------------------------------
 */

static const struct {
	const char *name;
	uint16_t bit;
} flags[] = {
	{"Response", DNS_FLAG_QR},           {"Authoritative", DNS_FLAG_AA},
	{"Truncated", DNS_FLAG_TC},          {"RecursionDesired", DNS_FLAG_RD},
	{"RecursionAvailable", DNS_FLAG_RA}, {"Zero", DNS_FLAG_Z},
	{"AuthenticatedData", DNS_FLAG_AD},  {"CheckingDisabled", DNS_FLAG_CD},
};

/* The values point to each other. */
struct view {
	char zone[NAMETEXT_MAX], asked[NAMETEXT_MAX];
	char remote[ADDR_TEXT_MAX], type[MNEMONIC_TEXT_MAX];
	struct gotemplate_value match[REGEX_GROUPS_MAX];
	struct gotemplate_field group[2 * REGEX_GROUPS_MAX];
	struct gotemplate_field question[3], message[ARRAY_SIZE(flags) + 4], fields[10];
	struct gotemplate_value questions[1];
};

static struct gotemplate_value number(int64_t n)
{
	return (struct gotemplate_value){.kind = GOTEMPLATE_INT, .number = n};
}

static struct gotemplate_value list(const struct gotemplate_value *items, size_t n)
{
	return (struct gotemplate_value){.kind = GOTEMPLATE_LIST, .items = items, .n = n};
}

static struct gotemplate_value fields(enum gotemplate_kind kind,
				      const struct gotemplate_field *fields, size_t n)
{
	return (struct gotemplate_value){.kind = kind, .fields = fields, .n = n};
}

/* The groups by number, then by name; how many there are. */
static size_t view_groups(struct view *v, const struct matched *m)
{
	static const char numbers[REGEX_GROUPS_MAX][3] = {
		"0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9",  "10",
		"11", "12", "13", "14", "15", "16", "17", "18", "19", "20", "21",
		"22", "23", "24", "25", "26", "27", "28", "29", "30", "31"};
	size_t n = m->match.n;

	for (size_t i = 0; i < m->match.n; i++) {
		v->match[i] = (struct gotemplate_value){
			.kind = GOTEMPLATE_STRING,
			.text = m->name + m->match.group[i].begin,
			.n = m->match.group[i].end - m->match.group[i].begin,
		};
		v->group[i] = (struct gotemplate_field){numbers[i], v->match[i]};
	}
	for (size_t i = 1; i < m->match.n; i++) {
		const char *name = regex_group_name(m->regex, i);

		if (name)
			v->group[n++] = (struct gotemplate_field){name, v->match[i]};
	}
	return n;
}

static void view_message(struct view *v, const struct query *q)
{
	struct gotemplate_field *at = v->message;

	v->question[0] = (struct gotemplate_field){"Name", gotemplate_string(v->asked)};
	v->question[1] = (struct gotemplate_field){"Qtype", number(q->qtype)};
	v->question[2] = (struct gotemplate_field){"Qclass", number(q->qclass)};
	v->questions[0] = fields(GOTEMPLATE_STRUCT, v->question, ARRAY_SIZE(v->question));
	*at++ = (struct gotemplate_field){"Id", number(q->id)};
	*at++ = (struct gotemplate_field){"Opcode",
					  number((q->flags & DNS_OPCODE_MASK) >> DNS_OPCODE_SHIFT)};
	*at++ = (struct gotemplate_field){"Rcode", number(q->flags & DNS_RCODE_MASK)};
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		*at++ = (struct gotemplate_field){
			flags[i].name,
			{.kind = GOTEMPLATE_BOOL, .boolean = q->flags & flags[i].bit}};
	*at = (struct gotemplate_field){"Question", list(v->questions, 1)};
}

static struct gotemplate_value view_all(struct view *v, const struct template_context *context,
					struct matched *m, const struct query *q,
					const uint8_t *packet)
{
	const struct corefile_template *t = m->template;
	bool any_class = q->qclass == DNS_CLASS_ANY, any_type = q->qtype == DNS_TYPE_ANY;
	const char *class = mnemonic_name(mnemonic_classes, any_class ? t->class : q->qclass);
	struct addr remote = *context->remote;
	size_t n_groups;

	need_name(m, q);
	if (!m->regex)
		m->match = (struct regex_match){.n = 1, .group = {{0, m->name_len}}};
	n_groups = view_groups(v, m);
	remote.scope_id = 0; /* CoreDNS says the address alone */
	nametext_write(m->zone->name, v->zone);
	nametext_write(packet + DNS_HEADER_LEN, v->asked);
	view_message(v, q);
	memcpy(v->fields,
	       (const struct gotemplate_field[]){
		       {"Zone", gotemplate_string(v->zone)},
		       {"Name", gotemplate_string(m->name)},
		       {"Class", gotemplate_string(class ? class : "")},
		       {"Type", gotemplate_string(mnemonic_type_text(any_type ? t->type : q->qtype,
								     v->type))},
		       {"Match", list(v->match, m->match.n)},
		       {"Group", fields(GOTEMPLATE_MAP, v->group, n_groups)},
		       {"Regex", gotemplate_string(m->pattern)},
		       {"Remote", gotemplate_string(addr_format(&remote, v->remote))},
		       {"Question", v->questions[0]},
		       {"Message", fields(GOTEMPLATE_STRUCT, v->message, ARRAY_SIZE(v->message))},
	       },
	       sizeof(v->fields));
	return fields(GOTEMPLATE_STRUCT, v->fields, ARRAY_SIZE(v->fields));
}

/* The type of ANY is the template's. */
void template_count(struct stats_templates *stats, struct stats_templates *record,
		    const struct query *q, const struct template_outcome *o)
{
	size_t type = stats_type_index(q->qtype == DNS_TYPE_ANY ? o->by->type : q->qtype);

	stats_add(&stats->matches[type], 1);
	if (o->failure == TEMPLATE_NOT_RENDERED)
		stats_add(&record->unrendered[type], 1);
	else if (o->failure == TEMPLATE_NO_RECORD)
		stats_add(&record->malformed[type], 1);
}

/* --- the whole --------------------------------------------------------------------------------
 */

/* The query as our OPT answers it: with the template's extended error. */
static void tell_error(struct query *q, const struct corefile_template *t)
{
	size_t len = t->has_ede ? strnlen(t->ede_text, ERROR_TEXT_MAX) : 0;

	q->edns.has_error = t->has_ede;
	q->edns.error = t->ede;
	q->edns.error_text = t->ede_text;
	q->edns.error_len = (uint8_t)len;
}

static bool has_records(const struct corefile_template *t)
{
	size_t n = 0;

	for (size_t i = 0; i < TEMPLATE_SECTIONS; i++)
		n += t->section[i].n;
	return n > 0;
}

static enum template_verdict answer_by(const struct template_context *context, struct matched *m,
				       struct query *q, uint8_t *packet, size_t limit,
				       size_t *ret_len, struct template_outcome *outcome,
				       struct err *err)
{
	struct writer w = {.matched = m, .outcome = outcome, .err = err};
	struct gotemplate_value data;
	struct view view; /* large: what is not used is not cleared */

	/* An rcode that needs an OPT cannot be told without one. */
	if (m->template->rcode == DNS_RCODE_SERVFAIL ||
	    (m->template->rcode > DNS_RCODE_MASK && !q->edns.present))
		return TEMPLATE_SERVFAIL;
	if (has_records(m->template)) {
		data = view_all(&view, context, m, q, packet);
		w.data = &data;
	}
	tell_error(q, m->template);
	w.answer = answer_begin(q, packet, limit);
	w.answer.header.flags |= DNS_FLAG_AA;
	w.answer.rcode = (enum dns_rcode)m->template->rcode;
	if (!put_sections(&w))
		return TEMPLATE_SERVFAIL;
	if (q->qtype != DNS_TYPE_A && q->qtype != DNS_TYPE_AAAA)
		outcome->target = 0;
	*ret_len = answer_end(&w.answer);
	return TEMPLATE_ANSWERED;
}

enum template_verdict template_answer(const struct template_context *context,
				      const struct query *query, uint8_t *packet, size_t limit,
				      size_t *ret_len, struct template_outcome *ret_outcome,
				      struct err *err)
{
	struct matched m; /* large: what is not used is not cleared */
	struct query told;
	enum template_verdict verdict;

	*ret_outcome = (struct template_outcome){0};
	m.name_len = 0;
	verdict = find(context, query, &m);
	if (verdict != TEMPLATE_ANSWERED)
		return verdict;
	ret_outcome->by = m.template;
	ret_outcome->zone = m.zone;
	told = *query;
	return answer_by(context, &m, &told, packet, limit, ret_len, ret_outcome, err);
}
