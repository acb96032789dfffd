/* The configuration as a value: complete, checked, and never changed once it is built.
 * A reload builds a new one and compares.
 *
 * Each service's settings have their own reference count, so a session of several weeks
 * keeps only the settings it started with. Loop thread only. */
#ifndef USHERD_CONFIG_SETTINGS_H
#define USHERD_CONFIG_SETTINGS_H

#include "base/address.h"
#include "base/arena.h"
#include "base/user_file.h"
#include "config/access_list.h"
#include "config/access_times.h"
#include "config/port_map.h"
#include "config/problem.h"

#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/types.h>

#define UNLIMITED UINT_MAX

enum service_type {
	TYPE_RPC = 1,
	TYPE_INTERNAL = 2,
	TYPE_UNLISTED = 4,
	TYPE_SPECIAL = 8,
	TYPE_TCPMUX = 16,
	TYPE_TCPMUXPLUS = 32,
};

enum service_flag {
	FLAG_REUSE = 1,
	FLAG_INTERCEPT = 2,
	FLAG_NORETRY = 4,
	FLAG_IDONLY = 8,
	FLAG_NAMEINARGS = 16,
	FLAG_NODELAY = 32,
	FLAG_KEEPALIVE = 64,
	FLAG_NOLIBWRAP = 128,
	FLAG_SENSOR = 256,
	FLAG_IPV4 = 512,
	FLAG_IPV6 = 1024,
	FLAG_LABELED = 2048,
	FLAG_DGRAMBAN = 4096,
};

/* log_on_success and log_on_failure. */
enum log_flag {
	LOG_FLAG_PID = 1,
	LOG_FLAG_HOST = 2,
	LOG_FLAG_USERID = 4,
	LOG_FLAG_EXIT = 8,
	LOG_FLAG_DURATION = 16,
	LOG_FLAG_TRAFFIC = 32,
	LOG_FLAG_ATTEMPT = 64,
	LOG_FLAG_REASON = 128,
	LOG_FLAG_RUSAGE = 256,
	LOG_FLAG_SESSION = 512,
};

enum log_kind { LOG_KIND_NONE, LOG_KIND_FILE, LOG_KIND_SYSLOG };

struct log_type {
	enum log_kind kind;
	char *path; /* FILE, absolute */
	uint64_t soft_limit, hard_limit;
	int facility, level; /* SYSLOG */
	bool is_common;      /* inherited from defaults: one log for all of them */
};

enum cps_action { CPS_REFUSE, CPS_QUEUE, CPS_SUSPEND };
enum at_limit { AT_LIMIT_REFUSE, AT_LIMIT_QUEUE };
enum on_remove { ON_REMOVE_END, ON_REMOVE_DRAIN };
enum { LINGERING_CLOSE_YES = 5 }; /* seconds */
enum kill_on_disconnect { KILL_NEVER, KILL_ON_RESET, KILL_ON_FIN };
enum preset { PRESET_NONE, PRESET_JAIL };
enum proxy_others { PROXY_OTHERS_REFUSE, PROXY_OTHERS_DIRECT };
enum pty_kind { PTY_NO, PTY_YES, PTY_EOF }; /* EOF: with an end of input */
enum processes_at_exit { AT_EXIT_UNSET, AT_EXIT_KEEP, AT_EXIT_KILL };
enum banner_kind { BANNER_ALWAYS, BANNER_SUCCESS, BANNER_FAIL, BANNER_KINDS };
enum stderr_kind { STDERR_SOCKET, STDERR_LOG, STDERR_NULL, STDERR_FILE };
enum network { NETWORK_HOST, NETWORK_NONE };

enum no_new_privs { NO_NEW_PRIVS_UNSET, NO_NEW_PRIVS_NO, NO_NEW_PRIVS_YES };

struct sock_filter;

/* A program for seccomp(2). */
struct call_filter {
	struct sock_filter *list;
	size_t count; /* 0: there is none */
};

/* In the order in which a child loads them; the last may forbid to load more. FILTER_INHERITED is
 * that of a thread which starts the program; with it FILTER_REST is the same as FILTER_CALLS. */
