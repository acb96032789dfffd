#include "monitor/network_pool.h"

#include "base/descriptors.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	NETWORKS_MAX = 64,
	DESCRIPTORS_EACH = 2,
	SHARE_OF_DESCRIPTORS = 16, /* the pool has at most one of so many */
};

enum network_state { NETWORK_ABSENT, NETWORK_UNUSED, NETWORK_TAKEN };

struct network {
	enum network_state state;
	int descriptor;
	int counts; /* its /proc/net/sockstat */
};

static struct {
	pthread_mutex_t mutex; /* guards the states and most */
	struct network networks[NETWORKS_MAX];
	int most; /* how many there may be */
	int own;  /* the daemon's own network */
} pool = { .mutex = PTHREAD_MUTEX_INITIALIZER, .own = -1 };

/* True when one more fits. */
static bool reserve(void)
{
	int got = 0;

	while (got < DESCRIPTORS_EACH && descriptors_spend())
		got++;
	if (got == DESCRIPTORS_EACH)
		return true;
	while (got-- > 0)
		descriptors_regain();
	return false;
}

/* A thread that visits a network must be able to come back. */
static int open_own(void)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (own < 0 || setns(own, CLONE_NEWNET) == 0)
		return own;
	close(own);
	return -1;
}

void network_pool_open(void)
{
	int most = (int)(descriptors_limit() / (DESCRIPTORS_EACH * SHARE_OF_DESCRIPTORS));

	if (pool.own >= 0)
		return;
	pool.own = open_own();
	if (most > NETWORKS_MAX)
		most = NETWORKS_MAX;
	pthread_mutex_lock(&pool.mutex);
	while (pool.own >= 0 && pool.most < most && reserve())
		pool.most++;
	pthread_mutex_unlock(&pool.mutex);
}

/* --- one of them -------------------------------------------------------------------------- */

/* A program that this thread starts would otherwise get the wrong network. */
static void come_back(void)
{
	if (setns(pool.own, CLONE_NEWNET) < 0)
		abort();
}

static void close_both(struct network *network)
{
	if (network->descriptor >= 0)
		close(network->descriptor);
	if (network->counts >= 0)
		close(network->counts);
}

/* This thread visits a new one, to open it. */
static bool make(struct network *network)
{
	if (unshare(CLONE_NEWNET) < 0)
		return false;
	network->descriptor = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	network->counts = open("/proc/thread-self/net/sockstat", O_RDONLY | O_CLOEXEC);
	come_back();
	if (network->descriptor >= 0 && network->counts >= 0)
		return true;
	close_both(network);
	return false;
}

static bool is_empty(const struct network *network)
{
	static const char expected[] = "sockets: used 0\n";
	char text[sizeof expected - 1];

	return pread(network->counts, text, sizeof text, 0) == (ssize_t)sizeof text &&
	       memcmp(text, expected, sizeof text) == 0;
}

/* --- all of them ------------------------------------------------------------------------------ */

static void set_state(int number, enum network_state state)
{
	pthread_mutex_lock(&pool.mutex);
	pool.networks[number].state = state;
	pthread_mutex_unlock(&pool.mutex);
}

static int find(enum network_state state)
{
	for (int i = 0; i < pool.most; i++)
		if (pool.networks[i].state == state)
			return i;
	return -1;
}

/* The number of an unused one, or of a place for another one; -1: none. */
static int take_place(bool *is_new)
{
	int number;

	pthread_mutex_lock(&pool.mutex);
	number = find(NETWORK_UNUSED);
	*is_new = number < 0;
	if (*is_new)
		number = find(NETWORK_ABSENT);
	if (number >= 0)
		pool.networks[number].state = NETWORK_TAKEN;
	pthread_mutex_unlock(&pool.mutex);
	return number;
}

int network_pool_take(void)
{
	bool is_new;
	int number = take_place(&is_new);

	if (number < 0)
		return -1;
	if (!is_new && is_empty(&pool.networks[number]))
		return number;
	if (!is_new)
		close_both(&pool.networks[number]);
	if (make(&pool.networks[number]))
		return number;
	set_state(number, NETWORK_ABSENT);
	return -1;
}

int network_pool_descriptor(int number)
{
	return pool.networks[number].descriptor;
}

void network_pool_give_back(int number)
{
	set_state(number, NETWORK_UNUSED);
}

void network_pool_drop(int number)
{
	close_both(&pool.networks[number]);
	set_state(number, NETWORK_ABSENT);
}
