"""curl's ftp, both data connection modes, through vsftpd."""
import kit


class FtpTest(kit.ClientTest):
    programs = ("vsftpd", "curl")
    needs_root = True

    def setUp(self):
        super().setUp()
        self.make_directory("empty")
        self.make_directory("served/incoming", owner="ftp")
        self.write_random("served/large", 5 << 20)
        settings = self.write("vsftpd.conf", "\n".join((
            "listen=NO", "listen_ipv6=NO", "local_enable=NO", "seccomp_sandbox=NO",
            "anonymous_enable=YES", "no_anon_password=YES", "ftp_username=ftp",
            "nopriv_user=nobody", f"anon_root={self.place}/served",
            f"secure_chroot_dir={self.place}/empty", "write_enable=YES",
            "anon_upload_enable=YES", "anon_umask=022", "")))
        self.url = f"ftp://{kit.HOST}:{self.add_program('ftp', 'vsftpd', settings)}/"
        self.start_daemon()

    def assert_ftp_sessions(self, count):
        """vsftpd ends with status 2 when curl, having said QUIT, was gone before the reply."""
        self.assert_sessions("ftp", count, end="status=[02]")

    def curl(self, *arguments):
        return self.run_step("curl", "-sS", "--max-time", "15", *arguments)

    def test_lists(self):
        self.assertEqual(self.curl("--list-only", self.url).split(), [b"incoming", b"large"])
        self.assert_ftp_sessions(1)

    def test_gets(self):
        self.curl("-o", "fetched", self.url + "large")
        self.assert_same_files("served/large", "fetched")
        self.assert_ftp_sessions(1)

    def test_gets_over_an_active_data_connection(self):
        self.curl("--ftp-port", "-", "-o", "fetched", self.url + "large")
        self.assert_same_files("served/large", "fetched")
        self.assert_ftp_sessions(1)

    def test_puts(self):
        self.curl("-T", "served/large", self.url + "incoming/sent")
        self.assert_same_files("served/large", "served/incoming/sent")
        self.assert_ftp_sessions(1)

    def test_gets_eight_at_once(self):
        self.at_once(lambda n: self.curl("-o", f"fetched{n}", self.url + "large"), 8)
        for n in range(8):
            self.assert_same_files("served/large", f"fetched{n}")
        self.assert_ftp_sessions(8)
