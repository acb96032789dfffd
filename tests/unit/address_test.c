#include "base/address.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* The address of a numeric text, which must be right. */
static struct address address_of(const char *text)
{
	struct address address;

	ck_assert_msg(address_parse(&address, text, 0) == 0, "%s", text);
	return address;
}

/* The prefix of "address/length"; the text alone means all its bits. */
static struct prefix prefix_from(const char *text)
{
	char digits[64];
	unsigned length = 128;
	struct address address;

	ck_assert_msg(sscanf(text, "%63[^/]/%u", digits, &length) >= 1, "%s", text);
	address = address_of(digits);
	return prefix_of(&address, length);
}

static const struct {
	const char *text;
	const char *meaning; /* NULL: no address */
	sa_family_t family;
} parsed[] = {
	{ "127.0.0.1", "127.0.0.1", AF_INET },
	{ "0.0.0.0", "0.0.0.0", AF_INET },
	{ "255.255.255.255", "255.255.255.255", AF_INET },
	{ "::", "::", AF_INET6 },
	{ "::1", "::1", AF_INET6 },
	{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1", AF_INET6 },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AF_INET6 },
	{ "::ffff:192.0.2.7", "192.0.2.7", AF_INET },
	{ "::192.0.2.7", "::192.0.2.7", AF_INET6 },
	{ "fe80::1%lo", "fe80::1%lo", AF_INET6 },
	{ "fe80::1%1", "fe80::1%lo", AF_INET6 },
	{ "fe80::1%4294967295", "fe80::1%4294967295", AF_INET6 },
	{ "", NULL, 0 },
	{ "127.0.0", NULL, 0 },
	{ "127.0.0.256", NULL, 0 },
	{ "127.0.0.1 ", NULL, 0 },
	{ "127.1", NULL, 0 },
	{ "0x7f.0.0.1", NULL, 0 },
	{ "127.0.0.1%lo", NULL, 0 },
	{ "localhost", NULL, 0 },
	{ ":", NULL, 0 },
	{ ":::", NULL, 0 },
	{ "12345::", NULL, 0 },
	{ "[::1]", NULL, 0 },
	{ "1:2:3:4:5:6:7:8:9", NULL, 0 },
	{ "fe80::1%", NULL, 0 },
	{ "fe80::1%0", NULL, 0 },
	{ "fe80::1%4294967296", NULL, 0 },
	{ "fe80::1%-1", NULL, 0 },
	{ "fe80::1%no such interface", NULL, 0 },
	{ "0000000000000000000000000000000000000000000000000000000000000000:", NULL, 0 },
};

START_TEST(reads_numeric_addresses)
{
	struct address address;
	char text[ADDRESS_TEXT_SIZE];
	int status = address_parse(&address, parsed[_i].text, 4711);

	ck_assert_msg((status == 0) == (parsed[_i].meaning != NULL), "%s: %d", parsed[_i].text,
		      status);
	if (status < 0)
		return;
	ck_assert_msg(strcmp(address_text(&address, text), parsed[_i].meaning) == 0, "%s: %s",
		      parsed[_i].text, text);
	ck_assert_msg(address.any.sa_family == parsed[_i].family, "%s", parsed[_i].text);
	ck_assert_msg(address_port(&address) == 4711, "%s", parsed[_i].text);
}
END_TEST

START_TEST(leaves_the_address_alone_when_the_text_is_none)
{
	struct address address = address_of("192.0.2.1");

	ck_assert_int_eq(address_parse(&address, "192.0.2", 0), -1);
	ck_assert_int_eq(address_parse(&address, "::1%", 0), -1);
	ck_assert_int_eq(address.in4.sin_addr.s_addr, htonl(0xc0000201));
}
END_TEST

START_TEST(writes_the_longest_address)
{
	struct address address = address_of("fe80:1111:2222:3333:4444:5555:6666:7777%4294967295");
	char text[ADDRESS_TEXT_SIZE];

	ck_assert_str_eq(address_text(&address, text),
			 "fe80:1111:2222:3333:4444:5555:6666:7777%4294967295");
}
END_TEST

START_TEST(unwraps_mapped_addresses_of_the_kernel)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(99) };
	struct address address;
	char text[ADDRESS_TEXT_SIZE];

	inet_pton(AF_INET6, "::ffff:10.1.2.3", &in6.sin6_addr);
	address = address_from_sockaddr((struct sockaddr *)&in6, sizeof in6);
	ck_assert_int_eq(address.any.sa_family, AF_INET);
	ck_assert_uint_eq(address.length, sizeof(struct sockaddr_in));
	ck_assert_str_eq(address_text(&address, text), "10.1.2.3");
	ck_assert_uint_eq(address_port(&address), 99);
}
END_TEST

