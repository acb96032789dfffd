#include "monitor/terminal.h"

#include "base/terminal_input.h"

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

static int set_modes(int slave, enum pty_kind kind)
{
	static const struct winsize size = { .ws_row = 24, .ws_col = 80 };
	struct termios modes;

	if (tcgetattr(slave, &modes) < 0)
		return -1;
	cfmakeraw(&modes);
	if (kind == PTY_EOF)
		terminal_input_set_modes(&modes);
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

int terminal_open(struct terminal *terminal, enum pty_kind kind, uid_t owner)
{
	*terminal = NO_TERMINAL;
	if (open_pair(terminal) == 0 && set_modes(terminal->slave, kind) == 0 &&
	    give_to(terminal->slave, owner) == 0)
		return 0;
	terminal_close(terminal);
	return -1;
}

static void close_end(int *fd)
{
	int error = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = error;
}

void terminal_close_slave(struct terminal *terminal)
{
	close_end(&terminal->slave);
}

void terminal_close(struct terminal *terminal)
{
	close_end(&terminal->slave);
	close_end(&terminal->master);
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
