/* What files of other programs become. */
#include "import/import.h"

#include "config/syntax.h"
#include "config/entry.h"
#include "support/place.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (int)(sizeof(array) / sizeof *(array))

/* --- helpers --- */

static struct problems problems;

static void clear_problems(void)
{
	problems_clear(&problems);
}

static const char *converted(const struct import_file *files, size_t count)
{
	char *text = import_convert(files, count, "/here", &problems);

	ck_assert_ptr_nonnull(text);
	return keep(text);
}

static struct import_file file_of(const char *name, const char *text)
{
	return (struct import_file){ name, text, strlen(text), false };
}

static const char *converted_text(const char *name, const char *text)
{
	struct import_file file = file_of(name, text);

	return converted(&file, 1);
}

/* A line of the entry with any number of blanks before the sign, or with "#" a part of a note; with
 * "!" before it, there must be none. */
static void expect(const char *text, const char *line)
{
	bool is_wanted = *line != '!', is_note = false;
	const char *pattern, *sign;

	line += !is_wanted;
	is_note = *line == '#';
	sign = strstr(line, " =");
	if (is_note)
		pattern = textf("^#   .*%s", line + 1);
	else if (sign)
		pattern = textf("^\t%.*s +%s$", (int)(sign - line), line, sign + 1);
	else
		pattern = textf("^%s", line);
	ck_assert_msg(text_matches(text, pattern) == is_wanted, "%s%s in\n%s",
		      is_wanted ? "no " : "", pattern, text);
}

/* usherd's own reader takes the entries. */
static void expect_to_parse(const char *text)
{
	struct problems found = { 0 };
	struct raw_entry raw;
	struct syntax syntax;

	syntax_begin(&syntax, "output", text, strlen(text), &found);
	while (syntax_next(&syntax, &raw)) {
		struct entry *entry = entry_parse(&raw, "output", &found);

		ck_assert_ptr_nonnull(entry);
		ck_assert_msg(!entry->broken, "%s\n%s", found.count ? found.list[0].text : "",
			      text);
		entry_free(entry);
		raw_entry_clear(&raw);
	}
	ck_assert_msg(found.count == 0, "%s\n%s", found.count ? found.list[0].text : "", text);
	problems_clear(&found);
}

struct row {
	const char *text, *line;
};

static void check_row(const char *name, const char *text, const char *line)
{
	const char *result = converted_text(name, text);

	ck_assert_msg(problems.errors == 0, "%s", problems.errors ? problems.list[0].text : "");
	expect(result, line);
	expect_to_parse(result);
}

/* --- systemd --- */

#define SOCKET "[Socket]\nListenStream=7\nAccept=yes\n"
#define EXEC "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"

