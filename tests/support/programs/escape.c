/* What a hostile program would try. Linked statically, so that it runs in an empty root.
 *
 * escape attempts [NAME ...]  makes each attempt, or those, in a process of its own and writes a
 *                             line for it: its name, and errno, or 0 when the attempt succeeded
 * escape MODE                 misbehaves as a whole; see modes
 * escape whoami               ends with status 0 when it runs as root
 *
 * The environment says what is there to be reached:
 *	HIDDEN    a file of the host that everybody may read
 *	OPEN      a directory in the root that everybody may write to
 *	SUID      a copy of this program that runs as root
 *	NODE      a device that everybody may read
 *	VICTIM    a process of the same user
 *	PORT      a port of the host's loopback that is served
 *	ABSTRACT  the name of an abstract socket of the host that is served
 *	CONTROL   the daemon's control socket
 *	QUEUE     the key of a message queue of the host */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MEGABYTE = 1 << 20, FILES_MAX = 200000, PROCESSES_MAX = 1000 };

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

static char path[4096];

static const char *path_of(const char *directory, const char *name)
{
	snprintf(path, sizeof path, "%s%s", directory, name);
	return path;
}

/* The result of a call that returns -1 on failure. */
static int result(long returned)
{
	return returned < 0 ? errno : 0;
}

static int reads(const char *file)
{
	return result(open(file, O_RDONLY | O_NONBLOCK));
}

static int writes(const char *file)
{
	return result(open(file, O_WRONLY | O_CREAT | O_NONBLOCK, 0600));
}

/* --- files -------------------------------------------------------------------------------- */

static int read_shadow(void)
{
	return reads("/etc/shadow");
}

static int read_hidden(void)
{
	return reads(setting("HIDDEN"));
}

static int read_through_process_1(void)
{
	return reads(path_of("/proc/1/root", setting("HIDDEN")));
}

static int read_through_working_directory(void)
{
	return reads(path_of("/proc/1/cwd/../../../../../..", setting("HIDDEN")));
}

static int climb_out(void)
{
	return reads(path_of("../../../../../../../..", setting("HIDDEN")));
}

/* The old way out of chroot(2). */
static int chroot_twice(void)
{
	mkdir("/tmp/way-out", 0700);
	if (chroot("/tmp/way-out") < 0)
		return errno;
	for (int i = 0; i < 64; i++)
		if (chdir("..") < 0)
			return errno;
	return reads(path_of(".", setting("HIDDEN")));
}

static int write_root(void)
{
	return writes("/escaped");
}

static int write_open(void)
{
	return writes(path_of(setting("OPEN"), "/escaped"));
}

static int write_program(void)
{
	return result(open("/proc/self/exe", O_WRONLY));
}

