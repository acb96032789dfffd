/* The table of all attributes: xinetd's and usherd's own. Parsing, merging,
 * checking, printing and the test of the manual all walk it. */
#ifndef USHERD_CONFIG_ATTRIBUTES_H
#define USHERD_CONFIG_ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>

enum attribute_shape {
	SHAPE_SCALAR, /* `=` only; if it is set twice the first value is used */
	SHAPE_LIST,   /* `=`, `+=` and `-=`; in defaults `=` adds */
	SHAPE_GROWING /* `=` and `+=` */
};

/* In which entries an attribute is allowed. */
enum {
	IN_SERVICE = 1,
	IN_DEFAULTS = 2,
	IN_DAEMON = 4,
	REFUSED_IN_DEFAULTS = 8, /* where it would be taken for a protection of all services */
};

/* What the words of an attribute are, for those who read or write them without knowing the
 * attribute. A bit each. */
enum {
	WORDS_PLAIN = 0,
	WORDS_FREE = 1,        /* a # in them begins no comment */
	WORDS_PATH = 2,        /* the first is the path of a file */
	WORDS_LOG = 4,         /* FILE and the path of one, or else */
	WORDS_FLAGS = 8,       /* some of them are retired: without effect, and not written */
	WORDS_RETIRED = 16,    /* all are */
	WORDS_PRESET = 32,     /* not written: the lines that they stand for are */
	WORDS_ACCESS = 64,     /* those of an access list, see access_word.h and rule_files.h */
	WORDS_PROGRAM = 128,   /* a program alone: its arguments go into server_args */
	WORDS_VARIABLES = 256, /* each is NAME=VALUE */
	WORDS_EXPANDED = 512,  /* they can have placeholders, see placeholders.h ... */
	WORDS_FORESEEN = 1024  /* ... if their values are known before the session */
};

struct reading;

struct attribute {
	const char *name;
	enum attribute_shape shape;
	unsigned places;
	int least, most; /* number of values; most -1: any */
	unsigned words;
	void (*read)(struct reading *reading, void *field); /* one of the readers of reading.h */
	size_t offset; /* of the field in struct whole_settings or daemon_settings */
	const char *help;
};

enum { ATTRIBUTES_MAX = 128 };

extern const struct attribute attributes[];
extern const size_t attribute_count;

/* The index of name, in any case; -1 when there is no such attribute.
 * "interface" finds "bind". */
int attribute_find(const char *name);

/* The attribute's index, which must exist. */
#define ATTRIBUTE(name) ((size_t)attribute_find(name))

/* The known name nearest to a misspelt one for that place, or NULL when none
 * is near. */
const char *attribute_nearest(const char *name, unsigned place);

#endif
