#include "config/access_list.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const nameless[] = { NULL };

static struct address address_of(const char *text)
{
	struct address address = { 0 };

	if (text)
		ck_assert_msg(address_parse(&address, text, 0) == 0, "%s is no address", text);
	return address;
}

/* Adds each word of a blank-separated list. */
static struct access_list list_of(const char *words)
{
	struct access_list list = { 0 };
	char copy[256], *rest = copy, *word;

	ck_assert_uint_lt(strlen(words), sizeof copy);
	strcpy(copy, words);
	while ((word = strsep(&rest, " ")) != NULL)
		if (*word)
			ck_assert_msg(access_list_add(&list, word, "file", 1, NULL) == WORD_ADDED,
				      "%s was not added", word);
	return list;
}

/* "10.0.0.0/8 =name .domain": what the rules of a list stand for. */
static const char *list_text(const struct access_list *list, char text[static 8192])
{
	char *end = text;

	*end = '\0';
	for (size_t i = 0; i < list->count; i++) {
		char prefix[ADDRESS_TEXT_SIZE];
		const struct access_rule *rule = &list->rules[i];

		end += sprintf(end, "%s%s", i > 0 ? " " : "", rule->kind == RULE_HOST ? "=" : "");
		end += sprintf(end, "%s",
			       rule->kind == RULE_PREFIX ? prefix_text(&rule->prefix, prefix)
							 : rule->text);
	}
	return text;
}

static const struct {
	const char *word, *rules;
} good_words[] = {
	{ "10.1.2.3", "10.1.2.3/32" },
	{ "10.1.2.0", "10.1.2.0/24" },
	{ "10.1.0.0", "10.1.0.0/16" },
	{ "10.0.0.0", "10.0.0.0/8" },
	{ "0.0.0.0", "0.0.0.0/0" },
	{ "10.0.2.0", "10.0.2.0/24" },
	{ "0.0.0.1", "0.0.0.1/32" },
	{ "255.255.255.255", "255.255.255.255/32" },
	{ "10.1.2", "10.1.0.2/32" },
	{ "127.1", "127.0.0.1/32" },
	{ "10.256", "10.0.1.0/24" },
	{ "0", "0.0.0.0/0" },
	{ "010.0.0.1", "8.0.0.1/32" },
	{ "0x7f.1", "127.0.0.1/32" },
	{ "1.2.3.4/32", "1.2.3.4/32" },
	{ "1.2.3.4/0", "0.0.0.0/0" },
	{ "10.255.255.255/9", "10.128.0.0/9" },
	{ "10.0.0.0/24", "10.0.0.0/24" },
	{ "10.0.0.0/08", "10.0.0.0/8" },
	{ "::1", "::1/128" },
	{ "::", "::/128" },
	{ "2001:DB8::1", "2001:db8::1/128" },
	{ "2001:db8::ffff/33", "2001:db8::/33" },
	{ "::1/128", "::1/128" },
	{ "::/0", "::/0" },
	{ "::ffff:1.2.3.4", "1.2.3.4/32" },
	{ "::ffff:10.0.0.0", "10.0.0.0/32" },
	{ "::ffff:a00:1", "10.0.0.1/32" },
	{ "::ffff:10.1.2.3/104", "10.0.0.0/8" },
	{ "::ffff:10.1.2.3/128", "10.1.2.3/32" },
	{ "::ffff:0:0/96", "0.0.0.0/0" },
	{ "::ffff:10.1.2.3/95", "::fffe:0:0/95" },
	{ "::ffff:10.1.2.3/80", "::/80" },
	{ "10.1.{2,3}", "10.1.2.0/24 10.1.3.0/24" },
	{ "10.1.2.{3,4,255}", "10.1.2.3/32 10.1.2.4/32 10.1.2.255/32" },
	{ "10.{0,1}", "10.0.0.0/16 10.1.0.0/16" },
	{ "10.0.0.{0}", "10.0.0.0/32" },
	{ "{10,127}", "10.0.0.0/8 127.0.0.0/8" },
	{ "0.0.{0,1}", "0.0.0.0/24 0.0.1.0/24" },
	{ "host", "=host" },
	{ "peer.Example.org", "=peer.Example.org" },
	{ "peer.example.org.", "=peer.example.org." },
	{ "my_host-2.lan", "=my_host-2.lan" },
	{ "3com", "=3com" },
	{ "3com.example.org", "=3com.example.org" },
	{ ".example.org", ".example.org" },
	{ ".org", ".org" },
	{ ".example.org.", ".example.org." },
};

START_TEST(reads_each_form)
{
	struct access_list list = { 0 };
	const char *word = good_words[_i].word;
	char text[8192];

	ck_assert_msg(access_list_add(&list, word, "a.conf", 7, NULL) == WORD_ADDED, "%s", word);
	ck_assert_msg(strcmp(list_text(&list, text), good_words[_i].rules) == 0, "%s became %s",
		      word, text);
	ck_assert_msg(list.is_set, "%s", word);
	for (size_t i = 0; i < list.count; i++) {
		ck_assert_str_eq(list.rules[i].text, word);
		ck_assert_str_eq(list.rules[i].file, "a.conf");
		ck_assert_int_eq(list.rules[i].line, 7);
	}
	access_list_clear(&list);
	ck_assert(!list.is_set && list.count == 0);
}
END_TEST

