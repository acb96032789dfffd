/* The process that talks to the network: it accepts, admits, answers and relays, and
 * asks the monitor for everything that takes root's rights. It has none, and its
 * system calls and the file system are fenced. */
#ifndef USHERD_FRONTEND_FRONTEND_H
#define USHERD_FRONTEND_FRONTEND_H

/* Is the frontend of the monitor at the other end of channel, until that is gone or
 * says that it is over. Returns the exit status. */
int frontend_run(int channel);

#endif
