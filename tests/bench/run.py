"""run.py BUILD REPEATS: what a recorded call costs beside a bare one, and beside the floor (floor.h).

All configurations take turns in one run, REPEATS times, on one processor and then on two; medians with
half the spread between the quartiles go to stdout as Markdown, everything to BUILD/bench.json. When the
probe, which is pure computing, shows that the machine was busy with something else, nothing is compared:
the smallest values are shown, and the exit status is 1. On a quiet machine the probe varies by a hundredth.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House  # noqa: E402

DISTURBED = 0.05  # of the probe, half the quartile spread
AIMS = [  # configuration, call, its floor's row, and how many times the floor it may cost
    ("overwrite", "getppid", 1.3), ("overwrite", "read 1 B", 1.6),
    ("overwrite, all bytes", "read 4 KiB", 1.3), ("overwrite, all bytes", "write 4 KiB", 1.3),
    ("stream", "getppid", 1.8), ("stream", "read 4 KiB", 4.0), ("stream", "write 4 KiB", 4.0)]


def configurations(house):
    """name: (what runs it, its settings, further arguments of the program)"""
    def under(where="trace", **settings):
        trace = where if where.startswith("/") else house.path(where)
        return [], {"LD_PRELOAD": house.library, "SCTRACE_OUTPUT": trace, **settings}, []

    def drained(**settings):
        trace = house.path("trace")
        return [house.command, "record", "-q", "--drain", "on", "-o", trace, "--"], \
            {"SCTRACE_OUTPUT": trace, "SCTRACE_MAX_SIZE": "8G", **settings}, []

    engines = os.path.join(os.path.dirname(house.library), "tests", "device")
    found = {
        "native": ([], {}, []),
        "floor": ([], {}, ["floor"]),
        "loaded, off": under(SCTRACE_DISABLE="1"),
        "overwrite": under(SCTRACE_MODE="overwrite"),
        "overwrite, all bytes": under(SCTRACE_MODE="overwrite", SCTRACE_STRSIZE="all"),
        "stream": under(SCTRACE_MODE="stream", SCTRACE_MAX_SIZE="8G"),
        "stream, all bytes": under(SCTRACE_MODE="stream", SCTRACE_STRSIZE="all", SCTRACE_MAX_SIZE="8G"),
        "stream on tmpfs": under(f"/dev/shm/sct-bench-{os.getpid()}", SCTRACE_MAX_SIZE="2G"),
        "stream, drained by record": drained(SCTRACE_MODE="stream"),
        "counts": under(SCTRACE_MODE="counts"),
        "counts, no dispatch": under(SCTRACE_MODE="counts", SCTRACE_DOORS="stub"),
        "overwrite, no dispatch": under(SCTRACE_MODE="overwrite", SCTRACE_DOORS="stub"),
        "exact": under(SCTRACE_MODE="overwrite", SCTRACE_EXACT="1"),
        "stacks by frame pointer": under(SCTRACE_MODE="overwrite", SCTRACE_STACK="fp"),
        "stacks by rules": under(SCTRACE_MODE="overwrite", SCTRACE_STACK="unwind"),
        "the vDSO's calls too": under(SCTRACE_MODE="overwrite", SCTRACE_VDSO="on"),
        "trap": under(SCTRACE_MODE="overwrite", SCTRACE_DOORS="trap"),
        **{f"engine, {what}": under(SCTRACE_MODE="overwrite", SCTRACE_ENGINE=os.path.join(engines, file + ".so"))
           for what, file in (("bare", "observe_bare"), ("bare, entries alone", "observe_entry"),
                              ("ordinary", "observe"))},
    }
    if shutil.which("strace"):
        found["strace -f"] = (["strace", "-f", "-o", "/dev/null"], {}, [])
    return found


def forget(settings):
    shutil.rmtree(settings.get("SCTRACE_OUTPUT", "/nonexistent"), ignore_errors=True)


def measured(house, calls, configuration, threads):
    prefix, settings, more = configuration
    forget(settings)
    done = subprocess.run([*prefix, calls, "0.3", str(threads), *more], capture_output=True, text=True,
                          env={**house.environment(), **settings}, timeout=300)
    forget(settings)
    return {name: float(ns) for name, ns in (line.split("\t") for line in done.stdout.splitlines())}


def start_ns(house, configuration):
    prefix, settings, _ = configuration
    environment, took = {**house.environment(), **settings}, []
    for _ in range(10):
        forget(settings)
        began = time.monotonic()
        subprocess.run([*prefix, "/bin/true"], env=environment, check=False)
        took.append((time.monotonic() - began) * 1e9)
    return statistics.median(took)


def spread(values):
    if len(values) < 4:
        return (max(values) - min(values)) / 2
    low, _, high = statistics.quantiles(values, n=4)
    return (high - low) / 2


def middle(rounds, configuration, call):
    values = [row[configuration][call] for row in rounds if call in row[configuration]]
    return (statistics.median(values), spread(values)) if values else (None, None)


def table(rounds, compared):
    calls = [name for name in rounds[0]["native"] if name != "probe"]
    lines = ["| | " + " | ".join(calls) + " |", "|---|" + "---:|" * len(calls)]
    for configuration in rounds[0]:
        cells = []
        for call in calls:
            value, wide = middle(rounds, configuration, call)
            unit, digits = (1e6, 1) if call.startswith("start") else (1, 0)
            if value is None:
                cells.append("")
                continue
            if not compared:
                least = min(row[configuration][call] for row in rounds if call in row[configuration])
                cells.append(f"{least / unit:.{digits}f}")
                continue
            extra = value - middle(rounds, "native", call)[0]
            added = f" (+{extra / unit:.{digits}f})" if configuration != "native" else ""
            cells.append(f"{value / unit:.{digits}f}{added} ±{wide / unit:.1f}")
        lines.append(f"| {configuration} | " + " | ".join(cells) + " |")
    return lines


def aims(rounds):
    lines = ["| times the floor | is | aim |", "|---|---:|---:|"]
    for configuration, call, aim in AIMS:
        ratio = middle(rounds, configuration, call)[0] / middle(rounds, "floor", call)[0]
        lines.append(f"| {configuration}: {call} | {ratio:.2f} | {aim} |")
    return lines


def main(build, repeats):
    build, repeats, report, disturbed = os.path.abspath(build), int(repeats), {}, []
    with House(build) as house:
        # The program lies outside the build's folder while it runs: its name is short in the traces.
        calls = shutil.copy(os.path.join(build, "tests/bench/bench_calls"), house.path("calls"))
        kinds = configurations(house)
        for threads in (1, 2)[:os.cpu_count()]:
            rounds = []
            for _ in range(repeats):
                row = {name: measured(house, calls, kind, threads) for name, kind in kinds.items()}
                for name, kind in kinds.items() if threads == 1 else ():
                    if name != "floor":
                        row[name]["start of /bin/true"] = start_ns(house, kind)
                rounds.append(row)
            report[threads] = rounds
    for threads, rounds in report.items():
        probe, wide = middle(rounds, "native", "probe")
        quiet = wide <= DISTURBED * probe
        shown = "median and half the quartile spread" if quiet else "the smallest"
        print(f"\n{repeats} alternated rounds, {threads} thread(s); {shown}; ns, a start in ms; probe "
              f"{probe:.1f} ±{wide:.1f}\n")
        print("\n".join(table(rounds, quiet)))
        if quiet:
            print("\n" + "\n".join(aims(rounds)))
        else:
            disturbed.append(threads)
            print("\nThe machine was disturbed: the probe should vary by less than "
                  f"{DISTURBED:.0%}. Nothing is compared.")
    with open(os.path.join(build, "bench.json"), "w") as file:
        json.dump({"unit": "ns", "kernel": os.uname().release, "disturbed": disturbed,
                   "threads": report}, file, indent=1)
    return 1 if disturbed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
