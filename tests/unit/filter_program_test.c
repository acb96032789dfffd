/* Programs for seccomp(2), run by an interpreter of the instructions that they have. */
#include "monitor/filter_program.h"

#include <check.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

enum { OURS = AUDIT_ARCH_X86_64, OTHER = AUDIT_ARCH_I386, STRANGE = AUDIT_ARCH_ARM };

static uint32_t word_at(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t word;

	ck_assert_uint_le(offset + sizeof word, sizeof *data);
	memcpy(&word, (const char *)data + offset, sizeof word);
	return word;
}

/* What the program says of the call. Each step goes forward, so it ends. */
static uint32_t run(const struct call_filter *filter, const struct seccomp_data *data)
{
	uint32_t word = 0;

	for (size_t at = 0;; at++) {
		const struct sock_filter *step = &filter->list[at];

		ck_assert_uint_lt(at, filter->count);
		switch (step->code) {
		case BPF_RET | BPF_K:
			return step->k;
		case BPF_LD | BPF_W | BPF_ABS:
			word = word_at(data, step->k);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			word &= step->k;
			break;
		case BPF_JMP | BPF_JA:
			at += step->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += word == step->k ? step->jt : step->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			at += word >= step->k ? step->jt : step->jf;
			break;
		default:
			ck_abort_msg("instruction %zu has code %u", at, step->code);
		}
	}
}

static uint32_t call(const struct call_filter *filter, uint32_t architecture, uint32_t number,
		     uint64_t first, uint64_t second)
{
	const struct seccomp_data data = { .nr = (int)number,
					   .arch = architecture,
					   .args = { first, second } };

	return run(filter, &data);
}

static struct outcome action(uint32_t value)
{
	return (struct outcome){ .action = value };
}

static struct filter_program program;
static struct call_ranges ranges;
static struct call_filter filter;

static void begin(void)
{
	filter_program_begin(&program);
	ranges = (struct call_ranges){ .count = 0 };
	filter = (struct call_filter){ 0 };
}

static void forget(void)
{
	free(filter.list);
}

/* Up to programs whose jumps are longer than a comparison can make. */
static const uint32_t counts[] = { 1, 2, 3, 7, 64, 100, 101, 255, 257, 600, CALL_RANGES_MAX };

