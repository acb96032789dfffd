/* The values of each attribute: which are accepted, as what, and which are refused. */
#include "support/configuration.h"
#include "support/own_etc.h"
#include "support/place.h"

#include <check.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A correct service; lines of a test replace those of the same name. */
static const char *const usual_lines[] = {
	"type = UNLISTED", "socket_type = stream", "port = 1000",
	"wait = no",       "user = root",          "server = /bin/sh",
};

static bool lines_set(const char *lines, const char *usual)
{
	return text_matches(lines, textf("^%.*s\\b", (int)strcspn(usual, " "), usual));
}

/* Loads service "a"; lines begin at line 3. */
static const struct service_settings *load(const char *lines)
{
	const char *text = textf("service a\n{\n%s\n", lines);

	for (size_t i = 0; i < sizeof usual_lines / sizeof usual_lines[0]; i++)
		if (!lines_set(lines, usual_lines[i]))
			text = textf("%s%s\n", text, usual_lines[i]);
	configuration_load("%s}\n", text);
	return configuration_service("a");
}

/* --- accepted values ---------------------------------------------------------------- */

typedef void shower(FILE *out, const struct service_settings *service);

#define SHOW(name, format, ...) \
	static void show_##name(FILE *out, const struct service_settings *service) \
	{ \
		fprintf(out, format, __VA_ARGS__); \
	}

SHOW(types, "%u", service->types)
SHOW(flags, "%u", service->flags)
SHOW(socket_type, "%d %s", service->socket_type, service->protocol)
SHOW(protocol, "%s %d %d", service->protocol, service->protocol_number, service->socket_type)
SHOW(wait, "%d", service->wait)
SHOW(user, "%s %u %u", service->user, service->uid, service->gid)
SHOW(group, "%u %d", service->gid, service->group_is_set)
SHOW(groups, "%d", service->program->groups)
SHOW(server, "%s", service->server)
SHOW(port, "%d", service->port)
SHOW(v6only, "%d", service->v6only)
SHOW(instances, "%u", service->admission->instances)
SHOW(per_source, "%u", service->admission->per_source)
SHOW(source_prefix, "%u %u", service->source_prefix.in4, service->source_prefix.in6)
SHOW(at_limit, "%d", service->admission->at_limit)
static void show_rate(FILE *out, struct rate rate)
{
	fprintf(out, "%u", rate.rate);
	if (rate.seconds != 1)
		fprintf(out, "/%u", rate.seconds);
	fprintf(out, " %u", rate.other);
}

static void show_cps(FILE *out, const struct service_settings *service)
{
	show_rate(out, service->admission->cps);
}

SHOW(cps_action, "%d", service->admission->cps_action)

static void show_source_cps(FILE *out, const struct service_settings *service)
{
	show_rate(out, service->admission->source_cps);
}

SHOW(max_load, "%g", service->admission->max_load)
SHOW(deny_time, "%d", service->deny_time)
SHOW(proof_of_work, "%u %d", service->admission->proof_of_work,
     service->admission->proof_of_work_time)
SHOW(libwrap, "%s", service->admission->libwrap)
SHOW(log_on_success, "%u", service->log_on_success)
SHOW(log_on_failure, "%u", service->log_on_failure)
SHOW(idle_timeout, "%d", service->idle_timeout)
SHOW(start_timeout, "%d", service->start_timeout)
static void show_end_command(FILE *out, const struct service_settings *service)
{
	for (char **word = service->program->end_argv; word && *word; word++)
		fprintf(out, "%s|", *word);
}

SHOW(session_env, "%d", service->program->session_env)
SHOW(max_runtime, "%d", service->max_runtime)
SHOW(placeholders, "%d %u", service->placeholders, service->placeholders_used)
SHOW(kill_timeout, "%d", service->kill_timeout)
SHOW(lingering_close, "%d", service->lingering_close)
SHOW(kill_on_disconnect, "%d", service->kill_on_disconnect)
SHOW(pty, "%d", service->pty)
SHOW(fold_failures, "%d", service->fold_failures)
SHOW(banners, "%s %s %s", service->banner ? service->banner : "-",
     service->banner_success ? service->banner_success : "-",
     service->banner_fail ? service->banner_fail : "-")
SHOW(umask, "%d %03o", service->program->umask_is_set, (unsigned)service->program->umask)
SHOW(nice, "%d %d", service->program->nice_is_set, service->program->nice)
SHOW(stderr, "%d %s", service->program->stderr_kind,
     service->program->stderr_path ? service->program->stderr_path : "-")
SHOW(on_remove, "%d", service->on_remove)
static void show_list(FILE *out, const char *name, const struct strings *strings)
{
	if (strings->is_set)
		fprintf(out, "%s:", name);
	for (size_t i = 0; i < strings->count; i++)
		fprintf(out, " %s", strings->list[i]);
	if (strings->is_set)
		fputc('\n', out);
}

static void show_jail(FILE *out, const struct service_settings *service)
{
	fprintf(out, "%s %d %s %d\n", service->program->root ? service->program->root : "-",
		service->program->proc,
		service->program->directory ? service->program->directory : "-",
		service->program->network == NETWORK_NONE);
	show_list(out, "scratch", &service->program->scratch);
	show_list(out, "writable", &service->program->writable);
	show_list(out, "devices", &service->program->devices);
	fputs(service->program->jail ? "jailed" : "free", out);
}

SHOW(tree, "%d %llu %u %u", service->processes_at_exit,
     (unsigned long long)service->program->memory, service->program->processes,
     service->program->cpu)
SHOW(no_new_privs, "%d %d", service->program->no_new_privs, service_has_no_new_privs(service))
SHOW(capabilities, "%d %llx", service->program->capabilities_is_set,
     (unsigned long long)service->program->capabilities)
SHOW(redirect, "%s %d", service->redirect_host, service->redirect_port)
SHOW(rpc, "%d %d %lu", service->rpc_version_first, service->rpc_version_last, service->rpc_number)

static void show_strings(FILE *out, const struct strings *strings)
{
	fprintf(out, "%s", strings->is_set ? "set" : "unset");
	for (size_t i = 0; i < strings->count; i++)
		fprintf(out, " [%s]", strings->list[i]);
	ck_assert(!strings->is_set || strings->list[strings->count] == NULL);
}

static void show_syscalls(FILE *out, const struct service_settings *service)
{
	show_strings(out, &service->program->syscalls);
	fprintf(out, " %d", service_filters_calls(service));
}

static void show_files(FILE *out, const struct service_settings *service)
{
	show_strings(out, &service->program->allow_read);
	show_strings(out, &service->program->allow_write);
	show_strings(out, &service->program->allow_execute);
}

static void show_server_args(FILE *out, const struct service_settings *service)
{
	show_strings(out, &service->server_args);
}

static void show_bind(FILE *out, const struct service_settings *service)
{
	show_strings(out, &service->bind);
}

static void show_env(FILE *out, const struct service_settings *service)
{
	show_strings(out, &service->program->env);
}

