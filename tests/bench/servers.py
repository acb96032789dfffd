"""The servers that are compared: each in the foreground, on ports nobody else has,
with its files in a temporary directory, ended by its process id."""

import contextlib
import os
import pwd
import random
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time

PATIENCE = 20  # seconds for a server to listen, to come to rest, to end
PROGRAMS = os.path.abspath(os.environ.get("BENCH_PROGRAMS", "build/tests/bench"))
USHERD = os.path.abspath(os.environ.get("USHERD", "usherd"))
STATUS_PAGE = os.environ.get("STATUS_PAGE", "status_page")
TINY = os.path.join(PROGRAMS, "tiny")
SMALL = os.path.join(PROGRAMS, "small")
FLOOR = os.path.join(PROGRAMS, "floor")
WORKPLACE = tempfile.TemporaryDirectory(prefix="usherd-bench-")
NOBODY = str(pwd.getpwnam("nobody").pw_uid)
NOT_INSTALLED = "not installed"


class Trouble(Exception):
    """Why a server has no figure."""


def bound_sockets(protocol, address=None):
    """The ports that are listened on, with TCP, or bound, with UDP; at address or anywhere."""
    state = {"tcp": "0A", "tcp6": "0A", "udp": "07", "udp6": "07"}[protocol]
    mark = address and "%08X" % int.from_bytes(socket.inet_aton(address), sys.byteorder)
    ports = set()
    with contextlib.suppress(FileNotFoundError), open(f"/proc/net/{protocol}") as table:
        for line in table:
            _, local, _, its_state, _ = line.split(None, 4)
            host, _, port = local.partition(":")
            if its_state == state and mark in (None, host):
                ports.add(int(port, 16))
    return ports


def free_ports(count):
    """Ports nobody uses now. Each server takes them at an address of its own, so they stay free."""
    taken = set().union(*map(bound_sockets, ("tcp", "tcp6", "udp", "udp6")))
    return [port for port in range(10000, 65536) if port not in taken][:count]


def eventually(holds, what):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise Trouble(f"did not {what} within {PATIENCE} s")
        time.sleep(0.02)