START_TEST(every_number_is_found)
{
	uint32_t count = counts[_i];

	for (uint32_t i = 0; i < count; i++)
		call_ranges_add(&ranges, 3 * i, action(1000 + i));
	filter_program_add(&program, OURS, &ranges);
	ck_assert_int_eq(filter_program_end(&program, &filter), 0);
	for (uint32_t number = 0; number < 3 * count; number++)
		ck_assert_uint_eq(call(&filter, OURS, number, 0, 0), 1000 + number / 3);
	ck_assert_uint_eq(call(&filter, OURS, UINT32_MAX, 0, 0), 1000 + count - 1);
	ck_assert_uint_eq(call(&filter, OTHER, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
}
END_TEST

START_TEST(each_architecture_has_its_own_numbers)
{
	call_ranges_add(&ranges, 0, action(1));
	call_ranges_add(&ranges, 7, action(2));
	filter_program_add(&program, OURS, &ranges);
	ranges.count = 0;
	call_ranges_add(&ranges, 0, action(3));
	filter_program_add(&program, OTHER, &ranges);
	ck_assert_int_eq(filter_program_end(&program, &filter), 0);
	ck_assert_uint_eq(call(&filter, OURS, 6, 0, 0), 1);
	ck_assert_uint_eq(call(&filter, OURS, 7, 0, 0), 2);
	ck_assert_uint_eq(call(&filter, OTHER, 7, 0, 0), 3);
	ck_assert_uint_eq(call(&filter, STRANGE, 7, 0, 0), SECCOMP_RET_KILL_PROCESS);
}
END_TEST

START_TEST(equal_neighbours_are_one_range)
{
	for (uint32_t i = 0; i < 100; i++)
		call_ranges_add(&ranges, i, action(i / 50));
	ck_assert_uint_eq(ranges.count, 2);
	ck_assert_uint_eq(ranges.list[1].first, 50);
}
END_TEST

static const struct argument_check check = {
	{ { 0, 0xf0, 0x10, 11, false }, { 1, UINT32_MAX, 5, 0, true }, { 0, 0xff, 2, 12, false } },
	13,
};

static const struct {
	uint64_t first, second;
	uint32_t action;
} arguments[] = {
	{ 0x10, 0, 11 },
	{ 0xffffffffffffff1f, 0, 11 },
	{ 0x20, 5, 13 },
	{ 2, 5, 12 },
	{ 2, 4, 13 },
	{ 0x102, 5, 12 },
	{ 2, UINT64_C(1) << 32 | 5, 12 },
	{ 3, 5, 13 },
};

START_TEST(arguments_decide)
{
	call_ranges_add(&ranges, 0, action(1));
	call_ranges_add(&ranges, 9, (struct outcome){ .check = &check });
	call_ranges_add(&ranges, 10, action(2));
	filter_program_add(&program, OURS, &ranges);
	ck_assert_int_eq(filter_program_end(&program, &filter), 0);
	ck_assert_uint_eq(call(&filter, OURS, 9, arguments[_i].first, arguments[_i].second),
			  arguments[_i].action);
	ck_assert_uint_eq(call(&filter, OURS, 8, 2, 5), 1);
	ck_assert_uint_eq(call(&filter, OURS, 10, 2, 5), 2);
}
END_TEST

START_TEST(too_many_ranges_make_no_program)
{
	for (uint32_t i = 0; i <= CALL_RANGES_MAX; i++)
		call_ranges_add(&ranges, i, action(i));
	filter_program_add(&program, OURS, &ranges);
	ck_assert_int_eq(filter_program_end(&program, &filter), -1);
	ck_assert_int_eq(errno, E2BIG);
}
END_TEST

START_TEST(too_many_instructions_make_no_program)
{
	for (uint32_t i = 0; i < CALL_RANGES_MAX; i++)
		call_ranges_add(&ranges, i, action(i));
	for (int i = 0; i < 2; i++)
		filter_program_add(&program, OURS, &ranges);
	ck_assert_int_eq(filter_program_end(&program, &filter), -1);
	ck_assert_int_eq(errno, E2BIG);
}
END_TEST

START_TEST(too_many_checks_make_no_program)
{
	static struct argument_check checks[FILTER_GROUP_MAX];

	for (uint32_t i = 0; i < FILTER_GROUP_MAX; i++) {
		checks[i] = check;
		call_ranges_add(&ranges, i, (struct outcome){ .check = &checks[i] });
	}
	filter_program_add(&program, OURS, &ranges);
	ck_assert_int_eq(filter_program_end(&program, &filter), -1);
	ck_assert_int_eq(errno, E2BIG);
}
END_TEST

START_TEST(no_ranges_make_no_program)
{
	filter_program_add(&program, OURS, &ranges);
	ck_assert_int_eq(filter_program_end(&program, &filter), -1);
}
END_TEST

Suite *filter_program_suite(void)
{
	Suite *suite = suite_create("filter_program");
	TCase *tests = tcase_create("program");

	tcase_add_checked_fixture(tests, begin, forget);
	tcase_add_loop_test(tests, every_number_is_found, 0,
			    (int)(sizeof counts / sizeof counts[0]));
	tcase_add_test(tests, each_architecture_has_its_own_numbers);
	tcase_add_test(tests, equal_neighbours_are_one_range);
	tcase_add_loop_test(tests, arguments_decide, 0,
			    (int)(sizeof arguments / sizeof arguments[0]));
	tcase_add_test(tests, too_many_ranges_make_no_program);
	tcase_add_test(tests, too_many_instructions_make_no_program);
	tcase_add_test(tests, too_many_checks_make_no_program);
	tcase_add_test(tests, no_ranges_make_no_program);
	suite_add_tcase(suite, tests);
	return suite;
}
