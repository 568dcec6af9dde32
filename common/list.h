/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Doubly linked, intrusive, circular list; the head is a node of its own. */
#ifndef MESHDNS_COMMON_LIST_H
#define MESHDNS_COMMON_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

/* The struct that holds `node` as its `member`. */
#define list_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *head)
{
	head->prev = head->next = head;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_append(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

static inline void list_remove(struct list *node)
{
	/* The analyzer takes a node that was zeroed after leaving a list for one still in it. */
	node->prev->next = node->next; /* NOLINT(clang-analyzer-core.NullDereference) */
	node->next->prev = node->prev;
	list_init(node);
}

#endif