enum call_filter_kind {
	FILTER_FILES,
	FILTER_CALLS,
	FILTER_INHERITED,
	FILTER_REST,
	CALL_FILTERS,
};

struct strings {
	char **list;    /* NULL-ended once set */
	unsigned count; /* at most VALUES_MAX */
	bool is_set;
};

/* What a server may use. */
enum limit {
	LIMIT_AS,
	LIMIT_CPU,
	LIMIT_DATA,
	LIMIT_RSS,
	LIMIT_STACK,
	LIMIT_FILES,
	LIMIT_NPROC,
	LIMIT_FSIZE,
	LIMIT_CORE,
	LIMIT_MEMLOCK,
	LIMIT_COUNT
};

struct rate {
	uint32_t rate;    /* in so many seconds; 0: no limit */
	uint32_t seconds; /* 1 to 86,400 */
	uint32_t other;   /* cps: seconds of suspension; source_cps: burst */
};

/* Where the configuration sets an attribute. */
struct place {
	const char *file; /* NULL: nowhere */
	int line;
	bool is_inherited; /* from defaults */
};

/* For inherited_from. */
enum { ORIGIN_SIZE = 512 };

/* What a service's program gets, and what each session of it may use, do and see. */
struct program_settings {
	bool groups;
	struct strings end_command; /* its program, an absolute path, and arguments */
	char **end_argv;            /* what that program gets, NULL-ended */
	struct strings env, passenv;
	char **environment; /* the part that is the same for all sessions, NULL-ended */
	size_t environment_count;
	size_t environment_passed; /* how many of them come before those of env */
	bool session_env;          /* SESSION_ID and SESSION_SLOT */
	bool nice_is_set, umask_is_set;
	int nice;
	mode_t umask;
	enum stderr_kind stderr_kind;
	char *stderr_path;

	/* What it may use. */
	rlim_t limits[LIMIT_COUNT];
	bool limit_is_set[LIMIT_COUNT];
	uint64_t memory;    /* bytes of a session; 0: no limit */
	unsigned processes; /* of a session; 0: no limit */
	unsigned cpu;       /* percent of one processor, for a session; 0: no limit */

	/* What it must not do. The monitor makes the filters when it has read the
	 * configuration; see monitor/privileges.h. */
	enum no_new_privs no_new_privs; /* as it is written */
	bool capabilities_is_set;
	uint64_t capabilities; /* those that are left, a bit each */
	struct strings syscalls;
	struct strings allow_read, allow_write, allow_execute; /* see file_rule_path */
	struct call_filter filters[CALL_FILTERS];

	/* What it sees of the machine. Paths are those in root. */
	char *root;      /* absolute; NULL: the host's */
	bool lacks_root; /* while it is read: root can't be used */
	bool proc;
	enum network network;
	struct strings scratch; /* a path and its bytes, a path and its bytes ... */
	struct strings writable, devices;
	char *directory; /* absolute; NULL: not set */
	char *jail; /* all of these but directory, with who owns scratch, as one text: equal for
		     * equal jails; NULL: none of them is set */
};

/* Whom a service admits, and how many. */
struct admission_settings {
	unsigned instances, per_source; /* UNLIMITED */
	struct rate cps, source_cps;
	enum cps_action cps_action;
	enum at_limit at_limit;
	double max_load; /* 0: none */
	struct access_list only_from, no_access;
	unsigned proxy_protocol; /* versions, a bit each (1 and 2); 0: no header is read */
	enum proxy_others proxy_others;
	struct access_list proxy_from;
	struct access_interval *access_times;
	size_t access_times_count;
	unsigned proof_of_work; /* difficulty of a client's puzzle; 0: there is none */
	int proof_of_work_time; /* seconds without another one; 0: none */
	char *libwrap;
};

struct service_settings {
	unsigned references;
	int line;         /* where the entry begins, in ... */
	const char *file; /* borrowed, see file_name_keep */
	struct arena arena;
	char *canonical; /* the effective attributes, a line each, as -print writes them;
			  * NULL in a generation */
	char **lines;    /* in a generation: the same as a NULL-ended list of lines */
	struct {
		int start, length; /* with the newline; 0: there is none */
	} log_line;                /* the part of canonical that sets log_type */
	struct place *places;      /* by attribute, with load_options.advise; otherwise NULL */

