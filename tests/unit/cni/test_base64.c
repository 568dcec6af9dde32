/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cni/base64.h"

static void expect(const char *text, const char *decoded)
{
	char *data = NULL;
	size_t len = 0;
	bool ok = base64_decode(text, strlen(text), &data, &len);

	cr_expect_eq(ok, decoded != NULL, "%s", text);
	if (ok && decoded)
		cr_expect(len == strlen(decoded) && !strcmp(data, decoded), "%s: %s", text, data);
	free(data);
}

/* RFC 4648, section 10. */
Test(base64, vectors)
{
	expect("", "");
	expect("Zg==", "f");
	expect("Zm8=", "fo");
	expect("Zm9v", "foo");
	expect("Zm9vYg==", "foob");
	expect("Zm9vYmE=", "fooba");
	expect("Zm9vYmFy", "foobar");
}

Test(base64, both_alphabets_with_padding_or_without)
{
	expect("Pz8/Pz4+", "?\?\?\?>>");
	expect("Pz8_Pz4-", "?\?\?\?>>");
	expect("Zg", "f");
}

Test(base64, nonsense)
{
	expect("Z", NULL);
	expect("Zm9v\n", NULL);
	expect("Zm=v", NULL);
	expect("Zm9vY", NULL);
}
