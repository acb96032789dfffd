#include "base/loop.h"
#include "base/resolver.h"
#include "support/place.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <check.h>
#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* What one lookup came to. */
struct answer {
	int calls;
	size_t count;
	char text[2048]; /* what was found, a space between one and the next */
	char reason[128];
};

static struct answer answers[LOOKUPS_MOST + 1];
static int answered, wanted;

static void set_up(void)
{
	memset(answers, 0, sizeof answers);
	answered = 0;
	ck_assert_int_eq(loop_init(), 0);
}

static void append(struct answer *answer, const char *word)
{
	size_t length = strlen(answer->text);

	snprintf(answer->text + length, sizeof answer->text - length, "%s%s",
		 answer->count > 0 ? " " : "", word);
	answer->count++;
}

static void count_answer(struct answer *answer)
{
	answer->calls++;
	if (++answered == wanted)
		loop_stop();
}

static void take_addresses(void *context, const struct address *addresses, size_t count,
			   const char *reason)
{
	struct answer *answer = context;
	char text[ADDRESS_TEXT_SIZE];

	ck_assert_msg((count == 0) == (reason != NULL), "%zu addresses, reason %s", count,
		      reason ? reason : "none");
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(address_port(&addresses[i]), 0);
		append(answer, address_text(&addresses[i], text));
	}
	snprintf(answer->reason, sizeof answer->reason, "%s", reason ? reason : "");
	count_answer(answer);
}

static void take_names(void *context, const char *const *names)
{
	struct answer *answer = context;

	while (*names)
		append(answer, *names++);
	count_answer(answer);
}

static struct lookup *ask_addresses(struct answer *answer, const char *host, int family)
{
	struct lookup *lookup = lookup_addresses(host, family, take_addresses, answer);

	ck_assert_msg(lookup != NULL, "%s: %s", host, strerror(errno));
	ck_assert_int_eq(answer->calls, 0);
	return lookup;
}

static struct lookup *ask_names(struct answer *answer, const char *text)
{
	struct address address = { 0 };
	struct lookup *lookup;

	ck_assert_msg(address_parse(&address, text, 99) == 0, "%s is no address", text);
	lookup = lookup_names(&address, take_names, answer);
	ck_assert_msg(lookup != NULL, "%s: %s", text, strerror(errno));
	ck_assert_int_eq(answer->calls, 0);
	return lookup;
}

static void run_until_answered(int count)
{
	wanted = count;
	if (answered < count)
		loop_run();
	ck_assert_int_eq(answered, count);
}

/* --- without a network ----------------------------------------------------------- */

static const struct {
	const char *host;
	int family;
	const char *found; /* "" for nothing */
} numeric[] = {
	{ "127.0.0.1", AF_UNSPEC, "127.0.0.1" },
	{ "127.0.0.1", AF_INET, "127.0.0.1" },
	{ "127.0.0.1", AF_INET6, "" },
	{ "::1", AF_UNSPEC, "::1" },
	{ "::1", AF_INET6, "::1" },
	{ "::1", AF_INET, "" },
	{ "::ffff:192.0.2.1", AF_UNSPEC, "192.0.2.1" },
	{ "::ffff:192.0.2.1", AF_INET6, "" },
	{ "fe80::1%lo", AF_UNSPEC, "fe80::1%lo" },
	{ "localhost", AF_INET, "127.0.0.1" },
	{ "", AF_UNSPEC, "" },
	{ "two words", AF_INET, "" },
};

START_TEST(finds_what_needs_no_network)
{
	ask_addresses(&answers[0], numeric[_i].host, numeric[_i].family);
	run_until_answered(1);
	ck_assert_msg(strcmp(answers[0].text, numeric[_i].found) == 0, "\"%s\", family %d: \"%s\"",
		      numeric[_i].host, numeric[_i].family, answers[0].text);
}
END_TEST

START_TEST(knows_its_own_name)
{
	ask_names(&answers[0], "127.0.0.1");
	run_until_answered(1);
	ck_assert_msg(text_matches(textf(" %s ", answers[0].text), " localhost "), "\"%s\"",
		      answers[0].text);
}
END_TEST

START_TEST(an_unknown_address_has_no_name)
{
	struct address unknown = address_from_sockaddr(NULL, 0);

	ck_assert_ptr_nonnull(lookup_names(&unknown, take_names, &answers[0]));
	run_until_answered(1);
	ck_assert_str_eq(answers[0].text, "");
}
END_TEST

