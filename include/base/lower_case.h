/* Names whose case does not matter are kept and compared in lower case. */
#ifndef USHERD_BASE_LOWER_CASE_H
#define USHERD_BASE_LOWER_CASE_H

/* Converts A to Z in place, in every locale. */
void lower_case(char *text);

#endif