	/* Many services have equal ones. A generation stores those once. */
	struct program_settings *program;
	struct admission_settings *admission;

	char *name, *id;
	unsigned types, flags; /* enum service_type, enum service_flag */
	int socket_type;       /* SOCK_STREAM ... */
	int protocol_number;
	char *protocol;
	int wait; /* 1, 0, or -1: not set */
	int port; /* host byte order; 0 where a service has none: TCPMUX */
	struct strings bind;
	bool v6only;
	bool disable;
	bool lacks_program; /* while it is read: server does not exist */
	bool group_is_set;

	enum preset preset; /* whose lines were added to the entry (preset.h) */
	char *user;         /* NULL when not set */
	char *account;      /* the user's name; if there is none, the value of user */
	uid_t uid;
	gid_t gid;                  /* the user's, or group's where that is set */
	gid_t user_gid;             /* the user's in any case */
	bool placeholders;          /* they have a meaning (placeholders.h) */
	unsigned placeholders_used; /* as of placeholders_in, in all texts; 0: nothing to expand */
	uint16_t redirect_port;
	struct source_prefix source_prefix; /* what is one source of clients */
	char *redirect_host;
	char *server;
	struct strings server_args;
	char **argv; /* what the program gets, NULL-ended */

	/* Its sessions. */
	enum pty_kind pty;
	int idle_timeout;    /* seconds; 0: none */
	int start_timeout;   /* seconds; 0: no limit */
	int max_runtime;     /* seconds; 0: no limit */
	int kill_timeout;    /* seconds from SIGTERM to SIGKILL; 0: not set */
	int lingering_close; /* seconds; 0: no */
	enum kill_on_disconnect kill_on_disconnect;
	unsigned send_proxy; /* version of the PROXY protocol; 0: none */
	enum processes_at_exit processes_at_exit;
	enum on_remove on_remove;
	int deny_time; /* minutes; 0: never, -1: for ever */

	char *banner, *banner_success, *banner_fail;
	struct log_type log;
	unsigned log_on_success, log_on_failure; /* enum log_flag */
	int fold_failures;                       /* seconds; -1: not set */

	int rpc_version_first, rpc_version_last; /* 0: not set */
	unsigned long rpc_number;
};

/* All settings of a service in one piece: while they are read, and in a copy. */
struct whole_settings {
	struct service_settings service; /* points to the others */
	struct program_settings program;
	struct admission_settings admission;
};

enum { STATUS_MODE = 0600 };               /* unless set */
#define STATUS_FILE "/var/run/xinetd.dump" /* the same: where xinetd's users look for it */

/* Seconds that a program has from SIGTERM to SIGKILL, and then end_command: unless set, and at
 * most. The daemon's own end waits for both, and systemd waits 90 seconds for the daemon. */
enum { KILL_TIMEOUT = 5, KILL_TIMEOUT_MAX = 40 };

/* The highest difficulty of proof_of_work: checking a solution takes 0.3 seconds. */
enum { PROOF_OF_WORK_MAX = 1000000 };

/* Attributes of the daemon as a whole. */
struct daemon_settings {
	struct strings port_maps; /* absolute paths */
	char *status_file;        /* absolute; NULL: the default */
	mode_t status_mode;
	char *ban_file;       /* absolute; NULL: bans are in memory alone */
	char *control_socket; /* absolute; NULL: the default, unless ... */
	bool has_no_control;  /* ... there is to be none */
	char *control_group;  /* who may use it besides the daemon's user and root; NULL: nobody */
	gid_t control_gid;
	char *status_group; /* who may only ask for the status there; NULL: nobody */
	gid_t status_gid;
	char *metrics_file;              /* absolute; NULL: none */
	const char *pid_file, *log_file; /* of the command line; absolute; NULL: none */
	int log_format;                  /* enum log_format (base/log.h); -1: not set */
	struct source_prefix log_anonymize;
	char *user;     /* whom the frontend runs as; NULL when not set */
	uid_t user_uid; /* 0: a number that nobody has */
	gid_t user_gid;
	bool watch; /* changed files are read without a signal */
	struct strings enabled, disabled;
};

