#include "admission/packet_filter.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A rule and its decision. */
struct judgement {
	const struct prefix *prefix;
	int returns;
};

struct program {
	struct sock_filter *instructions;
	size_t count, most; /* count > most: the program does not fit */
};

enum {
	VERSION_OFFSET = SKF_NET_OFF,  /* the upper half of the first byte */
	IN4_SOURCE = SKF_NET_OFF + 12, /* RFC 791, 3.1 */
	IN6_SOURCE = SKF_NET_OFF + 8,  /* RFC 8200, 3 */
};

bool packet_filter_can_keep(const struct access_list *only_from,
			    const struct access_list *no_access)
{
	return !access_list_wants_names(only_from) && !access_list_wants_names(no_access);
}

static void add(struct program *program, uint16_t code, uint8_t if_true, uint8_t if_false,
		uint32_t value)
{
	if (program->count < program->most)
		program->instructions[program->count] =
			(struct sock_filter){ code, if_true, if_false, value };
	program->count++;
}

/* The most specific first; between equals the refusing one, as a tie denies. */
static int compare_judgements(const void *one, const void *other)
{
	const struct judgement *a = one, *b = other;

	if (a->prefix->length != b->prefix->length)
		return b->prefix->length - a->prefix->length;
	return a->returns - b->returns;
}

static size_t collect(struct judgement *judgements, size_t count, const struct access_list *list,
		      int returns)
{
	for (size_t i = 0; i < list->count; i++)
		judgements[count++] = (struct judgement){ &list->rules[i].prefix, returns };
	return count;
}

static uint32_t word_of(const struct prefix *prefix, int word)
{
	const unsigned char *bytes = prefix->bytes + 4 * word;

	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static uint32_t mask_of(const struct prefix *prefix, int word)
{
	int bits = prefix->length - 32 * word;

	return bits <= 0 ? 0 : bits >= 32 ? UINT32_MAX : ~(UINT32_MAX >> bits);
}

/* Three instructions compare one word; a return follows the last comparison. */
static void add_judgement(struct program *program, const struct judgement *judgement,
			  uint32_t source)
{
	int words = (judgement->prefix->length + 31) / 32;

	for (int word = 0; word < words; word++) {
		uint8_t to_next_rule = (uint8_t)(3 * (words - word - 1) + 1);

		add(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, source + 4 * (uint32_t)word);
		add(program, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask_of(judgement->prefix, word));
		add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, to_next_rule,
		    word_of(judgement->prefix, word));
	}
	add(program, BPF_RET | BPF_K, 0, 0, (uint32_t)judgement->returns);
}

static void add_family(struct program *program, const struct judgement *judgements, size_t count,
		       sa_family_t family, uint32_t otherwise)
{
	uint32_t source = (uint32_t)(family == AF_INET ? IN4_SOURCE : IN6_SOURCE);

	for (size_t i = 0; i < count; i++)
		if (judgements[i].prefix->family == family)
			add_judgement(program, &judgements[i], source);
	add(program, BPF_RET | BPF_K, 0, 0, otherwise);
}

size_t packet_filter_build(const struct access_list *only_from, const struct access_list *no_access,
			   struct sock_filter *instructions, size_t most)
{
	struct program program = { .instructions = instructions, .most = most };
	size_t jump, count = only_from->count + no_access->count;
	struct judgement *judgements = calloc(count + 1, sizeof *judgements);
	uint32_t otherwise = only_from->is_set ? FILTER_REFUSES : FILTER_ADMITS;

	if (!judgements || !packet_filter_can_keep(only_from, no_access)) {
		free(judgements);
		return 0;
	}
	count = collect(judgements, 0, only_from, FILTER_ADMITS);
	count = collect(judgements, count, no_access, FILTER_REFUSES);
	qsort(judgements, count, sizeof *judgements, compare_judgements);
	add(&program, BPF_LD | BPF_B | BPF_ABS, 0, 0, (uint32_t)VERSION_OFFSET);
	add(&program, BPF_ALU | BPF_RSH | BPF_K, 0, 0, 4);
	add(&program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 4);
	jump = program.count;
	add(&program, BPF_JMP | BPF_JA, 0, 0, 0); /* to the IPv6 rules; the offset is set later */
	add_family(&program, judgements, count, AF_INET, otherwise);
	if (jump < most)
		instructions[jump].k = (uint32_t)(program.count - jump - 1);
	add_family(&program, judgements, count, AF_INET6, otherwise);
	free(judgements);
	return program.count <= most ? program.count : 0;
}
