#include "config/check_privileges.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The attribute that is set of those that are only for programs; NULL: none. */
static const char *attribute_set(const struct service_settings *service)
{
	const struct program_settings *program = service->program;

	return program->no_new_privs != NO_NEW_PRIVS_UNSET ? "no_new_privs"
	       : program->capabilities_is_set              ? "capabilities"
	       : program->syscalls.is_set                  ? "syscalls"
							   : service_file_rules(service);
}

/* --- what is allowed to run --------------------------------------------------------------- */

/* The directory, or file, has path below it, or is it. Both are real paths. */
static bool is_above(const char *directory, const char *path)
{
	size_t length = strlen(directory);

	if (strcmp(directory, "/") == 0)
		return true;
	return strncmp(directory, path, length) == 0 &&
	       (path[length] == '/' || path[length] == '\0');
}

static bool is_covered(const struct strings *rules, const char *real)
{
	bool covered = false;

	for (size_t i = 0; i < rules->count && !covered; i++) {
		char *rule = realpath(file_rule_path(rules->list[i]), NULL);

		covered = rule && is_above(rule, real);
		free(rule);
	}
	return covered;
}

enum { HEAD_SIZE = 4096, PARTS_MAX = 6 };

/* What the kernel reads of a program: zeros after its end. */
struct head {
	union {
		char text[HEAD_SIZE + 1];
		Elf64_Ehdr elf64;
		Elf32_Ehdr elf32;
	} of;
	size_t length;
};

static bool read_head(const char *path, struct head *head)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t got;

	memset(head, 0, sizeof *head);
	got = fd < 0 ? -1 : read(fd, head->of.text, HEAD_SIZE);
	if (fd >= 0)
		close(fd);
	head->length = got > 0 ? (size_t)got : 0;
	return got > 0;
}

/* The text at offset; NULL when it is not in the head. */
static const char *text_at(const struct head *head, uint64_t offset)
{
	return offset < head->length ? head->of.text + offset : NULL;
}

#define FIND_INTERPRETER(bits) \
	static const char *interpreter##bits(const struct head *head) \
	{ \
		const Elf##bits##_Ehdr *elf = &head->of.elf##bits; \
		Elf##bits##_Phdr part; \
		uint64_t offset = elf->e_phoff; \
\
		for (unsigned i = 0; i < elf->e_phnum; i++, offset += sizeof part) { \
			if (offset >= head->length || head->length - offset < sizeof part) \
				return NULL; \
			memcpy(&part, head->of.text + offset, sizeof part); \
			if (part.p_type == PT_INTERP) \
				return text_at(head, part.p_offset); \
		} \
		return NULL; \
	}

FIND_INTERPRETER(64)
FIND_INTERPRETER(32)

/* What the kernel starts for the program: a script's interpreter, or the dynamic linker. NULL:
 * nothing, or it can't be told. */
static const char *starter_of(struct head *head)
{
	char *text = head->of.text;

	if (strncmp(text, "#!", 2) == 0) {
		text += 2 + strspn(text + 2, " \t");
		text[strcspn(text, " \t\r\n")] = '\0';
		return text;
	}
	if (memcmp(text, ELFMAG, SELFMAG) != 0)
		return NULL;
	return text[EI_CLASS] == ELFCLASS64 ? interpreter64(head) : interpreter32(head);
}

/* True when path, which is `program` or what starts it, may be run, or when that can't be told. */
static bool may_run(const struct service_settings *service, const char *path, const char *program,
		    char text[static PRIVILEGES_TEXT_SIZE])
{
	char *real = realpath(path, NULL);
	bool allowed = !real || is_covered(&service->program->allow_execute, real);

	if (!allowed && strcmp(path, program) == 0)
		snprintf(
			text, PRIVILEGES_TEXT_SIZE,
			"%.200s could not be run: add it, or a directory above it, to allow_execute",
			path);
	else if (!allowed)
		snprintf(
			text, PRIVILEGES_TEXT_SIZE,
			"%.160s could not be run, as it needs %.160s: add that, or a directory above it, "
			"to allow_execute",
			program, path);
	free(real);
	return allowed;
}

static bool program_may_run(const struct service_settings *service, const char *program,
			    char text[static PRIVILEGES_TEXT_SIZE])
{
	char path[PATH_MAX];
	struct head head;

	snprintf(path, sizeof path, "%s", program);
	for (int parts = 0; parts < PARTS_MAX; parts++) {
		const char *starter;

		if (!may_run(service, path, program, text))
			return false;
		starter = read_head(path, &head) ? starter_of(&head) : NULL;
		if (!starter || *starter != '/')
			return true;
		snprintf(path, sizeof path, "%s", starter);
	}
	return true;
}

/* --- paths -------------------------------------------------------------------------------- */

/* False when one of the paths is missing, and has no "-" before it. */
static bool paths_exist(const char *attribute, const struct strings *rules,
			char text[static PRIVILEGES_TEXT_SIZE])
{
	for (size_t i = 0; i < rules->count; i++) {
		const char *path = rules->list[i];

		if (*path == '-' || access(path, F_OK) == 0 ||
		    (errno != ENOENT && errno != ENOTDIR))
			continue;
		snprintf(text, PRIVILEGES_TEXT_SIZE,
			 "%s: %.160s: %s; write -%.160s if it may be missing", attribute, path,
			 strerror(errno), path);
		return false;
	}
	return true;
}

/* True when the paths are those of the host, so that the files can be looked at. */
static bool files_are_here(const struct service_settings *service)
{
	return !service->program->root;
}

static const char *files_fault(const struct service_settings *service,
			       char text[static PRIVILEGES_TEXT_SIZE])
{
	const struct program_settings *program = service->program;
	rlim_t files = program->limits[LIMIT_FILES];

	if (program->limit_is_set[LIMIT_FILES] && files < FILE_RULES_FILES) {
		snprintf(text, PRIVILEGES_TEXT_SIZE, "%s needs rlimit_files of at least %d",
			 service_file_rules(service), FILE_RULES_FILES);
		return text;
	}
	if (!files_are_here(service))
		return NULL;
	if (paths_exist("allow_read", &program->allow_read, text) &&
	    paths_exist("allow_write", &program->allow_write, text) &&
	    paths_exist("allow_execute", &program->allow_execute, text) &&
	    (!service->server || program_may_run(service, service->server, text)) &&
	    (program->end_command.count == 0 ||
	     program_may_run(service, program->end_command.list[0], text)))
		return NULL;
	return text;
}

const char *privileges_fault(const struct service_settings *service,
			     char text[static PRIVILEGES_TEXT_SIZE])
{
	const char *attribute = attribute_set(service),
		   *needs = service_needs_no_new_privs(service);

	if (!attribute)
		return NULL;
	if (!service_starts_program(service)) {
		snprintf(text, PRIVILEGES_TEXT_SIZE, "%s is for services with a server; remove it",
			 attribute);
		return text;
	}
	if (needs && service->program->no_new_privs == NO_NEW_PRIVS_NO) {
		snprintf(text, PRIVILEGES_TEXT_SIZE,
			 "no_new_privs = no and %s do not go together; remove one of them", needs);
		return text;
	}
	return service_file_rules(service) ? files_fault(service, text) : NULL;
}
