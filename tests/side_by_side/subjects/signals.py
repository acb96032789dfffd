"""The signals that are not for reloading."""
import signal

import masks
from scenario import Scenario
from steps import (ask, close, converse, end, hold, hup, interrupt, keep_file,
                   machine_file_facts, message, pid_file, signal_daemon, survivors)
from texts import LOGGED, service

NOTHING = (signal.SIGALRM, signal.SIGPIPE, signal.SIGWINCH, signal.SIGIO, signal.SIGVTALRM,
           signal.SIGPROF, signal.SIGPWR, signal.SIGXCPU)
DUMP = "/var/run/xinetd.dump"
DUMPED = ("INTERNAL STATE DUMP", "Service = cat", "END OF DUMP")


def cat(name, *lines):
    return service(name, "server = /bin/cat", *lines)


SCENARIOS = [
    Scenario(
        "SIGUSR1 writes the dump",
        LOGGED + cat("cat"),
        [hold("a", "cat"), signal_daemon(signal.SIGUSR1), message("generated state dump"),
         machine_file_facts(DUMP, *DUMPED),
         close("a")],
        before=[keep_file(DUMP)],
        messages=["generated state dump"],
        masks=[masks.private_report(DUMP, ", ".join(DUMPED))]),
    Scenario(
        "SIGUSR2 reads the files again",
        LOGGED + cat("cat"),
        [hup(number=signal.SIGUSR2), ask("cat", b"fine")],
        messages=["Reconfigured"]),
    Scenario(
        "SIGABRT checks",
        LOGGED + cat("cat"),
        [hold("a", "cat"), signal_daemon(signal.SIGABRT), ask("cat", b"goes on"), close("a")]),
    Scenario(
        "signals that mean nothing",
        LOGGED + cat("cat"),
        [*map(signal_daemon, NOTHING), ask("cat", b"goes on")]),
    Scenario(
        "SIGINT in the foreground",
        LOGGED + cat("cat"),
        [ask("cat", b"x"), interrupt()],
        masks=[masks.interrupted]),
    Scenario(
        "SIGTERM",
        LOGGED + cat("cat"),
        [ask("cat", b"x"), end(signal.SIGTERM), survivors("servers")]),
    Scenario(
        "SIGTERM while servers run",
        LOGGED + cat("cat"),
        [hold("a", "cat"), end(signal.SIGTERM), survivors("servers")],
        masks=[masks.terminated_servers("cat")]),
    Scenario(
        "SIGQUIT leaves the servers",
        LOGGED + cat("cat"),
        [hold("a", "cat"), end(signal.SIGQUIT), survivors("servers"), converse("a", b"still\n")]),
    Scenario(
        "the file of the pid",
        LOGGED + cat("cat"),
        [pid_file("running"), end(signal.SIGTERM), pid_file("ended")]),
]
