/* The answers of libwrap's child, and the content of hosts.allow and hosts.deny.
 *
 * There is no child: fork(2) is replaced, and the test writes to the child's pipe. A
 * child reads replies of any name server, so its bytes can't be trusted: only a 1, in
 * time, admits a peer. It may write HAS_BEGUN any number of times. */
#include "admission/libwrap.h"
#include "base/loop.h"

#include "fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOBODY = 0x3ffffff, ENOUGH_MS = 60000, QUERIES_MAX = 8, CHILDREN_KEPT = 4 };

/* What a child writes. */
enum { SAYS_YES = 1, HAS_BEGUN = 2 };

/* A query and its answer. */
struct asked {
	struct libwrap_query *query;
	int pipe; /* the child's end */
	unsigned answers;
	bool allowed;
};

static atomic_uint children;           /* made by a worker */
static int child_pipes[CHILDREN_KEPT]; /* of the last children */
static unsigned killed;

/* --- in place of the C library's ------------------------------------------------------ */

pid_t fork(void)
{
	children++;
	return NOBODY;
}

int kill(pid_t pid, int signal)
{
	require(pid == NOBODY && signal == SIGKILL);
	killed++;
	return 0;
}

/* Keeps the child's end, and writes HAS_BEGUN for the child: without it the child would
 * be replaced. */
int pipe2(int ends[2], int flags)
{
	const unsigned char begun = HAS_BEGUN;

	if (syscall(SYS_pipe2, ends, flags) < 0)
		return -1;
	require(write(ends[1], &begun, sizeof begun) == sizeof begun);
	child_pipes[children % CHILDREN_KEPT] = fcntl(ends[1], F_DUPFD_CLOEXEC, 0);
	return 0;
}

/* --- queries ------------------------------------------------------------------------ */

static void take_answer(void *context, bool allowed)
{
	struct asked *asked = context;

	asked->answers++;
	asked->allowed = allowed;
}

/* Asks, and waits until the child would be started. */
static void ask(struct asked *asked)
{
	const struct turn_owner owner = { .service = 1, .lengths = { 32, 64 } };
	unsigned before = children;
	struct address peer, local;

	require(address_parse(&peer, "192.0.2.1", 40000) == 0);
	require(address_parse(&local, "127.0.0.1", 23) == 0);
	asked->query = libwrap_ask(&owner, "daemon", &peer, &local, take_answer, asked);
	require(asked->query && asked->answers == 0);
	while (children == before)
		loop_turn(-1);
	asked->pipe = child_pipes[before % CHILDREN_KEPT];
}

static void say(struct asked *asked, struct input words, bool ends)
{
	require(write(asked->pipe, words.bytes, words.length) == (ssize_t)words.length);
	if (!ends)
		return;
	close(asked->pipe);
	asked->pipe = -1;
}

static void wait_for_answer(const struct asked *asked)
{
	while (asked->answers == 0)
		loop_turn(-1);
}

/* The child of a cancelled query is killed, unless it has ended. */
static void wait_for_kill(const struct asked *asked, unsigned before)
{
	while (asked->pipe >= 0 && killed == before)
		loop_turn(-1);
	require(killed == before + (asked->pipe >= 0));
}

/* A cancelled query is not answered, whatever the child has written. */
static void check_cancelled(struct asked *asked, struct input words, bool ends)
{
	unsigned before = killed;

	ask(asked);
	say(asked, words, ends);
	libwrap_cancel(asked->query);
	wait_for_kill(asked, before);
	require(asked->answers == 0);
}

static void check_answered(struct asked *asked, struct input words)
{
	size_t begun = 0;

	while (begun < words.length && words.bytes[begun] == HAS_BEGUN)
		begun++;
	ask(asked);
	say(asked, words, begun == words.length);
	wait_for_answer(asked);
	require(asked->allowed == (begun < words.length && words.bytes[begun] == SAYS_YES));
}

/* Returns when the worker has no job left: it runs them in order. */
static void drain(void)
{
	struct asked asked = { .answers = 0 };

	check_answered(&asked, (struct input){ .length = 0 });
}

/* The child does not answer in time. */
static void check_silent(struct asked *asked)
{
	unsigned before = killed;

	libwrap_set_deadline(0);
	ask(asked);
	wait_for_answer(asked);
	wait_for_kill(asked, before);
	require(!asked->allowed);
	libwrap_set_deadline(ENOUGH_MS);
}

static void check_question(struct input *input)
{
	struct asked asked = { .answers = 0 };
	uint8_t how = input_byte(input);
	struct input words = input_piece(input, how & 3);

	if (how < 0x20)
		check_silent(&asked);
	else if (how < 0x60)
		check_cancelled(&asked, words, how & 4);
	else
		check_answered(&asked, words);
	require(asked.answers <= 1);
	if (asked.pipe >= 0)
		close(asked.pipe);
}

/* --- files --------------------------------------------------------------------------- */

static bool line_is_rule(struct input line)
{
	size_t i = 0;

	while (i < line.length && strchr(" \t\r", line.bytes[i]) && line.bytes[i])
		i++;
	return i < line.length && line.bytes[0] != '#';
}

static bool text_has_rules(struct input text)
{
	while (text.length > 0)
		if (line_is_rule(input_line(&text)))
			return true;
	return false;
}

/* A file without rules may be taken for one with rules, as libwrap is asked then; the
 * reverse is an error. */
static void check_file(struct input text)
{
	static char path[32], no_file[] = "/nonexistent/hosts.deny";
	int fd = memfd_create("hosts.allow", MFD_CLOEXEC);

	require(fd >= 0 && write(fd, text.bytes, text.length) == (ssize_t)text.length);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	libwrap_set_files(path, no_file);
	require(libwrap_has_rules() || !text_has_rules(text));
	libwrap_set_files(no_file, path);
	require(libwrap_has_rules() || !text_has_rules(text));
	close(fd);
}

/* The lowest free descriptor. Descriptors that are opened only once are open by then. */
static int lowest_descriptor(void)
{
	int fd;

	drain();
	fd = dup(STDIN_FILENO);
	close(fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static bool is_ready;
	struct input input = { bytes, length };
	int questions = input_byte(&input) % QUERIES_MAX;
	int lowest;

	if (!is_ready)
		require(loop_init() == 0);
	is_ready = true;
	libwrap_set_deadline(ENOUGH_MS);
	lowest = lowest_descriptor();
	while (questions-- > 0)
		check_question(&input);
	check_file(input);
	require(lowest_descriptor() == lowest);
	return 0;
}
