/* Interprets the filter. For every address it must decide like access_decide. */
#include "admission/packet_filter.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A network header with that source address; SKF_NET_OFF refers to it. */
struct packet {
	unsigned char bytes[40];
};

static struct packet packet_from(const struct address *address)
{
	struct packet packet = { { 0 } };

	if (address->any.sa_family == AF_INET) {
		packet.bytes[0] = 0x45;
		memcpy(packet.bytes + 12, &address->in4.sin_addr, 4);
	} else {
		packet.bytes[0] = 0x60;
		memcpy(packet.bytes + 8, &address->in6.sin6_addr, 16);
	}
	return packet;
}

static uint32_t load(const struct packet *packet, uint32_t where, size_t size)
{
	int32_t offset = (int32_t)where - SKF_NET_OFF;
	uint32_t value = 0;

	ck_assert_int_ge(offset, 0);
	ck_assert_uint_le((size_t)offset + size, sizeof packet->bytes);
	for (size_t i = 0; i < size; i++)
		value = value << 8 | packet->bytes[(size_t)offset + i];
	return value;
}

/* Interprets the few instructions that the filter uses, bpf(4). */
static uint32_t run(const struct sock_filter *program, size_t length, const struct packet *packet)
{
	uint32_t accumulator = 0;

	for (size_t pc = 0; pc < length; pc++) {
		const struct sock_filter *instruction = &program[pc];

		switch (instruction->code) {
		case BPF_LD | BPF_B | BPF_ABS:
			accumulator = load(packet, instruction->k, 1);
			break;
		case BPF_LD | BPF_W | BPF_ABS:
			accumulator = load(packet, instruction->k, 4);
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			accumulator >>= instruction->k;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			accumulator &= instruction->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += accumulator == instruction->k ? instruction->jt : instruction->jf;
			break;
		case BPF_JMP | BPF_JA:
			pc += instruction->k;
			break;
		case BPF_RET | BPF_K:
			return instruction->k;
		default:
			ck_abort_msg("instruction %zu has the unknown code %u", pc,
				     instruction->code);
		}
	}
	ck_abort_msg("the program ran off its end");
}

static void add_words(struct access_list *list, const char *words)
{
	char copy[512], *rest = copy;
	const char *word;

	strcpy(copy, words);
	while ((word = strsep(&rest, " ")))
		if (*word)
			ck_assert_int_eq(access_list_add(list, word, NULL, 0, NULL), WORD_ADDED);
}

static const char *const addresses[] = {
	"127.0.0.1",
	"127.0.0.5",
	"127.0.1.1",
	"10.1.2.3",
	"10.1.255.255",
	"10.2.0.0",
	"192.168.7.7",
	"255.255.255.255",
	"0.0.0.0",
	"::1",
	"::2",
	"fe80::1",
	"2001:db8::1",
	"2001:db8:0:1::1",
	"2001:db8:ffff::",
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
};

static const struct {
	const char *only_from, *no_access; /* NULL: not set */
} lists[] = {
	{ NULL, NULL },
	{ NULL, "127.0.0.5" },
	{ "127.0.0.5", NULL },
	{ "", NULL },
	{ "127.0.0.0/8 10.1.0.0", "127.0.0.5 10.1.2.3" },
	{ "127.0.0.1", "127.0.0.0/8" },
	{ "127.0.0.1", "127.0.0.1" },
	{ "0.0.0.0", NULL },
	{ "0.0.0.0/0 ::/0", "2001:db8::/32" },
	{ "2001:db8::/33 ::1", "2001:db8::1 2001:db8::/64" },
	{ "2001:db8:0:1::1/128", NULL },
	{ "10.1.2.{3,4} 192.168.0.0/17", "::ffff:10.1.2.3" },
	{ "fe80::/10", "::/1" },
	{ "255.255.255.255 0.0.0.0/1", "128.0.0.0/1" },
};

START_TEST(filter_decides_as_the_lists_do)
{
	struct access_list only_from = { .count = 0 }, no_access = { .count = 0 };
	static const char *const no_names[] = { NULL };
	struct sock_filter program[BPF_MAXINSNS];
	size_t length;

	if (lists[_i].only_from)
		add_words(&only_from, lists[_i].only_from);
	only_from.is_set = lists[_i].only_from != NULL;
	if (lists[_i].no_access)
		add_words(&no_access, lists[_i].no_access);
	length = packet_filter_build(&only_from, &no_access, program, BPF_MAXINSNS);
	ck_assert_uint_gt(length, 0);
	for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
		struct address address;
		struct packet packet;
		uint32_t wanted;

		ck_assert_int_eq(address_parse(&address, addresses[i], 0), 0);
		packet = packet_from(&address);
		wanted = access_decide(&only_from, &no_access, &address, no_names).decision ==
					 ACCESS_ALLOWED
				 ? FILTER_ADMITS
				 : FILTER_REFUSES;
		ck_assert_msg(run(program, length, &packet) == wanted, "row %d, %s", _i,
			      addresses[i]);
	}
	access_list_clear(&only_from);
	access_list_clear(&no_access);
}
END_TEST

START_TEST(filter_has_no_place_for_names)
{
	struct access_list only_from = { .count = 0 }, no_access = { .count = 0 };
	struct sock_filter program[64];

	add_words(&only_from, "peer.example.org");
	ck_assert(!packet_filter_can_keep(&only_from, &no_access));
	ck_assert_uint_eq(packet_filter_build(&only_from, &no_access, program, 64), 0);
	access_list_clear(&only_from);
}
END_TEST

START_TEST(filter_that_is_too_long_is_none)
{
	struct access_list only_from = { .count = 0 }, no_access = { .count = 0 };
	struct sock_filter program[16];

	add_words(&only_from, "10.0.0.1 10.0.0.2");
	ck_assert_uint_eq(packet_filter_build(&only_from, &no_access, program, 8), 0);
	ck_assert_uint_eq(packet_filter_build(&only_from, &no_access, program, 16), 14);
	access_list_clear(&only_from);
}
END_TEST

Suite *packet_filter_suite(void)
{
	Suite *suite = suite_create("packet_filter");
	TCase *tcase = tcase_create("packet_filter");

	tcase_add_loop_test(tcase, filter_decides_as_the_lists_do, 0,
			    sizeof lists / sizeof lists[0]);
	tcase_add_test(tcase, filter_has_no_place_for_names);
	tcase_add_test(tcase, filter_that_is_too_long_is_none);
	suite_add_tcase(suite, tcase);
	return suite;
}
