/* Where log lines go: a file with optional size limits, syslog, or a descriptor.
 *
 * Lines for a file are collected and written with one write(2) per file and turn
 * of the loop; syslog and descriptors get each line at once. Lines are cut at
 * 8 KiB, and must have no newline. SIGPIPE must be ignored. A sink never blocks and
 * never fails for its caller: a line that can't be written (a full disk, a syslogd
 * that does not read) is lost and counted. The beginning and the end of such a loss
 * are reported once. Loop thread only. */
#ifndef USHERD_BASE_SINK_H
#define USHERD_BASE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sink;

/* Gets a report about a sink: a whole sentence without a newline. */
typedef void sink_trouble(const char *sentence);

/* Sets the receiver of reports; NULL: none. */
void sink_on_trouble(sink_trouble *callback);

/* Opens path for appending, created with mode 0644 less the umask, or finds
 * the sink that is open on that path already. `owner` names the log in the
 * messages about its limits ("Size of OWNER log exceeded hard limit"). Past
 * soft_limit bytes there is one message; past hard_limit nothing more is
 * written until sink_reopen_all finds the file small again. 0: no limit, and there is none
 * for what is not a regular file, such as a pipe. On a
 * file that is open already, owner and limits replace those it had. Returns a
 * reference, or NULL with errno and log_file_error. */
struct sink *sink_open_file(const char *path, uint64_t soft_limit, uint64_t hard_limit,
			    const char *owner);

/* Sets a function that opens files instead of log_file_open, with the same contract,
 * for a process that may not open them itself. errno EALREADY: there is no new
 * descriptor, and an open file is kept without a message. */
typedef int sink_opener(const char *path);
void sink_use_opener(sink_opener *opener);

/* A sink to /dev/log for one facility and level (LOG_DAEMON, LOG_INFO ...);
 * fails only when memory runs out, because syslogd may be started later. */
struct sink *sink_open_syslog(int facility, int level);

/* Where syslogd listens, /dev/log unless told otherwise; path stays the
 * caller's and must last. For tests. */
void sink_use_syslog_socket(const char *path);

/* A sink on a descriptor that stays the caller's, such as standard error: the
 * text alone, without time or name. It is never made non-blocking, because others use
 * it too; a line it is not ready for is lost. NULL when out of memory. */
struct sink *sink_open_descriptor(int fd);

/* From now on the sink on a descriptor writes the time before each line but records, in the form
 * that files have. */
void sink_stamp(struct sink *sink);

struct sink *sink_keep(struct sink *sink);

/* Gives a reference back; the last one flushes and closes. NULL is harmless. */
void sink_release(struct sink *sink);

/* What stands before a line in a file: xinetd's "26/11/21@07:07:01", local
 * time. In syslog: the same as before a message. */
void sink_line(struct sink *sink, const char *text, size_t length);

/* The same with " NAME[PID]" (own_name.h) after the time stamp, as the daemon's own log
 * has it, and in syslog with that level in place of the sink's own. The level's
 * name is not added. */
void sink_message(struct sink *sink, int level, const char *text, size_t length);

/* A complete line: in a file without anything before it. sink_record_at: in syslog with that
 * level in place of the sink's own. */
void sink_record(struct sink *sink, const char *text, size_t length);
void sink_record_at(struct sink *sink, int level, const char *text, size_t length);

/* True for a sink of sink_open_file. */
bool sink_is_file(const struct sink *sink);

/* True when lines go to syslog, which has the level beside the text. */
bool sink_is_syslog(const struct sink *sink);

/* True while lines are being lost: it can't be written to, or is past its hard
 * limit. */
bool sink_is_losing(const struct sink *sink);

/* Writes the collected lines. To be passed to loop_at_turn_end, and to be called before
 * the process exits. */
void sink_flush_all(void);

/* Opens every file again by its name, after a log rotation. A file that can't be opened
 * keeps the old descriptor, and that is reported. */
void sink_reopen_all(void);

/* Keeps that file open, if it is, until sink_let_files_go: between the two its last owner may let
 * go of it before the next one comes. */
void sink_hold_file(const char *path);
void sink_let_files_go(void);

/* Lines lost so far by all sinks together. */
uint64_t sink_lost_lines(void);

#endif
