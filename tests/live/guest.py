"""What the tests of live watching share: the obedient program under the library, and faults."""
import os
import select
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House, skip  # noqa: E402,F401

PATIENCE = 60  # seconds, for what must come: only a failure waits so long


class Guest:
    def __init__(self, house, trace=None, before=(), **settings):
        self.trace = house.path(trace) if trace else None
        environment = house.environment("auto", self.trace, **settings) if trace else house.environment()
        program = os.path.join(os.path.dirname(house.library), "tests", "live", "obedient")
        self.child = subprocess.Popen([*before, program], env=environment, cwd=house.root,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.child.pid

    def tell(self, *lines):
        """Each is done when this returns."""
        for line in lines:
            self.child.stdin.write(line.encode() + b"\n")
            self.child.stdin.flush()
            if self.child.stdout.readline() != b"done\n":
                raise AssertionError(f"the program did not do `{line}`")

    def say(self, line):
        self.child.stdin.write(line.encode() + b"\n")
        self.child.stdin.flush()

    def end(self):
        self.child.stdin.close()
        status = self.child.wait(PATIENCE)
        self.child.stdout.close()
        return status


def run(house, trace, lines, **settings):
    guest = Guest(house, trace, **settings)
    guest.tell(*lines)
    return guest, guest.end()


def comes(what, patience=PATIENCE):
    """Asks until it is so."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if found := what():
            return found
        select.select([], [], [], 0.02)
    return what()


class Faults:
    def __init__(self):
        self.count = 0

    def expect(self, right, *what):
        if not right:
            self.count += 1
            print("FAILED:", *what)

    def status(self):
        print(f"{self.count} failed" if self.count else "all as expected")
        return 1 if self.count else 0
