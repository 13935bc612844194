"""bad.py BUILD MAKE_TRACES: what all formats of the list have to stand: traces that are empty, torn, of a
clock that steps or of days, hard names, no room, an output that is there, a reader that goes away."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import readers
from exported import Exported

READERS = {"chrome": (readers.chrome, []), "perf": (readers.perf, ["perf"]), "ctf": (readers.ctf, ["babeltrace2"]),
           "perfetto": (readers.perfetto, ["protoc"]), "firefox": (readers.firefox, []),
           "tracedat": (readers.tracedat, ["trace-cmd"])}
it = Exported()
place = tempfile.mkdtemp(prefix="sct-export-")
os.chdir(place)
subprocess.run([os.path.abspath(sys.argv[2]) if os.path.exists(sys.argv[2]) else sys.argv[2], place], check=True)
TRACES = sorted(name for name in os.listdir(place))
help_text = it.house.sctrace("export", "--help").stdout.decode()
FORMATS = re.findall(r"^  (\w+) {2,}\S", help_text[help_text.index("formats:"):], re.M)
it.check("the list has formats", len(FORMATS) >= 6, FORMATS)


def export(form, to, trace, **options):
    return subprocess.run([it.house.command, "export", "--to", form, "-o", to, trace], capture_output=True,
                          timeout=120, **options)


def size(path):
    if os.path.isdir(path):
        return sum(os.path.getsize(os.path.join(path, one)) for one in os.listdir(path))
    return os.path.getsize(path) if os.path.exists(path) else -1


def hard_traces(form):
    for trace in TRACES:
        done = export(form, "out", trace)
        it.about = f"{form} of {trace}: "
        it.check("ends with 0 and no complaint", done.returncode == 0 and
                 not re.search(rb"(?i)error|cannot|terminate", done.stderr), done)
        it.check("is there", size("out") >= 0)
        it.check("leaves nothing beside it", sorted(os.listdir(".")) == sorted([*TRACES, "out"]), os.listdir("."))
        if form in READERS and done.returncode == 0 and trace != "none":
            read, programs = READERS[form]
            if all(map(shutil.which, programs)):
                judge(read, form, trace)
        shutil.rmtree("out") if os.path.isdir("out") else os.path.exists("out") and os.remove("out")


def judge(read, form, trace):
    it.take(trace)
    it.about = f"{form} of {trace}: "
    told = read(it, "out")
    it.tally(told.calls)
    if trace == "lossy":
        for kind in ("lost", "dropped"):
            if hasattr(told, kind):
                wanted = 10 if kind == "dropped" else 5
                it.check(f"says what is {kind}", getattr(told, kind) == wanted, getattr(told, kind))
    if trace == "gap" and hasattr(told, "notes"):
        it.check("says that something is missing", any("missing" in note or "lost" in note for note in told.notes),
                 told.notes)


def places(form):
    it.about = f"{form}: "
    is_folder = form == "ctf"
    if not is_folder:
        for old in ("", "old and longer " * 100000):
            with open("out", "w") as file:
                file.write(old)
            os.symlink("out", "link")
            done = export(form, "link", "lossy")
            with open("out", "rb") as file:
                it.check("replaces what is there", done.returncode == 0 and not file.read().startswith(b"old"), done)
            it.check("goes through a link", os.path.islink("link"))
            os.remove("link")
        os.remove("out")
    os.mkdir("folder")
    with open("folder/letter", "w") as file:
        file.write("dear")
    done = export(form, "folder", "lossy")
    it.check("leaves a folder alone", done.returncode == 1 and done.stderr.count(b"\n") == 1 and
             os.listdir("folder") == ["letter"], done)
    shutil.rmtree("folder")
    if is_folder:
        os.mkdir("out")
        for _ in range(2):
            done = export(form, "out", "lossy")
            it.check("replaces a folder of its own", done.returncode == 0 and size("out") > 100, done)
        shutil.rmtree("out")
    done = export(form, "nowhere/out", "lossy")
    it.check("says where it cannot write", done.returncode == 1 and done.stderr.count(b"\n") == 1 and
             b"nowhere" in done.stderr, done)
    done = export(form, "out", "no-such-trace")
    it.check("says that there is no trace", done.returncode == 1 and not os.path.exists("out"), done)


def pipes(form):
    it.about = f"{form}: "
    plain = subprocess.run([it.house.command, "export", "--to", form, "lossy"], capture_output=True, timeout=60)
    if plain.returncode == 2:
        it.check("says that it wants a place", b"-o" in plain.stderr and plain.stderr.count(b"\n") == 1, plain)
        return
    it.check("goes to stdout", plain.returncode == 0 and plain.stdout, plain.stderr)
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([it.house.command, "export", "--to", form, os.path.join(it.place, "trace")],
                          stdout=writing, stderr=subprocess.PIPE, timeout=60)
    os.close(writing)
    it.check("ends quietly when nobody reads", done.returncode == 0 and b"annot" not in done.stderr, done)
    with open("/dev/full", "w") as full:
        done = subprocess.run([it.house.command, "export", "--to", form, "lossy"], stdout=full,
                              stderr=subprocess.PIPE, timeout=60)
    it.check("says that stdout is full", done.returncode == 1 and b"No space" in done.stderr, done)


def full_disk(form):
    """A tmpfs with no room left: one line, status 1, nothing left behind, what was there untouched."""
    it.about = f"{form} on a full disk: "
    small = os.path.join(place, "small")
    os.makedirs(small, exist_ok=True)
    big = os.path.join(it.place, "trace")
    script = (f"mount --make-rprivate / && mount -t tmpfs -o size=64k tmpfs {small} && echo old >{small}/kept &&"
              f" dd if=/dev/zero of={small}/filler bs=4k 2>/dev/null; "
              f"{it.house.command} export --to {form} -o {small}/out {big}; echo $?; ls -A {small}; cat {small}/kept")
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=120)
    lines = done.stdout.split()
    it.check("ends with 1, one line and no file", lines == ["1", "filler", "kept", "old"] and
             done.stderr.count("\n") == 1 and re.search("No space|full", done.stderr), done)
    os.rmdir(small)


def usage():
    it.about = "usage: "
    for arguments, word in ((["--to", "nonsense", "lossy"], b"nonsense"), (["lossy"], b"--to"),
                            (["--to", "chrome", "-e", "foo=bar", "lossy"], b"only trace="),
                            (["--to", "chrome", "-e", "trace=nosuchcall", "lossy"], b"nosuchcall")):
        done = it.house.sctrace("export", *arguments)
        it.check(" ".join(arguments), done.returncode == 2 and word in done.stderr, done)
    done = it.house.sctrace("export", "--to", "chrome", "-e", "close", "lossy")
    it.check("-e takes a set", b'"close"' in done.stdout and b'"getpid"' not in done.stdout, done)


try:
    for one in FORMATS:
        hard_traces(one)
        places(one)
        pipes(one)
        if os.geteuid() == 0:
            full_disk(one)
    usage()
finally:
    os.chdir("/")
    shutil.rmtree(place)
it.done()
