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

static void expect_both(const char *text, const char *decoded)
{
	char *encoded = base64_encode(decoded, strlen(decoded));

	expect(text, decoded);
	cr_expect_str_eq(encoded, text);
	free(encoded);
}

/* RFC 4648, section 10. */
Test(base64, vectors)
{
	expect_both("", "");
	expect_both("Zg==", "f");
	expect_both("Zm8=", "fo");
	expect_both("Zm9v", "foo");
	expect_both("Zm9vYg==", "foob");
	expect_both("Zm9vYmE=", "fooba");
	expect_both("Zm9vYmFy", "foobar");
}

Test(base64, both_alphabets_with_padding_or_without)
{
	expect("Pz8/Pz4+", "?\?\?\?>>");
	expect("Pz8_Pz4-", "?\?\?\?>>");
	expect("Zg", "f");
}

/* base64(1) and YAML's blocks have them, and those who read kubeconfigs take them. */
Test(base64, lines)
{
	expect("Zm9v\n", "foo");
	expect("Zm9\r\nvYg=\n=\n", "foob");
	expect("\n", "");
}

Test(base64, nonsense)
{
	expect("Z", NULL);
	expect("Zm9v Yg==", NULL);
	expect("Zm=v", NULL);
	expect("Zm9vY", NULL);
}
