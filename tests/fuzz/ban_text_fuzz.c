/* Reads a ban file, writes the bans again, and reads that: they must be the same. */
#include "monitor/ban_text.h"

#include "fuzz.h"

#include <stdio.h>

enum { NOW = 1000000, BANS_MAX = 1000 };

struct ban {
	struct address address;
	uint64_t left;
};

static struct ban bans[BANS_MAX], again[BANS_MAX], *target;
static size_t count;

static void take(const struct address *address, uint64_t left)
{
	require(left > 0 && address_is_known(address) && address_port(address) == 0);
	if (count < BANS_MAX)
		target[count++] = (struct ban){ *address, left };
}

static void pass_over(int line)
{
	require(line > 1);
}

static void refuse(int line)
{
	(void)line;
	abort();
}

static size_t read_into(struct ban *list, const char *text, size_t length, void (*wrong)(int line))
{
	const struct ban_text_events events = { .ban = take, .wrong = wrong };

	target = list;
	count = 0;
	if (!ban_text_read(text, length, NOW, &events))
		require(count == 0);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	size_t found = read_into(bans, (const char *)bytes, length, pass_over), size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	require(out != NULL);
	ban_text_begin(out, NOW);
	for (size_t i = 0; i < found; i++)
		ban_text_add(out, &bans[i].address, bans[i].left, NOW);
	fclose(out);
	require(read_into(again, text, size, refuse) == found);
	for (size_t i = 0; i < found; i++)
		require(address_same_host(&bans[i].address, &again[i].address) &&
			bans[i].left == again[i].left);
	free(text);
	return 0;
}