START_TEST(a_cancelled_lookup_says_nothing)
{
	for (int i = 0; i < 40; i++) {
		struct lookup *lookup = i % 2 ? ask_addresses(&answers[i], "127.0.0.1", AF_INET)
					      : ask_names(&answers[i], "127.0.0.1");

		if (i % 4 < 2)
			lookup_cancel(lookup);
	}
	run_until_answered(20);
	for (int i = 0; i < 40; i++)
		ck_assert_msg(answers[i].calls == (i % 4 >= 2), "lookup %d", i);
}
END_TEST

static struct lookup *other;

static void cancel_the_other(void *context, const struct address *addresses, size_t count,
			     const char *reason)
{
	lookup_cancel(other);
	ask_addresses(&answers[2], "192.0.2.2", AF_UNSPEC);
	take_addresses(context, addresses, count, reason);
}

/* The pool gives jobs back in the order in which they ended, and the other has
 * not ended when it is begun in the callback that cancels it. */
static void begin_the_other(void *context, const struct address *addresses, size_t count,
			    const char *reason)
{
	other = ask_addresses(&answers[3], "192.0.2.3", AF_UNSPEC);
	cancel_the_other(context, addresses, count, reason);
}

START_TEST(a_callback_may_begin_and_cancel)
{
	ck_assert_ptr_nonnull(lookup_addresses("192.0.2.1", AF_UNSPEC, begin_the_other,
					       &answers[0]));
	run_until_answered(2);
	ask_addresses(&answers[4], "192.0.2.4", AF_UNSPEC);
	run_until_answered(3);
	ck_assert_str_eq(answers[2].text, "192.0.2.2");
	ck_assert_int_eq(answers[3].calls, 0);
}
END_TEST

START_TEST(refuses_more_than_the_most)
{
	struct address address = { 0 };

	ck_assert_int_eq(address_parse(&address, "127.0.0.1", 0), 0);
	for (int i = 0; i < LOOKUPS_MOST; i++)
		ask_addresses(&answers[i], "127.0.0.1", AF_INET);
	errno = 0;
	ck_assert_ptr_null(lookup_addresses("127.0.0.1", AF_INET, take_addresses, NULL));
	ck_assert_int_eq(errno, EAGAIN);
	errno = 0;
	ck_assert_ptr_null(lookup_names(&address, take_names, NULL));
	ck_assert_int_eq(errno, EAGAIN);
	run_until_answered(LOOKUPS_MOST);
	for (int i = 0; i < LOOKUPS_MOST; i++)
		ck_assert_msg(strcmp(answers[i].text, "127.0.0.1") == 0, "lookup %d", i);
	ask_addresses(&answers[LOOKUPS_MOST], "127.0.0.1", AF_INET);
	run_until_answered(LOOKUPS_MOST + 1);
}
END_TEST

/* --- with a name server of the test's own ------------------------------------------
 * In namespaces of its own the test is root of an empty network and an empty
 * /etc, whoever runs it; where that is not allowed these tests are left out. */

struct record {
	const char *name;
	int type;
	const char *value;
	int times; /* that the answer has it: 0 is 1 */
};

static const struct record records[] = {
	{ "1.2.0.192.in-addr.arpa", ns_t_ptr, "honest.example", 0 },
	{ "2.2.0.192.in-addr.arpa", ns_t_ptr, "nobody.example", 0 },
	{ "3.2.0.192.in-addr.arpa", ns_t_ptr, "liar.example", 0 },
	{ "5.2.0.192.in-addr.arpa", ns_t_ptr, "192.0.2.5", 0 },
	{ "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
	  ns_t_ptr, "six.example", 0 },
	{ "honest.example", ns_t_a, "198.51.100.1", 0 },
	{ "honest.example", ns_t_a, "192.0.2.1", 0 },
	{ "honest.example", ns_t_aaaa, "2001:db8::77", 0 },
	{ "liar.example", ns_t_a, "198.51.100.1", 0 },
	{ "six.example", ns_t_aaaa, "2001:db8::1", 0 },
	{ "twice.example", ns_t_a, "192.0.2.9", 2 },
	{ "twice.example", ns_t_aaaa, "::ffff:192.0.2.9", 0 },
	{ "many.example", ns_t_a, "192.0.2.0", 70 },
	{ "silent.example", ns_t_a, NULL, 0 },
};

enum { RECORDS = sizeof records / sizeof records[0], MESSAGE_MOST = 65535 };

static unsigned char *put16(unsigned char *to, unsigned value)
{
	*to++ = (unsigned char)(value >> 8);
	*to++ = (unsigned char)value;
	return to;
}

static unsigned char *put_name(unsigned char *to, const char *name)
{
	while (*name) {
		size_t length = strcspn(name, ".");

		*to++ = (unsigned char)length;
		memcpy(to, name, length);
		to += length;
		name += length + (name[length] == '.');
	}
	*to++ = 0;
	return to;
}

