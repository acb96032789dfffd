#include "admission/puzzle.h"

#include "support/place.h"
#include "support/solver.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { MADE = 5000999, DIFFICULTY = 2 };

static struct puzzle_keys keys;
static struct address client, other;

static void set_up(void)
{
	place_make();
	ck_assert_int_eq(puzzle_keys_draw(&keys), 0);
	ck_assert_int_eq(address_parse(&client, "192.0.2.7", 4000), 0);
	ck_assert_int_eq(address_parse(&other, "192.0.2.8", 4000), 0);
}

static void tear_down(void)
{
	place_remove();
}

static const char *make(unsigned difficulty)
{
	struct puzzle_terms terms = { &client, difficulty };
	char text[PUZZLE_TEXT_SIZE];

	return textf("%s", puzzle_new(&keys, &terms, MADE, text));
}

static enum proof check(const char *solution, const struct address *who, unsigned difficulty,
			uint64_t now)
{
	struct puzzle_terms terms = { who, difficulty };
	unsigned char x[PUZZLE_SIZE];
	struct sloth_number number;

	ck_assert(puzzle_read_solution(solution, strlen(solution), &number));
	sloth_undo(&number, difficulty);
	return puzzle_check(&keys, &terms, &number, now, x);
}

/* --- puzzles ------------------------------------------------------------------------------ */

START_TEST(a_puzzle_has_the_form_that_solvers_take)
{
	ck_assert(text_matches(make(1), "^s\\.AAAB\\.AA[A-D][A-Za-z0-9+/]{21}$"));
	ck_assert(text_matches(make(5000), "^s\\.ABOI\\."));
	ck_assert(text_matches(make(1000000), "^s\\.D0JA\\."));
	ck_assert_str_ne(make(1), make(1));
}
END_TEST

/* The prompt is what the manual says, to the byte. */
START_TEST(a_prompt_names_both_solvers)
{
	char prompt[PUZZLE_PROMPT_SIZE];
	const char *puzzle = make(1000000);

	ck_assert_str_eq(puzzle_prompt(puzzle, prompt),
			 textf("proof of work: curl -sSfL https://pwn.red/pow | sh -s %s\n"
			       "or: python3 <(curl -sSL https://goo.gle/kctf-pow) solve %s\n"
			       "solution: ",
			       puzzle, puzzle));
}
END_TEST

/* --- what a solution proves ----------------------------------------------------------------- */

START_TEST(a_solution_is_right_for_its_client_alone)
{
	char *solution = puzzle_solve(make(DIFFICULTY));

	ck_assert_int_eq(check(solution, &client, DIFFICULTY, MADE), PROOF_RIGHT);
	ck_assert_int_eq(check(solution, &other, DIFFICULTY, MADE), PROOF_WRONG);
	ck_assert_int_eq(check(solution, &client, DIFFICULTY - 1, MADE), PROOF_WRONG);
	ck_assert_int_eq(check(solution, &client, DIFFICULTY + 1, MADE), PROOF_WRONG);
	ck_assert_int_eq(address_parse(&other, "192.0.2.7", 9), 0); /* by another connection */
	ck_assert_int_eq(check(solution, &other, DIFFICULTY, MADE), PROOF_RIGHT);
	ck_assert_int_eq(puzzle_keys_draw(&keys), 0);
	ck_assert_int_eq(check(solution, &client, DIFFICULTY, MADE), PROOF_WRONG);
}
END_TEST

START_TEST(a_puzzle_is_valid_for_ten_minutes)
{
	char *solution = puzzle_solve(make(1));

	ck_assert_int_eq(check(solution, &client, 1, MADE + PUZZLE_VALID_MS), PROOF_RIGHT);
	ck_assert_int_eq(check(solution, &client, 1, MADE + PUZZLE_VALID_MS + 1000), PROOF_LATE);
	ck_assert_int_eq(check(solution, &client, 1, 1000 * (uint64_t)UINT32_MAX), PROOF_LATE);
}
END_TEST

/* Before any step the solution of a puzzle is itself. Each bit of it is sealed, and how many
 * steps there are. */
