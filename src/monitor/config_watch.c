#include "monitor/config_watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/timer.h"

#include <errno.h>
#include <limits.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Not when a file is made or written: only when its writer is done with it. */
enum {
	CHANGES = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE,
	EVENTS_SIZE = 16 * 1024,
};

/* One source: a directory, or a file in it. */
struct observed {
	int directory; /* inotify's number */
	char *name;    /* of the file; NULL: any that includedir reads */
};

static int inotify = -1;
static struct watch watch;
static struct timer settled;
static uint64_t first_change; /* 0: none waits */
static struct observed *all;
static size_t count;
static void (*tell)(void);

static void on_settled(struct timer *timer)
{
	(void)timer;
	first_change = 0;
	tell();
}

static void note_change(void)
{
	uint64_t now = clock_now(), latest;

	if (!first_change)
		first_change = now;
	latest = first_change + CONFIG_CHANGING_MS;
	timer_start(&settled, now + CONFIG_SETTLED_MS < latest ? CONFIG_SETTLED_MS
			      : latest > now                   ? latest - now
							       : 1);
}

/* includedir passes over other names, see entry_files.c. Names with two dots in front are
 * links by which some systems exchange a whole directory. */
static bool may_be_included(const char *name)
{
	size_t length = strlen(name);

	return strncmp(name, "..", 2) == 0 || (!strchr(name, '.') && name[length - 1] != '~');
}

static bool matters(const struct inotify_event *event)
{
	const char *name = event->len > 0 ? event->name : "";

	if ((event->mask & IN_Q_OVERFLOW) || !*name)
		return !(event->mask & IN_IGNORED);
	for (size_t i = 0; i < count; i++)
		if (all[i].directory == event->wd &&
		    (all[i].name ? strcmp(all[i].name, name) == 0 : may_be_included(name)))
			return true;
	return false;
}

static void on_events(struct watch *ready, short events)
{
	alignas(struct inotify_event) char buffer[EVENTS_SIZE];
	ssize_t size = read(ready->fd, buffer, sizeof buffer);
	bool is_changed = false;

	(void)events;
	for (char *at = buffer; at < buffer + size;) {
		const struct inotify_event *event = (const void *)at;

		is_changed |= matters(event);
		at += sizeof *event + event->len;
	}
	if (is_changed)
		note_change();
}

static void forget_all(void)
{
	for (size_t i = 0; i < count; i++)
		free(all[i].name);
	free(all);
	all = NULL;
	count = 0;
}

/* The number of the directory, which may be watched already; -1 with errno. */
static int watch_directory(const struct source *source, char path[PATH_MAX])
{
	char *slash;

	strncpy(path, source->path, PATH_MAX - 1);
	path[PATH_MAX - 1] = '\0';
	slash = source->is_directory ? NULL : strrchr(path, '/');
	if (slash)
		slash[slash == path] = '\0';
	return inotify_add_watch(inotify, path, CHANGES | IN_ONLYDIR);
}

static void observe(const struct source *source)
{
	struct observed *larger = realloc(all, (count + 1) * sizeof *all);
	char path[PATH_MAX];
	int directory = larger ? watch_directory(source, path) : -1;
	char *name = NULL;

	if (larger)
		all = larger;
	if (directory >= 0 && !source->is_directory)
		name = strdup(strrchr(source->path, '/') + 1);
	if (directory < 0 || (!source->is_directory && !name)) {
		log_failure(directory < 0 ? errno : ENOMEM, "can't watch %s for changes",
			    source->path);
		return;
	}
	all[count++] = (struct observed){ .directory = directory, .name = name };
}

static bool contains(const struct observed *list, size_t length, int directory)
{
	for (size_t i = 0; i < length; i++)
		if (list[i].directory == directory)
			return true;
	return false;
}

/* After the new sources were added, so that what stays is watched without a gap. */
static void drop_directories(const struct observed *old, size_t old_count)
{
	for (size_t i = 0; i < old_count; i++)
		if (!contains(all, count, old[i].directory) && !contains(old, i, old[i].directory))
			inotify_rm_watch(inotify, old[i].directory);
}

static void end(void)
{
	if (inotify < 0)
		return;
	watch_stop(&watch);
	timer_stop(&settled);
	first_change = 0;
	close(inotify);
	inotify = -1;
	forget_all();
}

static int begin(void)
{
	if (inotify >= 0)
		return 0;
	inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (inotify < 0)
		return -1;
	watch_init(&watch, inotify, on_events);
	timer_init(&settled, on_settled);
	return watch_start(&watch, LOOP_READ);
}

void config_watch_update(const struct settings *settings, void (*changed)(void))
{
	struct observed *old = all;
	size_t old_count = count;
	const struct source *source;

	tell = changed;
	if (!settings->daemon.watch) {
		end();
		return;
	}
	if (begin() < 0) {
		log_failure(errno, "can't watch the configuration for changes");
		return;
	}
	all = NULL;
	count = 0;
	STAILQ_FOREACH(source, &settings->sources, link)
		observe(source);
	drop_directories(old, old_count);
	for (size_t i = 0; i < old_count; i++)
		free(old[i].name);
	free(old);
}
