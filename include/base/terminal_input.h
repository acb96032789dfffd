/* What a terminal in canonical mode must get so that its reader gets given bytes, unchanged, and
 * an end of input after them (termios(3), n_tty of the kernel).
 *
 * A raw terminal has no end of input: only a canonical one knows a character for it. There a line
 * ends with a newline, and may have 4,095 bytes; the end character in a line makes what came
 * before it readable, and is no byte of it; at the beginning of a line it is an end of input. */
#ifndef USHERD_BASE_TERMINAL_INPUT_H
#define USHERD_BASE_TERMINAL_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

enum {
	TERMINAL_END = 4,        /* control-D: VEOF */
	TERMINAL_QUOTE = 22,     /* control-V: VLNEXT, before a byte that would have a meaning */
	TERMINAL_RUN_MAX = 1024, /* bytes without an end of a line or a piece */
};

/* How much is written for length bytes at most. */
#define TERMINAL_INPUT_SIZE(length) (2 * (length) + (length) / TERMINAL_RUN_MAX + 1)

/* Makes raw modes (cfmakeraw) canonical, with these two characters and no other. */
void terminal_input_set_modes(struct termios *modes);

/* True while they are in force: a program may set others. */
bool terminal_input_is_quoted(const struct termios *modes);

/* Writes what makes the bytes readable to quoted, of TERMINAL_INPUT_SIZE(length). Returns how
 * much. */
size_t terminal_input_quote(const char *bytes, size_t length, char *quoted);

#endif
