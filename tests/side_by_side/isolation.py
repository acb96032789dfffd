"""A network, an /etc, a /dev and a /run of one's own, where the kernel allows it:
nobody else has port 113 or /dev/log there, and what tests change is nobody else's."""
import contextlib
import ctypes
import fcntl
import os
import shutil
import socket
import struct
import tempfile

# Of <sched.h>, <sys/mount.h>, <net/if.h> and <bits/ioctls.h>.
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
IFF_UP = 1
SIOCSIFFLAGS = 0x8914

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")

libc = ctypes.CDLL(None, use_errno=True)


def check(status):
    if status < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def mount(source, target, kind, flags):
    check(libc.mount(os.fsencode(source), os.fsencode(target), kind, ctypes.c_ulong(flags), None))


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))


def copy_etc(place):
    with contextlib.suppress(shutil.Error):  # files that went meanwhile
        shutil.copytree("/etc", place, symlinks=True, dirs_exist_ok=True)


def make_devices(place):
    for name in DEVICES:
        open(f"{place}/{name}", "xb").close()
        mount(f"/dev/{name}", f"{place}/{name}", None, MS_BIND)
    os.symlink("/proc/self/fd", f"{place}/fd")


def own(directory, fill=lambda place: None):
    """directory has from here on what fill puts into its place."""
    place = tempfile.mkdtemp(prefix="side-by-side-")
    mount("tmpfs", place, b"tmpfs", 0)
    os.chmod(place, 0o755)
    fill(place)
    mount(place, directory, None, MS_BIND | MS_REC)
    check(libc.umount2(os.fsencode(place), MNT_DETACH))
    os.rmdir(place)


def enter():
    check(libc.unshare(CLONE_NEWNS | CLONE_NEWNET))
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    own("/etc", copy_etc)
    own("/dev", make_devices)
    own("/run")
    raise_loopback()


def is_allowed():
    """Whether enter would work, which can't be taken back halfway."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(OSError):
            enter()
            os._exit(0)
        os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