static void show_passenv(FILE *out, const struct service_settings *service)
{
	show_strings(out, &service->program->passenv);
}

static void show_access_list(FILE *out, const struct access_list *list)
{
	fprintf(out, "%s", list->is_set ? "set" : "unset");
	for (size_t i = 0; i < list->count; i++) {
		char text[ADDRESS_TEXT_SIZE];

		fprintf(out, " %s",
			list->rules[i].kind == RULE_PREFIX
				? prefix_text(&list->rules[i].prefix, text)
				: list->rules[i].text);
	}
}

static void show_only_from(FILE *out, const struct service_settings *service)
{
	show_access_list(out, &service->admission->only_from);
}

SHOW(proxy_protocol, "%u", service->admission->proxy_protocol)
SHOW(proxy_others, "%d", service->admission->proxy_others)
SHOW(send_proxy, "%u", service->send_proxy)

static void show_proxy_from(FILE *out, const struct service_settings *service)
{
	show_access_list(out, &service->admission->proxy_from);
}

static void show_no_access(FILE *out, const struct service_settings *service)
{
	show_access_list(out, &service->admission->no_access);
}

static void show_access_times(FILE *out, const struct service_settings *service)
{
	for (size_t i = 0; i < service->admission->access_times_count; i++)
		fprintf(out, "%d-%d ", service->admission->access_times[i].first,
			service->admission->access_times[i].last);
}

static void show_log(FILE *out, const struct service_settings *service)
{
	const struct log_type *log = &service->log;

	if (log->kind == LOG_KIND_SYSLOG)
		fprintf(out, "syslog %d %d", log->facility, log->level);
	else if (log->kind == LOG_KIND_FILE)
		fprintf(out, "file %s %llu %llu", log->path, (unsigned long long)log->soft_limit,
			(unsigned long long)log->hard_limit);
	else
		fprintf(out, "none");
}

static void show_limits(FILE *out, const struct service_settings *service)
{
	for (int i = 0; i < LIMIT_COUNT; i++)
		if (service->program->limit_is_set[i])
			fprintf(out, "%d:%lld ", i,
				service->program->limits[i] == RLIM_INFINITY
					? -1LL
					: (long long)service->program->limits[i]);
}

