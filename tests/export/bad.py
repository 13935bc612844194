"""bad.py BUILD MAKE_TRACES FORMAT: what each format of the list has to stand, and the report: traces that are empty,
torn, of a clock that steps or of days, hard names, no room, an output that is there, a reader that goes away."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import readers
import summing
from exported import Exported, need_programs

# For each how it is read, and what has to be there for that.
READERS = {"chrome": (readers.chrome, []), "perf": (readers.perf, ["perf"]), "ctf": (readers.ctf, ["babeltrace2"]),
           "perfetto": (readers.perfetto, ["protoc"]), "firefox": (readers.firefox, []),
           "tracedat": (readers.tracedat, ["trace-cmd"]), "folded": (summing.folded, ["perl"]),
           "speedscope": (summing.speedscope, []), "pprof": (summing.pprof, ["go", "protoc", "zcat"]),
           "prometheus": (summing.prometheus, ["promtool"]), "sqlite": (summing.sqlite, ["sqlite3"]),
           "parquet": (summing.parquet, ["node", "npm"]), "pcapng": (summing.pcapng, ["tshark"]),
           "json": (summing.json_lines, []), "report": (summing.report, [])}
FORM = sys.argv[3]
# How each shows a hard name of `names`: a path, the program's or the thread's.
PATH = 'new\nline\t"quoted" back\\slash \x01\x7f'
NAMES = {"chrome": 'new\nline"\\\\xff', "perf": r'new?line"\\xff', "ctf": r"no utf8 \\xff\\xfe ä",
         "perfetto": r'\\xff \"\n,;', "firefox": '\\xff "\n,;', "tracedat": r'\xff "?,;',
         "folded": r'new\012line"\\377 (7)', "speedscope": 'new\nline"\\\\xff (7)', "pprof": 'new\nline"\\\\xff (7)',
         "prometheus": r'new\nline\"\\\\xff', "sqlite": PATH, "parquet": PATH, "json": PATH,
         "pcapng": r'[7/7 unix /tmp/new\nline\xff] write(3, "\0\377\n\""',
         "report": r'"new\nline\t\"quoted\" back\\slash \1\177"'}
need_programs(READERS[FORM][1])
it = Exported()
place = tempfile.mkdtemp(prefix="sct-export-")
os.chdir(place)
subprocess.run([os.path.abspath(sys.argv[2]) if os.path.exists(sys.argv[2]) else sys.argv[2], place], check=True)
TRACES = sorted(name for name in os.listdir(place))


def words(to=None):
    """The command that writes it: without `to` to where it goes by itself, to stdout at best."""
    verb = ["report"] if FORM == "report" else ["export", "--to", FORM]
    return [it.house.command, *verb, *(["-o", to] if to else ["-o", "-"] if FORM == "report" else [])]


def export(to, trace, **options):
    return subprocess.run([*words(to), trace], capture_output=True, timeout=120, **options)


def size(path):
    if os.path.isdir(path):
        return sum(os.path.getsize(os.path.join(path, one)) for one in os.listdir(path))
    return os.path.getsize(path) if os.path.exists(path) else -1


def hard_traces():
    for trace in TRACES:
        done = export("out", trace)
        it.about = f"{FORM} of {trace}: "
        it.check("ends with 0 and no complaint", done.returncode == 0 and
                 not re.search(rb"(?i)error|cannot|terminate", done.stderr), done)
        it.check("is there", size("out") >= 0)
        it.check("leaves nothing beside it", sorted(os.listdir(".")) == sorted([*TRACES, "out"]), os.listdir("."))
        if done.returncode == 0 and (trace != "none" or READERS[FORM][0].__module__ == "summing"):
            judge(READERS[FORM][0], trace)
        shutil.rmtree("out") if os.path.isdir("out") else os.path.exists("out") and os.remove("out")


def judge(read, trace):
    it.take(trace)
    it.about = f"{FORM} of {trace}: "
    told = read(it, "out")
    if hasattr(told, "sums"):
        for field, sums in told.sums.items():
            it.equal(field, it.column(field), sums)
    else:
        it.tally(told.calls)
    if trace == "lossy":
        for kind in ("lost", "dropped"):
            if hasattr(told, kind):
                wanted = 10 if kind == "dropped" else 5
                it.check(f"says what is {kind}", getattr(told, kind) == wanted, getattr(told, kind))
    says = getattr(told, "notes", getattr(told, "missing", None))
    if trace == "gap" and says is not None:
        it.check("says that something is missing", any(re.search("missing|lost|gap", str(note)) for note in says), says)
    if trace == "names":
        known = told.names | getattr(told, "files", set())
        it.check("hard names come through", any(NAMES[FORM] in (name or "") for name in known), known)


def places():
    it.about = f"{FORM}: "
    is_folder = FORM == "ctf"
    if not is_folder:
        for old in ("", "old and longer " * 100000):
            with open("out", "w") as file:
                file.write(old)
            os.symlink("out", "link")
            done = export("link", "lossy")
            with open("out", "rb") as file:
                it.check("replaces what is there", done.returncode == 0 and not file.read().startswith(b"old"), done)
            it.check("goes through a link", os.path.islink("link"))
            os.remove("link")
        os.remove("out")
    os.mkdir("folder")
    with open("folder/letter", "w") as file:
        file.write("dear")
    done = export("folder", "lossy")
    it.check("leaves a folder alone", done.returncode == 1 and done.stderr.count(b"\n") == 1 and
             os.listdir("folder") == ["letter"], done)
    shutil.rmtree("folder")
    if is_folder:
        os.mkdir("out")
        for _ in range(2):
            done = export("out", "lossy")
            it.check("replaces a folder of its own", done.returncode == 0 and size("out") > 100, done)
        shutil.rmtree("out")
    done = export("nowhere/out", "lossy")
    it.check("says where it cannot write", done.returncode == 1 and done.stderr.count(b"\n") == 1 and
             b"nowhere" in done.stderr, done)
    done = export("out", "no-such-trace")
    it.check("says that there is no trace", done.returncode == 1 and not os.path.exists("out"), done)


def pipes():
    it.about = f"{FORM}: "
    plain = subprocess.run([*words(), "lossy"], capture_output=True, timeout=60)
    if plain.returncode == 2:
        it.check("says that it wants a place", b"-o" in plain.stderr and plain.stderr.count(b"\n") == 1, plain)
        return
    it.check("goes to stdout", plain.returncode == 0 and plain.stdout, plain.stderr)
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*words(), os.path.join(it.place, "trace")], stdout=writing, stderr=subprocess.PIPE,
                          timeout=60)
    os.close(writing)
    it.check("ends quietly when nobody reads", done.returncode == 0 and b"annot" not in done.stderr, done)
    with open("/dev/full", "w") as full:
        done = subprocess.run([*words(), "lossy"], stdout=full, stderr=subprocess.PIPE, timeout=60)
    it.check("says that stdout is full", done.returncode == 1 and b"No space" in done.stderr, done)


def full_disk():
    """A tmpfs with no room left: one line, status 1, nothing left behind, what was there untouched."""
    it.about = f"{FORM} on a full disk: "
    small = os.path.join(place, "small")
    os.makedirs(small, exist_ok=True)
    big = os.path.join(it.place, "trace")
    script = (f"mount --make-rprivate / && mount -t tmpfs -o size=64k tmpfs {small} && echo old >{small}/kept &&"
              f" dd if=/dev/zero of={small}/filler bs=4k 2>/dev/null; "
              f"{' '.join(words(small + '/out'))} {big}; echo $?; ls -A {small}; cat {small}/kept")
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=120)
    lines = done.stdout.split()
    it.check("ends with 1, one line and no file", lines == ["1", "filler", "kept", "old"] and
             done.stderr.count("\n") == 1 and re.search("No space|full", done.stderr), done)
    os.rmdir(small)


def usage():
    it.about = "usage: "
    help_text = it.house.sctrace("export", "--help").stdout.decode()
    listed = re.findall(r"^  (\w+) {2,}\S", help_text[help_text.index("formats:"):], re.M)
    it.check("each format of the list is held to account here", sorted([*listed, "report"]) == sorted(READERS), listed)
    for arguments, word in ((["--to", "nonsense", "lossy"], b"nonsense"), (["lossy"], b"--to"),
                            (["--to", "chrome", "-e", "foo=bar", "lossy"], b"only trace="),
                            (["--to", "chrome", "-e", "trace=nosuchcall", "lossy"], b"nosuchcall")):
        done = it.house.sctrace("export", *arguments)
        it.check(" ".join(arguments), done.returncode == 2 and word in done.stderr, done)
    done = it.house.sctrace("export", "--to", "chrome", "-e", "close", "lossy")
    it.check("-e takes a set", b'"close"' in done.stdout and b'"getpid"' not in done.stdout, done)


def opens_in_a_browser():
    """The report of each, without a word in the console."""
    need_programs(["chromium"])
    from browser import Browser
    with Browser() as browser:
        browser.size(1600)
        for trace in TRACES:
            it.about = f"report of {trace}: "
            export("page.html", trace)
            browser.open(f"file://{place}/page.html")
            browser.wait("document.documentElement.dataset.ready === 'yes'")
            browser.ask("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            browser.ask("at('lanes').focus(), at('flames').focus(), at('cells').focus()")
            for key in ("+", "n", "ArrowDown", "Enter", "ArrowRight", "Escape"):
                for canvas in ("lanes", "flames", "cells"):
                    browser.ask(f"at('{canvas}').focus()")
                    browser.key(key)
            it.check("the console is silent", not browser.console, browser.console)
            text = browser.ask("document.body.innerText")
            it.check("no number has an exponent", not re.search(r"\de[+-]\d", text), text[:500])
            many = re.search(r"\b1 (calls|gaps|blocks|buffers|results|places|times)\b", text)
            it.check("one is no plural", not many, many)
            it.check("says what is missing", (trace in ("lossy", "gap")) <=
                     browser.ask("document.getElementById('missing').textContent").startswith("Not all"))
    os.remove("page.html")


try:
    hard_traces()
    places()
    pipes()
    if os.geteuid() == 0:
        full_disk()
    if FORM == "report":
        opens_in_a_browser()
    if FORM == "json":
        usage()
finally:
    os.chdir("/")
    shutil.rmtree(place)
it.faults += summing.found_by_readers
it.done()
