/* A name server of the test's own, on UDP, that knows what the test tells it. */
#ifndef USHERD_TESTS_NAME_SERVER_H
#define USHERD_TESTS_NAME_SERVER_H

#include <arpa/nameser.h>
#include <stdbool.h>
#include <stddef.h>

struct name_record {
	const char *name;  /* one that begins with a dot stands for every name below it */
	int type;          /* ns_t_a, ns_t_aaaa or ns_t_ptr */
	const char *value; /* NULL: questions about this name are not answered */
	int times;         /* that the answer has it: 0 is 1; of more than 2 addresses each
			    * is one higher than the one before */
};

/* Answers at that IPv4 address, port 53, until the process ends, or, if it is told
 * to be silent, not until it is told to speak. records must last. */
void name_server_start(const char *address, const struct name_record *records, size_t count);
void name_server_be_silent(bool is_silent);

#endif
