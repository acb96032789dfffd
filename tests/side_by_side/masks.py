"""What may differ between xinetd and usherd, and why.

A mask changes a Result so that what it stands for is no longer seen; where it can
it makes of what xinetd did what usherd ought to do, so that usherd must do just
that. Those of ALWAYS are about what differs between any two runs, or in every
scenario. The others are listed by the scenarios that need them, and one that
masks nothing there is a mistake of the test. D1 and so on are the Decisions, which
usherd.conf(5) lists under DIFFERENCES FROM XINETD.
"""
import re
import struct
import time

SECONDS_FROM_1900_TO_1970 = 2208988800


# --- changing results ---

def change_lines(result, change):
    for name, lines in result.logs.items():
        result.logs[name] = [change(line) for line in lines]


def change_messages(result, change):
    result.messages = [change(message) for message in result.messages]


def change_received(result, change):
    """change is called with what was done and with the bytes that came."""
    result.received = [(what, change(what, came) if isinstance(came, bytes) else came)
                       for what, came in result.received]


def drop_lines(result, pattern):
    for name, lines in result.logs.items():
        result.logs[name] = [line for line in lines if not re.match(pattern, line)]


def drop_messages(result, pattern):
    result.messages = [message for message in result.messages if not re.match(pattern, message)]


def drop_socket(result, service, only_when=None):
    result.sockets = [
        (when, [each for each in sockets if not each.endswith(f" {service}")
                or only_when not in (None, when)])
        for when, sockets in result.sockets]


def substitute(result, pattern, text):
    """Replaces in every log line and message."""
    change_lines(result, lambda line: re.sub(pattern, text, line))
    change_messages(result, lambda message: re.sub(pattern, text, message))


def substitute_received(result, pattern, text):
    change_received(result, lambda _, came: re.sub(pattern, text, came))


def expect(result, what, xinetd, usherd):
    """Each daemon is to have noted its own under what."""
    wanted = xinetd if result.daemon == "xinetd" else usherd
    result.received = [(said, "as expected" if said == what and came == wanted else came)
                       for said, came in result.received]


# --- in every scenario ---

def durations(result):
    """Two runs take two times."""
    substitute(result, r"duration=\d+\(sec\)", "duration=N(sec)")


def mapped_addresses(result):
    """D9: usherd shows the IPv4 peers of dual-stack sockets as IPv4."""
    if result.daemon == "xinetd":
        substitute(result, "::ffff:", "")
        substitute_received(result, rb"(REMOTE_HOST|peer)=::ffff:", rb"\1=")


def clock_texts(result):
    """daytime: the clock goes on between the two."""
    substitute_received(result, rb"\d\d [A-Z]{3} \d{4} \d\d:\d\d:\d\d \S+\r\n", b"TIME\r\n")


def clock_bytes(result):
    """time: the same, in binary; any of the last minute will do."""
    now = int(time.time()) + SECONDS_FROM_1900_TO_1970

    def name_time(_, came):
        is_recent = len(came) == 4 and now - 60 < struct.unpack("!I", came)[0] <= now
        return b"TIME" if is_recent else came

    change_received(result, name_time)


def ident_ports(result):
    """The client's ports, where what an identification server answered is told."""
    change_messages(result, lambda message: re.sub(
        r"(identity server.*: )\d+ ?, ?\d+", r"\1N,N", message))


def process_numbers(result):
    """Messages that something is critical begin with one."""
    change_messages(result, lambda message: re.sub(r"^(CRITICAL: )\d+ ", r"\1N ", message))


ALWAYS = (durations, mapped_addresses, clock_texts, clock_bytes, ident_ports, process_numbers)


def pids(result):
    """By the order in which they come up; 0, no process, stays."""
    known = {}

    def name(match):
        return f"pid=P{known.setdefault(match.group(1), len(known) + 1)}"

    substitute(result, r"pid=([1-9]\d*)", name)


# --- built-ins and redirect ---

def no_process(result):
    """Connections that usherd serves in its loop have no pid: D17, and echo, discard,
    chargen and tcpmux, for which xinetd forks as well."""
    if result.daemon == "xinetd":
        substitute(result, r"pid=\d+", "pid=0")


def no_process_of(service):
    """The same of one service beside others."""
    def mask(result):
        if result.daemon == "xinetd":
            substitute(result, rf"((START|EXIT): {service}( status=\d+)? pid=)\d+", r"\g<1>0")
    return mask


