"""Programs that are started: what they find, and what is said of their end."""
import masks
from scenario import Scenario
from steps import ask, close, connect, converse, datagram, finish, hold, line, send
from texts import LOGGED, service

REPORTS = (masks.report_processes, masks.more_variables)


def reporting(name, *lines):
    return service(name, "server = @report@", *lines)


def report(name, **how):
    """The client does not close its side, which would have the kernel refuse to show
    a dual-stack socket as IPv4 if it came first."""
    return ask(name, half_close=False, **how)


def script(text):
    return "#!/bin/sh\n" + text


SCENARIOS = [
    Scenario(
        "a server like any",
        LOGGED + reporting("plain"),
        [report("plain"), report("plain", host="::1")],
        masks=REPORTS),
    Scenario(
        "arguments",
        LOGGED + reporting("several", "server_args = one  two\tthree ")
        + reporting("named", "flags = NAMEINARGS", "server_args = other-name one")
        + reporting("literal", "server_args = 'a b' c\"d\" $HOME \\d a,b ;"),
        [report("several"), report("named"), report("literal")],
        masks=REPORTS),
    Scenario(
        "environment",
        LOGGED + reporting("all")
        + reporting("added", "env = A=1 B=two=three C=", "env += D=4")
        + reporting("changed", "env = GIVEN=new OTHER=x")
        + reporting("passed", "passenv = GIVEN NONE", "env = E=5")
        + reporting("bare", "passenv =", "env = F=6"),
        [report(name) for name in ("all", "added", "changed", "passed", "bare")],
        masks=REPORTS,
        environment={"GIVEN": "old", "ALSO": "given"}),
    Scenario(
        "environment by defaults",
        LOGGED.replace("}", "\tpassenv = ONE TWO\n}")
        + reporting("theirs") + reporting("more", "passenv += THREE")
        + reporting("fewer", "passenv -= TWO") + reporting("own", "passenv = THREE"),
        [report(name) for name in ("theirs", "more", "fewer", "own")],
        masks=REPORTS,
        environment={"ONE": "1", "TWO": "2", "THREE": "3", "FOUR": "4"}),
    Scenario(
        "user and group",
        LOGGED + reporting("name", "user = nobody")
        + reporting("number", "user = 12345")
        + reporting("group", "user = nobody", "group = daemon")
        + reporting("numbers", "user = 12345", "group = 4321")
        + reporting("groups", "user = @groups_user@", "groups = yes")
        + reporting("nogroups", "user = @groups_user@", "groups = no"),
        [report(name) for name in ("name", "number", "group", "numbers", "groups", "nogroups")],
        masks=REPORTS),
    Scenario(
        "groups and umask of defaults",
        LOGGED.replace("}", "\tgroups = yes\n\tumask = 007\n}")
        + reporting("theirs", "user = @groups_user@")
        + reporting("own", "user = @groups_user@", "groups = no", "umask = 002"),
        [report("theirs"), report("own")],
        masks=REPORTS),
    Scenario(
        "umask and nice",
        LOGGED + reporting("umask", "umask = 077") + reporting("open", "umask = 0")
        + reporting("nice", "nice = 7", "user = nobody") + reporting("haste", "nice = -5"),
        [report(name) for name in ("umask", "open", "nice", "haste")],
        masks=REPORTS),
    Scenario(
        "resource limits",
        LOGGED + reporting("memory", "rlimit_as = 512M", "rlimit_data = 200M",
                           "rlimit_stack = 4096K", "rlimit_rss = 99M")
        + reporting("others", "rlimit_cpu = 20", "rlimit_files = 77")
        + reporting("unlimited", "rlimit_cpu = UNLIMITED", "rlimit_as = unlimited"),
        [report(name) for name in ("memory", "others", "unlimited")],
        masks=REPORTS),
    Scenario(
        "flags of the socket",
        LOGGED + reporting("none") + reporting("nodelay", "flags = NODELAY")
        + reporting("both", "flags = KEEPALIVE NODELAY REUSE NORETRY"),
        [report(name) for name in ("none", "nodelay", "both")],
        masks=REPORTS),
    Scenario(
        "exit statuses and signals",
        LOGGED + "".join(service(f"end{i}", "server = /bin/sh", f"server_args = @dir@/end{i}.sh")
                         for i in range(5)),
        [ask(f"end{i}") for i in range(5)],
        files={"end0.sh": script("exit 0"), "end1.sh": script("exit 1"),
               "end2.sh": script("exit 255"), "end3.sh": script("kill -9 $$"),
               "end4.sh": script("echo dying; kill -TERM $$")}),
    Scenario(
        "both outputs are the connection",
        LOGGED + service("outputs", "server = @dir@/outputs.sh"),
        [ask("outputs", b"word\n")],
        files={"outputs.sh": script("read -r line; echo out:$line; echo err:$line >&2")}),
    Scenario(
        "a server that reads to the end, and one that writes much",
        LOGGED + service("sort", "server = /usr/bin/sort", "env = LC_ALL=C")
        + service("much", "server = /usr/bin/seq", "server_args = 100000"),
        [ask("sort", b"c\nb\na\n"), ask("much")]),
    Scenario(
        "a server that goes on without the client",
        LOGGED + service("cat", "server = /bin/cat"),
        [hold("a", "cat"), hold("b", "cat"), close("a"), converse("b", b"still\n"), close("b")]),
    Scenario(
        "a server that can't be executed",
        LOGGED + service("broken", "server = @dir@/broken.sh")
        + service("cat", "server = /bin/cat"),
        [ask("broken"), ask("cat", b"fine")],
        files={"broken.sh": "#!/no/such/interpreter\n"},
        masks=[masks.exec_failure("broken")],
        messages=["exec"]),
    Scenario(
        "wait, stream",
        LOGGED + service("waiting", "wait = yes", "server = @wait_stream@"),
        [connect("a", "waiting"), send("a", b"one\nnext\n"), finish("a"),
         connect("b", "waiting"), send("b", b"quit\n"), finish("b"), line("EXIT: waiting"),
         connect("c", "waiting"), send("c", b"quit\n"), finish("c"), line("EXIT: waiting", 2)],
        masks=[masks.server_pids],
        lasting_servers=1),
    Scenario(
        "wait, datagrams",
        LOGGED + service("waiting", "socket_type = dgram", "protocol = udp", "wait = yes",
                         "server = @wait_datagram@"),
        [datagram("waiting", b"one"), datagram("waiting", b"two"), datagram("waiting", b"quit"),
         line("EXIT: waiting"),
         datagram("waiting", b"quit"), line("EXIT: waiting", 2)],
        masks=[masks.server_pids],
        lasting_servers=1),
    Scenario(
        "wait, datagrams, IPv4 alone",
        LOGGED + service("waiting", "socket_type = dgram", "protocol = udp", "wait = yes",
                         "flags = IPv4", "server = @wait_datagram@"),
        [datagram("waiting", b"quit"), line("EXIT: waiting"),
         datagram("waiting", b"quit", source="127.0.0.9"), line("EXIT: waiting", 2)],
        masks=[masks.server_pids],
        lasting_servers=1),
]
