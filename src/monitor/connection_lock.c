#include "monitor/connection_lock.h"

#include "base/address.h"
#include "monitor/in_child.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	INSTRUCTIONS_MAX = 24,
	SOURCE_IN4 = 12, /* of the address in a packet's header (RFC 791) */
	SOURCE_IN6 = 8,  /* the same (RFC 8200) */
	WHOLE = -1,      /* of a packet */
};

#ifndef SO_GET_FILTER
#define SO_GET_FILTER SO_ATTACH_FILTER
#endif

/* A filter while it is written. */
struct filter {
	struct sock_filter code[INSTRUCTIONS_MAX];
	unsigned short length;
};

static void add(struct filter *filter, int code, uint32_t value)
{
	filter->code[filter->length++] =
		(struct sock_filter){ .code = (unsigned short)code, .k = value };
}

/* Goes on only if the word at offset has that value. */
static void require(struct filter *filter, uint32_t offset, uint32_t value)
{
	add(filter, BPF_LD | BPF_W | BPF_ABS, offset);
	filter->code[filter->length] =
		(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
	filter->length++;
	add(filter, BPF_RET | BPF_K, 0);
}

static uint32_t word_of(const void *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof word);
	return ntohl(word);
}

static void require_source(struct filter *filter, const struct address *peer)
{
	bool is_in4 = peer->any.sa_family == AF_INET;
	const uint8_t *bytes =
		is_in4 ? (const void *)&peer->in4.sin_addr : (const void *)&peer->in6.sin6_addr;
	unsigned start = is_in4 ? SOURCE_IN4 : SOURCE_IN6, length = is_in4 ? 4 : 16;

	require(filter, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL), is_in4 ? ETH_P_IP : ETH_P_IPV6);
	for (unsigned i = 0; i < length; i += 4)
		require(filter, (uint32_t)SKF_NET_OFF + start + i, word_of(bytes + i));
}

/* Both ports are the first word of a packet's data (RFC 9293). */
static void write_filter(struct filter *filter, const struct address *peer,
			 const struct address *local)
{
	if (address_is_known(peer)) {
		require_source(filter, peer);
		require(filter, 0, (uint32_t)address_port(peer) << 16 | address_port(local));
		add(filter, BPF_RET | BPF_K, (uint32_t)WHOLE);
	} else {
		add(filter, BPF_RET | BPF_K, 0);
	}
}

static int read_option(int connection, int option)
{
	int value = 0;
	socklen_t length = sizeof value;

	return getsockopt(connection, SOL_SOCKET, option, &value, &length) < 0 ? -1 : value;
}

static bool is_of_internet(int connection)
{
	int domain = read_option(connection, SO_DOMAIN);

	return domain == AF_INET || domain == AF_INET6;
}

static struct address peer_of(int connection)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof peer;

	if (getpeername(connection, (struct sockaddr *)&peer, &length) < 0)
		length = 0;
	return address_from_sockaddr((struct sockaddr *)&peer, length);
}

/* Who had the socket, or the listening one that it comes from, may have locked any filter. */
static bool has_filter(int connection, const struct filter *filter)
{
	struct sock_filter found[INSTRUCTIONS_MAX] = { { 0 } };
	socklen_t count = INSTRUCTIONS_MAX; /* of instructions, not bytes */

	return getsockopt(connection, SOL_SOCKET, SO_GET_FILTER, found, &count) == 0 &&
	       count == filter->length && memcmp(found, filter->code, count * sizeof *found) == 0;
}

static int attach_for_good(int connection, struct filter *filter)
{
	static const int yes = 1;
	const struct sock_fprog program = { .len = filter->length, .filter = filter->code };

	if (setsockopt(connection, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0)
		return -1;
	return setsockopt(connection, SOL_SOCKET, SO_LOCK_FILTER, &yes, sizeof yes);
}

int connection_lock(int connection)
{
	struct filter filter = { .length = 0 };
	struct address peer, local;

	if (!is_of_internet(connection))
		return 0;
	if (read_option(connection, SO_PROTOCOL) != IPPROTO_TCP) {
		errno = EPROTONOSUPPORT;
		return -1;
	}
	if (address_of_socket(connection, &local) < 0)
		return -1;
	peer = peer_of(connection);
	write_filter(&filter, &peer, &local);
	if (read_option(connection, SO_LOCK_FILTER) != 1)
		return attach_for_good(connection, &filter);
	errno = EPERM;
	return has_filter(connection, &filter) ? 0 : -1;
}

/* --- without a filter ----------------------------------------------------------------------- */

/* As in linux/landlock.h, which may be older than the kernel. */
struct network_attributes {
	uint64_t files;
	uint64_t network;
};

enum { VERSION_NETWORK = 4, RIGHT_BIND = 1, RIGHT_CONNECT = 2 };

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE AUDIT_ARCH_RISCV64
#else
#define NATIVE 0 /* nothing here is known of the numbers of its calls */
#endif

enum { FOREIGN_CALLS = 0x40000000 }; /* x32, on x86_64; none elsewhere */

/* Refuses connect(2), and io_uring, which connects too. Programs for other machines than this
 * one have other numbers for it: they can't run. */
static const struct sock_filter without_connect[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 0, 6),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FOREIGN_CALLS, 4, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_connect, 3, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_enter, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
};

