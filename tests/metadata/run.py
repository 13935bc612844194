"""run.py BUILD EMPTY DUMP CALLS: a trace tells everything itself. EMPTY is the command without a table: from the trace
alone it prints what the ordinary one does. reader.py, which knows the man page only, agrees with both."""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from traced import House, need_programs  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peer"))
import run as peer  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = {
    "ls": ["ls", "-l", "/usr"],
    "cat": ["cat", "/etc/passwd", "/nowhere"],
    "python": ["python3", "-c", "import socket, select, signal, os, fcntl\n"
               "a, b = socket.socketpair(); a.send(b'x' * 1000); select.select([b], [], [], 0); b.recv(10)\n"
               "signal.signal(signal.SIGUSR1, lambda *_: None); os.kill(os.getpid(), signal.SIGUSR1)\n"
               "fcntl.fcntl(a, fcntl.F_GETFL); os.get_terminal_size if 0 else None; os.pipe2(os.O_CLOEXEC)\n"
               "s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); s.bind((0, 0))\n"],
    "shell": ["sh", "-c", "ls / | wc -l; echo done; (exit 3); find /etc -maxdepth 1 -type d | sort | tail -1"],
}
ALONE = ("ls", "cat")  # one thread, no child: their calls have one order
faults = []


def check(sentence, truth, seen=""):
    if not truth:
        faults.append(sentence)
        print("FAILED:", sentence, str(seen)[:2000])


def said(*arguments):
    done = subprocess.run(arguments, capture_output=True, text=True, errors="surrogateescape", timeout=120)
    return done.stdout


def record(house, name, program):
    trace = house.path(name)
    environment = dict(os.environ, LD_PRELOAD=house.library, SCTRACE_OUTPUT=trace)
    subprocess.run(program, env=environment, capture_output=True, timeout=120)
    return trace