/* Lines of [Socket], or of [Service] after a tab, and what they become. */
static const struct row units[] = {
	{ "", "service x$" },
	{ "", "type = UNLISTED" },
	{ "", "port = 7" },
	{ "", "protocol = tcp" },
	{ "", "wait = no" },
	{ "", "user = root" },
	{ "", "server = /bin/cat" },
	{ "", "instances = 64" },
	{ "", "cps = 200/2 10" },
	{ "", "!#" },
	{ "Accept=no\nMaxConnections=3", "wait = yes" },
	{ "Accept=no\nMaxConnections=3", "!instances = .*" },
	{ "Accept=no", "cps = 20/2 10" },
	{ "Accept=no\nListenStream=8", "#Accept: systemd gives all sockets to one program" },
	{ "Accept=no", "!#" },
	{ "ListenStream=\nListenStream=8", "!port = 7" },
	{ "ListenStream=\nListenStream=127.0.0.1:8", "bind = 127.0.0.1" },
	{ "ListenStream=\nListenStream=[::1]:8\nListenStream=127.0.0.1:8", "bind = ::1 127.0.0.1" },
	{ "ListenStream=\nListenStream=[::1]:8\nListenStream=8", "!bind = .*" },
	{ "ListenStream=8", "service x-2$" },
	{ "ListenStream=8", "#MaxConnections: each port" },
	{ "ListenDatagram=8", "protocol = udp" },
	{ "ListenStream=/run/x", "#x:4: /run/x: only TCP and UDP" },
	{ "ListenStream=@x", "#only TCP and UDP" },
	{ "ListenStream=vsock::8", "#only TCP and UDP" },
	{ "ListenFIFO=/run/x", "#ListenFIFO: there is no counterpart" },
	{ "MaxConnections=5", "instances = 5" },
	{ "MaxConnectionsPerSource=5", "per_source = 5" },
	{ "MaxConnectionsPerSource=0", "per_source = UNLIMITED" },
	{ "TriggerLimitBurst=0", "cps = 0 0" },
	{ "TriggerLimitIntervalSec=1min\nTriggerLimitBurst=9", "cps = 9/60 10" },
	{ "TriggerLimitIntervalSec=x", "#TriggerLimitIntervalSec: this is not a time" },
	{ "BindIPv6Only=ipv6-only", "v6only = yes" },
	{ "BindIPv6Only=both", "!v6only = .*" },
	{ "NoDelay=true\nKeepAlive=on", "flags = NODELAY KEEPALIVE" },
	{ "NoDelay=maybe", "#NoDelay: \"maybe\" can't be expressed with flags" },
	{ "IPAddressDeny=any\nIPAddressAllow=10.0.0.0/8 localhost",
	  "only_from = 10.0.0.0/8 127.0.0.0/8 ::1" },
	{ "IPAddressDeny=10.0.0.1", "no_access = 10.0.0.1" },
	{ "SocketMode=0600", "#SocketMode: " },
	{ "# SocketMode=0600\n; SocketMode=0600", "!#" },
	{ "[Unit]\nDescription=x", "!#" },
	{ "[Unit]\nAfter=network.target", "#After: a service depends" },
	{ "[Install]\nWantedBy=sockets.target", "!#" },
	{ "\tExecStart=-/bin/sh -c \"a b\" 'c d' \\\n e\\ f",
	  "server_args = -c \"a b\" \"c d\" \"e f\"" },
	{ "\tExecStart=@/bin/sh name", "flags = NAMEINARGS" },
	{ "\tExecStart=sh", "server = /.*bin/sh" },
	{ "\tExecStart=no-such-program", "#no-such-program: there is no such program" },
	{ "\tExecStart=/bin/cat $X", "#\\$X: variables are not replaced" },
	{ "\tExecStart=/bin/cat %i", "#%i: specifiers are not replaced" },
	{ "\tStandardInput=null", "#StandardInput: the program gets the socket" },
	{ "\tUser=nobody\nGroup=tty", "group = tty" },
	{ "\tUser=nobody\nUser=", "user = root" },
	{ "\tEnvironment=\"A=b c\" D=e\nEnvironment=F=g", "env = \"A=b c\" D=e F=g" },
	{ "\tEnvironment=A=b\nEnvironment=\nEnvironment=C=d", "env = C=d" },
	{ "\tEnvironmentFile=/etc/default/x", "#EnvironmentFile: " },
	{ "\tPassEnvironment=A B", "passenv = A B" },
	{ "\tStandardError=journal", "stderr = log" },
	{ "\tStandardError=null", "stderr = null" },
	{ "\tStandardError=inherit", "stderr = socket" },
	{ "\tStandardError=append:/var/log/x", "stderr = /var/log/x" },
	{ "\tStandardError=fd:x", "#StandardError: \"fd:x\" can't be expressed with stderr" },
	{ "\tStandardOutput=journal", "#StandardOutput: " },
	{ "\tWorkingDirectory=-/srv", "directory = /srv" },
	{ "\tWorkingDirectory=~", "#WorkingDirectory: " },
	{ "\tUMask=0027", "umask = 0027" },
	{ "\tUMask=9", "#UMask: " },
	{ "\tNice=-5", "nice = -5" },
	{ "\tNice=20", "#Nice: " },
	{ "\tLimitNOFILE=100:200", "rlimit_files = 100" },
	{ "\tLimitAS=1G", "rlimit_as = 1G" },
	{ "\tLimitCORE=infinity", "rlimit_core = UNLIMITED" },
	{ "\tLimitCPU=1min", "rlimit_cpu = 60" },
	{ "\tLimitRTPRIO=1", "#LimitRTPRIO: there is no counterpart" },
	{ "\tMemoryMax=1.5G", "#MemoryMax: " },
	{ "\tMemoryMax=65536K", "memory = 64M" },
	{ "\tMemoryMax=10%", "#MemoryMax: \"10%\" can't be expressed with memory" },
	{ "\tTasksMax=9", "processes = 9" },
	{ "\tTasksMax=infinity", "processes = UNLIMITED" },
	{ "\tCPUQuota=150%", "cpu = 150" },
	{ "\tRuntimeMaxSec=1h 1min 500ms", "max_runtime = 3661" },
	{ "\tRuntimeMaxSec=infinity", "max_runtime = 0" },
	{ "\tTimeoutStopSec=10", "kill_timeout = 10" },
	{ "\tTimeoutStopSec=90", "#TimeoutStopSec: " },
	{ "\tNoNewPrivileges=yes", "no_new_privs = yes" },
	{ "\tCapabilityBoundingSet=", "capabilities = none" },
	{ "\tCapabilityBoundingSet=\nCapabilityBoundingSet=CAP_CHOWN", "capabilities = CAP_CHOWN" },
	{ "\tCapabilityBoundingSet=~CAP_CHOWN", "#CapabilityBoundingSet: " },
	{ "\tSystemCallFilter=@system-service", "syscalls = default" },
	{ "\tSystemCallFilter=~@debug", "#SystemCallFilter: " },
	{ "\tRootDirectory=/srv", "root = /srv" },
	{ "\tRootDirectory=/srv/../etc", "#RootDirectory: " },
	{ "\tProtectSystem=strict\nReadWritePaths=/var/x", "root = /" },
	{ "\tProtectSystem=strict\nReadWritePaths=/var/x", "writable = /var/x" },
	{ "\tProtectSystem=full", "#ProtectSystem: " },
	{ "\tReadWritePaths=/var/x", "!writable = .*" },
	{ "\tPrivateNetwork=yes", "network = none" },
	{ "\tPrivateNetwork=no", "!network = .*" },
	{ "\tPrivateDevices=yes", "devices = null zero full random urandom tty" },
	{ "\tPrivateTmp=yes", "scratch = /tmp 64M" },
	{ "\tTemporaryFileSystem=/tmp:ro,size=10M /x", "scratch = /tmp 10M /x 64M" },
	{ "\tTemporaryFileSystem=/tmp:size=10M", "!#" },
	{ "\tDynamicUser=yes", "#DynamicUser: " },
	{ "\tExecStopPost=/bin/x", "#ExecStopPost: an entry has one program" },
	{ "\tSyslogIdentifier=x", "#SyslogIdentifier: there is no counterpart" },
	{ "\tRestart=always\n\n", "#x:8: Restart: " },
};

