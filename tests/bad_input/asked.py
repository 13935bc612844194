"""What the tests of bad input ask of a run: the program unchanged, and one line that names the fault."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House  # noqa: E402,F401

PROGRAM = ["/bin/sh", "-c", "echo out; echo err >&2; ls /usr; (exit 3); echo $?; exit 7"]


class Asker:
    def __init__(self):
        self.faults = 0

    def fault(self, name, what):
        print(f"FAULT {name}: {what}")
        self.faults += 1

    def one_line(self, name, text, must_say):
        """Exactly one line of ours, `sctrace: …`, and it names what is wrong."""
        lines = text.decode(errors="replace").splitlines()
        ours = [line for line in lines if line.startswith("sctrace: ")]
        if len(ours) != 1:
            self.fault(name, f"{len(ours)} lines of ours: {lines[:5]}")
        elif must_say not in ours[0]:
            self.fault(name, f"does not say '{must_say}': {ours[0]}")
        return [line for line in lines if not line.startswith("sctrace: ")]

    def unchanged(self, name, native, traced, says=None):
        """says: what the one line must name; None: not a word."""
        if native.status != traced.status:
            self.fault(name, f"status {native.status} became {traced.status}")
        if native.stdout != traced.stdout:
            self.fault(name, f"stdout changed: {traced.stdout[:300]}")
        rest = traced.stderr.decode(errors="replace").splitlines()
        if says is not None:
            rest = self.one_line(name, traced.stderr, says)
        if rest != native.stderr.decode(errors="replace").splitlines():
            self.fault(name, f"stderr changed: {rest[:5]}")

    def done(self):
        print(f"{self.faults} faults")
        sys.exit(1 if self.faults else 0)
