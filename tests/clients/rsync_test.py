"""rsync in both directions through `rsync --daemon`."""
import kit


class RsyncTest(kit.ClientTest):
    programs = ("rsync",)

    def setUp(self):
        super().setUp()
        self.make_directory("served")
        self.make_directory("local/below")
        self.write_random("local/large", 5 << 20)
        self.write("local/below/small", "small\n")
        # Without identity of its own the server stays the user it was started as.
        identity = f"uid = {kit.USER}\n" if kit.USER == "root" else ""
        settings = self.write(
            "rsyncd.conf", f"log file = {self.place}/rsync.log\nuse chroot = no\n{identity}"
            f"[files]\n\tpath = {self.place}/served\n\tread only = no\n\tcomment = a module\n")
        port = self.add_program("rsync", "rsync", "--daemon", f"--config={settings}")
        self.url = f"rsync://{kit.HOST}:{port}/"
        self.start_daemon()

    def sync(self, *arguments):
        return self.run_step("rsync", "-a", "--delete", "--timeout=15", *arguments)

    def test_lists_modules(self):
        self.assertRegex(self.sync(self.url).decode(), r"files\s+a module")
        self.assert_sessions("rsync", 1, end="status=255")  # which is how rsync ends a list

    def test_sends_and_fetches(self):
        self.sync("local/", self.url + "files/")
        self.assert_same_files("local", "served")
        self.sync(self.url + "files/", "back/")
        self.assert_same_files("local", "back")
        self.assert_sessions("rsync", 2)

    def test_sends_only_what_changed(self):
        self.sync("local/", self.url + "files/")
        (self.place / "local/below/small").unlink()
        large = self.place / "local/large"
        large.write_bytes(b"more" + large.read_bytes())
        report = self.sync("--stats", "--no-whole-file", "local/", self.url + "files/").decode()
        self.assertRegex(report, r"Matched data: [1-9]")
        self.assert_same_files("local", "served")
        self.assert_sessions("rsync", 2)

    def test_fetches_eight_at_once(self):
        self.sync("local/", self.url + "files/")
        self.at_once(lambda n: self.sync(self.url + "files/", f"back{n}/"), 8)
        for n in range(8):
            self.assert_same_files("local", f"back{n}")
        self.assert_sessions("rsync", 9)