START_TEST(units_become_entries)
{
	const char *lines = units[_i].text;
	bool is_service = *lines == '\t';

	check_row("x",
		  textf(SOCKET "%s\n" EXEC "%s\n", is_service ? "" : lines,
			is_service ? lines + 1 : ""),
		  units[_i].line);
}
END_TEST

START_TEST(a_socket_finds_its_service)
{
	static const struct {
		const char *socket, *service, *text;
	} pairs[] = {
		{ "/a/x.socket", "/b/x@.service", SOCKET },
		{ "/a/x.socket", "/b/x.service", "[Socket]\nListenStream=7\n" },
		{ "/a/x.socket", "/b/other.service", SOCKET "Service=other.service\n" },
	};

	for (int i = 0; i < LENGTH(pairs); i++) {
		const char *text;
		struct import_file files[] = {
			file_of(pairs[i].service, EXEC),
			file_of(pairs[i].socket, pairs[i].text),
		};

		text = converted(files, 2);
		ck_assert_uint_eq(problems.errors, 0);
		expect(text, "service x$");
		expect(text, "server = /bin/cat");
	}
}
END_TEST

/* --- socat --- */

static const struct row commands[] = {
	{ "socat TCP-LISTEN:1337,reuseaddr,fork EXEC:./pwn", "service pwn$" },
	{ "socat TCP-LISTEN:1337,reuseaddr,fork EXEC:./pwn", "port = 1337" },
	{ "socat TCP-LISTEN:1337,reuseaddr,fork EXEC:./pwn", "server = /here/pwn" },
	{ "socat TCP-LISTEN:1337,reuseaddr,fork EXEC:./pwn", "stderr = log" },
	{ "socat TCP-LISTEN:1337,reuseaddr,fork EXEC:./pwn", "user = nobody" },
	{ "socat TCP-LISTEN:1337,reuseaddr,fork EXEC:./pwn", "#x:1: pwn: socat runs it as" },
	{ "socat TCP-LISTEN:1337,reuseaddr,fork EXEC:/bin/cat,su=nobody", "!#" },
	{ "#!/bin/sh\n\nexec /usr/bin/socat -d tcp-l:1,fork exec:/bin/cat", "#x:3: -d: " },
	{ "CMD [\"socat\", \"TCP-LISTEN:1,fork\", \"EXEC:'/bin/sh -c x',stderr\"]",
	  "server_args = -c x" },
	{ "CMD socat TCP-L:1,fork EXEC:\"/bin/cat -u -n\"", "server_args = -u -n" },
	{ "socat TCP-L:1,fork EXEC:/bin/cat,stderr", "stderr = socket" },
	{ "socat TCP-L:1,fork EXEC:/bin/cat,pty,setsid,su=x", "pty = yes" },
	{ "socat TCP-L:1,fork EXEC:/bin/cat,pty,setsid,su=x", "!#" },
	{ "socat TCP-L:1,fork,su=nobody \\\n SYSTEM:'echo \"a\\, b\"; cat'", "server = /bin/sh" },
	{ "socat TCP-L:1,fork,su=nobody SYSTEM:'echo hi; cat'",
	  "server_args = -c \"echo hi; cat\"" },
	{ "socat TCP-L:1,bind=127.0.0.1,fork EXEC:/bin/cat", "bind = 127.0.0.1" },
	{ "socat TCP-L:1,fork,su=nobody EXEC:/bin/cat", "user = nobody" },
	{ "socat TCP-L:1,fork,max-children=9 EXEC:/bin/cat", "instances = 9" },
	{ "socat TCP-L:1,fork,max-children=9 EXEC:/bin/cat", "at_limit = queue" },
	{ "socat TCP-L:1,fork,range=10.0.0.0/8 EXEC:/bin/cat", "only_from = 10.0.0.0/8" },
	{ "socat TCP-L:1,fork,range=10.1.0.0:255.255.0.0 EXEC:/bin/cat",
	  "only_from = 10.1.0.0/16" },
	{ "socat TCP-L:1,fork,range=10.1.0.0:x EXEC:/bin/cat", "#range: \"10.1.0.0:x\" can't be" },
	{ "socat TCP-L:1,fork,tcpwrap=script EXEC:/bin/cat", "libwrap = script" },
	{ "socat TCP-L:1,fork,tcpwrap EXEC:/bin/cat", "libwrap = socat" },
	{ "socat TCP-L:1,fork,pf=ip4,nodelay EXEC:/bin/cat", "flags = IPv4 NODELAY" },
	{ "socat TCP6-L:1,fork,ipv6only=1 EXEC:/bin/cat", "flags = IPv6" },
	{ "socat TCP6-L:1,fork,ipv6only EXEC:/bin/cat", "v6only = yes" },
	{ "socat TCP-L:1,fork,backlog=5 EXEC:/bin/cat", "#backlog: " },
	{ "socat TCP-L:1,fork EXEC:/bin/cat,setsid,ctty,echo=0", "#echo: " },
	{ "socat TCP-L:1,fork EXEC:/bin/cat,setsid,ctty,echo=0", "!#setsid" },
	{ "socat TCP-L:1,fork EXEC:/bin/cat,chroot=/srv,cd=/x,umask=077", "root = /srv" },
	{ "socat TCP-L:1,fork EXEC:/bin/cat,nosuch=1", "#nosuch: there is no counterpart" },
	{ "socat TCP-L:1 EXEC:/bin/cat", "#without fork" },
	{ "socat -T30 TCP-L:1,fork EXEC:/bin/cat", "idle_timeout = 30" },
	{ "socat -T 30 TCP-L:1,fork EXEC:/bin/cat", "idle_timeout = 30" },
	{ "socat -u TCP-L:1,fork EXEC:/bin/cat", "#-u: there is no counterpart" },
	{ "socat TCP-L:1,fork TCP:[::1]:80", "redirect = ::1 80" },
	{ "socat TCP-L:1,fork TCP4:host:80", "redirect = host 80" },
	{ "socat TCP-L:1,fork TCP4:host:80", "!user = .*" },
	{ "socat TCP-L:$PORT,fork EXEC:/bin/cat", "#\\$PORT: variables" },
	{ "socat TCP-L:1,fork EXEC:/bin/cat\nsocat TCP-L:2,fork EXEC:/bin/cat", "service cat-2$" },
	{ "socat TCP-L:1,fork EXEC:/bin/cat\nsocat OPENSSL-LISTEN:2 EXEC:/bin/cat",
	  "#OPENSSL-LISTEN: " },
	{ "socat TCP-L:1,fork EXEC:/bin/cat\nsocat TCP-L:2,fork OPEN:/x", "#OPEN: nothing here" },
	{ "apt-get install socat\nsocat TCP-L:1,fork EXEC:/bin/cat", "port = 1" },
	{ "socat UDP-LISTEN:1,fork EXEC:/bin/cat", "wait = yes" },
	{ "USER ctf:x\nWORKDIR /data\nCMD socat TCP-L:1,fork EXEC:./a", "user = ctf" },
	{ "USER ctf:x\nWORKDIR /data\nCMD socat TCP-L:1,fork EXEC:./a", "server = /data/a" },
	{ "USER ctf:x\nWORKDIR /data\nCMD socat TCP-L:1,fork EXEC:./a", "directory = /data" },
	{ "USER ctf\nFROM x\nCMD socat TCP-L:1,fork EXEC:./a", "user = nobody" },
	{ "socat TCP-L:1,fork EXEC:/bin/cat >/dev/null", "#>/dev/null: only the two" },
	{ "socat TCP-L:1,fork EXEC:/bin/cat,su=x & ./x", "!#" },
	{ "[Service]\nExecStart=/usr/bin/socat TCP-L:1,fork EXEC:/bin/cat", "port = 1" },
};

