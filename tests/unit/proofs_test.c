#include "admission/proofs.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

enum { NOW = 1000000, DIFFICULTY = 1000 };

static const struct source_prefix lengths = { 32, 64 };
static struct proofs *proofs;

static void set_up(void)
{
	proofs = proofs_new();
	ck_assert_ptr_nonnull(proofs);
}

static void tear_down(void)
{
	proofs_free(proofs);
}

static struct address peer(uint32_t number)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(number) };

	return address_from_sockaddr((struct sockaddr *)&in4, sizeof in4);
}

/* A puzzle of its own, as if it had been solved and the steps undone. */
static struct sloth_number solved_by(const struct address *client, uint64_t now)
{
	struct puzzle_terms terms = { client, DIFFICULTY };
	char text[PUZZLE_TEXT_SIZE], line[PUZZLE_TEXT_SIZE + 2];
	struct sloth_number number;

	proofs_puzzle(proofs, &terms, now, text);
	snprintf(line, sizeof line, "s.%s", strrchr(text, '.') + 1);
	ck_assert(puzzle_read_solution(line, strlen(line), &number));
	return number;
}

static enum proof redeem(const struct address *client, const struct sloth_number *undone,
			 uint64_t now)
{
	struct puzzle_terms terms = { client, DIFFICULTY };

	return proofs_redeem(proofs, &terms, lengths, undone, now);
}

START_TEST(a_puzzle_is_accepted_once)
{
	struct address client = peer(1), stranger = peer(2);
	struct sloth_number one = solved_by(&client, NOW), other = solved_by(&client, NOW);

	ck_assert_int_eq(redeem(&stranger, &one, NOW), PROOF_WRONG);
	ck_assert_int_eq(redeem(&client, &one, NOW), PROOF_RIGHT);
	ck_assert_int_eq(redeem(&client, &one, NOW), PROOF_USED);
	ck_assert_int_eq(redeem(&client, &one, NOW + PUZZLE_VALID_MS), PROOF_USED);
	ck_assert_int_eq(redeem(&client, &one, NOW + PUZZLE_VALID_MS + 1000), PROOF_LATE);
	ck_assert_int_eq(redeem(&client, &other, NOW), PROOF_RIGHT);
	ck_assert_uint_eq(proofs_count(proofs), 2);
}
END_TEST

START_TEST(puzzles_are_of_one_service)
{
	struct address client = peer(1);
	struct sloth_number undone = solved_by(&client, NOW);

	proofs_free(proofs);
	proofs = proofs_new();
	ck_assert_int_eq(redeem(&client, &undone, NOW), PROOF_WRONG);
}
END_TEST

/* Nothing is kept of what was not solved, or is over. */
START_TEST(only_valid_solved_puzzles_take_memory)
{
	struct address client = peer(1);
	struct sloth_number undone;

	for (int i = 0; i < 100; i++)
		undone = solved_by(&client, NOW);
	ck_assert_uint_eq(proofs_count(proofs), 0);
	for (int i = 0; i < 100; i++) {
		undone = solved_by(&client, NOW);
		ck_assert_int_eq(redeem(&client, &undone, NOW), PROOF_RIGHT);
	}
	for (int i = 0; i < 100; i++) {
		undone = solved_by(&client, 2 * NOW);
		ck_assert_int_eq(redeem(&client, &undone, 2 * NOW), PROOF_RIGHT);
	}
	ck_assert_uint_eq(proofs_count(proofs), 100);
}
END_TEST

static unsigned use_all(const struct address *client)
{
	unsigned count = 0;

	for (;;) {
		struct sloth_number undone = solved_by(client, NOW);
		enum proof proof = redeem(client, &undone, NOW);

		if (proof != PROOF_RIGHT) {
			ck_assert_int_eq(proof, PROOF_BUSY);
			return count;
		}
		count++;
	}
}

START_TEST(a_source_uses_as_many_as_there_is_room_left)
{
	struct address one = peer(1), other = peer(2), third = peer(3);

	ck_assert_uint_eq(use_all(&one), PROOFS_USED_MAX / 2);
	ck_assert_uint_eq(use_all(&other), PROOFS_USED_MAX / 4);
	ck_assert_uint_eq(use_all(&third), PROOFS_USED_MAX / 8);
	ck_assert_uint_eq(use_all(&one), 0);
}
END_TEST

/* --- clients ------------------------------------------------------------------------------ */

static bool remembers(const char *text, uint64_t now)
{
	struct address client;

	ck_assert_int_eq(address_parse(&client, text, 0), 0);
	return proofs_remembers(proofs, &client, lengths, now);
}

static void remember(const char *text, uint64_t now, uint64_t until)
{
	struct address client;

	ck_assert_int_eq(address_parse(&client, text, 0), 0);
	proofs_remember(proofs, &client, lengths, now, until);
}

START_TEST(a_source_is_remembered_for_its_time)
{
	ck_assert(!remembers("192.0.2.7", NOW));
	remember("192.0.2.7", NOW, NOW + 60);
	remember("2001:db8::7", NOW, NOW + 60);
	ck_assert(remembers("192.0.2.7", NOW + 59));
	ck_assert(!remembers("192.0.2.7", NOW + 60));
	ck_assert(!remembers("192.0.2.8", NOW));
	ck_assert(remembers("2001:db8::8", NOW)); /* the same /64 */
	ck_assert(!remembers("2001:db8:0:1::7", NOW));
	remember("192.0.2.7", NOW + 50, NOW + 110);
	ck_assert(remembers("192.0.2.7", NOW + 109));
	ck_assert_uint_eq(proofs_count(proofs), 2);
	remember("192.0.2.9", NOW + 200, NOW + 260);
	ck_assert_uint_eq(proofs_count(proofs), 1);
}
END_TEST

START_TEST(the_oldest_source_is_forgotten_when_there_are_too_many)
{
	struct address first = peer(0), second = peer(1), client;

	for (uint32_t i = 0; i <= PROOFS_CLIENTS_MAX; i++) {
		client = peer(i);
		proofs_remember(proofs, &client, lengths, NOW, NOW + 1);
	}
	ck_assert_uint_eq(proofs_count(proofs), PROOFS_CLIENTS_MAX);
	ck_assert(!proofs_remembers(proofs, &first, lengths, NOW));
	ck_assert(proofs_remembers(proofs, &second, lengths, NOW));
	ck_assert(proofs_remembers(proofs, &client, lengths, NOW));
}
END_TEST

Suite *proofs_suite(void)
{
	Suite *suite = suite_create("proofs");
	TCase *tcase = tcase_create("proofs");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_puzzle_is_accepted_once);
	tcase_add_test(tcase, puzzles_are_of_one_service);
	tcase_add_test(tcase, only_valid_solved_puzzles_take_memory);
	tcase_add_test(tcase, a_source_uses_as_many_as_there_is_room_left);
	tcase_add_test(tcase, a_source_is_remembered_for_its_time);
	tcase_add_test(tcase, the_oldest_source_is_forgotten_when_there_are_too_many);
	suite_add_tcase(suite, tcase);
	return suite;
}
