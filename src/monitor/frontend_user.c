#include "monitor/frontend_user.h"

#include "base/log.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

static struct process_user chosen;
static bool changes;

/* A service that runs as the user could do to the frontend what it likes. */
static const struct service_settings *service_of_user(const struct generation *generation,
						      uid_t uid)
{
	for (uint32_t i = 0; i < generation->count; i++)
		if (generation->services[i]->user && generation->services[i]->uid == uid)
			return generation->services[i];
	return NULL;
}

static bool is_free(const struct generation *generation, uid_t uid)
{
	return !getpwuid(uid) && !getgrgid(uid) && !service_of_user(generation, uid);
}

/* Begins anywhere, so that two daemons hardly have the same one. */
static int choose_number(const struct generation *generation)
{
	const unsigned count = FRONTEND_UID_LAST - FRONTEND_UID_FIRST + 1;
	unsigned start = (unsigned)getpid();

	if (getrandom(&start, sizeof start, GRND_NONBLOCK) < 0)
		start = (unsigned)getpid();
	for (unsigned i = 0; i < count; i++) {
		uid_t uid = FRONTEND_UID_FIRST + (start + i) % count;

		if (is_free(generation, uid)) {
			chosen = (struct process_user){ .uid = uid, .gid = uid };
			return 0;
		}
	}
	log_error("no user for the frontend: every number from %d to %d is taken",
		  FRONTEND_UID_FIRST, FRONTEND_UID_LAST);
	return -1;
}

static int use_account(const struct passwd *account, const struct generation *generation)
{
	const struct service_settings *service = service_of_user(generation, account->pw_uid);

	if (account->pw_uid == 0 || service) {
		log_error("the frontend can't run as user %s: %s%s", account->pw_name,
			  service ? "this is the user of service " : "this is root",
			  service ? service->id : "");
		return -1;
	}
	chosen = (struct process_user){ .uid = account->pw_uid, .gid = account->pw_gid };
	return 0;
}

int frontend_user_init(const struct generation *generation)
{
	const struct passwd *account;

	changes = geteuid() == 0;
	if (!changes)
		return 0;
	account = getpwnam(FRONTEND_ACCOUNT);
	return account ? use_account(account, generation) : choose_number(generation);
}

bool frontend_user_choose(struct process_user *user)
{
	*user = chosen;
	return changes;
}
