/* Libraries that few daemons ever need, with all that they bring along, are not
 * linked but loaded when they are first needed. */
#ifndef USHERD_BASE_LIBRARY_H
#define USHERD_BASE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

/* A function or variable of the library, and the pointer that is to point to it. */
struct library_import {
	const char *name;
	void *pointer; /* to a pointer */
};

/* LIBRARY_IMPORT(request_init, wrap.request_init) */
#define LIBRARY_IMPORT(symbol, variable) { #symbol, &(variable) }

/* Loads the library called soname ("libwrap.so.0"), for good, and fills in every
 * pointer. False when it is not there or lacks a symbol. Any thread may ask. */
bool library_load(const char *soname, const struct library_import *imports, size_t count);

#endif
