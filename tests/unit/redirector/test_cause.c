/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/cause.h"

#include <criterion/criterion.h>

#define UDP                                                                                        \
	"  121: 0100007F:3ACD 00000000:0000 07 00000000:00000000 00:00000000 00000000  5678      " \
	"  0 1 2"
#define TCP6                                                                                    \
	"   0: 00000000000000000000000001000000:3ACD 00000000000000000000000000000000:0000 0A " \
	"00000000:00000000 00:00000000 00000000     0        0 43 1"
#define TALKING                                                                                    \
	"   0: 0100007F:3ACD 0100007F:1234 01 00000000:00000000 00:00000000 00000000  1000       " \
	" 0 1"

#define TALKING6                                                                                \
	"  10: 0000000000000000FFFF00000200420A:D431 0000000000000000FFFF00003500007F:0355 01 " \
	"00000000:00000000 02:000009E4 00000000 64990        0 5 2 0"

Test(cause, sockets)
{
	static const char *const none[] = {"",
					   "  sl  local_address rem_address   st",
					   "1:",
					   "1: 2:",
					   "1: 2:3ACD",
					   "1: 2:3ACD 0:0",
					   "1: 00:3ACD 00:0000 07 0:0 0:0 0 1"};
	struct cause_socket socket;
	char text[ADDR_TEXT_MAX];

	cr_assert(cause_parse_socket(UDP, &socket));
	cr_expect(socket.listens && socket.port == 15053 && socket.uid == 5678);
	cr_assert(cause_parse_socket(TCP6, &socket));
	cr_expect(socket.listens && socket.port == 15053 && socket.uid == 0);
	cr_expect_eq(socket.remote.addr.family, AF_INET6);
	cr_assert(cause_parse_socket(TALKING, &socket));
	cr_expect(!socket.listens && socket.remote.port == 0x1234 && socket.uid == 1000);
	cr_expect_str_eq(addr_format(&socket.remote.addr, text), "127.0.0.1");
	cr_assert(cause_parse_socket(TALKING6, &socket));
	cr_expect(!socket.listens && socket.remote.port == 853 && socket.uid == 64990);
	cr_expect_str_eq(addr_format(&socket.remote.addr, text), "127.0.0.53", "v4-mapped");
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		cr_expect_not(cause_parse_socket(none[i], &socket), "%s", none[i]);
}

Test(cause, nss_resolve)
{
	cr_expect(cause_uses_nss_resolve(
		"passwd: files\nhosts: mymachines resolve [!UNAVAIL=return] dns"));
	cr_expect(cause_uses_nss_resolve(" hosts:\tfiles [NOTFOUND=return]resolve"));
	cr_expect_not(cause_uses_nss_resolve(""));
	cr_expect_not(cause_uses_nss_resolve("hosts: files dns # resolve\n"));
	cr_expect_not(cause_uses_nss_resolve("#hosts: resolve\nhosts: files dns\npasswd: resolve"));
	cr_expect_not(cause_uses_nss_resolve("hosts: resolved files [resolve"));
}
