#include "base/own_name.h"

#include <string.h>
#include <unistd.h>

static char name[OWN_NAME_MAX + 1] = "usherd";

static char fit_for_log(char byte)
{
	return byte > ' ' && byte < 0x7f && !strchr("[]:", byte) ? byte : '_';
}

static void fit(char to[static OWN_NAME_MAX + 1], const char *from)
{
	size_t length = 0;

	for (; length < OWN_NAME_MAX && from[length]; length++)
		to[length] = fit_for_log(from[length]);
	to[length] = '\0';
}

void own_name_take(const char *argv0)
{
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL, *from = slash ? slash + 1 : argv0;

	if (from && *from)
		fit(name, from);
}

const char *own_name(void)
{
	return name;
}

static char tag[OWN_NAME_MAX + 1];

void own_tag_take(const char *text)
{
	fit(tag, text);
}

const char *own_tag(void)
{
	return *tag ? tag : name;
}

static pid_t process; /* 0: this one */

void own_process_take(pid_t other)
{
	process = other;
}

pid_t own_process(void)
{
	return process ? process : getpid();
}
