#include "base/terminal_input.h"

#include <string.h>
#include <unistd.h>

void terminal_input_set_modes(struct termios *modes)
{
	modes->c_lflag |= ICANON | IEXTEN; /* IEXTEN: otherwise nothing can be quoted */
	memset(modes->c_cc, _POSIX_VDISABLE, sizeof modes->c_cc);
	modes->c_cc[VEOF] = TERMINAL_END;
	modes->c_cc[VLNEXT] = TERMINAL_QUOTE;
}

bool terminal_input_is_quoted(const struct termios *modes)
{
	return (modes->c_lflag & ICANON) && (modes->c_lflag & IEXTEN) &&
	       modes->c_cc[VEOF] == TERMINAL_END && modes->c_cc[VLNEXT] == TERMINAL_QUOTE;
}

size_t terminal_input_quote(const char *bytes, size_t length, char *quoted)
{
	size_t written = 0, run = 0;

	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == TERMINAL_END || bytes[i] == TERMINAL_QUOTE)
			quoted[written++] = TERMINAL_QUOTE;
		quoted[written++] = bytes[i];
		run = bytes[i] == '\n' ? 0 : run + 1;
		if (run == TERMINAL_RUN_MAX || (run > 0 && i + 1 == length)) {
			quoted[written++] = TERMINAL_END;
			run = 0;
		}
	}
	return written;
}
