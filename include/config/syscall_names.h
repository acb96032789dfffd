/* What the words of `syscalls` stand for: an allow list of system calls, made of groups. Names
 * are those of libseccomp. Pure, but for libseccomp's table of names. */
#ifndef USHERD_CONFIG_SYSCALL_NAMES_H
#define USHERD_CONFIG_SYSCALL_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct syscall_group {
	const char *name; /* with its @ */
	bool is_default;
	const char *const *calls; /* NULL-ended; some exist only on some machines */
};

/* The groups, one after the other. NULL: there are no more. */
const struct syscall_group *syscall_group(size_t index);

enum { SYSCALLS_MAX = 640 }; /* more than the tables have */

struct syscall_set {
	struct allowed_call {
		const char *name; /* the table's, or a part of the word that named it */
		bool is_whole;    /* allowed by its own name: whatever its arguments are */
	} calls[SYSCALLS_MAX];
	size_t count;
};

/* Applies `default`, +NAME, -NAME, +@group or -@group. The word must live as long as the set.
 * False when the word is none of these, or the set is full. */
bool syscall_set_apply(struct syscall_set *set, const char *word);

/* The call of that name in the set; NULL: it is not allowed. */
const struct allowed_call *syscall_set_find(const struct syscall_set *set, const char *name);

/* True for a group, or a system call that libseccomp knows. */
bool syscall_is_known(const char *name);

/* The name of a group or call nearest to a misspelt one; NULL when none is near. */
const char *syscall_nearest(const char *name);

#endif
