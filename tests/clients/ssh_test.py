"""ssh and scp through `sshd -i`, with keys made for the occasion."""
import os

import kit


class SshTest(kit.ClientTest):
    programs = ("sshd", "ssh", "ssh-keygen", "scp")
    needs_root = True

    def setUp(self):
        super().setUp()
        for key in ("host_key", "user_key"):
            self.run_step("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
        # sshd wants it, and where nobody started sshd yet it is not there.
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        settings = self.write("sshd_config", "\n".join((
            f"HostKey {self.place}/host_key", f"AuthorizedKeysFile {self.place}/user_key.pub",
            "SetEnv SHLVL=1",  # keeps bash from reading .bashrc
            "KexAlgorithms curve25519-sha256",  # the quickest
            "StrictModes no", "PermitRootLogin prohibit-password", "PrintMotd no",
            "PasswordAuthentication no", "KbdInteractiveAuthentication no",
            f"UsePAM {'yes' if self.is_locked(kit.USER) else 'no'}",
            "Subsystem sftp internal-sftp", "")))
        self.port = self.add_program("ssh", "sshd", "-i", "-f", settings,
                                     "-E", self.place / "sshd.log")
        host_key = " ".join(self.read("host_key.pub").split()[:2])
        self.write("known_hosts", f"[{kit.HOST}]:{self.port} {host_key}\n")
        self.start_daemon()

    def is_locked(self, user):
        """Whether sshd takes the account of user for locked unless it asks PAM."""
        return self.run_step("getent", "shadow", user).split(b":")[1].startswith(b"!")

    def options(self):
        return ("-F", "none", "-i", self.place / "user_key", "-o", "BatchMode=yes",
                "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
                "-o", "GlobalKnownHostsFile=none",
                "-o", f"UserKnownHostsFile={self.place}/known_hosts")

    def command(self, *words):
        return ("ssh", *self.options(), "-p", str(self.port), f"{kit.USER}@{kit.HOST}", *words)

    def copy(self, source, target):
        self.run_step("scp", "-q", *self.options(), "-P", str(self.port), source, target)

    def remote(self, name):
        return f"{kit.USER}@{kit.HOST}:{self.place}/{name}"

    def test_runs_a_command(self):
        self.assertEqual(self.run_step(*self.command("cat; echo there"), given=b"here\n"),
                         b"here\nthere\n")
        self.run_step(*self.command("exit 7"), statuses=(7,))
        self.assert_sessions("ssh", 2, end="status=255")  # which is how sshd ends

    def test_copies_files(self):
        self.write_random("large", 5 << 20)
        self.copy("large", self.remote("sent"))
        self.assert_same_files("large", "sent")
        self.copy(self.remote("sent"), "fetched")
        self.assert_same_files("large", "fetched")
        self.assert_sessions("ssh", 2, end="status=255")

    def test_runs_eight_commands_at_once(self):
        said = self.at_once(lambda n: self.run_step(*self.command(f"echo {n}")), 8)
        self.assertEqual(said, [f"{n}\n".encode() for n in range(8)])
        self.assert_sessions("ssh", 8, end="status=255")

    def assert_echoes(self, session, line):
        session.stdin.write(line)
        session.stdin.flush()
        self.assertEqual(session.stdout.readline(), line)

    def test_session_outlives_a_reload(self):
        session = self.start_step(*self.command("cat"))
        self.assert_echoes(session, b"before\n")
        self.reload_daemon()
        self.assert_echoes(session, b"after\n")
        session.communicate(timeout=kit.DEADLINE_SECONDS)
        self.assert_sessions("ssh", 1, end="status=255")

    def test_session_ends_with_the_daemon(self):
        session = self.start_step(*self.command("cat"))
        self.assert_echoes(session, b"before\n")
        self.stop_daemon()
        self.assertEqual(session.stdout.read(), b"")
        self.assertEqual(session.wait(kit.DEADLINE_SECONDS), 255)
        # sshd forgets a SIGTERM that comes just before it waits; then it is killed.
        self.assert_sessions("ssh", 1, end="status=255|signal=9")
