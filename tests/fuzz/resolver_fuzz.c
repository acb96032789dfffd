/* Answers of a hostile name server through the C library: any names for an address, any
 * addresses for a name, any error, any number. Each lookup must keep the contracts of
 * base/resolver.h and admission/host_names.h.
 *
 * getaddrinfo(3) and gethostbyaddr_r(3) are replaced here and take their answers from
 * the input, one after the other. */
#include "admission/host_names.h"
#include "base/loop.h"
#include "base/resolver.h"

#include "fuzz.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <strings.h>

enum { ANSWERS_MAX = 64, NAMES_MAX = 16, NAME_MAX = 300 };

/* A name that was looked up, and the answers. */
struct said {
	char name[NAME_MAX];
	int family;
	struct address addresses[ANSWERS_MAX];
	size_t count;
};

static struct input server; /* its next answers; used by a worker while a lookup runs */
static struct said said[NAMES_MAX];
static size_t said_count;
static atomic_int lists; /* not freed yet */
static struct address asked_about;
static const struct turn_owner owner = { .service = 1, .lengths = { 32, 64 } };

/* --- in place of the C library's ----------------------------------------------------- */

struct list {
	struct addrinfo info[ANSWERS_MAX];
	struct sockaddr_in6 addresses[ANSWERS_MAX];
};

static struct list *own_list; /* at most one at a time */

/* An address of either family. Every other time it is the address that was looked up;
 * otherwise no name would ever be confirmed. */
static void say_address(struct addrinfo *info, struct sockaddr_in6 *address)
{
	uint8_t how = input_byte(&server);
	struct sockaddr_in *in4 = (struct sockaddr_in *)address;

	info->ai_addr = (struct sockaddr *)address;
	if (how & 1) {
		memcpy(address, &asked_about.any, asked_about.length);
		info->ai_addrlen = asked_about.length;
	} else if (how & 2) {
		in4->sin_family = AF_INET;
		in4->sin_addr.s_addr = input_byte(&server) * 0x01010101U;
		info->ai_addrlen = sizeof *in4;
	} else {
		address->sin6_family = AF_INET6;
		address->sin6_scope_id = how >> 4;
		for (int i = 0; i < 16; i++)
			address->sin6_addr.s6_addr[i] = i % 4 ? 0 : input_byte(&server);
		if (how & 8) /* a mapped one, ::ffff:a.0.0.0 */
			memcpy(&address->sin6_addr, (uint8_t[12]){ [10] = 255, [11] = 255 }, 12);
		info->ai_addrlen = sizeof *address;
	}
	info->ai_family = info->ai_addr->sa_family;
}

static void note_said(const char *name, int family, const struct list *list, size_t count)
{
	struct said *one = &said[said_count];

	if (said_count == NAMES_MAX)
		return;
	said_count++;
	*one = (struct said){ .family = family, .count = count };
	strncpy(one->name, name, sizeof one->name - 1);
	for (size_t i = 0; i < count; i++)
		one->addresses[i] =
			address_from_sockaddr(list->info[i].ai_addr, list->info[i].ai_addrlen);
}

/* Numeric names do not go to a name server. */
static int ask_library(const char *name, const char *service, const struct addrinfo *hints,
		       struct addrinfo **found)
{
	int (*ask)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	*(void **)&ask = dlsym(RTLD_NEXT, "getaddrinfo");
	return ask(name, service, hints, found);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
		struct addrinfo **found)
{
	uint8_t how;
	size_t count;

	if (hints && (hints->ai_flags & AI_NUMERICHOST))
		return ask_library(name, service, hints, found);
	how = input_byte(&server);
	count = how % (ANSWERS_MAX + 1);
	require(!service && hints && own_list == NULL);
	errno = how;
	if (how > 250)
		return how == 255 ? EAI_SYSTEM : (int)how - 255; /* EAI_BADFLAGS and so on */
	own_list = calloc(1, sizeof *own_list);
	require(own_list != NULL);
	for (size_t i = 0; i < count; i++) {
		say_address(&own_list->info[i], &own_list->addresses[i]);
		own_list->info[i].ai_next = i + 1 < count ? &own_list->info[i + 1] : NULL;
	}
	note_said(name, hints->ai_family, own_list, count);
	*found = count > 0 ? own_list->info : NULL;
	if (count == 0) {
		free(own_list);
		own_list = NULL;
	}
	lists += count > 0;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	void (*free_library)(struct addrinfo *);

	if (own_list && list == own_list->info) {
		free(own_list);
		own_list = NULL;
		lists--;
		return;
	}
	*(void **)&free_library = dlsym(RTLD_NEXT, "freeaddrinfo");
	if (list)
		free_library(list);
}

