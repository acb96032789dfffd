"""What README.md shows is done here: each block with a name, on other ports, in other places."""
import errno
import json
import os
import pathlib
import re
import socket
import time

import kit
import proof_of_work_test

TOP = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\S*) ?(.*)\n((?:.*\n)*?)^```$", re.MULTILINE)

# Blocks that are done elsewhere.
ELSEWHERE = {"uname": "tests/minimal_root/follow_readme", "docker": "tests/packages/in_root"}

BAN_SOURCE = "127.0.0.9"


def blocks():
    return {name: text for _, name, text in BLOCK.findall((TOP / "README.md").read_text())}


class ReadmeTest(kit.ClientTest):
    """Commands of the page find a usherd in PATH."""

    def setUp(self):
        super().setUp()
        commands = self.make_directory("bin")
        (commands / "usherd").symlink_to(os.environ["USHERD"])
        self.environment["PATH"] = f"{commands}:{kit.PATH}"

    def start_daemon_by(self, command, output="daemon.err"):
        """A program may end a moment after its client."""
        super().start_daemon_by(command, output)
        self.addCleanup(self.see_servers_end)

    def block(self, name, *pairs):
        """The block of that name, with other words in place of some that it has."""
        text = blocks()[name]
        for old, new in pairs:
            self.assertIn(old, text)
            text = text.replace(old, str(new))
        return text

    def entry(self, name, user, *pairs):
        """An entry for a user who is there."""
        text = self.block(name, *pairs)
        found = re.search(r"user\t+= (\S+)", text)
        self.assertEqual(found[1], user)
        if os.geteuid() == 0 and (user.isdigit() or user == "nobody"):
            return text
        return text.replace(found[0], f"user = {kit.USER}")

    def run_block(self, text):
        return self.run_step("sh", "-ec", text).decode()

    def serve(self, line):
        self.start_daemon_by(["sh", "-ec", f"exec {line}"], kit.DAEMON_LOG)

    def talk(self, port, sent=b"hello\n", source=kit.HOST):
        """What comes until the end, which is a reset for who is refused."""
        to = "::1" if ":" in source else kit.HOST
        with socket.create_connection((to, port), kit.DEADLINE_SECONDS, (source, 0)) as peer:
            received = b""
            try:
                peer.sendall(sent)
                peer.shutdown(socket.SHUT_WR)
                while piece := peer.recv(65536):
                    received += piece
            except OSError as error:
                if error.errno not in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN):
                    raise
        return received


class PageTest(ReadmeTest):
    def test_every_block_is_done(self):
        page = (TOP / "README.md").read_text()
        source = pathlib.Path(__file__).read_text()
        done = set(re.findall(r'self\.(?:block|entry)\(\s*"(\w+)"', source))
        self.assertEqual(set(blocks()), done | set(ELSEWHERE))
        self.assertEqual(len(re.findall("^```", page, re.MULTILINE)), 2 * len(blocks()))
        for name, path in ELSEWHERE.items():
            self.assertIn("README.md", (TOP / path).read_text(), name)


class ServeTest(ReadmeTest):
    def setUp(self):
        super().setUp()
        self.write("program", "#!/bin/sh\nexec cat\n", 0o755)
        self.port = self.take_port()

    def test_serves_a_program(self):
        self.serve(self.block("serve", ("1337", self.port)))
        self.assertEqual(self.talk(self.port), b"hello\n")
        self.assertEqual(self.talk(self.port, source="::1"), b"hello\n")

    def test_serves_it_with_limits(self):
        self.serve(self.block("limits", ("1337", self.port)))
        self.assertEqual(self.talk(self.port, source="::1"), b"hello\n")
        self.assertEqual(self.talk(self.port), b"")
        self.wait_for_lines(kit.DAEMON_LOG, f"FAIL: program address from={kit.HOST}\n")

    def test_keeps_the_line_as_an_entry(self):
        self.run_block(self.block("keep", ("1337", self.port)))
        self.assertIn("max_runtime", self.read("program.conf"))
        self.serve("usherd -dontfork -f program.conf")
        self.assertEqual(self.talk(self.port), b"hello\n")


