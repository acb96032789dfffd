/* Checks of one service, and of all services together. */
#include "support/configuration.h"
#include "support/place.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define LISTED "socket_type = stream\nwait = no\nuser = root\nserver = /bin/sh\n"
#define UNLISTED "type = UNLISTED\nport = 1000\n" LISTED
#define WAITING \
	"type = UNLISTED\nport = 1\nsocket_type = stream\nwait = yes\nuser = root\n" \
	"server = /bin/sh\n"
#define DATAGRAM "socket_type = dgram\nwait = yes\nuser = root\nserver = /bin/sh\n"
#define REDIRECT "type = UNLISTED\nport = 1\nsocket_type = stream\nwait = no\nredirect = ::1 2\n"
#define INTERNAL "type = INTERNAL\nwait = no\n"

/* A service, and the problem that is reported on its first line. */
static const struct {
	const char *name, *lines;
	enum severity severity;
	const char *said; /* NULL: no WARNING or ERROR */
} services[] = {
	/* What is missing. */
	{ "telnet", LISTED, ADVICE, NULL },
	{ "a", UNLISTED, ADVICE, NULL },
	{ "echo", INTERNAL "socket_type = stream\n", ADVICE, NULL },
	{ "echo", INTERNAL "protocol = tcp\n", ADVICE, NULL },
	{ "echo", INTERNAL "protocol = udp\nbind = ::1\n", ADVICE, NULL },
	{ "a", "", ERROR, "service a: socket_type or protocol is missing" },
	{ "a", "", ERROR, "wait is missing" },
	{ "a", "", ERROR, "user is missing" },
	{ "a", "", ERROR, "server is missing" },
	{ "a", "socket_type = raw\n", ERROR, "protocol is missing" },
	{ "a", "protocol = icmp\n", ERROR, "socket_type is missing" },
	{ "a", "type = UNLISTED\n" LISTED, ERROR, "port (the service is UNLISTED) is missing" },
	{ "echo", "type = INTERNAL\nsocket_type = stream\n", ERROR, "wait is missing" },

	/* What a session sees of the machine. */
	{ "a", UNLISTED "proc = yes\n", ADVICE, NULL },
	{ "a", WAITING "proc = yes\ndirectory = /\n", ADVICE, NULL },
	{ "a", REDIRECT "proc = yes\n", ERROR, "proc is for services with a server; remove it" },
	{ "echo", INTERNAL "socket_type = stream\ndevices =\n", ERROR,
	  "devices is for services with a server; remove it" },
	{ "echo", INTERNAL "socket_type = stream\ndirectory = /\n", ERROR,
	  "directory is for services with a server; remove it" },
	{ "echo", INTERNAL "socket_type = stream\nnetwork = none\n", ERROR,
	  "network is for services with a server; remove it" },
	{ "echo", INTERNAL "socket_type = stream\nnetwork = host\n", ADVICE, NULL },
	{ "a", UNLISTED "writable = /usr\n", ERROR, "writable needs root" },
	{ "a", UNLISTED "network = none\ncapabilities = NET_RAW NET_ADMIN\n", ERROR,
	  "CAP_NET_ADMIN and network = none do not go together" },
	{ "a", UNLISTED "network = none\ncapabilities = NET_ADMIN\npty = yes\n", ADVICE, NULL },
	{ "a", UNLISTED "scratch = /no/such 1M\n", ERROR,
	  "scratch: there is no /no/such in /; make it" },
	{ "a", UNLISTED "scratch = /dev/shm/no-such 1M\n", ERROR, "scratch: there is no" },
	{ "a", UNLISTED "scratch = /etc/passwd 1M\n", ERROR,
	  "scratch: /etc/passwd is not a directory" },
	{ "a", UNLISTED "scratch = /proc/self 1M\n", ERROR,
	  "scratch: /proc/self in / has a symbolic link in it, which others may have made" },
	{ "a", UNLISTED "root = /\nwritable = /usr /no/such\n", ERROR,
	  "writable: there is no /no/such in /; make it" },
	{ "a",
	  "type = UNLISTED\nport = 1\nsocket_type = stream\nwait = no\nuser = root\n"
	  "root = /usr\nserver = /bin/env\nproc = yes\n",
	  ERROR, "proc: there is no /proc in /usr; make it" },

	/* Types of sockets and ports. */
	{ "a", UNLISTED "protocol = udp\n", ERROR, "socket_type and protocol do not go together" },
	{ "tftp",
	  "socket_type = dgram\nprotocol = tcp\nwait = yes\nuser = root\nserver = /bin/sh\n", ERROR,
	  "socket_type and protocol do not go together" },
	{ "a", LISTED, ERROR, "a/tcp is not in the port map" },
	{ "a", LISTED "port = 1000\n", ERROR, "a/tcp is not in the port map" },
	{ "tftp", LISTED, ERROR, "tftp/tcp is not in the port map" },
	{ "TELNET", LISTED "port = 23\n", ADVICE, NULL },
	{ "telnet", LISTED "port = 24\n", ERROR,
	  "the port map has port 23 for telnet/tcp, not 24" },
	{ "telnet", "port = 24\ntype = UNLISTED\n" LISTED, ADVICE, NULL },

	/* Built-ins. */
	{ "nonsense", INTERNAL "type = INTERNAL UNLISTED\nport = 1\nsocket_type = stream\n", ERROR,
	  "" },
	{ "echo", "type = INTERNAL UNLISTED\nport = 1007\nwait = no\nsocket_type = stream\n",
	  ADVICE, NULL },
	{ "servers", "type = INTERNAL UNLISTED\nport = 1007\nwait = no\nsocket_type = stream\n",
	  ERROR, "there is no internal service servers/tcp" },
	{ "tcpmux", INTERNAL "socket_type = stream\n", ADVICE, NULL },
	{ "echo", INTERNAL "socket_type = stream\nflags = NAMEINARGS\n", ERROR,
	  "NAMEINARGS makes no sense for an INTERNAL service" },
	{ "a",
	  "type = UNLISTED\nport = 1\nsocket_type = stream\nwait = no\nflags = SENSOR\n"
	  "type = UNLISTED\n",
	  ERROR, "server (or type = INTERNAL) is missing" },
	{ "a",
	  "type = UNLISTED INTERNAL\nport = 1\nsocket_type = stream\nwait = no\n"
	  "flags = SENSOR\n",
	  ADVICE, NULL },
	{ "a", UNLISTED "flags = SENSOR\n", ADVICE, NULL },

	/* proxy_protocol */
	{ "a", UNLISTED "proxy_protocol = v1\nproxy_from = 10.0.0.1\n", ADVICE, NULL },
	{ "a", UNLISTED "proxy_protocol = off\n", ADVICE, NULL },
	{ "a", UNLISTED "proxy_from = 10.0.0.1\nproxy_others = direct\n", ADVICE, NULL },
	{ "a", UNLISTED "proxy_protocol = v1\n", ERROR, "proxy_protocol needs proxy_from" },
	{ "a", UNLISTED "proxy_protocol = v2\nproxy_from =\n", ERROR,
	  "proxy_protocol needs proxy_from" },
	{ "a", UNLISTED "proxy_protocol = any\nproxy_from = 10.0.0.1 lb.example\n", ERROR,
	  "proxy_from has a host name" },
	{ "a", UNLISTED "proxy_protocol = any\nproxy_from = .example\n", ERROR,
	  "proxy_from has a host name" },
	{ "echo", INTERNAL "socket_type = dgram\nproxy_protocol = v2\nproxy_from = ::1\n", ERROR,
	  "proxy_protocol is for stream services" },
	{ "a",
	  "type = UNLISTED\nport = 1\nsocket_type = stream\nwait = yes\nuser = root\n"
	  "server = /bin/sh\nproxy_protocol = v1\nproxy_from = ::1\n",
	  ERROR, "proxy_protocol can't be kept with wait = yes" },
	{ "a",
	  "type = UNLISTED\nport = 1\nsocket_type = stream\nwait = yes\nuser = root\n"
	  "server = /bin/sh\nflags = INTERCEPT\nproxy_protocol = v1\nproxy_from = ::1\n",
	  ADVICE, NULL },
	{ "a", "type = TCPMUX UNLISTED\n" LISTED "proxy_protocol = v1\nproxy_from = ::1\n", ERROR,
	  "proxy_protocol is not for a TCPMUX service" },
	{ "a", UNLISTED "flags = IDONLY\nproxy_protocol = v1\nproxy_from = ::1\n", ERROR,
	  "proxy_protocol and IDONLY do not go together" },
	{ "a", UNLISTED "flags = LABELED\nproxy_protocol = v1\nproxy_from = ::1\n", ERROR,
	  "proxy_protocol and LABELED do not go together" },
	{ "a", UNLISTED "log_on_success = USERID\nproxy_protocol = v1\nproxy_from = ::1\n", WARNING,
	  "USERID has no effect here: no ident server is asked" },

	/* send_proxy */
	{ "a",
	  "type = UNLISTED\nport = 1\nsocket_type = stream\nwait = no\nredirect = ::1 2\n"
	  "send_proxy = v2\n",
	  ADVICE, NULL },
	{ "a", UNLISTED "send_proxy = v1\n", ERROR, "send_proxy is for redirect" },
	{ "echo", INTERNAL "socket_type = stream\nsend_proxy = v1\n", ERROR,
	  "send_proxy is for redirect" },

	/* What sessions must not do. */
	{ "a", UNLISTED "no_new_privs = yes\ncapabilities = none\nsyscalls = default\n", ADVICE,
	  NULL },
	{ "a", UNLISTED "no_new_privs = no\ncapabilities = KILL\nsyscalls = all\n", ADVICE, NULL },
	{ "a", UNLISTED "no_new_privs = no\nsyscalls = default\n", ERROR,
	  "no_new_privs = no and syscalls do not go together" },
	{ "a", UNLISTED "no_new_privs = no\nallow_execute = /\n", ERROR,
	  "no_new_privs = no and allow_execute do not go together" },
	{ "echo", INTERNAL "socket_type = stream\nno_new_privs = no\n", ERROR,
	  "no_new_privs is for services with a server; remove it" },
	{ "a", REDIRECT "capabilities = none\n", ERROR, "capabilities is for services with" },
	{ "a", REDIRECT "syscalls = all\n", ERROR, "syscalls is for services with a server" },
	{ "a", REDIRECT "allow_write =\n", ERROR, "allow_write is for services with a server" },
	{ "a", UNLISTED "allow_execute = /\n", ADVICE, NULL },
	{ "a", UNLISTED "allow_execute = -/usr -/bin -/lib -/lib64\n", ADVICE, NULL },
	{ "a", UNLISTED "allow_read = /\n", ERROR,
	  "/bin/sh could not be run: add it, or a directory above it, to allow_execute" },
	{ "a", UNLISTED "allow_execute =\n", ERROR, "/bin/sh could not be run" },
	{ "a", UNLISTED "allow_execute = /bin/sh\n", ERROR,
	  "/bin/sh could not be run, as it needs /lib" },
	{ "a", UNLISTED "allow_execute = / /nonexistent/a\n", ERROR,
	  "allow_execute: /nonexistent/a: No such file or directory; write -/nonexistent/a if it" },
	{ "a", UNLISTED "allow_execute = /\nallow_read = /nonexistent/a\n", ERROR,
	  "allow_read: /nonexistent/a: No such file" },
	{ "a", UNLISTED "allow_execute = / -/nonexistent/a\n", ADVICE, NULL },
	{ "a", UNLISTED "allow_execute = /\nrlimit_files = 4\n", ERROR,
	  "allow_execute needs rlimit_files of at least 5" },
	{ "a", UNLISTED "allow_execute = /\nrlimit_files = 5\n", ADVICE, NULL },

	/* How connections end. */
	{ "echo", INTERNAL "socket_type = stream\nidle_timeout = 5\n", ADVICE, NULL },
	{ "daytime", INTERNAL "socket_type = stream\nidle_timeout = 5\n", ERROR,
	  "idle_timeout is for redirect, for programs of TCP services with wait = no, and for "
	  "stream services echo, discard and chargen; remove it" },
	{ "echo", INTERNAL "socket_type = dgram\nidle_timeout = 5\n", ERROR,
	  "idle_timeout is for" },
	{ "echo", INTERNAL "socket_type = stream\nflags = SENSOR\nidle_timeout = 5\n", ERROR,
	  "idle_timeout is for" },
	{ "a", UNLISTED "idle_timeout = 5\n", ADVICE, NULL },
	{ "a", UNLISTED "idle_timeout = 0\n", ADVICE, NULL },
	{ "a", WAITING "idle_timeout = 5\n", ERROR, "idle_timeout is for" },
	{ "a", WAITING "idle_timeout = 0\n", ADVICE, NULL },
	{ "tftp", DATAGRAM "idle_timeout = 5\n", ERROR, "idle_timeout is for" },
	{ "a", REDIRECT "idle_timeout = 5\n", ADVICE, NULL },
	{ "a", UNLISTED "lingering_close = yes\n", ADVICE, NULL },
	{ "a", REDIRECT "lingering_close = 1\n", ADVICE, NULL },
	{ "a", WAITING "lingering_close = no\n", ADVICE, NULL },
	{ "a", WAITING "lingering_close = yes\n", ERROR,
	  "lingering_close is for redirect and for programs of TCP services with wait = no; "
	  "remove it" },
	{ "tftp", DATAGRAM "lingering_close = 5\n", ERROR, "lingering_close is for" },
	{ "echo", INTERNAL "socket_type = stream\nlingering_close = 5\n", ERROR,
	  "lingering_close is for" },
	{ "a", UNLISTED "flags = SENSOR\nlingering_close = yes\n", ERROR,
	  "lingering_close is for" },
	{ "a", UNLISTED "kill_on_disconnect = fin\n", ADVICE, NULL },
	{ "a", REDIRECT "kill_on_disconnect = no\n", ADVICE, NULL },
	{ "a", REDIRECT "kill_on_disconnect = reset\n", ERROR,
	  "kill_on_disconnect is for programs of TCP services with wait = no; remove it" },
	{ "a", WAITING "kill_on_disconnect = reset\n", ERROR, "kill_on_disconnect is for" },
	{ "tftp", DATAGRAM "kill_on_disconnect = fin\n", ERROR, "kill_on_disconnect is for" },
	{ "echo", INTERNAL "socket_type = stream\nkill_on_disconnect = fin\n", ERROR,
	  "kill_on_disconnect is for" },

	/* proof_of_work */
	{ "a", UNLISTED "proof_of_work = 5000\nproof_of_work_time = 60\n", ADVICE, NULL },
	{ "a", REDIRECT "proof_of_work = 1\n", ADVICE, NULL },
	{ "echo", INTERNAL "socket_type = stream\nproof_of_work = 1\n", ADVICE, NULL },
	{ "a", UNLISTED "proof_of_work_time = 0\n", ADVICE, NULL },
	{ "a", UNLISTED "proof_of_work_time = 60\n", ERROR,
	  "proof_of_work_time has no meaning without proof_of_work; add that, or remove it" },
	{ "a", WAITING "proof_of_work = 1\n", ERROR,
	  "proof_of_work is for stream services with wait = no" },
	{ "tftp", DATAGRAM "proof_of_work = 1\n", ERROR, "proof_of_work is for stream services" },
	{ "echo", INTERNAL "socket_type = dgram\nproof_of_work = 1\n", ERROR,
	  "proof_of_work is for stream services" },
	{ "a", "type = TCPMUX UNLISTED\n" LISTED "proof_of_work = 1\n", ERROR,
	  "proof_of_work is not for a TCPMUX service; write it in the entry of tcpmux" },
	{ "a", UNLISTED "flags = SENSOR\nproof_of_work = 1\n", ERROR,
	  "proof_of_work is not for a SENSOR" },
	{ "a", UNLISTED "pty = yes\n", ADVICE, NULL },
	{ "a", REDIRECT "pty = no\n", ADVICE, NULL },
	{ "a", REDIRECT "pty = yes\n", ERROR,
	  "pty is for programs of TCP services with wait = no; remove it" },
	{ "a", WAITING "pty = eof\n", ERROR, "pty is for programs" },
	{ "tftp", DATAGRAM "pty = yes\n", ERROR, "pty is for programs" },
	{ "echo", INTERNAL "socket_type = stream\npty = yes\n", ERROR, "pty is for programs" },
	{ "a", UNLISTED "flags = SENSOR\npty = yes\n", ERROR, "pty is for programs" },

	/* start_timeout, max_runtime and kill_timeout */
	{ "echo", INTERNAL "socket_type = dgram\nstart_timeout = 5\n", ERROR,
	  "start_timeout is for connections, and not for datagrams that the daemon answers" },
	{ "daytime", INTERNAL "socket_type = stream\nstart_timeout = 5\n", ADVICE, NULL },
	{ "a", UNLISTED "start_timeout = 5\n", ADVICE, NULL },
	{ "echo", INTERNAL "socket_type = stream\nmax_runtime = 5\n", ADVICE, NULL },
	{ "tcpmux", INTERNAL "socket_type = stream\nmax_runtime = 5\n", ADVICE, NULL },
	{ "a", UNLISTED "max_runtime = 5\nkill_timeout = 40\n", ADVICE, NULL },
	{ "a", REDIRECT "max_runtime = 5\n", ADVICE, NULL },
	{ "daytime", INTERNAL "socket_type = stream\nmax_runtime = 5\n", ERROR,
	  "max_runtime is for services with a server, redirect, and the stream services" },
	{ "echo", INTERNAL "socket_type = dgram\nmax_runtime = 5\n", ERROR, "max_runtime is for" },
	{ "echo", INTERNAL "socket_type = stream\nflags = SENSOR\nmax_runtime = 5\n", ERROR,
	  "max_runtime is for" },
	{ "daytime", INTERNAL "socket_type = stream\nmax_runtime = 0\n", ADVICE, NULL },
	{ "a", REDIRECT "kill_timeout = 5\n", ERROR,
	  "kill_timeout is for services with a server; remove it" },
	{ "echo", INTERNAL "socket_type = stream\nkill_timeout = 5\n", ERROR,
	  "kill_timeout is for" },

	{ "a", UNLISTED "end_command = /bin/sh\n", ADVICE, NULL },
	{ "a", REDIRECT "end_command = /bin/sh\n", ERROR,
	  "end_command is for services with a server" },
	{ "a", UNLISTED "flags = LABELED\nend_command = /bin/sh\n", ERROR,
	  "end_command has no connection, so LABELED has no label for it: remove one of them" },
	{ "a", UNLISTED "session_env = yes\n", ADVICE, NULL },
	{ "a", UNLISTED "scratch = /bin 1M\n", ERROR,
	  "scratch: /bin would cover /bin/sh, which is the server; move one of them" },
	{ "a", UNLISTED "scratch = /tmp 1M\n", ADVICE, NULL },
	{ "a", UNLISTED "placeholders = yes\n", ADVICE, NULL },
	{ "a", REDIRECT "placeholders = no\n", ADVICE, NULL },
	{ "a", REDIRECT "placeholders = yes\n", ERROR,
	  "placeholders is for services with a server; remove it" },
	{ "echo", INTERNAL "socket_type = stream\nplaceholders = yes\n", ERROR,
	  "placeholders is for services with a server" },
	{ "a", REDIRECT "session_env = yes\n", ERROR, "session_env is for services with a server" },
	{ "a", REDIRECT "session_env = no\n", ADVICE, NULL },
	/* memory, processes, cpu */
	{ "a", UNLISTED "memory = 64M\nprocesses = 5\ncpu = 50\n", ADVICE, NULL },
	{ "echo", INTERNAL "socket_type = stream\nmemory = 64M\n", ERROR,
	  "memory is for services with a server" },
	{ "echo", INTERNAL "socket_type = stream\nprocesses = 5\n", ERROR,
	  "processes is for services with a server" },
	{ "a", UNLISTED "redirect = 127.0.0.1 80\ncpu = 5\n", ERROR,
	  "cpu is for services with a server" },
	{ "echo", INTERNAL "socket_type = stream\nprocesses_at_exit = kill\n", ADVICE, NULL },

	/* Programs. */
	{ "tftp", "socket_type = dgram\nwait = no\nuser = root\nserver = /bin/sh\n", ERROR,
	  "a dgram service with a server needs wait = yes" },
	{ "tftp", "socket_type = dgram\nwait = yes\nuser = root\nserver = /bin/sh\n", ADVICE,
	  NULL },
	{ "echo", INTERNAL "socket_type = dgram\nbind = ::1\n", ADVICE, NULL },
	{ "a", UNLISTED "flags = NAMEINARGS\n", ERROR, "NAMEINARGS needs server_args" },

	/* redirect */
	{ "a", "type = UNLISTED\nport = 1\nsocket_type = stream\nwait = no\nredirect = ::1 2\n",
	  ADVICE, NULL },
	{ "a", "type = UNLISTED\nport = 1\nsocket_type = dgram\nwait = no\nredirect = ::1 2\n",
	  ERROR, "redirect is for stream services" },
	{ "a", "type = UNLISTED\nport = 1\nsocket_type = stream\nwait = yes\nredirect = ::1 2\n",
	  ERROR, "redirect needs wait = no" },
	{ "a",
	  "type = UNLISTED\nport = 1\nsocket_type = stream\nwait = no\nredirect = ::1 2\n"
	  "flags = NAMEINARGS\n",
	  ERROR, "redirect has no arguments" },
	{ "a", UNLISTED "log_on_success = RUSAGE SESSION\n", ADVICE, NULL },
	{ "echo", INTERNAL "socket_type = stream\nlog_on_success = SESSION\n", ERROR,
	  "SESSION is only for services with a server; remove it from log_on_success" },
	{ "a", REDIRECT "log_on_success = RUSAGE\n", ERROR,
	  "RUSAGE is only for services with a server; remove it from log_on_success" },
	{ "a", UNLISTED "log_on_success = TRAFFIC\n", ADVICE, NULL },
	{ "a", WAITING "log_on_success = TRAFFIC\n", ERROR,
	  "TRAFFIC is only for redirect and for programs of TCP services with wait = no; remove it "
	  "from log_on_success" },
	{ "tftp", DATAGRAM "log_on_success = TRAFFIC\n", ERROR, "TRAFFIC is only for" },
	{ "echo", INTERNAL "socket_type = stream\nlog_on_success = TRAFFIC\n", ERROR,
	  "TRAFFIC is only for" },

	/* tcpmux */
	{ "a", "type = TCPMUX UNLISTED\nprotocol = tcp\n" LISTED, ADVICE, NULL },
	{ "a", "type = TCPMUXPLUS\nprotocol = tcp\n" LISTED, ERROR, "needs UNLISTED in its type" },
	{ "a",
	  "type = TCPMUX UNLISTED\nsocket_type = dgram\nwait = yes\nuser = root\n"
	  "server = /bin/sh\n",
	  ERROR, "a TCPMUX service needs protocol = tcp" },
	{ "a",
	  "type = TCPMUX UNLISTED\nsocket_type = stream\nwait = yes\nuser = root\n"
	  "server = /bin/sh\n",
	  ERROR, "a TCPMUX service needs wait = no" },

/* RPC */
#ifdef HAVE_LIBTIRPC
	{ "a", "type = RPC UNLISTED\nrpc_version = 1\nrpc_number = 7\n" LISTED, ADVICE, NULL },
	{ "portmapper", "type = RPC\nrpc_version = 2\n" LISTED, ADVICE, NULL },
	{ "a", "type = RPC UNLISTED\nrpc_version = 1\n" LISTED, ERROR,
	  "rpc_number (the service is "
	  "UNLISTED) is missing" },
	{ "a", "type = RPC UNLISTED\nrpc_number = 1\n" LISTED, ERROR, "rpc_version is missing" },
	{ "no-such-program", "type = RPC\nrpc_version = 1\n" LISTED, ERROR,
	  "there is no RPC program no-such-program in /etc/rpc" },
#else
	{ "a", "type = RPC UNLISTED\nrpc_version = 1\nrpc_number = 7\n" LISTED, ERROR,
	  "RPC is not in this build" },
#endif

/* LABELED */
#ifdef HAVE_LIBSELINUX
	{ "a", UNLISTED "flags = LABELED\n", ADVICE, NULL },
#else
	{ "a", UNLISTED "flags = LABELED\n", ERROR, "LABELED is not in this build" },
#endif
	{ "echo", INTERNAL "socket_type = stream\nflags = LABELED\n", ERROR,
	  "LABELED is for services with a server" },
	{ "tftp",
	  "socket_type = dgram\nwait = yes\nuser = root\nserver = /bin/sh\n"
	  "flags = LABELED\n",
	  ERROR, "LABELED is for stream services with wait = no" },
#ifndef HAVE_LIBWRAP
	{ "a", UNLISTED "libwrap = x\n", ERROR, "libwrap is not in this build" },
#endif

	/* Access. */
	{ "a",
	  "type = UNLISTED\nport = 1\nsocket_type = stream\nwait = yes\nuser = root\n"
	  "server = /bin/sh\nonly_from = ::1\n",
	  ERROR, "can't be kept with wait = yes" },
	{ "a",
	  "type = UNLISTED\nport = 1\nsocket_type = stream\nwait = yes\nuser = root\n"
	  "server = /bin/sh\nno_access = ::1\n",
	  ERROR, "can't be kept with wait = yes" },
	{ "a",
	  "type = UNLISTED\nport = 1\nsocket_type = stream\nwait = yes\nuser = root\n"
	  "server = /bin/sh\nonly_from = ::1\nflags = INTERCEPT\n",
	  ADVICE, NULL },
	{ "echo", "type = INTERNAL\nsocket_type = stream\nwait = yes\nonly_from = ::1\n", ADVICE,
	  NULL },
	{ "tftp",
	  "socket_type = dgram\nwait = yes\nuser = root\nserver = /bin/sh\nonly_from = ::1\n",
	  ADVICE, NULL },
	{ "tftp",
	  "socket_type = dgram\nwait = yes\nuser = root\nserver = /bin/sh\n"
	  "flags = INTERCEPT\nno_access = .example.org\n",
	  ERROR, "can't check whether a host is in a domain" },
	{ "tftp",
	  "socket_type = dgram\nwait = yes\nuser = root\nserver = /bin/sh\n"
	  "flags = INTERCEPT\nonly_from = localhost 10.0.0.0/8\n",
	  ADVICE, NULL },
	{ "tftp",
	  "socket_type = dgram\nwait = yes\nuser = root\nserver = /bin/sh\n"
	  "flags = INTERCEPT\nno_access = ::1\n",
	  ADVICE, NULL },
	{ "a", UNLISTED "v6only = yes\nflags = IPv4\n", ERROR, "leave no clients at all" },
	{ "a", UNLISTED "v6only = yes\nflags = IPv4 IPv6\n", ADVICE, NULL },

	/* Without effect. */
	{ "a", UNLISTED "flags = INTERCEPT\n", WARNING, "INTERCEPT is only for wait = yes" },
	{ "echo", "type = INTERNAL\nsocket_type = stream\nwait = yes\nflags = INTERCEPT\n", WARNING,
	  "INTERCEPT is only for wait = yes" },
	{ "ident", LISTED "log_on_failure = USERID\n", WARNING,
	  "two hosts with ident servers would ask each other" },
	{ "ident", LISTED "log_on_failure = HOST\n", ADVICE, NULL },
	{ "telnet", LISTED "log_on_failure = USERID\n", ADVICE, NULL },
};

