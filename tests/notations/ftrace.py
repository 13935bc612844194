"""What `print --as ftrace` says of a program's calls, tracefs said too: each line of ours is among the
kernel's own syscalls events of that thread, in the same order, word for word. ftrace.py BUILD
PROGRAM. Needs root and tracefs."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from traced import House, skip

ROOT = "/sys/kernel/tracing"
LINE = re.compile(r"^ *(.+)-(\d+) +\[\d+\] [^ ]+ +(\d+\.\d+): (sys_.*)$")


def events(text):
    """(thread, words) of each line; kernels since 6.16 write 0x where older ones do not."""
    found = []
    for line in text.splitlines():
        match = LINE.match(line)
        if match:
            found.append((int(match[2]), re.sub(r"(: )0x", r"\1", match[4]), match[1]))
    return found


class Kernel:
    def __enter__(self):
        self.place = f"{ROOT}/instances/sctrace-notations-{os.getpid()}"
        os.mkdir(self.place)
        self.write("buffer_size_kb", "8192")
        self.write("trace_clock", "mono")
        self.write("options/event-fork", "1")
        return self

    def write(self, name, text):
        with open(f"{self.place}/{name}", "w") as file:
            file.write(text)

    def __exit__(self, *_):
        self.write("events/syscalls/enable", "0")
        os.rmdir(self.place)

    def text(self, types):
        self.write("options/verbose", "1" if types else "0")
        with open(f"{self.place}/trace", errors="replace") as file:
            return file.read()


def record(house, kernel, program, trace):
    go, come = os.pipe()
    env = house.environment("auto", trace)
    child_argv = ["sh", "-c", 'read line <&9; exec 9<&-; exec "$0"', program]
    os.dup2(go, 9)
    child = subprocess.Popen(child_argv, env=env, cwd=house.fresh("in"), pass_fds=(9,),
                             stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    os.close(9)
    kernel.write("set_event_pid", str(child.pid))
    kernel.write("events/syscalls/enable", "1")
    os.write(come, b"\n")
    status = child.wait()
    kernel.write("events/syscalls/enable", "0")
    os.close(go)
    os.close(come)
    return status


# Signals' world is the library's own: what the program asked for, the kernel was asked in other words.
TRANSLATED = re.compile(r"sys_(rt_sig|sigaltstack|execve|vfork|clone)")


def missing(ours, theirs):
    """Lines of ours that the kernel does not have, or not in this order."""
    faults, at = [], 0
    for tid, words, _ in ours:
        if TRANSLATED.match(words):
            continue
        where = next((i for i in range(at, len(theirs)) if theirs[i][:2] == (tid, words)), None)
        if where is None:
            faults.append((tid, words))
        else:
            at = where + 1
    return faults


def main():
    build, program = sys.argv[1], sys.argv[2]
    if os.geteuid() != 0:
        skip("needs root")
    if not os.path.exists(f"{ROOT}/events"):
        subprocess.run(["mount", "-t", "tracefs", "tracefs", ROOT], capture_output=True)
    if not os.path.exists(f"{ROOT}/events/syscalls"):
        skip("no syscalls events here")
    failed = False
    with House(build) as house, Kernel() as kernel:
        trace = house.path("trace")
        if record(house, kernel, program, trace):
            sys.exit(f"{program} did not end well")
        for types in (False, True):
            shown = house.sctrace("print", "--as", "ftrace", *(["--types"] if types else []), trace)
            ours, theirs = events(shown.stdout.decode()), events(kernel.text(types))
            header = [one for one in shown.stdout.decode().splitlines() if one.startswith("#")]
            kernels = kernel.text(False).splitlines()
            faults = missing(ours, theirs)
            faults += [one for one in header if one not in kernels]
            print(f"{len(ours)} lines, {len(theirs)} of the kernel, {len(faults)} faults")
            for one in faults[:5]:
                print("  ", one)
            failed |= bool(faults) or len(ours) < 20
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
