#include "admission/verdict.h"

const char *verdict_text(enum verdict verdict)
{
	static const char *const texts[VERDICT_COUNT] = {
		[ADMITTED] = "admitted",
		[REFUSED_ADDRESS] = "address",
		[REFUSED_TIME] = "time",
		[REFUSED_FORK] = "fork",
		[REFUSED_SERVICE_LIMIT] = "service_limit",
		[REFUSED_SOURCE_LIMIT] = "per_source_limit",
		[REFUSED_PROCESS_LIMIT] = "process_limit",
		[REFUSED_LIBWRAP] = "libwrap",
		[REFUSED_LOAD] = "load",
		[REFUSED_SOURCE_RATE] = "source rate",
		[REFUSED_RATE] = "connections per second",
		[REFUSED_EXEC] = "exec",
		[REFUSED_DESCRIPTORS] = "no available descriptors",
		[REFUSED_MEMORY] = "memory",
		[REFUSED_PENDING] = "too many arriving",
		[REFUSED_IDENT] = "userid",
		[REFUSED_TARGET] = "redirect",
		[REFUSED_BANNED] = "address",
		[REFUSED_BANNER] = "banner",
		[REFUSED_START_TIMEOUT] = "start_timeout",
		[REFUSED_PROOF] = "proof of work",
		[REFUSED_PROXY] = "proxy",
	};

	return texts[verdict];
}

const char *verdict_name(enum verdict verdict)
{
	return verdict == REFUSED_BANNED ? "ban" : verdict_text(verdict);
}