START_TEST(checks_services)
{
	const struct service_settings *service;

	configuration_load("service %s\n{\n%s}\n", services[_i].name, services[_i].lines);
	service = configuration_service(services[_i].name);
	if (services[_i].said)
		ck_assert_msg(services[_i].said[0] == '\0' ||
				      configuration_said(services[_i].severity, 1,
							 services[_i].said),
			      "%s: %s", services[_i].lines, configuration_complaints_text());
	else
		ck_assert_msg(configuration_complaints(WARNING) == 0, "%s: %s", services[_i].lines,
			      configuration_complaints_text());
	ck_assert_msg((service != NULL) == (services[_i].severity != ERROR), "%s: %s",
		      services[_i].lines, configuration_complaints_text());
}
END_TEST

/* A consequence of an error is not reported as a second one. */
static const struct {
	const char *name, *lines;
} single_faults[] = {
	{ "a", "type = UNLISTED\nport = 1000\nwait = no\nuser = root\nserver = /bin/sh\n" },
	{ "a", UNLISTED "protocol = udp\n" },
	{ "a", "type = UNLISTED\nport = 1000\nwait = no\nuser = root\nserver = /bin/sh\n"
	       "socket_type = dgram\nprotocol = tcp\n" },
	{ "a", "type = INTERNAL UNLISTED\nport = 1000\nwait = no\nsocket_type = dgram\n"
	       "protocol = tcp\n" },
	{ "echo", "type = INTERNAL\nwait = no\n" },
	{ "a",
	  "type = TCPMUX UNLISTED\nprotocol = udp\nwait = no\nuser = root\nserver = /bin/sh\n" },
};

