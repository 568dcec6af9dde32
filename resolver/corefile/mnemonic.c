/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/mnemonic.h"

#include <stdio.h>
#include <string.h>

const struct mnemonic mnemonic_types[] = {
	{1, "A"},           {2, "NS"},      {5, "CNAME"},   {6, "SOA"},       {12, "PTR"},
	{13, "HINFO"},      {15, "MX"},     {16, "TXT"},    {17, "RP"},       {18, "AFSDB"},
	{24, "SIG"},        {25, "KEY"},    {28, "AAAA"},   {29, "LOC"},      {33, "SRV"},
	{35, "NAPTR"},      {36, "KX"},     {37, "CERT"},   {39, "DNAME"},    {41, "OPT"},
	{42, "APL"},        {43, "DS"},     {44, "SSHFP"},  {45, "IPSECKEY"}, {46, "RRSIG"},
	{47, "NSEC"},       {48, "DNSKEY"}, {49, "DHCID"},  {50, "NSEC3"},    {51, "NSEC3PARAM"},
	{52, "TLSA"},       {53, "SMIMEA"}, {55, "HIP"},    {59, "CDS"},      {60, "CDNSKEY"},
	{61, "OPENPGPKEY"}, {62, "CSYNC"},  {63, "ZONEMD"}, {64, "SVCB"},     {65, "HTTPS"},
	{99, "SPF"},        {108, "EUI48"}, {109, "EUI64"}, {249, "TKEY"},    {250, "TSIG"},
	{251, "IXFR"},      {252, "AXFR"},  {253, "MAILB"}, {254, "MAILA"},   {255, "ANY"},
	{256, "URI"},       {257, "CAA"},   {0, NULL},
};

const struct mnemonic mnemonic_classes[] = {
	{1, "IN"}, {3, "CH"}, {4, "HS"}, {254, "NONE"}, {255, "ANY"}, {0, NULL},
};

const struct mnemonic mnemonic_rcodes[] = {
	{0, "NOERROR"},    {1, "FORMERR"},  {2, "SERVFAIL"}, {3, "NXDOMAIN"}, {4, "NOTIMP"},
	{4, "NOTIMPL"},    {5, "REFUSED"},  {6, "YXDOMAIN"}, {7, "YXRRSET"},  {8, "NXRRSET"},
	{9, "NOTAUTH"},    {10, "NOTZONE"}, {16, "BADVERS"}, {16, "BADSIG"},  {17, "BADKEY"},
	{18, "BADTIME"},   {19, "BADMODE"}, {20, "BADNAME"}, {21, "BADALG"},  {22, "BADTRUNC"},
	{23, "BADCOOKIE"}, {0, NULL},
};

bool mnemonic_find(const struct mnemonic *table, const char *text, size_t len, uint16_t *ret_number)
{
	for (; table->name; table++) {
		if (strlen(table->name) == len && !memcmp(table->name, text, len)) {
			*ret_number = table->number;
			return true;
		}
	}
	return false;
}

static bool find_number(const char *prefix, const char *text, size_t len, uint16_t *ret)
{
	size_t at = strlen(prefix);
	uint32_t number = 0;

	if (len <= at || len > at + 5 || memcmp(text, prefix, at) != 0)
		return false;
	for (; at < len; at++) {
		if (text[at] < '0' || text[at] > '9')
			return false;
		number = number * 10 + (uint32_t)(text[at] - '0');
	}
	*ret = (uint16_t)number;
	return number <= UINT16_MAX;
}

bool mnemonic_find_type(const char *text, size_t len, uint16_t *ret_type)
{
	return mnemonic_find(mnemonic_types, text, len, ret_type) ||
	       find_number("TYPE", text, len, ret_type);
}

bool mnemonic_find_class(const char *text, size_t len, uint16_t *ret_class)
{
	return mnemonic_find(mnemonic_classes, text, len, ret_class) ||
	       find_number("CLASS", text, len, ret_class);
}

const char *mnemonic_name(const struct mnemonic *table, uint16_t number)
{
	while (table->name && table->number != number)
		table++;
	return table->name;
}

const char *mnemonic_type_text(uint16_t type, char buffer[MNEMONIC_TEXT_MAX])
{
	const char *name = mnemonic_name(mnemonic_types, type);

	if (name)
		return name;
	snprintf(buffer, MNEMONIC_TEXT_MAX, "TYPE%u", type);
	return buffer;
}
