#include "channel/channel.h"
#include "support/raw_message.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* One end is the daemon's channel, the other a hostile process's socket. */
static struct channel channel;
static int other;

static struct message last;
static unsigned received, descriptors, closed;
static const char *reason;
static bool closes_itself, answers;

/* What came last at the other end: one message or several. */
static struct {
	unsigned char bytes[8192];
	size_t size, at;
	unsigned messages, most; /* that came at once */
} packet;

static void lend(uint32_t ticket)
{
	struct message bound = { .kind = MESSAGE_BOUND, .bind = { .ticket = ticket } };
	int fd = STDERR_FILENO;

	ck_assert_int_eq(channel_lend(&channel, &bound, &fd, 1), 0);
}

static void on_received(struct channel *from, const struct message *message, const int fds[],
			unsigned count)
{
	ck_assert_ptr_eq(from, &channel);
	last = *message;
	received++;
	for (unsigned i = 0; i < count; i++) {
		ck_assert_int_eq(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
		close(fds[i]);
		descriptors++;
	}
	if (closes_itself)
		channel_close(&channel);
	if (answers)
		lend((uint32_t)message->end.session);
}

static void on_closed(struct channel *from, const char *why)
{
	ck_assert_ptr_eq(from, &channel);
	ck_assert(!channel_is_open(&channel));
	reason = why;
	closed++;
}

static unsigned lost;

/* A launch can fail by itself. */
static bool on_without_descriptors(const struct message *message)
{
	last = *message;
	lost++;
	return message->kind == MESSAGE_LAUNCH;
}

static const struct channel_events events = {
	.received = on_received,
	.without_descriptors = on_without_descriptors,
	.closed = on_closed,
};

static void setup(void)
{
	int ends[2];

	ck_assert_int_eq(loop_init(), 0);
	ck_assert_int_eq(channel_pair(ends), 0);
	ck_assert_int_eq(channel_open(&channel, ends[0], MESSAGE_READY, MESSAGE_FROM_FRONTEND - 1,
				      &events),
			 0);
	other = ends[1];
	received = descriptors = closed = lost = 0;
	reason = NULL;
	closes_itself = answers = false;
	packet.size = packet.at = 0;
}

static void teardown(void)
{
	channel_close(&channel);
	loop_free();
}

/* Sends bytes with that many descriptors, which the daemon never does. */
static void send_raw(const void *bytes, size_t size, unsigned count)
{
	int fds[RAW_DESCRIPTORS_MAX];

	for (unsigned i = 0; i < count; i++)
		fds[i] = STDERR_FILENO;
	ck_assert_int_eq(raw_message_send(other, bytes, size, fds, count), (ssize_t)size);
}

static int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

START_TEST(receives_what_has_the_right_shape)
{
	unsigned kind = (unsigned)_i;
	const struct message_shape *shape = message_shape(kind);
	struct message message = { .kind = kind };

	for (unsigned count = shape->descriptors_min; count <= shape->descriptors_max; count++) {
		send_raw(&message, shape->size, count);
		loop_turn(1000);
		ck_assert_uint_eq(received, count - shape->descriptors_min + 1);
		ck_assert_uint_eq(last.kind, kind);
	}
	ck_assert_uint_eq(closed, 0);
}
END_TEST

static const struct {
	const char *what, *reason;
	unsigned kind;
	int difference; /* in size */
	unsigned count;
} wrong[] = {
	{ "too short", "a message of the wrong size", MESSAGE_LAUNCH, -1, 1 },
	{ "too long", "a message of the wrong size", MESSAGE_LAUNCH, 1, 1 },
	{ "much too long", "a message of the wrong size", MESSAGE_LAUNCH, 5000, 1 },
	{ "four descriptors", "a message with the wrong number of descriptors", MESSAGE_LAUNCH, 0,
	  4 },
	{ "ten descriptors", "a message with the wrong number of descriptors", MESSAGE_LAUNCH, 0,
	  10 },
	{ "one where none belongs", "a message with the wrong number of descriptors", MESSAGE_END,
	  0, 1 },
	{ "from the other side", "a message of an unknown kind", MESSAGE_GENERATION, 0, 1 },
	{ "no such kind", "a message of an unknown kind", MESSAGE_KINDS, 0, 0 },
	{ "far off", "a message of an unknown kind", 0xffffffff, 0, 0 },
};

START_TEST(closes_at_a_message_of_the_wrong_shape)
{
	static union {
		struct message message;
		char bytes[8192];
	} sent;
	const struct message_shape *shape = message_shape(wrong[_i].kind);
	size_t size = shape ? shape->size : sizeof sent.message;
	int before = open_descriptors();

	sent.message.kind = wrong[_i].kind;
	send_raw(&sent, (size_t)((int)size + wrong[_i].difference), wrong[_i].count);
	loop_turn(1000);
	ck_assert_uint_eq(received, 0);
	ck_assert_uint_eq(closed, 1);
	ck_assert_str_eq(reason, wrong[_i].reason);
	ck_assert_int_eq(open_descriptors(), before - 1);
}
END_TEST

/* Several messages at once, each of one kind. */
static size_t join(unsigned char *bytes, const enum message_kind kinds[], unsigned count)
{
	size_t size = 0;

	for (unsigned i = 0; i < count; i++) {
		struct message message = { .kind = kinds[i] };

		if (kinds[i] == MESSAGE_END)
			message.end.session = i;
		memcpy(bytes + size, &message, message_shape(kinds[i])->size);
		size += message_shape(kinds[i])->size;
	}
	return size;
}

/* No descriptor is free, until allow_descriptors. */
static struct rlimit forbid_descriptors(void)
{
	struct rlimit before, none;
	int lowest = dup(STDERR_FILENO);

	close(lowest);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ (rlim_t)lowest, before.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	return before;
}

START_TEST(gives_its_owner_a_message_that_has_lost_its_descriptors)
{
	enum message_kind kind = _i == 0 ? MESSAGE_LAUNCH : MESSAGE_LAUNCH_PROXIED;
	struct message message = { .kind = kind, .launch = { .session = 7 } };
	int before = open_descriptors();
	struct rlimit limit;

	send_raw(&message, message_shape(kind)->size, 2);
	limit = forbid_descriptors();
	loop_turn(1000);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_eq(lost, 1);
	ck_assert_uint_eq(received, 0);
	ck_assert_uint_eq(last.launch.session, 7);
	ck_assert_uint_eq(closed, _i);
	if (_i == 0)
		ck_assert_int_eq(open_descriptors(), before);
	else
		ck_assert_str_eq(reason, "no descriptors are left for those of a message");
}
END_TEST

START_TEST(drains_what_the_other_end_sent_before_it_ended)
{
	struct message message = { .kind = MESSAGE_END }, ping = { .kind = MESSAGE_PING };

	for (int i = 0; i < 100; i++)
		send_raw(&message, message_shape(MESSAGE_END)->size, 0);
	if (_i > 0) /* it has left something unread */
		ck_assert_int_eq(channel_send(&channel, &ping, NULL, 0), 0);
	close(other);
	channel_drain(&channel);
	ck_assert_uint_eq(received, 100);
	ck_assert_uint_eq(closed, 0);
}
END_TEST

START_TEST(reads_what_the_other_end_sent_before_it_ended)
{
	struct message message = { .kind = MESSAGE_END }, ping = { .kind = MESSAGE_PING };

	send_raw(&message, message_shape(MESSAGE_END)->size, 0);
	if (_i > 0)
		ck_assert_int_eq(channel_send(&channel, &ping, NULL, 0), 0);
	close(other);
	loop_turn(1000);
	ck_assert_uint_eq(received, 1);
	ck_assert_uint_eq(closed, 1);
}
END_TEST

/* Somebody else has its end and goes on. */
START_TEST(drains_no_more_than_was_sent_when_it_began)
{
	struct message message = { .kind = MESSAGE_END };

	send_raw(&message, message_shape(MESSAGE_END)->size, 0);
	channel_drain(&channel);
	ck_assert_uint_eq(received, 1);
	ck_assert_int_eq(raw_message_send(other, &message, message_shape(MESSAGE_END)->size, NULL,
					  0),
			 -1);
	close(other);
}
END_TEST

START_TEST(receives_several_at_once)
{
	static const enum message_kind kinds[] = { MESSAGE_END, MESSAGE_READY, MESSAGE_LAUNCH,
						   MESSAGE_END };
	static unsigned char bytes[8192];

	send_raw(bytes, join(bytes, kinds, 4), 0);
	loop_turn(1000);
	ck_assert_uint_eq(received, 4);
	ck_assert_uint_eq(last.kind, MESSAGE_END);
	ck_assert_uint_eq(last.end.session, 3);
	closes_itself = true;
	send_raw(bytes, join(bytes, kinds, 4), 0);
	loop_turn(1000);
	ck_assert_uint_eq(received, 5);
	ck_assert_uint_eq(closed, 0);
}
END_TEST

/* None of them is taken. Several have only the descriptors that each must have. */
static const struct {
	enum message_kind kinds[4];
	unsigned times; /* the first of them */
	int difference; /* in size */
	unsigned count;
	const char *reason;
} wrong_packets[] = {
	{ { MESSAGE_END, MESSAGE_LAUNCH }, 1, 0, 1, "number of descriptors" },
	{ { MESSAGE_LAUNCH, MESSAGE_LAUNCH }, 1, 0, 2, "number of descriptors" },
	{ { MESSAGE_READY, MESSAGE_READY }, 1, 0, 10, "number of descriptors" },
	{ { MESSAGE_END, MESSAGE_END }, 1, -1, 0, "wrong size" },
	{ { MESSAGE_END, MESSAGE_END }, 1, 1, 0, "wrong size" },
	{ { MESSAGE_END, MESSAGE_CHECK }, 1, 0, 0, "unknown kind" },
	{ { MESSAGE_READY, MESSAGE_READY }, 32, 0, 0, "wrong size" },
};

START_TEST(closes_at_a_packet_of_the_wrong_shape)
{
	static unsigned char bytes[8192];
	enum message_kind kinds[33];
	unsigned count = 0;
	int before = open_descriptors();
	size_t size;

	while (count < wrong_packets[_i].times)
		kinds[count++] = wrong_packets[_i].kinds[0];
	kinds[count++] = wrong_packets[_i].kinds[1];
	size = join(bytes, kinds, count);
	send_raw(bytes, (size_t)((int)size + wrong_packets[_i].difference),
		 wrong_packets[_i].count);
	loop_turn(1000);
	ck_assert_uint_eq(received, 0);
	ck_assert_uint_eq(closed, 1);
	ck_assert_msg(strstr(reason, wrong_packets[_i].reason) != NULL, "%s", reason);
	ck_assert_int_eq(open_descriptors(), before - 1);
}
END_TEST

START_TEST(closes_at_a_message_without_a_kind)
{
	send_raw("ab", 2, 0);
	loop_turn(1000);
	ck_assert_str_eq(reason, "a message without a kind");
}
END_TEST

START_TEST(closes_when_the_other_end_is_gone)
{
	close(other);
	loop_turn(1000);
	ck_assert_uint_eq(closed, 1);
	ck_assert_str_eq(reason, "the other end is gone");
	ck_assert_int_eq(channel_send(&channel, &(struct message){ .kind = MESSAGE_CHECK }, NULL,
				      0),
			 -1);
	ck_assert_int_eq(errno, EPIPE);
}
END_TEST

START_TEST(reads_no_further_once_its_owner_closed_it)
{
	struct message message = { .kind = MESSAGE_READY };

	closes_itself = true;
	for (int i = 0; i < 3; i++)
		send_raw(&message, message_shape(MESSAGE_READY)->size, 0);
	loop_turn(1000);
	ck_assert_uint_eq(received, 1);
	ck_assert_uint_eq(closed, 0);
}
END_TEST

static bool read_packet(void)
{
	char control[CMSG_SPACE(64 * sizeof(int))];
	struct iovec vector = { packet.bytes, sizeof packet.bytes };
	struct msghdr header = { .msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof control };
	ssize_t size = recvmsg(other, &header, MSG_DONTWAIT);
	int fds[64];
	size_t count = 0;

	if (size < 0)
		return false;
	packet.size = (size_t)size;
	packet.at = packet.messages = 0;
	if (header.msg_controllen > 0) {
		count = (CMSG_FIRSTHDR(&header)->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&header)), count * sizeof(int));
	}
	descriptors += (unsigned)count;
	while (count > 0)
		close(fds[--count]);
	return true;
}

