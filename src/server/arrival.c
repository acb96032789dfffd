#include "server/arrival.h"

#include "admission/host_names.h"
#include "admission/libwrap.h"
#include "base/container_of.h"
#include "base/log.h"
#include "base/user_file.h"
#include "base/worker.h"
#include "server/service.h"
#include "session/identify.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MOST = 1024 * 1024, SEND_DEADLINE_MS = 30000, LINGER_MS = 2000, LINGERING_MOST = 1024 };

/* A file that a worker reads for a session. */
struct file_read {
	struct job job;
	struct session *session; /* NULL: closed meanwhile */
	char *bytes;
	size_t length;
	int error;
	uid_t uid; /* with whose rights it is opened */
	gid_t gid;
	char path[];
};

/* What the session waits for; in session->handler_data. */
struct arrival {
	arrival_step *next;
	arrival_names_step *next_names;
	arrival_libwrap_step *next_libwrap;
	arrival_ident_step *next_ident;
	struct file_read *file;
	struct name_query *names;
	struct libwrap_query *libwrap;
	struct identification *ident;
};

static void arrival_give_up(struct session *session)
{
	struct arrival *arrival = session->handler_data;

	if (arrival->file)
		arrival->file->session = NULL;
	if (arrival->names)
		host_names_cancel(arrival->names);
	if (arrival->libwrap)
		libwrap_cancel(arrival->libwrap);
	if (arrival->ident)
		identify_cancel(arrival->ident);
	free(arrival);
	session->handler_data = NULL;
	session->stop = NULL;
}

/* Has the session wait for something; NULL, the session failed, for want of
 * memory. */
static struct arrival *arrival_begin(struct session *session)
{
	struct arrival *arrival = calloc(1, sizeof *arrival);

	if (!arrival) {
		session_fail(session, REFUSED_MEMORY, NULL);
		return NULL;
	}
	session->handler_data = arrival;
	session->stop = arrival_give_up;
	return arrival;
}

/* The wait is over: gives back what was waited with. */
static struct arrival arrival_end(struct session *session)
{
	struct arrival arrival = *(struct arrival *)session->handler_data;

	free(session->handler_data);
	session->handler_data = NULL;
	session->stop = NULL;
	return arrival;
}

/* --- sending --------------------------------------------------------------------------- */

static void on_send_deadline(struct timer *timer)
{
	session_close(container_of(timer, struct session, deadline));
}

static void on_writable(struct watch *watch, short events)
{
	struct session *session = container_of(watch, struct session, watch);
	int kept = session_flush(session);

	(void)events;
	if (kept < 0) {
		session_close(session);
	} else if (kept == 0) {
		watch_stop(watch);
		timer_stop(&session->deadline);
		arrival_end(session).next(session);
	}
}

static void send_bytes(struct session *session, const char *bytes, size_t length)
{
	int kept = session_write(session, bytes, length);

	if (kept == 0) {
		arrival_end(session).next(session);
		return;
	}
	watch_init(&session->watch, session->fd, on_writable);
	if (kept < 0 || watch_start(&session->watch, LOOP_WRITE) < 0) {
		session_close(session);
		return;
	}
	timer_init(&session->deadline, on_send_deadline);
	timer_start(&session->deadline, SEND_DEADLINE_MS);
}

void arrival_send_text(struct session *session, const char *text, arrival_step *next)
{
	struct arrival *arrival = arrival_begin(session);

	if (!arrival)
		return;
	arrival->next = next;
	send_bytes(session, text, strlen(text));
}

/* On a worker: the file may be on a disk that is slow or a server that is gone. */
static void on_read_file(struct job *job)
{
	struct file_read *file = container_of(job, struct file_read, job);
	int fd = user_file_open(file->path, file->uid, file->gid);
	struct stat status;
	ssize_t got = 1;

	if (fd < 0 || fstat(fd, &status) < 0)
		file->error = errno;
	else if (!S_ISREG(status.st_mode))
		file->error = EINVAL;
	else if (!(file->bytes = malloc(FILE_MOST)))
		file->error = ENOMEM;
	while (file->bytes && got > 0 && file->length < FILE_MOST) {
		got = read(fd, file->bytes + file->length, FILE_MOST - file->length);
		if (got > 0)
			file->length += (size_t)got;
	}
	if (got < 0)
		file->error = errno;
	if (fd >= 0)
		close(fd);
}

static void file_free(struct file_read *file)
{
	free(file->bytes);
	free(file);
}