START_TEST(a_changed_puzzle_is_wrong)
{
	struct puzzle_terms terms = { &client, 7 };
	const char *x = strrchr(make(7), '.') + 1;
	unsigned char bytes[PUZZLE_SIZE];
	struct sloth_number number;

	ck_assert(puzzle_read_solution(textf("s.%s", x), strlen(x) + 2, &number));
	ck_assert_int_eq(puzzle_check(&keys, &terms, &number, MADE, bytes), PROOF_RIGHT);
	for (int bit = 0; bit < 8 * PUZZLE_SIZE; bit++) {
		struct sloth_number changed = number;

		changed.limbs[bit / 64] ^= UINT64_C(1) << bit % 64;
		ck_assert_int_eq(puzzle_check(&keys, &terms, &changed, MADE, bytes), PROOF_WRONG);
	}
	terms.difficulty = 6;
	ck_assert_int_eq(puzzle_check(&keys, &terms, &number, MADE, bytes), PROOF_WRONG);
}
END_TEST

/* --- the line of a client --------------------------------------------------------------------- */

#define A48 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* The lowest limb of the number; NULL: it is refused. */
static const struct {
	const char *line, *limb;
} lines[] = {
	{ "s.AAEC", "102" },
	{ "s.AAEC\n", "102" },
	{ "s.AAEC\r\n", "102" },
	{ " \ts.AAEC \t", "102" },
	{ "s.AQ==", "1" },
	{ "s.AQ", "1" },
	{ "s.AQI=", "102" },
	{ "s.AQI", "102" },
	{ "s.+/+/", "fbffbf" },
	{ "s.ABCDEFGHIJK=", "10831051872092" },
	{ "s." A48 A48 A48 A48 "AAAAAAAAAAAAAAAAAAAAAAEC", "102" },
	{ "s." A48 A48 A48 A48 "AAAAAAAAAAAAAAAAAAAAAAECAAAA", NULL },
	{ "s.A" A48 A48 A48 A48 "AAAAAAAAAAAAAAAAAAAAAAEC", NULL },
	{ "s.gAAA" A48 A48 A48 A48 "AAAAAAAAAAAAAAAAAA", NULL }, /* 1280 bits */
	{ "", NULL },
	{ "\n", NULL },
	{ "s", NULL },
	{ "s.", NULL },
	{ "s.=", NULL },
	{ "s.==", NULL },
	{ "s.====", NULL },
	{ "s.A", NULL },
	{ "s.A===", NULL },
	{ "s.AQ=", NULL },
	{ "s.AAEC=", NULL },
	{ "s.AAEC==", NULL },
	{ "s.AA=C", NULL },
	{ "s.AA C", NULL },
	{ "s.AA-_", NULL },
	{ "s.AAE\xc3", NULL },
	{ "S.AAEC", NULL },
	{ "b.AAEC", NULL },
	{ "s AAEC", NULL },
	{ "s.AAEC.AAEC", NULL },
};

START_TEST(a_line_is_a_solution_or_is_not)
{
	const char *line = lines[_i].line;
	struct sloth_number number;
	bool is_read = puzzle_read_solution(line, strlen(line), &number);

	ck_assert_msg(is_read == (lines[_i].limb != NULL), "%s", line);
	if (is_read)
		ck_assert_uint_eq(number.limbs[0], strtoull(lines[_i].limb, NULL, 16));
}
END_TEST

START_TEST(a_nul_is_no_digit)
{
	struct sloth_number number;

	ck_assert(!puzzle_read_solution("s.AA\0C", 6, &number));
}
END_TEST

Suite *puzzle_suite(void)
{
	Suite *suite = suite_create("puzzle");
	TCase *tcase = tcase_create("puzzle");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_puzzle_has_the_form_that_solvers_take);
	tcase_add_test(tcase, a_prompt_names_both_solvers);
	tcase_add_test(tcase, a_solution_is_right_for_its_client_alone);
	tcase_add_test(tcase, a_puzzle_is_valid_for_ten_minutes);
	tcase_add_test(tcase, a_changed_puzzle_is_wrong);
	tcase_add_loop_test(tcase, a_line_is_a_solution_or_is_not, 0,
			    sizeof lines / sizeof lines[0]);
	tcase_add_test(tcase, a_nul_is_no_digit);
	suite_add_tcase(suite, tcase);
	return suite;
}