static int another_session_left_something(void)
{
	DIR *directory = opendir("/tmp");
	const struct dirent *entry;

	if (!directory)
		return errno;
	while ((entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return 0;
	return ENOENT;
}

/* --- devices and the kernel's files -------------------------------------------------------- */

static int make_disk(void)
{
	return result(mknod("/tmp/disk", S_IFBLK | 0666, makedev(8, 0)));
}

static int make_memory(void)
{
	return result(mknod("/tmp/memory", S_IFCHR | 0666, makedev(1, 1)));
}

static int read_memory(void)
{
	return reads("/dev/mem");
}

static int read_disk(void)
{
	return reads("/dev/sda");
}

static int read_node(void)
{
	return reads(setting("NODE"));
}

static int read_kernel_memory(void)
{
	char byte;
	int fd = open("/proc/kcore", O_RDONLY);

	if (fd < 0)
		return errno;
	return read(fd, &byte, 1) == 1 ? 0 : ENODATA;
}

static int write_core_pattern(void)
{
	return writes("/proc/sys/kernel/core_pattern");
}

static int write_sysrq(void)
{
	return writes("/proc/sysrq-trigger");
}

static int leave_cgroup(void)
{
	return result(open("/sys/fs/cgroup/cgroup.procs", O_WRONLY));
}

/* --- processes ------------------------------------------------------------------------------ */

/* More than this one and the one that waits for it. */
static int see_processes(void)
{
	DIR *directory = opendir("/proc");
	const struct dirent *entry;
	int count = 0;

	if (!directory)
		return errno;
	while ((entry = readdir(directory)))
		count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
	return count > 2 ? 0 : ESRCH;
}

static pid_t victim(void)
{
	return (pid_t)atoi(setting("VICTIM"));
}

static int signal_victim(void)
{
	return result(kill(victim(), SIGKILL));
}

static int trace_victim(void)
{
	return result(ptrace(PTRACE_ATTACH, victim(), NULL, NULL));
}

static int read_victim(void)
{
	char byte;
	struct iovec own = { &byte, 1 }, other = { (void *)0x400000, 1 };

	return result(process_vm_readv(victim(), &own, 1, &other, 1, 0));
}

static int trace_own(void)
{
	return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

/* --- the network and what else the host has ------------------------------------------------ */

static int connect_to(const struct sockaddr *address, socklen_t length, int type)
{
	int fd = socket(address->sa_family, type, 0);

	return fd < 0 ? errno : result(connect(fd, address, length));
}

static struct sockaddr_in loopback(void)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)atoi(setting("PORT"))),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int reach_loopback(void)
{
	struct sockaddr_in address = loopback();

	return connect_to((struct sockaddr *)&address, sizeof address, SOCK_STREAM);
}

static int reach_loopback_by_datagram(void)
{
	struct sockaddr_in address = loopback();

	return connect_to((struct sockaddr *)&address, sizeof address, SOCK_DGRAM);
}

static int reach_loopback6(void)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_port = htons((uint16_t)atoi(setting("PORT"))),
					.sin6_addr = IN6ADDR_LOOPBACK_INIT };

	return connect_to((struct sockaddr *)&address, sizeof address, SOCK_STREAM);
}

static int reach_abstract_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(setting("ABSTRACT"));

	memcpy(address.sun_path + 1, setting("ABSTRACT"), length);
	return connect_to((struct sockaddr *)&address,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length),
			  SOCK_STREAM);
}

static int reach_control(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof address.sun_path, "%s", setting("CONTROL"));
	return connect_to((struct sockaddr *)&address, sizeof address, SOCK_STREAM);
}

