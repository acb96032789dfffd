/* Libraries that few configurations need are not linked but loaded when they are
 * first needed. */
#ifndef USHERD_BASE_LIBRARY_H
#define USHERD_BASE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

/* A function or variable of the library, and the pointer to set to it. */
struct library_import {
	const char *name;
	void *pointer; /* to a pointer */
};

/* LIBRARY_IMPORT(request_init, wrap.request_init) */
#define LIBRARY_IMPORT(symbol, variable) \
	{ \
#symbol, &(variable) \
	}

/* Loads the library called soname ("libwrap.so.0") and sets every pointer. It is never
 * unloaded. False when it does not exist or lacks a symbol. Any thread. */
bool library_load(const char *soname, const struct library_import *imports, size_t count);

#endif
