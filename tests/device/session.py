"""`sctrace control` with a program, and controllers that connect to it: what the device's tests share."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), HERE]
from controller import Controller  # noqa: E402
from traced import House  # noqa: E402, F401

faults = []


class Session:
    def __init__(self, house, command, door="auto", before=(), **more):
        self.socket = house.path("socket")
        env = house.environment(SCTRACE_DOORS=door)
        env.update(more.pop("settings", {}))
        self.process = subprocess.Popen(
            [*before, house.command, "control", "-l", self.socket, "--", *command], env=env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def connect(self, kind=Controller):
        while self.process.poll() is None:
            try:
                return kind(self.socket)
            except (FileNotFoundError, ConnectionRefusedError):
                pass  # it is starting
        raise AssertionError(self.process.stderr.read().decode())

    def end(self):
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out.decode(), err.decode()


def check(what, found, wanted):
    good = re.fullmatch(wanted, found or "", re.S) if isinstance(wanted, str) else found == wanted
    if not good:
        faults.append(f"{what}: found {found!r}, wanted {wanted!r}")


def call(controller):
    """The next call that waits; what is told on the way is kept."""
    told = []
    for event in controller.events():
        if event.is_call:
            return event, told
        told.append(event.line)
    raise AssertionError("no call came: " + " | ".join(told))


def run_all(build, parts, *arguments):
    """Each part with a house; the exit status."""
    with House(os.path.abspath(build)) as house:
        for part in parts:
            try:
                part(house, *arguments)
            except (AssertionError, subprocess.TimeoutExpired, OSError, IndexError, AttributeError) as wrong:
                faults.append(f"{part.__name__}: {type(wrong).__name__} {wrong}")
    for fault in faults:
        print("FAULT", fault)
    return 1 if faults else 0
