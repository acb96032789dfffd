"""rpcinfo finds RPC services through rpcbind, in namespaces of the test's own."""
import os
import socket
import subprocess

import kit

# Of <sched.h>.
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
PROGRAM = 200100  # among those that nobody registers, RFC 5531, 8.2


def must(result):
    if result < 0:
        raise OSError(kit.ctypes.get_errno(), "namespaces")


class RpcTest(kit.ClientTest):
    programs = ("rpcbind", "rpcinfo", "ip", "mount")
    needs_root = True

    def setUp(self):
        super().setUp()
        self.enter_namespaces()
        rpcbind = subprocess.Popen([self.which("rpcbind"), "-f", "-w"], env=self.environment,
                                   preexec_fn=kit.end_with_parent, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.steps.append(rpcbind)
        self.addCleanup(self.end_step, rpcbind)
        self.wait_for_rpcbind()

    def enter_namespaces(self):
        """A network without an rpcbind, and a /run where its socket is nobody's."""
        for kind in ("mnt", "net"):
            before = os.open(f"/proc/self/ns/{kind}", os.O_RDONLY)
            self.addCleanup(os.close, before)
            self.addCleanup(lambda fd=before: must(kit.libc.setns(fd, 0)))
        must(kit.libc.unshare(CLONE_NEWNS | CLONE_NEWNET))
        self.run_step("mount", "--make-rprivate", "/")
        self.run_step("mount", "-t", "tmpfs", "tmpfs", "/run")
        self.run_step("ip", "link", "set", "lo", "up")

    def wait_for_rpcbind(self):
        for _ in range(200):
            with socket.socket() as probe:
                probe.settimeout(kit.DEADLINE_SECONDS)
                if probe.connect_ex((kit.HOST, 111)) == 0:
                    return
            kit.time.sleep(0.05)  # a port that is not there yet is no event
        self.fail("rpcbind does not listen")

    def registered(self):
        """The versions of PROGRAM that rpcbind knows, with their transports and ports."""
        lines = self.run_step("rpcinfo", "-p", kit.HOST).decode().split("\n")
        return [line.split()[1:4] for line in lines if line.split()[:1] == [str(PROGRAM)]]

    def wait_for_registered(self, count):
        for _ in range(200):
            if len(self.registered()) == count:
                return
            kit.time.sleep(0.05)
        self.fail(f"registered: {self.registered()}")

    def add_rpc(self, versions):
        self.add_program("zzrpc", "cat", type="RPC UNLISTED", rpc_number=PROGRAM,
                         rpc_version=versions, port=0)

    def test_registers_each_version_and_takes_it_back(self):
        self.add_rpc("1-2")
        self.start_daemon()
        self.wait_for_registered(2)
        ports = {port for _, _, port in self.registered()}
        self.assertEqual([entry[:2] for entry in self.registered()], [["1", "tcp"], ["2", "tcp"]])
        self.assertEqual(len(ports), 1)
        with socket.create_connection((kit.HOST, int(ports.pop()))) as client:
            client.sendall(b"hello")
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(client.recv(100), b"hello")
        self.assert_sessions("zzrpc", 1)
        self.stop_daemon()
        self.assertEqual(self.registered(), [])

    def test_follows_a_reload(self):
        self.add_rpc("1")
        self.start_daemon()
        self.wait_for_registered(1)
        self.configuration = self.configuration.replace("rpc_version = 1", "rpc_version = 1-3")
        self.write("usherd.conf", self.configuration)
        self.reload_daemon()
        self.wait_for_registered(3)
        self.configuration = self.configuration.partition("service zzrpc")[0]
        self.write("usherd.conf", self.configuration)
        self.reload_daemon()
        self.wait_for_registered(0)

    def test_says_when_rpcbind_does_not_take_it(self):
        self.steps[0].kill()
        self.steps[0].wait()
        self.add_rpc("1")
        self.start_daemon()
        self.wait_for_lines(kit.DAEMON_LOG, "zzrpc: rpcbind did not register 1 version")
