"""Debian's own start script for xinetd, with the daemon in xinetd's place."""
import os
import pathlib

import kit

SCRIPT = pathlib.Path("/etc/init.d/xinetd")

# In a network, an /etc and a /run of its own, and as the first process of them all,
# whose end is the end of the daemon.
SETTING = r"""
set -eu
directory=$1 daemon=$2
ip link set lo up
mount -t tmpfs none /run
mkdir /run/etc
cp -a /etc/. /run/etc
mount --bind /run/etc /etc
mount --bind "$daemon" /usr/sbin/xinetd
cp "$directory/xinetd.conf" "$directory/inetd.conf" /etc
cp "$directory/default" /etc/default/xinetd

becomes() { # CONDITION, in 10 seconds
	turns=100
	until eval "$1"; do
		turns=$((turns - 1))
		[ "$turns" -gt 0 ] || { echo "waited in vain for $1"; exit 1; }
		sleep 0.1
	done
}
ask() { nc -N -w 10 "$1" "$2" </dev/null || echo "no answer at $1 $2"; }
"""

STORY = r"""
/etc/init.d/xinetd start
becomes '[ -s /run/xinetd.pid ]'
ask 127.0.0.1 7200
ask ::1 7200
ask 127.0.0.1 7201
/etc/init.d/xinetd status >/run/status 2>&1 || echo "status $?"
echo '7202 stream tcp nowait root /bin/echo echo third' >>/etc/inetd.conf
/etc/init.d/xinetd reload
becomes 'ask 127.0.0.1 7202 | grep -q third'
/etc/init.d/xinetd stop
becomes '[ ! -e /run/xinetd.pid ]'
nc -z 127.0.0.1 7200 || echo ended
"""


class InitScriptTest(kit.ClientTest):
    programs = ("start-stop-daemon", "unshare", "ip", "nc", "perl")
    needs_root = True

    def setUp(self):
        super().setUp()
        if not SCRIPT.exists():
            self.do_without("xinetd is not installed")
        self.write("default", 'INETD_COMPAT=Yes\nXINETD_OPTS="-stayalive"\n')
        self.write("inetd.conf", "7200 stream tcp nowait root /bin/echo echo first\n")
        self.write("xinetd.conf", """
service second
{
    type = UNLISTED
    socket_type = stream
    protocol = tcp
    wait = no
    user = root
    port = 7201
    server = /bin/echo
    server_args = second
}
""")

    def play(self, story):
        script = self.write("story", SETTING + story)
        return self.run_step(
            "unshare", "-mnpf", "--mount-proc", "--kill-child", "--propagation", "private",
            "sh", script, self.place, os.environ["USHERD"]).decode()

    def test_it_starts_reloads_and_stops_the_daemon(self):
        lines = [line for line in self.play(STORY).splitlines() if "internet superserver" not in line]
        self.assertEqual(lines, ["first", "first", "second", "ended"])
