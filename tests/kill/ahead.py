"""ahead.py BUILD: disk that a stream takes ahead of its writes. The file's length stays what was written, a
small trace takes nothing, a killed program leaves one step at most, and SCTRACE_MAX_SIZE is not passed.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House  # noqa: E402

STEP, BLOCK = 4 << 20, 256 << 10
CALLS = "import os\nfor _ in range({}): os.getppid()\n{}"


def data_file(trace):
    return next(os.path.join(trace, name) for name in os.listdir(trace) if name.endswith(".data"))


def main(build):
    faults = []

    def expect(right, *what):
        if not right:
            faults.append(" ".join(map(str, what)))

    with House(build) as house:
        for name, calls, end, most in (("small", 40000, "", None), ("large", 300000, "", None),
                                       ("killed", 300000, "os.kill(os.getpid(), 9)", None),
                                       ("bounded", 300000, "", 6 << 20)):
            trace = house.path(name)
            environment = house.environment("auto", trace, SCTRACE_MODE="stream",
                                            **({"SCTRACE_MAX_SIZE": str(most)} if most else {}))
            subprocess.run([sys.executable, "-c", CALLS.format(calls, end)], env=environment, check=False)
            status = os.stat(data_file(trace))
            taken, length = status.st_blocks * 512, status.st_size
            print(f"{name}: {length} bytes long, {taken} of disk")
            expect(length > (1 << 20 if name == "small" else STEP), name, "is no test:", length)
            # A page more for each block, and what the file system keeps of its own.
            slack = length // BLOCK * 8192 + 65536
            ahead = 0 if name == "small" else STEP
            expect(taken <= length + slack + ahead, name, f"takes {taken} for {length}")
            expect(not most or length <= most, name, f"passed its size: {length}")
            shown = house.sctrace("summary", "--json", trace)
            expect(shown.returncode == 0, name, shown.stderr.decode())
            seen = house.sctrace("print", "-e", "trace=getppid", trace).stdout.count(b"getppid()")
            expect(most or seen == calls, name, f"{seen} of {calls} calls")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