static const struct {
	sa_family_t family;
	socklen_t length;
	bool is_known;
} sockaddrs[] = {
	{ AF_INET, sizeof(struct sockaddr_in), true },
	{ AF_INET, sizeof(struct sockaddr_in6), true },
	{ AF_INET, sizeof(struct sockaddr_in) - 1, false },
	{ AF_INET, 0, false },
	{ AF_INET, 1, false },
	{ AF_INET6, sizeof(struct sockaddr_in6), true },
	{ AF_INET6, sizeof(struct sockaddr_in6) - 1, false },
	{ AF_INET6, sizeof(struct sockaddr_in), false },
	{ AF_UNIX, sizeof(struct sockaddr_in6), false },
	{ AF_UNSPEC, sizeof(struct sockaddr_in6), false },
};

START_TEST(knows_only_whole_internet_addresses)
{
	struct sockaddr_storage storage = { .ss_family = sockaddrs[_i].family };
	struct address address;
	char text[ADDRESS_TEXT_SIZE];

	address = address_from_sockaddr((struct sockaddr *)&storage, sockaddrs[_i].length);
	ck_assert_msg(address_is_known(&address) == sockaddrs[_i].is_known, "row %d", _i);
	if (sockaddrs[_i].is_known)
		return;
	ck_assert_msg(strcmp(address_text(&address, text), "<no address>") == 0, "row %d", _i);
	ck_assert_msg(address_port(&address) == 0, "row %d", _i);
	ck_assert_msg(prefix_of(&address, 12).family == AF_UNSPEC, "row %d", _i);
	ck_assert_msg(prefix_of(&address, 12).length == 0, "row %d", _i);
}
END_TEST

START_TEST(sets_the_port_of_either_family)
{
	struct address four = address_of("127.0.0.1");
	struct address six = address_of("::1");
	struct address none = { .length = 0 };

	address_set_port(&four, 65535);
	address_set_port(&six, 1);
	address_set_port(&none, 7);
	ck_assert_uint_eq(ntohs(four.in4.sin_port), 65535);
	ck_assert_uint_eq(ntohs(six.in6.sin6_port), 1);
	ck_assert_uint_eq(address_port(&none), 0);
}
END_TEST

static const struct {
	const char *one, *other;
	bool is_same;
} hosts[] = {
	{ "10.0.0.1", "10.0.0.1", true },
	{ "10.0.0.1", "10.0.0.2", false },
	{ "10.0.0.1", "::ffff:10.0.0.1", true },
	{ "10.0.0.1", "::10.0.0.1", false },
	{ "::1", "::1", true },
	{ "::1", "::2", false },
	{ "fe80::1%1", "fe80::1%1", true },
	{ "fe80::1%1", "fe80::1%2", false },
	{ "2001:db8::1%1", "2001:db8::1%2", true },
};

START_TEST(compares_hosts_without_their_ports)
{
	struct address one = address_of(hosts[_i].one);
	struct address other = address_of(hosts[_i].other);

	address_set_port(&other, 12);
	ck_assert_msg(address_same_host(&one, &other) == hosts[_i].is_same &&
			      address_same_host(&other, &one) == hosts[_i].is_same,
		      "%s %s", hosts[_i].one, hosts[_i].other);
}
END_TEST