/* The next message at the other end, with its descriptors closed. False: none. */
static bool read_other(struct message *message)
{
	const struct message_shape *shape;

	if (packet.at == packet.size && !read_packet())
		return false;
	memcpy(&message->kind, packet.bytes + packet.at, sizeof message->kind);
	shape = message_shape(message->kind);
	ck_assert_uint_le(packet.at + shape->size, packet.size);
	memcpy(message, packet.bytes + packet.at, shape->size);
	packet.at += shape->size;
	if (++packet.messages > packet.most)
		packet.most = packet.messages;
	return true;
}

START_TEST(keeps_what_has_no_room_and_sends_it_in_order)
{
	enum { COUNT = 3000 };
	struct message message = { .kind = MESSAGE_BOUND };
	int before = open_descriptors(), fd = STDERR_FILENO;
	unsigned expected = 0;

	for (unsigned i = 0; i < COUNT; i++) {
		message.bind.service.service = i;
		ck_assert_int_eq(channel_send(&channel, &message, &fd, i % 10 != 0), 0);
	}
	ck_assert_uint_gt(channel.waiting_count, 0);
	packet.most = 0;
	while (expected < COUNT) {
		if (read_other(&message))
			ck_assert_uint_eq(message.bind.service.service, expected++);
		else
			loop_turn(1000);
	}
	loop_turn(0);
	ck_assert_uint_eq(channel.waiting_count, 0);
	ck_assert_uint_eq(packet.most, 9); /* one without a descriptor comes alone */
	ck_assert_uint_eq(descriptors, COUNT * 9 / 10);
	ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

/* net.core.wmem_default says how many bytes a packet may have. */
START_TEST(sends_fewer_together_if_buffers_are_small)
{
	enum { COUNT = 200, SMALL = 2048 };
	struct message message = { .kind = MESSAGE_STARTED };
	unsigned expected = 0;
	int size = SMALL;

	ck_assert_int_eq(setsockopt(channel.watch.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size),
			 0);
	for (unsigned i = 0; i < COUNT; i++) {
		message.program.session = i;
		ck_assert_int_eq(channel_send(&channel, &message, NULL, 0), 0);
	}
	ck_assert_uint_gt(channel.waiting_count, 32);
	packet.most = 0;
	while (expected < COUNT && closed == 0) {
		if (read_other(&message))
			ck_assert_uint_eq(message.program.session, expected++);
		else
			loop_turn(1000);
	}
	ck_assert_uint_eq(closed, 0);
	ck_assert(packet.most > 1 && packet.most < 32);
}
END_TEST

/* Answers to several messages come together; those to one come at once. */
START_TEST(answers_together_what_came_together)
{
	static const enum message_kind kinds[] = { MESSAGE_END, MESSAGE_END, MESSAGE_END,
						   MESSAGE_END };
	static unsigned char bytes[8192];
	struct message message = { .kind = MESSAGE_END };
	int before = open_descriptors();

	answers = true;
	packet.most = 0;
	send_raw(&message, message_shape(MESSAGE_END)->size, 0);
	loop_turn(1000);
	ck_assert(read_other(&message));
	ck_assert_uint_eq(packet.most, 1);
	send_raw(bytes, join(bytes, kinds, 4), 0);
	loop_turn(1000);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert(read_other(&message));
		ck_assert_uint_eq(message.bind.ticket, i);
	}
	ck_assert_uint_eq(packet.most, 4);
	ck_assert_uint_eq(descriptors, 5);
	ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

/* Also before a descriptor is closed and its number used again. */
START_TEST(sends_what_was_lent_in_order)
{
	static const enum message_kind kinds[] = { MESSAGE_BOUND, MESSAGE_BOUND, MESSAGE_CHECK,
						   MESSAGE_BOUND };
	struct message message = { .kind = MESSAGE_CHECK };

	packet.most = 0;
	channel_join(&channel);
	channel_join(&channel);
	lend(1);
	lend(2);
	ck_assert_int_eq(channel_part(&channel), 0);
	ck_assert(!read_other(&message));
	ck_assert_int_eq(channel_send(&channel, &message, NULL, 0), 0);
	lend(3);
	ck_assert_int_eq(channel_flush(&channel), 0);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		ck_assert(read_other(&message));
		ck_assert_int_eq(message.kind, kinds[i]);
	}
	ck_assert_uint_eq(packet.most, 2);
	ck_assert_uint_eq(descriptors, 3);
	ck_assert_int_eq(channel_part(&channel), 0);
	lend(4);
	ck_assert(read_other(&message));
}
END_TEST

