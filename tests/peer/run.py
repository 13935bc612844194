"""Every call of the table with typical and odd arguments, under strace and under us: the same text.

What is made up is by kind of argument: words of flags bit by bit and all at once, numbers at their
edges, pointers that are null, wild, whole, or run off the end of what is mapped. run.py BUILD CALLS
[NAME...]; --show N lines of each difference. Runs as nobody, in a folder of its own."""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ARENA, ARENA_END = 0x20000000, 0x20004000
WILD = 0xdeadbeef000

# What ends, stops, detaches or replaces the program, sleeps without end, or says something else
# each time.
LEFT_OUT = set("""exit exit_group fork vfork clone clone3 pause rt_sigsuspend rt_sigreturn ptrace
 execve execveat rt_sigtimedwait sigaltstack restart_syscall munmap mremap mprotect brk
 pkey_mprotect madvise remap_file_pages uretprobe getrandom sysinfo times time gettimeofday
 clock_gettime getcpu wait4 waitid kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo
 pidfd_send_signal unshare seccomp landlock_restrict_self set_robust_list rseq set_tid_address
 process_madvise close_range mseal alarm setitimer timer_settime rt_sigaction rt_sigprocmask
 nanosleep clock_nanosleep select poll ppoll pselect6 epoll_wait epoll_pwait epoll_pwait2
 io_getevents io_pgetevents futex futex_wait futex_waitv futex_requeue setrlimit prlimit64 vhangup
 getpid gettid getppid sync syncfs arch_prctl personality mlockall semtimedop close chdir
 io_uring_enter map_shadow_stack shmat shmdt mmap uprobe""".split())
# Younger than this strace: it shows six numbers where we know better.
YOUNG = 451
# Answers that are other ones each time: ids that the kernel counts up, moments, usage.
COUNTED = {"shmget", "semget", "msgget", "setsid", "add_key", "request_key", "keyctl", "getpgid",
           "getsid", "getpgrp", "timer_create", "io_setup", "get_robust_list", "prctl"}
MOMENTS = {"getrusage", "adjtimex", "clock_adjtime", "statfs", "fstatfs", "getdents", "getdents64",
           "stat", "lstat", "fstat", "newfstatat", "statx"}
KNOWN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "known.txt")


def alike(name, line):
    if name in COUNTED:
        line = re.sub(r"= \d+$", "= N", line)
        line = re.sub(r"0x7f[0-9a-f]{10}\b|\b1[34]\d{13}\b", "ADDR", line)
    if name in MOMENTS:
        line = re.sub(r"=-?\d+|\d{4}-\d\d-\d\dT[0-9:.+]*", "=N", line)
    return re.sub(r"\s+= ", " = ", line)


def arguments(kind, index):
    """Values worth passing for an argument of this kind, the plainest first."""
    bits = [1 << i for i in range(32)]
    if kind.startswith(("in", "out", "by command")) or "struct" in kind or "array" in kind:
        return [ARENA, 0, WILD, ARENA_END - 1, ARENA_END - 8, ARENA_END - 12, ARENA_END - 24,
                ARENA_END - 64]
    if kind == "fd":
        return [0xffffffff, 3, 4, 0xffffff9c, 0x7fffffff, 0xdeadbeeffffffffe]
    if kind == "dirfd":
        return [0xffffff9c, 0xffffffff, 3, 0xdeadbeefffffff9c]
    if kind in ("flags", "choice", "command", "key", "code"):
        small = list(range(0, 72))
        return small + bits + [0xffffffff, 0xdeadbeef, 0xfacefeedcafef00d, 3 << 20, 0x80000001]
    if kind in ("size", "unsigned", "int", "long", "count"):
        return [0, 1, 2, 8, 16, 24, 64, 128, 0xffffffff, 0x7fffffff, 0xdeadbeefcafef00d,
                0x8000000000000000]
    return [0, 1, 0xffffffff, 0xffffffffffffffff, 0xdeadbeef, 0xfacefeedcafef00d, 0x1ff, 0o1777, 4096]


def script_of(nr, kinds):
    base = [arguments(kind, i)[0] for i, kind in enumerate(kinds)]
    lines = []

    def add(pattern, values):
        padded = list(values) + [0] * (6 - len(values))
        line = f"{nr} {pattern} " + " ".join(f"{v & (1 << 64) - 1:x}" for v in padded)
        if line not in seen:
            seen.add(line)
            lines.append(line)

    seen = set()
    for pattern in range(4):
        add(pattern, base)
    for i, kind in enumerate(kinds):
        for value in arguments(kind, i):
            values = list(base)
            values[i] = value
            for pattern in (range(4) if value == ARENA_END - 64 else (2, )):
                add(pattern, values)
    for size in (4, 8, 16, 24, 32, 48, 64, 96, 128, 256, 4096):  # what measures, and what is measured
        values = [size if kind in ("size", "count", "unsigned") else base[i]
                  for i, kind in enumerate(kinds)]
        for pattern in range(4):
            add(pattern, values)
    return lines


def kinds_of(signature):
    inside = signature[signature.index("(") + 1:-1]
    return [one.split(": ", 1)[1] for one in inside.split(", ") if ": " in one]


