#include "base/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	RESERVE = 6, /* a reload reads a file in a directory and looks up a user */
	LIMIT_MAX = 1 << 30,
	MOMENTARY_PART = 16, /* of the limit: open for a moment, in the loop or a worker */
	MOMENTARY_MAX = 32,
	CONNECTIONS_PART = 8, /* of the limit: reserved for connections */
	CONNECTIONS_MAX = 64,
};

static int reserve[RESERVE] = { -1, -1, -1, -1, -1, -1 };
static unsigned limit = LIMIT_MAX;
static unsigned own; /* always open, the reserve included */
static unsigned spent, refused;
static bool is_counting; /* descriptors_init was called */
static struct shares shares = { .total = LIMIT_MAX };

static unsigned least(unsigned one, unsigned other)
{
	return one < other ? one : other;
}

void descriptors_raise_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	limit = files.rlim_cur < LIMIT_MAX ? (unsigned)files.rlim_cur : LIMIT_MAX;
}

unsigned descriptors_limit(void)
{
	return limit;
}

/* What is left for listening sockets, log files and connections. */
static unsigned available(void)
{
	unsigned taken = own + least(limit / MOMENTARY_PART, MOMENTARY_MAX);

	return limit > taken ? limit - taken : 0;
}

static void share_the_rest(void)
{
	unsigned rest = available();

	shares_set_total(&shares, rest > spent ? rest - spent : 0);
}

int descriptors_init(void)
{
	descriptors_close_reserve();
	for (int i = 0; i < RESERVE; i++)
		if (reserve[i] < 0)
			return -1;
	/* The kernel uses the lowest free number. */
	own = (unsigned)reserve[RESERVE - 1] + 1 - spent;
	is_counting = true;
	share_the_rest();
	return 0;
}

bool descriptors_spend(void)
{
	unsigned connections = least(limit / CONNECTIONS_PART, CONNECTIONS_MAX);

	if (is_counting && available() < spent + 1 + connections) {
		refused++;
		errno = EMFILE;
		return false;
	}
	spent++;
	if (is_counting)
		share_the_rest();
	return true;
}

void descriptors_regain(void)
{
	spent--;
	if (is_counting)
		share_the_rest();
}

unsigned descriptors_spent(void)
{
	return spent;
}

unsigned descriptors_refused(void)
{
	unsigned count = refused;

	refused = 0;
	return count;
}

struct shares *descriptors_shares(void)
{
	return &shares;
}

void descriptors_open_reserve(void)
{
	for (int i = 0; i < RESERVE; i++) {
		if (reserve[i] >= 0)
			close(reserve[i]);
		reserve[i] = -1;
	}
}

void descriptors_close_reserve(void)
{
	for (int i = 0; i < RESERVE; i++)
		if (reserve[i] < 0)
			reserve[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void descriptor_forbid_waiting(int fd)
{
	static const struct linger none;
	int error = errno;

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	errno = error; /* ENOTSOCK: it never waits */
}

void descriptor_close(int fd)
{
	descriptor_forbid_waiting(fd);
	close(fd);
}
