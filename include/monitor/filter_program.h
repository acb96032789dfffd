/* Programs for seccomp(2) that look up the number of a call in ranges. Loading a program takes
 * the kernel the longer the more instructions there are; libseccomp's own have one comparison
 * for each call. Pure. */
#ifndef USHERD_MONITOR_FILTER_PROGRAM_H
#define USHERD_MONITOR_FILTER_PROGRAM_H

#include "config/settings.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Compares the lower 32 bits of an argument, after the mask. */
struct argument_test {
	unsigned argument;
	uint32_t mask, value;
	uint32_t action;  /* when it is equal */
	bool is_required; /* instead: when it is not equal nothing more is tested */
};

enum { ARGUMENT_TESTS_MAX = 5 };

/* The first test that is true decides. */
struct argument_check {
	struct argument_test tests[ARGUMENT_TESTS_MAX]; /* up to one with the mask 0 */
	uint32_t otherwise;
};

/* What becomes of a call: an action of seccomp(2), or what the check says. */
struct outcome {
	uint32_t action;
	const struct argument_check *check; /* NULL: none */
};

enum { CALL_RANGES_MAX = 1024 };

/* The outcomes of all numbers. Each range ends before the next one. */
struct call_ranges {
	struct call_range {
		uint32_t first;
		struct outcome outcome;
	} list[CALL_RANGES_MAX];
	size_t count;
	bool is_full; /* it has not taken all */
};

/* From that number on. The first number is 0, and they ascend. */
void call_ranges_add(struct call_ranges *ranges, uint32_t first, struct outcome outcome);

/* Ranges that are searched with short jumps to common returns. */
enum { FILTER_GROUP_MAX = 100 };

struct filter_program {
	struct sock_filter list[BPF_MAXINSNS];
	size_t count;
	struct waiting_jump { /* a side of a comparison that is to lead to a return */
		size_t at;
		uint32_t action;
		bool if_true, is_served;
	} waiting[2 * FILTER_GROUP_MAX];
	size_t waiting_count;
	bool is_full;
};

/* Begins, and adds what is for the calls of one architecture (AUDIT_ARCH_...). */
void filter_program_begin(struct filter_program *program);
void filter_program_add(struct filter_program *program, uint32_t architecture,
			const struct call_ranges *ranges);

/* Ends it: programs of other architectures are killed. The caller frees filter->list. 0, or -1
 * with errno: E2BIG when it or a list of ranges was full, or more than a few ranges that are close
 * to each other have checks. */
int filter_program_end(struct filter_program *program, struct call_filter *filter)
	__attribute__((warn_unused_result));

#endif