#define LABEL_63 "a23456789-123456789-123456789-123456789-123456789-123456789-123"

static const struct {
	const char *word;
	enum access_word what;
} bad_words[] = {
	{ "", WORD_NO_ADDRESS },
	{ "127.0.0.", WORD_PART_OF_ADDRESS },
	{ "127.0.0./8", WORD_PART_OF_ADDRESS },
	{ "1.2.3.4.5", WORD_NO_ADDRESS },
	{ "256.1.1.1", WORD_NO_ADDRESS },
	{ "1.2.3.999", WORD_NO_ADDRESS },
	{ "1..2", WORD_NO_ADDRESS },
	{ "1.2.3.09", WORD_NO_ADDRESS },
	{ ".1.2", WORD_NO_ADDRESS },
	{ ".", WORD_NO_ADDRESS },
	{ "4294967296", WORD_NO_ADDRESS },
	{ ":", WORD_NO_ADDRESS },
	{ ":::", WORD_NO_ADDRESS },
	{ "1:2:3", WORD_NO_ADDRESS },
	{ "::1%no-such-interface", WORD_NO_ADDRESS },
	{ "[::1]", WORD_NO_ADDRESS },
	{ "host:80", WORD_NO_ADDRESS },
	{ "1.2.3.4:80", WORD_NO_ADDRESS },
	{ "1.2.3.4/33", WORD_BAD_MASK },
	{ "1.2.3.4/", WORD_BAD_MASK },
	{ "1.2.3.4/-1", WORD_BAD_MASK },
	{ "1.2.3.4/+8", WORD_BAD_MASK },
	{ "1.2.3.4/ 8", WORD_BAD_MASK },
	{ "10.0.0.0/8x", WORD_BAD_MASK },
	{ "10.0.0.0/8/8", WORD_BAD_MASK },
	{ "10.0.0.0/255.0.0.0", WORD_BAD_MASK },
	{ "10.0.0.0/4294967304", WORD_BAD_MASK },
	{ "::1/129", WORD_BAD_MASK },
	{ "::1/", WORD_BAD_MASK },
	{ "::ffff:1.2.3.4/129", WORD_BAD_MASK },
	{ "10.1/16", WORD_PART_OF_ADDRESS },
	{ "127/8", WORD_PART_OF_ADDRESS },
	{ "010.0.0.0/8", WORD_NO_ADDRESS },
	{ "/8", WORD_NO_ADDRESS },
	{ "example.org/24", WORD_NO_ADDRESS },
	{ "1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1.2.3.4.5.6/8",
	  WORD_NO_ADDRESS },
	{ "1.2.{3,4", WORD_BAD_FACTOR },
	{ "1.2.3,4}", WORD_HAS_COMMA },
	{ "1.2.3}", WORD_BAD_FACTOR },
	{ "1.2.{}", WORD_BAD_FACTOR },
	{ "1.2.{3,}", WORD_BAD_FACTOR },
	{ "1.2.{,3}", WORD_BAD_FACTOR },
	{ "1.2.{3,,4}", WORD_BAD_FACTOR },
	{ "1.2.{3,4}.5", WORD_BAD_FACTOR },
	{ "1.2.{3,4}/24", WORD_BAD_FACTOR },
	{ "1.2.{3-5}", WORD_BAD_FACTOR },
	{ "1.2.{{3,4}}", WORD_BAD_FACTOR },
	{ "1.2.{3,256}", WORD_BAD_FACTOR },
	{ "1.2.{3,4294967297}", WORD_BAD_FACTOR },
	{ "1.256.{3,4}", WORD_BAD_FACTOR },
	{ "1.2.3.4.{5,6}", WORD_BAD_FACTOR },
	{ "1.2{3,4}", WORD_BAD_FACTOR },
	{ ".{3,4}", WORD_BAD_FACTOR },
	{ "1..{3,4}", WORD_BAD_FACTOR },
	{ "::{1,2}", WORD_BAD_FACTOR },
	{ "host{1,2}", WORD_BAD_FACTOR },
	{ "1.2.3.4,", WORD_HAS_COMMA },
	{ "1.2.3.4,5.6.7.8", WORD_HAS_COMMA },
	{ ",", WORD_HAS_COMMA },
	{ "1.2.{3,4},", WORD_HAS_COMMA },
	{ "1.2.{3,4},5.{6,7}", WORD_HAS_COMMA },
	{ "a..b", WORD_BAD_NAME },
	{ "..example.org", WORD_BAD_NAME },
	{ "example.org..", WORD_BAD_NAME },
	{ "*.example.org", WORD_BAD_NAME },
	{ "-host", WORD_BAD_NAME },
	{ "host.-net", WORD_BAD_NAME },
	{ "ho st", WORD_BAD_NAME },
	{ "10.0.0.0 x", WORD_BAD_NAME },
	{ "h\xc3\xb6st", WORD_BAD_NAME },
	{ "#", WORD_BAD_NAME },
	{ "10.0.0.0x", WORD_BAD_NAME },
	{ "10.0.0.1-10.0.0.9", WORD_BAD_NAME },
	{ "10.0.0.*", WORD_BAD_NAME },
	{ LABEL_63 "4.org", WORD_BAD_NAME },
	{ LABEL_63 "." LABEL_63 "." LABEL_63 ".12345678.a2345678.a2345678.a2345678.a2345678"
		   ".a2345678.a2345678.",
	  WORD_BAD_NAME },
};

