/* The settings of a systemd unit, one after the other, and the tables that say what they become.
 * Internal to import. */
#ifndef USHERD_IMPORT_UNITS_H
#define USHERD_IMPORT_UNITS_H

#include "import/rules.h"
#include "import/words.h"

/* A unit that is read. */
struct unit {
	struct long_lines lines;
	struct span section, name, value; /* of the last setting; the section without brackets */
};

/* Returns -1 when memory ran out; otherwise to be given to unit_end. */
int unit_begin(struct unit *unit, const struct import_file *file)
	__attribute__((warn_unused_result));

/* Reads the next NAME=VALUE; other lines are passed over. False at the end. */
bool unit_next(struct unit *unit);

void unit_end(struct unit *unit);

/* What systemd.socket(5) and systemd.service(5), with systemd.exec(5) and
 * systemd.resource-control(5), say, except for what the reader itself looks at. */
extern const struct rule unit_socket_rules[], unit_service_rules[];

#endif
