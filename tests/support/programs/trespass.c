/* trespass DIRECTORY [SOCKET]: tries what a session without privileges must not do, and what it
 * may do. Writes a line NAME=ERROR for each attempt, 0 for one that succeeded, and lines of its
 * /proc/self/status. In the directory are those of tests/integration/privileges_test.c. SOCKET
 * is the name of an abstract socket of others.
 * trespass --identity: only who it is. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *name, long result)
{
	printf("%s=%d\n", name, result < 0 ? errno : 0);
}

static void say_of_descriptor(const char *name, long fd)
{
	say(name, fd);
	if (fd >= 0)
		close((int)fd);
}

static void say_status(void)
{
	static const char *const names[] = { "CapInh:", "CapPrm:",  "CapEff:",     "CapBnd:",
					     "CapAmb:", "Seccomp:", "NoNewPrivs:", "Uid:" };
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];

	while (status && fgets(line, sizeof line, status))
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
			if (strncmp(line, names[i], strlen(names[i])) == 0)
				printf("%.*s=%s", (int)strlen(names[i]) - 1, line,
				       line + strlen(names[i]) + 1);
	if (status)
		fclose(status);
}

/* --- system calls --- */

static long clone_with(unsigned long flags)
{
	long child = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);

	if (child == 0)
		_exit(0);
	if (child > 0)
		waitpid((pid_t)child, NULL, 0);
	return child;
}

/* In a child, as what succeeds lasts. */
static void say_in_child(const char *name, long (*attempt)(void))
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(attempt() < 0 ? errno : 0);
	waitpid(child, &status, 0);
	printf("%s=%d\n", name, WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status);
}

static long new_user_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static long new_files(void)
{
	return unshare(CLONE_FILES);
}

