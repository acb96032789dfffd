#include "base/siphash.h"

#include <check.h>
#include <string.h>

/* The key of the paper's appendix A: the bytes 0 to 15. */
static const struct siphash_key key = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };

/* Of messages of the bytes 0, 1, 2 ..., from the authors' reference; that of 15 bytes is in the
 * paper. */
static const struct {
	size_t length;
	uint64_t hash;
} known[] = {
	{ 0, 0x726fdb47dd0e0e31 },  { 1, 0x74f839c593dc67fd }, { 2, 0x0d6c8009d9a94f5a },
	{ 3, 0x85676696d7fb7e2d },  { 4, 0xcf2794e0277187b7 }, { 5, 0x18765564cd99a68d },
	{ 6, 0xcbc9466e58fee3ce },  { 7, 0xab0200f58b01d137 }, { 8, 0x93f5f5799a932462 },
	{ 15, 0xa129ca6149be45e5 },
};

START_TEST(known_messages_have_known_hashes)
{
	unsigned char message[16];

	for (size_t i = 0; i < sizeof message; i++)
		message[i] = (unsigned char)i;
	ck_assert_uint_eq(siphash(&key, message, known[_i].length), known[_i].hash);
}
END_TEST

START_TEST(each_key_is_another)
{
	struct siphash_key one = key, other = key;

	ck_assert_int_eq(siphash_key_draw(&one), 0);
	ck_assert_int_eq(siphash_key_draw(&other), 0);
	ck_assert_int_ne(memcmp(&one, &other, sizeof one), 0);
	ck_assert_uint_ne(siphash(&one, "x", 1), siphash(&other, "x", 1));
}
END_TEST

Suite *siphash_suite(void)
{
	Suite *suite = suite_create("siphash");
	TCase *tcase = tcase_create("siphash");

	tcase_add_loop_test(tcase, known_messages_have_known_hashes, 0,
			    sizeof known / sizeof known[0]);
	tcase_add_test(tcase, each_key_is_another);
	suite_add_tcase(suite, tcase);
	return suite;
}
