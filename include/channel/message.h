/* The messages between the monitor and the frontend: fixed structs over a
 * SOCK_SEQPACKET pair, some with descriptors [in brackets]. The frontend names a service
 * by its number in a generation of the settings, and a session by a number that it
 * chooses; it never names a path, a user or a process. */
#ifndef USHERD_CHANNEL_MESSAGE_H
#define USHERD_CHANNEL_MESSAGE_H

#include "admission/proxy_header.h"
#include "base/address.h"
#include "base/log.h"
#include "base/session_id.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum message_kind {
	/* from the frontend */
	MESSAGE_READY,          /* it runs, with all restrictions in place */
	MESSAGE_ADOPTED,        /* a generation is in force; its sockets were requested */
	MESSAGE_BIND,           /* requests a socket */
	MESSAGE_UNBIND,         /* closes it */
	MESSAGE_LAUNCH,         /* starts a program: [the connection]
			      * [both ends of the pipe for standard error] */
	MESSAGE_LAUNCH_PROXIED, /* the same for a client that came through a balancer */
	MESSAGE_END,            /* ends a session's processes */
	MESSAGE_BAN,            /* an address touched a sensor */
	MESSAGE_OPEN_BANNER,    /* opens a banner as the service's user */
	MESSAGE_ASK_LIBWRAP,    /* whether libwrap allows a peer of a service */
	MESSAGE_FORGET_LIBWRAP, /* cancels that */
	MESSAGE_LET_IN,         /* permits a connection to the inner socket of INTERCEPT */
	MESSAGE_LET_OUT,        /* it has ended, or was not made */
	MESSAGE_REPORTED,       /* the status report is written */
	MESSAGE_MEASURED,       /* the measures are written, or can't be */
	MESSAGE_RELOAD,         /* the configuration is to be read again */
	MESSAGE_UNBAN,          /* an address is not banned any more */
	MESSAGE_PONG,           /* the answer to MESSAGE_PING */
	MESSAGE_LOGGED,         /* what it was told of programs is in the log */
	MESSAGE_FROM_FRONTEND,  /* the number of kinds above */

	/* from the monitor */
	MESSAGE_START = MESSAGE_FROM_FRONTEND, /* [the daemon's log file]; the first message */
	MESSAGE_GENERATION,                    /* [a sealed region] */
	MESSAGE_LOG,                           /* [a log file] of a generation */
	MESSAGE_ADOPT,                         /* the generation is complete */
	MESSAGE_BOUND, /* [the socket] [INTERCEPT: the one for refused datagrams] */
	MESSAGE_NOT_BOUND,
	MESSAGE_PROCESS, /* the process of a session that has not started yet */
	MESSAGE_STARTED, /* [the master of its terminal] */
	MESSAGE_NOT_STARTED,
	MESSAGE_RELEASED, /* no process of the session has its connection any more */
	MESSAGE_ENDED,
	MESSAGE_SESSION, /* [the read end of its standard error] a session of an earlier
			      * frontend that still runs */
	MESSAGE_BANNED,  /* an address that an earlier frontend banned */
	MESSAGE_BANNER,  /* [the file] */
	MESSAGE_LIBWRAP, /* the answer */
	MESSAGE_GATE,    /* the connection is permitted, or why not */
	MESSAGE_REPORT,  /* [the file for the status report] */
	MESSAGE_MEASURE, /* [the file for the measures] */
	MESSAGE_CONTROL, /* [the control socket] to serve from now on; without: none */
	MESSAGE_LOADED,  /* [a memfd: what changed and what was wrong, as text] the outcome of
			      * the last load; once it is in force, or has failed */
	MESSAGE_CHECK,   /* check the consistency of the counts */
	MESSAGE_PING,    /* answer with MESSAGE_PONG */
	MESSAGE_STOP,    /* the daemon ends */
	MESSAGE_KINDS
};

/* Flags are bytes, not bool: any value may arrive, and all but 0 mean yes. */

