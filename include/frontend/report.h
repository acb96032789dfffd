/* The status report: what SIGUSR1 writes. */
#ifndef USHERD_FRONTEND_REPORT_H
#define USHERD_FRONTEND_REPORT_H

/* Writes the report to fd, which it closes. */
void report_write(int fd);

/* SIGABRT: checks that the counts agree with each other, and logs the result. */
void report_check_consistency(void);

/* -cc: does so every so many seconds from now on; 0: never. */
void report_check_every(unsigned seconds);

/* Logs the address of each service; for the foreground. */
void report_announce(void);

#endif
