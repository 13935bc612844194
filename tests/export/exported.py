"""The shared trace in some format, and what its reader must find in it: what `summary` says."""
import collections
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from traced import House, need_programs, skip  # noqa: E402,F401


class Exported:
    def __init__(self):
        self.build = os.path.abspath(sys.argv[1])
        self.place = os.path.join(self.build, "tests", "export", "work")
        self.house = House(self.build)
        self.faults = []
        if os.path.isdir(os.path.join(self.place, "trace")):
            self.take(os.path.join(self.place, "trace"))

    def take(self, trace):
        self.trace = trace
        self.about = ""
        self.summary = json.loads(self.house.sctrace("summary", "--json", trace).stdout)
        self.syscalls = {row["name"]: row for row in self.summary["syscalls"]}

    def path(self, name):
        return os.path.join(self.place, name)

    def export(self, form, name):
        to = self.path(name)
        done = self.house.sctrace("export", "--to", form, "-o", to, self.trace)
        if done.returncode:
            self.fault(f"export --to {form} ended with {done.returncode}: {done.stderr.decode()}")
            self.done()
        return to

    def fault(self, sentence):
        self.faults.append(self.about + sentence)

    def check(self, sentence, truth, seen=""):
        if not truth:
            self.fault(f"{sentence} {seen}")

    def column(self, name):
        return {call: row[name] for call, row in self.syscalls.items() if row[name]}

    def equal(self, what, expected, found):
        """Two dictionaries of numbers by call."""
        for call in sorted(expected.keys() | found.keys()):
            if expected.get(call, 0) != found.get(call, 0):
                self.fault(f"{what} of {call}: summary {expected.get(call, 0)}, reader {found.get(call, 0)}")

    def tally(self, calls):
        """calls: (name, result, ns) of each that came back. Against summary, exactly."""
        count, errors, total = (collections.Counter() for _ in range(3))
        for name, result, ns in calls:
            count[name] += 1
            errors[name] += -4096 < result < 0
            total[name] += ns
        self.equal("calls", self.column("calls"), count)
        self.equal("errors", self.column("errors"), errors)
        self.equal("ns", self.column("ns_total"), total)

    def said(self, *command, timeout=300, **options):
        done = subprocess.run(command, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL, **options)
        if done.returncode:
            why = done.stderr[-600:].decode(errors="replace")
            self.fault(f"{' '.join(command)} ended with {done.returncode}: {why}")
        self.stderr = done.stderr.decode(errors="replace")
        return done.stdout.decode(errors="backslashreplace")

    def done(self):
        self.house.__exit__()
        print("\n".join(self.faults[:40]) or "as summary says")
        sys.exit(bool(self.faults))
