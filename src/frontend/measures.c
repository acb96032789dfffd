#include "frontend/measures.h"

#include "frontend/ask.h"
#include "frontend/status.h"

#include <errno.h>
#include <unistd.h>

static struct status *writing; /* NULL: nothing */
static int file = -1;
static uint64_t ticket; /* of the request */

static int write_all(const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = write(file, text, length);

		if (written < 0)
			return -1;
		text += written;
		length -= (size_t)written;
	}
	return 0;
}

static void on_written(void *context, const char *text, size_t length)
{
	(void)context;
	writing = NULL;
	if (text)
		ask_measured(ticket, write_all(text, length) == 0 ? 0 : errno);
	else
		ask_measured(ticket, ENOMEM);
	close(file);
	file = -1;
}

void measures_write(int descriptor, uint64_t its_ticket)
{
	if (writing)
		status_cancel(writing);
	if (file >= 0)
		close(file);
	file = descriptor;
	ticket = its_ticket;
	writing = status_begin(STATUS_METRICS, on_written, NULL);
	if (writing)
		return;
	ask_measured(ticket, ENOMEM);
	close(file);
	file = -1;
}
