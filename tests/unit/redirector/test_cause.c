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

Test(cause, listeners)
{
	static const char *const none[] = {"",
					   "  sl  local_address rem_address   st",
					   "1:",
					   "1: 2:",
					   TALKING,
					   "1: 2:3ACD",
					   "1: 2:3ACD 0:0"};
	uid_t uid = 1;

	cr_expect(cause_is_listener(UDP, 15053, &uid));
	cr_expect_eq(uid, 5678);
	cr_expect(cause_is_listener(TCP6, 15053, &uid));
	cr_expect_eq(uid, 0);
	cr_expect_not(cause_is_listener(UDP, 15054, &uid));
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		cr_expect_not(cause_is_listener(none[i], 15053, &uid), "%s", none[i]);
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