START_TEST(refuses_what_is_none)
{
	struct access_list list = list_of("10.0.0.1");
	const char *word = bad_words[_i].word;
	enum access_word what = access_list_add(&list, word, NULL, 0, NULL);

	ck_assert_msg(what == bad_words[_i].what, "\"%s\": %s", word, access_word_text(what));
	ck_assert_msg(list.count == 1, "\"%s\" left rules behind", word);
	access_list_clear(&list);
}
END_TEST

START_TEST(accepts_the_longest_names)
{
	struct access_list list = { 0 };
	char domain[512];

	ck_assert_int_eq(access_list_add(&list, LABEL_63 ".org", NULL, 0, NULL), WORD_ADDED);
	snprintf(domain, sizeof domain, ".%s.%s.%s.%.61s", LABEL_63, LABEL_63, LABEL_63, LABEL_63);
	ck_assert_uint_eq(strlen(domain), 254);
	ck_assert_int_eq(access_list_add(&list, domain, NULL, 0, NULL), WORD_ADDED);
	strcat(domain, ".");
	ck_assert_int_eq(access_list_add(&list, domain, NULL, 0, NULL), WORD_ADDED);
	access_list_clear(&list);
}
END_TEST

/* A domain of the greatest length needs names, too. */
START_TEST(weighs_the_longest_domain)
{
	struct access_list only_from = { 0 }, no_access = { 0 };
	struct address peer = address_of("10.0.0.1");
	char domain[512];

	snprintf(domain, sizeof domain, ".%s.%s.%s.%.61s.", LABEL_63, LABEL_63, LABEL_63, LABEL_63);
	ck_assert_int_eq(access_list_add(&only_from, domain, NULL, 0, NULL), WORD_ADDED);
	ck_assert_int_eq(access_decide(&only_from, &no_access, &peer, NULL).decision,
			 ACCESS_NEEDS_NAMES);
	access_list_clear(&only_from);
}
END_TEST

START_TEST(every_outcome_has_its_words)
{
	for (enum access_word what = WORD_ADDED; what <= WORD_NO_MEMORY; what++) {
		ck_assert_ptr_nonnull(access_word_text(what));
		for (enum access_word other = WORD_ADDED; other < what; other++)
			ck_assert_str_ne(access_word_text(what), access_word_text(other));
	}
}
END_TEST

/* 1.2.3.{0,0,0...} with `count` numbers. */
static char *factors(size_t count)
{
	char *word = malloc(16 + 2 * count), *end = word;

	end += sprintf(end, "1.2.3.{0");
	for (size_t i = 1; i < count; i++)
		end += sprintf(end, ",%zu", i % 10);
	strcpy(end, "}");
	return word;
}

START_TEST(bounds_the_rules_of_one_word)
{
	struct access_list list = { 0 };
	char *most = factors(256), *too_many = factors(257);

	ck_assert_int_eq(access_list_add(&list, too_many, NULL, 0, NULL), WORD_BAD_FACTOR);
	ck_assert_uint_eq(list.count, 0);
	ck_assert_int_eq(access_list_add(&list, most, NULL, 0, NULL), WORD_ADDED);
	ck_assert_uint_eq(list.count, 256);
	free(most);
	free(too_many);
	access_list_clear(&list);
}
END_TEST

START_TEST(grows_with_many_words)
{
	struct access_list list = { 0 };
	struct address address;
	char word[32];

	for (unsigned i = 0; i < 3000; i++) {
		snprintf(word, sizeof word, "10.%u.%u.1", i / 256, i % 256);
		ck_assert_int_eq(access_list_add(&list, word, NULL, (int)i, NULL), WORD_ADDED);
	}
	ck_assert_uint_eq(list.count, 3000);
	address = address_of("10.11.183.1");
	ck_assert_int_eq(access_list_match(&list, &address, NULL)->line, 2999);
	access_list_clear(&list);
}
END_TEST

static bool lan_is_known(const char *name, struct prefix *prefix)
{
	if (strcmp(name, "lan") != 0)
		return false;
	*prefix = (struct prefix){ AF_INET, 16, { 10, 9, 8, 7 } };
	return true;
}

START_TEST(asks_for_networks_by_name)
{
	struct access_list list = { 0 };
	char text[8192];

	ck_assert_int_eq(access_list_add(&list, "lan", NULL, 0, lan_is_known), WORD_ADDED);
	ck_assert_int_eq(access_list_add(&list, "wan", NULL, 0, lan_is_known), WORD_ADDED);
	ck_assert_int_eq(access_list_add(&list, ".lan", NULL, 0, lan_is_known), WORD_ADDED);
	ck_assert_str_eq(list_text(&list, text), "10.9.0.0/16 =wan .lan");
	ck_assert_str_eq(list.rules[0].text, "lan");
	ck_assert(access_list_remove(&list, "lan"));
	ck_assert_str_eq(list_text(&list, text), "=wan .lan");
	access_list_clear(&list);
}
END_TEST

