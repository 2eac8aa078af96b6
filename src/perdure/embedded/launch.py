"""Becomes a PostgreSQL program: as an unprivileged user, in a session of its own, ending when its owner does.

Run as a script in a fresh interpreter (forking inside a program with threads is not safe), with the arguments
``OWNER-PID USER-ID GROUP-ID CROSSES PROGRAM ARGUMENT...``; the ids may be ``-`` for the present user. CROSSES
is ``crosses`` where the program or its data lie below directories that the user may not enter, such as
root's home: then it keeps, on Linux, the one capability that lets it; PostgreSQL refuses to run as root.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def main(arguments: list[str]) -> None:
    """Drop, bind to the owner, execute. Never returns."""
    owner, user, group, crosses, program, *rest = arguments
    os.setsid()
    os.umask(0o077)
    if user != "-":
        _become(int(user), int(group), crosses=crosses == "crosses")
    _end_with(int(owner))
    os.execv(program, [program, *rest])  # noqa: S606 (no shell is what is wanted)


def _become(user: int, group: int, *, crosses: bool) -> None:
    keep = crosses and sys.platform == "linux"
    if keep:
        # Else access(2), by which PostgreSQL looks for its programs, would not count the capability.
        _call("prctl", PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
        _call("prctl", PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    if keep:
        _keep_only(CAP_DAC_OVERRIDE)


def _keep_only(capability: int) -> None:
    header = _CapabilityHeader(CAPABILITY_VERSION_3, 0)
    mask = 1 << capability
    data = (_CapabilityData * 2)(_CapabilityData(mask, mask, mask), _CapabilityData(0, 0, 0))
    _call("capset", ctypes.byref(header), ctypes.byref(data))
    _call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def _end_with(owner: int) -> None:
    """Have the kernel interrupt the program (a clean, fast stop for PostgreSQL) once its owner is gone."""
    if sys.platform != "linux":
        return
    _call("prctl", PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
    if os.getppid() != owner:
        sys.exit("the owner is gone")


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    main(sys.argv[1:])
