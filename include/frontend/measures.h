/* Writes the measures into a file that the monitor has opened: MESSAGE_MEASURE. Loop thread
 * only. */
#ifndef USHERD_FRONTEND_MEASURES_H
#define USHERD_FRONTEND_MEASURES_H

#include <stdint.h>

/* Takes the descriptor over, and tells the monitor when the file is written, with the ticket of its
 * request. */
void measures_write(int descriptor, uint64_t ticket);

#endif