static const struct {
	const char *list, *word, *left;
	bool removed;
} removals[] = {
	{ "10.0.0.1 10.0.0.2", "10.0.0.1", "10.0.0.2/32", true },
	{ "10.0.0.1 10.0.0.2", "10.0.0.3", "10.0.0.1/32 10.0.0.2/32", false },
	{ "10.0.0.1 10.0.0.1", "10.0.0.1", "", true },
	{ "10.1.{2,3} 10.4.0.0", "10.1.{2,3}", "10.4.0.0/16", true },
	{ "10.1.{2,3} 10.4.0.0", "10.1.{3,2}", "10.4.0.0/16", true },
	{ "10.1.{2,3}", "10.1.2.0", "10.1.3.0/24", true },
	{ "10.0.0.0", "10.0.0.0/8", "", true },
	{ "10.0.0.0", "10.0.0.0/9", "10.0.0.0/8", false },
	{ "0.0.0.0 ::", "::", "0.0.0.0/0", true },
	{ "a.org .a.org b.org", "A.ORG", ".a.org =b.org", true },
	{ "a.org .a.org b.org", ".A.org.", "=a.org =b.org", true },
	{ "a.org", "1.2.3.4,", "=a.org", false },
	{ "", "a.org", "", false },
};

START_TEST(removes_what_means_the_same)
{
	struct access_list list = list_of(removals[_i].list);
	bool removed = access_list_remove(&list, removals[_i].word);
	char text[8192];

	ck_assert_msg(removed == removals[_i].removed, "%s -= %s", removals[_i].list,
		      removals[_i].word);
	ck_assert_msg(strcmp(list_text(&list, text), removals[_i].left) == 0, "%s -= %s left %s",
		      removals[_i].list, removals[_i].word, text);
	ck_assert(list.is_set == (*removals[_i].list != '\0'));
	ck_assert_int_eq(access_list_add(&list, "9.9.9.9", NULL, 0, NULL), WORD_ADDED);
	access_list_clear(&list);
}
END_TEST

/* --- matching, compared bit by bit --------------------------------------------- */

static uint32_t random_state;

static uint32_t random_number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

static void random_bytes(unsigned char bytes[16])
{
	for (int i = 0; i < 16; i++)
		bytes[i] = (unsigned char)random_number();
}

static int bit(const unsigned char *bytes, unsigned which)
{
	return bytes[which / 8] >> (7 - which % 8) & 1;
}

static bool first_bits_agree(const unsigned char *one, const unsigned char *other, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (bit(one, i) != bit(other, i))
			return false;
	return true;
}

static struct address address_of_bytes(int family, const unsigned char *bytes)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	memcpy(&in4.sin_addr, bytes, 4);
	memcpy(&in6.sin6_addr, bytes, 16);
	return family == AF_INET ? address_from_sockaddr((struct sockaddr *)&in4, sizeof in4)
				 : address_from_sockaddr((struct sockaddr *)&in6, sizeof in6);
}

/* Tries a rule of this length against peers with any number of leading bits in common. */
static void compare_with_naive(int family, unsigned width, unsigned length)
{
	unsigned char rule[16], peer[16];
	char text[INET6_ADDRSTRLEN], word[64];
	struct access_list list = { 0 };

	random_bytes(rule);
	rule[0] |= 0x20; /* not an IPv4-mapped address */
	inet_ntop(family, rule, text, sizeof text);
	snprintf(word, sizeof word, "%s/%u", text, length);
	ck_assert_int_eq(access_list_add(&list, word, NULL, 0, NULL), WORD_ADDED);
	for (unsigned agreeing = 0; agreeing <= width; agreeing++) {
		struct address address;

		random_bytes(peer);
		for (unsigned i = 0; i < agreeing; i++)
			peer[i / 8] = (unsigned char)((peer[i / 8] & ~(0x80 >> i % 8)) |
						      (rule[i / 8] & (0x80 >> i % 8)));
		if (agreeing < width && bit(peer, agreeing) == bit(rule, agreeing))
			peer[agreeing / 8] ^= (unsigned char)(0x80 >> agreeing % 8);
		address = address_of_bytes(family, peer);
		if (family == AF_INET6 && address.any.sa_family == AF_INET)
			continue;
		if ((access_list_match(&list, &address, NULL) != NULL) !=
		    first_bits_agree(rule, peer, length))
			ck_abort_msg("%s, a peer that agrees in %u bits", word, agreeing);
	}
	access_list_clear(&list);
}

START_TEST(matches_as_the_bits_say)
{
	random_state = 20261121;
	for (int round = 0; round < 20; round++) {
		for (unsigned length = 0; length <= 32; length++)
			compare_with_naive(AF_INET, 32, length);
		for (unsigned length = 0; length <= 128; length++)
			compare_with_naive(AF_INET6, 128, length);
	}
}
END_TEST

/* A plain IPv4 word compares its octets up to the last that is not 0. */
static unsigned octets_compared(const unsigned char *bytes)
{
	for (unsigned count = 4; count > 0; count--)
		if (bytes[count - 1] != 0)
			return count;
	return 0;
}

