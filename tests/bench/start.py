"""start.py BUILD REPEATS: what a start costs: one short process, many of them, and large programs; natively,
without kept plans (cold) and with them (warm).

All take turns in one run, REPEATS times, on one processor. Processor time beside wall time: the first is what
we cost, the second what a busy machine makes of it.
"""
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House  # noqa: E402

PIPES = "i=0; while [ $i -lt 50 ]; do /bin/echo a b | /usr/bin/tr a b | /bin/cat | /usr/bin/head -1; i=$((i+1)); done"
CONFIGURE = """i=0; while [ $i -lt 12 ]; do
  echo "int main(void) { return $i; }" > conftest.c; gcc -c conftest.c -o conftest.o; grep -q main conftest.c
  expr $i + 1 >/dev/null; sed s/main/niam/ conftest.c >conftest.s; rm -f conftest.c conftest.o conftest.s; i=$((i+1))
done"""
ROWS = {  # name: command, how many runs make one sample
    "/bin/true": (["/bin/true"], 20),
    "sh, 200 processes in pipes": (["/bin/sh", "-c", PIPES], 1),
    "sh, as configure does": (["/bin/sh", "-c", CONFIGURE], 1),
    "python3 -c pass": (["/usr/bin/python3", "-S", "-c", "pass"], 5),
    "node -e 0": (["node", "-e", "0"], 1),
}


def spent():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def sample(house, argv, times, env):
    """Milliseconds a run: wall, processor."""
    trace = house.path("traces", str(time.monotonic_ns()))  # none is deleted meanwhile: ext4 remembers
    env = {**env, "SCTRACE_OUTPUT": trace} if "LD_PRELOAD" in env else env
    used, began = spent(), time.monotonic()
    for _ in range(times):
        subprocess.run(argv, env=env, cwd=house.path("work"), stdout=subprocess.DEVNULL, check=False)
    return (time.monotonic() - began) * 1e3 / times, (spent() - used) * 1e3 / times


def main(build, repeats):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with House(os.path.abspath(build)) as house:
        house.fresh("work"), house.fresh("traces")
        native = house.environment()
        kinds = {"native": native, "cold": {**native, "LD_PRELOAD": house.library, "SCTRACE_CACHE": "off"},
                 "warm": {**native, "LD_PRELOAD": house.library, "SCTRACE_CACHE": house.path("cache")}}
        rows = {name: row for name, row in ROWS.items() if shutil.which(row[0][0])}
        times = {(name, kind): [] for name in rows for kind in kinds}
        for turn in range(int(repeats) + 1):
            for name, (argv, count) in rows.items():
                for kind, env in kinds.items():
                    got = sample(house, argv, count, env)
                    if turn:  # the first fills caches, ours and the kernel's
                        times[name, kind].append(got)
        print(f"\n{repeats} alternated rounds, medians, ms wall (ms of processor)")
        print("| | " + " | ".join(kinds) + " | warm, times native |\n|---|" + "---:|" * (len(kinds) + 1))
        for name in rows:
            wall, used = ({kind: statistics.median(t[i] for t in times[name, kind]) for kind in kinds} for i in (0, 1))
            cells = [f"{wall['native']:.2f} ({used['native']:.2f})"]
            cells += [f"+{wall[k] - wall['native']:.2f} (+{used[k] - used['native']:.2f})" for k in ("cold", "warm")]
            print(f"| {name} | " + " | ".join(cells) + f" | {used['warm'] / used['native']:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
