/* Loading configuration that a test writes, in the test's own directory. */
#ifndef USHERD_TESTS_CONFIGURATION_H
#define USHERD_TESTS_CONFIGURATION_H

#include "config/loader.h"

/* Makes the directory, with a port map in it that knows
 *	echo 7/tcp 7/udp, discard 9/tcp 9/udp, daytime 13/tcp 13/udp,
 *	ftp 21/tcp, telnet 23/tcp, tftp 69/udp, ident 113/tcp, tcpmux 1/tcp. */
void configuration_make(void);
void configuration_remove(void);

/* What the last load was told to do; a test may change it before loading. */
extern struct load_options load_options;

/* What the last load complained of. */
extern struct problems load_problems;

/* Writes usherd.conf and loads it; NULL when the load is refused. Freed by
 * configuration_remove. */
struct settings *configuration_load(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Loads what the test has written as usherd.conf. */
struct settings *configuration_load_again(void);

/* Writes inetd.conf and loads it instead of usherd.conf. */
struct settings *configuration_load_inetd(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* The service of that id, or NULL. */
struct service_settings *configuration_service(const char *id);

/* Whether a complaint of that severity on that line contains text. */
bool configuration_said(enum severity severity, int line, const char *text);

/* How many complaints of at least that severity there are. */
unsigned configuration_complaints(enum severity least);

/* All of them, a line each: "error usherd.conf:3: ..." */
const char *configuration_complaints_text(void);

/* The services as entries that can be loaded again. */
const char *configuration_print(void);

#endif