/* What was read as a whole: a directory of files, or a file that is named itself. */
struct source {
	const char *path; /* absolute */
	bool is_directory;
	STAILQ_ENTRY(source) link;
};

/* An entry whose service is not started. */
struct left_out {
	const char *id, *name;
	const char *file;
	int line;
	const char *why;  /* for a message: "is left out: WHY" */
	bool is_broken;   /* otherwise it is disabled */
	const char *body; /* the attributes, a line each, if only the program does not exist;
			   * otherwise NULL */
	STAILQ_ENTRY(left_out) link;
};

struct settings {
	struct service_settings **services; /* in the order of the files */
	size_t count;
	STAILQ_HEAD(, left_out) left_out;
	STAILQ_HEAD(, source) sources;
	struct daemon_settings daemon;
	struct arena arena;
	/* The ids of entries with errors, and whether text was skipped that may have been
	 * entries: a reload keeps the running services of these. */
	struct broken_id *broken; /* a hash; see settings_has_broken */
	bool lost_entries;
};

/* An empty one, or NULL with errno. */
struct settings *settings_new(void);

/* " (set in defaults, FILE:LINE)" when the service inherits the attribute of that
 * index and its places are known, otherwise "". Returns text. */
const char *inherited_from(const struct service_settings *service, size_t attribute,
			   char text[static ORIGIN_SIZE]);

/* Notes that the entry with this id has an error. */
void settings_add_broken(struct settings *settings, const char *id);
bool settings_has_broken(const struct settings *settings, const char *id);

/* Notes an entry whose service is not started; the texts except why are copied. */
void settings_leave_out(struct settings *settings, const struct left_out *entry);

/* Notes a source; path is copied. */
void settings_add_source(struct settings *settings, const char *path, bool is_directory);

/* New settings with xinetd's default values, one reference: those of a struct whole_settings.
 * NULL with errno. */
struct service_settings *service_settings_new(void);

/* A copy of a file name, valid until file_names_forget: settings and problems refer to the
 * same file many times. NULL with errno. */
const char *file_name_keep(const char *file);

/* Frees the copies. Loaded settings, and problems, must be freed before; struct left_out
 * and a generation have copies of their own. */
void file_names_forget(void);

/* Frees settings and its references to services. NULL is harmless. */
void settings_free(struct settings *settings);

struct service_settings *service_settings_keep(struct service_settings *service);
void service_settings_release(struct service_settings *service);

/* The name that hosts.allow and hosts.deny know the service by. */
const char *service_libwrap_name(const struct service_settings *service);

/* The path of the service's banner; NULL: it has none of this kind. */
const char *service_banner(const struct service_settings *service, enum banner_kind which);

/* The user that reads the service's banners: its own, or USER_NOBODY. */
static inline uid_t service_reader_uid(const struct service_settings *service)
{
	return service->user ? service->uid : USER_NOBODY;
}

static inline gid_t service_reader_gid(const struct service_settings *service)
{
	return service->user ? service->gid : USER_NOBODY;
}

static inline bool service_is_internal(const struct service_settings *service)
{
	return service->types & TYPE_INTERNAL;
}

/* The families that the flags allow: FLAG_IPV4, FLAG_IPV6 or both. Without either flag
 * both are allowed. */
unsigned service_allowed_families(const struct service_settings *service);

/* The families, FLAG_IPV4 and FLAG_IPV6, that the socket for bind's word of that index
 * takes; without bind, index 0 is the only socket. A name may lead to either family. */
unsigned service_families(const struct service_settings *service, size_t index);

/* True for a service whose answer is a program's. */
static inline bool service_starts_program(const struct service_settings *service)
{
	return !(service->flags & FLAG_SENSOR) && !service_is_internal(service) &&
	       !service->redirect_host;
}

/* True when programs write their standard error to the log. Other services may have the attribute
 * from defaults. */
static inline bool service_logs_errors(const struct service_settings *service)
{
	return service_starts_program(service) && service->program->stderr_kind == STDERR_LOG;
}

/* True when all processes of a session have a limit together. */
static inline bool service_has_cgroup_limits(const struct service_settings *service)
{
	return service->program->memory || service->program->processes || service->program->cpu;
}