static const struct {
	const char *lines;
	shower *show;
	const char *shown;
} taken[] = {
	{ "type = UNLISTED SPECIAL", show_types, "12" },
	{ "type = unlisted", show_types, "4" },
	{ "type = UNLISTED TCPMUX", show_types, "20" },
	{ "type = UNLISTED TCPMUXPLUS\nprotocol = tcp", show_types, "36" },

	{ "flags = NORETRY IDONLY", show_flags, "12" },
	{ "flags = REUSE INTERCEPT NODELAY KEEPALIVE NOLIBWRAP IPv4 IPv6", show_flags, "1761" },
	{ "flags = nodelay ipV6", show_flags, "1056" },
	{ "flags = NAMEINARGS\nserver_args = a", show_flags, "16" },
	{ "flags = SENSOR", show_types, "6" },

	{ "socket_type = stream", show_socket_type, "1 tcp" },
	{ "socket_type = DGRAM\nwait = yes", show_socket_type, "2 udp" },
	{ "socket_type = raw\nprotocol = icmp", show_socket_type, "3 icmp" },
	{ "socket_type = seqpacket\nprotocol = sctp", show_socket_type, "5 sctp" },
	{ "protocol = tcp", show_protocol, "tcp 6 1" },
	{ "protocol = udp\nsocket_type = dgram\nwait = yes", show_protocol, "udp 17 2" },

	{ "wait = no", show_wait, "0" },
	{ "wait = YES", show_wait, "1" },

	{ "user = root", show_user, "root 0 0" },
	{ "user = 0", show_user, "0 0 0" },
	{ "user = 12345", show_user, "12345 12345 12345" },
	{ "user = 6", show_user, "6 6 12" }, /* user man, group man; not lp's */
	{ "user = 4294967294", show_user, "4294967294 4294967294 4294967294" },
	{ "user = daemon\ngroup = 0", show_group, "0 1" },
	{ "user = root\ngroup = daemon", show_group, "1 1" },
	{ "group = 77\nuser = root", show_group, "77 1" },
	{ "user = daemon", show_group, "1 0" },
	{ "groups = yes", show_groups, "1" },
	{ "groups = no", show_groups, "0" },

	{ "server = /bin/sh", show_server, "/bin/sh" },
	{ "server_args = a \"b c\" # d", show_server_args, "set [a] [b c] [#] [d]" },
	{ "port = 0", show_port, "0" },
	{ "port = 65535", show_port, "65535" },
	{ "bind = 127.0.0.1", show_bind, "set [127.0.0.1]" },
	{ "interface = ::1 0.0.0.0 a-b.example.org under_score", show_bind,
	  "set [::1] [0.0.0.0] [a-b.example.org] [under_score]" },
	{ "v6only = yes", show_v6only, "1" },

	{ "instances = 0", show_instances, "0" },
	{ "instances = 2147483647", show_instances, "2147483647" },
	{ "instances = unlimited", show_instances, "4294967295" },
	{ "per_source = 7", show_per_source, "7" },
	{ "per_source = UNLIMITED", show_per_source, "4294967295" },
	{ "source_prefix = 24 48", show_source_prefix, "24 48" },
	{ "source_prefix = 0 128", show_source_prefix, "0 128" },
	{ "at_limit = queue", show_at_limit, "1" },
	{ "at_limit = refuse", show_at_limit, "0" },
	{ "cps = 5 30", show_cps, "5 30" },
	{ "cps = 0 0", show_cps, "0 0" },
	{ "cps = 25/60 0", show_cps, "25/60 0" },
	{ "cps = 10000000/86400 1", show_cps, "10000000/86400 1" },
	{ "source_cps = 10/60 10", show_source_cps, "10/60 10" },
	{ "cps = 10000000 1", show_cps, "10000000 1" },
	{ "cps_action = refuse", show_cps_action, "0" },
	{ "cps_action = Queue", show_cps_action, "1" },
	{ "cps_action = suspend", show_cps_action, "2" },
	{ "source_cps = 3 9", show_source_cps, "3 9" },
	{ "source_cps = 0 0", show_source_cps, "0 0" },
	{ "max_load = 2.5", show_max_load, "2.5" },
	{ "max_load = .5", show_max_load, "0.5" },
	{ "max_load = 12", show_max_load, "12" },

	{ "only_from = 10.0.0.0/8 ::1 .example.org Host", show_only_from,
	  "set 10.0.0.0/8 ::1/128 .example.org Host" },
	{ "only_from =", show_only_from, "set" },
	{ "proxy_protocol = off", show_proxy_protocol, "0" },
	{ "proxy_from = ::1\nproxy_protocol = v1", show_proxy_protocol, "1" },
	{ "proxy_from = ::1\nproxy_protocol = V2", show_proxy_protocol, "2" },
	{ "proxy_from = ::1\nproxy_protocol = any", show_proxy_protocol, "3" },
	{ "proxy_from = 10.0.0.0/8 ::1", show_proxy_from, "set 10.0.0.0/8 ::1/128" },
	{ "proxy_from =", show_proxy_from, "set" },
	{ "proxy_others = refuse", show_proxy_others, "0" },
	{ "proxy_others = direct", show_proxy_others, "1" },
	{ "redirect = ::1 2\nsend_proxy = v1", show_send_proxy, "1" },
	{ "redirect = ::1 2\nsend_proxy = v2", show_send_proxy, "2" },
	{ "no_access = 10.1.{2,3}", show_no_access, "set 10.1.2.0/24 10.1.3.0/24" },
	{ "access_times = 8:00-17:30 22:00-24:00", show_access_times, "480-1050 1320-1439 " },
	{ "flags = SENSOR\ndeny_time = 60", show_deny_time, "60" },
	{ "deny_time = forever", show_deny_time, "-1" },
	{ "deny_time = NEVER", show_deny_time, "0" },

	{ "proof_of_work = 1", show_proof_of_work, "1 0" },
	{ "proof_of_work = 1000000\nproof_of_work_time = 3600", show_proof_of_work,
	  "1000000 3600" },
	{ "start_timeout = 20", show_start_timeout, "20" },
	{ "end_command = /bin/sh -c \"exit 3\" #4", show_end_command, "sh|-c|exit 3|#4|" },
	{ "max_runtime = 86400", show_max_runtime, "86400" },
	{ "kill_timeout = 1", show_kill_timeout, "1" },
	{ "kill_timeout = 40", show_kill_timeout, "40" },
	{ "idle_timeout = 0", show_idle_timeout, "0" },
	{ "idle_timeout = 60", show_idle_timeout, "60" },
	{ "lingering_close = yes", show_lingering_close, "5" },
	{ "lingering_close = NO", show_lingering_close, "0" },
	{ "lingering_close = 0", show_lingering_close, "0" },
	{ "lingering_close = 600", show_lingering_close, "600" },
	{ "nice = 0", show_lingering_close, "0" },
	{ "kill_on_disconnect = no", show_kill_on_disconnect, "0" },
	{ "kill_on_disconnect = Reset", show_kill_on_disconnect, "1" },
	{ "kill_on_disconnect = fin", show_kill_on_disconnect, "2" },
	{ "nice = 0", show_kill_on_disconnect, "0" },
	{ "pty = no", show_pty, "0" },
	{ "pty = Yes", show_pty, "1" },
	{ "pty = eof", show_pty, "2" },
	{ "nice = 0", show_pty, "0" },
	{ "fold_failures = 10", show_fold_failures, "10" },
	{ "fold_failures = 0", show_fold_failures, "0" },
	{ "nice = 0", show_fold_failures, "-1" },
	{ "log_type = SYSLOG daemon", show_log, "syslog 24 6" },
	{ "log_type = syslog LOCAL3 debug", show_log, "syslog 152 7" },
	{ "log_type = FILE /tmp/x", show_log, "file /tmp/x 0 0" },
	{ "log_type = FILE /x 100K", show_log, "file /x 102400 107520" },
	{ "log_type = FILE /dev/null 100M", show_log, "file /dev/null 104857600 104878080" },
	{ "log_type = FILE /tmp/x 1M", show_log, "file /tmp/x 1048576 1059061" },
	{ "log_type = FILE /tmp/x 18446744073709551615", show_log,
	  "file /tmp/x 18446744073709551615 18446744073709551615" },
	{ "log_type = file /tmp/x 1 2", show_log, "file /tmp/x 1 2" },
	{ "log_type = FILE /tmp/x 2k 2K", show_log, "file /tmp/x 2048 2048" },
	{ "log_on_success = PID host EXIT DURATION", show_log_on_success, "27" },
	{ "log_on_success = rusage", show_log_on_success, "256" },
	{ "log_on_success = session", show_log_on_success, "512" },
	{ "session_env = yes", show_session_env, "1" },
	{ "session_env = no", show_session_env, "0" },
	{ "server_args = %client %x % 100%", show_placeholders, "0 0" },
	{ "placeholders = no\nserver_args = %client %", show_placeholders, "0 0" },
	{ "placeholders = yes", show_placeholders, "1 0" },
	{ "placeholders = yes\nserver_args = a b", show_placeholders, "1 0" },
	{ "placeholders = yes\nserver_args = %client:%port", show_placeholders, "1 3" },
	{ "server_args = a%slot\nplaceholders = yes\nenv = A=%user B=%%", show_placeholders,
	  "1 56" },
	{ "placeholders = yes\nend_command = /bin/true %session", show_placeholders, "1 4" },
	{ "root = none\nscratch = none\ndevices = host", show_jail, "- 0 - 0\nfree" },
	{ "root = NONE\nscratch = None\ndevices = Host", show_jail, "- 0 - 0\nfree" },
	{ "placeholders = yes\ndirectory = /srv/%client", show_placeholders, "1 1" },
	{ "placeholders = yes\nscratch = /%user 4K", show_placeholders, "1 16" },
	{ "directory = /srv/%nothing", show_placeholders, "0 0" },
	{ "placeholders = yes\nwait = yes\nserver_args = %session", show_placeholders, "1 4" },
	{ "log_on_success = reason", show_log_on_success, "128" },
	{ "log_on_success =", show_log_on_success, "0" },
	{ "log_on_success = traffic", show_log_on_success, "32" },
	{ "redirect = ::1 80\nlog_on_success = TRAFFIC USERID", show_log_on_success, "36" },
	{ "log_on_failure = HOST USERID ATTEMPT", show_log_on_failure, "70" },

	{ "banner = /a", show_banners, "/a - -" },
	{ "banner_success = /a/b\nbanner_fail = /c", show_banners, "- /a/b /c" },
	{ "env = A=1 B=", show_env, "set [A=1] [B=]" },
	{ "env = A=1\nenv += B=2\nenv += \"C=3 4\"", show_env, "set [A=1] [B=2] [C=3 4]" },
	{ "env =", show_env, "set" },
	{ "passenv = PATH HOME", show_passenv, "set [PATH] [HOME]" },
	{ "passenv =", show_passenv, "set" },
	{ "umask = 0", show_umask, "1 000" },
	{ "umask = 0777", show_umask, "1 777" },
	{ "umask = 22", show_umask, "1 022" },
	{ "nice = -20", show_nice, "1 -20" },
	{ "nice = 19", show_nice, "1 19" },
	{ "nice = 0", show_nice, "1 0" },
	{ "stderr = socket", show_stderr, "0 -" },
	{ "stderr = LOG", show_stderr, "1 -" },
	{ "stderr = null", show_stderr, "2 -" },
	{ "stderr = /var/log/x", show_stderr, "3 /var/log/x" },
	{ "on_remove = drain", show_on_remove, "1" },
	{ "on_remove = end", show_on_remove, "0" },
	{ "processes_at_exit = keep", show_tree, "1 0 0 0" },
	{ "processes_at_exit = KILL", show_tree, "2 0 0 0" },
	{ "", show_no_new_privs, "0 0" },
	{ "no_new_privs = yes", show_no_new_privs, "2 1" },
	{ "no_new_privs = NO", show_no_new_privs, "1 0" },
	{ "syscalls = default", show_no_new_privs, "0 1" },
	{ "syscalls = all\nno_new_privs = no", show_no_new_privs, "1 0" },
	{ "allow_execute = /", show_no_new_privs, "0 1" },
	{ "", show_capabilities, "0 0" },
	{ "capabilities = none", show_capabilities, "1 0" },
	{ "capabilities = CHOWN", show_capabilities, "1 1" },
	{ "capabilities = cap_chown SYS_ADMIN CAP_CHECKPOINT_RESTORE", show_capabilities,
	  "1 10000200001" },
	{ "", show_syscalls, "unset 0" },
	{ "syscalls = all", show_syscalls, "set [all] 0" },
	{ "syscalls = default", show_syscalls, "set [default] 1" },
	{ "syscalls = default +ptrace -@network +@debug", show_syscalls,
	  "set [default] [+ptrace] [-@network] [+@debug] 1" },
	{ "", show_files, "unsetunsetunset" },
	{ "allow_read = /etc -/nonexistent\nallow_execute = /", show_files,
	  "set [/etc] [-/nonexistent]unsetset [/]" },
	{ "allow_write = /tmp /var\nallow_write -= /var\nallow_execute = /\nallow_write += /dev/null",
	  show_files, "unsetset [/tmp] [/dev/null]set [/]" },
	{ "nice = 1", show_jail, "- 0 - 0\nfree" },
	{ "root = /", show_jail, "/ 0 - 0\njailed" },
	{ "root = //usr/.\nserver = /bin/env", show_jail, "//usr/. 0 - 0\njailed" },
	{ "root = /\nserver = /../bin/sh", show_jail, "/ 0 - 0\njailed" },
	{ "proc = yes", show_jail, "- 1 - 0\njailed" },
	{ "proc = no", show_jail, "- 0 - 0\nfree" },
	{ "directory = /a..b/...", show_jail, "- 0 /a..b/... 0\nfree" },
	{ "network = None", show_jail, "- 0 - 1\njailed" },
	{ "network = host", show_jail, "- 0 - 0\nfree" },
	{ "scratch = /usr 4K /etc/ 2g", show_jail,
	  "- 0 - 0\nscratch: /usr 4096 /etc/ 2147483648\njailed" },
	{ "root = /\nwritable = /usr /etc/passwd\nwritable += /dev", show_jail,
	  "/ 0 - 0\nwritable: /usr /etc/passwd /dev\njailed" },
	{ "devices = null\ndevices += zero", show_jail, "- 0 - 0\ndevices: null zero\njailed" },
	{ "devices =", show_jail, "- 0 - 0\ndevices:\njailed" },
	{ "devices = null\nscratch = /dev/shm 1M", show_jail,
	  "- 0 - 0\nscratch: /dev/shm 1048576\ndevices: null\njailed" },
	{ "memory = 1M", show_tree, "0 1048576 0 0" },
	{ "memory = 2g", show_tree, "0 2147483648 0 0" },
	{ "memory = unlimited", show_tree, "0 0 0 0" },
	{ "processes = UNLIMITED", show_tree, "0 0 0 0" },
	{ "cpu = UNLIMITED", show_tree, "0 0 0 0" },
	{ "processes = 1", show_tree, "0 0 1 0" },
	{ "processes = 4194304", show_tree, "0 0 4194304 0" },
	{ "cpu = 1", show_tree, "0 0 0 1" },
	{ "cpu = 250", show_tree, "0 0 0 250" },
	{ "redirect = 127.0.0.1 8080", show_redirect, "127.0.0.1 8080" },
	{ "redirect = example.org FTP", show_redirect, "example.org 21" },
	{ "mdns = yes", show_types, "4" },
	{ "mdns =", show_types, "4" },
	{ "disable = no", show_types, "4" },
#ifdef HAVE_LIBTIRPC
	{ "type = RPC UNLISTED\nrpc_version = 2\nrpc_number = 100083", show_rpc, "2 2 100083" },
	{ "type = RPC UNLISTED\nrpc_version = 1-3\nrpc_number = 4294967295", show_rpc,
	  "1 3 4294967295" },
#endif
#ifdef HAVE_LIBWRAP
	{ "libwrap = in.ftpd", show_libwrap, "in.ftpd" },
#endif
};

