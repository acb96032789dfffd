/* Environments in rooms of exactly the size that environment_size says, so that
 * AddressSanitizer sees every byte too many. */
#include "monitor/environment.h"

#include <arpa/inet.h>
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { ID_LENGTH = 100000 };

static char own_variable[] = "A=1", *own[] = { own_variable, own_variable, NULL };

static struct address longest_address(uint16_t port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(port),
				    .sin6_scope_id = UINT32_MAX };

	ck_assert_int_eq(inet_pton(AF_INET6, "fe80:dead:beef:cafe:dead:beef:cafe:dead",
				   &in6.sin6_addr),
			 1);
	return address_from_sockaddr((struct sockaddr *)&in6, sizeof in6);
}

static void fill_text(char *text, size_t size)
{
	memset(text, 'x', size - 1);
	text[size - 1] = '\0';
}

static void fill_facts(struct proxy_facts *facts)
{
	fill_text(facts->unique_id, sizeof facts->unique_id);
	fill_text(facts->authority, sizeof facts->authority);
	fill_text(facts->ssl_version, sizeof facts->ssl_version);
	fill_text(facts->ssl_name, sizeof facts->ssl_name);
}

static enum end_reason longest_reason(void)
{
	enum end_reason longest = END_BY_ITSELF;

	for (enum end_reason reason = END_BY_ITSELF; end_reason_is_known(reason); reason++)
		if (strlen(end_reason_text(reason)) > strlen(end_reason_text(longest)))
			longest = reason;
	return longest;
}

static const struct {
	bool is_proxied, has_facts, has_ended, has_passenv;
	size_t variables; /* besides the service's own */
} cases[] = {
	{ false, false, false, false, 8 }, { true, false, false, false, 14 },
	{ false, true, false, false, 10 }, { true, true, false, false, 16 },
	{ false, true, true, false, 14 },  { true, true, true, false, 20 },
	{ false, false, false, true, 1 },  { true, true, true, true, 7 },
};

START_TEST(the_longest_values_have_room)
{
	struct program_settings program = { .environment = own,
					    .environment_count = 2,
					    .passenv.is_set = cases[_i].has_passenv };
	struct service_settings settings = { .socket_type = SOCK_STREAM, .program = &program };
	struct proxied proxied = { .proxy = longest_address(65535), .local = longest_address(1) };
	struct address peer = longest_address(65535), local = longest_address(65534);
	struct program_client client = { &peer, &local, cases[_i].is_proxied ? &proxied : NULL };
	struct session_facts all = { .id = { UINT64_MAX, UINT64_MAX },
				     .has_slot = true,
				     .slot = UINT32_MAX,
				     .has_ended = cases[_i].has_ended,
				     .status = SIGRTMAX,
				     .reason = longest_reason(),
				     .seconds = UINT64_MAX };
	const struct session_facts *facts = cases[_i].has_facts ? &all : NULL;
	char *id = malloc(ID_LENGTH + 1), **variables, *end;
	size_t size, count = 0;
	void *room;

	ck_assert_ptr_nonnull(id);
	fill_text(id, ID_LENGTH + 1);
	settings.id = id;
	fill_facts(&proxied.facts);
	size = environment_size(&settings, client.proxied, facts != NULL);
	room = malloc(size);
	ck_assert_ptr_nonnull(room);
	variables = environment_fill(room, &settings, &client, facts);
	ck_assert_ptr_eq(variables, room);
	for (; variables[count]; count++)
		;
	ck_assert_uint_eq(count, 2 + cases[_i].variables);
	ck_assert_ptr_eq(variables[0], own[0]);
	end = variables[count - 1] + strlen(variables[count - 1]) + 1;
	ck_assert(end <= (char *)room + size);
	ck_assert(variables[2] >= (char *)(variables + count + 1));
	for (size_t i = 3; i < count; i++) /* none was cut off or written over */
		ck_assert_ptr_eq(variables[i], variables[i - 1] + strlen(variables[i - 1]) + 1);
	free(room);
	free(id);
}
END_TEST

Suite *environment_suite(void)
{
	Suite *suite = suite_create("environment");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, the_longest_values_have_room, 0, sizeof cases / sizeof cases[0]);
	suite_add_tcase(suite, all);
	return suite;
}
