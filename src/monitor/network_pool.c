#include "monitor/network_pool.h"

#include "base/descriptors.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

enum { NETWORKS_MAX = 64, SHARE_OF_DESCRIPTORS = 16 };

static struct {
	pthread_mutex_t mutex; /* guards all but own */
	int unused[NETWORKS_MAX];
	int unused_count;
	int count, most; /* in use or not */
	int own;         /* the daemon's own network */
} pool = { .mutex = PTHREAD_MUTEX_INITIALIZER, .own = -1 };

void network_pool_open(void)
{
	int most = (int)(descriptors_limit() / SHARE_OF_DESCRIPTORS);

	if (pool.own >= 0)
		return;
	pool.own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (most > NETWORKS_MAX)
		most = NETWORKS_MAX;
	pthread_mutex_lock(&pool.mutex);
	while (pool.own >= 0 && pool.most < most && descriptors_spend())
		pool.most++;
	pthread_mutex_unlock(&pool.mutex);
}

/* A program that this thread starts would otherwise get the wrong network. */
static void come_back(void)
{
	if (setns(pool.own, CLONE_NEWNET) < 0)
		abort();
}

/* This thread visits a new one, to open it. */
static int make(void)
{
	int network;

	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	network = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	come_back();
	return network;
}

/* An unused one, or -1; is_new: one may be made. */
static int take_unused(bool *is_new)
{
	int network = -1;

	pthread_mutex_lock(&pool.mutex);
	*is_new = pool.unused_count == 0 && pool.count < pool.most;
	if (pool.unused_count > 0)
		network = pool.unused[--pool.unused_count];
	pool.count += *is_new;
	pthread_mutex_unlock(&pool.mutex);
	return network;
}

static void uncount(void)
{
	pthread_mutex_lock(&pool.mutex);
	pool.count--;
	pthread_mutex_unlock(&pool.mutex);
}

int network_pool_take(void)
{
	bool is_new;
	int network = take_unused(&is_new);

	if (!is_new)
		return network;
	network = make();
	if (network < 0)
		uncount();
	return network;
}

void network_pool_give_back(int network)
{
	pthread_mutex_lock(&pool.mutex);
	pool.unused[pool.unused_count++] = network;
	pthread_mutex_unlock(&pool.mutex);
}

void network_pool_drop(int network)
{
	close(network);
	uncount();
}