START_TEST(an_unknown_address_is_nobodys)
{
	struct address unknown = { .length = 0 };
	struct address known = address_of("0.0.0.0");
	struct prefix everything = prefix_from("0.0.0.0/0");

	ck_assert(!address_same_host(&unknown, &unknown));
	ck_assert(!address_same_host(&unknown, &known));
	ck_assert(!prefix_holds(&everything, &unknown));
}
END_TEST

static const struct {
	const char *address;
	unsigned length;
	const char *prefix;
} prefixes[] = {
	{ "10.255.255.255", 8, "10.0.0.0/8" },
	{ "10.255.255.255", 0, "0.0.0.0/0" },
	{ "10.255.255.255", 9, "10.128.0.0/9" },
	{ "10.255.255.255", 31, "10.255.255.254/31" },
	{ "10.255.255.255", 32, "10.255.255.255/32" },
	{ "10.255.255.255", 33, "10.255.255.255/32" },
	{ "10.255.255.255", 5000, "10.255.255.255/32" },
	{ "ffff:ffff::ffff", 0, "::/0" },
	{ "ffff:ffff::ffff", 17, "ffff:8000::/17" },
	{ "ffff:ffff::ffff", 64, "ffff:ffff::/64" },
	{ "ffff:ffff::ffff", 127, "ffff:ffff::fffe/127" },
	{ "ffff:ffff::ffff", 128, "ffff:ffff::ffff/128" },
	{ "ffff:ffff::ffff", 256, "ffff:ffff::ffff/128" },
	{ "::ffff:10.1.2.3", 24, "10.1.2.0/24" },
};

START_TEST(cuts_prefixes)
{
	struct address address = address_of(prefixes[_i].address);
	struct prefix prefix = prefix_of(&address, prefixes[_i].length);
	char text[ADDRESS_TEXT_SIZE];

	ck_assert_msg(strcmp(prefix_text(&prefix, text), prefixes[_i].prefix) == 0, "%s/%u: %s",
		      prefixes[_i].address, prefixes[_i].length, text);
	ck_assert_msg(prefix_holds(&prefix, &address), "%s/%u", prefixes[_i].address,
		      prefixes[_i].length);
}
END_TEST

START_TEST(trims_what_stands_after_a_prefix)
{
	struct prefix prefix = { .family = AF_INET, .length = 40 };
	struct prefix expected = { .family = AF_INET,
				   .length = 32,
				   .bytes = { 0xff, 0xff, 0xff, 0xff } };

	memset(prefix.bytes, 0xff, sizeof prefix.bytes);
	prefix_trim(&prefix);
	ck_assert(prefix_equal(&prefix, &expected));
	prefix.family = AF_UNSPEC;
	prefix_trim(&prefix);
	ck_assert(prefix_equal(&prefix, &(struct prefix){ .family = AF_UNSPEC }));
}
END_TEST

START_TEST(the_prefix_of_nothing_has_a_text)
{
	struct prefix prefix = { .family = AF_UNSPEC };
	char text[ADDRESS_TEXT_SIZE];

	ck_assert_str_eq(prefix_text(&prefix, text), "<no address>");
}
END_TEST

static const struct {
	const char *prefix, *address;
	bool holds;
} held[] = {
	{ "10.0.0.0/8", "10.0.0.0", true },
	{ "10.0.0.0/8", "10.255.255.255", true },
	{ "10.0.0.0/8", "11.0.0.0", false },
	{ "10.0.0.0/8", "9.255.255.255", false },
	{ "10.0.0.0/8", "::ffff:10.1.1.1", true },
	{ "10.0.0.0/8", "a00::", false },
	{ "0.0.0.0/0", "255.1.2.3", true },
	{ "0.0.0.0/0", "::", false },
	{ "192.0.2.128/25", "192.0.2.128", true },
	{ "192.0.2.128/25", "192.0.2.127", false },
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.0", false },
	{ "::/0", "ffff::1", true },
	{ "::/0", "1.2.3.4", false },
	{ "2001:db8::/33", "2001:db8:7fff::1", true },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "2001:db8::1", "2001:db8::1", true },
	{ "2001:db8::1", "2001:db8::", false },
	{ "fe80::/10", "fe80::1%lo", true },
};

