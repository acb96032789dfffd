"""What is written about connections, and where."""
import itertools

import masks
from scenario import Scenario
from steps import ask, datagram, keep_file, line, serve_datagrams
from texts import built_in, built_in_datagrams, entry, service

# USERID and TRAFFIC have subjects of their own, ident and redirect.
SUCCESS = ("PID", "HOST", "EXIT", "DURATION")
FAILURE = ("HOST", "ATTEMPT")


def combinations(flags):
    return [words for count in range(len(flags) + 1)
            for words in itertools.combinations(flags, count)]


def defaults(*lines):
    return entry("defaults", lines)


def numbered(flag_sets, one_service):
    """A service for each set of flags, and the names of all."""
    names = [f"flags{number}" for number in range(len(flag_sets))]
    return "".join(map(one_service, names, flag_sets)), names


def succeeding():
    text, names = numbered(combinations(SUCCESS), lambda name, flags: service(
        name, "server = /bin/sh", "server_args = -c exit", f"log_on_success = {' '.join(flags)}"))
    return defaults("log_type = FILE @dir@/service.log") + text, [ask(name) for name in names]


def failing():
    text, names = numbered(combinations(FAILURE), lambda name, flags: service(
        name, "server = /bin/cat", "instances = 0", f"log_on_failure = {' '.join(flags)}"))
    return defaults("log_type = FILE @dir@/service.log") + text, [ask(name) for name in names]


SHELL = ("server = /bin/sh", "server_args = -c exit")
ALL = ("log_on_success = PID HOST EXIT DURATION", "log_on_failure = HOST")

SCENARIOS = [
    Scenario("log_on_success, every combination", *succeeding()),
    Scenario("log_on_failure, every combination", *failing()),
    Scenario(
        "flags of built-ins without a process",
        defaults("log_type = FILE @dir@/service.log")
        + built_in("daytime", "log_on_success = PID HOST EXIT DURATION")
        + built_in("time", "log_on_success = EXIT")
        + built_in_datagrams("echo", "log_on_success = PID HOST EXIT DURATION"),
        [ask("daytime"), ask("time"), datagram("echo", b"x")]),
    Scenario(
        "flags of defaults, more and fewer",
        defaults("log_type = FILE @dir@/service.log", "log_on_success = PID EXIT",
                 "log_on_success += HOST", "log_on_failure = HOST")
        + service("theirs", *SHELL) + service("more", *SHELL, "log_on_success += DURATION")
        + service("fewer", *SHELL, "log_on_success -= PID")
        + service("own", *SHELL, "log_on_success = HOST")
        + service("none", *SHELL, "log_on_success =")
        + service("full", *SHELL, "instances = 0", "log_on_failure -= HOST"),
        [ask(name) for name in ("theirs", "more", "fewer", "own", "none", "full")]),
    Scenario(
        "words in other letters",
        defaults("log_type = file @dir@/service.log", "LOG_ON_SUCCESS = pid Host EXIT")
        + service("shell", *SHELL),
        [ask("shell")]),
    Scenario(
        "ids in the lines",
        defaults("log_type = FILE @dir@/service.log", *ALL)
        + service("shell", "id = some-Id", *SHELL) + service("full", "id = other", "instances = 0",
                                                           *SHELL),
        [ask("shell"), ask("full")]),
    Scenario(
        "a file of the service's own",
        defaults("log_type = FILE @dir@/service.log", *ALL)
        + service("one", *SHELL) + service("other", *SHELL, "log_type = FILE @dir@/other.log"),
        [ask("one"), ask("other"), ask("one")],
        logs=("service.log", "other.log")),
    Scenario(
        "no log_type",
        service("shell", *SHELL, *ALL) + service("full", "instances = 0", *SHELL, *ALL),
        [ask("shell"), ask("full")],
        masks=[masks.lines_without_log],
        messages=["START", "EXIT", "FAIL"]),
    Scenario(
        "the hard limit of a file",
        defaults("log_type = FILE @dir@/service.log 5000 6000", *ALL)
        + service("full", f"id = {'long' * 40}", "instances = 0", *SHELL),
        [ask("full", host="::1") for _ in range(35)],
        messages=["limit"],
        masks=[masks.soft_limit]),
    Scenario(
        "syslog",
        defaults("log_type = SYSLOG daemon notice", *ALL)
        + service("shell", *SHELL) + service("local", *SHELL, "log_type = SYSLOG local3")
        + service("full", "instances = 0", *SHELL, "log_type = SYSLOG authpriv warning"),
        [ask("shell"), ask("local"), ask("full"), line("FAIL", log="syslog.log")],
        before=[keep_file("/dev/log"), serve_datagrams("/dev/log", "syslog.log")],
        logs=("syslog.log",),
        masks=[masks.syslog_words]),
]
