#include "monitor/service_manager.h"

#include "base/log.h"
#include "base/timer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int manager = -1; /* connected to its socket; -1: there is none */
static bool is_ready;    /* it was told */
static bool stores;      /* it keeps descriptors */
static struct timer watchdog;
static uint64_t interval_ms;

/* --- telling ----------------------------------------------------------------------------- */

enum { LATER_MAX = 4096 };

/* What the manager had no room for. */
struct later {
	STAILQ_ENTRY(later) link;
	char lines[];
};

static STAILQ_HEAD(, later) queue = STAILQ_HEAD_INITIALIZER(queue);
static struct later *newest; /* while the queue is not empty */
static unsigned queue_length;
static struct timer again;

/* A manager that does not read must not stop the daemon. False: it has no room now. */
static bool send_lines(const char *lines)
{
	if (manager < 0 || send(manager, lines, strlen(lines), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return true;
	if (errno == EAGAIN)
		return false;
	log_failure(errno, "can't tell the service manager");
	return true;
}

static void send_queue(struct timer *timer)
{
	struct later *first;

	while ((first = STAILQ_FIRST(&queue)) && send_lines(first->lines)) {
		STAILQ_REMOVE_HEAD(&queue, link);
		queue_length--;
		free(first);
	}
	if (first)
		timer_start(timer, MANAGER_RETRY_MS);
}

static void tell_later(const char *lines)
{
	size_t size = strlen(lines) + 1;
	struct later *later;

	if (!STAILQ_EMPTY(&queue) && strcmp(newest->lines, lines) == 0)
		return;
	later = queue_length < LATER_MAX ? malloc(sizeof *later + size) : NULL;
	if (!later) {
		log_error("the service manager does not read; it is not told all");
		return;
	}
	memcpy(later->lines, lines, size);
	STAILQ_INSERT_TAIL(&queue, later, link);
	newest = later;
	queue_length++;
	if (timer_is_pending(&again))
		return;
	timer_init(&again, send_queue);
	timer_start(&again, MANAGER_RETRY_MS);
}

/* Now or later, in order: a manager that misses READY=1 ends the daemon. */
static void tell(const char *lines)
{
	if (!STAILQ_EMPTY(&queue) || !send_lines(lines))
		tell_later(lines);
}

/* --- the beginning ----------------------------------------------------------------------- */

/* The address, and its length; 0: it is none of this machine's files or names. */
static socklen_t read_address(struct sockaddr_un *address, const char *text)
{
	size_t length = strlen(text);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if ((text[0] != '/' && text[0] != '@') || length < 2 || length >= sizeof address->sun_path)
		return 0;
	memcpy(address->sun_path, text, length);
	if (text[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

/* The socket, connected, or -1 with errno. */
static int connect_to(const char *text)
{
	struct sockaddr_un address;
	socklen_t length = read_address(&address, text);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -1;
	errno = EINVAL;
	if (length > 0 && connect(fd, (struct sockaddr *)&address, length) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void on_watchdog(struct timer *timer)
{
	if (STAILQ_EMPTY(&queue))
		send_lines("WATCHDOG=1"); /* a late one would be of no use */
	timer_start(timer, interval_ms);
}

/* WATCHDOG_PID names the process that is watched; unset: any. */
static void start_watchdog(const char *period, const char *pid)
{
	uint64_t microseconds = period ? strtoull(period, NULL, 10) : 0;

	interval_ms = microseconds / 2000;
	if (manager < 0 || interval_ms == 0 || (pid && atol(pid) != (long)getpid()))
		return;
	timer_init(&watchdog, on_watchdog);
	timer_start(&watchdog, interval_ms);
}

void service_manager_init(void)
{
	static const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
					     "FDSTORE" };
	const char *socket = getenv("NOTIFY_SOCKET"), *most = getenv("FDSTORE");

	if (socket && (manager = connect_to(socket)) < 0)
		log_failure(errno, "can't reach the service manager at %s", socket);
	stores = manager >= 0 && most && atol(most) > 0;
	start_watchdog(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unsetenv(names[i]);
}

/* --- states ------------------------------------------------------------------------------ */

void service_manager_ready(size_t services, unsigned wrong, bool is_loaded)
{
	char lines[192], errors[64] = "";

	is_ready = true;
	if (!is_loaded)
		snprintf(errors, sizeof errors, "; the last reload has failed");
	else if (wrong > 0)
		snprintf(errors, sizeof errors, "; entries with an error: %u", wrong);
	snprintf(lines, sizeof lines, "READY=1\nMAINPID=%d\nSTATUS=%zu service%s available%s",
		 (int)getpid(), services, services == 1 ? "" : "s", errors);
	tell(lines);
}

/* The manager orders what happened by this time. */
void service_manager_reloading(void)
{
	struct timespec now;
	char lines[96];

	if (!is_ready)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=reloading",
		 (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	tell(lines);
}

void service_manager_stopping(void)
{
	tell("STOPPING=1\nSTATUS=ending");
}

/* --- descriptors ------------------------------------------------------------------------- */

bool service_manager_stores(void)
{
	return stores;
}

bool service_manager_store(int fd, const char *name)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof fd)];
	} control = { .header = { .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS,
				  .cmsg_len = CMSG_LEN(sizeof fd) } };
	char lines[192];
	struct iovec data = { .iov_base = lines };
	const struct msghdr message = { .msg_iov = &data,
					.msg_iovlen = 1,
					.msg_control = &control,
					.msg_controllen = sizeof control };

	errno = EAGAIN;
	if (!stores || !STAILQ_EMPTY(&queue)) /* that it forgets the name may be in the queue */
		return false;
	data.iov_len = (size_t)snprintf(lines, sizeof lines, "FDSTORE=1\nFDNAME=%s", name);
	memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
	if (sendmsg(manager, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return true;
	if (errno != EAGAIN)
		log_failure(errno, "the service manager can't keep a socket");
	return false;
}

void service_manager_forget(const char *name)
{
	char lines[192];

	snprintf(lines, sizeof lines, "FDSTOREREMOVE=1\nFDNAME=%s", name);
	tell(lines);
}
