/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of the DNS protocol that the resolver deals in, from IANA's registry. */
#ifndef MESHDNS_RESOLVER_DNS_H
#define MESHDNS_RESOLVER_DNS_H

/* RFC 1035 sections 2.3.4 and 4.1.1, RFC 6891 section 6.2. */
#define DNS_HEADER_LEN   12
#define DNS_NAME_MAX     255 /* wire form with the root label */
#define DNS_LABEL_MAX    63
#define DNS_UDP_MIN_SIZE 512 /* what a client without EDNS accepts */
#define DNS_MESSAGE_MAX  65535

/* The second and third octet pair of the header. */
#define DNS_FLAG_QR      0x8000
#define DNS_FLAG_AA      0x0400
#define DNS_FLAG_TC      0x0200
#define DNS_FLAG_RD      0x0100
#define DNS_FLAG_RA      0x0080
#define DNS_FLAG_Z       0x0040
#define DNS_FLAG_AD      0x0020
#define DNS_FLAG_CD      0x0010
#define DNS_OPCODE_MASK  0x7800
#define DNS_OPCODE_SHIFT 11
#define DNS_RCODE_MASK   0x000f

enum dns_opcode { DNS_OPCODE_QUERY = 0, DNS_OPCODE_NOTIFY = 4, DNS_OPCODE_UPDATE = 5 };

enum dns_rcode {
	DNS_RCODE_NOERROR = 0,
	DNS_RCODE_FORMERR = 1,
	DNS_RCODE_SERVFAIL = 2,
	DNS_RCODE_NXDOMAIN = 3,
	DNS_RCODE_NOTIMP = 4,
	DNS_RCODE_REFUSED = 5,
	DNS_RCODE_BADVERS = 16, /* its upper bits travel in the OPT record */
};

enum dns_class { DNS_CLASS_IN = 1, DNS_CLASS_CH = 3, DNS_CLASS_ANY = 255 };

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_NS = 2,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_SOA = 6,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_HINFO = 13,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_SIG = 24, /* in the additional section: SIG(0), RFC 2931 */
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_SRV = 33,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_DS = 43,
	DNS_TYPE_SVCB = 64,
	DNS_TYPE_HTTPS = 65,
	DNS_TYPE_TKEY = 249,
	DNS_TYPE_TSIG = 250,
	DNS_TYPE_IXFR = 251,
	DNS_TYPE_AXFR = 252,
	DNS_TYPE_MAILB = 253,
	DNS_TYPE_MAILA = 254,
	DNS_TYPE_ANY = 255,
};

#endif
