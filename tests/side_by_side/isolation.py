"""A network, an /etc and a /run of one's own, where the kernel allows it: nobody else
has port 113 there, and what tests change is nobody else's."""
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
IFF_UP = 1
SIOCSIFFLAGS = 0x8914

libc = ctypes.CDLL(None, use_errno=True)


def check(status):
    if status < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def mount(source, target, kind, flags):
    check(libc.mount(source, target, kind, ctypes.c_ulong(flags), None))


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))


def enter():
    """Leaves the machine's; returns how to clean up, or raises OSError and changes
    nothing that others see."""
    etc = tempfile.mkdtemp(prefix="side-by-side-etc-")
    try:
        with contextlib.suppress(shutil.Error):  # files that went meanwhile
            shutil.copytree("/etc", etc, symlinks=True, dirs_exist_ok=True)
        check(libc.unshare(CLONE_NEWNS | CLONE_NEWNET))
        mount(b"none", b"/", None, MS_REC | MS_PRIVATE)
        mount(etc.encode(), b"/etc", None, MS_BIND)
        mount(b"tmpfs", b"/run", b"tmpfs", 0)
        raise_loopback()
    except OSError:
        shutil.rmtree(etc)
        raise
    return lambda: shutil.rmtree(etc)