START_TEST(one_fault_is_one_complaint)
{
	configuration_load("service %s\n{\n%s}\n", single_faults[_i].name, single_faults[_i].lines);
	ck_assert_msg(configuration_complaints(WARNING) == 1, "%s: %s", single_faults[_i].lines,
		      configuration_complaints_text());
}
END_TEST

/* defaults, a service that can't have what they set, and the problem. */
static const struct {
	const char *defaults, *lines;
	enum severity severity;
	const char *said;
} inherited[] = {
	{ "only_from = ::1", "wait = yes", ERROR, "or flags = INTERCEPT (set in defaults, " },
	{ "no_access = ::1", "wait = yes", ERROR, "or flags = INTERCEPT (set in defaults, " },
	{ "v6only = yes", "flags = IPv4", ERROR, "leave no clients at all (set in defaults, " },
	{ "log_on_success = TRAFFIC", "wait = yes", ERROR,
	  "from log_on_success (set in defaults, " },
	{ "log_on_failure = USERID", "wait = yes", ADVICE, "with wait = no (set in defaults, " },
	{ "banner = /no/such", "", ADVICE, "No such file or directory (set in defaults, " },
};

START_TEST(tells_where_an_inherited_value_is_set)
{
	configuration_load("defaults\n{\n%s\n}\nservice a\n{\n%s\n" UNLISTED "}\n",
			   inherited[_i].defaults, inherited[_i].lines);
	ck_assert_msg(configuration_said(inherited[_i].severity, 5, inherited[_i].said) &&
			      configuration_said(inherited[_i].severity, 5, "/usherd.conf:3)"),
		      "%s: %s", inherited[_i].defaults, configuration_complaints_text());
}
END_TEST

