#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

bool library_load(const char *soname, const struct library_import *imports, size_t count)
{
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return false;
	for (size_t i = 0; i < count; i++) {
		void *symbol = dlsym(library, imports[i].name);

		if (!symbol)
			return false;
		/* A pointer to a function has the size of a pointer to data, dlsym(3). */
		memcpy(imports[i].pointer, &symbol, sizeof symbol);
	}
	return true;
}
