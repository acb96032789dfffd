/* Reading one attribute's words into a field, with the context that readers need.
 * Internal to config. */
#ifndef USHERD_CONFIG_READING_H
#define USHERD_CONFIG_READING_H

#include "base/arena.h"
#include "config/problem.h"
#include "config/settings.h"
#include "config/word.h"

struct accounts;
struct rule_files;

/* What was found usable last, or "": many services have the same as the one before. */
struct usable {
	char server[PATH_MAX], log_directory[PATH_MAX];
};

struct reading {
	const char *attribute; /* its name */
	const struct word *const *words;
	size_t count;
	struct service_settings *service; /* NULL for the daemon's own attributes, ... */
	struct daemon_settings *daemon;   /* ... which have this */
	const char *file;                 /* where the entry begins */
	int line;
	struct arena *arena;
	struct accounts *accounts;
	const struct port_map *ports;
	struct rule_files *rule_files;
	const char *start_directory; /* base of relative log and server paths */
	struct usable *usable;
	struct problems *problems;
	bool refused;
};

/* Reports that a word (NULL: the attribute as a whole, at its first word or the
 * entry) can't be used; the service will not be started. */
void reading_refuse(struct reading *reading, const struct word *word, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Reports something that does not keep the service from starting. */
void reading_advise(struct reading *reading, const struct word *word, enum severity severity,
		    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* --- pieces that readers share --------------------------------------------------- */

static inline const char *first_word(const struct reading *reading)
{
	return reading->words[0]->text;
}

/* The whole of text as a decimal number from 0 to most. */
bool parse_number(const char *text, uint64_t most, uint64_t *number);

/* A number with an optional K, M or G after it. */
bool parse_size(const char *text, uint64_t *size);

struct name_value {
	const char *name; /* NULL: the end of a table */
	int value;
};

/* The value of word in table, in any case; false, refused, if table has no such word. */
bool read_name(struct reading *reading, const struct word *word, const struct name_value *table,
	       int *value);

/* All words of table, or-ed together. */
void read_set(struct reading *reading, unsigned *set, const struct name_value *table);

/* The separator between a directory and a name in it: "" after the root. */
const char *path_separator(const char *directory);

/* Makes path absolute, in the arena. */
char *absolute_path(struct reading *reading, const char *directory, const char *path);

/* A copy of the words, in the arena. */
void strings_fill(struct reading *reading, struct strings *strings);

/* --- names ------------------------------------------------------------------------- */

/* Names of users, groups and protocols, looked up once per load: a directory
 * of ten thousand services names root ten thousand times. */
struct accounts *accounts_new(void);
void accounts_free(struct accounts *accounts);

struct account {
	uid_t uid;
	gid_t gid;
	const char *name; /* the accounts' own */
};

/* False when there is no such user, group or protocol. */
bool account_user(struct accounts *accounts, const char *name, struct account *account);
bool account_user_id(struct accounts *accounts, uid_t uid, struct account *account);
bool account_group(struct accounts *accounts, const char *name, gid_t *gid);
bool account_protocol(struct accounts *accounts, const char *name, int *number);

/* Reads reading->words into field; reports errors with reading_refuse. */
typedef void attribute_reader(struct reading *reading, void *field);

/* The readers of the table in attributes.c. */
attribute_reader read_type, read_flags, read_socket_type, read_protocol, read_yes_no, read_wait,
	read_user, read_group, read_server, read_command, read_words, read_count, read_cps,
	read_load, read_access_list, read_access_times, read_log_type, read_log_success,
	read_log_failure, read_env, read_passenv, read_port, read_bind, read_redirect, read_text,
	read_path, read_nice, read_umask, read_size, read_number, read_deny_time, read_period,
	read_kill_timeout, read_rpc_version, read_rpc_number, read_cps_action, read_at_limit,
	read_memory, read_processes, read_cpu, read_proof_of_work, read_processes_at_exit,
	read_proxy_protocol, read_proxy_others, read_send_proxy, read_lingering_close,
	read_kill_on_disconnect, read_on_remove, read_stderr, read_source_prefix, read_source_cps,
	read_config_paths, read_config_path, read_file_mode, read_no_new_privs, read_capabilities,
	read_syscalls, read_file_rules, read_pty, read_log_format, read_control_socket,
	read_control_group, read_status_group, read_preset, read_root, read_scratch,
	read_jail_paths, read_devices, read_directory, read_network, read_nothing;

#endif