START_TEST(does_not_tell_where_a_service_sets_a_value)
{
	configuration_load("defaults\n{\nv6only = yes\n}\nservice a\n{\nv6only = yes\n"
			   "flags = IPv4\n" UNLISTED "}\n");
	ck_assert(configuration_said(ERROR, 5, "leave no clients at all"));
	ck_assert(!configuration_said(ERROR, 5, "set in defaults"));
}
END_TEST

START_TEST(useless_flags_are_cleared)
{
	const struct service_settings *service;

	configuration_load("service tftp\n{\nsocket_type = dgram\nwait = yes\nuser = root\n"
			   "server = /bin/sh\nlog_on_failure = USERID HOST\n"
			   "log_on_success = PID USERID\n}\n");
	service = configuration_service("tftp");
	ck_assert_ptr_nonnull(service);
	ck_assert_uint_eq(service->log_on_failure, LOG_FLAG_HOST);
	ck_assert_uint_eq(service->log_on_success, LOG_FLAG_PID);
	ck_assert(configuration_said(ADVICE, 1, "USERID has no effect here"));
	configuration_load("service telnet\n{\nflags = INTERCEPT NODELAY\n" LISTED "}\n");
	ck_assert_uint_eq(configuration_service("telnet")->flags, FLAG_NODELAY);
}
END_TEST

