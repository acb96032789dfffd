#include "monitor/banners.h"

#include "base/container_of.h"
#include "base/user_file.h"
#include "base/worker.h"
#include "monitor/frontend_process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A banner that a worker opens. */
struct opening {
	struct job job;
	struct banner_message asked;
	uid_t uid;
	gid_t gid;
	int fd, error;
	unsigned frontend_round;
	char path[]; /* a copy: a worker may take longer than a reload can wait */
};

static unsigned frontend_round; /* counts frontends: a new one knows no old tickets */

static void answer(const struct banner_message *asked, int fd, int error)
{
	struct message message = { .kind = MESSAGE_BANNER, .banner = *asked };

	message.banner.error = error;
	frontend_process_send(&message, &fd, fd >= 0);
}

/* On a worker: the file may be on a slow disk or on a server that is down. */
static void on_run(struct job *job)
{
	struct opening *opening = container_of(job, struct opening, job);
	struct stat status;

	opening->fd = user_file_open(opening->path, opening->uid, opening->gid);
	if (opening->fd < 0) {
		opening->error = errno;
		return;
	}
	if (fstat(opening->fd, &status) == 0 && S_ISREG(status.st_mode))
		return;
	close(opening->fd);
	opening->fd = -1;
	opening->error = EINVAL;
}

static void on_done(struct job *job)
{
	struct opening *opening = container_of(job, struct opening, job);

	if (opening->frontend_round == frontend_round)
		answer(&opening->asked, opening->fd, opening->error);
	if (opening->fd >= 0)
		close(opening->fd);
	free(opening);
}

static struct opening *opening_new(const struct service_settings *settings,
				   const struct banner_message *asked, const char *path)
{
	size_t size = strlen(path) + 1;
	struct opening *opening = calloc(1, sizeof *opening + size);

	if (!opening)
		return NULL;
	opening->job = (struct job){ .run = on_run, .done = on_done };
	opening->asked = *asked;
	opening->uid = service_reader_uid(settings);
	opening->gid = service_reader_gid(settings);
	memcpy(opening->path, path, size);
	opening->fd = -1;
	opening->frontend_round = frontend_round;
	return opening;
}

static struct worker_pool *new_pool(void)
{
	struct worker_pool *pool = worker_pool_new(1, 4);

	if (pool)
		worker_pool_set_room(pool, BANNERS_MAX);
	return pool;
}

void banners_open(const struct service_settings *settings, const struct banner_message *asked)
{
	static struct worker_pool *pool;
	const char *path = service_banner(settings, asked->which);
	struct opening *opening;

	if (!pool)
		pool = new_pool();
	opening = path && pool ? opening_new(settings, asked, path) : NULL;
	if (opening && worker_submit(pool, &opening->job) == 0)
		return;
	answer(asked, -1, path ? ENOMEM : ENOENT);
	free(opening);
}

void banners_forget_all(void)
{
	frontend_round++;
}
