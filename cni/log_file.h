/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plugin's own log, as runtimes keep little of its standard error. */
#ifndef MESHDNS_CNI_LOG_FILE_H
#define MESHDNS_CNI_LOG_FILE_H

#include "common/log.h"

#define LOG_FILE_BYTES_MAX \
	((off_t)1024 * 1024) /* then it becomes FILE.1, in place of an older one */

/* From now on messages up to `level` go there too; "" is no file. It is no loss if it cannot be. */
void log_file_open(const char *path, enum log_level level);

#endif
