/* A server that does with its connection, standard input, what its argument says, and then goes
 * on or ends. */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char zeros[65536];

/* More than the connection has room for, to be sent when the client reads. */
static void fill(void)
{
	while (send(0, zeros, sizeof zeros, MSG_DONTWAIT) > 0)
		continue;
}

static void sleep_for_ever(void)
{
	for (;;)
		pause();
}

int main(int count, char **arguments)
{
	static const struct linger long_time = { .l_onoff = 1, .l_linger = 600 };
	const char *what = count > 1 ? arguments[1] : "";

	if (strcmp(what, "shut-both") == 0) {
		shutdown(0, SHUT_RDWR);
		sleep_for_ever();
	} else if (strcmp(what, "shut-reading") == 0) {
		shutdown(0, SHUT_RD);
		sleep_for_ever();
	} else if (strcmp(what, "fill-and-end") == 0) {
		fill();
		setsockopt(0, SOL_SOCKET, SO_LINGER, &long_time, sizeof long_time);
	} else if (strcmp(what, "fill") == 0) {
		fill();
		sleep_for_ever();
	}
	return 0;
}
