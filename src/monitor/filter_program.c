#include "monitor/filter_program.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

/* --- ranges -------------------------------------------------------------------------------- */

static bool same_outcome(const struct outcome *one, const struct outcome *other)
{
	return one->check == other->check && (one->check || one->action == other->action);
}

void call_ranges_add(struct call_ranges *ranges, uint32_t first, struct outcome outcome)
{
	if (ranges->count > 0 && same_outcome(&ranges->list[ranges->count - 1].outcome, &outcome))
		return;
	ranges->is_full |= ranges->count == CALL_RANGES_MAX;
	if (!ranges->is_full)
		ranges->list[ranges->count++] = (struct call_range){ first, outcome };
}

/* --- instructions -------------------------------------------------------------------------- */

enum {
	LOAD = BPF_LD | BPF_W | BPF_ABS,
	AND = BPF_ALU | BPF_AND | BPF_K,
	RETURN = BPF_RET | BPF_K,
	GO = BPF_JMP | BPF_JA,
	IF_EQUAL = BPF_JMP | BPF_JEQ | BPF_K,
	IF_FROM = BPF_JMP | BPF_JGE | BPF_K,
	SHORT_JUMP_MAX = 255,
};

/* Adds an instruction. When it jumps, so many instructions are passed over if the comparison is
 * true, or if it is not. */
static void add_jump(struct filter_program *program, int code, uint32_t value, size_t yes,
		     size_t no)
{
	program->is_full |= program->count == BPF_MAXINSNS;
	if (!program->is_full)
		program->list[program->count++] =
			(struct sock_filter){ (unsigned short)code, (unsigned char)yes,
					      (unsigned char)no, value };
}

static void add(struct filter_program *program, int code, uint32_t value)
{
	add_jump(program, code, value, 0, 0);
}

/* Makes room at that place. Jumps are relative, and none may lead over the place. */
static void insert(struct filter_program *program, size_t at, struct sock_filter instruction)
{
	size_t behind = program->count - at;

	add(program, GO, 0);
	if (program->is_full)
		return;
	memmove(&program->list[at + 1], &program->list[at], behind * sizeof instruction);
	program->list[at] = instruction;
}

/* Lets the comparison before that place pass over all that follows it, if it is true. */
static void pass_over(struct filter_program *program, size_t at)
{
	size_t length = program->count - at;

	if (program->is_full)
		return;
	if (length <= SHORT_JUMP_MAX) {
		program->list[at - 1].jt = (unsigned char)length;
		return;
	}
	program->list[at - 1].jf = 1;
	insert(program, at, (struct sock_filter){ GO, 0, 0, (uint32_t)length });
}

/* --- checks -------------------------------------------------------------------------------- */

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
enum { LOWER_HALF = 4 };
#else
enum { LOWER_HALF = 0 };
#endif

static void add_test(struct filter_program *program, const struct argument_test *test,
		     uint32_t otherwise)
{
	size_t offset = offsetof(struct seccomp_data, args) + sizeof(uint64_t) * test->argument;

	add(program, LOAD, (uint32_t)(offset + LOWER_HALF));
	if (test->mask != UINT32_MAX)
		add(program, AND, test->mask);
	add_jump(program, IF_EQUAL, test->value, test->is_required, !test->is_required);
	add(program, RETURN, test->is_required ? otherwise : test->action);
}

static void add_outcome(struct filter_program *program, const struct outcome *outcome)
{
	const struct argument_check *check = outcome->check;

	for (size_t i = 0; check && i < ARGUMENT_TESTS_MAX && check->tests[i].mask; i++)
		add_test(program, &check->tests[i], check->otherwise);
	add(program, RETURN, check ? check->otherwise : outcome->action);
}

/* --- programs ------------------------------------------------------------------------------ */

/* Lets one side of the comparison at that place lead to the next instruction. */
static void lead_here(struct filter_program *program, size_t at, bool if_true)
{
	size_t distance = program->count - at - 1;

	program->is_full |= distance > SHORT_JUMP_MAX;
	if (program->is_full)
		return; /* the place may be beyond the end */
	if (if_true)
		program->list[at].jt = (unsigned char)distance;
	else
		program->list[at].jf = (unsigned char)distance;
}

/* Adds the returns that the comparisons of a group wait for: one for each action. */
static void add_returns(struct filter_program *program)
{
	for (size_t i = 0; i < program->waiting_count; i++) {
		uint32_t action = program->waiting[i].action;

		if (program->waiting[i].is_served)
			continue;
		for (size_t j = i; j < program->waiting_count; j++)
			if (program->waiting[j].action == action) {
				lead_here(program, program->waiting[j].at,
					  program->waiting[j].if_true);
				program->waiting[j].is_served = true;
			}
		add(program, RETURN, action);
	}
	program->waiting_count = 0;
}

static void add_group(struct filter_program *program, const struct call_range *ranges,
		      size_t count);

/* One side of the comparison at that place: some of the ranges. */
static void add_side(struct filter_program *program, size_t at, bool if_true,
		     const struct call_range *ranges, size_t count)
{
	if (count == 1 && !ranges->outcome.check) {
		program->waiting[program->waiting_count++] = (struct waiting_jump){
			.at = at, .if_true = if_true, .action = ranges->outcome.action
		};
		return;
	}
	lead_here(program, at, if_true);
	add_group(program, ranges, count);
}

/* A search that is so short that all its comparisons reach returns at its end. */
static void add_group(struct filter_program *program, const struct call_range *ranges, size_t count)
{
	size_t half = count / 2, at = program->count;

	if (count == 1) {
		add_outcome(program, &ranges->outcome);
		return;
	}
	add(program, IF_FROM, ranges[half].first);
	add_side(program, at, false, ranges, half);
	add_side(program, at, true, ranges + half, count - half);
}

/* A binary search among count ranges, the depth of which is their logarithm. */
static void add_search(struct filter_program *program, const struct call_range *ranges,
		       size_t count)
{
	size_t half = count / 2, at;

	if (count <= FILTER_GROUP_MAX) {
		add_group(program, ranges, count);
		add_returns(program);
		return;
	}
	add(program, IF_FROM, ranges[half].first);
	at = program->count;
	add_search(program, ranges, half);
	pass_over(program, at);
	add_search(program, ranges + half, count - half);
}

void filter_program_begin(struct filter_program *program)
{
	program->count = 0;
	program->waiting_count = 0;
	program->is_full = false;
	add(program, LOAD, offsetof(struct seccomp_data, arch));
}

void filter_program_add(struct filter_program *program, uint32_t architecture,
			const struct call_ranges *ranges)
{
	size_t at;

	program->is_full |= ranges->is_full || ranges->count == 0;
	if (program->is_full)
		return;
	add_jump(program, IF_EQUAL, architecture, 1, 0);
	at = program->count;
	add(program, GO, 0);
	add(program, LOAD, offsetof(struct seccomp_data, nr));
	add_search(program, ranges->list, ranges->count);
	if (!program->is_full)
		program->list[at].k = (uint32_t)(program->count - at - 1);
}

int filter_program_end(struct filter_program *program, struct call_filter *filter)
{
	struct sock_filter *list;

	add(program, RETURN, SECCOMP_RET_KILL_PROCESS);
	if (program->is_full) {
		errno = E2BIG;
		return -1;
	}
	list = calloc(program->count, sizeof *list);
	if (!list)
		return -1;
	memcpy(list, program->list, program->count * sizeof *list);
	filter->list = list;
	filter->count = program->count;
	return 0;
}
