"""fail2ban finds the refused addresses in the service log, and nobody else's."""
import pathlib
import socket
import time

import kit

REFUSED = ["127.0.0.2", "127.0.0.3", "127.0.0.2"]

FILTERS = pathlib.Path("/etc/fail2ban/filter.d")
OURS = pathlib.Path("packaging/fail2ban/filter.conf")


class Fail2banTest(kit.ClientTest):
    programs = ("fail2ban-regex",)

    def setUp(self):
        super().setUp()
        port = self.add_program("hello", "echo", "hello", only_from=kit.HOST)
        full_port = self.add_program("full", "echo", "hello", instances="0")
        self.began = time.time()
        self.start_daemon()
        for peer in REFUSED:
            self.assertEqual(self.answer(port, peer), b"")
        self.assertEqual(self.answer(port, kit.HOST), b"hello\n")
        self.assertEqual(self.answer(full_port, kit.HOST), b"")
        self.wait_for_lines(kit.SERVICE_LOG, "FAIL: hello address ", len(REFUSED))
        self.wait_for_lines(kit.SERVICE_LOG, "FAIL: full service_limit ")
        self.wait_for_lines(kit.SERVICE_LOG, "EXIT: hello status=0 ")

    @staticmethod
    def answer(port, source):
        """What a peer gets; nothing when the connection is closed or reset."""
        with socket.create_connection((kit.HOST, port), kit.DEADLINE_SECONDS,
                                      (source, 0)) as connection:
            try:
                return connection.recv(100)
            except ConnectionResetError:
                return b""

    def find(self, pattern, name):
        """What the filter finds in the service log, each refusal in this pattern."""
        log = self.place / kit.SERVICE_LOG
        return self.run_step("fail2ban-regex", "-o", pattern, log, name).decode().splitlines()

    def test_a_filter_of_our_own_finds_them_and_their_time(self):
        self.write("common.conf", (FILTERS / "common.conf").read_text())
        ours = self.write("usherd.conf", OURS.read_text())
        found = [line.split() for line in self.find("<ip> <time>", ours)]
        self.assertEqual([address for address, _ in found], REFUSED)
        for _, moment in found:
            self.assertLessEqual(int(self.began), float(moment))
            self.assertLessEqual(float(moment), time.time())

    def test_the_filter_for_xinetd_finds_them(self):
        self.assertEqual(self.find("<ip>", "xinetd-fail"), REFUSED)