class GitTest(ReadmeTest):
    programs = ("git",)

    def setUp(self):
        super().setUp()
        self.environment.update({
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@example.org"})
        self.write(".gitconfig", "[init]\n\tdefaultBranch = main\n")
        self.make_directory("git")
        self.run_block("git init -q --bare git/project.git && git init -q work\n"
                       "git -C work commit -q --allow-empty -m first\n"
                       "git -C work push -q ../git/project.git main")

    def test_clones(self):
        port = self.take_port()
        self.configuration += self.entry(
            "git", "git", ("9418", port), ("/srv/git", self.place / "git"),
            ("/usr/bin/git", self.which("git")))
        self.start_daemon()
        self.run_block(self.block("clone", ("localhost", f"{kit.HOST}:{port}")))
        self.assertEqual(self.run_block("git -C project rev-parse main"),
                         self.run_block("git -C work rev-parse main"))
        self.assert_sessions("git", 1)


class ChallengeTest(ReadmeTest):
    programs = ("gcc",)

    def setUp(self):
        super().setUp()
        for name in ("tmp", "proc", "dev"):
            self.make_directory(f"challenge/{name}")
        self.write("run.c", '#include <stdio.h>\n#include <unistd.h>\nint main(void)\n'
                            '{\n\tchar line[80];\n\n'
                            '\treturn fgets(line, sizeof line, stdin) ?\n'
                            '\t\t!printf("%d %s", access("/proc/self", F_OK), line) : 1;\n}\n')
        self.run_step("gcc", "-static", "-o", "challenge/run", "run.c")
        self.port = self.take_port()

    def do_without_missing_limits(self):
        """As the messages say, where the daemon has no cgroups."""
        done = set()
        while missing := set(re.findall(r"write (\w+) = UNLIMITED",
                                        self.read(kit.DAEMON_LOG))) - done:
            done |= missing
            lines = "".join(f"\t{name} = UNLIMITED\n" for name in missing)
            self.configuration = self.configuration.replace("\tpreset", f"{lines}\tpreset")
            self.write("usherd.conf", self.configuration)
            self.reload_daemon()

    def test_is_played(self):
        self.configuration += self.entry(
            "challenge", "20001", ("1337", self.port), ("= 5000", "= 20"),
            ("/srv/challenge", self.place / "challenge"))
        self.start_daemon()
        self.do_without_missing_limits()
        with socket.create_connection((kit.HOST, self.port), kit.DEADLINE_SECONDS) as player:
            prompt = b""
            while not prompt.endswith(b"solution: "):
                piece = player.recv(4096)
                self.assertTrue(piece, prompt)
                prompt += piece
            puzzle = re.search(rb"solve (\S+)", prompt)[1].decode()
            solution = proof_of_work_test.kctf_text(proof_of_work_test.solve(puzzle))
            player.sendall(f"{solution}\nhello\n".encode())
            answer = b""
            while piece := player.recv(4096):
                answer += piece
        self.assertEqual(answer, b"Correct\n0 hello\n")
        self.assert_sessions("challenge", 1)


class BalancerTest(ReadmeTest):
    programs = ("haproxy",)

    def test_balances_between_two_machines(self):
        front, one, two = self.take_port(), self.take_port(), self.take_port()
        for name, port in (("one", one), ("two", two)):
            self.configuration += self.entry(
                "proxied", "nobody", ("greeting", name), ("7000", port),
                ("192.0.2.10", kit.HOST))
        self.start_daemon()
        self.write("haproxy.cfg", self.block(
            "balancer", (":7000\n\tdefault", f"{kit.HOST}:{front}\n\tdefault"),
            ("192.0.2.21:7000 send-proxy-v2 check port 7000",
             f"{kit.HOST}:{one} send-proxy-v2 check port {one}"),
            ("192.0.2.22:7000 send-proxy-v2 check port 7000",
             f"{kit.HOST}:{two} send-proxy-v2 check port {two}")))
        self.run_step("haproxy", "-c", "-f", "haproxy.cfg")
        self.start_step("haproxy", "-db", "-f", "haproxy.cfg")
        self.wait_until_it_listens(front)
        for host in range(2, 10):
            source = f"127.0.0.{host}"
            self.assertRegex(self.talk(front, source=source).decode(),
                             rf"(?m)^REMOTE_HOST={source}$")
        self.wait_for_lines(kit.SERVICE_LOG, "EXIT: one")
        self.wait_for_lines(kit.SERVICE_LOG, "EXIT: two")
        self.assertNotIn("FAIL", self.read(kit.SERVICE_LOG))

    def wait_until_it_listens(self, port):
        due = time.monotonic() + kit.DEADLINE_SECONDS
        while True:
            try:
                socket.create_connection((kit.HOST, port)).close()
                return
            except ConnectionRefusedError:
                self.assertLess(time.monotonic(), due, "the balancer does not listen")


class MovingTest(ReadmeTest):
    def test_reads_the_files_of_xinetd(self):
        etc = self.make_directory("etc/xinetd.d").parent
        self.write("etc/xinetd.conf", "defaults\n{\n\tinstances = 60\n"
                                      "\tlog_type = SYSLOG authpriv\n\tcps = 25 30\n}\n\n"
                                      f"includedir {etc}/xinetd.d\n")
        self.write("etc/xinetd.d/rsync", "# default: off\nservice rsync\n{\n\tdisable = no\n"
                                         "\tsocket_type = stream\n\twait = no\n"
                                         f"\tuser = {kit.USER}\n\tserver = /bin/cat\n"
                                         "\tserver_args = -u\n\tlog_on_failure += USERID\n}\n")
        printed = self.run_block(self.block("xinetd", ("/etc/", f"{etc}/")))
        self.assertRegex(printed, r"(?m)^1 service")
        self.assertRegex(printed, r"(?m)^service rsync$")
        self.assertRegex(printed, r"192\.0\.2\.7 would be admitted")

    def write_inputs(self, text):
        """The files that the page has imported; that of socat is in its comment."""
        self.ports = {"echo": self.take_port(), "socat": self.take_port()}
        etc = self.make_directory("etc")
        self.write("etc/inetd.conf", "daytime stream tcp nowait root internal\n")
        self.write("echo.socket", "[Socket]\nAccept=yes\n"
                                  f"ListenStream={kit.HOST}:{self.ports['echo']}\n")
        self.write("echo@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"
                                    f"User={kit.USER}\n")
        line = re.search(r"start\.sh .*# (socat .*)", text)[1]
        self.assertIn(":1337,", line)
        self.write("start.sh", f"#!/bin/sh\n{line}\n".replace("1337", str(self.ports["socat"])))
        self.write("Dockerfile", "FROM pwn.red/jail\nENV JAIL_TIME=60 JAIL_MEM=20M JAIL_FOO=1\n")
        self.write("nsjail.cfg", 'name: "x"\nmode: LISTEN\nport: 7777\ntime_limit: 100\n'
                                 'mount { src: "/srv/x" dst: "/" is_bind: true }\n'
                                 'exec_bin { path: "/run" }\n')
        return text.replace("/etc/", f"{etc}/")

    def test_imports_files_of_others(self):
        self.run_block(self.write_inputs(self.block("import")))
        for name, line in (("inetd", r"^service daytime$"), ("jail", r"preset\s+= jail"),
                           ("jail", r"(?m)^# .*Dockerfile:2: .*JAIL_FOO"),
                           ("nsjail", r"max_runtime\s+= 100$")):
            self.assertRegex(self.read(f"{name}.usherd"), f"(?m){line}")
        self.configuration += self.read("echo.usherd") + self.read("socat.usherd")
        self.start_daemon()
        for port in self.ports.values():
            self.assertEqual(self.talk(port), b"hello\n")


class AskTest(ReadmeTest):
    def setUp(self):
        super().setUp()
        self.add_entry("daemon", {"control_socket": self.place / "control"})
        self.uname = self.add_program("uname", "uname", "-a")
        self.cat = self.add_program("cat", "cat")
        self.trap = self.add_service("trap", type="INTERNAL UNLISTED", flags="SENSOR",
                                     deny_time="60")
        self.start_daemon()
        command = self.place / "bin/usherd"
        command.unlink()
        self.write("bin/usherd", f"#!/bin/sh\nexec {os.environ['USHERD']} \"$@\" "
                                 f"-f {self.place}/usherd.conf\n", 0o755)

    def session_of_cat(self):
        sessions = json.loads(self.run_block("usherd -status=json"))["sessions"]
        return [one["session"] for one in sessions if one["service"] == "cat"][0]

    def test_asks_the_daemon(self):
        self.talk(self.trap, b"", BAN_SOURCE)
        with socket.create_connection((kit.HOST, self.cat), kit.DEADLINE_SECONDS) as held:
            held.sendall(b"held\n")
            self.assertEqual(held.recv(16), b"held\n")
            printed = self.run_block(self.block("ask", ("SESSION", self.session_of_cat()),
                                                ("192.0.2.7", BAN_SOURCE)))
            self.assertEqual(held.recv(16), b"")
        for line in (r"^usherd .*: every service is up$", r'^{"version": ',
                     r'^usherd_service_up{service="uname"} 1$', r"^new=0 old=3 dropped=0",
                     r"^uname is paused for at most 30 seconds$", r"^uname is resumed$",
                     r"^session .* of cat is being ended$",
                     rf"^{re.escape(BAN_SOURCE)} is not banned any more$"):
            self.assertRegex(printed, f"(?m){line}")
        self.assertIn(b"Linux", self.talk(self.uname, b""))
