/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stack machine. */
#include <errno.h>
#include <string.h>

#include "resolver/corefile/gotemplate_parts.h"

struct run {
	const struct gotemplate *template;
	const struct gotemplate_value *root;
	struct gotemplate_value stack[STACK_MAX];
	size_t n_stack;
	struct gotemplate_value variables[VARIABLES_MAX];
	struct gotemplate_value dots[NESTING_MAX + 1];
	size_t n_dots;
	struct sink out, scratch;
	char scratch_bytes[SCRATCH_SIZE];
};

struct gotemplate_value gotemplate_string(const char *text)
{
	return (struct gotemplate_value){
		.kind = GOTEMPLATE_STRING, .text = text, .n = strlen(text)};
}

bool gotemplate_is_true(const struct gotemplate_value *value)
{
	switch (value->kind) {
	case GOTEMPLATE_NONE: return false;
	case GOTEMPLATE_BOOL: return value->boolean;
	case GOTEMPLATE_INT: return value->number != 0;
	case GOTEMPLATE_STRING:
	case GOTEMPLATE_LIST:
	case GOTEMPLATE_MAP: return value->n > 0;
	case GOTEMPLATE_STRUCT: break;
	}
	return true;
}

static void push(struct run *run, struct gotemplate_value value)
{
	run->stack[run->n_stack++] = value;
}

static struct gotemplate_value pop(struct run *run)
{
	return run->stack[--run->n_stack];
}

static struct gotemplate_value *top(struct run *run)
{
	return &run->stack[run->n_stack - 1];
}

static bool take_field(struct gotemplate_value *value, const char *name, size_t len,
		       struct err *err)
{
	/* The compiler has counted: something is on the stack. NOLINTNEXTLINE */
	if (value->kind != GOTEMPLATE_STRUCT && value->kind != GOTEMPLATE_MAP) {
		err_set(err, EINVAL, ".%.*s: that has no fields", (int)len, name);
		return false;
	}
	for (size_t i = 0; i < value->n; i++) {
		if (strlen(value->fields[i].name) == len &&
		    !memcmp(value->fields[i].name, name, len)) {
			*value = value->fields[i].value;
			return true;
		}
	}
	if (value->kind == GOTEMPLATE_STRUCT) {
		err_set(err, EINVAL, "there is no field .%.*s", (int)len, name);
		return false;
	}
	*value = (struct gotemplate_value){0};
	return true;
}

static bool call(struct run *run, const struct op *op, struct err *err)
{
	struct gotemplate_value args[STACK_MAX], result = {0};
	const struct gotemplate_value *given = run->stack + run->n_stack - op->count;

	if (op->code == OP_CALL_PIPED) {
		memcpy(args, given + 1, (op->count - 1u) * sizeof(*args));
		args[op->count - 1u] = given[0];
	} else {
		memcpy(args, given, op->count * sizeof(*args));
	}
	if (!gotemplate_functions[op->at].call(args, op->count, &run->scratch, &result, err))
		return false;
	if (run->scratch.full) {
		err_set(err, ENOBUFS, "%s: the text is too long",
			gotemplate_functions[op->at].name);
		return false;
	}
	run->n_stack -= op->count;
	push(run, result);
	return true;
}

/* One step; *next is the op to follow. False: `err` says why. */
static bool step(struct run *run, const struct op *op, size_t *next, struct err *err)
{
	const struct gotemplate *t = run->template;
	struct gotemplate_value value;

	switch ((enum op_code)op->code) {
	case OP_TEXT: sink_put(&run->out, t->text + op->at, op->len); break;
	case OP_STRING:
		push(run, (struct gotemplate_value){.kind = GOTEMPLATE_STRING,
						    .text = t->text + op->at,
						    .n = op->len});
		break;
	case OP_NUMBER:
		push(run, (struct gotemplate_value){.kind = GOTEMPLATE_INT,
						    .number = t->numbers[op->at]});
		break;
	case OP_TRUE:
	case OP_FALSE:
		push(run, (struct gotemplate_value){.kind = GOTEMPLATE_BOOL,
						    .boolean = op->code == OP_TRUE});
		break;
	case OP_NIL: push(run, (struct gotemplate_value){0}); break;
	case OP_DOT: push(run, run->dots[run->n_dots - 1]); break;
	case OP_ROOT: push(run, *run->root); break;
	case OP_LOAD: push(run, run->variables[op->at]); break;
	case OP_STORE: run->variables[op->at] = *top(run); break;
	case OP_DROP: pop(run); break;
	case OP_FIELD: return take_field(top(run), t->text + op->at, op->len, err);
	case OP_CALL:
	case OP_CALL_PIPED: return call(run, op, err);
	case OP_PRINT:
		value = pop(run);
		sink_put_value(&run->out, &value);
		break;
	case OP_JUMP: *next = op->at; break;
	case OP_JUMP_FALSE:
		value = pop(run);
		if (!gotemplate_is_true(&value))
			*next = op->at;
		break;
	case OP_AND:
	case OP_OR:
		if (gotemplate_is_true(top(run)) == (op->code == OP_OR))
			*next = op->at;
		else
			pop(run);
		break;
	case OP_WITH:
		value = pop(run);
		if (gotemplate_is_true(&value))
			run->dots[run->n_dots++] = value;
		else
			*next = op->at;
		break;
	case OP_UNDOT: run->n_dots--; break;
	}
	return true;
}

int gotemplate_execute(const struct gotemplate *template, const struct gotemplate_value *data,
		       char *out, size_t size, size_t *ret_len, struct err *err)
{
	struct run run; /* large: what is not written to is not cleared */
	size_t next = 0;

	run.template = template;
	run.root = data;
	run.n_stack = 0;
	run.dots[0] = *data;
	run.n_dots = 1;
	run.out = (struct sink){.data = out, .size = size};
	run.scratch = (struct sink){.data = run.scratch_bytes, .size = sizeof(run.scratch_bytes)};
	while (next < template->n_ops) {
		const struct op *op = &template->ops[next++];
		struct err why = {0};

		if (!step(&run, op, &next, &why))
			return err_set(err, why.code, "%s:%u: %s", template->file, op->line,
				       why.msg);
		if (run.out.full)
			return err_set(err, ENOBUFS, "%s:%u: the result is larger than %zu bytes",
				       template->file, op->line, size);
	}
	*ret_len = run.out.len;
	return 0;
}
