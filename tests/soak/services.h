/* The services of the soak. */
#ifndef USHERD_TESTS_SOAK_SERVICES_H
#define USHERD_TESTS_SOAK_SERVICES_H

#include <stdbool.h>
#include <stddef.h>

/* Addresses of clients, besides 127.0.0.1. */
#define STRANGER "127.0.0.2" /* of the lists */
#define BALANCER "127.0.0.3"
#define BANNED "127.0.0.66"   /* touches the trap once, at the start */
#define PARDONED "127.0.0.77" /* touches it again and again */

enum {
	FEW_INSTANCES = 4,   /* of the service few */
	QUEUE_INSTANCES = 3, /* of the service queue */
	PER_SOURCE = 5,      /* of the service mine */
	WAIT_DATAGRAMS = 7,  /* that one server of the service wait answers */
};

/* Configures all of them, in files of the test's directory. What the machine can't have is left
 * out, with a message. */
void services_configure(void);

/* The port of the service with that id, 0 if it is reached through tcpmux; -1: this machine
 * can't have it. */
int service_port(const char *id);

/* The user of programs, as a word of the configuration. */
const char *program_user(void);

/* Calls see for each service. */
void services_each(void (*see)(const char *id, void *context), void *context);

/* A service in a file of its own, beside the others: the hand writes and removes these. */
void file_of_service(const char *id, const char *name, int port, const char *lines);
const char *extra_directory(void);

#endif