START_TEST(a_prefix_holds_its_addresses)
{
	struct prefix prefix = prefix_from(held[_i].prefix);
	struct address address = address_of(held[_i].address);

	ck_assert_msg(prefix_holds(&prefix, &address) == held[_i].holds, "%s %s", held[_i].prefix,
		      held[_i].address);
}
END_TEST

static const struct {
	const char *outer, *inner;
	bool covers;
} covered[] = {
	{ "10.0.0.0/8", "10.0.0.0/8", true },
	{ "10.0.0.0/8", "10.1.0.0/16", true },
	{ "10.1.0.0/16", "10.0.0.0/8", false },
	{ "10.0.0.0/8", "11.0.0.0/16", false },
	{ "0.0.0.0/0", "255.255.255.255", true },
	{ "0.0.0.0/0", "::/0", false },
	{ "::/0", "::1", true },
	{ "::1", "::/0", false },
	{ "2001:db8::/32", "2001:db8:1::/48", true },
	{ "2001:db8::/32", "2001:db9::/48", false },
};

START_TEST(a_prefix_covers_what_lies_in_it)
{
	struct prefix outer = prefix_from(covered[_i].outer);
	struct prefix inner = prefix_from(covered[_i].inner);

	ck_assert_msg(prefix_covers(&outer, &inner) == covered[_i].covers, "%s %s",
		      covered[_i].outer, covered[_i].inner);
}
END_TEST

START_TEST(prefixes_are_equal_in_all_or_not)
{
	struct prefix prefix = prefix_from("10.0.0.0/8");
	struct prefix same = prefix_from("10.9.9.9/8");
	struct prefix longer = prefix_from("10.0.0.0/9");
	struct prefix other = prefix_from("11.0.0.0/8");
	struct prefix other_family = prefix_from("a00::/8");

	ck_assert(prefix_equal(&prefix, &same));
	ck_assert(!prefix_equal(&prefix, &longer));
	ck_assert(!prefix_equal(&prefix, &other));
	ck_assert(!prefix_equal(&prefix, &other_family));
}
END_TEST

Suite *address_suite(void);

Suite *address_suite(void)
{
	Suite *suite = suite_create("address");
	TCase *addresses = tcase_create("addresses");
	TCase *cut = tcase_create("prefixes");

	tcase_add_loop_test(addresses, reads_numeric_addresses, 0, ROWS(parsed));
	tcase_add_test(addresses, leaves_the_address_alone_when_the_text_is_none);
	tcase_add_test(addresses, writes_the_longest_address);
	tcase_add_test(addresses, unwraps_mapped_addresses_of_the_kernel);
	tcase_add_loop_test(addresses, knows_only_whole_internet_addresses, 0, ROWS(sockaddrs));
	tcase_add_test(addresses, sets_the_port_of_either_family);
	tcase_add_loop_test(addresses, compares_hosts_without_their_ports, 0, ROWS(hosts));
	tcase_add_test(addresses, an_unknown_address_is_nobodys);
	tcase_add_loop_test(cut, cuts_prefixes, 0, ROWS(prefixes));
	tcase_add_test(cut, trims_what_stands_after_a_prefix);
	tcase_add_test(cut, the_prefix_of_nothing_has_a_text);
	tcase_add_loop_test(cut, a_prefix_holds_its_addresses, 0, ROWS(held));
	tcase_add_loop_test(cut, a_prefix_covers_what_lies_in_it, 0, ROWS(covered));
	tcase_add_test(cut, prefixes_are_equal_in_all_or_not);
	suite_add_tcase(suite, addresses);
	suite_add_tcase(suite, cut);
	return suite;
}
