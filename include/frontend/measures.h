/* Writes the measures into a file that the monitor has opened: MESSAGE_MEASURE. Loop thread
 * only. */
#ifndef USHERD_FRONTEND_MEASURES_H
#define USHERD_FRONTEND_MEASURES_H

/* Takes the descriptor over, and tells the monitor when the file is written. */
void measures_write(int descriptor);

#endif
