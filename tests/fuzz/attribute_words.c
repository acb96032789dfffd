/* Writes a dictionary for libFuzzer: the names of all attributes, and the values
 * that the table's help spells in capitals. */
#include "config/attributes.h"

#include <stdio.h>
#include <string.h>

static void write_values(const char *help)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	while (*(help += strcspn(help, letters))) {
		size_t length = strcspn(help, ", ");

		if (length > 1)
			printf("\"%.*s\"\n", (int)length, help);
		help += length;
	}
}

int main(void)
{
	for (size_t i = 0; i < attribute_count; i++) {
		printf("\"%s\"\n", attributes[i].name);
		write_values(attributes[i].help);
	}
	return 0;
}
