"""One daemon on one scenario's files, and the clients that come to it.

A scenario is played twice, first with xinetd and then with usherd, on the same
ports and in fresh directories. What is seen on the way is written into a Result;
masks.py says what in it may differ, and run compares.

Whatever a step brings about has happened before the next step begins. xinetd
is known to have settled when it has no child without a client and has answered
its canary, a service for that purpose; usherd when its log has as many lines as
xinetd's had at the same place, or never will.
"""
import copy
import errno
import os
import pathlib
import re
import resource
import shutil
import socket
import struct
import subprocess

from machine import (DEADLINE_SECONDS, HOST, Skipped, Trouble, children, end_orphans,
                     end_with_parent, eventually, listened, text_of, user_with_groups)

XINETD = shutil.which("xinetd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
PROGRAMS = os.environ.get("TEST_PROGRAMS", "build/tests/programs")
DESCRIPTORS = (1024, 4096)  # RLIMIT_NOFILE, soft and hard
PASSED_ON = ("ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")

# For lines that xinetd wrote and usherd perhaps never will.
DIFFERENCE_SECONDS = 5

MAIN_LOG = "main.log"
SERVICE_LOG = "service.log"
LOG_TIME = re.compile(r"^\d\d/\d{1,2}/\d{1,2}@\d\d:\d\d:\d\d: ")
MAIN_LOG_TIME = re.compile(r"^\d\d/\d{1,2}/\d{1,2}@\d\d:\d\d:\d\d (?:xinetd|usherd)\[\d+\]: ")

CANARY = """
service time
{
	id = canary
	type = INTERNAL UNLISTED
	flags = NOLIBWRAP IPv4
	bind = 127.0.0.1
	port = @canary@
	socket_type = stream
	protocol = tcp
	wait = no
	cps = 100000 1
	only_from = 127.0.0.1
	no_access =
	log_on_success =
	log_on_failure =
}
"""


class Result:
    """What was seen of a daemon; each list in the order in which it was seen."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.received = []  # (what was done, what came: bytes, or a word for nothing)
        self.logs = {}      # service lines without their time, by file
        self.messages = []  # of the main log, "LEVEL: text"
        self.sockets = []   # (when, what is listened on)
        self.statuses = []  # (of what, exit status)

    def copy(self):
        return copy.deepcopy(self)


class Stage:
    """A daemon that runs on a scenario's files, and its clients by name."""

    def __init__(self, daemon, scenario, directory, ports, leader=None):
        self.daemon = daemon
        self.scenario = scenario
        self.directory = pathlib.Path(directory)
        self.ports = ports
        self.result = Result(daemon)
        self.clients = {}
        self.undo = []
        self.process = None
        self.places = []         # xinetd: how many lines there were whenever it had settled
        self.leader = leader     # usherd: xinetd's stage
        self.diverged = False

    # --- files ---

    def fill_in(self, text):
        """text with its placeholders replaced and without the other daemon's lines."""
        other = "usherd" if self.daemon == "xinetd" else "xinetd"
        text = re.sub(rf"(?m)^(\s*){other}:.*\n", "", text)
        text = re.sub(rf"(?m)^(\s*){self.daemon}:[ \t]*", r"\1", text)
        return re.sub(r"@(\w+)@", self.value_of, text)

    def value_of(self, placeholder):
        name = placeholder.group(1)
        if name == "dir":
            return str(self.directory)
        if name == "groups_user":
            return user_with_groups()
        if name.startswith("listed"):
            return self.ports.listed(name)
        if name in ("report", "wait_stream", "wait_datagram"):
            return str(self.program(name))
        return str(self.ports[name])

    def program(self, name):
        """A copy where servers of any user can reach it."""
        path = self.directory / name
        if not path.exists():
            shutil.copy(os.path.join(PROGRAMS, name), path)
            path.chmod(0o755)
        return path

    def write(self, files):
        for name, text in files.items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else self.fill_in(text).encode())
            path.chmod(0o755 if name.endswith(".sh") else 0o644)

    def write_main(self, text):
        self.write({"main.conf": text + (CANARY if self.scenario.has_canary else "")})

    # --- the daemon ---

    def command(self, *arguments):
        program = XINETD if self.daemon == "xinetd" else os.environ["USHERD"]
        return [program] + [self.fill_in(argument) for argument in arguments]

    def environment(self):
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return {"PATH": "/usr/bin:/bin", "LANG": "C", **passed, **self.scenario.environment}

    def popen(self, command, output):
        def prepare():
            os.umask(0o022)
            resource.setrlimit(resource.RLIMIT_NOFILE, DESCRIPTORS)
            end_with_parent()

        return subprocess.Popen(command, cwd=self.directory, env=self.environment(),
                                preexec_fn=prepare, stdin=subprocess.DEVNULL,
                                stdout=output, stderr=output)

    def start(self):
        command = self.command(
            "-dontfork", "-f", "@dir@/main.conf", "-filelog", f"@dir@/{MAIN_LOG}",
            "-pidfile", "@dir@/pid", *self.scenario.arguments)
        with open(self.directory / "output", "wb") as output:
            self.process = self.popen(command, output)
        eventually(lambda: "Started working" in self.main_log() or self.has_ended(), "the start")
        for name in self.scenario.bound_later:
            eventually(lambda port=self.ports[name]: listened({port}), f"{name} to be bound")
        self.note_sockets("start")
        self.settle()

    def has_ended(self):
        return self.process.poll() is not None

    def note_sockets(self, when):
        known = set(self.ports.by_name.values())
        self.result.sockets.append((when, sorted(
            f"{protocol} {address} {self.ports.name_of(port)}"
            for protocol, address, port in listened(known))))

    def stop(self):
        """SIGTERM; the daemon's status belongs to the result."""
        if not self.process:
            return
        if not self.has_ended():
            self.process.terminate()
        eventually(self.has_ended, "the daemon's end")
        self.result.statuses.append(("the daemon", self.process.returncode))

    def clean_up(self):
        for client in self.clients.values():
            client.close()
        for undo in reversed(self.undo):
            undo()
        if self.process and not self.has_ended():
            self.process.kill()
            self.process.wait()
        end_orphans()

    # --- logs ---

    def main_log(self):
        return text_of(self.directory / MAIN_LOG)

    def service_log(self, name=SERVICE_LOG):
        return text_of(self.directory / name)

    def snapshot(self):
        """The result with the logs as they are now."""
        result = self.result.copy()
        here = str(self.directory)
        for name in self.scenario.logs:
            lines = self.service_log(name).replace(here, "DIR").splitlines()
            result.logs[name] = [LOG_TIME.sub("", line) for line in lines]
        result.messages = [
            MAIN_LOG_TIME.sub("", line)
            for line in self.main_log().replace(here, "DIR").splitlines()
            if self.scenario.compares(line)]
        result.received = [
            (what, came.replace(here.encode(), b"DIR") if isinstance(came, bytes) else came)
            for what, came in result.received]
        return result

    def line_count(self):
        masked = self.scenario.masked(self.snapshot())
        return sum(map(len, masked.logs.values())) + len(masked.messages)

    # --- settling ---

    def settle(self):
        if not self.process or self.has_ended():
            return
        if self.leader:
            self.follow()
        else:
            self.come_to_rest()
            self.places.append(self.line_count())

    def come_to_rest(self):
        eventually(lambda: len(children(self.process.pid)) <= len(self.clients)
                   + self.scenario.lasting_servers, f"the servers of {self.daemon} to end")
        if self.scenario.has_canary:
            self.ask_canary()

    def ask_canary(self):
        """Twice: the second is served in a later turn of the loop than the first, whose
        turn has seen to all else that was there when it came."""
        for _ in range(2):
            with socket.create_connection((HOST, self.ports["canary"])) as canary:
                canary.settimeout(DEADLINE_SECONDS)
                while canary.recv(16):
                    pass

    def follow(self):
        place = len(self.places)
        expected = self.leader.places[place] if place < len(self.leader.places) else 0
        self.places.append(expected)
        try:
            eventually(lambda: self.line_count() >= expected, "as many lines as xinetd's",
                       0 if self.diverged else DIFFERENCE_SECONDS)
        except Trouble:
            self.diverged = True  # the comparison will show it

    # --- clients ---

    def note(self, what, came):
        self.result.received.append((what, came))

    def connect(self, name, to, source=None, host=HOST):
        """A connection; False when it is refused."""
        client = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        client.settimeout(DEADLINE_SECONDS)
        if source:
            client.bind((source, 0))
        try:
            client.connect((host, self.ports[to] if isinstance(to, str) else to))
        except ConnectionRefusedError:
            client.close()
            return False
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL and host == "::1":
                raise Skipped("there is no IPv6 on the loopback interface") from error
            raise
        self.clients[name] = client
        return True

    def read(self, name, count=None):
        """What comes: count bytes, or all to the end. A reset is an end like another,
        as whether there is one depends on who was quicker."""
        client = self.clients[name]
        came = b""
        try:
            while count is None or len(came) < count:
                some = client.recv(65536 if count is None else count - len(came))
                if not some:
                    break
                came += some
        except ConnectionError:
            pass
        except TimeoutError as error:
            raise Trouble(f"{self.daemon}: neither bytes nor an end after {came[-100:]!r}"
                          ) from error
        return came

    def send(self, name, data):
        try:
            self.clients[name].sendall(data)
        except ConnectionError:
            pass

    def half_close(self, name):
        try:
            self.clients[name].shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self, name, with_reset=False):
        client = self.clients.pop(name)
        if with_reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
