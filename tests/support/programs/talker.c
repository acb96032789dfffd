/* The programs of the soak: does what its argument says with its connection, standard input and
 * output. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER = 8192 };

static void say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		_exit(1);
}

static void hello(void)
{
	say("hello\n");
}

/* Reads to the end, and says how many bytes came and what their sum is. */
static void count(void)
{
	unsigned char bytes[4096];
	unsigned long length = 0, sum = 0;
	char answer[64];
	ssize_t got;

	while ((got = read(0, bytes, sizeof bytes)) > 0) {
		length += (unsigned long)got;
		for (ssize_t i = 0; i < got; i++)
			sum += bytes[i];
	}
	snprintf(answer, sizeof answer, "%lu bytes, sum %lu\n", length, sum);
	say(answer);
}

/* Who the client is, as the daemon knows. */
static void who(void)
{
	const char *address = getenv("REMOTE_ADDR");

	say(address ? address : "nobody");
	say("\n");
}

static void hold(void)
{
	say("ready\n");
	for (;;)
		pause();
}

/* Leaves unread what the client sends. */
static void answer(void)
{
	static char bytes[ANSWER + 1];

	memset(bytes, 'a', ANSWER);
	say(bytes);
}

static void greet(void)
{
	char line[64];

	say("name: ");
	if (!fgets(line, sizeof line, stdin))
		_exit(1);
	say("hello ");
	say(line);
}

/* To standard error, too. */
static void complain(void)
{
	if (write(2, "a complaint\n", 12) < 0)
		_exit(1);
	say("hello\n");
}

/* For tcpmux, whose clients it tells itself. */
static void welcome(void)
{
	say("+Welcome\r\n");
}

static const struct {
	const char *word;
	void (*run)(void);
} talks[] = {
	{ "hello", hello },   { "count", count }, { "who", who },           { "hold", hold },
	{ "answer", answer }, { "greet", greet }, { "complain", complain }, { "welcome", welcome },
};

int main(int words, char **arguments)
{
	for (size_t i = 0; words > 1 && i < sizeof talks / sizeof talks[0]; i++)
		if (strcmp(arguments[1], talks[i].word) == 0) {
			talks[i].run();
			return 0;
		}
	return 2;
}
