#include "config/attributes.h"

#include "config/reading.h"
#include "config/settings.h"
#include "config/word.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define SERVICE_FIELD(field) offsetof(struct whole_settings, service.field)
#define PROGRAM_FIELD(field) offsetof(struct whole_settings, program.field)
#define ADMISSION_FIELD(field) offsetof(struct whole_settings, admission.field)
#define DAEMON_FIELD(field) offsetof(struct daemon_settings, field)
#define LIMIT_FIELD(which) PROGRAM_FIELD(limits[which])

#define SCALAR SHAPE_SCALAR
#define LIST SHAPE_LIST
#define GROWING SHAPE_GROWING
#define PLAIN WORDS_PLAIN
#define PATH WORDS_PATH
#define LOG WORDS_LOG
#define FLAGS WORDS_FLAGS
#define RETIRED WORDS_RETIRED
#define ACCESS WORDS_ACCESS
#define PROGRAM (WORDS_PATH | WORDS_PROGRAM)
#define ARGUMENTS (WORDS_FREE | WORDS_EXPANDED)
#define VARIABLES (WORDS_FREE | WORDS_VARIABLES | WORDS_EXPANDED)
#define EXPANDED WORDS_EXPANDED
#define FORESEEN (WORDS_EXPANDED | WORDS_FORESEEN)
#define SERVICE IN_SERVICE
#define PROTECTION (IN_SERVICE | REFUSED_IN_DEFAULTS)
#define BOTH (IN_SERVICE | IN_DEFAULTS)

