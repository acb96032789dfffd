/* The directory a test has to itself, and texts that live as long as the test. */
#ifndef USHERD_TESTS_PLACE_H
#define USHERD_TESTS_PLACE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Makes a fresh directory that everybody may enter; removes it with all it
 * holds, and the texts with it. */
void place_make(void);
void place_remove(void);

/* path, which is outside of the directory, is to be removed with it. */
void place_claim(const char *path);

const char *place_path(const char *name);

void place_write(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
void place_write_bytes(const char *name, const void *bytes, size_t length);

/* A script that /bin/sh runs; returns its path. */
const char *place_script(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Copies a program of tests/support/programs to where any user can run it, and
 * returns its path. */
const char *place_program(const char *name);

/* The same with the program that STATUS_PAGE names. */
const char *place_status_page(const char *name);

/* What is in the file; "" when there is none. */
const char *place_read(const char *name);
const char *file_read(const char *path);

/* A formatted text. */
char *textf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *textv(const char *format, va_list values) __attribute__((format(printf, 1, 0)));

/* Makes memory from malloc live as long as the test; returns it. */
void *keep(void *memory);

/* Whether, and how often, text matches an extended regular expression in which
 * ^ and $ stand for the ends of lines. */
bool text_matches(const char *text, const char *pattern);
unsigned text_count(const char *text, const char *pattern);

#endif
