"""USERID, IDONLY and NOID, by an identification server of the test's own."""
import masks
from scenario import Scenario
from steps import ask, serve
from texts import built_in, entry, service


def answering(answer):
    """Answers each query with answer, its % the ports as they came."""
    def talk(connection):
        query = b""
        while not query.endswith(b"\n"):
            some = connection.recv(100)
            if not some:
                return
            query += some
        connection.sendall(answer.replace(b"%", query.strip()))
    return talk


def defaults(*lines):
    return entry("defaults", ["log_type = FILE @dir@/service.log", *lines])


def hello(name, *lines):
    return service(name, "server = /bin/echo", "server_args = hello", *lines)


def visit(name, **how):
    return ask(name, half_close=False, **how)


# By what the server answers: what is written, and whether IDONLY is content.
ANSWERS = {
    "a user": b"% : USERID : UNIX : somebody\r\n",
    "a user with a charset": b"% : USERID : UNIX, US-ASCII : some body\r\n",
    "another system": b"% : USERID : OTHER : 4711-x\r\n",
    "without blanks": b"%:USERID:UNIX:somebody\r\n",
    "an error": b"% : ERROR : NO-USER\r\n",
    "other ports": b"1, 2 : USERID : UNIX : somebody\r\n",
    "no line": b"% : USERID : UNIX : somebody",
    "nonsense": b"hello\r\n",
    "nothing": b"",
}
FLAGS = ("log_on_success = PID HOST USERID EXIT", "log_on_failure = HOST USERID")


def with_server(what, answer):
    is_refused = b"USERID" not in answer or not answer.endswith(b"\n") or answer[0] != b"%"[0]
    return Scenario(
        f"the server answers with {what}",
        defaults(*FLAGS) + hello("asking") + hello("demanding", "flags = IDONLY")
        + hello("refusing", "instances = 0"),
        [visit("asking"), visit("demanding"), visit("refusing")],
        before=[serve(113, answering(answer))],
        messages=["identity", "identd"],
        masks=[masks.unidentified_before_start] if is_refused else [],
        in_order=False)


SCENARIOS = [with_server(*each) for each in ANSWERS.items()] + [
    Scenario(
        "no server",
        defaults(*FLAGS) + hello("asking") + hello("demanding", "flags = IDONLY")
        + hello("refusing", "instances = 0"),
        [visit("asking"), visit("demanding"), visit("refusing")],
        masks=[masks.unidentified_before_start],
        messages=["identity", "identd"],
        in_order=False),
    Scenario(
        "of built-ins, and of refused addresses",
        defaults(*FLAGS) + built_in("echo", "flags = IPv4")
        + hello("door", "no_access = 127.0.0.5"),
        [ask("echo", b"hello"), visit("door", source="127.0.0.5")],
        before=[serve(113, answering(ANSWERS["a user"]))],
        masks=[masks.no_process, masks.refused_before_start],
        in_order=False),
]
