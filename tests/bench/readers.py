"""readers.py BUILD CALLS [WORD…]: what reading a trace costs, verb by verb and format by format.

Records three traces of CALLS calls (one thread that asks getppid, one that makes a mix of ten
kinds, the mix by 1,000 threads), reads each in every way and prints Markdown: calls a second of
wall time and of one processor, and the most memory. With WORDs only ways that hold one of them.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

FORMATS = ("perf ctf perfetto chrome firefox pprof speedscope folded pcapng parquet sqlite "
           "prometheus tracedat json").split()
FOLDERS = {"ctf"}


class Reader:
    def __init__(self, build, work):
        self.sctrace = os.path.join(build, "sctrace")
        self.calls = os.path.join(build, "tests", "bench", "bench_readers_calls")
        self.work = work

    def record(self, name, threads, calls, *more):
        trace = os.path.join(self.work, name)
        subprocess.run([self.sctrace, "record", "-o", trace, "--", self.calls, str(threads),
                        str(calls // threads // 10), *more], check=True, stderr=subprocess.DEVNULL)
        return trace

    def run(self, *arguments, first_line=False):
        """Wall seconds, processor seconds and MiB of one way to read."""
        began = time.monotonic()
        child = subprocess.Popen([self.sctrace, *arguments], stderr=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE if first_line else subprocess.DEVNULL)
        if first_line:
            child.stdout.readline()
            spent = time.monotonic() - began
            child.kill()
            child.wait()
            return spent
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"sctrace {' '.join(arguments)}: status {child.returncode}")
        return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def size_of(trace):
    """Bytes of records: what is really there of sparse files."""
    return sum(os.stat(os.path.join(trace, one)).st_blocks * 512 for one in os.listdir(trace))


def ways(work, name):
    yield "summary", ["summary"]
    yield "summary --by fd", ["summary", "--by", "fd"]
    yield "check", ["check"]
    yield "info", ["info"]
    yield "print -f", ["print", "-f"]
    yield "print -f -tt -T -yy", ["print", "-f", "-tt", "-T", "-yy"]
    yield "print --as json", ["print", "--as", "json"]
    yield "report", ["report", "-o", os.path.join(work, name + ".html")]
    for form in FORMATS:
        out = os.path.join(work, name + "." + form)
        yield "export " + form, ["export", "--to", form, "-o", out]


def clear(work, kept):
    for one in os.listdir(work):
        path = os.path.join(work, one)
        if path in kept:
            continue
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)


def main():
    build, calls, words = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    work = tempfile.mkdtemp(prefix="sctrace-readers-", dir=os.environ.get("TMPDIR", "/var/tmp"))
    try:
        reader = Reader(build, work)
        traces = {"getppid": reader.record("getppid", 1, calls, "getppid"),
                  "mix": reader.record("mix", 1, calls),
                  "1,000 threads": reader.record("threads", 1000, calls)}
        print(f"{calls} calls a trace; million calls a second, of wall time and of one processor; "
              "MiB at most\n")
        print("| way | " + " | ".join(f"{name}: wall | cpu | MiB" for name in traces) + " |")
        print("|---|" + "---:|---:|---:|" * len(traces))
        for way, arguments in ways(work, "out"):
            if words and not any(word in way for word in words):
                continue
            row = []
            for trace in traces.values():
                wall, cpu, most = reader.run(*arguments, trace)
                row += [f"{calls / wall / 1e6:.2f}", f"{calls / cpu / 1e6:.2f}", f"{most:.0f}"]
                clear(work, traces.values())
            print(f"| {way} | " + " | ".join(row) + " |", flush=True)
        print()
        for name, trace in traces.items():
            size = size_of(trace)
            _, cpu, _ = reader.run("check", trace)
            first = reader.run("print", "-f", trace, first_line=True)
            print(f"{name}: {size / calls:.0f} bytes a call, checked at {size / cpu / 1e9:.2f} GB "
                  f"a second of processor; first line after {first * 1000:.0f} ms")
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