/* Puts the next name into the reply; NULL: there is no room for it. */
static char *say_name(char **reply, size_t *size)
{
	struct input name = input_piece(&server, input_byte(&server));
	char *start = *reply;

	if (name.length + 1 > *size)
		return NULL;
	if (name.length > 0)
		memcpy(start, name.bytes, name.length);
	start[name.length] = '\0';
	*reply += name.length + 1;
	*size -= name.length + 1;
	return start;
}

int gethostbyaddr_r(const void *address, socklen_t length, int type, struct hostent *names,
		    char *reply, size_t size, struct hostent **found, int *error)
{
	static char *aliases[NAMES_MAX + 1];
	uint8_t how = input_byte(&server);
	size_t count = how % (NAMES_MAX + 1);

	(void)address, (void)length;
	*error = HOST_NOT_FOUND;
	*found = NULL;
	if (how > 240)
		return how & 1 ? ERANGE : how & 2 ? EAGAIN : 0;
	*names = (struct hostent){ .h_addrtype = type, .h_aliases = aliases };
	names->h_name = say_name(&reply, &size);
	for (size_t i = 0; i < count; i++)
		aliases[i] = say_name(&reply, &size);
	aliases[count] = NULL;
	if (!names->h_name)
		return ERANGE;
	*found = names;
	return 0;
}

/* --- results of lookups ------------------------------------------------------------- */

struct told {
	unsigned calls;
	size_t count;
	char names[LOOKUP_NAMES_MAX][NAME_MAX];
};

static bool is_confirmed(const char *name)
{
	for (size_t i = 0; i < said_count; i++)
		for (size_t j = 0; strcasecmp(said[i].name, name) == 0 && j < said[i].count; j++)
			if (address_same_host(&said[i].addresses[j], &asked_about))
				return true;
	return false;
}

static void check_name(const struct told *told, const char *name)
{
	struct address address;

	require(*name && strlen(name) < NAME_MAX && is_printable(name, strlen(name)));
	require(!strchr(name, ' ') && address_parse(&address, name, 0) < 0);
	require(is_confirmed(name));
	for (size_t i = 0; i < told->count; i++)
		require(strcasecmp(told->names[i], name) != 0);
}

static void take_names(void *context, const char *const *names)
{
	struct told *told = context;

	told->calls++;
	told->count = 0;
	for (; *names; names++) {
		require(told->count < LOOKUP_NAMES_MAX);
		check_name(told, *names);
		strcpy(told->names[told->count++], *names);
	}
}

static void take_addresses(void *context, const struct address *addresses, size_t count,
			   const char *reason)
{
	struct told *told = context;

	told->calls++;
	require((count == 0) == (reason != NULL) && count <= LOOKUP_ADDRESSES_MAX);
	require(!reason || *reason);
	for (size_t i = 0; i < count; i++) {
		require(address_is_known(&addresses[i]) && address_port(&addresses[i]) == 0);
		require(said[0].family == AF_UNSPEC ||
			addresses[i].any.sa_family == said[0].family);
		for (size_t j = 0; j < i; j++)
			require(!address_same_host(&addresses[i], &addresses[j]));
	}
}

/* Waits for the names also after the query was cancelled: they are remembered. */
static void check_names(bool is_dropped)
{
	struct told first = { .calls = 0 }, second = { .calls = 0 };
	struct name_query *query = host_names_find(&owner, &asked_about, take_names, &first);

	require((query == NULL) == (first.calls == 1));
	if (query && is_dropped)
		host_names_cancel(query);
	while (query && !is_dropped && first.calls == 0)
		loop_turn(-1);
	while ((query = host_names_find(&owner, &asked_about, take_names, &second))) {
		require(second.calls == 0 && is_dropped);
		host_names_cancel(query);
		loop_turn(-1);
	}
	require(second.calls == 1 && first.calls == !is_dropped);
	require(is_dropped || second.count == first.count);
	host_names_forget();
}

static void check_addresses(const char *host, int family)
{
	struct told told = { .calls = 0 };

	require(lookup_addresses(host, family, take_addresses, &told) && told.calls == 0);
	while (told.calls == 0)
		loop_turn(-1);
	require(told.calls == 1);
}

/* The next address to look up; every link has its own fe80::1. */
static void choose_address(uint8_t which)
{
	static const char *const texts[] = { "192.0.2.1", "2001:db8::1", "fe80::1%1", "127.0.0.1" };

	require(address_parse(&asked_about, texts[which % 4], 0) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const int families[] = { AF_UNSPEC, AF_INET, AF_INET6, AF_UNSPEC };
	static bool is_ready;
	uint8_t what;

	if (!is_ready)
		require(loop_init() == 0);
	is_ready = true;
	server = (struct input){ bytes, length };
	said_count = 0;
	what = input_byte(&server);
	choose_address(what);
	if (what & 4)
		check_addresses("hostile.example", families[what >> 4 & 3]);
	else
		check_names(what & 8);
	require(lists == 0);
	return 0;
}
