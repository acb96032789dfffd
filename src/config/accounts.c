/* Looked-up names of users, groups and protocols, kept for one load. */
#include "config/reading.h"

#include "base/hash.h"

#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum name_kind { NAME_USER = 'u', NAME_USER_ID = 'i', NAME_GROUP = 'g', NAME_PROTOCOL = 'p' };

struct looked_up {
	UT_hash_handle hh;
	bool found;
	long first, second; /* uid and gid, gid, or protocol number */
	char *name;         /* the user's */
	char key[];         /* kind, then the name or number */
};

struct accounts {
	struct looked_up *names;
};

static void looked_up_free(struct looked_up *entry)
{
	free(entry->name);
	free(entry);
}

struct accounts *accounts_new(void)
{
	return calloc(1, sizeof(struct accounts));
}

void accounts_free(struct accounts *accounts)
{
	struct looked_up *each, *next;

	if (!accounts)
		return;
	HASH_ITER(hh, accounts->names, each, next) {
		HASH_DEL(accounts->names, each);
		looked_up_free(each);
	}
	free(accounts);
}

static void take_user(struct looked_up *entry, const struct passwd *user)
{
	if (!user || !(entry->name = strdup(user->pw_name)))
		return;
	entry->found = true;
	entry->first = user->pw_uid;
	entry->second = user->pw_gid;
}

static void look_up_group(struct looked_up *entry)
{
	const struct group *group = getgrnam(entry->key + 1);

	if ((entry->found = group != NULL))
		entry->first = group->gr_gid;
}

/* The number of a protocol that is known without /etc/protocols, which small systems do
 * not have; -1: none. */
static int known_protocol(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} known[] = {
		{ "tcp", IPPROTO_TCP },         { "udp", IPPROTO_UDP },
		{ "icmp", IPPROTO_ICMP },       { "igmp", IPPROTO_IGMP },
		{ "sctp", IPPROTO_SCTP },       { "dccp", IPPROTO_DCCP },
		{ "udplite", IPPROTO_UDPLITE }, { "ipv6-icmp", IPPROTO_ICMPV6 },
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcasecmp(known[i].name, name) == 0)
			return known[i].number;
	return -1;
}

static void look_up_protocol(struct looked_up *entry)
{
	const struct protoent *protocol = getprotobyname(entry->key + 1);

	entry->first = protocol ? protocol->p_proto : known_protocol(entry->key + 1);
	entry->found = entry->first >= 0;
}

static void look_up(struct looked_up *entry)
{
	switch (entry->key[0]) {
	case NAME_USER:
		take_user(entry, getpwnam(entry->key + 1));
		break;
	case NAME_USER_ID:
		take_user(entry, getpwuid((uid_t)strtoul(entry->key + 1, NULL, 10)));
		break;
	case NAME_GROUP:
		look_up_group(entry);
		break;
	case NAME_PROTOCOL:
		look_up_protocol(entry);
		break;
	}
}

static struct looked_up *looked_up_new(enum name_kind kind, const char *name)
{
	size_t length = strlen(name);
	struct looked_up *entry = calloc(1, sizeof *entry + length + 2);

	if (entry) {
		entry->key[0] = (char)kind;
		memcpy(entry->key + 1, name, length + 1);
	}
	return entry;
}

/* The result for name, looked up the first time; NULL when memory runs out. */
static const struct looked_up *account_find(struct accounts *accounts, enum name_kind kind,
					    const char *name)
{
	struct looked_up *entry = looked_up_new(kind, name), *known;

	if (!entry)
		return NULL;
	HASH_FIND_STR(accounts->names, entry->key, known);
	if (known) {
		free(entry);
		return known;
	}
	look_up(entry);
	HASH_ADD_KEYPTR(hh, accounts->names, entry->key, strlen(entry->key), entry);
	if (entry->hh.tbl)
		return entry;
	looked_up_free(entry);
	return NULL;
}

static bool give_user(const struct looked_up *found, struct account *account)
{
	if (!found || !found->found)
		return false;
	*account = (struct account){ (uid_t)found->first, (gid_t)found->second, found->name };
	return true;
}

bool account_user(struct accounts *accounts, const char *name, struct account *account)
{
	return give_user(account_find(accounts, NAME_USER, name), account);
}

bool account_user_id(struct accounts *accounts, uid_t uid, struct account *account)
{
	char number[16];

	snprintf(number, sizeof number, "%lu", (unsigned long)uid);
	return give_user(account_find(accounts, NAME_USER_ID, number), account);
}

bool account_group(struct accounts *accounts, const char *name, gid_t *gid)
{
	const struct looked_up *found = account_find(accounts, NAME_GROUP, name);

	if (!found || !found->found)
		return false;
	*gid = (gid_t)found->first;
	return true;
}

bool account_protocol(struct accounts *accounts, const char *name, int *number)
{
	const struct looked_up *found = account_find(accounts, NAME_PROTOCOL, name);

	if (!found || !found->found)
		return false;
	*number = (int)found->first;
	return true;
}