START_TEST(takes_values)
{
	const struct service_settings *service = load(taken[_i].lines);
	char *shown;
	size_t size;
	FILE *out = open_memstream(&shown, &size);

	ck_assert_msg(service && configuration_complaints(ERROR) == 0, "%s: %s", taken[_i].lines,
		      configuration_complaints_text());
	taken[_i].show(out, service);
	fclose(out);
	keep(shown);
	ck_assert_msg(strcmp(shown, taken[_i].shown) == 0, "%s is \"%s\", not \"%s\"",
		      taken[_i].lines, shown, taken[_i].shown);
}
END_TEST

/* --- refused values ------------------------------------------------------------------ */

/* Lines, and the error on line 3. */
static const struct {
	const char *lines, *said;
} refused[] = {
	{ "rlimit_nproc = 4K", "\"4K\" is neither a number nor UNLIMITED" },
	{ "rlimit_fsize = 4X", "\"4X\" is neither a number (K, M or G may follow) nor UNLIMITED" },
	{ "session_env = some", "unknown value \"some\"" },
	{ "placeholders = some", "unknown value \"some\"" },
	{ "server_args = a %clinet\nplaceholders = yes",
	  "server_args: \"%clinet\" is no placeholder; did you mean \"%client\"?" },
	{ "server_args = 100%\nplaceholders = yes",
	  "server_args: \"%\" is no placeholder; write %% for a percent sign" },
	{ "env = A=%zz\nplaceholders = yes",
	  "env: \"%zz\" is no placeholder; there are %client, %port, %session, %slot and %user" },
	{ "scratch = /tmp", "scratch: /tmp has no size after it" },
	{ "scratch = none 4K", "\"none\" is not an absolute path" },
	{ "devices = host null", "there is no character device /dev/host" },
	{ "directory = /srv/%\nplaceholders = yes", "directory: \"%\" is no placeholder" },
	{ "scratch = /tmp/%session 4K\nplaceholders = yes",
	  "scratch: the directory must be there before the session; only %user and %slot" },
	{ "env = A%user=1\nplaceholders = yes",
	  "env: the name of a variable can't have a placeholder" },
	{ "end_command = /bin/true %\nplaceholders = yes", "end_command: \"%\" is no placeholder" },
	{ "server_args = %client\nplaceholders = yes\nwait = yes",
	  "server_args: %client has no meaning with wait = yes" },
	{ "end_command = true", "\"true\" is not an absolute path" },
	{ "end_command = /no/such/program x", "/no/such/program: No such file or directory" },
	{ "end_command = /etc", "/etc is not a regular file" },
	{ "end_command = /etc/passwd", "/etc/passwd is not executable" },
	{ "max_runtime = 1h", "\"1h\" is not a number of seconds" },
	{ "kill_timeout = 0", "\"0\" is not a number of seconds from 1 to 40" },
	{ "kill_timeout = 41", "\"41\" is not a number of seconds from 1 to 40" },
	{ "kill_timeout = -1", "\"-1\" is not a number of seconds from 1 to 40" },
	{ "type = UNLISTD", "unknown value \"UNLISTD\"; did you mean \"UNLISTED\"?" },
	{ "type = UNLISTED x", "unknown value \"x\"" },
	{ "flags = IPv5", "did you mean \"IPv4\"?" },
	{ "flags = nonsense", "flags: unknown value \"nonsense\"" },
	{ "socket_type = steam", "did you mean \"stream\"?" },
	{ "protocol = no-such", "\"no-such\" is not in /etc/protocols" },
	{ "protocol = tcp4",
	  "\"tcp4\" is not in /etc/protocols; write protocol = tcp and flags = IPv4" },
	{ "protocol = UDP6", "write protocol = udp and flags = IPv6, with v6only = yes" },
	{ "protocol = tcp46", "write protocol = tcp and flags = IPv6" },
	{ "wait = true", "unknown value \"true\"" },
	{ "wait = 1", "unknown value \"1\"" },
	{ "user = no-such-user", "there is no user \"no-such-user\"" },
	{ "user = 4294967295", "there is no user" },
	{ "user = -1", "there is no user" },
	{ "user = \"\"", "there is no user" },
	{ "group = no-such-group", "there is no group \"no-such-group\"" },
	{ "group = 4294967295", "there is no group" },
	{ "groups = maybe", "unknown value \"maybe\"" },
	{ "server = /no/such/file", "/no/such/file: No such file or directory" },
	{ "server = no-such-file", "\"no-such-file\" is not an absolute path (/" },
	{ "server = /bin/cat -v", "server takes 1 value and got 2; the program's arguments go into "
				  "server_args" },
	{ "server = /bin", "/bin is not a regular file" },
	{ "server = /etc/passwd", "/etc/passwd is not executable" },
	{ "port = 65536", "\"65536\" is not a port number" },
	{ "port = http", "\"http\" is not a port number" },
	{ "port = -1", "not a port number" },
	{ "port = 0x50", "not a port number" },
	{ "port = 99999999999999999999999", "not a port number" },
	{ "port = TEMPLATE_PORT", "not a port number" },
	{ "bind = 127.0.0", "neither an address nor a host name" },
	{ "bind = ::1 300.1.1.1", "\"300.1.1.1\" is neither" },
	{ "bind = a,b", "\"a,b\" is neither" },
	{ "bind = -x", "\"-x\" is neither" },
	{ "bind = \"\"", "\"\" is neither" },
	{ "v6only = on", "unknown value \"on\"" },
	{ "instances = -1", "neither a number nor UNLIMITED" },
	{ "instances = 2147483648", "neither a number nor UNLIMITED" },
	{ "instances = 10x", "\"10x\" is neither" },
	{ "per_source = many", "\"many\" is neither" },
	{ "source_prefix = 33 64", "an IPv4 address has 32 bits, not 33" },
	{ "source_prefix = 24 129", "\"129\" is not a number from 0 to 128" },
	{ "source_prefix = a 64", "\"a\" is not a number" },
	{ "at_limit = que", "unknown value \"que\"" },
	{ "at_limit = queu", "did you mean \"queue\"?" },
	{ "cps = 5 x", "\"x\" is not a number" },
	{ "cps = 5/ 1", "\"5/\" is not a number from 0 to 10000000, alone or with seconds" },
	{ "cps = /5 1", "\"/5\" is not a number" },
	{ "cps = 5/0 1", "\"5/0\" is not a number" },
	{ "cps = 5/86401 1", "\"5/86401\" is not a number" },
	{ "cps = 5/6/7 1", "\"5/6/7\" is not a number" },
	{ "cps = 10000001 1", "\"10000001\" is not a number from 0 to 10000000" },
	{ "cps_action = pause", "unknown value \"pause\"" },
	{ "lingering_close = 601", "\"601\" is neither yes nor no nor 0 to 600 seconds" },
	{ "lingering_close = on", "\"on\" is neither" },
	{ "lingering_close = -1", "\"-1\" is neither" },
	{ "lingering_close = 5s", "\"5s\" is neither" },
	{ "kill_on_disconnect = yes", "unknown value \"yes\"" },
	{ "kill_on_disconnect = resett", "did you mean \"reset\"?" },
	{ "pty = on", "unknown value \"on\"" },
	{ "pty = fin", "unknown value \"fin\"" },
	{ "fold_failures = -1", "\"-1\" is not a number of seconds" },
	{ "fold_failures = 1m", "\"1m\" is not a number of seconds" },
	{ "source_cps = 5 0", "the burst must be at least 1" },
	{ "source_cps = x 0", "\"x\" is not a number" },
	{ "max_load = 0", "not a load above 0" },
	{ "max_load = -1", "not a load above 0" },
	{ "max_load = 0x10", "not a load above 0" },
	{ "max_load = inf", "not a load above 0" },
	{ "max_load = nan", "not a load above 0" },
	{ "max_load = 1.2.3", "not a load above 0" },
	{ "max_load = .", "not a load above 0" },
	{ "max_load = 10000000", "not a load above 0" },
	{ "only_from = 127.0.0.", "\"127.0.0.\"" },
	{ "proxy_from = 127.0.0.", "\"127.0.0.\"" },
	{ "proxy_protocol = v3", "unknown value \"v3\"" },
	{ "proxy_others = allow", "unknown value \"allow\"" },
	{ "send_proxy = any", "unknown value \"any\"" },
	{ "only_from = 10.0.0.0/33", "\"10.0.0.0/33\"" },
	{ "only_from = a, b", "\"a,\"" },
	{ "no_access = 10.0.0.{1,300}", "\"10.0.0.{1,300}\"" },
	{ "only_from -= 10.0.0.0/33", "only_from: \"10.0.0.0/33\"" },
	{ "access_times = 8-17", "\"8-17\" is not an interval" },
	{ "access_times = 8:00-17:00 25:00-26:00", "\"25:00-26:00\" is not an interval" },
	{ "deny_time = -1", "\"-1\" is not a number of minutes" },
	{ "deny_time = always", "\"always\" is not a number of minutes" },
	{ "log_type = STDERR x", "\"STDERR\" is neither FILE nor SYSLOG" },
	{ "log_type = FILE", "FILE needs a path" },
	{ "log_type = FILE /no/such/directory/x", "the directory of /no/such/directory/x" },
	{ "log_type = FILE /tmp/x big", "\"big\" is not a size" },
	{ "log_type = FILE /tmp/x 10 big", "\"big\" is not a size" },
	{ "log_type = FILE /tmp/x K", "\"K\" is not a size" },
	{ "log_type = FILE /tmp/x 99999999999999999999", "is not a size" },
	{ "log_type = FILE /tmp/x 18446744073709551615M", "is not a size" },
	{ "log_type = FILE /tmp/x 10K 5K", "the hard limit 5K is less than the soft limit 10K" },
	{ "log_type = SYSLOG", "SYSLOG needs a facility" },
	{ "log_type = SYSLOG daemon info more", "SYSLOG needs a facility" },
	{ "log_type = SYSLOG nonsense", "\"nonsense\" is not a syslog facility" },
	{ "log_type = SYSLOG daemon loud", "\"loud\" is not a syslog level" },
	{ "log_on_success = PID NONSENSE", "unknown value \"NONSENSE\"" },
	{ "log_on_success = ATTEMPT", "unknown value \"ATTEMPT\"" },
	{ "log_on_failure = PID", "unknown value \"PID\"" },
	{ "env = A", "\"A\" is not NAME=VALUE" },
	{ "env = =1", "\"=1\" is not NAME=VALUE" },
	{ "passenv = A=1", "\"A=1\" is not the name of a variable" },
	{ "umask = 8", "\"8\" is not an octal mask" },
	{ "umask = 1000", "\"1000\" is not an octal mask" },
	{ "umask = -1", "\"-1\" is not an octal mask" },
	{ "umask = 0x1", "\"0x1\" is not an octal mask" },
	{ "nice = 20", "\"20\" is not a priority" },
	{ "nice = -21", "\"-21\" is not a priority" },
	{ "nice = --1", "\"--1\" is not a priority" },
	{ "nice = low", "\"low\" is not a priority" },
	{ "stderr = syslog", "unknown value \"syslog\"" },
	{ "stderr = relative/path", "unknown value \"relative/path\"" },
	{ "on_remove = keep", "unknown value \"keep\"" },
	{ "processes_at_exit = yes", "unknown value \"yes\"" },
	{ "memory = 1023K", "\"1023K\" is neither a number of bytes" },
	{ "memory = 9223372036854775808", "is neither a number of bytes" },
	{ "processes = 0",
	  "\"0\" is neither a number of processes from 1 to 4194304 nor UNLIMITED" },
	{ "processes = 4194305", "\"4194305\" is neither a number of processes" },
	{ "processes = 1K", "\"1K\" is neither a number of processes" },
	{ "cpu = 0", "\"0\" is neither a percentage of one processor from 1 to 100000" },
	{ "cpu = 100001", "\"100001\" is neither a percentage" },
	{ "cpu = 50%", "\"50%\" is neither a percentage" },
	{ "no_new_privs = maybe", "unknown value \"maybe\"" },
	{ "capabilities = CHWON", "there is no capability \"CHWON\"; did you mean \"CHOWN\"?" },
	{ "capabilities = everything", "there is no capability \"everything\"; see" },
	{ "capabilities = none CHOWN", "none stands alone" },
	{ "capabilities = CHOWN NONE", "none stands alone" },
	{ "syscalls = +read", "\"+read\" is not a beginning; write default" },
	{ "syscalls = none", "\"none\" is not a beginning" },
	{ "syscalls = all -ptrace", "all stands alone" },
	{ "syscalls = default ptrace", "\"ptrace\" is not of the form +NAME or -NAME" },
	{ "syscalls = default default", "\"default\" is not of the form" },
	{ "syscalls = default +ptrac", "\"ptrac\"; did you mean \"+ptrace\"?" },
	{ "syscalls = default -@netwrok", "\"@netwrok\"; did you mean \"-@network\"?" },
	{ "syscalls = default +qqqqqqqqq", "there is no system call or group \"qqqqqqqqq\" that" },
	{ "syscalls = default -execve",
	  "no program can run without execve, exit and exit_group: add +execve" },
	{ "syscalls = default -@process", "no program can run without execve" },
	{ "allow_read = etc", "\"etc\" is not an absolute path" },
	{ "allow_write = --/etc", "\"--/etc\" is not an absolute path" },
	{ "allow_execute = -", "\"-\" is not an absolute path" },
	{ "proof_of_work = 0", "\"0\" is not a difficulty from 1 to 1000000" },
	{ "proof_of_work = 1000001", "\"1000001\" is not a difficulty" },
	{ "proof_of_work = yes", "\"yes\" is not a difficulty" },
	{ "proof_of_work_time = 1m", "\"1m\" is not a number of seconds" },
	{ "root = usr", "root: \"usr\" is not an absolute path" },
	{ "root = /usr/../etc", "root: \"/usr/../etc\" has \"..\" in it" },
	{ "root = /usr/..", "has \"..\" in it" },
	{ "root = /no/such", "root: /no/such: No such file or directory" },
	{ "root = /etc/passwd", "root: /etc/passwd is not a directory" },
	{ "server = /bin/sh\nroot = /proc", "server: /bin/sh in /proc: No such file or directory" },
	{ "server = bin/sh\nroot = /",
	  "server: \"bin/sh\" is not an absolute path, as it must be" },
	{ "server = /etc/passwd\nroot = /", "server: /etc/passwd is not executable" },
	{ "scratch = tmp 1M", "scratch: \"tmp\" is not an absolute path" },
	{ "scratch = // 1M", "scratch: \"//\" is the whole root" },
	{ "scratch = /usr 4095", "scratch: \"4095\" is not a number of bytes" },
	{ "scratch = /usr much", "scratch: \"much\" is not a number of bytes" },
	{ "scratch = /usr 1M /etc", "scratch: /etc has no size after it" },
	{ "writable = /usr ../etc\nroot = /", "writable: \"../etc\" is not an absolute path" },
	{ "writable = /\nroot = /", "writable: \"/\" is the whole root" },
	{ "proc = maybe", "proc: unknown value \"maybe\"" },
	{ "devices = null no-such", "devices: there is no character device /dev/no-such" },
	{ "devices = shm", "devices: there is no character device /dev/shm" },
	{ "devices = pts/0", "devices: \"pts/0\" is not the name of a device" },
	{ "devices = ..", "devices: \"..\" is not the name of a device" },
	{ "directory = etc", "directory: \"etc\" is not an absolute path" },
	{ "network = nobody", "network: unknown value \"nobody\"" },
	{ "redirect = 127.0.0.1 0", "\"0\" is neither a port number nor a TCP service" },
	{ "redirect = 127.0.0.1 no-such", "\"no-such\" is neither" },
	{ "redirect = 127.0.0.1 tftp", "\"tftp\" is neither" },
	{ "redirect = 1.2.3 80", "\"1.2.3\" is neither an address" },
	{ "rpc_version = 0", "\"0\" is not a version" },
	{ "rpc_version = 3-1", "\"3-1\" is not a version" },
	{ "rpc_version = 1-", "\"1-\" is not a version" },
	{ "rpc_version = -1", "\"-1\" is not a version" },
	{ "rpc_version = a", "\"a\" is not a version" },
	{ "rpc_version = 1-2-3", "\"1-2-3\" is not a version" },
	{ "rpc_number = 0", "\"0\" is not an RPC program number" },
	{ "rpc_number = 4294967296", "is not an RPC program number" },
	{ "rpc_number = nfs", "\"nfs\" is not an RPC program number" },
	{ "rlimit_as = 1T", "\"1T\" is neither a number (K, M or G may follow) nor UNLIMITED" },
	{ "rlimit_as = 17179869184G", "is neither" },
	{ "rlimit_as = -1", "\"-1\" is neither" },
	{ "rlimit_as = G", "\"G\" is neither" },
	{ "only_from = 300.1.1.1", "\"300.1.1.1\" is no address" },
	{ "only_from = 10.1/16", "\"10.1/16\" is not a complete address" },
	{ "rlimit_as = \"\"", "\"\" is neither" },
	{ "rlimit_as = 18014398509481984K", "is neither" },
	{ "rlimit_cpu = 1M", "\"1M\" is neither a number nor UNLIMITED" },
	{ "disable = false", "unknown value \"false\"" },
};