START_TEST(sensors_are_internal)
{
	configuration_load("service a\n{\nflags = SENSOR\n" UNLISTED "}\n");
	ck_assert(service_is_internal(configuration_service("a")));
	ck_assert_ptr_null(configuration_service("a")->argv);
}
END_TEST

START_TEST(multiplexed_services_have_no_port)
{
	configuration_load("service a\n{\ntype = TCPMUX UNLISTED\nprotocol = tcp\n" LISTED "}\n");
	ck_assert_int_eq(configuration_service("a")->port, 0);
}
END_TEST

/* --- what the program gets -------------------------------------------------------- */

static const struct {
	const char *lines;
	const char *argv[4];
} commands[] = {
	{ "", { "sh" } },
	{ "server_args = -c x\n", { "sh", "-c", "x" } },
	{ "flags = NAMEINARGS\nserver_args = name -c\n", { "name", "-c" } },
	{ "server_args = name -c\nflags = NAMEINARGS\n", { "name", "-c" } },
	{ "server_args = \"\"\n", { "sh", "" } },
};

START_TEST(makes_argv)
{
	char **argv;
	size_t i = 0;

	configuration_load("service a\n{\n" UNLISTED "%s}\n", commands[_i].lines);
	argv = configuration_service("a")->argv;
	for (; commands[_i].argv[i]; i++)
		ck_assert_pstr_eq(argv[i], commands[_i].argv[i]);
	ck_assert_ptr_null(argv[i]);
}
END_TEST

