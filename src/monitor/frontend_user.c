#include "monitor/frontend_user.h"

#include "base/id_map.h"
#include "base/log.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

static struct process_user chosen;
static bool changes;

static bool is_free(const struct generation *generation, uid_t uid)
{
	for (uint32_t i = 0; i < generation->count; i++)
		if (generation->services[i]->user && generation->services[i]->uid == uid)
			return false;
	return !getpwuid(uid) && !getgrgid(uid);
}

/* In a user namespace with few users the frontend could never start. */
static int say_not_here(uid_t uid, gid_t gid)
{
	log_error("the frontend can't run as user %u and group %u: this user namespace does not "
		  "have them, or forbids setgroups(2); give it more users, for example 65536, or "
		  "start usherd without root",
		  (unsigned)uid, (unsigned)gid);
	return -1;
}

/* Begins at random, so that two daemons rarely get the same number. */
static int choose_number(const struct generation *generation)
{
	const unsigned count = FRONTEND_UID_LAST - FRONTEND_UID_FIRST + 1;
	unsigned start = (unsigned)getpid();
	uid_t missing = 0;

	if (getrandom(&start, sizeof start, GRND_NONBLOCK) < 0)
		start = (unsigned)getpid();
	for (unsigned i = 0; i < count; i++) {
		uid_t uid = FRONTEND_UID_FIRST + (start + i) % count;

		if (!id_map_allows(uid, uid)) {
			missing = uid;
		} else if (is_free(generation, uid)) {
			chosen = (struct process_user){ .uid = uid, .gid = uid };
			return 0;
		}
	}
	if (missing)
		return say_not_here(missing, missing);
	log_error("no user for the frontend: every number from %d to %d is taken",
		  FRONTEND_UID_FIRST, FRONTEND_UID_LAST);
	return -1;
}

/* The loader has compared the named user with those of services. */
int frontend_user_init(const struct daemon_settings *daemon, const struct generation *generation)
{
	changes = geteuid() == 0;
	if (!changes && daemon->user && daemon->user_uid != geteuid())
		log_warning("usherd does not run as root, so the frontend runs as usherd's own "
			    "user, not as %s",
			    daemon->user);
	if (!changes)
		return 0;
	if (daemon->user_uid == 0)
		return choose_number(generation);
	chosen = (struct process_user){ .uid = daemon->user_uid, .gid = daemon->user_gid };
	return id_map_allows(chosen.uid, chosen.gid) ? 0 : say_not_here(chosen.uid, chosen.gid);
}

bool frontend_user_choose(struct process_user *user)
{
	*user = chosen;
	return changes;
}