def every_call(house, calls, folder):
    """A trace of each call that may be made so (tests/peer), with its first commands, flags and pointers."""
    listed = json.loads(said(house.command, "syscalls", "--json"))["syscalls"]
    lines = []
    for one in listed:
        if one["name"] in peer.LEFT_OUT:
            continue
        script = peer.script_of(one["nr"], peer.kinds_of(one["signature"]))
        lines += script[:4] + script[4::max(1, len(script) // 20)]
    os.chmod(folder, 0o777)  # who makes them is nobody
    script = os.path.join(folder, "script")
    with open(script, "w") as file:
        file.write("\n".join(lines) + "\n")
    trace = os.path.join(folder, "trace")
    done = subprocess.run([calls, script], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                          env=dict(os.environ, LD_PRELOAD=house.library, SCTRACE_OUTPUT=trace),
                          preexec_fn=peer.as_nobody if os.geteuid() == 0 else None)
    check("every call is made", done.returncode == 0, done)
    return trace


def first_difference(one, other):
    pairs = zip(one.splitlines() + [""], other.splitlines() + [""])
    return next(((a, b) for a, b in pairs if a != b), "one is longer")


def alike(house, empty, trace):
    for options in (["-f"], ["-f", "-v", "-yy", "-T", "-s", "100"], ["-f", "-X", "verbose"], ["-f", "-X", "raw"],
                    ["-f", "-e", "trace=%file,%network"], ["-f", "-e", "trace=/^(openat|fcntl)$/", "-n"]):
        ours = said(house.command, "print", *options, trace)
        theirs = said(empty, "print", *options, trace)
        check(f"print {' '.join(options)} of {os.path.basename(trace)} says something", ours.count("\n") > 1)
        check(f"print {' '.join(options)} of {os.path.basename(trace)} needs no table of ours", ours == theirs,
              first_difference(ours, theirs))
    check("summary needs none either", said(house.command, "summary", trace) == said(empty, "summary", trace))


def by_the_page(house, dump, trace):
    """Numbers, arguments, results and what was written, as the command and the C++ reader have them."""
    name = os.path.basename(trace)
    listed = said(sys.executable, os.path.join(HERE, "reader.py"), trace).splitlines()
    theirs, names = [], []
    for line in listed:
        if match := re.fullmatch(r"(\d+) (\w+)\((.*)\) = (\S+)", line):
            values = [part.split("=0x")[1] for part in match[3].split(", ") if part]
            theirs.append([match[1], "0" if match[4] == "?" else match[4], str(len(values)), *values])
            names.append((match[1], match[2]))
    ours = []
    for line in said(dump, trace).splitlines():
        if match := re.match(r"call \d+ \d+ (\d+) \d (\d+) (-?\d+) (\d+)((?: [0-9a-f]+)*) \|", line):
            ours.append([match[1], match[3], match[4], *match[5].split()])
    check(f"{name}: the reader of the page finds calls", len(theirs) > 20, listed[:5])
    check(f"{name}: it finds the same calls, arguments and results", theirs == ours,
          next(((a, b) for a, b in zip(theirs, ours) if a != b), (len(theirs), len(ours))))
    shown = said(house.command, "print", "-n", "-e", "signal=none", trace).splitlines()[1:]  # an execve nobody saw
    shown = [match.groups() for line in shown if (match := re.match(r"\[ *(\d+)\] (\w+)\(", line))]
    check(f"{name}: and the same names as print", shown == names,
          next(((a, b) for a, b in zip(shown, names) if a != b), (len(shown), len(names))))
    written = [line.split()[2] for before, line in zip(listed, listed[1:])
               if before.startswith("1 write(") and line.startswith("  in ")]
    shown = said(house.command, "print", "-xx", "-s", "1000000", "-e", "trace=write", "-e", "signal=none", trace)
    bytes_of = [match[1].replace("\\x", "") for match in re.finditer(r'write\([^"]*"((?:\\x..)*)"', shown)]
    check(f"{name}: what was written is the same", written and written == bytes_of, (written[:2], bytes_of[:2]))


def without(house, empty, trace):
    """The text left out, torn, and of a later version."""
    path = os.path.join(trace, "metadata")
    with open(path, "rb") as file:
        whole = file.read()
    ours = said(house.command, "print", trace)
    os.remove(path)
    check("without its text, a trace is read by the table of the command", said(house.command, "print", trace) == ours)
    bare = said(empty, "print", trace)
    check("the empty command has no table", "syscall_0x" in bare and "openat" not in bare, bare[:200])
    for name, text in (("torn", whole[:1000]), ("empty", b""), ("none", b"hello\n"),
                       ("later", b"sctrace-metadata 7\nend\n")):
        with open(path, "wb") as file:
            file.write(text)
        done = subprocess.run([house.command, "print", trace], capture_output=True, text=True, timeout=60)
        check(f"{name}: read by the table of the command, and said", done.stdout == ours and done.returncode == 0
              and "1 place damaged" in done.stderr, done.stderr)
        done = subprocess.run([house.command, "check", trace], capture_output=True, text=True, timeout=60)
        check(f"{name}: check names the file", done.returncode == 1 and "metadata: offset" in done.stdout, done)
    subprocess.run([house.command, "check", "--repair", trace], capture_output=True, timeout=60)
    done = subprocess.run([house.command, "check", trace], capture_output=True, text=True, timeout=60)
    check("check --repair sets it aside", done.returncode == 0 and os.path.exists(path + ".bad"), done)
    check("and the trace reads as before", said(house.command, "print", trace) == ours)


def main(build, empty, dump, calls):
    need_programs(["python3", "zstd"])
    with House(os.path.abspath(build)) as house:
        for name, program in PROGRAMS.items():
            trace = record(house, name, program)
            check(f"{name}: the trace has its text", os.path.exists(os.path.join(trace, "metadata")))
            alike(house, empty, trace)
            if name in ALONE:
                by_the_page(house, dump, trace)
        with tempfile.TemporaryDirectory(prefix="sct-every-") as folder:
            alike(house, empty, every_call(house, calls, folder))
        without(house, empty, record(house, "last", PROGRAMS["cat"]))
    print(f"{len(faults)} failed" if faults else "all as expected")
    return bool(faults)


sys.exit(main(*sys.argv[1:]))
