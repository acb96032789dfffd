"""What clients do, and what is done to the daemon: the words that scenarios are
written in. Each returns a step, which is called with the stage."""
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import threading
import time

from machine import (DEADLINE_SECONDS, HOST, Skipped, Trouble, children, eventually, listened,
                     text_of)
from stage import SERVICE_LOG


# --- clients ---

def ask(service, data=b"", source=None, host=HOST, half_close=True):
    """A whole conversation: connects, sends, and reads to the end."""
    def step(stage):
        what = f"ask {service}" + (f" from {source}" if source else "")
        if not stage.connect("asking", service, source, host):
            stage.note(what, "refused")
            return
        stage.send("asking", data)
        if half_close:
            stage.half_close("asking")
        stage.note(what, stage.read("asking"))
        stage.close("asking")
        stage.settle()
    return step


def connect(name, service, source=None, host=HOST):
    def step(stage):
        connected = stage.connect(name, service, source, host)
        stage.note(f"{name}: connect to {service}", "connected" if connected else "refused")
    return step


def send(name, data):
    return lambda stage: stage.send(name, data)


def read(name, count):
    """Reads count bytes, or fewer if there is an end before that."""
    return lambda stage: stage.note(f"{name}: read", stage.read(name, count))


def converse(name, data):
    """Sends data, and reads as much: with echoing servers, which then surely run."""
    def step(stage):
        stage.send(name, data)
        stage.note(f"{name}: converse", stage.read(name, len(data)))
        stage.settle()
    return step


def hold(name, service, source=None, host=HOST):
    """A connection to an echoing server that surely runs."""
    def step(stage):
        connect(name, service, source, host)(stage)
        if name in stage.clients:
            converse(name, b"hold\n")(stage)
    return step


def half_close(name):
    return lambda stage: stage.half_close(name)


def finish(name):
    """Reads to the end, and closes."""
    def step(stage):
        stage.note(f"{name}: finish", stage.read(name))
        close(name)(stage)
    return step


def close(name):
    def step(stage):
        stage.close(name)
        stage.settle()
    return step


def reset(name):
    def step(stage):
        stage.close(name, with_reset=True)
        stage.settle()
    return step


def datagram(service, data, answered=True, source=None, host=HOST):
    """Sends a datagram, and receives the answer; if none is to come, the daemon has
    surely seen it."""
    def step(stage):
        what = f"datagram to {service}" + (f" from {source}" if source else "")
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET,
                           socket.SOCK_DGRAM) as client:
            if source:
                client.bind((source, 0))
            client.sendto(data, (host, stage.ports[service]))
            if not answered:
                stage.settle()
                stage.ask_canary()
            ready, _, _ = select.select([client], [], [], DEADLINE_SECONDS if answered else 0)
            stage.note(what, client.recv(65536) if ready else "no answer")
        stage.settle()
    return step


# --- the daemon ---

def hup(files=None, conf=None, summary="Reconfigured: ", number=signal.SIGHUP):
    """A signal to reload after files have changed, to the summary line; notes the
    sockets."""
    def step(stage):
        stage.write(files or {})
        if conf is not None:
            stage.write_main(conf)
        before = stage.main_log().count(summary)
        stage.process.send_signal(number)
        eventually(lambda: stage.main_log().count(summary) > before or stage.has_ended(),
                   f"{summary!r} of {stage.daemon}")
        stage.note_sockets("SIGHUP")
        stage.settle()
    return step


def hup_to_no_good(conf):
    """SIGHUP upon a main file that can't be followed; notes whether that ended the
    daemon."""
    def step(stage):
        stage.write_main(conf)
        stage.process.send_signal(signal.SIGHUP)
        eventually(lambda: "reconfiguration failed" in stage.main_log() or stage.has_ended(),
                   f"the failure of {stage.daemon}")
        stage.note("SIGHUP", "ended" if stage.has_ended() else "goes on")
    return step


def message(pattern, count=1):
    """Waits for a message in the main log."""
    def step(stage):
        eventually(lambda: len(re.findall(pattern, stage.main_log())) >= count,
                   f"the message /{pattern}/ of {stage.daemon}")
        stage.settle()
    return step


def line(pattern, count=1, log=SERVICE_LOG):
    """Waits for a service line."""
    def step(stage):
        eventually(lambda: len(re.findall(pattern, stage.service_log(log))) >= count,
                   f"the line /{pattern}/ of {stage.daemon}")
        stage.settle()
    return step


def usherd_line(pattern):
    """Waits for a line that only usherd writes."""
    def step(stage):
        if stage.daemon == "usherd":
            eventually(lambda: re.search(pattern, stage.service_log()), f"the line /{pattern}/")
    return step


def signal_daemon(number):
    return lambda stage: stage.process.send_signal(number)