START_TEST(commands_of_socat_become_entries)
{
	check_row("x", commands[_i].text, commands[_i].line);
}
END_TEST

/* --- jail --- */

static const struct row variables[] = {
	{ "FROM pwn.red/jail\n", "preset = jail" },
	{ "FROM pwn.red/jail\n", "port = 5000" },
	{ "FROM pwn.red/jail\n", "max_runtime = 20" },
	{ "FROM pwn.red/jail\n", "memory = 5M" },
	{ "FROM pwn.red/jail\n", "processes = 5" },
	{ "FROM pwn.red/jail\n", "cpu = 10" },
	{ "FROM pwn.red/jail\n", "scratch = none" },
	{ "FROM pwn.red/jail\n", "devices = null zero urandom" },
	{ "FROM pwn.red/jail\n", "root = /srv" },
	{ "FROM pwn.red/jail\n", "server = /app/run" },
	{ "FROM pwn.red/jail\n", "directory = /app" },
	{ "FROM pwn.red/jail\n", "!proof_of_work = .*" },
	{ "ENV JAIL_TIME=60 JAIL_CPU=500 \\\n JAIL_MEM=20M", "max_runtime = 60" },
	{ "ENV JAIL_TIME=60 JAIL_CPU=500 \\\n JAIL_MEM=20M", "cpu = 50" },
	{ "ENV JAIL_TIME=60 JAIL_CPU=500 \\\n JAIL_MEM=20M", "memory = 20M" },
	{ "ENV JAIL_TIME 60", "max_runtime = 60" },
	{ "export JAIL_TIME=60", "max_runtime = 60" },
	{ "  - JAIL_TIME=60", "max_runtime = 60" },
	{ "# JAIL_TIME=50\nJAIL_TIME=60", "max_runtime = 60" },
	{ "JAIL_TIME=0", "max_runtime = 0" },
	{ "JAIL_MEM=0", "memory = UNLIMITED" },
	{ "JAIL_PIDS=0", "processes = UNLIMITED" },
	{ "JAIL_CPU=0", "cpu = UNLIMITED" },
	{ "JAIL_CONNS=8", "instances = 8" },
	{ "JAIL_CONNS=0", "instances = UNLIMITED" },
	{ "JAIL_CONNS_PER_IP=2", "per_source = 2" },
	{ "JAIL_POW=5000", "proof_of_work = 5000" },
	{ "JAIL_POW=0", "!proof_of_work = .*" },
	{ "JAIL_PORT=1337", "port = 1337" },
	{ "JAIL_DEV=null,tty", "devices = null tty" },
	{ "JAIL_SYSCALLS=ptrace,bpf", "syscalls = default \\+ptrace \\+bpf" },
	{ "JAIL_TMP_SIZE=1M", "scratch = /tmp 1M" },
	{ "JAIL_ENV_FLAG=\"a b\"", "env = \"FLAG=a b\"" },
	{ "JAIL_READ_ONLY=false", "#JAIL_READ_ONLY: " },
	{ "JAIL_TIME=soon", "#x:1: JAIL_TIME: \"soon\" can't be expressed with max_runtime" },
	{ "JAIL_TIME=1\nJAIL_NEW=1", "#JAIL_NEW: there is no counterpart" },
	{ "JAIL_TIME=1\nCOPY hook.sh /jail", "#hook.sh: nothing is run" },
};