START_TEST(trailing_zeros_are_wildcards)
{
	static const unsigned char values[] = { 0, 1, 128, 255 };

	random_state = 4711;
	for (int pattern = 0; pattern < 256; pattern++) {
		unsigned char rule[4];
		char text[INET6_ADDRSTRLEN];
		struct access_list list;

		for (int i = 0; i < 4; i++)
			rule[i] = values[pattern >> 2 * i & 3];
		list = list_of(inet_ntop(AF_INET, rule, text, sizeof text));
		for (int peers = 0; peers < 256; peers++) {
			unsigned char peer[16];
			struct address address;

			for (int i = 0; i < 4; i++)
				peer[i] = values[peers >> 2 * i & 3];
			address = address_of_bytes(AF_INET, peer);
			if ((access_list_match(&list, &address, NULL) != NULL) !=
			    (memcmp(rule, peer, octets_compared(rule)) == 0))
				ck_abort_msg("%s, peer %u.%u.%u.%u", text, peer[0], peer[1],
					     peer[2], peer[3]);
		}
		access_list_clear(&list);
	}
}
END_TEST

START_TEST(families_do_not_mix)
{
	struct access_list in4 = list_of("0.0.0.0/0"), in6 = list_of("::/0 ::ffff:0:0/80");
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6 };
	struct address peer4 = address_of("10.0.0.1"), peer6 = address_of("2001:db8::1"), both;

	inet_pton(AF_INET6, "::ffff:10.0.0.1", &mapped.sin6_addr);
	both = address_from_sockaddr((struct sockaddr *)&mapped, sizeof mapped);
	ck_assert_ptr_nonnull(access_list_match(&in4, &peer4, NULL));
	ck_assert_ptr_nonnull(access_list_match(&in4, &both, NULL));
	ck_assert_ptr_null(access_list_match(&in4, &peer6, NULL));
	ck_assert_ptr_nonnull(access_list_match(&in6, &peer6, NULL));
	ck_assert_ptr_null(access_list_match(&in6, &peer4, NULL));
	ck_assert_ptr_null(access_list_match(&in6, &both, NULL));
	access_list_clear(&in4);
	access_list_clear(&in6);
}
END_TEST

/* --- names ---------------------------------------------------------------------- */

static const struct {
	const char *rule, *name;
	bool matches;
} name_matches[] = {
	{ "example.org", "example.org", true },
	{ "example.org", "EXAMPLE.Org", true },
	{ "example.org", "example.org.", true },
	{ "example.org.", "example.org", true },
	{ "example.org", "a.example.org", false },
	{ "example.org", "badexample.org", false },
	{ "example.org", "example.org.evil", false },
	{ "example.org", "example.or", false },
	{ "example.org", "", false },
	{ ".example.org", "a.example.org", true },
	{ ".example.org", "a.b.EXAMPLE.org", true },
	{ ".example.org", "a.example.org.", true },
	{ ".example.org.", "a.example.org", true },
	{ ".example.org", "example.org", false },
	{ ".example.org", "badexample.org", false },
	{ ".example.org", "a.example.org.evil", false },
	{ ".example.org", ".example.org", false },
	{ ".example.org", "org", false },
	{ ".example.org", "", false },
};

START_TEST(names_match_wholly_or_as_a_domain)
{
	struct access_list list = list_of(name_matches[_i].rule);
	struct address known = address_of("10.0.0.1"), unknown = address_of(NULL);
	const char *const names[] = { "other.example.net", name_matches[_i].name, NULL };

	ck_assert_msg((access_list_match(&list, &known, names) != NULL) == name_matches[_i].matches,
		      "%s, %s", name_matches[_i].rule, name_matches[_i].name);
	ck_assert_ptr_null(access_list_match(&list, &unknown, names));
	ck_assert_ptr_null(access_list_match(&list, &known, NULL));
	ck_assert_ptr_null(access_list_match(&list, &known, nameless));
	ck_assert(access_list_wants_names(&list));
	access_list_clear(&list);
}
END_TEST

START_TEST(prefixes_want_no_names)
{
	struct access_list list = list_of("10.0.0.0 ::1 1.2.{3,4}"), empty = { 0 };

	ck_assert(!access_list_wants_names(&list));
	ck_assert(!access_list_wants_names(&empty));
	access_list_clear(&list);
}
END_TEST

/* --- the best match --------------------------------------------------------------- */

/* Each is more specific than all before it, and all match 10.1.2.3, a.example.org. */
static const char *const ladder[] = {
	"0.0.0.0/0",   ".org",        ".example.org", "128.0.0.0/1 0.0.0.0/1", "10.0.0.0/8",
	"10.1.0.0/16", "10.1.2.2/31", "10.1.2.3",     "a.example.org",
};

enum { RUNGS = sizeof ladder / sizeof ladder[0] };

START_TEST(the_more_specific_match_wins)
{
	struct address peer = address_of("10.1.2.3");
	const char *const names[] = { "a.example.org", NULL };

	for (int i = 0; i < RUNGS; i++) {
		for (int j = 0; j < RUNGS; j++) {
			struct access_list allow = list_of(ladder[i]), deny = list_of(ladder[j]);
			struct access_result result = access_decide(&allow, &deny, &peer, names);

			ck_assert_msg(result.decision == (i > j ? ACCESS_ALLOWED : ACCESS_DENIED),
				      "only_from %s, no_access %s", ladder[i], ladder[j]);
			ck_assert_msg(result.tie == (i == j), "%s, %s", ladder[i], ladder[j]);
			ck_assert_ptr_nonnull(result.rule);
			ck_assert_ptr_eq(result.rule,
					 access_list_match(i > j ? &allow : &deny, &peer, names));
			access_list_clear(&allow);
			access_list_clear(&deny);
		}
	}
}
END_TEST

