/* Reads the text format of protocol buffers, field by field, without knowing the messages
 * (https://protobuf.dev/reference/protobuf/textformat-spec/). Internal to import. */
#ifndef USHERD_IMPORT_PROTOBUF_H
#define USHERD_IMPORT_PROTOBUF_H

#include "base/span.h"
#include "base/text.h"

enum protobuf_event {
	PROTOBUF_VALUE, /* name: value */
	PROTOBUF_BEGIN, /* name { */
	PROTOBUF_END,   /* } */
	PROTOBUF_FINISHED,
	PROTOBUF_WRONG, /* the text is not of this format: nothing follows */
};

enum { PROTOBUF_DEPTH_MAX = 16 };

struct protobuf {
	struct span rest;
	int line;          /* of rest */
	int depth;         /* of messages that are open */
	bool in_list;      /* between [ and ] */
	struct span name;  /* of the last field */
	int name_line;     /* where it stands */
	struct text value; /* of the last PROTOBUF_VALUE, without quotes */
};

/* To be given to protobuf_end. The text must live as long. */
void protobuf_begin(struct protobuf *reader, const char *text, size_t length);

enum protobuf_event protobuf_next(struct protobuf *reader);

/* The last value; valid until the next call. */
struct span protobuf_value(const struct protobuf *reader);

void protobuf_end(struct protobuf *reader);

#endif
