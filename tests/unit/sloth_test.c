#include "base/sloth.h"

#include <check.h>
#include <string.h>

/* Computed by python: for each of the steps, y = pow(y ^ 1, 2, 2**1279 - 1). */
static const struct {
	unsigned steps;
	const char *from, *to;
} known[] = {
	{ 1, "0", "1" },
	{ 1, "1", "0" },
	{ 2, "1", "1" },
	{ 1, "2", "9" },
	{ 1,
	  "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffff",
	  "1" },
	{ 2,
	  "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffff",
	  "0" },
	{ 1,
	  "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "fffffffffffffffe",
	  "0" },
	{ 3,
	  "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "fffffffffffffffd",
	  "1081" },
	{ 1,
	  "4000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000000",
	  "2000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000002" },
	{ 1,
	  "1000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "000000000",
	  "2000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "000000003" },
	{ 1,
	  "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "0000000000000000",
	  "fffffffffffffffc0000000000000004" },
	{ 2,
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	  "7fffffffffffffe8000000000000002bffffffffffffffe00000000000000008000000000000"
	  "0000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "0000000000000008" },
	{ 1,
	  "2a1430e655e7d67eae6ac4a9e89c5bc7a0187b4d51209e8f332726d0356a41526977a41b730b"
	  "ed9c94a67f00f335c3577972a36d51b31a6c20050ed31a6e72b91333bc1cfe6c2b036820212c"
	  "6959935406e82a012b5c5cd1e7ca430e92ac3d4253d23c0bdf43efb219fcfc64e7aa8576d96e"
	  "5adfa2beee31ac8be7d742840d2b26b563b1e794ee14e1454c40c439f34ac963cfe0afae5a3b"
	  "b9096a04e7d80068",
	  "27d7f981c8fa40bbcde8bd1e82fc64e76152b060cddb459571ca0cb3e077fbeb2ad65e528d73"
	  "c87b3bff8e66d43ae35643a4c6212ffeada2ae2c1672d9091e243ed58a0b254a9dc10e90df2a"
	  "b44f40c86da51d9939ccffea777b5b87ac20ef1168356f10c997aa1b05c1de383a243435b508"
	  "82dcda5f8e7127a7323dc504490f9b85f8085aca35651d43014621f99221c5a6ab656770939d"
	  "dc13aed6750d5678" },
	{ 2,
	  "6647e2930352a9bf0e56d5813cd158af92ed2607383c017bd756a407dbeece423be4c78bb4ae"
	  "3dd3447e604605f9eb87e7db270d1e2162169fbba63829d144e441bc858eb0b4362e4e18a363"
	  "4891a61bc3b1b366b1852ac840e0529930b9f6091570bc621832c9e233aa391808fc20813e1d"
	  "cfb592bde31c34d2ea1614daf46767a9b05c7dfb27e8d775f593ce3ad2b28491cabea0afe356"
	  "17bcc74d6d683cf8",
	  "5c97d378ddf309643dabd83d332e6e0da65f733d9e8da4b7d2b6b7ba0c7774a38395a7753bd2"
	  "f024e659b3a923c27a585bbab983b1dfdf10164ab84223675fd58ae449135c4db32550b90972"
	  "813fa45a88bc44cb7a2d801bdc96f97547b6e433042ad02e3e8fc4ce981581dce04db295e5d9"
	  "bee26b72a5ba764faf4e4aae68bb4c4b0632e68c38e5170268a86511900ddc7cc60d16f35fa5"
	  "e687ef550f42d85d" },
	{ 7,
	  "18c1370584fd2ec50d44edc59b914a48e82458191dc903573959999c584355b86db56e5b9492"
	  "9216c79f25eefefa0243200c54e9b096ebf51efc20c9dcf8bef6b4ec0652edc8144167e0e2a6"
	  "2a27ead5281f772f6ed299e4d532b79f8e41a78f4617edaaa37feba2ec246343272be0eae810"
	  "b08a72880e4ab8a6acd69988235655fac783a5998165b1dd1b80230a102c4786a2284cfdb1e7"
	  "9e1fcc46a5157170",
	  "63cc7ef6ee7a15e154941f5938cc7bd15ff42451b91a785d4acb71d477eed4558981ae236b13"
	  "b29282dac2fb7c91f071765af3fcc103bf3a86d28c5178ae101e0e123ea6b6cff6b1a1558d58"
	  "fe76d54639f3ce2205b0f9a3a1601b7b5f426576d0b4a029a4cbc94d1083b7edfcc8a41ba373"
	  "6cdf80d6e0eeb74a57c3fff80ee2be245315cb1b6809d9e18e037fc0f3d3bf388123138ddfe6"
	  "1f1b91974d73fb5c" },
	{ 1000,
	  "2a988e9217e00e581bcd4b53bf4b099c92e62e7212b6d519033e86fd556205aa8ea995cd7489"
	  "89b0f025f1e11e177c0b2a0227c8aad71c97d5f8822f0dea8095b9b8a314c34e9d45c1aa598c"
	  "87c4ebf175187d21f3d9680166efbf7cbad32fc0ac19c0e850b94098cc61175da6c67d82cf5d"
	  "777f00830f1b4b216f91e25bd3abc8b050241d6597e214bc028ad6e8541a2c1d8f47fe1d515b"
	  "2c1d87286fba579b",
	  "2db5977d15d3991827270a3ab1c22a59d0b24e4bd347ac15ac7de4019ca3d7668a4ad26ac4a0"
	  "a94f214a1c3805c4788cf483fb6c6b8155cad19ba3ba5c69e6ef4676195cd31b520db7bc5018"
	  "f8815205d1598653a4af9af7fc74aef2aaef2d90e1346b079e98658bc28c3353f26ad0fc3865"
	  "96b735bb5940a1ad9c81b524a2573d9cf02170e228911fe3e47bc9c8288ccff1d08b86ba893e"
	  "d0494fad3fde3a2b" },
};

static unsigned value_of(char digit)
{
	const char *digits = "0123456789abcdef";

	return (unsigned)(strchr(digits, digit) - digits);
}

static struct sloth_number number_of(const char *hexadecimal)
{
	size_t length = strlen(hexadecimal);
	unsigned char bytes[SLOTH_BYTES] = { 0 };
	struct sloth_number number;

	ck_assert_uint_le(length, 2 * sizeof bytes);
	for (size_t i = 0; i < length; i++) {
		unsigned place = (unsigned)(length - 1 - i);

		bytes[sizeof bytes - 1 - place / 2] |=
			(unsigned char)(value_of(hexadecimal[i]) << place % 2 * 4);
	}
	ck_assert(sloth_from_bytes(&number, bytes, sizeof bytes));
	return number;
}

START_TEST(known_numbers_have_known_squares)
{
	struct sloth_number number = number_of(known[_i].from), wanted = number_of(known[_i].to);

	sloth_undo(&number, known[_i].steps);
	ck_assert_int_eq(memcmp(&number, &wanted, sizeof number), 0);
}
END_TEST

/* --- numbers ---------------------------------------------------------------------------- */

static bool reads(size_t length, unsigned char first, unsigned char others,
		  struct sloth_number *number)
{
	unsigned char bytes[SLOTH_BYTES + 4];

	memset(bytes, others, sizeof bytes);
	bytes[0] = first;
	return sloth_from_bytes(number, bytes, length);
}

START_TEST(numbers_have_at_most_1279_bits)
{
	struct sloth_number number, largest;

	ck_assert(reads(SLOTH_BYTES, 0x7f, 0xff, &largest));
	ck_assert_uint_eq(largest.limbs[SLOTH_LIMBS - 1], UINT64_MAX >> 1);
	ck_assert_uint_eq(largest.limbs[0], UINT64_MAX);
	ck_assert(!reads(SLOTH_BYTES, 0x80, 0, &number));
	ck_assert(!reads(SLOTH_BYTES + 1, 1, 0, &number));
	ck_assert(!reads(SLOTH_BYTES + 1, 0, 0xff, &number));
	ck_assert(reads(SLOTH_BYTES + 4, 0, 0, &number));
	ck_assert(reads(0, 0, 0, &number));
	ck_assert_uint_eq(number.limbs[0], 0);
	ck_assert(reads(2, 1, 2, &number));
	ck_assert_uint_eq(number.limbs[0], 0x102);
}
END_TEST

START_TEST(a_number_or_what_is_missing_to_the_prime_is_short)
{
	static const unsigned char wanted[16] = { 0x12, [8] = 0x34, [15] = 0x56 };
	struct sloth_number number = number_of("12000000000000003400000000000056");
	unsigned char bytes[16];

	ck_assert(sloth_short(&number, bytes));
	ck_assert_mem_eq(bytes, wanted, sizeof bytes);
	for (int i = 0; i < SLOTH_LIMBS; i++)
		number.limbs[i] = ~number.limbs[i];
	number.limbs[SLOTH_LIMBS - 1] &= UINT64_MAX >> 1;
	ck_assert(sloth_short(&number, bytes));
	ck_assert_mem_eq(bytes, wanted, sizeof bytes);
	number = number_of("100000000000000000000000000000000");
	ck_assert(!sloth_short(&number, bytes));
}
END_TEST

Suite *sloth_suite(void)
{
	Suite *suite = suite_create("sloth");
	TCase *tcase = tcase_create("sloth");

	tcase_add_loop_test(tcase, known_numbers_have_known_squares, 0,
			    sizeof known / sizeof known[0]);
	tcase_add_test(tcase, numbers_have_at_most_1279_bits);
	tcase_add_test(tcase, a_number_or_what_is_missing_to_the_prime_is_short);
	suite_add_tcase(suite, tcase);
	return suite;
}
