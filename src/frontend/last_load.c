#include "frontend/last_load.h"

#include <stdlib.h>
#include <unistd.h>

enum { TEXT_MAX = 64 * 1024 };

static struct reload_message last;
static char *text; /* NULL: none */

static char *read_text(int descriptor)
{
	char *bytes = malloc(TEXT_MAX + 1);
	ssize_t length = bytes ? pread(descriptor, bytes, TEXT_MAX, 0) : -1;
	char *shorter;

	if (length < 0) {
		free(bytes);
		return NULL;
	}
	bytes[length] = '\0';
	shorter = realloc(bytes, (size_t)length + 1);
	return shorter ? shorter : bytes;
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
