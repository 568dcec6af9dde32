/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/mnemonic.h"

#include <stdio.h>
#include <string.h>

const struct mnemonic mnemonic_types[] = {
	{1, "A"},         {2, "NS"},      {3, "MD"},          {4, "MF"},
	{5, "CNAME"},     {6, "SOA"},     {7, "MB"},          {8, "MG"},
	{9, "MR"},        {10, "NULL"},   {12, "PTR"},        {13, "HINFO"},
	{14, "MINFO"},    {15, "MX"},     {16, "TXT"},        {17, "RP"},
	{18, "AFSDB"},    {19, "X25"},    {20, "ISDN"},       {21, "RT"},
	{23, "NSAP-PTR"}, {24, "SIG"},    {25, "KEY"},        {26, "PX"},
	{27, "GPOS"},     {28, "AAAA"},   {29, "LOC"},        {30, "NXT"},
	{31, "EID"},      {32, "NIMLOC"}, {33, "SRV"},        {34, "ATMA"},
	{35, "NAPTR"},    {36, "KX"},     {37, "CERT"},       {39, "DNAME"},
	{41, "OPT"},      {42, "APL"},    {43, "DS"},         {44, "SSHFP"},
	{45, "IPSECKEY"}, {46, "RRSIG"},  {47, "NSEC"},       {48, "DNSKEY"},
	{49, "DHCID"},    {50, "NSEC3"},  {51, "NSEC3PARAM"}, {52, "TLSA"},
	{53, "SMIMEA"},   {55, "HIP"},    {56, "NINFO"},      {57, "RKEY"},
	{58, "TALINK"},   {59, "CDS"},    {60, "CDNSKEY"},    {61, "OPENPGPKEY"},
	{62, "CSYNC"},    {63, "ZONEMD"}, {64, "SVCB"},       {65, "HTTPS"},
	{99, "SPF"},      {100, "UINFO"}, {101, "UID"},       {102, "GID"},
	{103, "UNSPEC"},  {104, "NID"},   {105, "L32"},       {106, "L64"},
	{107, "LP"},      {108, "EUI48"}, {109, "EUI64"},     {128, "NXNAME"},
	{249, "TKEY"},    {250, "TSIG"},  {251, "IXFR"},      {252, "AXFR"},
	{253, "MAILB"},   {254, "MAILA"}, {255, "ANY"},       {256, "URI"},
	{257, "CAA"},     {258, "AVC"},   {260, "AMTRELAY"},  {261, "RESINFO"},
	{32768, "TA"},    {32769, "DLV"}, {0, NULL},
};

const struct mnemonic mnemonic_classes[] = {
	{1, "IN"}, {3, "CH"}, {4, "HS"}, {254, "NONE"}, {255, "ANY"}, {0, NULL},
};

const struct mnemonic mnemonic_rcodes[] = {
	{0, "NOERROR"},   {1, "FORMERR"},    {2, "SERVFAIL"},   {3, "NXDOMAIN"}, {4, "NOTIMP"},
	{4, "NOTIMPL"},   {5, "REFUSED"},    {6, "YXDOMAIN"},   {7, "YXRRSET"},  {8, "NXRRSET"},
	{9, "NOTAUTH"},   {10, "NOTZONE"},   {11, "DSOTYPENI"}, {16, "BADVERS"}, {16, "BADSIG"},
	{17, "BADKEY"},   {18, "BADTIME"},   {19, "BADMODE"},   {20, "BADNAME"}, {21, "BADALG"},
	{22, "BADTRUNC"}, {23, "BADCOOKIE"}, {0, NULL},
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