/* True when a session has namespaces of its own. */
static inline bool service_has_jail(const struct service_settings *service)
{
	const struct program_settings *program = service->program;

	return program->root || program->scratch.count > 0 || program->proc ||
	       program->devices.is_set || program->network == NETWORK_NONE;
}

/* True when a session lasts until the last process that it started has ended. Otherwise it ends
 * with its program. */
static inline bool service_is_tracked(const struct service_settings *service)
{
	return service->processes_at_exit != AT_EXIT_UNSET || service_has_cgroup_limits(service) ||
	       service->max_runtime || service->idle_timeout || service->lingering_close ||
	       service->kill_on_disconnect || service->program->end_command.count > 0;
}

/* True when the system calls of a session are filtered by an allow list. */
static inline bool service_filters_calls(const struct service_settings *service)
{
	const struct strings *calls = &service->program->syscalls;

	return calls->count > 0 && calls->list[0][0] != 'a'; /* all */
}

/* The attribute that is set of those for which everything that is not listed is refused; NULL:
 * none. */
static inline const char *service_file_rules(const struct service_settings *service)
{
	const struct program_settings *program = service->program;

	return program->allow_read.is_set      ? "allow_read"
	       : program->allow_write.is_set   ? "allow_write"
	       : program->allow_execute.is_set ? "allow_execute"
					       : NULL;
}

/* The path in a word of allow_read, allow_write or allow_execute. With a "-" before it the file
 * may be missing. */
static inline const char *file_rule_path(const char *word)
{
	return *word == '-' ? word + 1 : word;
}

/* The attribute that implies no_new_privs = yes; NULL: none. */
static inline const char *service_needs_no_new_privs(const struct service_settings *service)
{
	return service_filters_calls(service) ? "syscalls" : service_file_rules(service);
}

static inline bool service_has_no_new_privs(const struct service_settings *service)
{
	return service->program->no_new_privs == NO_NEW_PRIVS_YES ||
	       service_needs_no_new_privs(service);
}

static inline bool service_is_stream(const struct service_settings *service)
{
	return service->socket_type == SOCK_STREAM;
}

/* A service that is reached through tcpmux and has no socket of its own. */
static inline bool service_is_multiplexed(const struct service_settings *service)
{
	return service->types & (TYPE_TCPMUX | TYPE_TCPMUXPLUS);
}

/* True for a SENSOR whose clients are refused by all services. A datagram's sender can
 * be forged, so a SENSOR for datagrams needs DGRAMBAN too. */
static inline bool service_bans(const struct service_settings *service)
{
	return (service->flags & FLAG_SENSOR) && service->deny_time != 0 &&
	       (service_is_stream(service) || (service->flags & FLAG_DGRAMBAN));
}

/* Milliseconds that its programs have from SIGTERM to SIGKILL, and that end_command has. */
static inline unsigned service_grace_ms(const struct service_settings *service)
{
	return 1000 * (unsigned)(service->kill_timeout ? service->kill_timeout : KILL_TIMEOUT);
}

/* True for a service whose clients come through balancers that say who they are. */
static inline bool service_is_proxied(const struct service_settings *service)
{
	return service->admission->proxy_protocol != 0;
}

/* True when its program gets the listening socket. */
static inline bool service_waits(const struct service_settings *service)
{
	return service->wait == 1 && !service_is_internal(service);
}

/* True when the daemon itself accepts its connections. */
static inline bool service_accepts(const struct service_settings *service)
{
	return service_is_stream(service) && !service_waits(service);
}

/* True for a service whose programs get TCP connections of their own. */
static inline bool service_hands_connections(const struct service_settings *service)
{
	return service_starts_program(service) && service->protocol_number == IPPROTO_TCP &&
	       !service_waits(service);
}

/* True when the frontend keeps a descriptor of each connection that it hands to a program, or
 * that a program's terminal stands for. */
static inline bool service_keeps_socket(const struct service_settings *service)
{
	return service_hands_connections(service) &&
	       (service->pty || service->lingering_close || service->idle_timeout ||
		service->kill_on_disconnect || (service->log_on_success & LOG_FLAG_TRAFFIC));
}

#endif