START_TEST(refuses_values)
{
	const struct service_settings *service = load(refused[_i].lines);

	ck_assert_msg(!service, "%s: is started", refused[_i].lines);
	ck_assert_msg(configuration_said(ERROR, 3, refused[_i].said), "%s: %s", refused[_i].lines,
		      configuration_complaints_text());
}
END_TEST

/* One error is reported once and causes no others. */
START_TEST(a_refused_value_is_told_once)
{
	load(refused[_i].lines);
	ck_assert_msg(configuration_complaints(WARNING) == 1, "%s: %s", refused[_i].lines,
		      configuration_complaints_text());
}
END_TEST

/* --- the rest -------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int limit;
} limits[] = {
	{ "rlimit_as", LIMIT_AS },       { "rlimit_cpu", LIMIT_CPU },
	{ "rlimit_data", LIMIT_DATA },   { "rlimit_rss", LIMIT_RSS },
	{ "rlimit_stack", LIMIT_STACK }, { "rlimit_files", LIMIT_FILES },
	{ "rlimit_nproc", LIMIT_NPROC }, { "rlimit_fsize", LIMIT_FSIZE },
	{ "rlimit_core", LIMIT_CORE },   { "rlimit_memlock", LIMIT_MEMLOCK },
};

START_TEST(sets_resource_limits)
{
	const char *values[] = { "123", "UNLIMITED", "0" };
	const long long numbers[] = { 123, -1, 0 };

	for (size_t i = 0; i < 3; i++) {
		const struct service_settings *service =
			load(textf("%s = %s", limits[_i].name, values[i]));
		char shown[64] = "";
		FILE *out = fmemopen(shown, sizeof shown, "w");

		ck_assert_ptr_nonnull(service);
		show_limits(out, service);
		fclose(out);
		ck_assert_str_eq(shown, textf("%d:%lld ", limits[_i].limit, numbers[i]));
	}
}
END_TEST

START_TEST(sizes_have_units)
{
	const struct service_settings *service = load("rlimit_as = 2K\nrlimit_data = 3m\n"
						      "rlimit_stack = 5G\nrlimit_rss = 1g");

	ck_assert_ptr_nonnull(service);
	ck_assert_uint_eq(service->program->limits[LIMIT_AS], 2048);
	ck_assert_uint_eq(service->program->limits[LIMIT_DATA], 3 * 1024 * 1024);
	ck_assert_uint_eq(service->program->limits[LIMIT_STACK], 5368709120);
	ck_assert_uint_eq(service->program->limits[LIMIT_RSS], 1073741824);
}
END_TEST

/* At a reload the start directory is the root. */
START_TEST(a_path_below_the_root_has_one_slash)
{
	const struct service_settings *service;

	load_options.start_directory = "/";
	service = load("server = bin/sh\nbanner = banner");
	ck_assert_msg(service != NULL, "%s", configuration_complaints_text());
	ck_assert_str_eq(service->server, "/bin/sh");
	ck_assert_str_eq(service->banner, "/banner");
	ck_assert_msg(strstr(service->canonical, "= /bin/sh\n"), "%s", service->canonical);
}
END_TEST

