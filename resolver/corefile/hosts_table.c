/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines are pairs of a name and an address, sorted by name; for reverse names their numbers
 * are sorted by address. What belongs together is found by halving.
 */
#include "resolver/corefile/hosts_table.h"

#include <errno.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "resolver/answer_parts.h"
#include "resolver/nametext.h"
#include "resolver/reverse.h"

struct pair {
	uint32_t name;  /* where in the names its length and octets lie */
	uint32_t order; /* in the file */
	sa_family_t family;
	uint8_t addr[16];
};

struct hosts_table {
	const struct corefile_hosts *config;
	const struct corefile_zones *zones;
	struct pair *pairs;
	uint32_t *reverse; /* numbers of pairs */
	size_t n_pairs, max_pairs, n_reverse;
	uint8_t *names;
	size_t names_len, names_max;
	size_t skipped;
	struct stat file; /* zeroed: it was not read */
};

/* --- making one -------------------------------------------------------------------------------
 */

/* The table's array has room for `n` more. */
static bool reserve(void **array, size_t *max, size_t used, size_t n, size_t size)
{
	size_t wanted = *max ? *max : 64;
	void *larger;

	while (wanted - used < n)
		wanted *= 2;
	if (wanted == *max)
		return true;
	if (wanted > UINT32_MAX || !(larger = reallocarray(*array, wanted, size)))
		return false;
	*array = larger;
	*max = wanted;
	return true;
}

/* Appends the name; *ret_at is where. */
static bool add_name(struct hosts_table *t, const uint8_t *name, size_t len, uint32_t *ret_at)
{
	if (!reserve((void **)&t->names, &t->names_max, t->names_len, len + 1, 1))
		return false;
	*ret_at = (uint32_t)t->names_len;
	t->names[t->names_len++] = (uint8_t)len;
	memcpy(t->names + t->names_len, name, len);
	t->names_len += len;
	return true;
}

static int add_pair(struct hosts_table *t, const struct addr *addr, const char *text, size_t len)
{
	uint8_t name[DNS_NAME_MAX];
	struct pair *pair;
	size_t name_len = nametext_read(text, len, name);

	if (!name_len) {
		t->skipped++;
		return 0;
	}
	wire_name_fold(name, name_len);
	if (!corefile_zones_find(t->zones, name, name_len))
		return 0;
	if (!reserve((void **)&t->pairs, &t->max_pairs, t->n_pairs, 1, sizeof(*t->pairs)))
		return -ENOMEM;
	pair = &t->pairs[t->n_pairs];
	if (!add_name(t, name, name_len, &pair->name))
		return -ENOMEM;
	pair->order = (uint32_t)t->n_pairs++;
	pair->family = addr->family;
	memset(pair->addr, 0, sizeof(pair->addr));
	memcpy(pair->addr, addr->bytes, addr_len(addr));
	return 0;
}

/* The next word of [*at, end), *ret_len long; 0 at the end. */
static const char *next_word(const char **at, const char *end, size_t *ret_len)
{
	static const char blanks[] = " \t\r\v\f";
	const char *word = *at;

	while (word < end && *word && strchr(blanks, *word))
		word++;
	*at = word;
	while (*at < end && !(**at && strchr(blanks, **at)))
		(*at)++;
	*ret_len = (size_t)(*at - word);
	return word;
}

/* An address, its %scope left out. */
static bool parse_address(const char *word, size_t len, struct addr *ret)
{
	const char *scope = memchr(word, '%', len);
	char text[INET6_ADDRSTRLEN];

	if (scope)
		len = (size_t)(scope - word);
	if (len >= sizeof(text))
		return false;
	memcpy(text, word, len);
	text[len] = '\0';
	if (!addr_parse(text, ret))
		return false;
	*ret = addr_unmap(ret);
	return true;
}

static int add_line(struct hosts_table *t, const char *line, const char *end)
{
	const char *comment = memchr(line, '#', (size_t)(end - line)), *word;
	struct addr addr;
	size_t len;
	int rc = 0;

	if (comment)
		end = comment;
	word = next_word(&line, end, &len);
	if (len == 0)
		return 0;
	if (!parse_address(word, len, &addr)) {
		t->skipped++;
		return 0;
	}
	while (rc == 0 && (word = next_word(&line, end, &len), len))
		rc = add_pair(t, &addr, word, len);
	return rc;
}

static int add_file(struct hosts_table *t, struct err *err)
{
	cleanup_free char *text = NULL;
	const char *line, *end, *stop;
	size_t len;
	int rc;

	/* Before it is read: if it changes meanwhile, that is seen the next time. */
	if (stat(t->config->file, &t->file) < 0)
		memset(&t->file, 0, sizeof(t->file));
	if ((rc = file_read(t->config->file, HOSTS_FILE_MAX, &text, &len, err)) < 0)
		return rc;
	for (line = text, stop = text + len; line < stop && rc == 0; line = end + 1) {
		if (!(end = memchr(line, '\n', (size_t)(stop - line))))
			end = stop;
		rc = add_line(t, line, end);
	}
	return rc < 0 ? err_set(err, rc, "%s: %s", t->config->file, err_text(rc)) : 0;
}