START_TEST(variables_of_a_jail_become_an_entry)
{
	check_row("x", variables[_i].text, variables[_i].line);
}
END_TEST

/* --- nsjail --- */

/* After exec_bin. */
static const struct row fields[] = {
	{ "", "preset = jail" },
	{ "", "server = /bin/cat" },
	{ "", "max_runtime = 600" },
	{ "", "rlimit_as = 4G" },
	{ "", "memory = UNLIMITED" },
	{ "", "proc = no" },
	{ "", "#root: no mount names one" },
	{ "", "#port: nsjail itself does not listen in this mode; .* port 1337" },
	{ "mode: LISTEN port: 5", "port = 5" },
	{ "mode: LISTEN, port: 5;", "!#port" },
	{ "name: \"a b\"", "service a-b$" },
	{ "bindhost: \"::ffff:127.0.0.1\"", "bind = 127.0.0.1" },
	{ "bindhost: '::'", "!bind = .*" },
	{ "max_conns: 3 max_conns_per_ip: 2", "instances = 3" },
	{ "max_conns: 3 max_conns_per_ip: 2", "per_source = 2" },
	{ "time_limit: 100", "max_runtime = 100" },
	{ "time_limit: 0", "max_runtime = 0" },
	{ "rlimit_as: 100", "rlimit_as = 100M" },
	{ "rlimit_fsize: 2", "rlimit_fsize = 2M" },
	{ "rlimit_nofile: 64", "rlimit_files = 64" },
	{ "rlimit_as_type: INF", "rlimit_as = UNLIMITED" },
	{ "rlimit_as_type: HARD", "!rlimit_as = .*" },
	{ "cgroup_mem_max: 67108864", "memory = 64M" },
	{ "cgroup_pids_max: 5", "processes = 5" },
	{ "cgroup_cpu_ms_per_sec: 100", "cpu = 10" },
	{ "cwd: \"/home/\" 'user'", "directory = /home/user" },
	{ "cwd: \"/\\x61\\142\"", "directory = /ab" },
	{ "envar: \"A=b c\" envar: \"D\"", "env = \"A=b c\"" },
	{ "envar: [\"A=b\", 'C=d']", "env = A=b C=d" },
	{ "envar: [] envar: \"D\"", "passenv = D" },
	{ "keep_env: true", "#keep_env: " },
	{ "keep_caps: false", "!#keep_caps" },
	{ "cap: \"CAP_CHOWN\" cap: \"CAP_FOWNER\"", "capabilities = CAP_CHOWN CAP_FOWNER" },
	{ "clone_newnet: false", "network = host" },
	{ "clone_newuser: false", "#clone_newuser: " },
	{ "mount_proc: true", "proc = yes" },
	{ "stderr_to_null: true", "stderr = null" },
	{ "nice_level: -3", "nice = -3" },
	{ "disable_no_new_privs: true", "!no_new_privs = yes" },
	{ "seccomp_string: \"ALLOW { read }\"", "#seccomp_string: write the calls" },
	{ "uidmap { inside_id: \"1\" outside_id: \"1000\" }", "user = 1000" },
	{ "gidmap < outside_id: \"1001\" >", "group = 1001" },
	{ "mount { src: \"/chroot\" dst: \"/\" is_bind: true }", "root = /chroot" },
	{ "mount { src: \"/chroot\" dst: \"/\" rw: true }", "#/: the root is read-only" },
	{ "mount: { dst: \"/tmp\" fstype: \"tmpfs\" options: \"mode=1,size=1M\" }",
	  "scratch = /tmp 1M" },
	{ "mount { dst: \"/tmp\" fstype: \"tmpfs\" }", "#/tmp: the mount has no size=" },
	{ "mount { dst: \"/proc\" fstype: \"proc\" }", "proc = yes" },
	{ "mount { dst: \"/dev\" fstype: \"tmpfs\" }", "scratch = none" },
	{ "mount { dst: \"/dev\" fstype: \"tmpfs\" }", "!#/dev" },
	{ "description: \"a\nb\" hostname: \"x\"", "#x:2: hostname: " },
	{ "persona_mmap_page_zero: false", "!#persona" },
	{ "persona_mmap_page_zero: true", "#persona_mmap_page_zero: there is no counterpart" },
	{ "mode: ONCE port: 5", "port = 5" },
	{ "mount { src: \"/dev/null\" dst: \"/dev/null\" rw: true }", "devices = null" },
	{ "mount { src: \"/a\" dst: \"/b\" rw: true }", "writable = /b" },
	{ "mount { src: \"/a\" dst: \"/b\" }", "#/b: usherd mounts nothing of the host in a root" },
	{ "mount { dst: \"/b\" src_content: \"x\" }", "#/b: such a mount" },
	{ "hostname: \"x\" # comment }\n", "#hostname: " },
	{ "\nmacvlan_iface: \"eth0\"", "#x:2: macvlan_iface: there is no counterpart" },
	{ "user_net { enable: true }", "#user_net: there is no counterpart" },
	{ "exec_bin { path: \"/bin/sh\" arg: \"-c\" arg: \"a b\" arg0: \"n\" }",
	  "server_args = n -c \"a b\"" },
};