/* Which service: its number in the generation of that number. */
struct service_number {
	uint32_t generation, service;
};

/* One socket of a service. */
struct bind_message {
	struct service_number service;
	uint32_t ticket;        /* chosen by the frontend, repeated in the answer */
	int32_t type, protocol; /* of socket(2) */
	struct address address;
	uint8_t v6only;
	uint8_t is_inner;    /* INTERCEPT: the loopback socket that the server gets */
	uint8_t is_new;      /* BOUND: no service or server has had it */
	uint8_t asks_holder; /* who has the address, if it is in use ... */
	int error;           /* NOT_BOUND: errno */
	char holder[96];     /* ... NOT_BOUND: that, for the log; "": not asked, or not known */
};

struct launch_message {
	uint64_t session;
	struct service_number service;
	struct address peer;
	uint8_t waits;            /* the program gets the service's socket on this ... */
	struct address socket;    /* ... address, with ... */
	uint8_t v6only, is_inner; /* ... these, as in struct bind_message */
	uint8_t logs_errors;      /* the last two descriptors are a pipe for standard error */
};

/* What a program has used, with those of its children that it waited for. */
struct program_usage {
	uint64_t cpu_us;  /* processor time, in microseconds */
	uint64_t max_rss; /* the largest resident set of one process, in KiB */
};

/* How a client came through a balancer. */
struct proxied {
	struct address proxy;     /* the balancer's own */
	struct address local;     /* that the client connected to */
	struct proxy_facts facts; /* NUL-ended printable ASCII */
};

struct proxied_launch_message {
	struct launch_message launch; /* at the same place as in MESSAGE_LAUNCH */
	struct proxied proxied;
};

struct program_message {
	uint64_t session;
	struct service_number service; /* SESSION */
	struct address peer;           /* SESSION */
	int64_t started;               /* SESSION: seconds since the epoch ... */
	uint64_t opened;               /* ... and as clock_now() has it */
	struct session_id id;          /* STARTED, SESSION */
	struct address socket;         /* SESSION: that a wait server has; unknown: none ... */
	uint8_t v6only, is_inner;      /* ... as in bind_message */
	int32_t pid;                   /* PROCESS, STARTED, SESSION, where 0: it is being started */
	uint8_t is_news;               /* SESSION: no frontend was told of its start */
	int32_t status;                /* ENDED: as of waitpid(2) ... */
	uint8_t end_reason;            /* ... enum end_reason (session/end_reason.h) ... */
	struct program_usage usage;    /* ... what it has used ... */
	uint64_t ended;                /* ... and when, as clock_now() has it */
	char step[24];                 /* NOT_STARTED, which alone has what follows: the step
					* that failed ... */
	char reason[104];              /* ... and why ... */
	uint8_t no_process;            /* ... no process could be made */
};

struct end_message {
	uint64_t session;
	uint8_t at_once; /* SIGKILL; otherwise SIGTERM, and SIGKILL after the grace time */
	uint8_t reason;  /* enum end_reason */
};

/* The frontend counts STARTED, SESSION and ENDED together. */
struct logged_message {
	uint64_t count; /* so many of them have come, and their lines are written */
};

struct measured_message {
	uint64_t ticket; /* MEASURE: the monitor's; MEASURED: the same */
	int32_t error;   /* MEASURED: errno; 0: the measures are written */
};

struct report_message {
	uint64_t ticket; /* REPORT: the monitor's; REPORTED: the same */
};

struct ban_message {
	struct address address;
	uint64_t until; /* milliseconds of the monotonic clock; SENSOR_FOREVER */
};

struct banner_message {
	uint64_t ticket; /* the frontend's */
	struct service_number service;
	uint8_t which; /* enum banner_kind (config/settings.h) */
	int error;     /* BANNER without a descriptor: errno */
};

struct libwrap_message {
	uint64_t ticket; /* the frontend's */
	struct service_number service;
	struct address peer, local;
	uint8_t is_allowed; /* LIBWRAP */
};