/* Of many equal addresses each is one higher than the one before. */
static unsigned char *put_value(unsigned char *to, const struct record *record, int number)
{
	if (record->type == ns_t_ptr)
		return put_name(to, record->value);
	if (record->type == ns_t_aaaa)
		return inet_pton(AF_INET6, record->value, to), to + 16;
	inet_pton(AF_INET, record->value, to);
	if (record->times > 2)
		to[3] = (unsigned char)(to[3] + number);
	return to + 4;
}

static unsigned char *put_record(unsigned char *to, const struct record *record, int number)
{
	unsigned char *length, *end;

	to = put16(to, 0xc00c); /* the name in the question */
	to = put16(to, (unsigned)record->type);
	to = put16(to, ns_c_in);
	to = put16(put16(to, 0), 60);
	length = to;
	end = put_value(to + 2, record, number);
	put16(length, (unsigned)(end - length - 2));
	return end;
}

/* Turns the question into its answer; 0 when there is to be none. */
static size_t answer_question(unsigned char *message, size_t length)
{
	char name[256];
	int name_length = ns_name_uncompress(message, message + length, message + 12, name,
					     sizeof name);
	unsigned char *to = message + 12 + name_length + 4;
	int type = message[12 + name_length] << 8 | message[12 + name_length + 1];
	unsigned count = 0, known = 0;

	for (int i = 0; i < RECORDS; i++) {
		if (strcasecmp(records[i].name, name) != 0)
			continue;
		known++;
		if (!records[i].value)
			return 0;
		for (int n = 0; type == records[i].type && n <= records[i].times - !!n; n++, count++)
			to = put_record(to, &records[i], n);
	}
	put16(message + 2, 0x8180 | (known ? ns_r_noerror : ns_r_nxdomain));
	put16(message + 6, count);
	memset(message + 8, 0, 4);
	return (size_t)(to - message);
}

static void *serve_names(void *argument)
{
	int fd = *(int *)argument;

	for (;;) {
		static unsigned char message[2 * MESSAGE_MOST];
		struct sockaddr_in from;
		socklen_t from_length = sizeof from;
		ssize_t length = recvfrom(fd, message, MESSAGE_MOST, 0, (struct sockaddr *)&from,
					  &from_length);
		size_t answer = length > 12 ? answer_question(message, (size_t)length) : 0;

		if (answer > 0)
			sendto(fd, message, answer, 0, (struct sockaddr *)&from, from_length);
	}
	return NULL;
}

static void start_name_server(void)
{
	static int fd;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(53),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	pthread_t thread;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, serve_names, &fd), 0);
	pthread_detach(thread);
}

static FILE *create(const char *path)
{
	FILE *file = fopen(path, "we");

	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	return file;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = create(path);

	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* One host has more aliases than a reply of the usual size holds. */
static void write_hosts(void)
{
	FILE *file = create("/etc/hosts");

	fputs("127.0.0.1 localhost\n192.0.2.6 Same same SAME\n192.0.2.7 first second\n"
	      "192.0.2.4", file);
	for (int i = 0; i < 2000; i++)
		fprintf(file, " a%d", i);
	fputs("\n", file);
	ck_assert_int_eq(fclose(file), 0);
}

static int raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int status = ioctl(fd, SIOCSIFFLAGS, &request);

	close(fd);
	return status;
}

static int enter_namespaces(void)
{
	int own_user = geteuid() == 0 ? 0 : CLONE_NEWUSER;

	if (unshare(own_user | CLONE_NEWNS | CLONE_NEWNET) < 0
	    || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0
	    || mount("tmpfs", "/etc", "tmpfs", 0, NULL) < 0)
		return -1;
	return raise_loopback();
}

static void set_up_network(void)
{
	ck_assert_msg(enter_namespaces() == 0, "%s", strerror(errno));
	write_file("/etc/nsswitch.conf", "hosts: files dns\n");
	write_file("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"
		   "search .\n");
	write_hosts();
	start_name_server();
	set_up();
}

