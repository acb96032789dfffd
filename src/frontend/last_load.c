#include "frontend/last_load.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 64 * 1024 };

static struct reload_message last;
static char *text; /* NULL: none */

/* NULL: it can't be read. */
static char *read_text(int descriptor)
{
	static char bytes[TEXT_MAX + 1];
	ssize_t length = pread(descriptor, bytes, TEXT_MAX, 0);

	if (length < 0)
		return NULL;
	bytes[length] = '\0';
	return strdup(bytes);
}

void last_load_take(const struct reload_message *message, int descriptor)
{
	last = *message;
	free(text);
	text = NULL;
	if (descriptor < 0)
		return;
	text = read_text(descriptor);
	close(descriptor);
}

const struct reload_message *last_load(void)
{
	return &last;
}

const char *last_load_text(void)
{
	return text ? text : "";
}

bool last_load_is_fine(void)
{
	return last.is_loaded && last.errors == 0;
}
