"""What the tests of real programs share: a daemon and a directory of one's own.

Every test gets both anew. It adds services, starts the daemon, runs programs
against it and checks what they got and what the daemon wrote. Afterwards no
server may be left, and the daemon must end at SIGTERM with status 0.
"""
import concurrent.futures
import contextlib
import ctypes
import glob
import os
import pathlib
import pwd
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

HOST = "127.0.0.1"
PATH = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
USER = pwd.getpwuid(os.geteuid()).pw_name
PASSED_ON = ("TZ", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")

# What is waited for comes soon or not at all; machines may be slow, though.
DEADLINE_SECONDS = 20

SHOWN_CHARACTERS = 6000

DAEMON_LOG = "daemon.log"
SERVICE_LOG = "service.log"
LOG_TIME = r"\d\d/\d{1,2}/\d{1,2}@\d\d:\d\d:\d\d: "

# Of <sys/prctl.h> and <sys/inotify.h>.
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
IN_MODIFY, IN_MOVED_TO, IN_CREATE = 0x2, 0x80, 0x100

libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans():
    """Lets what the daemon leaves behind become a child of this process, and be found."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


FRONTEND = "usherd-frontend"


def children(parent):
    """The children of the process parent but the daemon's frontend: their names by pid."""
    found = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            head, _, tail = pathlib.Path(path).read_text(errors="replace").rpartition(")")
        except OSError:
            continue  # it ended meanwhile
        pid, _, name = head.partition(" (")
        if int(tail.split()[1]) == parent and name != FRONTEND:
            found[int(pid)] = name
    return found


class Changes:
    """The event that a file of a directory was written, made or moved there."""

    def __init__(self, directory):
        self.fd = libc.inotify_init1(os.O_CLOEXEC)
        libc.inotify_add_watch(self.fd, os.fsencode(directory),
                               IN_MODIFY | IN_CREATE | IN_MOVED_TO)

    def close(self):
        os.close(self.fd)

    def wait(self, seconds, *others):
        """Until there was a change, or one of the other descriptors is readable."""
        ready, _, _ = select.select([self.fd, *others], [], [], seconds)
        if self.fd in ready:
            os.read(self.fd, 65536)


class ClientTest(unittest.TestCase):
    """The base of every test; subclasses say what they need."""

    programs = ()
    needs_root = False

    def setUp(self):
        self.evidence = ""
        self.daemon = None
        self.steps = []
        for program in self.programs:
            if not self.which(program):
                self.do_without(f"{program} is not installed")
        if self.needs_root and os.geteuid() != 0:
            self.do_without("its server has to be started by root")
        self.make_place()
        self.environment = {"PATH": PATH, "HOME": str(self.place), "LANG": "C"}
        for name in PASSED_ON:
            if name in os.environ:
                self.environment[name] = os.environ[name]
        self.configuration = ""
        self.add_entry("defaults", {
            "log_type": f"FILE {self.place / SERVICE_LOG}",
            "log_on_success": "PID HOST EXIT DURATION", "log_on_failure": "HOST",
            "cps": "10000 1"})

    def do_without(self, reason):
        if os.environ.get("CI") == "true":
            self.fail(f"{reason}, and in CI nothing is skipped")
        self.skipTest(reason)

    def make_place(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="usherd-clients-"))
        self.place.chmod(0o755)  # servers come to it as other users
        self.changes = Changes(self.place)
        self.addCleanup(self.remove_place)

    def remove_place(self):
        for name in ("usherd.conf", DAEMON_LOG, "daemon.err", SERVICE_LOG):
            if self.read(name):
                self.evidence += f"--- {name}\n{self.read(name)[-SHOWN_CHARACTERS:]}"
        self.changes.close()
        shutil.rmtree(self.place)

    @staticmethod
    def which(program):
        return shutil.which(program, path=PATH)

    # --- files of the test's directory ---

    def read(self, name):
        path = self.place / name
        return path.read_text(errors="replace") if path.exists() else ""

    def write(self, name, text, mode=0o644):
        path = self.place / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def write_random(self, name, size):
        """A file of size bytes that no compression makes smaller."""
        path = self.place / name
        path.write_bytes(os.urandom(size))
        path.chmod(0o644)
        return path

    def make_directory(self, name, owner=None, mode=0o755):
        path = self.place / name
        path.mkdir(parents=True)
        path.chmod(mode)
        if owner:
            shutil.chown(path, owner)
        return path

    def assert_same_files(self, one, other):
        self.run_step("diff", "-r", one, other)

    # --- configuration ---

    def add_entry(self, head, attributes):
        lines = "".join(f"\t{name} = {value}\n" for name, value in attributes.items())
        self.configuration += f"{head}\n{{\n{lines}}}\n"

    def add_service(self, name, **attributes):
        """Adds a service with these attributes and what else it needs; returns its port."""
        service = {"type": "UNLISTED", "socket_type": "stream", "protocol": "tcp", "wait": "no",
                   "user": USER, "bind": HOST, "port": self.take_port(), **attributes}
        self.add_entry(f"service {name}", service)
        return service["port"]

    def add_program(self, name, program, *arguments, **attributes):
        """Adds a service that starts this program; returns its port."""
        if arguments:
            attributes["server_args"] = " ".join(map(str, arguments))
        return self.add_service(name, server=self.which(program), **attributes)

    def take_port(self):
        """A free port. A socket that does not listen keeps others away from it, and
        lets the daemon bind beside it; for datagrams it is only known to be free."""
        while True:
            keeper = socket.socket()
            self.addCleanup(keeper.close)
            keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            keeper.bind((HOST, 0))
            with socket.socket(type=socket.SOCK_DGRAM) as datagrams:
                try:
                    datagrams.bind(keeper.getsockname())
                    return keeper.getsockname()[1]
                except OSError:
                    continue

    # --- the daemon ---

    def start_daemon(self):
        self.launch_daemon()
        self.see_daemon_start()

    def start_daemon_by(self, command, output):
        self.launch(command, output)
        self.see_daemon_start()

    def see_daemon_start(self):
        self.addCleanup(self.end_daemon)
        self.wait_for_lines(DAEMON_LOG, "Started working")

    def launch_daemon(self):
        """Its end is the caller's matter."""
        configuration = self.write("usherd.conf", self.configuration)
        self.launch(
            [os.environ["USHERD"], "-dontfork", "-f", configuration,
             "-filelog", self.place / DAEMON_LOG, "-pidfile", self.place / "daemon.pid"], "daemon.err")

    def launch(self, command, output):
        with open(self.place / output, "wb") as errors:
            self.daemon = subprocess.Popen(
                command, cwd=self.place, env=self.environment, preexec_fn=end_with_parent,
                stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
        self.daemon_end = os.pidfd_open(self.daemon.pid)

    def reload_daemon(self):
        reloads = self.read(DAEMON_LOG).count("Reconfigured: ")
        self.daemon.send_signal(signal.SIGHUP)
        self.wait_for_lines(DAEMON_LOG, "Reconfigured: ", reloads + 1)

    def end_daemon(self):
        try:
            if self.daemon.returncode is None:
                self.see_servers_end()
                self.stop_daemon()
        finally:
            self.daemon.kill()
            self.daemon.wait()
            os.close(self.daemon_end)
            self.end_orphans(kill=True)

    def stop_daemon(self):
        """SIGTERM, upon which the daemon leaves, and nothing stays."""
        self.daemon.terminate()
        self.wait_for_end(self.daemon_end, "the daemon")
        self.assertEqual(self.daemon.wait(), 0, "the daemon's exit status")
        self.assertNotRegex(self.read("daemon.err"), "Sanitizer|runtime error:")
        self.end_orphans(kill=False)

    def orphans(self):
        """What the daemon left behind: the children of this process it did not start."""
        own = [step.pid for step in (self.daemon, *self.steps)]
        return {pid: name for pid, name in children(os.getpid()).items() if pid not in own}

    def end_orphans(self, kill):
        """Sees them end, by themselves or killed, and what they leave in turn."""
        while orphans := self.orphans():
            for pid, name in orphans.items():
                if kill:
                    os.kill(pid, signal.SIGKILL)
                self.see_end(pid, f"{name}, which the daemon left,")
                os.waitpid(pid, 0)

    def see_servers_end(self):
        """Those of servers too, which are the daemon's when theirs has ended before. A dead one
        is there until the daemon has heard of it."""
        due = time.monotonic() + DEADLINE_SECONDS
        while servers := children(self.daemon.pid):
            self.assertLess(time.monotonic(), due, f"servers are left: {servers}")
            for pid, name in servers.items():
                with contextlib.suppress(ProcessLookupError):
                    self.see_end(pid, name)

    def see_end(self, pid, name):
        end = os.pidfd_open(pid)
        try:
            self.wait_for_end(end, name)
        finally:
            os.close(end)

    def wait_for_end(self, pidfd, name):
        ready, _, _ = select.select([pidfd], [], [], DEADLINE_SECONDS)
        self.assertTrue(ready, f"{name} does not end")

    # --- running programs ---

    def run_step(self, *command, given=b"", statuses=(0,)):
        """Runs a program in the test's directory, to the end; returns its output."""
        done = subprocess.run(
            command, cwd=self.place, env=self.environment, input=given, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=DEADLINE_SECONDS, check=False)
        printed = (done.stdout + done.stderr)[-SHOWN_CHARACTERS:].decode(errors="replace")
        self.assertIn(done.returncode, statuses,
                      f"exit status of {' '.join(map(str, command))}\n{printed}")
        return done.stdout

    def start_step(self, *command):
        """Starts a program to talk to; it ends with the test."""
        step = subprocess.Popen(command, cwd=self.place, env=self.environment,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL)
        self.steps.append(step)
        self.addCleanup(self.end_step, step)
        return step

    @staticmethod
    def end_step(step):
        step.kill()
        step.communicate()

    @staticmethod
    def at_once(step, count):
        """Calls step(0) to step(count - 1) at the same time, and returns what they return."""
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            return list(pool.map(step, range(count)))

    # --- logs ---

    def wait_until(self, condition, what):
        """Until condition, which the daemon brings about by changing a file, holds."""
        due = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            left = due - time.monotonic()
            self.assertGreater(left, 0, f"waited in vain for {what}")
            self.assertIsNone(self.daemon.poll(), f"the daemon ended before {what}")
            self.changes.wait(left, self.daemon_end)

    def wait_for_lines(self, log, pattern, count=1):
        self.wait_until(lambda: len(re.findall(pattern, self.read(log))) >= count,
                        f"{count} of /{pattern}/ in {log}")

    def assert_sessions(self, service, count, end="status=0"):
        """Waits until so many programs of service have ended, checks the lines of each and
        how it ended, and that there are no others."""
        self.wait_for_lines(SERVICE_LOG, f"EXIT: {service} ", count)
        log = self.read(SERVICE_LOG)
        starts = re.findall(
            rf"^{LOG_TIME}START: {service} pid=(\d+) from={HOST}$", log, re.MULTILINE)
        exits = re.findall(
            rf"^{LOG_TIME}EXIT: {service} (?:{end}) pid=(\d+) duration=\d+\(sec\)$",
            log, re.MULTILINE)
        self.assertEqual(len(set(starts)), count, f"servers of {service} started")
        self.assertEqual(sorted(starts), sorted(exits), "started and ended")
        self.assertEqual(len(re.findall(f": {service} ", log)), 2 * count,
                         f"lines about {service}")
