"""run.py BUILD: engines (sctrace/engine.h) as a program meets them, through both doors: the three examples, and a
probe that does each thing an engine may do, in ordinary code and bare. What the program prints, what the probe
noted, what the trace says."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import DOORS, House  # noqa: E402

faults = []


class Bench:
    def __init__(self, house, folder, door, probe="probe"):
        self.house, self.folder, self.door, self.name = house, folder, door, probe
        self.log = house.path("log")

    def run(self, engines, *args):
        """Its output, what engines noted, the trace as text."""
        trace = self.house.path("trace")
        self.house.fresh("trace")
        open(self.log, "w").close()
        env = self.house.environment(self.door, trace, SCTRACE_ENGINE=engines)
        done = self.house.run([os.path.join(self.folder, "guest"), *args], env, self.house.root, 60)
        return done, open(self.log).read().split("\n")[:-1], trace

    def probe(self, *whats, calls="getppid"):
        return ":".join(f"{self.folder}/{self.name}.so={what},{self.log},{calls}" for what in whats)

    def shown(self, trace, names):
        return self.house.sctrace("print", "-f", "-e", f"trace={names}", trace).stdout.decode()

    def check(self, what, found, wanted):
        if not (re.fullmatch(wanted, found, re.S) if isinstance(wanted, str) else found == wanted):
            faults.append(f"{self.door}, {self.name}: {what}: found {found!r}, wanted {wanted!r}")


def examples(bench):
    house = bench.house
    for name, text in (("from", "AAA"), ("to", "BBB")):
        house.fresh(name)
        open(house.path(name, "f"), "w").write(text)
    asked, real = house.path("from", "f"), house.path("to", "f")
    done, _, trace = bench.run(f"{bench.folder}/redirect.so={house.path('from')},{house.path('to')}", "read", asked)
    bench.check("redirect", done.stdout.decode(), "read 3: BBB\n")
    bench.check("redirect in the trace", bench.shown(trace, "openat,open"),
                rf'.*openat\(AT_FDCWD, "{asked}", O_RDONLY\) += 3 '
                rf'\(INJECTED: openat\(AT_FDCWD, "{real}", O_RDONLY\)\)\n.*')
    done, _, trace = bench.run(f"{bench.folder}/budget.so=1,getppid", "loop")
    bench.check("budget", done.stdout.decode(), r"getppid \d\d+\ngetppid -1\ngetppid -1\n")
    bench.check("budget in the trace", bench.shown(trace, "getppid"),
                r".*getppid\(\) += \d+\n.*getppid\(\) += -1 EAGAIN \(.*\) \(INJECTED\)\n.*")
    done, _, trace = bench.run(f"{bench.folder}/latency.so=2000,getppid", "loop")
    bench.check("latency", done.stdout.decode(), r"(getppid \d+\n){3}")
    spent = re.findall(r"getppid\(\).*<([0-9.]+)>", house.sctrace("print", "-T", trace).stdout.decode())
    bench.check("latency in the trace", [float(s) >= 0.001 for s in spent], [True] * 3)


def order(bench):
    done, log, _ = bench.run(bench.probe("see", "skip"), "errno")
    bench.check("entry from the last to the first, exit from the first", log,
                ["skip entry 0", "see entry 1", "see exit skipped 5", "skip exit skipped 4321"])
    bench.check("errno is the program's", done.stdout.decode(), "getppid came, errno 77\n")
    _, log, _ = bench.run(bench.probe("run", "fail"), "loop")
    bench.check("the outermost has the last word", [line for line in log if "exit" in line and "skipped" in line], [])
    done, log, trace = bench.run(bench.probe("fail"), "loop")
    bench.check("an answer instead", done.stdout.decode(), "getppid -1\n" * 3)
    bench.check("its own calls are not in the trace", bench.shown(trace, "open,openat").count(bench.log), 0)


def changes(bench):
    done, _, trace = bench.run(bench.probe("getpid"), "loop")
    pid = re.search(r"getppid (\d+)", done.stdout.decode())[1]
    bench.check("another number", bench.shown(trace, "getppid"),
                rf".*getppid\(\) += {pid} \(INJECTED: getpid\(\)\)\n.*")
    done, _, _ = bench.run(bench.probe("rollback"), "loop")
    bench.check("rollback shows the registers of entry", done.stdout.decode(), "getppid 110\n" * 3)
    done, _, trace = bench.run(bench.probe("twice", calls="getcwd"), "result")
    twice = 2 * (len(bench.house.root) + 1)
    bench.check("another result", done.stdout.decode(), rf"getcwd {twice} {bench.house.root}\n")
    bench.check("another result in the trace", bench.shown(trace, "getcwd"), r".*getcwd\(.*\(INJECTED\)\n.*")
    done, _, trace = bench.run(bench.probe("poke", calls="getcwd"), "result")
    bench.check("other memory", done.stdout.decode(), r"getcwd \d+ changed\n")
    bench.check("other memory in the trace", bench.shown(trace, "getcwd"),
                r'.*getcwd\("changed", 32\).*\(INJECTED: args\)\n.*')
    done, log, _ = bench.run(bench.probe("stop"), "loop")
    bench.check("stop and report", done.stdout.decode(), "getppid 77\n" * 3)
    bench.check("report asks afresh", log[:3], ["stop entry 0", "stop entry again 0", "stop exit skipped 77"])
    done, _, _ = bench.run(bench.probe("vectors"), "vectors")
    bench.check("vector registers", done.stdout.decode(), "vectors kept\n")


def trouble(bench):
    os.environ["TESTED"] = "yes"
    done, _, _ = bench.run(bench.probe("see"), "environment")
    bench.check("what libc knows of the program", done.stdout.decode(), "2 environment yes guest\n")
    done, log, _ = bench.run(bench.probe("fault", "see"), "loop")
    bench.check("a fault switches off", done.stdout.decode(), r"(getppid \d+\n){3}")
    bench.check("and is said once", done.stderr.decode(),
                "sctrace: engine probe made a fault in a callback; it is asked no more\n")
    bench.check("the others go on", [line.split()[0] for line in log].count("see"), 6)
    _, log, _ = bench.run(bench.probe("fork"), "loop")
    bench.check("no fork in a callback", log[1], "fork fork -38")
    for engines, why in ((f"/nowhere.so:{bench.folder}/redirect.so=x",
                          r"sctrace: engine .*\nsctrace: engine redirect .*\n"),
                         (f"{bench.folder}/guest", r"sctrace: engine .*\n"),
                         ("libm.so.6", r"sctrace: engine libm.so.6: has no symbol sctrace_engine; .*\n")):
        done, _, _ = bench.run(engines, "loop")
        bench.check(engines, done.stdout.decode(), r"(getppid \d+\n){3}")
        bench.check(engines, done.stderr.decode(), why)


def signals_and_life(bench):
    done, log, _ = bench.run(bench.probe("note", calls="none"), "signal")
    bench.check("a signal", (done.stdout, log), (b"caught 10\n", ["note signal 10"]))
    done, _, _ = bench.run(bench.probe("drop", calls="none"), "signal")
    bench.check("dropped", done.stdout, b"caught 0\n")
    done, log, _ = bench.run(bench.probe("replace", calls="none"), "signal")
    bench.check("replaced", (done.stdout, log), (b"caught 12\n", ["replace signal 10"]))
    done, _, _ = bench.run(bench.probe("raise"), "loop")
    bench.check("raised", str(done.status), "signal 10")
    _, log, _ = bench.run(bench.probe("life", calls="none"), "life", "/dev/null")
    bench.check("life", [int(line.split()[-1]) for line in log if " life " in line], [0, 1, 5, 2, 6, 3, 4, 3, 0, 6])


def main(build):
    folder = os.path.join(os.path.abspath(build), "tests", "engines")
    with House(os.path.abspath(build)) as house:
        for door in DOORS:
            bench = Bench(house, folder, door)
            for part in (examples, order, changes, trouble, signals_and_life):
                part(bench)
            bare = Bench(house, folder, door, "probe_bare")
            for part in (order, changes, signals_and_life):
                part(bare)
    for fault in faults:
        print("FAULT", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