START_TEST(fields_of_nsjail_become_an_entry)
{
	check_row("x", textf("exec_bin { path: \"/bin/cat\" } %s", fields[_i].text),
		  fields[_i].line);
}
END_TEST

START_TEST(an_entry_without_a_program_is_disabled)
{
	const char *text = converted_text("x", "mode: LISTEN\nport: 5");

	expect(text, "disable = yes");
	expect(text, "#x: no program is named");
}
END_TEST

/* --- inetd --- */

static const struct row lines[] = {
	{ "daytime stream tcp nowait root internal", "service daytime$" },
	{ "daytime stream tcp nowait root internal", "type = INTERNAL" },
	{ "daytime stream tcp nowait root internal", "!disable = .*" },
	{ "x stream tcp6 nowait.60 nobody:tty /bin/cat cat -u", "server_args = cat -u" },
	{ "x stream tcp6 nowait.60 nobody:tty /bin/cat cat -u", "group = tty" },
	{ "x stream tcp6 nowait.60 nobody:tty /bin/cat cat -u", "cps_action = queue" },
};

START_TEST(lines_of_inetd_become_entries)
{
	check_row("inetd.conf", lines[_i].text, lines[_i].line);
}
END_TEST

/* --- what can't be used --- */

static const struct {
	const char *name, *text, *error;
} refused[] = {
	{ "x", "", "neither a .socket" },
	{ "x", "hello", "neither a .socket" },
	{ "x", "service x\n{\n}\n", "a configuration file already" },
	{ "x.service", "[Service]\nExecStart=/bin/cat\n", "name that too" },
	{ "x.socket", "[Socket]\nListenStream=7\n", "NAME.service too" },
	{ "x.socket", "[Socket]\nListenStream=7\nAccept=yes\n", "NAME@.service too" },
	{ "x.socket", "[Socket]\nListenStream=/run/x\n[Service]\nExecStart=/bin/cat\n", "no port" },
	{ "x", "socat OPENSSL-LISTEN:1 EXEC:/bin/cat", "no command line" },
	{ "x", "exec_bin {", "protocol buffers" },
	{ "x", "exec_bin { path: \"a\n }", "protocol buffers" },
	{ "x", "mode: LISTEN }", "protocol buffers" },
	{ "x", "mode: LISTEN\na{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{}}}}}}}}}}}}}}}}}",
	  "protocol buffers" },
	{ "x", "x stream tcp nowait root", "6|expected|only 5 words" },
};

