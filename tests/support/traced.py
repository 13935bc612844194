"""A program natively and recorded: what the tests of whole programs share."""
import hashlib
import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

DOORS = ("auto", "trap")
SKIPPED = 77  # ctest's SKIP_RETURN_CODE


def skip(why):
    """Ends the test: as skipped where a person runs it, as failed where CI does."""
    print("skipped:" if not os.environ.get("CI") else "missing in CI:", why)
    sys.exit(1 if os.environ.get("CI") else SKIPPED)


def need_programs(names):
    missing = [name for name in names if not shutil.which(name)]
    if missing:
        skip("not on this machine: " + " ".join(missing))


@dataclass
class Outcome:
    status: object  # exit status, "signal N", or "timeout"
    stdout: bytes
    stderr: bytes
    files: dict = field(default_factory=dict)


class House:
    """Where the build is, and a folder of our own that goes away with us."""

    def __init__(self, build):
        self.library = os.path.join(build, "libsctrace.so")
        self.command = os.path.join(build, "sctrace")
        self.root = tempfile.mkdtemp(prefix="sct-test-")
        self.kept = False
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # guests that die on purpose leave no file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.kept:
            print("kept:", self.root)
        else:
            shutil.rmtree(self.root, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.root, *names)

    def fresh(self, name):
        shutil.rmtree(self.path(name), ignore_errors=True)
        os.mkdir(self.path(name))
        return self.path(name)

    def environment(self, door=None, trace=None, **more):
        """door None: natively. The two environments differ in nothing but our own names."""
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("SCTRACE_") and k not in ("LD_PRELOAD", "CI")}
        env.update(LC_ALL="C", TZ="UTC", HOME=self.root, **more)
        if door:
            env.update(LD_PRELOAD=self.library, SCTRACE_DOORS=door, SCTRACE_OUTPUT=trace)
        return env

    def run(self, argv, env, cwd, timeout=60, stdin=subprocess.DEVNULL):
        """Output goes to files, so that a child left behind can't keep us waiting for a pipe."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = subprocess.Popen(argv, env=env, cwd=cwd, stdin=stdin, stdout=out, stderr=err,
                                     start_new_session=True)
            try:
                code = child.wait(timeout)
                status = code if code >= 0 else f"signal {-code}"
            except subprocess.TimeoutExpired:
                status = "timeout"
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()
            out.seek(0)
            err.seek(0)
            return Outcome(status, out.read(), err.read())

    def sctrace(self, *args, timeout=120):
        return subprocess.run([self.command, *args], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=timeout)

    def info(self, trace):
        done = self.sctrace("info", "--json", trace)
        if done.returncode != 0:
            raise AssertionError(f"sctrace info: {done.stderr.decode(errors='replace')}")
        return json.loads(done.stdout)

    def trace_faults(self, trace, sees=()):
        """What is wrong with a trace: one sentence a fault. `sees`: calls that must be in it."""
        if not os.path.exists(self.command):
            return ["no sctrace command is built"]
        try:
            info = self.info(trace)
        except (AssertionError, ValueError, subprocess.TimeoutExpired) as error:
            return [str(error)]
        faults = []
        calls = info.get("calls", {})
        if calls.get("stub", 0) + calls.get("trap", 0) <= 0:
            faults.append("no call in the trace")
        if info.get("lost", 0):
            faults.append(f"lost {info['lost']} calls")
        for names in sees:  # "vfork,clone": either will do
            shown = self.sctrace("print", "-f", "-e", f"trace={names}", trace)
            if not any(f"{name}(".encode() in shown.stdout for name in names.split(",")):
                faults.append(f"no {names} in the trace {shown.stderr.decode(errors='replace')}")
        return faults


def tree(root, varies=()):
    """Every file below root: kind, rights and content. Of those that vary, only that they are there;
    where a pattern with a * says so, not even that."""
    from fnmatch import fnmatch
    found = {}
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            path = os.path.join(folder, name)
            short = os.path.relpath(path, root)
            pattern = next((p for p in varies if fnmatch(short, p)), None)
            if pattern and "*" in pattern:
                continue
            what = os.lstat(path)
            line = f"{stat.filemode(what.st_mode)}"
            if pattern:
                line = "varies"
            elif stat.S_ISLNK(what.st_mode):
                line += " " + os.readlink(path)
            elif stat.S_ISREG(what.st_mode):
                with open(path, "rb") as file:
                    line += " " + hashlib.sha256(file.read()).hexdigest()[:16]
            found[short] = line
    return found


def differences(native, traced):
    """What a program did otherwise under the library: one paragraph a difference."""
    from difflib import unified_diff
    found = []
    if native.status != traced.status:
        found.append(f"status: natively {native.status}, recorded {traced.status}")
    for name in ("stdout", "stderr"):
        a, b = (getattr(x, name).decode(errors="backslashreplace").splitlines()
                for x in (native, traced))
        if a != b:
            lines = list(unified_diff(a, b, "native", "recorded", lineterm="", n=1))[:40]
            found.append(f"{name}:\n  " + "\n  ".join(lines))
    for path in sorted(native.files.keys() | traced.files.keys()):
        a, b = native.files.get(path, "not there"), traced.files.get(path, "not there")
        if a != b:
            found.append(f"file {path}: natively {a}, recorded {b}")
    return found[:30]