/* What Landlock lets pass: listen(2) takes a port of the host without bind(2), and sends with
 * MSG_FASTOPEN connect. Rings, and socketcall(2) of 32-bit programs, hide what they do. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
enum { LOWER_HALF = 4 };
#else
enum { LOWER_HALF = 0 };
#endif

#define REFUSED BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define ALLOWED BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define LOAD_ARGUMENT(n) \
	LOAD(offsetof(struct seccomp_data, args) + sizeof(uint64_t) * (n) + LOWER_HALF)
#define REFUSE_CALL(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), REFUSED
#define REFUSE_FAST_OPEN(number, flags) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4), LOAD_ARGUMENT(flags), \
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MSG_FASTOPEN, 0, 1), REFUSED, ALLOWED

/* By number: this machine's headers have no other machine's. */
#if defined(__x86_64__)
#define SMALLER AUDIT_ARCH_I386
#define SMALLER_CALLS \
	REFUSE_CALL(102 /* socketcall */), REFUSE_CALL(363 /* listen */), \
		REFUSE_FAST_OPEN(369 /* sendto */, 3), REFUSE_FAST_OPEN(370 /* sendmsg */, 2), \
		REFUSE_FAST_OPEN(345 /* sendmmsg */, 3)
#elif defined(__aarch64__)
#define SMALLER AUDIT_ARCH_ARM
#define SMALLER_CALLS \
	REFUSE_CALL(284 /* listen */), REFUSE_FAST_OPEN(289 /* send */, 3), \
		REFUSE_FAST_OPEN(290 /* sendto */, 3), REFUSE_FAST_OPEN(296 /* sendmsg */, 2), \
		REFUSE_FAST_OPEN(374 /* sendmmsg */, 3)
#endif

#define COMMON_CALLS REFUSE_CALL(SYS_io_uring_setup), REFUSE_CALL(SYS_io_uring_enter)
#define NATIVE_CALLS \
	REFUSE_CALL(SYS_listen), REFUSE_FAST_OPEN(SYS_sendto, 3), \
		REFUSE_FAST_OPEN(SYS_sendmsg, 2), REFUSE_FAST_OPEN(SYS_sendmmsg, 3)

#define LENGTH(...) (sizeof((struct sock_filter[]){ __VA_ARGS__ }) / sizeof(struct sock_filter))
#define OF_MACHINE(machine, ...) \
	LOAD(offsetof(struct seccomp_data, arch)), \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, machine, 0, LENGTH(__VA_ARGS__) + 4), \
		LOAD(offsetof(struct seccomp_data, nr)), \
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FOREIGN_CALLS, 0, 1), REFUSED, __VA_ARGS__, \
		ALLOWED

static const struct sock_filter what_landlock_lacks[] = {
	OF_MACHINE(NATIVE, NATIVE_CALLS, COMMON_CALLS),
#ifdef SMALLER
	OF_MACHINE(SMALLER, SMALLER_CALLS, COMMON_CALLS),
#endif
	REFUSED,
};

IN_CHILD static int load(const struct sock_filter *list, size_t count)
{
	const struct sock_fprog program = {
		.len = (unsigned short)count,
		.filter = (struct sock_filter *)(uintptr_t)list,
	};

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

#define LOAD_FILTER(list) load(list, sizeof(list) / sizeof(list)[0])

IN_CHILD static long landlock_version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
		       LANDLOCK_CREATE_RULESET_VERSION);
}

/* What a ruleset handles is forbidden, as it has no rules. */
IN_CHILD static int refuse_ports(void)
{
	const struct network_attributes attributes = { .network = RIGHT_BIND | RIGHT_CONNECT };
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);

	if (ruleset < 0)
		return -1;
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0); /* closes on exec */
}

IN_CHILD int connection_lock_ports(void)
{
	return landlock_version() < VERSION_NETWORK ? 0 : refuse_ports();
}

IN_CHILD int connection_lock_process(void)
{
	if (landlock_version() < VERSION_NETWORK)
		return LOAD_FILTER(without_connect);
	return refuse_ports() < 0 ? -1 : LOAD_FILTER(what_landlock_lacks);
}

static bool can_filter(void)
{
	struct filter filter = { .length = 0 };
	struct sock_fprog program;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

	if (fd < 0)
		return false;
	add(&filter, BPF_RET | BPF_K, 0);
	program = (struct sock_fprog){ .len = filter.length, .filter = filter.code };
	result = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
	close(fd);
	return result == 0;
}

static bool can_refuse_calls(void)
{
	const uint32_t action = SECCOMP_RET_ERRNO;

	return NATIVE != 0 && syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

const char *connection_lock_obstacle(void)
{
	if (can_filter() || can_refuse_calls())
		return NULL;
	return "its connection could be turned to other addresses: the kernel takes a filter for "
	       "it only from who has CAP_NET_ADMIN, and has no seccomp here; give the daemon "
	       "CAP_NET_ADMIN, or write network = host";
}