/* --- a system with little in /etc --------------------------------------------------------- */

static const struct {
	const char *lines;
	int number;
} known_protocols[] = {
	{ "protocol = tcp", 6 },
	{ "socket_type = stream", 6 },
	{ "socket_type = dgram\nprotocol = udp\nwait = yes", 17 },
	{ "socket_type = raw\nprotocol = icmp\nwait = yes", 1 },
	{ "protocol = sctp", 132 },
	{ "protocol = SCTP", 132 },
	{ "socket_type = raw\nprotocol = ipv6-icmp\nwait = yes", 58 },
};

static void make_bare_system(void)
{
	own_etc_enter();
	own_etc_write("passwd", "root:x:0:0::/:/bin/sh\n");
	configuration_make();
}

START_TEST(protocols_are_known_without_a_list)
{
	const struct service_settings *service = load(known_protocols[_i].lines);

	ck_assert_msg(service != NULL, "%s: %s", known_protocols[_i].lines,
		      configuration_complaints_text());
	ck_assert_int_eq(service->protocol_number, known_protocols[_i].number);
}
END_TEST

static const struct {
	const char *name;
	enum access_rule_kind kind;
	unsigned char bytes[4];
	unsigned length;
} known_networks[] = {
	{ "first", RULE_PREFIX, { 10, 1, 0, 0 }, 16 },
	{ "Second", RULE_PREFIX, { 192, 0, 2, 0 }, 24 },
	{ "deux", RULE_PREFIX, { 192, 0, 2, 0 }, 24 },
	{ "third", RULE_HOST, { 0 }, 0 },
};

