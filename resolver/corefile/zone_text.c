/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/zone_text.h"

#include <string.h>

bool zone_parse(const char *text, size_t len, struct corefile_zone *ret)
{
	if (len == 1 && *text == '.') {
		ret->name[0] = 0;
		ret->len = 1;
		return true;
	}
	ret->len = (uint8_t)wire_name_from_text(text, len, ret->name);
	return ret->len > 0;
}

/* The bits of a label of a reverse zone: an octet in decimal, or half of one in hexadecimal. */
static unsigned int label_bits(const struct prefix *network)
{
	return network->addr.family == AF_INET ? 8 : 4;
}

/* The labels that the network's bits are in; those of the last one that are free make it several.
 */
static unsigned int count_labels(const struct prefix *network, unsigned int *ret_free_bits)
{
	unsigned int bits = label_bits(network), n = (network->len + bits - 1) / bits;

	*ret_free_bits = n * bits - network->len;
	return n;
}

static bool parse_network(const char *text, size_t len, struct zone_text *ret)
{
	char network[PREFIX_TEXT_MAX];
	unsigned int free_bits;

	if (len >= sizeof(network) || !memchr(text, '/', len))
		return false;
	memcpy(network, text, len);
	network[len] = '\0';
	if (!prefix_parse(network, &ret->network))
		return false;
	count_labels(&ret->network, &free_bits);
	ret->is_network = true;
	ret->n = (size_t)1 << free_bits;
	return true;
}

void zone_text_parse(const char *text, struct zone_text *ret)
{
	const char *scheme_end = strstr(text, "://");
	const char *zone = scheme_end ? scheme_end + 3 : text;
	const char *colon = strrchr(zone, ':');
	size_t len = colon ? (size_t)(colon - zone) : strlen(zone);

	*ret = (struct zone_text){0};
	/* The colon of an IPv6 network has no port behind it. */
	if (parse_network(zone, strlen(zone), ret))
		return;
	ret->port = colon ? colon + 1 : NULL;
	if (parse_network(zone, len, ret))
		return;
	if (colon == zone) /* ":53" */
		ret->n = zone_parse(".", 1, &ret->zone);
	else
		ret->n = zone_parse(zone, len, &ret->zone);
}

void zone_text_get(const struct zone_text *text, size_t i, struct corefile_zone *ret)
{
	const struct prefix *network = &text->network;
	char name[DNS_NAME_MAX];
	unsigned int free_bits;
	size_t used = 0;

	if (!text->is_network) {
		*ret = text->zone;
		return;
	}
	for (unsigned int n = count_labels(network, &free_bits), k = n; k-- > 0;) {
		unsigned int label = network->addr.bytes[k * label_bits(network) / 8];

		if (label_bits(network) == 4)
			label = k % 2 ? label & 15 : label >> 4;
		if (k == n - 1)
			label |= (unsigned int)i;
		used += (size_t)snprintf(name + used, sizeof(name) - used,
					 label_bits(network) == 8 ? "%u." : "%x.", label);
	}
	used += (size_t)snprintf(name + used, sizeof(name) - used,
				 label_bits(network) == 8 ? "in-addr.arpa" : "ip6.arpa");
	zone_parse(name, used, ret);
}
