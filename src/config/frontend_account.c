#include "config/frontend_account.h"

#include "config/reading.h"
#include "config/trust.h"

#include <stdio.h>
#include <string.h>

/* Why the account can't be used; NULL: it can. */
static const char *fault_of(const struct account *account)
{
	if (account->uid == 0)
		return "it is root";
	if (account->uid == USER_NOBODY || strcmp(account->name, "nobody") == 0)
		return "others run as nobody too";
	return account->gid == 0 ? "its group is root's" : NULL;
}

static void take(struct daemon_settings *daemon, const struct account *account)
{
	daemon->user_uid = account->uid;
	daemon->user_gid = account->gid;
}

void frontend_account_take(struct reading *reading, const struct account *account)
{
	const char *fault = fault_of(account);

	if (fault)
		reading_refuse(reading, NULL,
			       "the frontend can't run as %s: %s; name a user that "
			       "nothing else runs as, or remove the line",
			       first_word(reading), fault);
	else
		take(reading->daemon, account);
	reading->daemon->user = arena_string(reading->arena, first_word(reading));
}

void frontend_account_settle(struct daemon_settings *daemon, struct accounts *accounts,
			     struct problems *problems)
{
	struct account account;
	const char *fault;

	if (daemon->user || !account_user(accounts, FRONTEND_ACCOUNT, &account))
		return;
	fault = fault_of(&account);
	if (!fault)
		take(daemon, &account);
	else if (trust_is_enforced())
		problem_add(problems, ERROR, NULL, 0,
			    "the frontend can't run as " FRONTEND_ACCOUNT
			    ": %s; change the account, or name another in a "
			    "daemon entry (user)",
			    fault);
}

bool frontend_account_differs(const struct daemon_settings *daemon, uid_t running)
{
	if (daemon->user_uid == 0)
		return running < FRONTEND_UID_FIRST || running > FRONTEND_UID_LAST;
	return daemon->user_uid != running;
}

bool frontend_account_is_of(const struct service_settings *service,
			    const struct daemon_settings *daemon, uid_t running,
			    char fault[static FRONTEND_FAULT_SIZE])
{
	if (!service->argv || service->uid == 0 ||
	    (service->uid != daemon->user_uid && service->uid != running))
		return false;
	snprintf(fault, FRONTEND_FAULT_SIZE,
		 "%.200s is the user of the frontend, which this program "
		 "could then end; name another one",
		 service->user);
	return true;
}
