#include "base/prefix_hash.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIXES = 10000 };

static struct prefix numbered_prefix(uint32_t number, sa_family_t family, uint8_t length)
{
	struct prefix prefix;
	uint32_t bytes = htonl(number);

	memset(&prefix, (int)number, sizeof prefix); /* fills the padding, too */
	prefix.family = family;
	prefix.length = length;
	memset(prefix.bytes, 0, sizeof prefix.bytes);
	memcpy(prefix.bytes + (family == AF_INET ? 0 : 4), &bytes, sizeof bytes);
	return prefix;
}

static int compare_hashes(const void *one, const void *other)
{
	uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;

	return (a > b) - (a < b);
}

START_TEST(the_padding_does_not_count)
{
	struct prefix_hash hash;
	struct prefix one, other;

	ck_assert_int_eq(prefix_hash_init(&hash), 0);
	memset(&one, 0, sizeof one);
	memset(&other, 0xff, sizeof other);
	one.family = other.family = AF_INET6;
	one.length = other.length = 64;
	memset(one.bytes, 7, sizeof one.bytes);
	memset(other.bytes, 7, sizeof other.bytes);
	ck_assert_uint_eq(prefix_hash(&hash, &one), prefix_hash(&hash, &other));
	ck_assert_int_eq(memcmp(&one, &other, PREFIX_KEY_SIZE), 0);
	ck_assert_uint_ge(PREFIX_KEY_SIZE, offsetof(struct prefix, bytes) + 16);
}
END_TEST

/* 0.01 pairs of equal hashes are expected by chance. */
START_TEST(neighbours_fall_apart)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };
	static uint32_t hashes[PREFIXES];
	struct prefix_hash hash;
	int equal = 0;

	ck_assert_int_eq(prefix_hash_init(&hash), 0);
	for (uint32_t i = 0; i < PREFIXES; i++) {
		struct prefix prefix = numbered_prefix(i, families[_i], 32);

		hashes[i] = prefix_hash(&hash, &prefix);
	}
	qsort(hashes, PREFIXES, sizeof hashes[0], compare_hashes);
	for (int i = 1; i < PREFIXES; i++)
		equal += hashes[i] == hashes[i - 1];
	ck_assert_int_lt(equal, 10);
}
END_TEST

START_TEST(family_length_and_every_byte_count)
{
	struct prefix_hash hash;
	struct prefix prefix = numbered_prefix(0, AF_INET6, 128), other;
	int equal = 0;

	ck_assert_int_eq(prefix_hash_init(&hash), 0);
	for (size_t i = 0; i < sizeof prefix.bytes; i++) {
		other = prefix;
		other.bytes[i] ^= 1;
		equal += prefix_hash(&hash, &prefix) == prefix_hash(&hash, &other);
	}
	other = numbered_prefix(0, AF_INET6, 127);
	equal += prefix_hash(&hash, &prefix) == prefix_hash(&hash, &other);
	other = numbered_prefix(0, AF_INET, 128);
	equal += prefix_hash(&hash, &prefix) == prefix_hash(&hash, &other);
	ck_assert_int_lt(equal, 3);
}
END_TEST

START_TEST(each_table_has_its_own_secrets)
{
	struct prefix_hash one, other;
	int equal = 0;

	ck_assert_int_eq(prefix_hash_init(&one), 0);
	ck_assert_int_eq(prefix_hash_init(&other), 0);
	for (uint32_t i = 0; i < 100; i++) {
		struct prefix prefix = numbered_prefix(i, AF_INET, 32);

		equal += prefix_hash(&one, &prefix) == prefix_hash(&other, &prefix);
	}
	ck_assert_int_lt(equal, 5);
}
END_TEST

Suite *prefix_hash_suite(void)
{
	Suite *suite = suite_create("prefix_hash");
	TCase *hash = tcase_create("hash");

	tcase_add_test(hash, the_padding_does_not_count);
	tcase_add_loop_test(hash, neighbours_fall_apart, 0, 2);
	tcase_add_test(hash, family_length_and_every_byte_count);
	tcase_add_test(hash, each_table_has_its_own_secrets);
	suite_add_tcase(suite, hash);
	return suite;
}