START_TEST(networks_are_those_of_the_file)
{
	const struct access_rule *rule;

	own_etc_write("networks", "first 10.1.0.0\nsecond 192.0.2 zwei deux\n");
	load(textf("only_from = %s", known_networks[_i].name));
	rule = configuration_service("a")->admission->only_from.rules;
	ck_assert_int_eq(rule->kind, known_networks[_i].kind);
	if (rule->kind != RULE_PREFIX)
		return;
	ck_assert_uint_eq(rule->prefix.length, known_networks[_i].length);
	ck_assert_mem_eq(rule->prefix.bytes, known_networks[_i].bytes, 4);
}
END_TEST

START_TEST(relative_paths_begin_in_the_start_directory)
{
	const struct service_settings *service;

	place_script("server", "exit 0");
	service = load("server = server\nlog_type = FILE log\nbanner = banner");
	ck_assert_msg(service != NULL, "%s", configuration_complaints_text());
	ck_assert_str_eq(service->server, textf("%s/server", load_options.start_directory));
	ck_assert_str_eq(service->log.path, textf("%s/log", load_options.start_directory));
	ck_assert_str_eq(service->banner, textf("%s/banner", load_options.start_directory));
}
END_TEST

/* This machine may have any networks, or none. */
START_TEST(names_of_networks_stand_for_them)
{
	const struct netent *network = getnetbyname("loopback");
	const struct service_settings *service = load("only_from = loopback");

	ck_assert_ptr_nonnull(service);
	ck_assert_uint_eq(service->admission->only_from.count, 1);
	ck_assert_int_eq(service->admission->only_from.rules[0].kind,
			 network ? RULE_PREFIX : RULE_HOST);
}
END_TEST