START_TEST(the_best_rule_of_a_list_counts)
{
	struct address peer = address_of("10.1.2.3");
	const char *const names[] = { "a.example.org", NULL };

	for (int best = 0; best < RUNGS; best++) {
		struct access_list up = { 0 }, down = { 0 };
		struct access_list only;

		for (int i = 0; i <= best; i++) {
			only = list_of(ladder[i]);
			for (size_t j = 0; j < only.count; j++)
				access_list_add(&up, only.rules[j].text, NULL, i, NULL);
			access_list_clear(&only);
			only = list_of(ladder[best - i]);
			for (size_t j = 0; j < only.count; j++)
				access_list_add(&down, only.rules[j].text, NULL, best - i, NULL);
			access_list_clear(&only);
		}
		ck_assert_int_eq(access_list_match(&up, &peer, names)->line, best);
		ck_assert_int_eq(access_list_match(&down, &peer, names)->line, best);
		access_list_clear(&up);
		access_list_clear(&down);
	}
}
END_TEST

static const struct {
	const char *only_from, *no_access, *peer, *names[3];
	enum access_decision decision;
	bool tie;
} decisions[] = {
	{ "", "", "10.0.0.1", { 0 }, ACCESS_ALLOWED, false },
	{ "", "", NULL, { 0 }, ACCESS_ALLOWED, false },
	{ "127.0.0.1", "127.0.0.0/8", "127.0.0.1", { 0 }, ACCESS_ALLOWED, false },
	{ "127.0.0.1", "127.0.0.0/8", "127.0.0.2", { 0 }, ACCESS_DENIED, false },
	{ "127.0.0.0/8", "127.0.0.1", "127.0.0.1", { 0 }, ACCESS_DENIED, false },
	{ "127.0.0.0/8", "127.0.0.1", "127.0.0.2", { 0 }, ACCESS_ALLOWED, false },
	{ "127.0.0.0/8", "127.0.0.1", "10.0.0.1", { 0 }, ACCESS_DENIED, false },
	{ "10.1.0.0", "10.1.2.3/16", "10.1.9.9", { 0 }, ACCESS_DENIED, true },
	{ "::1/128", "", "::1", { 0 }, ACCESS_ALLOWED, false },
	{ "::1/128", "", "::2", { 0 }, ACCESS_DENIED, false },
	{ "", "0.0.0.0", "10.0.0.1", { 0 }, ACCESS_DENIED, false },
	{ "", "0.0.0.0", "::1", { 0 }, ACCESS_ALLOWED, false },
	{ "", "0.0.0.0 ::/0 a.org", NULL, { 0 }, ACCESS_ALLOWED, false },
	{ "0.0.0.0 ::/0 a.org", "", NULL, { 0 }, ACCESS_DENIED, false },
	{ "a.org", "", "10.0.0.1", { "a.org" }, ACCESS_ALLOWED, false },
	{ "a.org", "", NULL, { "a.org" }, ACCESS_DENIED, false },
	{ "a.org", "", "10.0.0.1", { 0 }, ACCESS_DENIED, false },
	{ "a.org", "A.ORG.", "10.0.0.1", { "a.org" }, ACCESS_DENIED, true },
	{ "a.x.org", ".x.org", "10.0.0.1", { "b.x.org", "a.x.org" }, ACCESS_ALLOWED, false },
	{ ".x.org", ".y.org", "10.0.0.1", { "a.x.org", "a.y.org" }, ACCESS_DENIED, true },
	{ ".x.org 10.0.0.0", "b.x.org", "10.0.0.1", { "b.x.org" }, ACCESS_DENIED, false },
	{ ".x.org", "0.0.0.0/0", "10.0.0.1", { "b.x.org" }, ACCESS_ALLOWED, false },
	{ ".x.org", "0.0.0.0/1", "10.0.0.1", { "b.x.org" }, ACCESS_DENIED, false },
};

START_TEST(the_first_of_equals_is_named)
{
	struct access_list list = { 0 };
	struct address peer = address_of("10.0.0.1");

	for (int line = 1; line <= 3; line++)
		access_list_add(&list, "10.0.0.0/8", NULL, line, NULL);
	ck_assert_int_eq(access_list_match(&list, &peer, NULL)->line, 1);
	access_list_clear(&list);
}
END_TEST

START_TEST(decides_over_both_lists)
{
	struct access_list allow = list_of(decisions[_i].only_from);
	struct access_list deny = list_of(decisions[_i].no_access);
	struct address peer = address_of(decisions[_i].peer);
	struct access_result result = access_decide(&allow, &deny, &peer, decisions[_i].names);

	ck_assert_msg(result.decision == decisions[_i].decision && result.tie == decisions[_i].tie,
		      "row %d: only_from %s, no_access %s", _i, decisions[_i].only_from,
		      decisions[_i].no_access);
	access_list_clear(&allow);
	access_list_clear(&deny);
}
END_TEST

START_TEST(a_list_set_to_nothing_admits_nobody)
{
	struct access_list empty = { .is_set = true }, unset = { 0 };
	struct address peer = address_of("10.0.0.1");
	struct access_result result = access_decide(&empty, &unset, &peer, NULL);

	ck_assert_int_eq(result.decision, ACCESS_DENIED);
	ck_assert_ptr_null(result.rule);
	ck_assert_int_eq(access_decide(&unset, &empty, &peer, NULL).decision, ACCESS_ALLOWED);
}
END_TEST

