#include "support/name_server.h"

#include <arpa/inet.h>
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { MESSAGE_MAX = 65535 };

static struct {
	const struct name_record *records;
	size_t count;
	int fd;
	atomic_bool is_silent;
} server;

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

/* Of many addresses in a record, each is one higher than the one before. */
static unsigned char *put_value(unsigned char *to, const struct name_record *record, int number)
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

static unsigned char *put_record(unsigned char *to, const struct name_record *record, int number)
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

static bool is_about(const struct name_record *record, const char *name)
{
	size_t length = strlen(name), end = strlen(record->name);

	if (*record->name == '.')
		return length >= end && strcasecmp(name + length - end, record->name) == 0;
	return strcasecmp(record->name, name) == 0;
}

/* Turns the question into its answer; 0 when there is to be none. */
static size_t answer_question(unsigned char *message, size_t length)
{
	char name[256];
	int name_length =
		ns_name_uncompress(message, message + length, message + 12, name, sizeof name);
	unsigned char *to = message + 12 + name_length + 4;
	int type = message[12 + name_length] << 8 | message[12 + name_length + 1];
	unsigned count = 0, known = 0;

	for (size_t i = 0; i < server.count; i++) {
		const struct name_record *record = &server.records[i];

		if (!is_about(record, name))
			continue;
		known++;
		if (!record->value)
			return 0;
		for (int n = 0; type == record->type && n <= record->times - !!n; n++, count++)
			to = put_record(to, record, n);
	}
	put16(message + 2, 0x8180 | (known ? ns_r_noerror : ns_r_nxdomain));
	put16(message + 6, count);
	memset(message + 8, 0, 4);
	return (size_t)(to - message);
}

static void *serve(void *argument)
{
	(void)argument;
	for (;;) {
		static unsigned char message[2 * MESSAGE_MAX];
		struct sockaddr_in from;
		socklen_t from_length = sizeof from;
		ssize_t length = recvfrom(server.fd, message, MESSAGE_MAX, 0,
					  (struct sockaddr *)&from, &from_length);
		size_t answer = length > 12 ? answer_question(message, (size_t)length) : 0;

		if (answer > 0 && !atomic_load(&server.is_silent))
			sendto(server.fd, message, answer, 0, (struct sockaddr *)&from,
			       from_length);
	}
	return NULL;
}

void name_server_start(const char *address, const struct name_record *records, size_t count)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(53) };
	pthread_t thread;

	ck_assert_int_eq(inet_pton(AF_INET, address, &here.sin_addr), 1);
	server.records = records;
	server.count = count;
	server.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(server.fd, 0);
	ck_assert_int_eq(bind(server.fd, (struct sockaddr *)&here, sizeof here), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
	pthread_detach(thread);
}

void name_server_be_silent(bool is_silent)
{
	atomic_store(&server.is_silent, is_silent);
}
