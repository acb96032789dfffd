/* Each socket belongs to one service: the use of protocols, ports and addresses. */
#include "config/check.h"

#include "base/hash.h"
#include "base/lower_case.h"
#include "config/attributes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a service listens because of one word of its bind, or without bind. */
struct reach {
	unsigned families; /* FLAG_IPV4, FLAG_IPV6 */
	bool is_any;       /* every address of these families */
	size_t length;
	char bytes[256]; /* of the address, or the name */
};

/* A service that has a socket. */
struct claim {
	struct claim *next;
	const struct service_settings *service;
	unsigned families;
};

/* The claims under one key. */
struct claims {
	UT_hash_handle hh;
	struct claim *first;
	char key[];
};

/* What claims are found by. */
struct key {
	size_t length;
	char bytes[2 * sizeof(int) + sizeof((struct reach *)NULL)->bytes];
};

static void reach_of_name(struct reach *reach, const char *name)
{
	snprintf(reach->bytes, sizeof reach->bytes, "%s", name);
	lower_case(reach->bytes);
	reach->length = strlen(reach->bytes);
}

static bool is_wildcard(const struct address *address)
{
	return address->any.sa_family == AF_INET ? address->in4.sin_addr.s_addr == htonl(INADDR_ANY)
						 : IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr);
}

static void reach_of_address(struct reach *reach, const struct address *given)
{
	struct address address = address_from_sockaddr(&given->any, given->length);

	address_set_port(&address, 0);
	reach->is_any = is_wildcard(&address);
	reach->length = address.length;
	memcpy(reach->bytes, &address.any, address.length);
}

static struct reach reach_of(const struct service_settings *service, size_t index)
{
	struct reach reach = { .families = service_families(service, index) };
	struct address address;

	if (service->bind.count == 0)
		reach.is_any = true;
	else if (address_parse(&address, service->bind.list[index], 0) == 0)
		reach_of_address(&reach, &address);
	else
		reach_of_name(&reach, service->bind.list[index]);
	return reach;
}

static size_t reaches_count(const struct service_settings *service)
{
	return service->bind.count > 0 ? service->bind.count : 1;
}

static const struct reach every_address = { .length = 1, .bytes = "*" };
static const struct reach all_of_them = { .length = 0 };

/* A service's protocol and port, and an address, every_address, or all_of_them. */
static struct key key_of(const struct service_settings *service, const struct reach *reach)
{
	int numbers[] = { service->protocol_number, service->port };
	struct key key;

	key.length = sizeof numbers + reach->length;
	memcpy(key.bytes, numbers, sizeof numbers);
	memcpy(key.bytes + sizeof numbers, reach->bytes, reach->length);
	return key;
}

static struct claims *claims_find(struct claims *all, const struct key *key)
{
	struct claims *found;

	HASH_FIND(hh, all, key->bytes, key->length, found);
	return found;
}

/* An earlier service with a socket on one of these families. */
static const struct service_settings *overlap_among(struct claims *all,
						    const struct service_settings *service,
						    const struct reach *reach, unsigned families)
{
	struct key key = key_of(service, reach);
	const struct claims *claims = claims_find(all, &key);

	for (const struct claim *claim = claims ? claims->first : NULL; claim; claim = claim->next)
		if (claim->families & families)
			return claim->service;
	return NULL;
}

/* The earlier service whose socket overlaps one at reach, or NULL. */
static const struct service_settings *overlap_with(struct claims *all,
						   const struct service_settings *service,
						   const struct reach *reach)
{
	const struct service_settings *earlier =
		overlap_among(all, service, reach->is_any ? &all_of_them : reach, reach->families);

	return earlier ? earlier : overlap_among(all, service, &every_address, reach->families);
}

/* The earlier service that has a socket which service needs, or NULL. */
static const struct service_settings *find_overlap(struct claims *all,
						   const struct service_settings *service)
{
	const struct service_settings *earlier = NULL;

	for (size_t i = 0; i < reaches_count(service) && !earlier; i++) {
		struct reach reach = reach_of(service, i);

		earlier = overlap_with(all, service, &reach);
	}
	return earlier;
}

/* NULL when memory runs out. */
static struct claims *claims_new(struct claims **all, const struct key *key)
{
	struct claims *claims = calloc(1, sizeof *claims + key->length);

