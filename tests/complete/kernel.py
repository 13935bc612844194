"""What the kernel saw: the raw_syscalls tracepoints of a process and all it begets, by tracefs."""
import os
import re
import subprocess
import threading

ROOT = "/sys/kernel/tracing"
LINE = re.compile(rb"^\s*.*-(\d+)\s+\[\d+\].*?(\d+\.\d+): sys_(enter|exit): NR (-?\d+) (?:\((.*)\)|= (-?\d+))")


SIGNAL = re.compile(rb"^\s*.*-(\d+)\s+\[\d+\].*?\d+\.\d+: signal_deliver: sig=(\d+) errno=-?\d+ code=(-?\d+) "
                    rb"sa_handler=([0-9a-f]+)")


class Call:
    def __init__(self, nr, args):
        self.nr, self.args, self.result, self.ended = nr, args, None, False

    def __repr__(self):
        return f"nr {self.nr} ({' '.join(f'{a:x}' for a in self.args)}) = {self.result if self.ended else '?'}"


class Kernel:
    """Use as a context; `watch` a process before it begins, read `calls` after it ended."""

    def __init__(self):
        self.place = f"{ROOT}/instances/sctrace-{os.getpid()}"
        self.raw, self.reader = [], None

    @staticmethod
    def usable():
        if os.geteuid() != 0:
            return "needs root"
        if not os.path.exists(f"{ROOT}/events"):
            subprocess.run(["mount", "-t", "tracefs", "tracefs", ROOT], capture_output=True)
        if not os.path.exists(f"{ROOT}/events/raw_syscalls"):
            return "no raw_syscalls tracepoints here"
        return None

    def write(self, name, text):
        with open(f"{self.place}/{name}", "w") as file:
            file.write(text)

    def __enter__(self):
        os.mkdir(self.place)
        self.write("buffer_size_kb", "16384")
        self.write("trace_clock", "mono")
        self.write("options/event-fork", "1")
        return self

    def watch(self, pid):
        self.write("set_event_pid", str(pid))
        self.write("events/raw_syscalls/enable", "1")
        self.write("events/signal/signal_deliver/enable", "1")
        self.reader = threading.Thread(target=self.drain)
        self.reader.start()

    def drain(self):
        with open(f"{self.place}/trace_pipe", "rb", buffering=0) as pipe:
            while True:
                chunk = pipe.read(1 << 16)
                if not chunk or b"sctrace-test-end" in chunk:
                    self.raw.append(chunk or b"")
                    return
                self.raw.append(chunk)

    def stop(self):
        self.write("events/raw_syscalls/enable", "0")
        self.write("events/signal/signal_deliver/enable", "0")
        self.write("trace_marker", "sctrace-test-end")
        self.reader.join()

    def overruns(self):
        lost = 0
        for folder in os.listdir(f"{self.place}/per_cpu"):
            stats = open(f"{self.place}/per_cpu/{folder}/stats").read()
            lost += int(re.search(r"^overrun: (\d+)", stats, re.M)[1])
        return lost

    def calls(self):
        """tid → its calls in order. An exit without an entry (a child's first) belongs to nobody."""
        found, open_call = {}, {}
        for line in b"".join(self.raw).splitlines():
            match = LINE.match(line)
            if not match:
                continue
            tid, nr = int(match[1]), int(match[4])
            if match[3] == b"enter":
                args = [int(a, 16) for a in match[5].split(b",")]
                call = Call(nr, args)
                found.setdefault(tid, []).append(call)
                open_call[tid] = call
            elif tid in open_call:
                call = open_call.pop(tid)
                call.result, call.ended = int(match[6]), True
        return found

    def signals(self):
        """tid → (number, code) of each that a handler ran for."""
        found = {}
        for line in b"".join(self.raw).splitlines():
            match = SIGNAL.match(line)
            if match and int(match[4], 16) > 1:
                found.setdefault(int(match[1]), []).append((int(match[2]), int(match[3])))
        return found

    def __exit__(self, *_):
        try:
            self.write("events/raw_syscalls/enable", "0")
            self.write("events/signal/signal_deliver/enable", "0")
        finally:
            os.rmdir(self.place)
