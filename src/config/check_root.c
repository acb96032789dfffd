#include "config/check_root.h"

#include "config/attributes.h"
#include "config/frontend_account.h"
#include "config/program.h"
#include "config/reading.h"
#include "config/written_files.h"

#include <stdio.h>
#include <string.h>

/* The fault of a program that root is to run, or "". Many services have the same program
 * as the service before. */
static const char *judge_program(struct root_check *check, const char *root, const char *server)
{
	if (!root && strcmp(check->judged, server) == 0)
		return check->judgement;
	if (!program_fault(root, server, check->trust, check->judgement))
		*check->judgement = '\0';
	snprintf(check->judged, sizeof check->judged, "%s", root ? "" : server);
	return check->judgement;
}

/* True, reported, when others can change that program, which the service runs as root. */
static bool is_distrusted(struct root_check *check, const struct service_settings *service,
			  const char *attribute, const char *root, const char *program)
{
	const char *fault = judge_program(check, root, program);

	if (!*fault)
		return false;
	if (trust_is_enforced())
		problem_add(check->trust->problems, ERROR, service->file, service->line,
			    "service %s: %s: %s", service->id, attribute, fault);
	else
		trust_advise(check->trust, service->file, service->line, program, fault);
	return trust_is_enforced();
}

static bool program_is_distrusted(struct root_check *check, const struct service_settings *service)
{
	bool result;

	if (!service->argv || service->uid != 0)
		return false;
	result = is_distrusted(check, service, "server", service->program->root, service->server);
	if (service->program->end_command.count > 0)
		result |= is_distrusted(check, service, "end_command", NULL,
					service->program->end_command.list[0]);
	return result;
}

/* True, reported, when the program could end the frontend. */
static bool runs_as_frontend(struct root_check *check, const struct service_settings *service)
{
	char fault[FRONTEND_FAULT_SIZE];

	if (!frontend_account_is_of(service, check->daemon, check->frontend, fault))
		return false;
	if (trust_is_enforced())
		problem_add(check->trust->problems, ERROR, service->file, service->line,
			    "service %s: user: %s", service->id, fault);
	else if (check->trust->advise)
		problem_add(check->trust->problems, ADVICE, service->file, service->line,
			    "service %s: usherd would refuse it if root ran it: user: %s",
			    service->id, fault);
	return trust_is_enforced();
}

/* True, reported, when an attribute of the service names a file that the daemon itself writes. */
static bool is_of_daemon(struct root_check *check, const struct service_settings *service,
			 const char *attribute, const char *path)
{
	const char *other = path ? written_files_find(check->daemon, path) : NULL;
	char where[ORIGIN_SIZE];

	if (other)
		problem_add(check->trust->problems, ERROR, service->file, service->line,
			    "service %s: %s: %s is the %s of the daemon; name another file%s",
			    service->id, attribute, path, other,
			    inherited_from(service, ATTRIBUTE(attribute), where));
	return other != NULL;
}

/* The log of defaults is checked once for all. */
static bool logs_to_file_of_daemon(struct root_check *check, const struct service_settings *service)
{
	const char *log = service->log.kind == LOG_KIND_FILE && !service->log.is_common
				  ? service->log.path
				  : NULL;
	const char *errors =
		service->program->stderr_kind == STDERR_FILE ? service->program->stderr_path : NULL;

	return is_of_daemon(check, service, "log_type", log) ||
	       is_of_daemon(check, service, "stderr", errors);
}

bool check_root(struct root_check *check, const struct service_settings *service)
{
	return !program_is_distrusted(check, service) && !runs_as_frontend(check, service) &&
	       !logs_to_file_of_daemon(check, service);
}
