#include "monitor/config_watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/timer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Not while a file is written: only when its writer is done with it. Of what is made only links
 * and directories count. */
enum {
	CHANGES = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE,
	EVENTS_SIZE = 16 * 1024,
};

/* A name in a directory. */
struct observed {
	int directory; /* inotify's number */
	char *name;    /* of a source; NULL: any that includedir reads */
	char *path;    /* of the directory */
};

static int inotify = -1;
static struct watch watch;
static struct timer settled;
static uint64_t first_change; /* 0: none waits */
static struct observed *all;
static size_t count;
static void (*tell)(void);
static struct timespec read_at; /* as files are stamped */

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

/* A new file counts when it has been written. */
static bool is_whole(const struct observed *place, const struct inotify_event *event)
{
	char path[PATH_MAX];
	struct stat status;

	if (!(event->mask & IN_CREATE))
		return true;
	if (event->mask & IN_ISDIR)
		return place->name != NULL;
	snprintf(path, sizeof path, "%s/%s", place->path, event->name);
	return lstat(path, &status) == 0 && (S_ISLNK(status.st_mode) || status.st_nlink > 1);
}

static bool matters(const struct inotify_event *event)
{
	const char *name = event->len > 0 ? event->name : "";

	if ((event->mask & IN_Q_OVERFLOW) || !*name)
		return !(event->mask & IN_IGNORED);
	for (size_t i = 0; i < count; i++)
		if (all[i].directory == event->wd &&
		    (all[i].name ? strcmp(all[i].name, name) == 0 : may_be_included(name)))
			return is_whole(&all[i], event);
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

static void forget(struct observed *list, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		free(list[i].name);
		free(list[i].path);
	}
	free(list);
}

static void forget_all(void)
{
	forget(all, count);
	all = NULL;
	count = 0;
}

/* The directory may be watched already. Returns 0, or -1 with errno. */
static int observe_in(const char *directory, const char *name)
{
	struct observed *larger = realloc(all, (count + 1) * sizeof *all);
	struct observed one = { .directory = -1 };

	if (!larger)
		return -1;
	all = larger;
	one.directory = inotify_add_watch(inotify, directory, CHANGES | IN_ONLYDIR);
	if (one.directory < 0)
		return -1;
	one.path = strdup(directory);
	one.name = name ? strdup(name) : NULL;
	if (one.path && (one.name || !name)) {
		all[count++] = one;
		return 0;
	}
	free(one.name);
	free(one.path);
	return -1;
}

/* A source by its name in the directory above: another one may take its name. */
static int observe_name(const char *path)
{
	char above[PATH_MAX];
	size_t length = strlen(path);
	char *slash;

	if (length >= sizeof above) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(above, path, length + 1);
	while (length > 1 && above[length - 1] == '/')
		above[--length] = '\0';
	slash = strrchr(above, '/');
	*slash = '\0';
	return observe_in(slash == above ? "/" : above, slash + 1);
}

/* The directory above may not be readable: then only that is not noticed. */
static void observe(const struct source *source)
{
	int result = observe_name(source->path);

	if (source->is_directory)
		result = observe_in(source->path, NULL);
	if (result < 0)
		log_failure(errno, "can't watch %s for changes", source->path);
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

/* --- what changed before it was watched ------------------------------------------------------ */

/* The stamps have the clock's ticks: in the same one it may have been before or after. */
static bool may_be_later(const struct stat *status)
{
	return status->st_ctim.tv_sec != read_at.tv_sec
		       ? status->st_ctim.tv_sec > read_at.tv_sec
		       : status->st_ctim.tv_nsec >= read_at.tv_nsec;
}

/* Also a link that leads to an older file, or to a newer one. */
static bool has_changed(int directory, const char *name)
{
	struct stat status;

	return (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		may_be_later(&status)) ||
	       (fstatat(directory, name, &status, 0) == 0 && may_be_later(&status));
}

static bool has_changed_in(DIR *directory)
{
	const struct dirent *entry;

	if (has_changed(dirfd(directory), "."))
		return true;
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.' && may_be_included(entry->d_name) &&
		    has_changed(dirfd(directory), entry->d_name))
			return true;
	return false;
}

static bool place_has_changed(const struct observed *place)
{
	DIR *directory = opendir(place->path);
	bool changed = directory && (place->name ? has_changed(dirfd(directory), place->name)
						 : has_changed_in(directory));

	if (directory)
		closedir(directory);
	return changed;
}

/* Only of what is watched newly, so that a clock that is wrong leads to one more reload, and not
 * to reloads without end. */
static void note_missed(const struct observed *old, size_t old_count)
{
	for (size_t i = 0; i < count; i++)
		if (!contains(old, old_count, all[i].directory) && place_has_changed(&all[i])) {
			note_change();
			return;
		}
}

/* --- beginning and end ------------------------------------------------------------------------ */

void config_watch_reading(void)
{
	clock_gettime(CLOCK_REALTIME_COARSE, &read_at);
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
	note_missed(old, old_count);
	forget(old, old_count);
}