def between(name, text):
    """What was called between our two marks."""
    lines = text.split("\n")
    begin = next((i for i, one in enumerate(lines) if one.startswith('chdir("/begin"')), None)
    end = next((i for i, one in enumerate(lines) if one.startswith('chdir("/end"')), None)
    if begin is None:
        return None
    return [alike(name, one) for one in lines[begin + 1:end]]


def told(pairs):
    """From shortly before where the two part; of those that part alike, the first."""
    found, kinds = [], set()
    for theirs, ours in pairs:
        at = next((i for i, (a, b) in enumerate(zip(theirs, ours)) if a != b),
                  min(len(theirs), len(ours)))
        kind = (re.sub(r"[0-9a-fx]+", "", theirs[max(0, at - 12):at + 12]),
                re.sub(r"[0-9a-fx]+", "", ours[max(0, at - 12):at + 12]))
        if kind in kinds:
            continue
        kinds.add(kind)
        head = theirs.split("(")[0] + "(… " if at > 70 else ""
        begin = max(0, at - 60) if at > 70 else 0
        found.append((head + theirs[begin:at + 110], head + ours[begin:at + 110]))
    return found


def as_nobody():
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)


class Peer:
    def __init__(self, build, calls, root, options):
        self.build, self.calls, self.root, self.options = build, calls, root, options

    def program(self, script):
        return [self.calls, script]

    def run(self, argv, env):
        place = os.path.join(self.root, "in")  # what one run leaves behind the other must not meet
        shutil.rmtree(place, ignore_errors=True)
        os.mkdir(place)
        os.chmod(place, 0o777)
        return subprocess.run(argv, env=env, cwd=place, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60,
                              preexec_fn=as_nobody if os.geteuid() == 0 else None).returncode

    def texts(self, name, lines):
        script = os.path.join(self.root, "script")
        with open(script, "w") as file:
            file.write("\n".join(lines) + "\n")
        log, trace = os.path.join(self.root, "log"), os.path.join(self.root, "trace")
        shutil.rmtree(trace, ignore_errors=True)
        options = [*self.options, "-e", f"trace={name},chdir", "-e", "signal=none"]
        env = {"PATH": os.environ["PATH"], "TZ": "UTC", "LC_ALL": "C"}
        theirs = self.run(["strace", "-o", log, *options, *self.program(script)], env)
        ours = self.run(self.program(script),
                        {**env, "LD_PRELOAD": f"{self.build}/libsctrace.so",
                         "SCTRACE_OUTPUT": trace, "SCTRACE_STRSIZE": "all"})
        with open(log, errors="backslashreplace") as file:
            expected = between(name, file.read())
        shown = subprocess.run([f"{self.build}/sctrace", "print", *options, trace], text=True,
                               capture_output=True, errors="backslashreplace", env=env)
        return theirs, ours, expected, between(name, shown.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("calls")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--show", type=int, default=12)
    parser.add_argument("--options", default="")
    asked = parser.parse_args()
    if not shutil.which("strace"):
        print("skipped: strace is not installed")
        return 77
    listed = subprocess.run([f"{asked.build}/sctrace", "syscalls", "--json"], capture_output=True,
                            text=True, check=True)
    table = {one["name"]: one for one in json.loads(listed.stdout)["syscalls"]}
    names = asked.names or [n for n, one in table.items() if n not in LEFT_OUT and one["nr"] < YOUNG]
    faults, lines_all, wrong_all = [], 0, 0
    with tempfile.TemporaryDirectory(prefix="sct-peer-") as root:
        os.chmod(root, 0o777)
        peer = Peer(os.path.abspath(asked.build), os.path.abspath(asked.calls), root,
                    asked.options.split())
        for name in names:
            row = table[name]
            lines = script_of(row["nr"], kinds_of(row["signature"]))
            try:
                theirs, ours, expected, shown = peer.texts(name, lines)
            except subprocess.TimeoutExpired:
                print(f"{name}: did not end")
                faults.append(name)
                continue
            if expected is None or shown is None:
                print(f"{name}: no text: strace ended with {theirs}, the program with {ours}")
                faults.append(name)
                continue
            lines_all += len(expected)
            wrong = [pair for pair in zip(expected, shown) if pair[0] != pair[1]]
            wrong_all += len(wrong)
            if len(expected) != len(shown) or wrong:
                faults.append(name)
                print(f"{name}: {len(wrong)} of {len(expected)} lines differ"
                      + (f", {len(shown)} shown" if len(expected) != len(shown) else ""))
                for theirs, ours in told(wrong)[:asked.show]:
                    print("  strace: ", theirs)
                    print("  sctrace:", ours)
    print(f"{len(names)} calls, {lines_all} lines, {wrong_all} differ, in {len(faults)} calls")
    with open(KNOWN) as file:
        known = {line.split()[0] for line in file if line.strip() and not line.startswith("#")}
    new = sorted(set(faults) - known)
    held = [] if asked.names else sorted(known - set(faults))
    if new:
        print("differ, and known.txt does not name them:", " ".join(new))
    if held:
        print("hold, and must leave known.txt:", " ".join(held))
    return 1 if new or held else 0


if __name__ == "__main__":
    sys.exit(main())
