#include "own_log.h"

#include "base/log.h"
#include "base/sink.h"

#include "../fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int fd = -1;
static char text[256 * 1024];

void own_log_open(void)
{
	char directory[] = "/tmp/usherd-fuzz-log-XXXXXX", path[sizeof directory + 4];

	require(mkdtemp(directory) != NULL);
	snprintf(path, sizeof path, "%s/log", directory);
	require(log_to_file(path) == 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	require(fd >= 0 && unlink(path) == 0 && rmdir(directory) == 0);
}

char *own_log_take(size_t *length)
{
	ssize_t size;

	sink_flush_all();
	size = pread(fd, text, sizeof text - 1, 0);
	require(size >= 0 && ftruncate(fd, 0) == 0);
	text[size] = '\0';
	*length = (size_t)size;
	return text;
}

/* The text after the head and one blank. */
static const char *behind(const char *line, int end)
{
	return end > 0 && line[end] == ' ' ? line + end + 1 : NULL;
}

const char *own_log_message(const char *line)
{
	int end = 0;

	sscanf(line, "%*2d/%*2d/%*2d@%*2d:%*2d:%*2d usherd[%*d]:%n", &end);
	return behind(line, end);
}

const char *own_log_record(const char *line)
{
	int end = 0;

	sscanf(line, "%*2d/%*2d/%*2d@%*2d:%*2d:%*2d:%n", &end);
	return behind(line, end);
}
