"""git clone, fetch and push through `git daemon --inetd`."""
import kit


class GitTest(kit.ClientTest):
    programs = ("git",)

    def setUp(self):
        super().setUp()
        self.environment.update({
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@example.org"})
        # No maintenance goes on in the background after a step has ended.
        self.write(".gitconfig", "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"
                                 "[receive]\n\tautogc = false\n[init]\n\tdefaultBranch = main\n")
        served = self.make_directory("served")
        self.run_step("git", "init", "-q", "--bare", "served/project.git")
        self.run_step("git", "init", "-q", "work")
        self.commit("work", "first")
        self.run_step("git", "-C", "work", "push", "-q", served / "project.git", "main")
        self.serve(served)

    def serve(self, served):
        port = self.add_program("git", "git", "daemon", "--inetd", "--export-all",
                                "--enable=receive-pack", f"--base-path={served}", served)
        self.url = f"git://{kit.HOST}:{port}/project.git"

    def commit(self, repository, name):
        self.write_random(f"{repository}/{name}", 1 << 20)
        self.run_step("git", "-C", repository, "add", name)
        self.run_step("git", "-C", repository, "commit", "-q", "-m", name)

    def head(self, repository):
        return self.run_step("git", "-C", repository, "rev-parse", "main")

    def test_clones(self):
        self.start_daemon()
        self.run_step("git", "clone", "-q", self.url, "clone")
        self.run_step("git", "-C", "clone", "fsck", "--strict")
        self.assertEqual(self.head("clone"), self.head("work"))
        self.assert_sessions("git", 1)

    def test_pushes_and_fetches(self):
        self.start_daemon()
        self.run_step("git", "clone", "-q", self.url, "clone")
        self.commit("work", "second")
        self.run_step("git", "-C", "work", "push", "-q", self.url, "main")
        self.assertEqual(self.head("served/project.git"), self.head("work"))
        self.run_step("git", "-C", "clone", "pull", "-q", "--ff-only")
        self.assertEqual(self.head("clone"), self.head("work"))
        self.assert_sessions("git", 3)

    def test_clones_eight_at_once(self):
        self.start_daemon()
        self.at_once(lambda n: self.run_step("git", "clone", "-q", self.url, f"clone{n}"), 8)
        for n in range(8):
            self.assertEqual(self.head(f"clone{n}"), self.head("work"))
        self.assert_sessions("git", 8)