/* --- when names are needed: every small list, every set of names ------------------- */

static const char *const pool[] = {
	"0.0.0.0/0",    "10.0.0.0/8",    "10.1.2.3",      ".org",
	".example.org", "a.example.org", "b.example.org",
};
static const char *const universe[] = {
	"a.example.org", "b.example.org", "c.example.org", "d.org", "example.org", "other.net",
};

enum { POOL = sizeof pool / sizeof pool[0], UNIVERSE = sizeof universe / sizeof universe[0] };

static struct access_list subset_list(unsigned subset)
{
	struct access_list list = { 0 };

	for (int i = 0; i < POOL; i++)
		if (subset >> i & 1)
			access_list_add(&list, pool[i], NULL, 0, NULL);
	return list;
}

static enum access_decision decide_with(const struct access_list *allow,
					const struct access_list *deny, const struct address *peer,
					unsigned subset)
{
	const char *names[UNIVERSE + 1] = { NULL };
	int count = 0;

	for (int i = 0; i < UNIVERSE; i++)
		if (subset >> i & 1)
			names[count++] = universe[i];
	return access_decide(allow, deny, peer, names).decision;
}

static void check_need(const struct access_list *allow, const struct access_list *deny,
		       const struct address *peer, unsigned one, unsigned other)
{
	enum access_decision without = decide_with(allow, deny, peer, 0);
	enum access_decision decision = access_decide(allow, deny, peer, NULL).decision;
	bool can_turn = false;

	for (unsigned names = 0; names < 1 << UNIVERSE && !can_turn; names++)
		can_turn = decide_with(allow, deny, peer, names) != without;
	ck_assert_msg(decision == (can_turn ? ACCESS_NEEDS_NAMES : without),
		      "only_from 0x%x, no_access 0x%x of the pool: decision %d", one, other,
		      decision);
}

START_TEST(asks_for_names_only_when_they_can_matter)
{
	struct address peers[] = { address_of("10.1.2.3"), address_of("10.9.9.9"),
				   address_of("192.0.2.1"), address_of(NULL) };

	for (unsigned one = 0; one < 1 << POOL; one++) {
		for (unsigned other = 0; other < 1 << POOL; other++) {
			struct access_list allow, deny;

			if (__builtin_popcount(one) > 2 || __builtin_popcount(other) > 2)
				continue;
			allow = subset_list(one);
			deny = subset_list(other);
			access_lists_settle(&allow, &deny);
			for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++)
				check_need(&allow, &deny, &peers[i], one, other);
			access_list_clear(&allow);
			access_list_clear(&deny);
		}
	}
}
END_TEST

static struct access_list list_of_domains(int count, const char *prefix)
{
	struct access_list list = { 0 };
	char word[64];

	if (*prefix)
		ck_assert_int_eq(access_list_add(&list, prefix, NULL, 0, NULL), WORD_ADDED);
	for (int i = 0; i < count; i++) {
		snprintf(word, sizeof word, ".d%d.example.org", i);
		ck_assert_int_eq(access_list_add(&list, word, NULL, 0, NULL), WORD_ADDED);
	}
	return list;
}

static const struct {
	const char *allowed, *denied;
	enum access_decision decision;
} long_lists[] = {
	{ "10.0.0.0/8", "", ACCESS_ALLOWED },
	{ "", "10.0.0.0/8", ACCESS_DENIED },
	{ "", "", ACCESS_DENIED },
};

/* When no name matters, each is compared once. Comparing each with every other would
 * take longer than a test's timeout. */
START_TEST(decides_over_long_lists)
{
	enum { DOMAINS = 20000, TIMES = 20 };
	struct access_list allow = list_of_domains(DOMAINS, long_lists[_i].allowed);
	struct access_list deny = list_of_domains(DOMAINS, long_lists[_i].denied);
	struct address peer = address_of("10.1.2.3");

	access_lists_settle(&allow, &deny);
	for (int i = 0; i < TIMES; i++)
		ck_assert_int_eq(access_decide(&allow, &deny, &peer, NULL).decision,
				 long_lists[_i].decision);
	access_list_clear(&allow);
	access_list_clear(&deny);
}
END_TEST

/* Unsettled lists cause a needless lookup, never a wrong decision. */
START_TEST(unsettled_lists_ask_for_names_too_often)
{
	struct access_list allow = list_of(".example.org"), deny = list_of(".EXAMPLE.org.");
	struct address peer = address_of("10.1.2.3");
	const char *const names[] = { "a.example.org", NULL };

	ck_assert_int_eq(access_decide(&allow, &deny, &peer, NULL).decision, ACCESS_NEEDS_NAMES);
	ck_assert_int_eq(access_decide(&allow, &deny, &peer, names).decision, ACCESS_DENIED);
	access_lists_settle(&allow, &deny);
	ck_assert_int_eq(access_decide(&allow, &deny, &peer, NULL).decision, ACCESS_DENIED);
	access_list_clear(&allow);
	access_list_clear(&deny);
}
END_TEST