static long be_traced(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long join_namespace(void)
{
	return setns(0, 0);
}

static long fixed_addresses(void)
{
	return personality(ADDR_NO_RANDOMIZE);
}

static void try_calls(void)
{
	char nothing[128] = "";

	say("mount", mount("none", "/", "none", MS_REMOUNT | 1UL << 40, NULL));
	say_in_child("ptrace", be_traced);
	say_in_child("unshare", new_user_namespace);
	say_in_child("unshare_files", new_files);
	say("clone_user", clone_with(CLONE_NEWUSER));
	say("clone", clone_with(0));
	say("clone3", syscall(SYS_clone3, nothing, 1));
	say_in_child("setns", join_namespace);
	say_in_child("personality", fixed_addresses);
	say("personality_question", personality(0xffffffff));
	say("keyctl", syscall(SYS_keyctl, 0, -3, 0));
	say("add_key", syscall(SYS_add_key, "user", "usherd-test", "x", 1, -3));
	say("request_key", syscall(SYS_request_key, "user", "usherd-test", NULL, -3));
	say("bpf", syscall(SYS_bpf, 99, NULL, 0));
	say("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0));
	say("userfaultfd", syscall(SYS_userfaultfd, -1));
	say("io_uring_setup", syscall(SYS_io_uring_setup, 0, NULL));
	say("io_uring_enter", syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0));
	say("pivot_root", syscall(SYS_pivot_root, NULL, NULL));
	say("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
	say("swapon", syscall(SYS_swapon, NULL, 0));
	say("init_module", syscall(SYS_init_module, NULL, 0, ""));
	say("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, -1UL));
	say("process_vm_readv", syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0));
	say("unknown", syscall(1023));
}

static void try_sockets(void)
{
	say_of_descriptor("socket_inet", socket(AF_INET, SOCK_STREAM, 0));
	say_of_descriptor("socket_inet6", socket(AF_INET6, SOCK_DGRAM, 0));
	say_of_descriptor("socket_unix", socket(AF_UNIX, SOCK_STREAM, 0));
	say_of_descriptor("socket_route", socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	say_of_descriptor("socket_netfilter", socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER));
	say_of_descriptor("socket_packet", socket(AF_PACKET, SOCK_RAW, 0));
	say_of_descriptor("socket_vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
	say_of_descriptor("socket_alg", socket(AF_ALG, SOCK_SEQPACKET, 0));
	/* The kernel takes only the lower half of the register. */
	say_of_descriptor("socket_high",
			  syscall(SYS_socket, (uint64_t)1 << 32 | AF_ALG, SOCK_SEQPACKET, 0));
}

/* --- files, below the directory --- */

static long size_of(const char *path)
{
	struct stat status;

	return stat(path, &status) < 0 ? -1 : (long)status.st_size;
}

static long open_with_how(const char *path, uint64_t flags)
{
	struct open_how how = { .flags = flags };

	return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

static void try_reading(void)
{
	say_of_descriptor("read", open("readable/file", O_RDONLY));
	say_of_descriptor("list", open("readable", O_RDONLY | O_DIRECTORY));
	say_of_descriptor("read_outside", open("secret/file", O_RDONLY));
	say_of_descriptor("list_outside", open("secret", O_RDONLY | O_DIRECTORY));
	say_of_descriptor("read_by_link", open("writable/link", O_RDONLY));
	say_of_descriptor("read_by_dots", open("writable/../secret/file", O_RDONLY));
	say_of_descriptor("read_passwd", open("/etc/passwd", O_RDONLY));
	say_of_descriptor("read_by_proc", open("/proc/self/root/etc/passwd", O_RDONLY));
}

static void try_writing(void)
{
	say_of_descriptor("create", open("writable/new", O_WRONLY | O_CREAT, 0644));
	say("truncate_own", truncate("writable/new", 10));
	say_of_descriptor("write", open("readable/file", O_WRONLY));
	say_of_descriptor("write_outside", open("secret/file", O_WRONLY));
	say_of_descriptor("create_outside", open("secret/new", O_WRONLY | O_CREAT, 0644));
	say("mkdir_outside", mkdir("secret/directory", 0755));
	say("fifo_outside", mkfifo("secret/fifo", 0644));
	say("truncate_outside", truncate("secret/file", 0));
	say("truncate_readable", truncate("readable/file", 0));
	say_of_descriptor("truncate_by_open", open("readable/file", O_RDONLY | O_TRUNC));
	say_of_descriptor("truncate_by_mode_3", open("readable/file", O_ACCMODE | O_TRUNC));
	open_with_how("readable/file", O_RDONLY | O_TRUNC);
	printf("size=%ld\n", size_of("readable/file"));
}

static void try_moving(void)
{
	say("rename", rename("writable/new", "writable/newer"));
	say("rename_out", rename("writable/newer", "secret/newer"));
	say("rename_in", rename("secret/file", "writable/file"));
	say("link_in", link("secret/file", "writable/linked"));
	say("unlink", unlink("writable/newer"));
	say("unlink_outside", unlink("secret/file"));
	say("rmdir_outside", rmdir("secret/empty"));
}

static long run(const char *path)
{
	char *const arguments[] = { "trespass", "--identity", NULL };

	return execv(path, arguments);
}

static long run_inside(void)
{
	return run("run/trespass");
}

static long run_outside(void)
{
	return run("writable/trespass");
}

/* Writes who it becomes by a setuid program. */
static long run_setuid(void)
{
	return run("setuid/trespass");
}

static void try_running(void)
{
	fflush(stdout);
	say_in_child("run_outside", run_outside);
	fflush(stdout);
	say_in_child("run_inside", run_inside);
	fflush(stdout);
	say_in_child("run_setuid", run_setuid);
}

/* --- other processes --- */

static void try_others(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	say("signal", kill(getppid(), 0));
	strncpy(address.sun_path + 1, name, sizeof address.sun_path - 2);
	say("abstract",
	    connect(fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))));
	close(fd);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (argc > 1 && strcmp(argv[1], "--identity") == 0) {
		printf("identity=%d %d\n", (int)getuid(), (int)geteuid());
		return 0;
	}
	if (argc < 2 || chdir(argv[1]) < 0)
		return 1;
	say_status();
	try_calls();
	try_sockets();
	try_reading();
	try_writing();
	try_moving();
	if (argc > 2)
		try_others(argv[2]);
	try_running();
	printf("end=1\n");
	return 0;
}
