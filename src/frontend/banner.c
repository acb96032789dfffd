#include "frontend/banner.h"

#include "base/container_of.h"
#include "base/hash.h"
#include "base/worker.h"
#include "frontend/ask.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

LIST_HEAD(wait_list, banner_wait);

/* Two versions of a file differ in one of these. */
struct version {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
	bool is_certain; /* a later change is sure to show in these */
};

/* A file that is being read or of which there is a copy. */
struct banner_file {
	UT_hash_handle hh;
	struct banner *newest;  /* not a reference; NULL: none in memory */
	struct version version; /* of newest */
	struct wait_list waiting;
	bool is_reading, is_telling;

	/* Used by a worker while it reads. */
	struct job job;
	int fd;               /* opened by the monitor; -1: error says why not */
	struct banner *known; /* a reference to the newest before reading */
	struct version seen;
	struct banner *read; /* NULL: same bytes as known, or error says why not */
	int error;

	size_t key_size;
	char key[]; /* uid, gid, path */
};

static struct banner_file *files;
static size_t in_memory;

size_t banners_size(void)
{
	return in_memory;
}

/* --- on a worker: the file may be on a disk that is slow or a server that is gone --- */

/* The clock of file times is coarse: a second change soon after the first may leave the
 * times the same. */
static bool is_settled(const struct timespec *changed)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec - changed->tv_sec > 1;
}

static struct version version_of(const struct stat *status)
{
	return (struct version){
		.device = status->st_dev,
		.inode = status->st_ino,
		.size = status->st_size,
		.modified = status->st_mtim,
		.changed = status->st_ctim,
		.is_certain = is_settled(&status->st_ctim),
	};
}

static bool is_same_time(const struct timespec *one, const struct timespec *other)
{
	return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

static bool is_same_version(const struct version *one, const struct version *other)
{
	return one->is_certain && one->device == other->device && one->inode == other->inode &&
	       one->size == other->size && is_same_time(&one->modified, &other->modified) &&
	       is_same_time(&one->changed, &other->changed);
}

/* Shrinks the memory to the bytes that were read. */
static struct banner *fit(struct banner *banner)
{
	struct banner *less = realloc(banner, sizeof *banner + banner->length);

	return less ? less : banner;
}

/* Reads at most size bytes. NULL with errno. */
static struct banner *read_bytes(int fd, size_t size)
{
	struct banner *banner = malloc(sizeof *banner + size);
	ssize_t got = 1;

	if (!banner)
		return NULL;
	*banner = (struct banner){ .references = 1 };
	while (banner->length < size && got > 0) {
		got = read(fd, banner->bytes + banner->length, size - banner->length);
		if (got > 0)
			banner->length += (size_t)got;
	}
	if (got >= 0)
		return fit(banner);
	free(banner);
	return NULL;
}

/* A file whose content is made when it is read, as in /proc, has the size 0. */
static size_t size_to_read(const struct stat *status)
{
	return status->st_size > 0 && status->st_size < BANNER_MAX ? (size_t)status->st_size
								   : BANNER_MAX;
}

static int read_new_version(struct banner_file *file, int fd)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return errno;
	if (!S_ISREG(status.st_mode))
		return EINVAL;
	file->seen = version_of(&status);
	if (file->known && is_same_version(&file->version, &file->seen))
		return 0;
	file->read = read_bytes(fd, size_to_read(&status));
	if (!file->read)
		return errno;
	if (file->known && file->known->length == file->read->length &&
	    memcmp(file->known->bytes, file->read->bytes, file->read->length) == 0) {
		free(file->read);
		file->read = NULL;
	}
	return 0;
}

static void on_read(struct job *job)
{
	struct banner_file *file = container_of(job, struct banner_file, job);

	if (file->fd < 0)
		return;
	file->error = read_new_version(file, file->fd);
	close(file->fd);
}

/* --- files --- */

static void file_free_if_unused(struct banner_file *file)
{
	if (file->is_reading || file->is_telling || file->newest)
		return;
	HASH_DEL(files, file);
	free(file);
}

void banner_release(struct banner *banner)
{
	struct banner_file *file = banner->file;

	if (--banner->references > 0)
		return;
	in_memory -= banner->length;
	free(banner);
	if (!file)
		return;
	file->newest = NULL;
	file_free_if_unused(file);
}

static struct banner_file *file_new(const char *key, size_t key_size)
{
	struct banner_file *file = calloc(1, sizeof *file + key_size);