static void on_file_read(struct job *job)
{
	struct file_read *file = container_of(job, struct file_read, job);
	struct session *session = file->session;

	if (session) {
		((struct arrival *)session->handler_data)->file = NULL;
		if (file->error)
			log_failure(file->error, "service = %s, open of banner %s failed",
				    session->settings->id, file->path);
		send_bytes(session, file->bytes, file->error ? 0 : file->length);
	}
	file_free(file);
}

static struct file_read *file_new(struct session *session, const char *path)
{
	size_t size = strlen(path) + 1;
	struct file_read *file = calloc(1, sizeof *file + size);

	if (!file)
		return NULL;
	file->job.run = on_read_file;
	file->job.done = on_file_read;
	file->session = session;
	file->uid = session->settings->user ? session->settings->uid : USER_NOBODY;
	file->gid = session->settings->user ? session->settings->gid : USER_NOBODY;
	memcpy(file->path, path, size);
	return file;
}

void arrival_send_file(struct session *session, const char *path, arrival_step *next)
{
	static struct worker_pool *pool;
	struct arrival *arrival = arrival_begin(session);
	struct file_read *file;

	if (!arrival)
		return;
	if (!pool)
		pool = worker_pool_new(1, 4);
	file = file_new(session, path);
	if (!pool || !file || worker_submit(pool, &file->job) < 0) {
		free(file);
		session_fail(session, REFUSED_MEMORY, NULL);
		return;
	}
	arrival->next = next;
	arrival->file = file;
}

/* --- asking ------------------------------------------------------------------------------- */

static void on_names(void *context, const char *const *names)
{
	struct session *session = context;

	arrival_end(session).next_names(session, names);
}

void arrival_ask_names(struct session *session, arrival_names_step *next)
{
	struct arrival *arrival = arrival_begin(session);
	struct turn_owner owner = service_turn_owner(session->service);
	struct name_query *query;

	if (!arrival)
		return;
	arrival->next_names = next;
	query = host_names_find(&owner, &session->peer, on_names, session);
	if (query) /* otherwise next has been called, and arrival is gone */
		arrival->names = query;
}

static void on_libwrap(void *context, bool allowed)
{
	struct session *session = context;

	arrival_end(session).next_libwrap(session, allowed);
}

void arrival_ask_libwrap(struct session *session, const char *daemon, arrival_libwrap_step *next)
{
	struct arrival *arrival = arrival_begin(session);
	struct turn_owner owner = service_turn_owner(session->service);
	struct address local;

	if (!arrival)
		return;
	arrival->next_libwrap = next;
	address_of_socket(session->fd, &local);
	arrival->libwrap = libwrap_ask(&owner, daemon, &session->peer, &local, on_libwrap, session);
	if (!arrival->libwrap) /* who can't be asked about is not let in */
		on_libwrap(session, false);
}

static void on_identified(void *context, enum identify_result result, const char *user)
{
	struct session *session = context;
	const char *reason = result == IDENTIFIED ? NULL : identify_result_text(result);

	session->user = user ? strdup(user) : NULL;
	arrival_end(session).next_ident(session, reason);
}

void arrival_ask_ident(struct session *session, uint64_t deadline_ms, arrival_ident_step *next)
{
	struct arrival *arrival = arrival_begin(session);
	struct address local;

	if (!arrival)
		return;
	arrival->next_ident = next;
	address_of_socket(session->fd, &local);
	arrival->ident = identify_start(&local, &session->peer, deadline_ms, on_identified, session);
	if (!arrival->ident)
		on_identified(session, IDENTIFY_SYSTEM_ERROR, NULL);
}

/* --- parting ------------------------------------------------------------------------------- */

static unsigned lingering;

static void stop_lingering(struct session *session)
{
	(void)session;
	lingering--;
}

static void on_lingering(struct watch *watch, short events)
{
	ssize_t length = recv(watch->fd, NULL, INT_MAX, MSG_TRUNC | MSG_DONTWAIT);

	(void)events;
	if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR))
		session_close(container_of(watch, struct session, watch));
}

void arrival_linger(struct session *session)
{
	watch_init(&session->watch, session->fd, on_lingering);
	if (lingering >= LINGERING_MOST || shutdown(session->fd, SHUT_WR) < 0 ||
	    watch_start(&session->watch, LOOP_READ) < 0) {
		session_close(session);
		return;
	}
	lingering++;
	session->stop = stop_lingering;
	timer_init(&session->deadline, on_send_deadline);
	timer_start(&session->deadline, LINGER_MS);
}