#define MESSAGE_OWN_LOG UINT32_MAX /* the number of the daemon's own log */

struct gate_message {
	uint64_t ticket; /* the frontend's */
	struct service_number service;
	uint16_t port; /* of the connection, on the loopback interface */
	int error;     /* GATE: errno; 0: it is permitted */
};

struct generation_message {
	uint32_t generation;
	int32_t place; /* region_map */
	uint64_t used;
	uint32_t log;           /* LOG: its number in the generation */
	uint32_t bound, wanted; /* ADOPTED: sockets */
	uint32_t descriptors;   /* ADOPT: that the monitor has for sockets and programs */
	struct log_style style; /* ADOPT */
};

/* Who may use the control socket besides root. */
struct control_message {
	uint32_t owner;        /* a user */
	uint32_t group;        /* if has_group */
	uint32_t status_group; /* if has_status_group: may ask for the status alone */
	uint8_t has_group, has_status_group;
};

struct reload_message {
	uint64_t ticket;      /* RELOAD: the frontend's; LOADED: the last one that came before
				* this load; a new frontend counts from 1 */
	int64_t time;         /* LOADED: of the load, seconds since the epoch ... */
	uint8_t is_loaded;    /* ... what it read is in force ... */
	uint32_t errors;      /* ... in the files, or with limits that can't be kept ... */
	uint32_t left_out;    /* ... services that are not started for these ... */
	uint32_t added, kept; /* ... services that are new, that there were ... */
	uint32_t changed;     /* ... some of these with other settings ... */
	uint32_t removed;     /* ... */
	uint32_t broken;      /* ... and that keep their version for an error */
};

enum message_log { MESSAGE_LOG_STDERR, MESSAGE_LOG_SYSLOG, MESSAGE_LOG_FILE };

/* What a frontend must know first. */
struct start_message {
	uint64_t region_address; /* regions_reserve */
	uint64_t daemon_since;   /* when it started, as clock_read has it */
	uint64_t first_session;  /* the number of its first session; the upper half is unique
				  * to this frontend */
	int32_t monitor;         /* its process id, for the log */
	uint8_t changes_user;    /* to these; otherwise it keeps its user */
	uint32_t uid, gid;
	uint32_t process_limit, ident_limit;
	uint8_t log; /* enum message_log */
	int32_t log_facility, log_level;
	struct log_style log_style;
	uint8_t announces;       /* lists the services' addresses at the first generation ... */
	uint8_t copies_errors;   /* ... and until then copies errors to the terminal */
	uint32_t check_interval; /* seconds; 0: never */
	char name[32];           /* the daemon's, for the log ... */
	char tag[33];            /* ... and for syslog */
};

struct stop_message {
	uint8_t leaves_programs; /* SIGQUIT */
	uint8_t leaves_ports;    /* the next daemon gets the sockets, and who waits there */
};

struct message {
	enum message_kind kind;
	union {
		struct bind_message bind;
		struct launch_message launch;
		struct proxied_launch_message proxied_launch;
		struct program_message program;
		struct end_message end;
		struct logged_message logged;
		struct measured_message measured;
		struct report_message report;
		struct ban_message ban;
		struct banner_message banner;
		struct libwrap_message libwrap;
		struct gate_message gate;
		struct generation_message generation;
		struct control_message control;
		struct reload_message reload;
		struct stop_message stop;
		struct start_message start;
	};
};

enum { MESSAGE_DESCRIPTORS_MAX = 3 };

/* The shape of one kind of message. */
struct message_shape {
	size_t size; /* bytes that are sent */
	unsigned descriptors_min, descriptors_max;
};

/* The shape of kind; NULL when there is no such kind. */
const struct message_shape *message_shape(unsigned kind);

/* False when the length of a received address does not fit its family. An unknown
 * address is sound. */
bool message_address_is_sound(const struct address *address);

#endif
