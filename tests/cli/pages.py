"""pages.py ROOT BUILD: the manual is there, whole and well-formed; --help of each verb fits a screen; the
table of settings that both come from has the rows of the library's own."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from traced import need_programs  # noqa: E402

ROOT, BUILD = map(os.path.abspath, sys.argv[1:3])
COMMAND = os.path.join(BUILD, "sctrace")
faults = []


def check(sentence, truth, seen=""):
    if not truth:
        faults.append(sentence)
        print("FAILED:", sentence, str(seen)[:2000])


def said(*argv, status=0):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    check(f"{' '.join(argv[-2:])} ends with {status}", done.returncode == status, done)
    return done.stdout


def text(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


def read(page):
    return re.sub(r"\s+", " ", re.sub(".\b", "", said("mandoc", "-T", "utf8", page)))


def well_formed(pages):
    for page in pages:
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", page], capture_output=True, text=True)
        check(f"mandoc has nothing to say of {os.path.basename(page)}", done.returncode == 0, done.stdout)


def verbs():
    return re.findall(r"^  (\w+) ", said(COMMAND, "--help"), re.M)


def options(verb):
    """As the parser knows them: what its help lists and what it only names."""
    help_text = said(COMMAND, verb, "--help")
    lines = help_text.splitlines()
    check(f"the help of {verb} is one screen", len(lines) <= 50, len(lines))
    wide = [line for line in lines if len(line) > 80]
    check(f"the help of {verb} is 80 columns wide", not wide, wide)
    found = set(re.findall(r"^  (-[^ ]+)", help_text, re.M))
    names = {name for group in found for name in group.split(",")}
    return names | set(re.findall(r"(?<= )--[\w-]+", help_text.partition("told of in the manual page:")[2]))


def settings():
    rows = re.findall(r'^    \{"([A-Z_]+)", set_\w+, "', text(ROOT, "preload/config.cc"), re.M)
    check("the library's own table was found", len(rows) > 15, rows)
    shown = read(os.path.join(BUILD, "pages/man7/libsctrace.so.7"))
    told = re.findall(r"\bSCTRACE_([A-Z_]+) \(", shown)
    check("libsctrace.so(7) tells of each setting of the library, and of no other (formats/cli/settings.cc)",
          sorted(rows) == sorted(told), set(rows) ^ set(told))


def engines():
    header = re.sub(r"/\*.*?\*/", "", text(ROOT, "preload/sctrace/engine.h"), flags=re.S)
    page = text(ROOT, "preload/sctrace/sctrace-engine.3")
    names = set(re.findall(r"\bSCTRACE_[A-Z_]+\b", header)) - {"SCTRACE_ENGINE_H"}
    names |= set(re.findall(r"\(\*(\w+)\)", header))
    missing = [name for name in sorted(names) if not re.search(rf"\b{name}\b", page)]
    check("sctrace-engine(3) names all that the header does", len(names) > 25 and not missing, missing)


def readers():
    header = text(ROOT, "formats/reader/sctrace/reader.h")
    page = text(ROOT, "formats/reader/sctrace-reader.3")
    functions = set(re.findall(r"\b(sctrace_reader_\w+)\(", header))
    missing = [name for name in sorted(functions) if f".Fn {name} " not in page]
    check("sctrace-reader(3) shows each function", len(functions) > 10 and not missing, missing)


def records():
    """sctrace-trace(5) is of the version that is written."""
    version = re.search(r"version = (\d+);", text(ROOT, "formats/wire/record.h")).group(1)
    page = text(ROOT, "formats/wire/sctrace-trace.5")
    check("sctrace-trace(5) names the version", f"version of the records, now {version} " in page, version)


need_programs(["mandoc"])
generated = [os.path.join(BUILD, "pages", folder, name) for folder in ("man1", "man7")
             for name in sorted(os.listdir(os.path.join(BUILD, "pages", folder)))]
well_formed([*generated, os.path.join(ROOT, "preload/sctrace/sctrace-engine.3"),
             os.path.join(ROOT, "formats/reader/sctrace-reader.3"), os.path.join(ROOT, "formats/wire/sctrace-trace.5")])
overview = read(os.path.join(BUILD, "pages/man1/sctrace.1"))
check("there are verbs", len(verbs()) > 12, verbs())
for verb in verbs():
    check(f"sctrace(1) names {verb}", f"sctrace-{verb}(1)" in overview, overview)
    page = read(os.path.join(BUILD, f"pages/man1/sctrace-{verb}.1"))
    missing = [name for name in options(verb) if name not in page]
    check(f"the manual page of {verb} has each option", not missing, missing)
check("print's long forms are told of", "--decode-fds" in options("print"))
said(COMMAND, "--man", "nonsense", status=2)
said(COMMAND, "--completion", "tcsh", status=2)
settings()
engines()
readers()
records()
print(f"{len(faults)} failed" if faults else "all as expected")
sys.exit(bool(faults))