static const struct {
	const char *lines;
	const char *environment[4];
} environments[] = {
	{ "", { "FIRST=1", "SECOND=2" } },
	{ "passenv = SECOND\n", { "SECOND=2" } },
	{ "passenv = SECOND NOSUCH\n", { "SECOND=2" } },
	{ "passenv = SECON\n", { NULL } },
	{ "passenv =\n", { NULL } },
	{ "passenv =\nenv = A=1\n", { "A=1" } },
	{ "env = SECOND=3 FIRST=0 SECOND=4\n", { "FIRST=0", "SECOND=4" } },
	{ "env = FIRS=0\n", { "FIRST=1", "SECOND=2", "FIRS=0" } },
};

START_TEST(makes_the_environment)
{
	const struct service_settings *service;
	size_t i = 0;

	clearenv();
	setenv("FIRST", "1", 1);
	setenv("SECOND", "2", 1);
	configuration_load("service a\n{\n" UNLISTED "%s}\n", environments[_i].lines);
	service = configuration_service("a");
	for (; environments[_i].environment[i]; i++)
		ck_assert_pstr_eq(service->program->environment[i],
				  environments[_i].environment[i]);
	ck_assert_ptr_null(service->program->environment[i]);
	ck_assert_uint_eq(service->program->environment_count, i);
}
END_TEST