def end(number):
    """A signal that ends the daemon; its status is compared."""
    def step(stage):
        stage.process.send_signal(number)
        eventually(stage.has_ended, f"the end of {stage.daemon}")
    return step


def sockets(when):
    return lambda stage: stage.note_sockets(when)


def until_listened(service, on):
    """Until the service's port is listened on, or no longer."""
    return lambda stage: eventually(lambda: bool(listened({stage.ports[service]})) == on,
                                    f"{service} to be listened on: {on}")


def interrupt():
    """SIGINT; notes whether that ended the daemon."""
    def step(stage):
        stage.process.send_signal(signal.SIGINT)
        if stage.daemon == "usherd":
            eventually(stage.has_ended, "the end of usherd")
        else:
            stage.ask_canary()
        stage.note("SIGINT", "ended" if stage.has_ended() else "goes on")
    return step


def survivors(name):
    """How many servers of this daemon are left after its end."""
    def step(stage):
        left = [pid for pid in children(os.getpid()) if pid != stage.process.pid]
        stage.note(name, f"{len(left)} left")
    return step


def rename(name, other):
    return lambda stage: (stage.directory / name).rename(stage.directory / other)


def pid_file(when):
    def step(stage):
        path = stage.directory / "pid"
        right = text_of(path) == f"{stage.process.pid}\n"
        stage.note(f"pid file, {when}",
                   f"{path.stat().st_mode:o}, right: {right}" if path.exists() else "none")
    return step


# --- commands ---

def command(*arguments, prints=True):
    """Runs the daemon's program with these arguments; its status is compared, and
    whether it said something."""
    def step(stage):
        path = stage.directory / "said"
        with open(path, "wb") as output:
            process = stage.popen(stage.command(*arguments), output)
        try:
            process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.wait()
            raise Trouble(f"{stage.daemon} {' '.join(arguments)} does not end") from error
        stage.result.statuses.append((" ".join(arguments) or "no arguments", process.returncode))
        if prints:
            stage.note(f"output of {' '.join(arguments)}",
                       "something" if text_of(path) else "nothing")
    return step


# --- the machine ---

def keep_file(path):
    """Puts a file of the machine aside; it comes back when the stage is cleared."""
    def step(stage):
        file, aside = pathlib.Path(path), pathlib.Path(path + ".side-by-side")
        if os.path.lexists(file):
            file.rename(aside)

        def put_back():
            file.unlink(missing_ok=True)
            if os.path.lexists(aside):
                aside.rename(file)

        stage.undo.append(put_back)
    return step


def machine_file(path, text):
    return lambda stage: pathlib.Path(path).write_text(stage.fill_in(text))


def machine_file_facts(path, *words):
    """The mode of a file that the daemon wrote, and whether it has these words."""
    def step(stage):
        text = text_of(path)
        mode = f"{pathlib.Path(path).stat().st_mode:o}"
        stage.note(path, ", ".join([mode, *(word for word in words if word in text)]))
    return step


class Server(threading.Thread):
    """Accepts connections one after the other, and talks to each by answer(connection)."""

    def __init__(self, address, answer):
        super().__init__(daemon=True)
        self.answer = answer
        self.listener = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(address)
        self.listener.listen(8)
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(DEADLINE_SECONDS)
                try:
                    self.answer(connection)
                except OSError:
                    pass

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join()


def serve(port, answer):
    """A server of the test's own, on a port of the scenario or of the machine."""
    def step(stage):
        number = port if isinstance(port, int) else stage.ports[port]
        try:
            server = Server((HOST, number), answer)
        except OSError as error:
            raise Skipped(f"port {number} can't be had: {error.strerror}") from error
        stage.undo.append(server.end)
    return step


def serve_datagrams(path, log):
    """A socket of the machine; the daemon's datagrams to it become lines of a log."""
    def step(stage):
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        receiver.bind(path)
        pathlib.Path(path).chmod(0o666)

        def receive():
            with receiver, open(stage.directory / log, "wb", buffering=0) as lines:
                while data := receiver.recv(65536):
                    if re.search(rb" (xinetd|usherd)\[\d+\]: ", data):
                        lines.write(data + b"\n")

        def end_receiving():
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"", path)
            thread.join()

        thread = threading.Thread(target=receive, daemon=True)
        thread.start()
        stage.undo.append(end_receiving)
    return step


def within(seconds, *steps):
    """Steps that say something of the daemon only when they take no longer than that.
    A scenario that fails after they took longer is played again."""
    def step(stage):
        due = time.monotonic() + seconds
        try:
            for each in steps:
                each(stage)
        finally:
            stage.scenario.was_too_slow |= time.monotonic() > due
    return step


def busy_for_a_while():
    """Until the machine's load can be told from none."""
    def is_busy():
        for _ in range(100000):
            pass
        return float(text_of("/proc/loadavg").split()[0]) > 0.01
    return lambda stage: eventually(is_busy, "some load")
