/* A program that was written for a terminal: stdio decides when its output leaves. */
#include <stdio.h>

int main(void)
{
	char name[64];

	printf("name: ");
	if (!fgets(name, sizeof name, stdin))
		return 1;
	printf("hello %s", name);
	printf("more: ");
	return fgets(name, sizeof name, stdin) ? 0 : 2;
}
