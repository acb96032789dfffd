#include "config/networks.h"

#include "base/hash.h"
#include "base/lower_case.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

struct network {
	UT_hash_handle hh;
	bool is_in4;
	uint32_t number;
	char name[]; /* in lower case */
};

static struct network *networks;
static bool are_read;

static struct network *find(const char *name)
{
	char *key = strdup(name);
	struct network *network = NULL;

	if (!key)
		return NULL;
	lower_case(key);
	HASH_FIND_STR(networks, key, network);
	free(key);
	return network;
}

/* Of two with one name the first counts. */
static void add(const char *name, const struct netent *entry)
{
	size_t size = strlen(name) + 1;
	struct network *network = find(name) ? NULL : calloc(1, sizeof *network + size);

	if (!network)
		return;
	network->is_in4 = entry->n_addrtype == AF_INET;
	network->number = entry->n_net;
	memcpy(network->name, name, size);
	lower_case(network->name);
	HASH_ADD_KEYPTR(hh, networks, network->name, size - 1, network);
	if (!network->hh.tbl)
		free(network);
}

/* getnetbyname(3) may ask a name server, which root must not; a list has only files. */
static void read_all(void)
{
	const struct netent *entry;

	are_read = true;
	setnetent(0);
	while ((entry = getnetent())) {
		add(entry->n_name, entry);
		for (char *const *alias = entry->n_aliases; *alias; alias++)
			add(*alias, entry);
	}
	endnetent();
}

void networks_forget(void)
{
	struct network *each, *next;

	HASH_ITER(hh, networks, each, next) {
		HASH_DEL(networks, each);
		free(each);
	}
	are_read = false;
}

bool network_named(const char *name, struct prefix *prefix)
{
	const struct network *network;
	uint32_t number;

	if (!are_read)
		read_all();
	network = find(name);
	if (!network || !network->is_in4)
		return false;
	number = network->number;
	/* networks(5): trailing zero octets may be left out, 127 is 127.0.0.0. */
	for (; number && !(number & 0xff000000);)
		number <<= 8;
	*prefix = (struct prefix){ .family = AF_INET };
	for (int i = 0; i < 4; i++) {
		prefix->bytes[i] = (unsigned char)(number >> (24 - 8 * i));
		if (prefix->bytes[i])
			prefix->length = (uint8_t)(8 * (i + 1));
	}
	return true;
}
