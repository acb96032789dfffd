/* The smallest useful server with a C library: writes one line and ends. Linked statically,
 * so that the dynamic linker is not measured. */
#include <unistd.h>

int main(void)
{
	static const char answer[] = "ok\n";

	_exit(write(STDOUT_FILENO, answer, sizeof answer - 1) < 0);
}
