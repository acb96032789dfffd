#include "monitor/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

enum { SLAVE_FLAGS = O_RDWR | O_NOCTTY | O_CLOEXEC, SLAVE_MODE = 0600 };

/* The master; as the program has not begun, nothing can have changed the slave. */
static int open_pair(struct terminal *terminal)
{
	int unlock = 0;

	terminal->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (terminal->master < 0 || ioctl(terminal->master, TIOCSPTLCK, &unlock) < 0)
		return -1;
	terminal->slave = ioctl(terminal->master, TIOCGPTPEER, SLAVE_FLAGS);
	return terminal->slave < 0 ? -1 : 0;
}

/* Bytes pass unchanged, and none is a command. */
static int make_raw(int slave)
{
	static const struct winsize size = { .ws_row = 24, .ws_col = 80 };
	struct termios modes;

	if (tcgetattr(slave, &modes) < 0)
		return -1;
	cfmakeraw(&modes);
	if (tcsetattr(slave, TCSANOW, &modes) < 0)
		return -1;
	return ioctl(slave, TIOCSWINSZ, &size);
}

/* Where the owner is not mapped, as in a container, the program works with the descriptors that it
 * gets. */
static int give_to(int slave, uid_t owner)
{
	if (owner != (uid_t)-1 && fchown(slave, owner, (gid_t)-1) < 0 && errno != EPERM &&
	    errno != EINVAL)
		return -1;
	return fchmod(slave, SLAVE_MODE);
}

/* Only the frontend's end does not block. */
static int open_input(struct terminal *terminal)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	terminal->input = ends[0];
	terminal->to_input = ends[1];
	return fcntl(ends[1], F_SETFL, O_NONBLOCK);
}

int terminal_open(struct terminal *terminal, enum pty_kind kind, uid_t owner)
{
	*terminal = NO_TERMINAL;
	if (open_pair(terminal) == 0 && make_raw(terminal->slave) == 0 &&
	    give_to(terminal->slave, owner) == 0 && (kind != PTY_EOF || open_input(terminal) == 0))
		return 0;
	terminal_close(terminal);
	return -1;
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void terminal_close_program_ends(struct terminal *terminal)
{
	int error = errno;

	close_end(&terminal->slave);
	close_end(&terminal->input);
	errno = error;
}

void terminal_close(struct terminal *terminal)
{
	int error = errno;

	terminal_close_program_ends(terminal);
	close_end(&terminal->master);
	close_end(&terminal->to_input);
	errno = error;
}

const char *terminal_obstacle(void)
{
	static char text[256];
	struct terminal terminal;

	if (terminal_open(&terminal, PTY_YES, (uid_t)-1) == 0) {
		terminal_close(&terminal);
		return NULL;
	}
	if (errno == ENOSPC || errno == EMFILE || errno == ENFILE)
		return NULL;
	snprintf(text, sizeof text,
		 "no terminal can be made from /dev/ptmx: %s; mount devpts on /dev/pts with "
		 "ptmxmode=666, make /dev/ptmx a link to pts/ptmx, or remove pty",
		 strerror(errno));
	return text;
}