START_TEST(a_plain_prefix_decision_needs_no_names)
{
	struct access_list allow = list_of("10.0.0.0 .example.org"), deny = list_of("192.0.2.0");
	struct address inside = address_of("10.1.1.1"), outside = address_of("192.0.2.1");

	ck_assert_int_eq(access_decide(&allow, &deny, &inside, NULL).decision, ACCESS_ALLOWED);
	ck_assert_int_eq(access_decide(&allow, &deny, &outside, NULL).decision, ACCESS_DENIED);
	outside = address_of("192.0.3.1");
	ck_assert_int_eq(access_decide(&allow, &deny, &outside, NULL).decision, ACCESS_NEEDS_NAMES);
	access_list_clear(&allow);
	access_list_clear(&deny);
}
END_TEST

/* --- overlap ------------------------------------------------------------------------- */

static const struct {
	const char *only_from, *no_access, *allowed, *denied;
} overlaps[] = {
	{ "10.0.0.0", "10.1.2.3", "10.0.0.0", "10.1.2.3" },
	{ "10.1.2.3", "10.0.0.0", "10.1.2.3", "10.0.0.0" },
	{ "10.0.0.0", "10.0.0.0/8", "10.0.0.0", "10.0.0.0/8" },
	{ "192.0.2.1 10.1.0.0", "10.2.0.0 11.0.0.0 10.1.1.0", "10.1.0.0", "10.1.1.0" },
	{ "::ffff:10.0.0.1", "10.0.0.0", "::ffff:10.0.0.1", "10.0.0.0" },
	{ "2001:db8::/32", "2001:db8::1", "2001:db8::/32", "2001:db8::1" },
	{ "a.x.org", ".x.org", "a.x.org", ".x.org" },
	{ ".x.org", "A.X.org", ".x.org", "A.X.org" },
	{ ".a.x.org", ".x.org", ".a.x.org", ".x.org" },
	{ ".x.org", ".X.org.", ".x.org", ".X.org." },
	{ "a.org", "A.org", "a.org", "A.org" },
	{ "10.1.0.0", "10.2.0.0", NULL, NULL },
	{ "0.0.0.0/0", "::/0", NULL, NULL },
	{ "0.0.0.0/0", "a.org", NULL, NULL },
	{ ".org", "10.0.0.0", NULL, NULL },
	{ "x.org", ".x.org", NULL, NULL },
	{ "a.org", "b.org", NULL, NULL },
	{ ".a.org", ".b.org", NULL, NULL },
	{ "10.0.0.0", "", NULL, NULL },
	{ "", "10.0.0.0", NULL, NULL },
};

START_TEST(finds_where_lists_overlap)
{
	struct access_list allow = list_of(overlaps[_i].only_from);
	struct access_list deny = list_of(overlaps[_i].no_access);
	const struct access_rule *allowed = NULL, *denied = NULL;
	bool found = access_lists_overlap(&allow, &deny, &allowed, &denied);

	ck_assert_msg(found == (overlaps[_i].allowed != NULL), "row %d: %s, %s", _i,
		      overlaps[_i].only_from, overlaps[_i].no_access);
	if (found) {
		ck_assert_str_eq(allowed->text, overlaps[_i].allowed);
		ck_assert_str_eq(denied->text, overlaps[_i].denied);
	}
	access_list_clear(&allow);
	access_list_clear(&deny);
}
END_TEST

#define ROWS(table) (int)(sizeof table / sizeof table[0])

Suite *access_list_suite(void)
{
	Suite *suite = suite_create("access_list");
	TCase *words = tcase_create("words"), *matches = tcase_create("matches");
	TCase *decision = tcase_create("decision");

	tcase_add_loop_test(words, reads_each_form, 0, ROWS(good_words));
	tcase_add_loop_test(words, refuses_what_is_none, 0, ROWS(bad_words));
	tcase_add_test(words, accepts_the_longest_names);
	tcase_add_test(words, every_outcome_has_its_words);
	tcase_add_test(words, bounds_the_rules_of_one_word);
	tcase_add_test(words, grows_with_many_words);
	tcase_add_test(words, asks_for_networks_by_name);
	tcase_add_loop_test(words, removes_what_means_the_same, 0, ROWS(removals));
	suite_add_tcase(suite, words);
	tcase_add_test(matches, matches_as_the_bits_say);
	tcase_add_test(matches, trailing_zeros_are_wildcards);
	tcase_add_test(matches, families_do_not_mix);
	tcase_add_loop_test(matches, names_match_wholly_or_as_a_domain, 0, ROWS(name_matches));
	tcase_add_test(matches, prefixes_want_no_names);
	suite_add_tcase(suite, matches);
	tcase_add_test(decision, the_more_specific_match_wins);
	tcase_add_test(decision, the_best_rule_of_a_list_counts);
	tcase_add_test(decision, the_first_of_equals_is_named);
	tcase_add_loop_test(decision, decides_over_both_lists, 0, ROWS(decisions));
	tcase_add_test(decision, a_list_set_to_nothing_admits_nobody);
	tcase_add_test(decision, asks_for_names_only_when_they_can_matter);
	tcase_add_loop_test(decision, decides_over_long_lists, 0, ROWS(long_lists));
	tcase_add_test(decision, unsettled_lists_ask_for_names_too_often);
	tcase_add_test(decision, a_plain_prefix_decision_needs_no_names);
	tcase_add_test(decision, weighs_the_longest_domain);
	tcase_add_loop_test(decision, finds_where_lists_overlap, 0, ROWS(overlaps));
	suite_add_tcase(suite, decision);
	return suite;
}