static bool namespaces_are_allowed(void)
{
	const char *fork_mode = getenv("CK_FORK");
	int status = -1;
	pid_t pid;

	if (fork_mode && strcmp(fork_mode, "no") == 0)
		return false;
	pid = fork();
	if (pid == 0)
		_exit(enter_namespaces() == 0 ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static const struct {
	const char *address, *names;
} named[] = {
	{ "192.0.2.1", "honest.example" },
	{ "::ffff:192.0.2.1", "honest.example" },
	{ "192.0.2.2", "" },
	{ "192.0.2.3", "" },
	{ "192.0.2.4", "a0 a1 a2 a3 a4 a5 a6 a7" },
	{ "192.0.2.5", "" },
	{ "192.0.2.6", "Same" },
	{ "192.0.2.7", "first second" },
	{ "192.0.2.10", "" },
	{ "2001:db8::1", "six.example" },
	{ "2001:db8::2", "" },
	{ "0.0.0.0", "" },
};

START_TEST(keeps_the_names_that_are_confirmed)
{
	ask_names(&answers[0], named[_i].address);
	run_until_answered(1);
	ck_assert_msg(strcmp(answers[0].text, named[_i].names) == 0, "%s: \"%s\"",
		      named[_i].address, answers[0].text);
}
END_TEST

static const struct {
	const char *host;
	int family;
	size_t count;
	const char *pattern;
} hosts[] = {
	{ "honest.example", AF_INET, 2, "^(198.51.100.1 192.0.2.1|192.0.2.1 198.51.100.1)$" },
	{ "honest.example", AF_INET6, 1, "^2001:db8::77$" },
	{ "honest.example", AF_UNSPEC, 3, "2001:db8::77" },
	{ "twice.example", AF_UNSPEC, 1, "^192.0.2.9$" },
	{ "twice.example", AF_INET6, 0, "^$" },
	{ "many.example", AF_INET, LOOKUP_ADDRESSES_MOST, "192.0.2" },
	{ "second", AF_INET, 1, "^192.0.2.7$" },
	{ "six.example", AF_INET, 0, "^$" },
	{ "nobody.example", AF_UNSPEC, 0, "^$" },
	{ "silent.example", AF_INET, 0, "^$" },
};

START_TEST(finds_the_addresses_of_a_host)
{
	ask_addresses(&answers[0], hosts[_i].host, hosts[_i].family);
	run_until_answered(1);
	ck_assert_msg(answers[0].count == hosts[_i].count
		      && text_matches(answers[0].text, hosts[_i].pattern),
		      "%s, family %d: %zu: \"%s\"", hosts[_i].host, hosts[_i].family,
		      answers[0].count, answers[0].text);
}
END_TEST

static const struct {
	const char *host, *reason;
} missing[] = {
	{ "nobody.example", "Name or service not known" },
	{ "six.example", "No address associated with hostname" },
	{ "twice.example", "No address associated with hostname" },
	{ "silent.example", "Temporary failure in name resolution" },
};

START_TEST(says_why_it_found_nothing)
{
	ask_addresses(&answers[0], missing[_i].host,
		      strcmp(missing[_i].host, "twice.example") == 0 ? AF_INET6 : AF_INET);
	run_until_answered(1);
	ck_assert_msg(strcmp(answers[0].reason, missing[_i].reason) == 0, "%s: %s",
		      missing[_i].host, answers[0].reason);
}
END_TEST

START_TEST(a_slow_lookup_holds_up_no_other)
{
	for (int i = 0; i < 4; i++)
		ask_addresses(&answers[i], "silent.example", AF_INET);
	ask_addresses(&answers[4], "honest.example", AF_INET6);
	run_until_answered(1);
	ck_assert_str_eq(answers[4].text, "2001:db8::77");
	run_until_answered(5);
}
END_TEST

#define ROWS(table) ((int)(sizeof table / sizeof table[0]))

static TCase *network_cases(void)
{
	TCase *network = tcase_create("network");

	tcase_add_checked_fixture(network, set_up_network, NULL);
	tcase_set_timeout(network, 30);
	tcase_add_loop_test(network, keeps_the_names_that_are_confirmed, 0, ROWS(named));
	tcase_add_loop_test(network, finds_the_addresses_of_a_host, 0, ROWS(hosts));
	tcase_add_loop_test(network, says_why_it_found_nothing, 0, ROWS(missing));
	tcase_add_test(network, a_slow_lookup_holds_up_no_other);
	return network;
}

Suite *resolver_suite(void);

Suite *resolver_suite(void)
{
	Suite *suite = suite_create("resolver");
	TCase *local = tcase_create("local");

	tcase_add_checked_fixture(local, set_up, NULL);
	tcase_set_timeout(local, 30);
	tcase_add_loop_test(local, finds_what_needs_no_network, 0, ROWS(numeric));
	tcase_add_test(local, knows_its_own_name);
	tcase_add_test(local, an_unknown_address_has_no_name);
	tcase_add_test(local, a_cancelled_lookup_says_nothing);
	tcase_add_test(local, a_callback_may_begin_and_cancel);
	tcase_add_test(local, refuses_more_than_the_most);
	suite_add_tcase(suite, local);
	if (namespaces_are_allowed())
		suite_add_tcase(suite, network_cases());
	return suite;
}