def ring(result):
    """chargen: RFC 864 goes round the 95 printable characters from the blank on;
    xinetd round 93 of them from the exclamation mark on, and begins anew after 95
    lines. Each is turned into a count of the lines that are right."""
    first, size = (33, 93) if result.daemon == "xinetd" else (32, 95)

    def wanted(line):
        return bytes(first + (line % 95 + i) % size for i in range(72)) + b"\r\n"

    def count_lines(_, came):
        right = sum(came[start:start + 74] == wanted(start // 74)
                    for start in range(0, len(came) - 73, 74))
        return f"{right} lines and {len(came) % 74} bytes"

    change_received(result, count_lines)


def short_datagrams(result):
    """chargen: D26, a datagram has at most 512 characters, as RFC 864 has it."""
    if result.daemon == "xinetd":
        change_received(result, lambda _, came: came[:512])


def connect_failure(service):
    """The name of the service, and not the number of the error."""
    def mask(result):
        change_messages(result, lambda message: (
            re.sub(r" \(errno = \d+\)$", "", message) if result.daemon == "xinetd"
            else message.replace(f"service {service}: ", "")))
    return mask


# --- servers ---

# Signals 32 and 33.
SIGNALS_OF_THE_LIBRARY = 0x180000000


def report_processes(result):
    """The report of a server: processes and the client's port are others every time.
    Whether it leads its session and its process group is kept. The environment has
    no order. The C library does not let xinetd do anything about signals that it
    keeps to itself, which whoever runs the test may ignore."""
    def without_library(match):
        return b"SigIgn=%016x" % (int(match.group(1), 16) & ~SIGNALS_OF_THE_LIBRARY)

    def name_pids(_, came):
        pid = re.search(rb"^pid=(\d+)$", came, re.MULTILINE)
        if not pid:
            return came
        came = re.sub(rb"(?m)^(session|group)=%s$" % pid.group(1), rb"\1=pid", came)
        came = re.sub(rb"(?m)^(pid|parent|peer\.port)=\d+$", rb"\1=N", came)
        came = re.sub(rb"(?m)^SigIgn=([0-9a-f]+)$", without_library, came)
        return b"".join(sorted(came.splitlines(keepends=True)))

    change_received(result, name_pids)


def more_variables(result):
    """D19: usherd says more about the connection."""
    if result.daemon == "usherd":
        substitute_received(
            result, rb"(?m)^env\.(REMOTE_(ADDR|PORT)|PROTO|(TCP|UDP)(LOCAL|REMOTE)(IP|PORT))=.*\n",
            b"")


def server_pids(result):
    """The servers of tests/support/programs say theirs."""
    substitute_received(result, rb"pid=\d+", b"pid=N")


def exec_failure(service):
    """D20: what could not be executed never started."""
    def mask(result):
        if result.daemon == "xinetd":
            drop_lines(result, f"EXIT: {service} status=0")
            substitute(result, rf"START: {service} pid=\d+", f"FAIL: {service} exec")
            substitute(result, r"execv\( (.*) \) failed: (.*) \(errno = \d+\)",
                       rf"service {service}: exec \1: \2")
    return mask


# --- who is refused ---

def refused_before_start(result):
    """D5: who is refused for the address leaves FAIL alone. xinetd has started a
    process by then, whose START may stand before or after that line."""
    if result.daemon == "xinetd":
        for name, lines in result.logs.items():
            result.logs[name] = without_refused(lines)


def without_refused(lines):
    dropped = set()
    for at, line in enumerate(lines):
        refused = re.match(r"FAIL: (\S+) (?:address|libwrap)(| from=.*)$", line)
        if refused:
            dropped.update(lines_of_refused(lines, at, *refused.groups(), dropped))
    return [line for at, line in enumerate(lines) if at not in dropped]


def lines_of_refused(lines, fail, service, peer, dropped):
    """Where START and EXIT are that belong to the FAIL line."""
    def has(at, pattern):
        return 0 <= at < len(lines) and at not in dropped and re.match(pattern, lines[at])

    start = next((at for at in (fail - 1, fail + 1)
                  if has(at, rf"START: {service}( pid=\d+)?{re.escape(peer)}$")), None)
    if start is None:
        return []
    pid = re.search(r" pid=\d+|$", lines[start]).group()
    ends = [at for at in range(fail, len(lines)) if has(at, rf"EXIT: {service}\b.*{pid}\b")]
    return [start, *ends[:1]]


def unidentified_before_start(result):
    """D5: nor is anything started for somebody whom IDONLY refuses, who leaves NOID
    alone. The service has no other clients."""
    if result.daemon == "xinetd":
        refused = [line.split()[1] for lines in result.logs.values() for line in lines
                   if line.startswith("NOID: ")]
        for service in refused:
            drop_lines(result, rf"(START: {service} |EXIT: {service} status=0 )")


def refuses_singly(service):
    """D6: by default usherd refuses the connections that are too many, and goes on
    listening; xinetd deactivates the service."""
    def mask(result):
        if result.daemon == "usherd":
            drop_socket(result, service, "after")
        else:
            drop_messages(result, f"ERROR: Deactivating service {service} ")
    return mask


# --- logs ---

def lines_without_log(result):
    """D21: without log_type the lines that are asked for go to the main log; xinetd
    writes them nowhere."""
    if result.daemon == "usherd":
        for line in (r"START: shell pid=\d+", r"EXIT: shell status=0 pid=\d+",
                     "FAIL: full service_limit"):
            drop_messages(result, f"INFO: {line}")


def syslog_words(result):
    """What a line to syslogd begins with; its facility and level are kept."""
    substitute(result, r"^(<\d+>)\w{3} [ \d]\d \d\d:\d\d:\d\d (xinetd|usherd)\[\d+\]: ",
               r"\1DAEMON[N]: ")


def soft_limit(result):
    """xinetd.conf(5) has a message for the soft limit, which xinetd never writes."""
    if result.daemon == "usherd":
        drop_messages(result, "ERROR: soft limit exceeded on 'common'$")


def reasons(result):
    """What is told of a file that can't be opened; xinetd does not say why."""
    if result.daemon == "usherd":
        change_messages(result,
                        lambda message: message.removesuffix(": No such file or directory"))


# --- tcpmux ---

def reply_ends(result):
    """D16: a reply ends with its line; xinetd's have a NUL after it."""
    if result.daemon == "xinetd":
        substitute_received(result, rb"^((\+Go|-Service name not found)\r\n)\0", rb"\1")


def multiplexed_lines(result):
    """D16: a service that was reached through tcpmux has lines of its own."""
    if result.daemon == "usherd":
        drop_lines(result, r"(START|EXIT): (?!tcpmux )")


def multiplexed_count(count):
    """D16: what is reached through tcpmux is a service like others, and counted."""
    def mask(result):
        if result.daemon == "xinetd":
            change_service_count(result, count)
    return mask


def change_service_count(result, by):
    def count(match):
        number = int(match.group(1)) + by
        return f"{number} available service{'' if number == 1 else 's'}"

    change_messages(result, lambda message: re.sub(
        r"(?<=Started working: )(\d+) available services?", count, message))


# --- mistakes ---

def not_started(service):
    """D2: a service with a mistake in its entry is not started; xinetd starts it
    without the line."""
    def mask(result):
        if result.daemon == "xinetd":
            drop_socket(result, service)
            drop_lines(result, rf"(START|EXIT): {service} ")
            change_received(result, lambda what, came: (
                "refused" if what == f"ask {service}" else came))
            change_service_count(result, -1)
    return mask


def failure_status(result):
    """D2: what is wrong in defaults ends the start with status 1; xinetd's is 0."""
    if result.daemon == "xinetd":
        result.statuses = [(what, 1 if status == 0 else status)
                           for what, status in result.statuses]


def told_where_it_was_started(result):
    """D18: a start that fails says so on the terminal too; xinetd says it in the log alone."""
    if result.daemon == "xinetd":
        result.received = [(what, "something" if what.startswith("output of ") else received)
                           for what, received in result.received]


def unknown_option(result):
    """D18: an option that is none is an error; xinetd passes over it."""
    failure_status(result)


# --- reloads and signals ---

def ended_servers(service):
    """D13: servers of a service that is gone get SIGTERM; xinetd kills them, and says
    that they ended well."""
    def mask(result):
        if result.daemon == "xinetd":
            substitute(result, f"EXIT: {service} status=0", f"EXIT: {service} signal=15")
    return mask


def moved_service(service):
    """D13: a service that changes its socket stays the same service; for xinetd one is
    gone and another new."""
    def mask(result):
        if result.daemon == "xinetd":
            drop_messages(result, f"NOTICE: service {service} deactivated$")
            substitute(result, "new=1 old=1 dropped=1", "new=0 old=2 dropped=0")
    return mask


def broken_entry(service):
    """D13: a service whose entry is broken goes on as it was, here with one more
    conversation; xinetd ends it."""
    def mask(result):
        if result.daemon == "xinetd":
            drop_messages(result, f"NOTICE: service {service} deactivated$")
            substitute(result, r"dropped=1 \(services\)",
                       "dropped=0 (services), 1 keep their running version")
            return
        drop_socket(result, service, "SIGHUP")
        result.received[1:2] = [(what, "refused") for what, _ in result.received[1:2]]
        for name, lines in result.logs.items():
            theirs = [line for line in lines if re.match(rf"(START|EXIT): {service} ", line)]
            result.logs[name] = [line for line in lines if line not in theirs[2:4]]
    return mask


def rejected_reload(result):
    """D2: with an error in defaults the old configuration stays in force; xinetd ends."""
    expect(result, "SIGHUP", xinetd="ended", usherd="goes on")


def private_report(path, words):
    """The status report is for its owner alone unless status_mode says otherwise."""
    def mask(result):
        expect(result, path, xinetd=f"100644, {words}", usherd=f"100600, {words}")
    return mask


def no_longer_admitted(service, client):
    """D13: a reload ends the servers of clients who would not be admitted any more."""
    def mask(result):
        if result.daemon == "usherd":
            drop_lines(result, f"FAIL: {service} address from={client}$")
            drop_lines(result, f"EXIT: {service} signal=15 ")
    return mask


def terminated_servers(service):
    """D14: SIGTERM ends the servers, too; xinetd leaves them."""
    def mask(result):
        if result.daemon == "usherd":
            drop_lines(result, f"EXIT: {service} signal=15 ")
        expect(result, "servers", xinetd="1 left", usherd="0 left")
    return mask


def interrupted(result):
    """D14: in the foreground SIGINT is SIGTERM; xinetd takes no notice."""
    expect(result, "SIGINT", xinetd="goes on", usherd="ended")