/* Also if a packet has too many bytes for the system. */
START_TEST(copies_what_was_lent_and_has_no_room)
{
	enum { COUNT = 2000 };
	struct message message = { .kind = MESSAGE_BOUND };
	int before = open_descriptors(), size = _i, fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	unsigned expected = 0;

	ck_assert_int_eq(setsockopt(channel.watch.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size),
			 0);
	channel_join(&channel);
	for (unsigned i = 0; i < COUNT; i++) {
		message.bind.ticket = i;
		ck_assert_int_eq(channel_lend(&channel, &message, &fd, 1), 0);
	}
	ck_assert_int_eq(channel_part(&channel), 0);
	close(fd);
	ck_assert_uint_gt(channel.waiting_count, 0);
	while (expected < COUNT && closed == 0) {
		if (read_other(&message))
			ck_assert_uint_eq(message.bind.ticket, expected++);
		else
			loop_turn(1000);
	}
	ck_assert_uint_eq(expected, COUNT);
	ck_assert_uint_eq(descriptors, COUNT);
	ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

START_TEST(forgets_what_was_lent_when_it_closes)
{
	channel_join(&channel);
	lend(1);
	channel_close(&channel);
	ck_assert_int_eq(channel_part(&channel), 0);
}
END_TEST

START_TEST(keeps_no_more_than_it_may)
{
	struct message message = { .kind = MESSAGE_CHECK };
	unsigned sent = 0;

	while (channel_send(&channel, &message, NULL, 0) == 0)
		ck_assert_uint_lt(sent++, 2 * CHANNEL_WAITING_MAX);
	ck_assert_int_eq(errno, ENOBUFS);
	ck_assert_uint_eq(channel.waiting_count, CHANNEL_WAITING_MAX);
	packet.most = 0;
	while (channel.waiting_count > 0)
		if (!read_other(&message))
			loop_turn(1000);
	ck_assert_uint_eq(packet.most, 32);
}
END_TEST

START_TEST(knows_sound_addresses)
{
	struct address address = { .length = 0 };

	ck_assert(message_address_is_sound(&address));
	ck_assert_int_eq(address_parse(&address, "192.0.2.1", 7), 0);
	ck_assert(message_address_is_sound(&address));
	address.length = sizeof address.in6;
	ck_assert(!message_address_is_sound(&address));
	ck_assert_int_eq(address_parse(&address, "2001:db8::1", 7), 0);
	ck_assert(message_address_is_sound(&address));
	address.length = 1;
	ck_assert(!message_address_is_sound(&address));
	address.length = 0xffffffff;
	ck_assert(!message_address_is_sound(&address));
}
END_TEST

Suite *channel_suite(void)
{
	Suite *suite = suite_create("channel");
	TCase *tests = tcase_create("channel");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, receives_what_has_the_right_shape, 0, MESSAGE_FROM_FRONTEND);
	tcase_add_loop_test(tests, closes_at_a_message_of_the_wrong_shape, 0,
			    sizeof wrong / sizeof wrong[0]);
	tcase_add_loop_test(tests, gives_its_owner_a_message_that_has_lost_its_descriptors, 0, 2);
	tcase_add_loop_test(tests, drains_what_the_other_end_sent_before_it_ended, 0, 2);
	tcase_add_loop_test(tests, reads_what_the_other_end_sent_before_it_ended, 0, 2);
	tcase_add_test(tests, drains_no_more_than_was_sent_when_it_began);
	tcase_add_test(tests, receives_several_at_once);
	tcase_add_loop_test(tests, closes_at_a_packet_of_the_wrong_shape, 0,
			    sizeof wrong_packets / sizeof wrong_packets[0]);
	tcase_add_test(tests, answers_together_what_came_together);
	tcase_add_test(tests, closes_at_a_message_without_a_kind);
	tcase_add_test(tests, closes_when_the_other_end_is_gone);
	tcase_add_test(tests, reads_no_further_once_its_owner_closed_it);
	tcase_add_test(tests, keeps_what_has_no_room_and_sends_it_in_order);
	tcase_add_test(tests, sends_fewer_together_if_buffers_are_small);
	tcase_add_test(tests, sends_what_was_lent_in_order);
	tcase_add_loop_test(tests, copies_what_was_lent_and_has_no_room, 2048, 2049);
	tcase_add_loop_test(tests, copies_what_was_lent_and_has_no_room, 65536, 65537);
	tcase_add_test(tests, forgets_what_was_lent_when_it_closes);
	tcase_add_test(tests, keeps_no_more_than_it_may);
	tcase_add_test(tests, knows_sound_addresses);
	suite_add_tcase(suite, tests);
	return suite;
}
