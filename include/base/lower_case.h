/* Names that are one in any case are kept and compared in lower case. */
#ifndef USHERD_BASE_LOWER_CASE_H
#define USHERD_BASE_LOWER_CASE_H

/* Makes A to Z small where they stand, whatever the locale. */
void lower_case(char *text);

#endif