static int open_raw_socket(void)
{
	return result(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static int open_packet_socket(void)
{
	return result(socket(AF_PACKET, SOCK_RAW, 0));
}

static int reach_queue(void)
{
	return result(msgget((key_t)atoi(setting("QUEUE")), 0));
}

static int add_key(void)
{
	return result(syscall(SYS_add_key, "user", "escape", "x", 1UL, -3 /* session keyring */));
}

static int read_session_keyring(void)
{
	return result(syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3, 0));
}

/* The connection is 0, 1 and perhaps 2. */
static int use_descriptors(void)
{
	for (int fd = 3; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 0;
	return EBADF;
}

/* --- rights --------------------------------------------------------------------------------- */

static int run_suid(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl(setting("SUID"), "escape", "whoami", (char *)NULL);
		_exit(1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : EPERM;
}

static int become_root(void)
{
	return result(setuid(0));
}

static int mount_something(void)
{
	return result(mount("none", "/tmp", "tmpfs", 0, NULL));
}

static int make_writable(void)
{
	return result(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
}

static int unmount_scratch(void)
{
	return result(umount2("/tmp", MNT_DETACH));
}

static int pivot(void)
{
	return result(syscall(SYS_pivot_root, "/tmp", "/tmp"));
}

static int make_user_namespace(void)
{
	return result(unshare(CLONE_NEWUSER));
}

static int clone_user_namespace(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int enter_namespace(void)
{
	return result(setns(open("/proc/1/ns/net", O_RDONLY), CLONE_NEWNET));
}

#define CALL(name, ...) \
	static int call_##name(void) \
	{ \
		return result(syscall(SYS_##name, __VA_ARGS__)); \
	}

CALL(bpf, 0, NULL, 0)
CALL(perf_event_open, NULL, 0, -1, -1, 0)
CALL(userfaultfd, 0)
CALL(io_uring_setup, 1, NULL)
CALL(io_setup, 1, &(unsigned long){ 0 })
CALL(init_module, NULL, 0, "")
CALL(kexec_load, 0, 0, NULL, 0)
CALL(swapoff, "/dev/null")
CALL(reboot, 0, 0, 0, NULL)
CALL(sethostname, "escaped", 7)
CALL(open_by_handle_at, -1, NULL, 0)
CALL(personality, 0x0040000 /* ADDR_NO_RANDOMIZE */)

static int set_clock(void)
{
	struct timespec now; /* harmless if it can */

	clock_gettime(CLOCK_REALTIME, &now);
	return result(clock_settime(CLOCK_REALTIME, &now));
}

static int raise_limit(int resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return errno;
	limit.rlim_max = RLIM_INFINITY;
	limit.rlim_cur = limit.rlim_max;
	return result(setrlimit(resource, &limit));
}

static int allow_core_files(void)
{
	return raise_limit(RLIMIT_CORE);
}

static int allow_large_files(void)
{
	return raise_limit(RLIMIT_FSIZE);
}

static int go_before_others(void)
{
	return result(setpriority(PRIO_PROCESS, 0, -20));
}

static int run_in_real_time(void)
{
	const struct sched_param param = { .sched_priority = 1 };

	return result(sched_setscheduler(0, SCHED_FIFO, &param));
}

static int lock_memory(void)
{
	char *memory = mmap(NULL, 16 * MEGABYTE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return result(mlock(memory, 16 * MEGABYTE));
}

/* --- using things up ------------------------------------------------------------------------ */

static int use_up_descriptors(void)
{
	for (int i = 0; i < 100000; i++)
		if (open("/", O_RDONLY) < 0)
			return errno;
	return 0;
}

/* All processes wait until the pipe's only writer, the first one, is gone. */
static int use_up_processes(void)
{
	int ends[2], error = 0;
	char byte;

	if (pipe(ends) < 0)
		return errno;
	for (int i = 0; i < PROCESSES_MAX && !error; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			close(ends[1]);
			_exit(read(ends[0], &byte, 1) < 0);
		}
		error = pid < 0 ? errno : 0;
	}
	close(ends[1]);
	while (wait(NULL) > 0)
		;
	return error;
}

static const char *numbered(int number)
{
	char name[32];

	snprintf(name, sizeof name, "/tmp/fill-%d", number);
	return path_of("", name);
}

/* Files of half a megabyte, which no limit of a file's size ends. */
static int fill_scratch(void)
{
	static char data[MEGABYTE / 2];
	int error = 0, count = 0;

	for (; count < 2048 && !error; count++) {
		int fd = open(numbered(count), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0 || write(fd, data, sizeof data) != sizeof data)
			error = errno ? errno : ENOSPC;
		close(fd);
	}
	while (count-- > 0)
		unlink(numbered(count));
	return error;
}

static int use_up_inodes(void)
{
	int error = 0, count = 0;

	for (; count < FILES_MAX && !error; count++) {
		int fd = open(numbered(count), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		error = fd < 0 ? errno : 0;
		close(fd);
	}
	while (count-- > 0)
		unlink(numbered(count));
	return error;
}

static int write_large_file(void)
{
	int fd = open("/tmp/large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), error;

	signal(SIGXFSZ, SIG_IGN);
	error = result(pwrite(fd, "x", 1, (off_t)1 << 40));
	unlink("/tmp/large");
	return error;
}

static const struct attempt {
	const char *name;
	int (*make)(void);
} attempts[] = {
	{ "another_session_left_something", another_session_left_something }, /* first */
	{ "read_shadow", read_shadow },
	{ "read_hidden", read_hidden },
	{ "read_through_process_1", read_through_process_1 },
	{ "read_through_working_directory", read_through_working_directory },
	{ "climb_out", climb_out },
	{ "chroot_twice", chroot_twice },
	{ "write_root", write_root },
	{ "write_open", write_open },
	{ "write_program", write_program },
	{ "make_disk", make_disk },
	{ "make_memory", make_memory },
	{ "read_memory", read_memory },
	{ "read_disk", read_disk },
	{ "read_node", read_node },
	{ "read_kernel_memory", read_kernel_memory },
	{ "write_core_pattern", write_core_pattern },
	{ "write_sysrq", write_sysrq },
	{ "leave_cgroup", leave_cgroup },
	{ "see_processes", see_processes },
	{ "signal_victim", signal_victim },
	{ "trace_victim", trace_victim },
	{ "read_victim", read_victim },
	{ "trace_own", trace_own },
	{ "reach_loopback", reach_loopback },
	{ "reach_loopback_by_datagram", reach_loopback_by_datagram },
	{ "reach_loopback6", reach_loopback6 },
	{ "reach_abstract_socket", reach_abstract_socket },
	{ "reach_control", reach_control },
	{ "open_raw_socket", open_raw_socket },
	{ "open_packet_socket", open_packet_socket },
	{ "reach_queue", reach_queue },
	{ "add_key", add_key },
	{ "read_session_keyring", read_session_keyring },
	{ "use_descriptors", use_descriptors },
	{ "run_suid", run_suid },
	{ "become_root", become_root },
	{ "mount_something", mount_something },
	{ "make_writable", make_writable },
	{ "unmount_scratch", unmount_scratch },
	{ "pivot", pivot },
	{ "make_user_namespace", make_user_namespace },
	{ "clone_user_namespace", clone_user_namespace },
	{ "enter_namespace", enter_namespace },
	{ "bpf", call_bpf },
	{ "perf_event_open", call_perf_event_open },
	{ "userfaultfd", call_userfaultfd },
	{ "io_uring_setup", call_io_uring_setup },
	{ "io_setup", call_io_setup },
	{ "init_module", call_init_module },
	{ "kexec_load", call_kexec_load },
	{ "swapoff", call_swapoff },
	{ "reboot", call_reboot },
	{ "sethostname", call_sethostname },
	{ "open_by_handle_at", call_open_by_handle_at },
	{ "personality", call_personality },
	{ "set_clock", set_clock },
	{ "allow_core_files", allow_core_files },
	{ "allow_large_files", allow_large_files },
	{ "go_before_others", go_before_others },
	{ "run_in_real_time", run_in_real_time },
	{ "lock_memory", lock_memory },
	{ "use_up_descriptors", use_up_descriptors },
	{ "use_up_processes", use_up_processes },
	{ "fill_scratch", fill_scratch },
	{ "use_up_inodes", use_up_inodes },
	{ "write_large_file", write_large_file },
};

/* The child's errno comes back through a pipe, as it may have more than 8 bits. */
static int make(const struct attempt *attempt)
{
	int ends[2], error = -1;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], 2); /* so that it has no descriptors of its own */
		close(ends[0]);
		close(ends[1]);
		error = attempt->make();
		_exit(write(2, &error, sizeof error) != sizeof error);
	}
	close(ends[1]);
	if (pid < 0 || read(ends[0], &error, sizeof error) != sizeof error)
		error = -1;
	close(ends[0]);
	waitpid(pid, NULL, 0);
	return error;
}

static int is_wanted(const char *name, char **names)
{
	int is_wanted = !*names;

	for (; *names; names++)
		is_wanted |= strcmp(*names, name) == 0;
	return is_wanted;
}

static int make_all(char **names)
{
	for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
		if (is_wanted(attempts[i].name, names))
			dprintf(1, "%s %d\n", attempts[i].name, make(&attempts[i]));
	return close(creat("/tmp/left-behind", 0600)); /* for the next session to see */
}

/* --- modes ------------------------------------------------------------------------------------ */

static int who_am_i(char **arguments)
{
	(void)arguments;
	return geteuid() == 0 ? 0 : 1;
}

static void ignore_signals(void)
{
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_IGN);
}

/* A process of its own session that nobody waits for, which keeps the connection. */
static void survive(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		if (fork() != 0)
			_exit(0);
		ignore_signals();
		for (;;)
			sleep(1000);
	}
	waitpid(pid, NULL, 0); /* not for the other, whose parent process 1 becomes */
}

static int stay(char **arguments)
{
	(void)arguments;
	ignore_signals();
	survive();
	dprintf(1, "staying\n");
	while (sleep(1000) == 0)
		;
	return 0;
}

static int leave(char **arguments)
{
	(void)arguments;
	survive();
	return 0;
}

/* Whether the client reads or not. */
static int flood(char **arguments)
{
	static char data[1 << 16];

	(void)arguments;
	ignore_signals();
	while (write(1, data, sizeof data) > 0)
		;
	return 0;
}

static int eat_memory(char **arguments)
{
	(void)arguments;
	dprintf(1, "eating\n");
	for (int i = 0; i < 1 << 20; i++) {
		char *memory = malloc(MEGABYTE);

		if (memory)
			memset(memory, i + 1, MEGABYTE);
	}
	return 0;
}

/* Takes the connection from its client, to use it for something else. */
static int leave_client(void)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	const struct timeval patience = { .tv_usec = 200 * 1000 };

	if (connect(0, &nobody, sizeof nobody) < 0)
		return -1;
	setsockopt(0, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	setsockopt(0, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	return 0;
}

/* IPv4's, as the connection's family has it. */
union any_address {
	struct sockaddr any;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

static socklen_t own_address(union any_address *address, uint32_t host, in_port_t port)
{
	int domain = AF_INET;
	socklen_t length = sizeof domain;

	getsockopt(0, SOL_SOCKET, SO_DOMAIN, &domain, &length);
	*address = (union any_address){
		.in4 = { .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(host) }
	};
	if (domain == AF_INET)
		return sizeof address->in4;
	*address = (union any_address){ .in6 = { .sin6_family = AF_INET6, .sin6_port = port } };
	if (host != INADDR_ANY)
		address->in6.sin6_addr.s6_addr[10] = address->in6.sin6_addr.s6_addr[11] = 0xff;
	host = htonl(host);
	memcpy(address->in6.sin6_addr.s6_addr + 12, &host, sizeof host);
	return sizeof address->in6;
}

static socklen_t own_loopback(union any_address *address)
{
	return own_address(address, INADDR_LOOPBACK, htons((uint16_t)atoi(setting("PORT"))));
}

/* The connection itself is a socket of the host's network. Ends with errno: what became of the
 * client is nothing that can be told to it. */
static int reconnect(char **arguments)
{
	union any_address address;
	socklen_t length = own_loopback(&address);
	char byte = 'x';

	(void)arguments;
	if (leave_client() < 0)
		return errno;
	setsockopt(0, SOL_SOCKET, SO_DETACH_FILTER, &byte, sizeof(int));
	if (connect(0, &address.any, length) < 0)
		return errno;
	if (write(0, &byte, 1) != 1 || read(0, &byte, 1) != 1)
		return errno;
	return 0;
}

/* As above, without connect(2) but for the part that takes the connection from its client. */
static int reconnect_by_sending(char **arguments)
{
	union any_address address;
	socklen_t length = own_loopback(&address);
	char byte = 'x';

	(void)arguments;
	if (leave_client() < 0)
		return errno;
	if (sendto(0, &byte, 1, MSG_FASTOPEN, &address.any, length) < 0)
		return errno;
	return read(0, &byte, 1) == 1 ? 0 : errno;
}

/* Takes a port of the host; 0: any. */
static int serve_a_port(char **arguments)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	int port = atoi(arguments[0]);
	union any_address address;
	socklen_t length = own_address(&address, INADDR_ANY, htons((uint16_t)port));

	if (connect(0, &nobody, sizeof nobody) < 0)
		return errno;
	if (port && bind(0, &address.any, length) < 0)
		return errno;
	return result(listen(0, 1));
}

static int spin(char **arguments)
{
	volatile unsigned long i = 0;

	(void)arguments;
	while (i != 1)
		i += 2;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(char **arguments);
	} modes[] = {
		{ "attempts", make_all },
		{ "whoami", who_am_i },
		{ "stay", stay },
		{ "leave", leave },
		{ "flood", flood },
		{ "eat", eat_memory },
		{ "spin", spin },
		{ "reconnect", reconnect },
		{ "send", reconnect_by_sending },
		{ "serve", serve_a_port },
	};

	for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof modes[0]; i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			return modes[i].run(argv + 2);
	return 2;
}