	if (!claims)
		return NULL;
	memcpy(claims->key, key->bytes, key->length);
	HASH_ADD_KEYPTR(hh, *all, claims->key, key->length, claims);
	if (claims->hh.tbl)
		return claims;
	free(claims);
	return NULL;
}

/* If memory runs out a claim is not noted; a conflict is then an error of bind(2). */
static void claims_add(struct claims **all, const struct service_settings *service,
		       const struct reach *reach, unsigned families)
{
	struct key key = key_of(service, reach);
	struct claims *claims = claims_find(*all, &key);
	struct claim *claim = malloc(sizeof *claim);

	if (!claims)
		claims = claims_new(all, &key);
	if (!claims || !claim) {
		free(claim);
		return;
	}
	*claim = (struct claim){ .next = claims->first, .service = service, .families = families };
	claims->first = claim;
}

static void report_clash(const struct service_settings *service, const char *address,
			 struct problems *problems)
{
	size_t bind = ATTRIBUTE("bind");
	struct place place = { service->file, service->line, false };

	if (service->places && service->places[bind].file)
		place = service->places[bind];
	problem_add(problems, ADVICE, place.file, place.line,
		    "bind: %s can't be bound as well, as an earlier address has the port already "
		    "(:: serves IPv4 too, unless v6only = yes); remove one of them",
		    address);
}

/* An overlap here can only be with another address of the same service. */
static void claim_sockets(struct claims **all, const struct service_settings *service,
			  struct problems *problems)
{
	for (size_t i = 0; i < reaches_count(service); i++) {
		struct reach reach = reach_of(service, i);

		if (overlap_with(*all, service, &reach))
			report_clash(service, service->bind.list[i], problems);
		claims_add(all, service, &all_of_them, reach.families);
		claims_add(all, service, reach.is_any ? &every_address : &reach, reach.families);
	}
}

static void claims_free(struct claims *all)
{
	struct claims *each, *next;

	HASH_ITER(hh, all, each, next) {
		HASH_DEL(all, each);
		while (each->first) {
			struct claim *claim = each->first;

			each->first = claim->next;
			free(claim);
		}
		free(each);
	}
}

static void report_overlap(const struct service_settings *service,
			   const struct service_settings *earlier, struct problems *problems)
{
	char where[ORIGIN_SIZE];

	problem_add(
		problems, ERROR, service->file, service->line,
		"service %s: %s port %d belongs to service %s already (%s:%d); give one of them "
		"another port or bind%s",
		service->id, service->protocol, service->port, earlier->id, earlier->file,
		earlier->line, inherited_from(service, ATTRIBUTE("bind"), where));
}

static void leave_out(struct settings *settings, struct service_settings *service)
{
	settings_add_broken(settings, service->id);
	settings_leave_out(settings, &(struct left_out){
					     .id = service->id,
					     .name = service->name,
					     .file = service->file,
					     .line = service->line,
					     .why = "another service has its socket",
					     .is_broken = true,
				     });
	service_settings_release(service);
}

/* How many services have a port, by port: none, one, or more. */
struct port_uses {
	unsigned char count[UINT16_MAX + 1];
};

/* NULL when memory runs out. */
static struct port_uses *port_uses_count(const struct settings *settings)
{
	struct port_uses *uses = calloc(1, sizeof *uses);

	for (size_t i = 0; uses && i < settings->count; i++) {
		unsigned char *count = &uses->count[(uint16_t)settings->services[i]->port];

		*count += *count < 2;
	}
	return uses;
}

/* True when a service may share a socket with another one, or with itself. Most have a port
 * of their own, and need not be compared with others. */
static bool may_overlap(const struct service_settings *service, const struct port_uses *uses)
{
	return service->port > 0 &&
	       (!uses || uses->count[(uint16_t)service->port] > 1 || service->bind.count > 1);
}

void check_sockets(struct settings *settings, struct problems *problems)
{
	struct port_uses *uses = port_uses_count(settings);
	struct claims *all = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < settings->count; i++) {
		struct service_settings *service = settings->services[i];
		const struct service_settings *earlier = NULL;
		bool is_compared = may_overlap(service, uses);

		if (is_compared)
			earlier = find_overlap(all, service);
		if (earlier) {
			report_overlap(service, earlier, problems);
			leave_out(settings, service);
			continue;
		}
		if (is_compared)
			claim_sockets(&all, service, problems);
		settings->services[kept++] = service;
	}
	settings->count = kept;
	claims_free(all);
	free(uses);
}