START_TEST(what_is_not_understood_is_an_error)
{
	const char *text = converted_text(refused[_i].name, refused[_i].text);

	ck_assert_uint_eq(problems.errors, 1);
	ck_assert_msg(text_matches(problems.list[0].text, refused[_i].error), "%s",
		      problems.list[0].text);
	ck_assert_msg(!text_matches(text, "^service"), "%s", text);
}
END_TEST

/* Nothing in a file can end the entry or the comment it is written to. */
START_TEST(lines_cannot_be_smuggled_in)
{
	const char *text =
		converted_text("x\ny", "mode: LISTEN\nenvar: \"A=\\n}\\nservice y\"\n"
				       "envar: \"B=\\rx\" cwd: \"\\n}\\n\"\n"
				       "exec_bin { path: \"/bin/cat\" arg: \"#\\x00\" }\n");

	ck_assert_uint_eq(text_count(text, "^service"), 1);
	ck_assert_uint_eq(text_count(text, "^}"), 1);
	expect(text, "#an entry can't have a line break in env");
	expect_to_parse(text);
}
END_TEST

START_TEST(there_is_a_limit_to_the_entries)
{
	struct text text = { 0 };
	struct import_file file;

	for (int i = 0; i <= IMPORT_ENTRIES_MAX; i++)
		text_add_format(&text, "socat TCP-L:%d,fork EXEC:/bin/%d\n", i, i);
	file = (struct import_file){ "x", text.bytes, text.length, false };
	ck_assert_uint_eq(text_count(converted(&file, 1), "^service"), IMPORT_ENTRIES_MAX);
	ck_assert_uint_eq(problems.errors, 1);
	text_free(&text);
}
END_TEST

