"""Entries with something wrong in them. Whatever it is, xinetd and usherd serve all the
others; where xinetd starts the wrong one, too, that is masked as D2 has it."""
import masks
from scenario import Scenario
from steps import ask
from texts import LOGGED, service


def hello(name, *lines):
    return service(name, "server = /bin/echo", "server_args = hello", *lines)


def visits():
    return [ask("wrong", half_close=False), ask("right", half_close=False)]


def wrong(what, *lines, started=False, **how):
    """An entry with these lines, and one that is right."""
    return Scenario(
        what, LOGGED + hello("wrong", *lines) + hello("right"), visits(),
        masks=[masks.not_started("wrong")] if started else [], **how)


def without(attribute, **how):
    lines = [line for line in hello("wrong").splitlines() if line.split()[:1] != [attribute]]
    return Scenario(f"no {attribute}", LOGGED + "\n".join(lines) + "\n" + hello("right"), visits(),
                    **how)


def malformed(what, line, **how):
    return Scenario(what, LOGGED + hello("wrong").replace("}", f"\t{line}\n}}") + hello("right"),
                    visits(), **how)


SCENARIOS = [
    wrong("an attribute that is none", "no_such_attribute = 1", started=True),
    wrong("too few values", "cps = 10", started=True),
    wrong("too many values", "nice = 3 4", started=True),
    wrong("an operator that does not fit", "nice += 3", started=True),
    wrong("a server that is not there", "server = /no/such/server"),
    wrong("a server that can't be executed", "server = /etc/passwd"),
    wrong("a user that is none", "user = no-such-user"),
    wrong("a group that is none", "group = no-such-group"),
    wrong("a type that is none", "type = UNLISTED BOGUS"),
    wrong("a flag that is none", "flags = BOGUS"),
    wrong("a socket_type that is none", "socket_type = flow"),
    wrong("a protocol that is none", "protocol = no-such-protocol"),
    wrong("neither yes nor no", "wait = maybe"),
    wrong("a port out of range", "port = 70000"),
    wrong("a port that is no number", "port = 12ab"),
    wrong("instances that are no number", "instances = few"),
    wrong("a negative per_source", "per_source = -3"),
    wrong("words in cps", "cps = a b"),
    wrong("a nice that is no number", "nice = low"),
    wrong("a umask that is none", "umask = 999"),
    wrong("a limit that is none", "rlimit_as = lots"),
    wrong("a log_type that is none", "log_type = NOWHERE x"),
    wrong("a flag of log_on_success that is none", "log_on_success = PID BOGUS"),
    wrong("a flag of log_on_failure that is none", "log_on_failure = BOGUS"),
    wrong("an interval that is none", "access_times = 9-17"),
    wrong("an address with a comma", "only_from = 127.0.0.1,127.0.0.2"),
    wrong("a variable without a value", "env = NOTHING"),
    wrong("NAMEINARGS with a redirect", "flags = NAMEINARGS", "redirect = 127.0.0.1 7"),
    wrong("an internal service that is none", "type = INTERNAL UNLISTED"),
    wrong("a name that the port map does not have", "type ="),
    without("wait"), without("user"), without("server"), without("port"), without("socket_type"),
    malformed("no operator", "nice 3"),
    malformed("no such operator", "nice := 3"),
    Scenario(
        "an entry without its end",
        LOGGED + hello("right") + hello("wrong").rstrip("}\n") + "\n",
        visits(), has_canary=False),
    Scenario(
        "a wrong entry of one file, and the others",
        LOGGED + "includedir @dir@/d\n",
        visits(),
        files={"d/a": hello("wrong", "instances = few"), "d/b": hello("right")}),
    Scenario(
        "two services on one socket",
        LOGGED + hello("right", "bind = 127.0.0.1")
        + hello("wrong", "bind = 127.0.0.1", "port = @right@", "server = /bin/false"),
        [ask("right", half_close=False)]),
    Scenario(
        "an attribute that defaults can't have",
        LOGGED.replace("}", "\tnice = 5\n}") + hello("right"),
        [ask("right", half_close=False)]),
]