static int compare_names(const struct hosts_table *t, uint32_t a, uint32_t b)
{
	const uint8_t *name = t->names + a, *other = t->names + b;

	/* The lengths are the first octets. */
	return memcmp(name, other, (*name < *other ? *name : *other) + 1u);
}

static int compare_pairs(const void *a, const void *b, void *table)
{
	const struct pair *pair = a, *other = b;
	int order = compare_names(table, pair->name, other->name);

	if (order == 0)
		order = (pair->family > other->family) - (pair->family < other->family);
	return order ? order : (pair->order > other->order) - (pair->order < other->order);
}

static int compare_address(const struct pair *pair, sa_family_t family, const uint8_t *addr)
{
	return pair->family != family ? (int)pair->family - (int)family
				      : memcmp(pair->addr, addr, sizeof(pair->addr));
}

static int compare_reverse(const void *a, const void *b, void *table)
{
	const struct hosts_table *t = table;
	const struct pair *pair = &t->pairs[*(const uint32_t *)a];
	const struct pair *other = &t->pairs[*(const uint32_t *)b];
	int order = compare_address(pair, other->family, other->addr);

	return order ? order : (pair->order > other->order) - (pair->order < other->order);
}

static bool is_wildcard(const uint8_t *name)
{
	return name[0] == 1 && name[1] == '*';
}

static int index_reverse(struct hosts_table *t)
{
	if (t->config->no_reverse || t->n_pairs == 0)
		return 0;
	if (!(t->reverse = calloc(t->n_pairs, sizeof(*t->reverse))))
		return -ENOMEM;
	for (size_t i = 0; i < t->n_pairs; i++) {
		if (!is_wildcard(t->names + t->pairs[i].name + 1))
			t->reverse[t->n_reverse++] = (uint32_t)i;
	}
	qsort_r(t->reverse, t->n_reverse, sizeof(*t->reverse), compare_reverse, t);
	return 0;
}

#define LOOK_BACK 32 /* pairs: a name with more addresses may keep a twin */

/* The same line twice is one record, RFC 2181 section 5. */
static void drop_twins(struct hosts_table *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n_pairs; i++) {
		bool is_twin = false;

		for (size_t k = kept; k > 0 && kept - k < LOOK_BACK && !is_twin;) {
			k--;
			if (t->pairs[k].family != t->pairs[i].family ||
			    compare_names(t, t->pairs[k].name, t->pairs[i].name) != 0)
				break;
			is_twin = !memcmp(t->pairs[k].addr, t->pairs[i].addr,
					  sizeof(t->pairs[k].addr));
		}
		if (!is_twin)
			t->pairs[kept++] = t->pairs[i];
	}
	t->n_pairs = kept;
}

static int fill(struct hosts_table *t, bool file, struct err *err)
{
	int rc = file && t->config->file ? add_file(t, err) : 0;

	if (rc < 0)
		return rc;
	for (const struct corefile_host *host = t->config->inline_hosts; host && rc == 0;
	     host = host->next) {
		struct addr addr = addr_unmap(&host->addr);

		rc = add_pair(t, &addr, host->name, strlen(host->name));
	}
	if (rc == 0 && t->n_pairs) {
		qsort_r(t->pairs, t->n_pairs, sizeof(*t->pairs), compare_pairs, t);
		drop_twins(t);
		rc = index_reverse(t);
	}
	return rc < 0 ? err_set(err, rc, "hosts: %s", err_text(rc)) : 0;
}

int hosts_load(const struct corefile_hosts *config, const struct corefile_zones *block, bool file,
	       struct hosts_table **ret, struct err *err)
{
	struct hosts_table *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return err_set(err, ENOMEM, "hosts: out of memory");
	t->config = config;
	t->zones = config->zones.n ? &config->zones : block;
	if ((rc = fill(t, file, err)) < 0)
		hosts_free(t);
	else
		*ret = t;
	return rc;
}

void hosts_free(struct hosts_table *table)
{
	if (!table)
		return;
	free(table->pairs);
	free(table->reverse);
	free(table->names);
	free(table);
}

bool hosts_is_stale(const struct hosts_table *table)
{
	const struct stat *old = &table->file;
	struct stat now;

	if (!table->config->file || stat(table->config->file, &now) < 0)
		return false; /* what was known is better than nothing */
	return now.st_mtim.tv_sec != old->st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != old->st_mtim.tv_nsec || now.st_size != old->st_size ||
	       now.st_ino != old->st_ino || now.st_dev != old->st_dev;
}

size_t hosts_count(const struct hosts_table *table, size_t *ret_skipped)
{
	if (ret_skipped)
		*ret_skipped = table->skipped;
	return table->n_pairs + table->n_reverse;
}

const char *hosts_file(const struct hosts_table *table)
{
	return table->config->file;
}

double hosts_changed_s(const struct hosts_table *table)
{
	const struct timespec *at = &table->file.st_mtim;

	return (double)at->tv_sec + (double)at->tv_nsec / 1e9;
}

