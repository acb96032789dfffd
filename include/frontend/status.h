/* The state of the daemon, in three forms. Loop thread only. */
#ifndef USHERD_FRONTEND_STATUS_H
#define USHERD_FRONTEND_STATUS_H

#include <stdio.h>

/* For people. */
void status_write_table(FILE *out);

/* One JSON object (RFC 8259). */
void status_write_json(FILE *out);

/* The text format of Prometheus, version 0.0.4: prometheus.io/docs/instrumenting/exposition_formats. */
void status_write_metrics(FILE *out);

#endif