/* name, shape, places, least and most values, what they are, reader, field, help */
const struct attribute attributes[] = {
	{ "id", SCALAR, SERVICE, 1, 1, PLAIN, read_text, SERVICE_FIELD(id),
	  "the service's own name, where several have the same one" },
	{ "type", SCALAR, SERVICE, 1, -1, PLAIN, read_type, SERVICE_FIELD(types),
	  "RPC, INTERNAL, UNLISTED, SPECIAL, TCPMUX, TCPMUXPLUS" },
	{ "flags", SCALAR, SERVICE, 1, -1, FLAGS, read_flags, SERVICE_FIELD(flags),
	  "INTERCEPT, NORETRY, IDONLY, NAMEINARGS, NODELAY, KEEPALIVE, NOLIBWRAP, SENSOR, "
	  "DGRAMBAN, IPv4, IPv6, LABELED, REUSE" },
	{ "disable", SCALAR, SERVICE, 1, 1, PLAIN, read_yes_no, SERVICE_FIELD(disable),
	  "yes: the service is not started" },
	{ "preset", SCALAR, PROTECTION, 1, 1, WORDS_PRESET, read_preset, SERVICE_FIELD(preset),
	  "jail: a careful choice of limits and protections for programs that are not trusted" },
	{ "socket_type", SCALAR, SERVICE, 1, 1, PLAIN, read_socket_type, SERVICE_FIELD(socket_type),
	  "stream, dgram, raw or seqpacket" },
	{ "protocol", SCALAR, SERVICE, 1, 1, PLAIN, read_protocol, SERVICE_FIELD(protocol),
	  "tcp, udp or another name of /etc/protocols" },
	{ "wait", SCALAR, SERVICE, 1, 1, PLAIN, read_wait, SERVICE_FIELD(wait),
	  "yes: one server takes the socket itself; no: one server for each connection" },
	{ "user", SCALAR, SERVICE | IN_DAEMON, 1, 1, PLAIN, read_user, 0,
	  "the user that the server runs as; in daemon, that the frontend runs as" },
	{ "group", SCALAR, SERVICE, 1, 1, PLAIN, read_group, SERVICE_FIELD(gid),
	  "the server's group, in place of the user's" },
	{ "groups", SCALAR, BOTH, 1, 1, PLAIN, read_yes_no, PROGRAM_FIELD(groups),
	  "yes: the server has the user's supplementary groups" },
	{ "root", SCALAR, PROTECTION, 1, 1, PLAIN, read_root, PROGRAM_FIELD(root),
	  "the session's root directory, read-only" }, /* before server, which is looked up in it */
	{ "server", SCALAR, SERVICE, 1, 1, PROGRAM, read_server, SERVICE_FIELD(server),
	  "the program to run" },
	{ "placeholders", SCALAR, SERVICE, 1, 1, PLAIN, read_yes_no, SERVICE_FIELD(placeholders),
	  "yes: %client, %port, %session, %slot and %user have a meaning" }, /* before the next */
	{ "server_args", SCALAR, SERVICE, 1, -1, ARGUMENTS, read_words, SERVICE_FIELD(server_args),
	  "its arguments" },
	{ "end_command", SCALAR, SERVICE, 1, -1, ARGUMENTS, read_command,
	  PROGRAM_FIELD(end_command),
	  "a program to run when a session has ended, and its arguments" },
	{ "redirect", SCALAR, SERVICE, 2, 2, PLAIN, read_redirect, 0,
	  "address and port that connections are passed on to" },
	{ "send_proxy", SCALAR, SERVICE, 1, 1, PLAIN, read_send_proxy, SERVICE_FIELD(send_proxy),
	  "redirect: v1 or v2, the PROXY header that tells the target who the client is" },
	{ "idle_timeout", SCALAR, SERVICE, 1, 1, PLAIN, read_period, SERVICE_FIELD(idle_timeout),
	  "seconds without a byte in either direction after which a session is ended" },
	{ "start_timeout", SCALAR, SERVICE, 1, 1, PLAIN, read_period, SERVICE_FIELD(start_timeout),
	  "seconds that a connection may take until its server is started" },
	{ "max_runtime", SCALAR, SERVICE, 1, 1, PLAIN, read_period, SERVICE_FIELD(max_runtime),
	  "seconds after which a session is ended" },
	{ "kill_timeout", SCALAR, SERVICE, 1, 1, PLAIN, read_kill_timeout,
	  SERVICE_FIELD(kill_timeout), "seconds that the server has from SIGTERM to SIGKILL" },
	{ "lingering_close", SCALAR, SERVICE, 1, 1, PLAIN, read_lingering_close,
	  SERVICE_FIELD(lingering_close),
	  "yes, no or SECONDS: at the end, read what the client still sends, so that no reset "
	  "cuts the answer" },
	{ "kill_on_disconnect", SCALAR, SERVICE, 1, 1, PLAIN, read_kill_on_disconnect,
	  SERVICE_FIELD(kill_on_disconnect),
	  "no, reset or fin: end the server when its client is gone" },
	{ "port", SCALAR, SERVICE, 1, 1, PLAIN, read_port, SERVICE_FIELD(port), "the port number" },
	{ "bind", SCALAR, BOTH, 1, -1, PLAIN, read_bind, SERVICE_FIELD(bind),
	  "the local addresses to listen on" },
	{ "v6only", SCALAR, BOTH, 1, 1, PLAIN, read_yes_no, SERVICE_FIELD(v6only),
	  "yes: an IPv6 socket serves no IPv4 clients" },
	{ "instances", SCALAR, BOTH, 1, 1, PLAIN, read_count, ADMISSION_FIELD(instances),
	  "how many servers may run at once" },
	{ "per_source", SCALAR, BOTH, 1, 1, PLAIN, read_count, ADMISSION_FIELD(per_source),
	  "how many servers one source may have" },
	{ "source_prefix", SCALAR, BOTH, 2, 2, PLAIN, read_source_prefix,
	  SERVICE_FIELD(source_prefix),
	  "how many leading bits of an IPv4 and of an IPv6 address identify a source" },
	{ "at_limit", SCALAR, BOTH, 1, 1, PLAIN, read_at_limit, ADMISSION_FIELD(at_limit),
	  "refuse or queue connections beyond instances" },
	{ "cps", SCALAR, BOTH, 2, 2, PLAIN, read_cps, ADMISSION_FIELD(cps),
	  "connections per second or RATE/SECONDS, and seconds of suspension" },
	{ "cps_action", SCALAR, BOTH, 1, 1, PLAIN, read_cps_action, ADMISSION_FIELD(cps_action),
	  "refuse, queue or suspend when there are more" },
	{ "source_cps", SCALAR, BOTH, 2, 2, PLAIN, read_source_cps, ADMISSION_FIELD(source_cps),
	  "connections per second or RATE/SECONDS from one source, and how many at once" },
	{ "max_load", SCALAR, BOTH, 1, 1, PLAIN, read_load, ADMISSION_FIELD(max_load),
	  "the one-minute load average from which connections are refused" },
	{ "only_from", LIST, BOTH, 0, -1, ACCESS, read_access_list, ADMISSION_FIELD(only_from),
	  "the hosts that are served; @FILE: those in the file" },
	{ "no_access", LIST, BOTH, 0, -1, ACCESS, read_access_list, ADMISSION_FIELD(no_access),
	  "the hosts that are not served; @FILE: those in the file" },
	{ "proxy_protocol", SCALAR, SERVICE, 1, 1, PLAIN, read_proxy_protocol,
	  ADMISSION_FIELD(proxy_protocol),
	  "off, v1, v2 or any: the PROXY header in which a balancer names the client" },
	{ "proxy_from", LIST, BOTH, 0, -1, ACCESS, read_access_list, ADMISSION_FIELD(proxy_from),
	  "the addresses of the balancers" },
	{ "proxy_others", SCALAR, BOTH, 1, 1, PLAIN, read_proxy_others,
	  ADMISSION_FIELD(proxy_others), "refuse or direct: clients that come from no balancer" },
	{ "access_times", SCALAR, SERVICE, 1, -1, PLAIN, read_access_times,
	  ADMISSION_FIELD(access_times), "the intervals of the day in which clients are admitted" },
	{ "proof_of_work", SCALAR, SERVICE, 1, 1, PLAIN, read_proof_of_work,
	  ADMISSION_FIELD(proof_of_work),
	  "the difficulty, 1 to 1000000, of a puzzle that each client must solve first" },
	{ "proof_of_work_time", SCALAR, SERVICE, 1, 1, PLAIN, read_period,
	  ADMISSION_FIELD(proof_of_work_time),
	  "seconds for which a source that has solved one gets no other" },
	{ "deny_time", SCALAR, SERVICE, 1, 1, PLAIN, read_deny_time, SERVICE_FIELD(deny_time),
	  "SENSOR: minutes for which a source is refused everywhere, FOREVER or NEVER" },
	{ "libwrap", SCALAR, SERVICE, 1, 1, PLAIN, read_text, ADMISSION_FIELD(libwrap),
	  "the daemon name for hosts.allow and hosts.deny" },
	{ "log_type", SCALAR, BOTH, 1, 4, LOG, read_log_type, SERVICE_FIELD(log),
	  "SYSLOG facility [level] or FILE path [soft limit [hard limit]]" },
	{ "log_on_success", LIST, BOTH, 0, -1, PLAIN, read_log_success,
	  SERVICE_FIELD(log_on_success),
	  "PID, HOST, USERID, EXIT, DURATION, TRAFFIC, REASON, "
	  "RUSAGE, SESSION" },
	{ "log_on_failure", LIST, BOTH, 0, -1, PLAIN, read_log_failure,
	  SERVICE_FIELD(log_on_failure), "HOST, USERID, ATTEMPT" },
	{ "fold_failures", SCALAR, BOTH, 1, 1, PLAIN, read_period, SERVICE_FIELD(fold_failures),
	  "seconds for which one source's refusals are counted in one line" },
	{ "banner", SCALAR, BOTH, 1, 1, PATH, read_path, SERVICE_FIELD(banner),
	  "a file sent to every client at once" },
	{ "banner_success", SCALAR, BOTH, 1, 1, PATH, read_path, SERVICE_FIELD(banner_success),
	  "a file sent to clients that are admitted" },
	{ "banner_fail", SCALAR, BOTH, 1, 1, PATH, read_path, SERVICE_FIELD(banner_fail),
	  "a file sent to clients that are refused" },
	{ "env", GROWING, SERVICE, 0, -1, VARIABLES, read_env, PROGRAM_FIELD(env),
	  "NAME=VALUE for the server's environment" },
	{ "passenv", LIST, BOTH, 0, -1, PLAIN, read_passenv, PROGRAM_FIELD(passenv),
	  "which variables of the daemon's own environment the server gets" },
	{ "session_env", SCALAR, SERVICE, 1, 1, PLAIN, read_yes_no, PROGRAM_FIELD(session_env),
	  "yes: the server gets SESSION_ID and SESSION_SLOT" },
	{ "umask", SCALAR, BOTH, 1, 1, PLAIN, read_umask, PROGRAM_FIELD(umask),
	  "the server's umask, in octal" },
	{ "nice", SCALAR, SERVICE, 1, 1, PLAIN, read_nice, PROGRAM_FIELD(nice),
	  "the server's priority, -20 to 19" },
	{ "rlimit_as", SCALAR, SERVICE, 1, 1, PLAIN, read_size, LIMIT_FIELD(LIMIT_AS),
	  "address space, in bytes (K, M, G) or UNLIMITED" },
	{ "rlimit_cpu", SCALAR, SERVICE, 1, 1, PLAIN, read_number, LIMIT_FIELD(LIMIT_CPU),
	  "CPU seconds, or UNLIMITED" },
	{ "rlimit_data", SCALAR, SERVICE, 1, 1, PLAIN, read_size, LIMIT_FIELD(LIMIT_DATA),
	  "data segment, in bytes (K, M, G) or UNLIMITED" },
	{ "rlimit_rss", SCALAR, SERVICE, 1, 1, PLAIN, read_size, LIMIT_FIELD(LIMIT_RSS),
	  "resident set, in bytes (K, M, G) or UNLIMITED" },
	{ "rlimit_stack", SCALAR, SERVICE, 1, 1, PLAIN, read_size, LIMIT_FIELD(LIMIT_STACK),
	  "stack, in bytes (K, M, G) or UNLIMITED" },
	{ "rlimit_files", SCALAR, SERVICE, 1, 1, PLAIN, read_size, LIMIT_FIELD(LIMIT_FILES),
	  "open files, or UNLIMITED" },
	{ "rlimit_nproc", SCALAR, SERVICE, 1, 1, PLAIN, read_number, LIMIT_FIELD(LIMIT_NPROC),
	  "processes of the server's user, or UNLIMITED" },
	{ "rlimit_fsize", SCALAR, SERVICE, 1, 1, PLAIN, read_size, LIMIT_FIELD(LIMIT_FSIZE),
	  "the size of a file it writes, in bytes (K, M, G) or UNLIMITED" },
	{ "rlimit_core", SCALAR, SERVICE, 1, 1, PLAIN, read_size, LIMIT_FIELD(LIMIT_CORE),
	  "the size of a core file, in bytes (K, M, G) or UNLIMITED" },
	{ "rlimit_memlock", SCALAR, SERVICE, 1, 1, PLAIN, read_size, LIMIT_FIELD(LIMIT_MEMLOCK),
	  "locked memory, in bytes (K, M, G) or UNLIMITED" },
	{ "memory", SCALAR, PROTECTION, 1, 1, PLAIN, read_memory, PROGRAM_FIELD(memory),
	  "memory of all processes of a session, in bytes (K, M, G), or UNLIMITED" },
	{ "processes", SCALAR, PROTECTION, 1, 1, PLAIN, read_processes, PROGRAM_FIELD(processes),
	  "how many processes and threads a session may have, or UNLIMITED" },
	{ "cpu", SCALAR, PROTECTION, 1, 1, PLAIN, read_cpu, PROGRAM_FIELD(cpu),
	  "how much of a processor a session may use, in percent of one, or UNLIMITED" },
	{ "no_new_privs", SCALAR, PROTECTION, 1, 1, PLAIN, read_no_new_privs,
	  PROGRAM_FIELD(no_new_privs), "yes: no program of a session gains rights by being run" },
	{ "capabilities", SCALAR, PROTECTION, 1, -1, PLAIN, read_capabilities,
	  PROGRAM_FIELD(capabilities), "none, or the only capabilities that a session can have" },
	{ "syscalls", SCALAR, PROTECTION, 1, -1, PLAIN, read_syscalls, PROGRAM_FIELD(syscalls),
	  "default [+NAME] [-NAME] or all: the system calls that a session may make" },
	{ "allow_read", LIST, PROTECTION, 0, -1, PLAIN, read_file_rules, PROGRAM_FIELD(allow_read),
	  "the only files and directories that a session may read" },
	{ "allow_write", LIST, PROTECTION, 0, -1, PLAIN, read_file_rules,
	  PROGRAM_FIELD(allow_write),
	  "the only files that a session may write, and directories that it may change" },
	{ "allow_execute", LIST, PROTECTION, 0, -1, PLAIN, read_file_rules,
	  PROGRAM_FIELD(allow_execute),
	  "the only files that a session may run, or directories of them" },
	{ "scratch", SCALAR, PROTECTION, 1, -1, FORESEEN, read_scratch, PROGRAM_FIELD(scratch),
	  "directories, each with a size (K, M, G): in memory, the session's own, empty" },
	{ "writable", LIST, SERVICE, 0, -1, PLAIN, read_jail_paths, PROGRAM_FIELD(writable),
	  "what in root is not read-only" },
	{ "proc", SCALAR, PROTECTION, 1, 1, PLAIN, read_yes_no, PROGRAM_FIELD(proc),
	  "yes: the session has process ids and a /proc of its own" },
	{ "devices", LIST, PROTECTION, 0, -1, PLAIN, read_devices, PROGRAM_FIELD(devices),
	  "the only devices in the session's /dev, such as null zero urandom" },
	{ "directory", SCALAR, SERVICE, 1, 1, EXPANDED, read_directory, PROGRAM_FIELD(directory),
	  "the server's working directory" },
	{ "network", SCALAR, PROTECTION, 1, 1, PLAIN, read_network, PROGRAM_FIELD(network),
	  "host or none: whether the session has more of a network than its connection" },
	{ "processes_at_exit", SCALAR, BOTH, 1, 1, PLAIN, read_processes_at_exit,
	  SERVICE_FIELD(processes_at_exit),
	  "keep or kill the processes that are left when the server ends by itself" },
	{ "pty", SCALAR, SERVICE, 1, 1, PLAIN, read_pty, SERVICE_FIELD(pty),
	  "no, yes or eof: the server gets a terminal in place of the connection" },
	{ "stderr", SCALAR, BOTH, 1, 1, PLAIN, read_stderr, PROGRAM_FIELD(stderr_kind),
	  "where the server's errors go: socket, log, null or a file" },
	{ "on_remove", SCALAR, BOTH, 1, 1, PLAIN, read_on_remove, SERVICE_FIELD(on_remove),
	  "end or drain the sessions of a service that a reload removes" },
	{ "rpc_version", SCALAR, SERVICE, 1, 1, PLAIN, read_rpc_version,
	  SERVICE_FIELD(rpc_version_first), "the RPC version, or FIRST-LAST" },
	{ "rpc_number", SCALAR, SERVICE, 1, 1, PLAIN, read_rpc_number, SERVICE_FIELD(rpc_number),
	  "the RPC program number of an unlisted RPC service" },
	{ "mdns", SCALAR, BOTH, 0, -1, RETIRED, read_nothing, 0,
	  "retired: accepted, without effect" },
	{ "enabled", LIST, IN_DEFAULTS, 0, -1, PLAIN, read_words, DAEMON_FIELD(enabled),
	  "the ids of the only services to start" },
	{ "disabled", LIST, IN_DEFAULTS, 0, -1, PLAIN, read_words, DAEMON_FIELD(disabled),
	  "the ids of services not to start" },
	{ "port_map", GROWING, IN_DAEMON, 1, -1, PLAIN, read_config_paths, DAEMON_FIELD(port_maps),
	  "the files in the format of services(5) that map names to ports" },
	{ "status_file", SCALAR, IN_DAEMON, 1, 1, PLAIN, read_config_path,
	  DAEMON_FIELD(status_file), "where SIGUSR1 writes the status report" },
	{ "status_mode", SCALAR, IN_DAEMON, 1, 1, PLAIN, read_file_mode, DAEMON_FIELD(status_mode),
	  "the mode of the status report's file, in octal" },
	{ "watch", SCALAR, IN_DAEMON, 1, 1, PLAIN, read_yes_no, DAEMON_FIELD(watch),
	  "yes: files that change are read without a signal" },
	{ "ban_file", SCALAR, IN_DAEMON, 1, 1, PLAIN, read_config_path, DAEMON_FIELD(ban_file),
	  "where the addresses that sensors ban are kept over a restart" },
	{ "log_anonymize", SCALAR, IN_DAEMON, 2, 2, PLAIN, read_source_prefix,
	  DAEMON_FIELD(log_anonymize),
	  "how many leading bits of an IPv4 and of an IPv6 address logs may have" },
	{ "log_format", SCALAR, IN_DAEMON, 1, 1, PLAIN, read_log_format, DAEMON_FIELD(log_format),
	  "xinetd, json or journal: how log lines are written" },
	{ "control_socket", SCALAR, IN_DAEMON, 1, 1, PLAIN, read_control_socket,
	  DAEMON_FIELD(control_socket), "where the daemon answers -status and its like, or none" },
	{ "control_group", SCALAR, IN_DAEMON, 1, 1, PLAIN, read_control_group,
	  DAEMON_FIELD(control_group), "the group whose members may use the control socket" },
	{ "status_group", SCALAR, IN_DAEMON, 1, 1, PLAIN, read_status_group,
	  DAEMON_FIELD(status_group),
	  "the group whose members may ask there for the status alone" },
	{ "metrics_file", SCALAR, IN_DAEMON, 1, 1, PLAIN, read_config_path,
	  DAEMON_FIELD(metrics_file), "where measures are written for node_exporter" },
};

const size_t attribute_count = sizeof attributes / sizeof attributes[0];

_Static_assert(sizeof attributes / sizeof attributes[0] <= ATTRIBUTES_MAX,
	       "ATTRIBUTES_MAX is too small");

int attribute_find(const char *name)
{
	if (tolower((unsigned char)*name) == 'i' && strcasecmp(name, "interface") == 0)
		name = "bind";
	for (size_t i = 0; i < attribute_count; i++)
		if (tolower((unsigned char)*name) == *attributes[i].name &&
		    strcasecmp(attributes[i].name, name) == 0)
			return (int)i;
	return -1;
}

const char *attribute_nearest(const char *name, unsigned place)
{
	const char *candidates[ATTRIBUTES_MAX + 1];
	size_t count = 0;

	for (size_t i = 0; i < attribute_count; i++)
		if (attributes[i].places & place)
			candidates[count++] = attributes[i].name;
	candidates[count] = NULL;
	return nearest_word(name, candidates);
}
