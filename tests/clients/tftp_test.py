"""tftp get and put through tftpd-hpa's in.tftpd, which is given the socket (wait = yes)
and ends when no request came for a second."""
import re

import kit


class TftpTest(kit.ClientTest):
    programs = ("in.tftpd", "tftp")
    needs_root = True

    def setUp(self):
        super().setUp()
        self.served = self.make_directory("served", owner="nobody")
        self.port = self.add_program(
            "tftp", "in.tftpd", "--secure", "--create", "--user", "nobody", "--timeout", "1",
            self.served, socket_type="dgram", protocol="udp", wait="yes")
        self.start_daemon()

    def tftp(self, *command):
        """The client's status tells nothing; the files do."""
        self.run_step("tftp", "-4", "-m", "binary", kit.HOST, str(self.port), "-c", *command)

    def wait_for_the_end_of_servers(self, count):
        """A request that comes when the server is leaving may need one more."""
        self.wait_for_lines(kit.SERVICE_LOG, "EXIT: tftp ", count)
        starts = len(re.findall("START: tftp ", self.read(kit.SERVICE_LOG)))
        self.assert_sessions("tftp", starts)
        self.see_servers_end()  # the one for the last client waits for a while, too

    def test_gets(self):
        self.write_random("served/large", 1 << 20)
        self.tftp("get", "large", "fetched")
        self.assert_same_files("served/large", "fetched")
        self.wait_for_the_end_of_servers(1)

    def test_puts(self):
        self.write_random("large", 1 << 20)
        self.tftp("put", "large", "sent")
        self.assert_same_files("large", "served/sent")
        self.wait_for_the_end_of_servers(1)

    def test_starts_another_server_after_the_first_has_ended(self):
        self.write_random("served/small", 1000)
        self.tftp("get", "small", "one")
        self.wait_for_the_end_of_servers(1)
        self.tftp("get", "small", "two")
        self.assert_same_files("one", "two")
        self.assert_same_files("served/small", "two")
        self.wait_for_the_end_of_servers(2)

    def test_gets_eight_at_once(self):
        self.write_random("served/large", 1 << 18)
        self.at_once(lambda n: self.tftp("get", "large", f"fetched{n}"), 8)
        for n in range(8):
            self.assert_same_files("served/large", f"fetched{n}")
        self.wait_for_the_end_of_servers(1)
