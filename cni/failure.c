/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int failure_set(struct failure *failure, enum failure_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(failure->err.msg, sizeof(failure->err.msg), fmt, ap);
	va_end(ap);
	failure->err.code = -EINVAL;
	return failure_is(failure, code);
}

int failure_is(struct failure *failure, enum failure_code code)
{
	failure->code = code;
	return -1;
}
