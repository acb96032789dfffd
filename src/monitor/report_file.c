#include "monitor/report_file.h"

#include "base/log.h"
#include "monitor/handed_file.h"

#include <errno.h>

static void on_failed(struct handed_file *file, int error)
{
	log_failure(error, "can't write the state dump to %s", file->path);
}

static struct handed_file report = { .failed = on_failed };

int report_file_open(const struct daemon_settings *daemon)
{
	return handed_file_open(&report, daemon->status_file ? daemon->status_file : STATUS_FILE,
				daemon->status_mode);
}

uint64_t report_file_ticket(void)
{
	return report.ticket;
}

void report_file_finish(uint64_t ticket)
{
	if (handed_file_finish(&report, ticket))
		log_info("generated state dump in file %s", report.path);
}

void report_file_give_up(void)
{
	handed_file_give_up(&report, ECONNRESET);
}