/* --- answers ----------------------------------------------------------------------------------
 */

/* The first pair of the name and family, or where it would be. */
static size_t find_name(const struct hosts_table *t, const uint8_t *name, size_t len,
			sa_family_t family)
{
	size_t low = 0, high = t->n_pairs;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct pair *pair = &t->pairs[middle];
		const uint8_t *other = t->names + pair->name;
		int order = *other != len ? (int)*other - (int)len : memcmp(other + 1, name, len);

		if (order < 0 || (order == 0 && pair->family < family))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_pair(const struct hosts_table *t, size_t i, const uint8_t *name, size_t len,
		    sa_family_t family)
{
	return i < t->n_pairs && t->pairs[i].family == family &&
	       t->names[t->pairs[i].name] == len &&
	       !memcmp(t->names + t->pairs[i].name + 1, name, len);
}

/* The addresses of a name, or of the wildcard that covers it: how many pairs from *ret_first on. */
static size_t find_addresses(const struct hosts_table *t, const struct query *q, sa_family_t family,
			     size_t *ret_first)
{
	const uint8_t *name = q->qname;
	uint8_t wildcard[DNS_NAME_MAX + 1] = {1, '*'};
	size_t len = q->qname_len, n = 0;

	*ret_first = find_name(t, name, len, family);
	if (!is_pair(t, *ret_first, name, len, family) && len > 1) {
		len -= name[0] - 1u;
		memcpy(wildcard + 2, name + name[0] + 1, len - 2);
		name = wildcard;
		*ret_first = find_name(t, name, len, family);
	}
	while (is_pair(t, *ret_first + n, name, len, family))
		n++;
	return n;
}

/* Likewise the names of an address; the numbers are those of t->reverse. */
static size_t find_reverse(const struct hosts_table *t, const struct addr *addr, size_t *ret_first)
{
	size_t low = 0, high = t->n_reverse, n = 0;
	uint8_t bytes[16] = {0};

	memcpy(bytes, addr->bytes, addr_len(addr));
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_address(&t->pairs[t->reverse[middle]], addr->family, bytes) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_first = low;
	while (low + n < t->n_reverse &&
	       !compare_address(&t->pairs[t->reverse[low + n]], addr->family, bytes))
		n++;
	return n;
}

static bool put(struct answer *a, const struct hosts_table *t, uint16_t type, const uint8_t *data,
		size_t len)
{
	if (!answer_fits(a, ANSWER_RR_FIXED_LEN + len))
		return false;
	answer_put_fixed(a, type, t->config->ttl, len);
	wire_put_bytes(&a->w, data, len);
	a->header.ancount++;
	return true;
}

static size_t answer_addresses(const struct hosts_table *t, const struct query *q, uint8_t *packet,
			       size_t limit, size_t first, size_t n)
{
	struct answer a = answer_begin(q, packet, limit);

	a.header.flags |= DNS_FLAG_AA;
	for (size_t i = 0; i < n; i++) {
		const struct pair *pair = &t->pairs[first + i];

		if (!put(&a, t, q->qtype, pair->addr, pair->family == AF_INET ? 4 : 16))
			break;
	}
	return answer_end(&a);
}

static enum hosts_verdict answer_reverse(const struct hosts_table *t, const struct query *q,
					 uint8_t *packet, size_t limit, size_t *ret_len)
{
	size_t first, n = 0;
	struct addr addr;
	struct answer a;

	if (reverse_parse(q->qname, q->qname_len, &addr)) {
		addr = addr_unmap(&addr);
		n = find_reverse(t, &addr, &first);
	}
	if (n == 0)
		return HOSTS_NONE;
	a = answer_begin(q, packet, limit);
	a.header.flags |= DNS_FLAG_AA;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *name = t->names + t->pairs[t->reverse[first + i]].name;

		if (!put(&a, t, DNS_TYPE_PTR, name + 1, *name))
			break;
	}
	*ret_len = answer_end(&a);
	return HOSTS_ANSWERED;
}

enum hosts_verdict hosts_answer(const struct hosts_table *table, const struct query *query,
				uint8_t *packet, size_t limit, size_t *ret_len)
{
	size_t first4, first6, n4, n6, n = 0, first = 0;

	if (query->qtype == DNS_TYPE_PTR)
		return answer_reverse(table, query, packet, limit, ret_len);
	if (!corefile_zones_find(table->zones, query->qname, query->qname_len))
		return HOSTS_NONE;
	n4 = find_addresses(table, query, AF_INET, &first4);
	n6 = find_addresses(table, query, AF_INET6, &first6);
	if (n4 + n6 == 0)
		return corefile_falls_through(&table->config->fallthrough, query->qname,
					      query->qname_len)
			       ? HOSTS_NONE
			       : HOSTS_SERVFAIL;
	if (query->qtype == DNS_TYPE_A) {
		n = n4;
		first = first4;
	} else if (query->qtype == DNS_TYPE_AAAA) {
		n = n6;
		first = first6;
	}
	*ret_len = answer_addresses(table, query, packet, limit, first, n);
	return HOSTS_ANSWERED;
}