class Server:
    """A program in the foreground, in a directory and at a loopback address of its own."""

    def __init__(self, name, program, protocol="tcp", sockets=1):
        self.name = name
        self.trouble = None if program else NOT_INSTALLED
        self.protocol = protocol
        self.sockets = sockets
        self.address = "127.{}.{}.{}".format(*(random.randint(1, 254) for _ in range(3)))
        self.ports = free_ports(sockets + 1)  # one for a service that is added later
        self.directory = tempfile.mkdtemp(dir=WORKPLACE.name)
        self.command = [program]
        self.process = None
        self.pids_at_start = []

    def fail(self, trouble):
        self.trouble = f"{trouble}; its last words: {self.last_words()}"

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def last_words(self):
        for name in ("log", "output"):
            with contextlib.suppress(FileNotFoundError), open(self.path(name)) as file:
                lines = file.read().splitlines()
                if lines:
                    return lines[-1]
        return "none"

    def start(self):
        with open(self.path("output"), "w") as output:
            self.process = subprocess.Popen(self.command, cwd=self.directory, stdout=output,
                                            stdin=subprocess.DEVNULL, stderr=output)
        self.wait_listening(self.sockets)
        self.pids_at_start = self.pids()

    def wait_listening(self, sockets):
        wanted = set(self.ports[:sockets])

        def listens():
            if self.process.poll() is not None:
                raise Trouble(f"ended with {self.process.returncode}")
            return wanted <= bound_sockets(self.protocol, self.address)

        eventually(listens, "listen")

    def stop(self):
        if not self.process:
            return
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def pids(self):
        """The process and those it keeps."""
        found = [self.process.pid]
        for pid in found:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # one that ended
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as children:
                        found += map(int, children.read().split())
        return found

    def cpu_seconds(self, pids=None, with_children=False):
        """Of its processes, or of these; also of the children that they waited for."""
        ticks = 0
        for pid in pids or self.pids():
            with open(f"/proc/{pid}/stat") as stat:
                figures = stat.read().rpartition(")")[2].split()
                ticks += sum(map(int, figures[11:15 if with_children else 13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def cpu_seconds_at_rest(self):
        """Waits until the processor is left alone for a while."""
        readings = []

        def rests():
            readings.append(self.cpu_seconds())
            return len(readings) > 15 and readings[-1] == readings[-15]

        eventually(rests, "come to rest")
        return readings[-1]

    def resident_mebibytes(self):
        """Of all its processes; what several have is shared among those."""
        kibibytes = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/smaps_rollup") as rollup:
                kibibytes += sum(int(line.split()[1]) for line in rollup if line[:4] == "Pss:")
        return kibibytes / 1024


@contextlib.contextmanager
def started(server):
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def running(servers):
    """Starts what can be started; the others have their trouble to show."""
    with contextlib.ExitStack() as stack:
        for server in servers:
            if not server.trouble:
                try:
                    stack.enter_context(started(server))
                except (Trouble, OSError) as trouble:
                    server.fail(trouble)
        yield servers


def installed(program):
    return shutil.which(program, path=os.environ["PATH"] + ":/usr/local/sbin:/usr/sbin:/sbin")


def entry_write(server, attributes, number):
    # Without flags = IPv4 xinetd's forked built-ins look the client up in the DNS first.
    entry = {"name": "bench", "id": f"bench-{number}", "type": "UNLISTED", "flags": "IPv4",
             "socket_type": "stream", "protocol": "tcp", "wait": "no",
             "user": pwd.getpwuid(os.geteuid()).pw_name,
             "bind": server.address, "port": server.ports[number]} | attributes
    name = entry.pop("name")
    lines = "".join(f"\t{attribute} = {value}\n" for attribute, value in entry.items())
    return server.write(f"services/{number:05}", f"service {name}\n{{\n{lines}}}\n")


def superserver(name, program, attributes, count, protocol):
    """A daemon that reads xinetd's files, with count services alike."""
    server = Server(name, program, protocol, count)
    os.mkdir(server.path("services"))
    for number in range(count):
        entry_write(server, attributes, number)
    server.write("conf", f"""defaults
{{
	log_type = FILE {server.path("record")}
	cps = 1000000 1
	instances = UNLIMITED
	per_source = UNLIMITED
}}
includedir {server.path("services")}
""")
    server.command += ["-dontfork", "-f", server.path("conf"), "-filelog", server.path("log"),
                       "-pidfile", server.path("pid")]
    return server


def superservers(attributes, count=1, protocol="tcp"):
    return [superserver("usherd", USHERD, attributes, count, protocol),
            superserver("xinetd", installed("xinetd"), attributes, count, protocol)]


def tcpserver(program=TINY, name="tcpserver -v", options=()):
    """program may have arguments."""
    # -R, -H and -l spare it ident and name look-ups, -v makes it log as the others do.
    server = Server(name, installed("tcpserver"))
    server.command += ["-v", "-R", "-H", "-l", "localhost", "-c", "10000", "-b", "1024", *options,
                       server.address, str(server.ports[0]), *shlex.split(program)]
    return server


def bubblewrap(program, scratch):
    """What is closest to preset = jail; it has no limits and no filter of system calls."""
    as_nobody = ["-u", NOBODY, "-g", NOBODY] if os.geteuid() == 0 else []
    server = tcpserver(f"bwrap --unshare-all --ro-bind / / --tmpfs {scratch} --proc /proc "
                       f"--dev /dev --cap-drop ALL --die-with-parent --new-session -- {program}",
                       "bwrap (tcpserver)", as_nobody)
    if not installed("bwrap"):
        server.trouble = NOT_INSTALLED
    return server


def haproxy(backend):
    server = Server("haproxy (one thread, no splice)", installed("haproxy"))
    server.command += ["-db", "-f", server.write("conf", f"""global
	nbthread 1
	maxconn 4000
	nosplice
defaults
	mode tcp
	timeout connect 5s
	timeout client 30s
	timeout server 30s
listen bench
	bind {server.address}:{server.ports[0]}
	server backend {backend.address}:{backend.ports[0]}
""")]
    return server


def floor(mode, argument=None, threads=1, name=None, protocol="tcp"):
    if name is None:
        name = "floor" if threads == 1 else f"floor ({threads} threads)"
    server = Server(name, FLOOR, protocol)
    server.command += [mode, server.address, str(server.ports[0]), str(threads)]
    server.command += [argument] if argument else []
    return server
