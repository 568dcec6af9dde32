/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of gotemplate.h have in common: the program, and how the functions are called. */
#ifndef MESHDNS_COREFILE_GOTEMPLATE_PARTS_H
#define MESHDNS_COREFILE_GOTEMPLATE_PARTS_H

#include "resolver/corefile/gotemplate.h"

#define STACK_MAX     64 /* operands under way */
#define VARIABLES_MAX 32
#define NESTING_MAX   32 /* of blocks, and of parentheses */
#define OPS_MAX       65536
#define SCRATCH_SIZE  8192 /* what printf and print may make in a run */

/* The right column: what it does to the stack. */
enum op_code {
	OP_TEXT,       /* writes text */
	OP_STRING,     /* -> text */
	OP_NUMBER,     /* -> number, numbers[at] */
	OP_TRUE,       /* -> true */
	OP_FALSE,      /* -> false */
	OP_NIL,        /* -> nil */
	OP_DOT,        /* -> dot */
	OP_ROOT,       /* -> the data */
	OP_LOAD,       /* -> variable `at` */
	OP_STORE,      /* x -> x; and into variable `at` */
	OP_DROP,       /* x -> */
	OP_FIELD,      /* x -> x's field, named by text */
	OP_CALL,       /* `count` arguments -> what functions[at] makes of them */
	OP_CALL_PIPED, /* likewise; the first of them is the last argument */
	OP_PRINT,      /* x -> ; writes it */
	OP_JUMP,       /* to op `at` */
	OP_JUMP_FALSE, /* x -> ; to op `at` if it is empty */
	OP_AND,        /* x -> x and to op `at` if it is empty, x -> if not */
	OP_OR,         /* likewise, if it is not empty */
	OP_WITH,       /* x -> ; to op `at` if it is empty, else it becomes dot */
	OP_UNDOT,      /* dot is what it was before the last OP_WITH */
};

struct op {
	uint8_t code;
	uint8_t count;
	uint32_t line;
	uint32_t at, len; /* a place in gotemplate.text, or what enum op_code says */
};

struct gotemplate {
	const char *file;
	struct op *ops;
	size_t n_ops;
	int64_t *numbers;
	size_t n_numbers;
	char *text; /* the source; behind it the strings that had escapes in them */
};

/* Text under construction, in a buffer of fixed size; sticky. */
struct sink {
	char *data;
	size_t size, len;
	bool full;
};

void sink_put(struct sink *sink, const char *text, size_t len);
/* As print does it. */
void sink_put_value(struct sink *sink, const struct gotemplate_value *value);

struct gotemplate_function {
	const char *name;
	uint8_t min, max; /* arguments */
	/* Text of its own goes to `scratch`. False: `err` says why, without file and line. */
	bool (*call)(const struct gotemplate_value *args, size_t n, struct sink *scratch,
		     struct gotemplate_value *ret, struct err *err);
};

#define UNUSED(name) name __attribute__((unused))

/* print, println and printf. */
bool gotemplate_print(const struct gotemplate_value *args, size_t n, struct sink *scratch,
		      struct gotemplate_value *ret, struct err *err);
bool gotemplate_println(const struct gotemplate_value *args, size_t n, struct sink *scratch,
			struct gotemplate_value *ret, struct err *err);
bool gotemplate_printf(const struct gotemplate_value *args, size_t n, struct sink *scratch,
		       struct gotemplate_value *ret, struct err *err);

/* A NULL name ends the table. */
extern const struct gotemplate_function gotemplate_functions[];

/* What if, and, or and not go by. */
bool gotemplate_is_true(const struct gotemplate_value *value);

#endif
