/* Runs the suites in suites.h, or those named on the command line, one at a time on each
 * processor. JOBS sets the number of processors; with 1 all suites run in this process.
 * CK_FORK, CK_VERBOSITY and the other variables of Check apply. */
#include "support/isolation.h"

#include <check.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SUITE(name) Suite *name##_suite(void);
#include "suites.h"
#undef SUITE

static const struct {
	const char *name;
	Suite *(*make)(void);
} suites[] = {
#define SUITE(name) { #name, name##_suite },
#include "suites.h"
#undef SUITE
};

enum { SUITES = sizeof suites / sizeof suites[0], JOBS_MAX = 64 };

#ifdef __SANITIZE_ADDRESS__
/* Only the daemon is checked for leaks. Checking each test's process would take longer
 * than all tests together. */
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

/* Shared by all jobs. */
static struct progress {
	atomic_uint next; /* suite */
	atomic_uint ran, failed;
} * progress;

static bool is_wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	while (*names)
		if (strcmp(*names++, name) == 0)
			return true;
	return false;
}

static void run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_ENV);
	atomic_fetch_add(&progress->ran, (unsigned)srunner_ntests_run(runner));
	atomic_fetch_add(&progress->failed, (unsigned)srunner_ntests_failed(runner));
	srunner_free(runner);
}

static void run_suites(char **names)
{
	unsigned i;

	isolation_enter();
	while ((i = atomic_fetch_add(&progress->next, 1)) < SUITES)
		if (is_wanted(suites[i].name, names))
			run_suite(suites[i].make());
	fflush(stdout);
}

/* False when a job did not end normally. */
static bool run_jobs(long jobs, char **names)
{
	int status;
	bool is_well = true;

	for (long i = 0; i < jobs; i++) {
		pid_t job = fork();

		if (job == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			run_suites(names);
			_exit(EXIT_SUCCESS);
		}
		is_well = is_well && job > 0;
	}
	while (wait(&status) > 0)
		is_well = is_well && status == 0;
	return is_well;
}

int main(int argc, char **argv)
{
	const char *wanted = getenv("JOBS");
	long jobs = wanted ? atol(wanted) : sysconf(_SC_NPROCESSORS_ONLN);
	bool is_well = true;

	(void)argc;
	progress = mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (progress == MAP_FAILED)
		return EXIT_FAILURE;
	if (jobs > 1)
		is_well = run_jobs(jobs < JOBS_MAX ? jobs : JOBS_MAX, argv + 1);
	else
		run_suites(argv + 1);
	printf("%u checks, %u failed\n", progress->ran, progress->failed);
	if (progress->ran == 0)
		fprintf(stderr, "no test was run\n");
	return is_well && progress->ran > 0 && progress->failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
