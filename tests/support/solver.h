/* Solves the puzzles of proof_of_work, slowly, and shares nothing with the code under test:
 * numbers are arrays of 16-bit digits, multiplied as by hand. A step takes some
 * milliseconds. */
#ifndef USHERD_TESTS_SOLVER_H
#define USHERD_TESTS_SOLVER_H

/* The solution of a puzzle, "s.AAAB.AAC...", as kctf's solver writes it. */
char *puzzle_solve(const char *puzzle);

/* The puzzle in what a client is sent. */
char *puzzle_in(const char *prompt);

#endif