static const struct {
	const char *lines;
	enum severity severity;
	const char *said;
} remarks[] = {
	{ "flags = REUSE", ADVICE, "REUSE is retired" },
	{ "proc = yes\nuser = root", ADVICE, "a program that runs as root can undo root" },
	{ "preset = jail\nproc = no\nuser = nobody", ADVICE, "has no process ids of its own" },
	{ "user = nobody\nscratch = /tmp 1M", ADVICE, "can read and change each other's scratch" },
	{ "mdns = yes", WARNING, "retired, has no effect" },
	{ "port = 1000\nport = 1001", WARNING, "port is already set on line 3" },
	{ "only_from = ALL", ADVICE, "\"ALL\" is taken for the name of a host; for everybody" },
	{ "no_access = unknown", ADVICE, "\"unknown\" is taken for the name of a host; it has" },
	{ "only_from = 10.0.0.0/0", ADVICE,
	  "\"10.0.0.0/0\" is everybody, as no bit of the address "
	  "counts; if that is meant write 0.0.0.0/0, otherwise the length" },
	{ "no_access = fe80::/0", ADVICE, "if that is meant write ::/0" },
	{ "bind = eth0", ADVICE,
	  "bind: \"eth0\" is taken for the name of a host, not of an interface" },
	{ "bind = 127.0.0.1 lo", ADVICE, "bind: \"lo\" is taken for the name of a host" },
	{ "bind = fe80::1", ADVICE,
	  "bind: the link-local address fe80::1 can't be bound without its "
	  "interface; write fe80::1%INTERFACE" },
	{ "bind = 0.0.0.0 ::", ADVICE, "bind: :: can't be bound as well" },
	{ "bind = :: 127.0.0.1", ADVICE, "bind: 127.0.0.1 can't be bound as well" },
	{ "bind = 127.0.0.1 127.0.0.1", ADVICE, "bind: 127.0.0.1 can't be bound as well" },
	{ "server_args = a # b", ADVICE, "\"#\" does not begin a comment" },
	{ "only_from = 10.0.0.1\nonly_from -= 10.0.0.2", WARNING,
	  "only_from -= 10.0.0.2 removes nothing" },
	{ "log_on_success = PID\nlog_on_success -= HOST", WARNING,
	  "log_on_success -= HOST removes nothing" },
};

/* Similar lines that are correct. */
static const char *const unremarkable[] = {
	"user = nobody\nproc = yes",
	"user = nobody\nproc = yes\nscratch = /tmp 1M",
	"user = nobody\nserver = /bin/sh\nroot = /",
	"only_from = 0.0.0.0/0 ::/0",
	"only_from = 0.0.0.0",
	"no_access = all.example.org",
	"only_from = 10.0.0.0/8",
	"bind = 127.0.0.1 ::1",
	"bind = fe80::1%lo",
	"bind = ethan",
	"bind = 0.0.0.0 ::\nv6only = yes",
	"bind = 127.0.0.1 127.0.0.2",
};

START_TEST(does_not_remark_on_what_is_right)
{
	ck_assert_ptr_nonnull(load(unremarkable[_i]));
	ck_assert_msg(configuration_complaints(ADVICE) == 0, "%s: %s", unremarkable[_i],
		      configuration_complaints_text());
}
END_TEST

START_TEST(remarks_on_what_works)
{
	int line = strstr(remarks[_i].lines, "\n") ? 4 : 3;

	ck_assert_ptr_nonnull(load(remarks[_i].lines));
	ck_assert_msg(configuration_said(remarks[_i].severity, line, remarks[_i].said), "%s: %s",
		      remarks[_i].lines, configuration_complaints_text());
}
END_TEST

/* The files are there already, as they are root's. */
START_TEST(remarks_on_the_hosts_root_without_rights)
{
	bool is_root = geteuid() == 0;

	ck_assert_ptr_nonnull(load("preset = jail\nuser = nobody"));
	if (is_root) {
		ck_assert_uint_eq(configuration_complaints(ADVICE), 0);
		ck_assert_int_eq(chmod(place_path(""), 0755), 0);
		ck_assert_int_eq(seteuid(54321), 0);
	}
	configuration_load_again();
	ck_assert_msg(configuration_said(ADVICE, 3, "give the service a root of its own"), "%s",
		      configuration_complaints_text());
	if (is_root)
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

Suite *values_suite(void)
{
	Suite *suite = suite_create("values");
	TCase *tests = tcase_create("values"), *bare_system = tcase_create("bare system");
	int count = (int)(sizeof refused / sizeof refused[0]);

	tcase_add_checked_fixture(tests, configuration_make, configuration_remove);
	tcase_add_test(tests, remarks_on_the_hosts_root_without_rights);
	tcase_add_loop_test(tests, takes_values, 0, (int)(sizeof taken / sizeof taken[0]));
	tcase_add_loop_test(tests, refuses_values, 0, count);
	tcase_add_loop_test(tests, a_refused_value_is_told_once, 0, count);
	tcase_add_loop_test(tests, sets_resource_limits, 0,
			    (int)(sizeof limits / sizeof limits[0]));
	tcase_add_test(tests, sizes_have_units);
	tcase_add_test(tests, relative_paths_begin_in_the_start_directory);
	tcase_add_test(tests, a_path_below_the_root_has_one_slash);
	tcase_add_test(tests, names_of_networks_stand_for_them);
	tcase_add_loop_test(tests, remarks_on_what_works, 0,
			    (int)(sizeof remarks / sizeof remarks[0]));
	tcase_add_loop_test(tests, does_not_remark_on_what_is_right, 0,
			    (int)(sizeof unremarkable / sizeof unremarkable[0]));
	suite_add_tcase(suite, tests);
	if (!own_etc_is_allowed())
		return suite;
	tcase_add_checked_fixture(bare_system, make_bare_system, configuration_remove);
	tcase_add_loop_test(bare_system, protocols_are_known_without_a_list, 0,
			    (int)(sizeof known_protocols / sizeof known_protocols[0]));
	tcase_add_loop_test(bare_system, networks_are_those_of_the_file, 0,
			    (int)(sizeof known_networks / sizeof known_networks[0]));
	suite_add_tcase(suite, bare_system);
	return suite;
}