static TCase *import_tcase(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, place_make, place_remove);
	tcase_add_checked_fixture(tcase, NULL, clear_problems);
	suite_add_tcase(suite, tcase);
	return tcase;
}

Suite *import_suite(void)
{
	Suite *suite = suite_create("import");
	TCase *formats = import_tcase(suite, "formats");
	TCase *limits = import_tcase(suite, "limits");

	tcase_add_loop_test(formats, units_become_entries, 0, LENGTH(units));
	tcase_add_test(formats, a_socket_finds_its_service);
	tcase_add_loop_test(formats, commands_of_socat_become_entries, 0, LENGTH(commands));
	tcase_add_loop_test(formats, variables_of_a_jail_become_an_entry, 0, LENGTH(variables));
	tcase_add_loop_test(formats, fields_of_nsjail_become_an_entry, 0, LENGTH(fields));
	tcase_add_test(formats, an_entry_without_a_program_is_disabled);
	tcase_add_loop_test(formats, lines_of_inetd_become_entries, 0, LENGTH(lines));
	tcase_add_loop_test(limits, what_is_not_understood_is_an_error, 0, LENGTH(refused));
	tcase_add_test(limits, lines_cannot_be_smuggled_in);
	tcase_add_test(limits, there_is_a_limit_to_the_entries);
	return suite;
}