	if (!file)
		return NULL;
	LIST_INIT(&file->waiting);
	file->key_size = key_size;
	memcpy(file->key, key, key_size);
	HASH_ADD(hh, files, key, file->key_size, file);
	if (file->hh.tbl)
		return file;
	free(file);
	errno = ENOMEM;
	return NULL;
}

static struct banner_file *file_find(const char *path, uid_t uid, gid_t gid)
{
	size_t path_size = strlen(path) + 1, key_size = sizeof uid + sizeof gid + path_size;
	char *key = malloc(key_size);
	struct banner_file *file;

	if (!key)
		return NULL;
	memcpy(key, &uid, sizeof uid);
	memcpy(key + sizeof uid, &gid, sizeof gid);
	memcpy(key + sizeof uid + sizeof gid, path, path_size);
	HASH_FIND(hh, files, key, key_size, file);
	if (!file)
		file = file_new(key, key_size);
	free(key);
	return file;
}

/* What was read becomes the newest version, unless there is no room for it. */
static void take_version(struct banner_file *file)
{
	if (in_memory + file->read->length > BANNERS_MAX) {
		free(file->read);
		file->read = NULL;
		file->error = ENOMEM;
		return;
	}
	if (file->newest)
		file->newest->file = NULL;
	in_memory += file->read->length;
	file->newest = file->read;
	file->newest->file = file;
	file->version = file->seen;
}

static void tell(struct wait_list *waiting, struct banner *banner, int error)
{
	struct banner_wait *wait;

	while ((wait = LIST_FIRST(waiting))) {
		LIST_REMOVE(wait, link);
		if (banner)
			banner->references++;
		wait->found(wait, banner, error);
	}
}

/* Requests that come from now on wait for the next read of the file. */
static void move_waiting(struct banner_file *file, struct wait_list *to)
{
	LIST_INIT(to);
	to->lh_first = file->waiting.lh_first;
	if (to->lh_first)
		to->lh_first->link.le_prev = &to->lh_first;
	LIST_INIT(&file->waiting);
}

static void on_looked(struct job *job)
{
	struct banner_file *file = container_of(job, struct banner_file, job);
	struct banner *known = file->known, *read = file->read;
	struct wait_list waiting;

	if (read)
		take_version(file);
	else if (!file->error)
		file->version = file->seen; /* a new version with the same bytes */
	read = file->read;
	file->known = file->read = NULL;
	file->is_reading = false;
	file->is_telling = true;
	move_waiting(file, &waiting);
	tell(&waiting, file->error ? NULL : read ? read : known, file->error);
	if (read)
		banner_release(read);
	if (known)
		banner_release(known);
	file->is_telling = false;
	file_free_if_unused(file);
}

static banner_opener *opener;

void banner_use_opener(banner_opener *other)
{
	opener = other;
}

static void on_opened(void *context, int fd, int error)
{
	static struct worker_pool *pool;
	struct banner_file *file = context;

	file->fd = fd;
	file->error = fd < 0 ? error : 0;
	if (!pool)
		pool = worker_pool_new(1, 4);
	if (pool && worker_submit(pool, &file->job) == 0)
		return;
	if (fd >= 0)
		close(fd);
	file->error = ENOMEM;
	on_looked(&file->job);
}

static int look(struct banner_file *file, const struct service *service, enum banner_kind which)
{
	file->job = (struct job){ .run = on_read, .done = on_looked };
	file->known = file->newest;
	if (opener ? opener(service, which, on_opened, file) < 0
		   : !ask_banner(service, which, on_opened, file))
		return -1;
	if (file->known)
		file->known->references++;
	file->is_reading = true;
	return 0;
}

int banner_find(struct banner_wait *wait, const struct service *service, enum banner_kind which,
		banner_found *found)
{
	const struct service_settings *settings = service->settings;
	const char *path = service_banner(settings, which);
	struct banner_file *file =
		path ? file_find(path, service_reader_uid(settings), service_reader_gid(settings))
		     : NULL;

	if (!file)
		return -1;
	if (!file->is_reading && look(file, service, which) < 0) {
		file_free_if_unused(file);
		return -1;
	}
	wait->found = found;
	LIST_INSERT_HEAD(&file->waiting, wait, link);
	return 0;
}

void banner_cancel(struct banner_wait *wait)
{
	LIST_REMOVE(wait, link);
}