/* --- one socket, one service -------------------------------------------------------- */

/* Lines of two services, both on tcp port 1000 unless the lines set another. */
static const struct {
	const char *one, *other;
	bool overlap;
} pairs[] = {
	{ "port = 1000", "port = 1000", true },
	{ "port = 1000", "port = 1001", false },
	{ "port = 1000", "port = 1000\nsocket_type = dgram\nwait = yes", false },
	{ "port = 0", "port = 0", false },

	{ "bind = 127.0.0.1", "bind = 127.0.0.2", false },
	{ "bind = 127.0.0.1", "bind = 127.0.0.1", true },
	{ "bind = 127.0.0.1", "port = 1000", true },
	{ "port = 1000", "bind = 127.0.0.1", true },
	{ "bind = 127.0.0.1", "bind = 0.0.0.0", true },
	{ "bind = 0.0.0.0", "bind = 127.0.0.1", true },
	{ "bind = 127.0.0.1", "bind = ::", true },
	{ "bind = 127.0.0.1", "bind = ::\nv6only = yes", false },
	{ "bind = 127.0.0.1", "bind = ::1", false },
	{ "bind = 0.0.0.0", "bind = ::1", false },
	{ "bind = ::1", "bind = 0.0.0.0", false },
	{ "bind = ::", "bind = ::1", true },
	{ "bind = ::1", "bind = ::", true },
	{ "bind = ::1", "bind = 0:0:0:0:0:0:0:1", true },
	{ "bind = ::ffff:127.0.0.1", "bind = 127.0.0.1", true },
	{ "bind = 0.0.0.0", "bind = ::", true },
	{ "bind = 0.0.0.0", "bind = ::\nv6only = yes", false },
	{ "flags = IPv4", "bind = ::1", false },
	{ "flags = IPv4", "flags = IPv6\nv6only = yes", false },
	{ "flags = IPv4", "flags = IPv6", true },
	{ "flags = IPv4 IPv6", "flags = IPv4", true },
	{ "v6only = yes", "v6only = yes", true },

	{ "bind = host", "bind = HOST", true },
	{ "bind = host", "bind = other", false },
	{ "bind = host", "bind = 127.0.0.1", false },
	{ "bind = host", "port = 1000", true },
	{ "bind = host\nflags = IPv4", "bind = host\nflags = IPv6", false },
	{ "bind = host\nflags = IPv4", "bind = ::\nv6only = yes", false },

	{ "bind = 127.0.0.1 127.0.0.2", "bind = 127.0.0.3 127.0.0.2", true },
	{ "bind = 127.0.0.1 127.0.0.2", "bind = 127.0.0.3 127.0.0.4", false },
	{ "bind = 127.0.0.1 ::1", "bind = 127.0.0.2 ::", true },
};

