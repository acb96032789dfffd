#include "monitor/control.h"

#include "base/descriptors.h"
#include "base/log.h"
#include "base/path_guard.h"
#include "base/timer.h"
#include "config/control_socket.h"
#include "monitor/frontend_process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 16, DIRECTORY_MODE = 0755 };

static char wanted[PATH_MAX]; /* "": none */
static bool is_default;       /* wanted is: its directory may be made */
static bool has_group, has_status_group;
static gid_t group, status_group;

static int listening = -1;
static char bound[PATH_MAX]; /* where listening is */
static struct stat made;     /* the file there */

static struct timer again;
static unsigned attempts; /* that found another daemon there */

/* --- making it ----------------------------------------------------------------------------- */

/* bind(2) and connect(2) know no directory descriptor, and only short paths. */
static struct sockaddr_un address_in(int directory, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int length = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s",
			      directory, name);

	if (length >= (int)sizeof address.sun_path)
		address.sun_path[0] = '\0';
	return address;
}

/* True when a daemon listens there. */
static bool is_answered(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool is_there;

	if (fd < 0)
		return true;
	/* EAGAIN: its queue is full. */
	is_there = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
		   (errno != ECONNREFUSED && errno != ENOENT);
	close(fd);
	return is_there;
}

/* Removes what an earlier daemon left. */
static int make_room(int directory, const char *name, const struct sockaddr_un *address)
{
	struct stat status;

	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(status.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	if (is_answered(address)) {
		errno = EADDRINUSE;
		return -1;
	}
	return unlinkat(directory, name, 0);
}

/* A socket's file gets the mode that the socket has when it is bound: it is never open to
 * others. The group comes before its right. */
static int bind_closed(int fd, const struct sockaddr_un *address)
{
	if (fchmod(fd, 0600) < 0)
		return -1;
	return bind(fd, (const struct sockaddr *)address, sizeof *address);
}

/* A file has only one group. So with status_group every user may connect, and the frontend, which
 * looks at each peer's groups, refuses those who may not ask. */
static int open_to_groups(int directory, const char *name)
{
	if (has_status_group)
		return fchmodat(directory, name, 0666, 0);
	if (!has_group)
		return 0;
	if (fchownat(directory, name, (uid_t)-1, group, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return fchmodat(directory, name, 0660, 0);
}

static int bind_in(int fd, int directory, const char *name)
{
	struct sockaddr_un address = address_in(directory, name);
	int error;

	if (!address.sun_path[0]) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (make_room(directory, name, &address) < 0 || bind_closed(fd, &address) < 0)
		return -1;
	if (listen(fd, BACKLOG) == 0 && open_to_groups(directory, name) == 0 &&
	    fstatat(directory, name, &made, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	error = errno;
	unlinkat(directory, name, 0);
	errno = error;
	return -1;
}

static bool has_made_directory;

/* The directory that the default's is in, and its name in it; -1 with errno. */
static int open_above(char path[static PATH_MAX], const char **name)
{
	snprintf(path, PATH_MAX, "%s", wanted);
	*strrchr(path, '/') = '\0';
	return path_guard_open_place(path, name);
}

/* The directory of the default may not be there yet. Whoever may use the socket must come to it,
 * whatever the umask is. */
static void make_directory(void)
{
	char path[PATH_MAX];
	const char *name;
	int above = open_above(path, &name);

	if (above < 0)
		return;
	if (mkdirat(above, name, DIRECTORY_MODE) == 0) {
		has_made_directory = true;
		if (fchmodat(above, name, DIRECTORY_MODE, 0) < 0)
			log_warning("control socket %s: can't set the mode of its directory: %s",
				    wanted, strerror(errno));
	}
	close(above);
}

/* Unless others have put something there. */
static void remove_directory(void)
{
	char path[PATH_MAX];
	const char *name;
	int above = has_made_directory ? open_above(path, &name) : -1;

	if (above < 0)
		return;
	unlinkat(above, name, AT_REMOVEDIR);
	close(above);
}

/* The lock keeps another daemon from replacing the socket in this moment. That daemon has it only
 * for a moment; but whoever may read the directory can lock it for ever, so it is asked for once.
 * False with EADDRINUSE. */
static bool may_replace(int directory)
{
	if (flock(directory, LOCK_EX | LOCK_NB) == 0 || attempts > 0)
		return true;
	errno = EADDRINUSE;
	return false;
}

static int open_socket(void)
{
	const char *name;
	int fd = -1, directory, error;

	if (is_default)
		make_directory();
	directory = path_guard_open_place(wanted, &name);
	if (directory >= 0 && may_replace(directory))
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind_in(fd, directory, name) < 0) {
		error = errno;
		close(fd);
		fd = -1;
		errno = error;
	}
	error = errno;
	if (directory >= 0)
		close(directory);
	errno = error;
	return fd;
}

/* One that is counted already. */
static int open_counted(void)
{
	int fd = open_socket(), error = errno;

	if (fd < 0)
		descriptors_regain();
	errno = error;
	return fd;
}

/* --- keeping it ---------------------------------------------------------------------------- */

static void warn(int error)
{
	if (error == EADDRINUSE)
		log_warning(
			"control socket %s: another daemon answers there; name another one in a "
			"daemon entry (control_socket)",
			wanted);
	else
		log_warning("control socket %s: %s; usherd runs, but can't be asked", wanted,
			    strerror(error));
}

static void try_again(int error)
{
	if (error != EADDRINUSE || attempts == 1)
		warn(error);
	if (error == EADDRINUSE)
		timer_start(&again, attempts++ ? CONTROL_RETRY_LATER_MS : CONTROL_RETRY_MS);
}

static void send_socket(void)
{
	struct message message = { .kind = MESSAGE_CONTROL,
				   .control = { .owner = geteuid(),
						.has_group = has_group,
						.group = group,
						.has_status_group = has_status_group,
						.status_group = status_group } };

	if (frontend_process_is_ready())
		frontend_process_send(&message, &listening, listening >= 0);
}

void control_send(void)
{
	if (listening >= 0)
		send_socket();
}

static void make(struct timer *timer)
{
	int error;

	(void)timer;
	descriptors_open_reserve();
	listening = descriptors_spend() ? open_counted() : -1;
	error = errno;
	descriptors_close_reserve();
	if (listening < 0) {
		try_again(error);
		return;
	}
	attempts = 0;
	snprintf(bound, sizeof bound, "%s", wanted);
	send_socket();
}

/* True when the socket's file is still there, and no other's. */
static bool has_file(int directory, const char *name)
{
	struct stat status;

	return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       status.st_dev == made.st_dev && status.st_ino == made.st_ino;
}

static bool is_in_place(void)
{
	const char *name;
	int directory = path_guard_open_place(bound, &name);
	bool is_there = directory >= 0 && has_file(directory, name);

	if (directory >= 0)
		close(directory);
	return is_there;
}

static void remove_file(void)
{
	const char *name;
	int directory = path_guard_open_place(bound, &name);

	if (directory < 0)
		return;
	if (has_file(directory, name))
		unlinkat(directory, name, 0);
	close(directory);
}

void control_finish(void)
{
	timer_stop(&again);
	if (listening < 0)
		return;
	remove_file();
	remove_directory();
	close(listening);
	descriptors_regain();
	listening = -1;
}

/* True when others may use it than before. */
static bool take_groups(const struct daemon_settings *daemon)
{
	bool is_same = has_group == (daemon->control_group != NULL) &&
		       group == daemon->control_gid &&
		       has_status_group == (daemon->status_group != NULL) &&
		       status_group == daemon->status_gid;

	has_group = daemon->control_group != NULL;
	group = daemon->control_gid;
	has_status_group = daemon->status_group != NULL;
	status_group = daemon->status_gid;
	return !is_same;
}

/* True when it is another one than before. */
static bool take(const struct daemon_settings *daemon)
{
	char path[PATH_MAX], former[PATH_MAX];
	const char *chosen = daemon->control_socket;
	bool is_for_others = take_groups(daemon);

	if (!chosen && !daemon->has_no_control)
		chosen = control_socket_default(path);
	snprintf(former, sizeof former, "%s", wanted);
	snprintf(wanted, sizeof wanted, "%s", chosen ? chosen : "");
	is_default = !daemon->control_socket;
	return is_for_others || strcmp(former, wanted) != 0;
}

void control_use(const struct daemon_settings *daemon)
{
	bool had_one = listening >= 0;

	if (!take(daemon) && had_one && is_in_place())
		return;
	timer_stop(&again);
	timer_init(&again, make);
	control_finish();
	attempts = 0;
	if (*wanted)
		make(&again);
	if (had_one && listening < 0)
		send_socket(); /* there is none any more */
}
