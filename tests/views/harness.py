"""What the tests of views share: a trace of the guest, what summary says of it, and how to ask a reader."""
import json
import os
import resource
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import traced  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(sys.argv[1])
faults = []


def skip(why):
    """What has failed before stays failed."""
    sys.exit(1) if faults else traced.skip(why)


def need_programs(names):
    missing = [name for name in names if not shutil.which(name)]
    if missing:
        skip("not on this machine: " + " ".join(missing))


def check(sentence, truth, seen=""):
    if not truth:
        faults.append(sentence)
        print("FAILED:", sentence, str(seen)[:1500])


def equal(sentence, ours, theirs):
    differs = {key: (ours.get(key), theirs.get(key)) for key in ours.keys() | theirs.keys()
               if ours.get(key) != theirs.get(key)}
    check(sentence + " (summary, reader)", not differs, differs)


def said(argv, **options):
    done = subprocess.run(argv, capture_output=True, timeout=300, stdin=subprocess.DEVNULL, **options)
    check(f"{argv[0]} ends well", done.returncode == 0, done)
    return done.stdout.decode(errors="replace")


def processor_time():
    """ns, of all children that have been waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return int((usage.ru_utime + usage.ru_stime) * 1e9)


class Views:
    def __init__(self, house):
        self.house = house
        self.trace = self.record("trace")
        self.summary = json.loads(self.sctrace("summary", "--json", self.trace))
        self.rows = {row["name"]: row for row in self.summary["syscalls"] if row["calls"]}

    def record(self, name, more=()):
        trace, before = self.house.path(name), processor_time()
        ended = self.house.run([sys.executable, os.path.join(HERE, "guest.py"), *more],
                               self.house.environment("auto", trace, SCTRACE_STRSIZE="all"),
                               self.house.root)
        self.processor_ns = processor_time() - before
        check("the guest ends well", ended.status == 0, ended)
        return trace

    def sctrace(self, *arguments, status=0):
        done = self.house.sctrace(*arguments)
        check(f"sctrace {arguments[0]} ends with {status}", done.returncode == status, done)
        return done.stdout.decode(errors="surrogateescape")

    def export(self, form, *more):
        file = self.house.path("out." + form)
        self.sctrace("export", "--to", form, "-o", file, *more, self.trace)
        return file

    def column(self, name):
        return {call: row[name] for call, row in self.rows.items() if row[name]}


def node_modules(*packages):
    """npm's, in the build folder. Skips where they can't be had."""
    need_programs(["node", "npm"])
    folder = os.path.join(BUILD, "tests", "views")
    os.makedirs(folder, exist_ok=True)
    lacking = [one for one in packages
               if not os.path.isdir(os.path.join(folder, "node_modules", one[0] + one[1:].split("@")[0]))]
    if lacking:
        done = subprocess.run(["npm", "install", "--no-fund", "--no-audit", "--prefix", folder, *lacking],
                              capture_output=True, text=True, timeout=500)
        if done.returncode:
            skip("npm has no " + " ".join(lacking) + ": " + done.stderr[-300:])
    return folder


def node(folder, program, *arguments):
    script = os.path.join(folder, "run.mjs")
    with open(script, "w") as file:
        file.write(program)
    return json.loads(said(["node", script, *arguments], cwd=folder))
