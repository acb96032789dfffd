#include "base/poller.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

_Static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLERR == EPOLLERR &&
		       POLLHUP == EPOLLHUP && POLLRDHUP == EPOLLRDHUP,
	       "poll and epoll name their events alike");

static const short reported = LOOP_READ | LOOP_WRITE | LOOP_PEER_DONE | POLLHUP | POLLERR;

/* For poll(2): watches[i] waits on descriptors[i]. */
static struct pollfd *descriptors;
static struct watch **watches;
static size_t count, capacity;

/* Where the next scan of the descriptors begins, so that none is skipped for ever when
 * more are ready than a batch holds. */
static size_t first;

static int epoll_fd = -1;
static size_t threshold; /* of watches, for the use of epoll */

int poller_init(void)
{
	threshold = POLLER_THRESHOLD;
	return 0;
}

static void leave_poll(void)
{
	free(descriptors);
	free(watches);
	descriptors = NULL;
	watches = NULL;
	count = capacity = first = 0;
}

void poller_free(void)
{
	leave_poll();
	if (epoll_fd >= 0)
		close(epoll_fd);
	epoll_fd = -1;
}

bool poller_uses_epoll(void)
{
	return epoll_fd >= 0;
}

static int epoll_set(int fd, int operation, struct watch *watch, short events)
{
	struct epoll_event event = { .events = (uint32_t)events, .data.ptr = watch };

	return epoll_ctl(fd, operation, watch->fd, &event);
}

static int add_all(int fd)
{
	for (size_t i = 0; i < count; i++)
		if (epoll_set(fd, EPOLL_CTL_ADD, watches[i], descriptors[i].events) < 0)
			return -1;
	return 0;
}

/* If it fails, poll(2) goes on, only slower; the next attempt is made with twice as many
 * watches. */
static void move_to_epoll(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0 || add_all(fd) < 0) {
		threshold *= 2;
		if (fd >= 0)
			close(fd);
		return;
	}
	epoll_fd = fd;
	leave_poll();
}

static int grow(void)
{
	size_t wanted = capacity ? capacity * 2 : 16;
	struct pollfd *more_descriptors;
	struct watch **more_watches;

	more_descriptors = reallocarray(descriptors, wanted, sizeof *descriptors);
	if (!more_descriptors)
		return -1;
	descriptors = more_descriptors;
	more_watches = reallocarray(watches, wanted, sizeof *watches);
	if (!more_watches)
		return -1;
	watches = more_watches;
	capacity = wanted;
	return 0;
}

static int poll_add(struct watch *watch, short events)
{
	if (count == capacity && grow() < 0)
		return -1;
	watch->slot = (int)count;
	watches[count] = watch;
	descriptors[count] = (struct pollfd){ .fd = watch->fd, .events = events };
	count++;
	if (count >= threshold)
		move_to_epoll();
	return 0;
}

int poller_set(struct watch *watch, short events)
{
	bool is_new = watch->slot < 0;

	if (poller_uses_epoll()) {
		if (epoll_set(epoll_fd, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, watch, events) < 0)
			return -1;
		watch->slot = 0;
		return 0;
	}
	if (is_new)
		return poll_add(watch, events);
	descriptors[watch->slot].events = events;
	return 0;
}

static void poll_remove(struct watch *watch)
{
	int slot = watch->slot;

	count--;
	descriptors[slot] = descriptors[count];
	watches[slot] = watches[count];
	watches[slot]->slot = slot;
}

void poller_remove(struct watch *watch)
{
	if (watch->slot < 0)
		return;
	if (poller_uses_epoll())
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	else
		poll_remove(watch);
	watch->slot = -1;
}

/* A descriptor that was closed while it is watched is reported as an error; otherwise
 * poll(2) would return at once for ever. */
static short reported_of(const struct pollfd *descriptor)
{
	short events = descriptor->revents;

	return (short)((events & POLLNVAL ? events | POLLERR : events) & reported);
}

static int poll_collect(struct poller_event *events, int ready)
{
	size_t at = first;
	int stored = 0;

	for (size_t i = 0; i < count && stored < ready && stored < POLLER_BATCH; i++) {
		at = (first + i) % count;
		if (reported_of(&descriptors[at]))
			events[stored++] =
				(struct poller_event){ watches[at], reported_of(&descriptors[at]) };
	}
	first = at + 1;
	return stored;
}

static int epoll_collect(struct poller_event *events, int timeout_ms)
{
	static struct epoll_event batch[POLLER_BATCH];
	int stored = epoll_wait(epoll_fd, batch, POLLER_BATCH, timeout_ms);

	for (int i = 0; i < stored; i++)
		events[i] = (struct poller_event){ batch[i].data.ptr,
						   (short)(batch[i].events & (uint32_t)reported) };
	return stored < 0 ? 0 : stored;
}

int poller_wait(struct poller_event events[static POLLER_BATCH], int timeout_ms)
{
	int ready;

	if (poller_uses_epoll())
		return epoll_collect(events, timeout_ms);
	ready = poll(descriptors, count, timeout_ms);
	return ready > 0 ? poll_collect(events, ready) : 0;
}
