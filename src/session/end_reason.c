#include "session/end_reason.h"

const char *end_reason_text(enum end_reason reason)
{
	static const char *const texts[END_REASONS] = {
		[END_BY_ITSELF] = "exit",
		[END_MAX_RUNTIME] = "max_runtime",
		[END_IDLE_TIMEOUT] = "idle_timeout",
		[END_DISCONNECT] = "disconnect",
		[END_START_TIMEOUT] = "start_timeout",
		[END_MEMORY] = "memory",
		[END_RELOAD] = "reload",
		[END_STOP] = "stop",
		[END_ASKED] = "asked",
	};

	return reason < END_REASONS ? texts[reason] : "unknown";
}

bool end_reason_is_known(uint8_t number)
{
	return number < END_REASONS;
}

void end_reason_note(enum end_reason *reason, enum end_reason cause)
{
	if (*reason == END_BY_ITSELF)
		*reason = cause;
}