static const char *pair_member(const char *id, const char *lines)
{
	static const char *const usual[] = { "port = 1000", "socket_type = stream", "wait = no" };
	const char *text =
		textf("service %s\n{\ntype = UNLISTED\nuser = root\nserver = /bin/sh\n%s\n", id,
		      lines);

	for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
		if (!strstr(lines, textf("%.*s =", (int)strcspn(usual[i], " "), usual[i])))
			text = textf("%s%s\n", text, usual[i]);
	return textf("%s}\n", text);
}

START_TEST(finds_services_that_want_one_socket)
{
	const char *one = pair_member("one", pairs[_i].one);
	const char *other = pair_member("other", pairs[_i].other);
	const struct settings *settings = configuration_load("%s%s", one, other);

	ck_assert_msg(configuration_service("one") != NULL, "%s", configuration_complaints_text());
	ck_assert_msg((configuration_service("other") == NULL) == pairs[_i].overlap, "%s / %s: %s",
		      pairs[_i].one, pairs[_i].other, configuration_complaints_text());
	ck_assert_uint_eq(configuration_complaints(ERROR), pairs[_i].overlap);
	ck_assert(settings_has_broken(settings, "other") == pairs[_i].overlap);
}
END_TEST

START_TEST(a_conflict_names_both)
{
	const char *one = pair_member("one", "port = 1000"),
		   *two = pair_member("two", "bind = ::1");

	configuration_load("%s%s%s", one, two, pair_member("three", "port = 1001"));
	ck_assert_msg(
		configuration_said(ERROR, (int)text_count(one, "\n") + 1,
				   "service two: tcp port 1000 belongs to service one already"),
		"%s", configuration_complaints_text());
	ck_assert(strstr(configuration_complaints_text(), "usherd.conf:1);") != NULL);
	ck_assert_ptr_nonnull(configuration_service("three"));
}
END_TEST

/* 8,191 times %client, of at most 79 bytes: 647,090 bytes with the NUL. */
START_TEST(texts_with_placeholders_have_a_bound)
{
	enum { TIMES = 8191, LENGTH = 7 };
	char *text = keep(calloc(TIMES, LENGTH + 1));

	for (size_t i = 0; i < TIMES; i++)
		memcpy(text + i * LENGTH, "%client", LENGTH);
	configuration_load("service a\n{\n" UNLISTED "server_args = %s\n}\n", text);
	ck_assert_ptr_nonnull(configuration_service("a"));
	configuration_load("service a\n{\n" UNLISTED "server_args = %s\nplaceholders = yes\n}\n",
			   text);
	ck_assert_msg(configuration_said(ERROR, 1,
					 "the texts with placeholders can get 647090 bytes long, "
					 "and may have 65536; write shorter ones"),
		      "%s", configuration_complaints_text());
}
END_TEST

Suite *check_suite(void)
{
	Suite *suite = suite_create("check");
	TCase *tests = tcase_create("check");

	tcase_add_checked_fixture(tests, configuration_make, configuration_remove);
	tcase_add_loop_test(tests, checks_services, 0, (int)(sizeof services / sizeof services[0]));
	tcase_add_loop_test(tests, one_fault_is_one_complaint, 0,
			    (int)(sizeof single_faults / sizeof single_faults[0]));
	tcase_add_loop_test(tests, tells_where_an_inherited_value_is_set, 0,
			    (int)(sizeof inherited / sizeof inherited[0]));
	tcase_add_test(tests, does_not_tell_where_a_service_sets_a_value);
	tcase_add_test(tests, useless_flags_are_cleared);
	tcase_add_test(tests, sensors_are_internal);
	tcase_add_test(tests, multiplexed_services_have_no_port);
	tcase_add_loop_test(tests, makes_argv, 0, (int)(sizeof commands / sizeof commands[0]));
	tcase_add_loop_test(tests, makes_the_environment, 0,
			    (int)(sizeof environments / sizeof environments[0]));
	tcase_add_loop_test(tests, finds_services_that_want_one_socket, 0,
			    (int)(sizeof pairs / sizeof pairs[0]));
	tcase_add_test(tests, a_conflict_names_both);
	tcase_add_test(tests, texts_with_placeholders_have_a_bound);
	suite_add_tcase(suite, tests);
	return suite;
}
