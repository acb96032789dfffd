/* The status report: what SIGUSR1 writes. */
#ifndef USHERD_SERVER_STATUS_H
#define USHERD_SERVER_STATUS_H

/* Writes the report to the status file, whole or not at all, and logs where. */
void status_write(void);

/* SIGABRT: sees whether the counts agree with each other, and logs the result. */
void status_check_consistency(void);

/* -cc: does so every so many seconds from now on; 0: never. */
void status_check_every(unsigned seconds);

/* Logs which services answer where; for the foreground. */
void status_announce(void);

#endif
