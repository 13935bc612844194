"""mixed.py BUILD: engines where calls are filtered, judged by their duration, sampled and made on copies
(SCTRACE_EXACT), all at once: the program sees what the engine made of its calls, the trace holds those that are
wanted, and each of them says what was asked and what was done."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from traced import DOORS, House  # noqa: E402

faults = []


def check(what, found, wanted):
    if not (re.fullmatch(wanted, found, re.S) if isinstance(wanted, str) else found == wanted):
        faults.append(f"{what}: found {found!r}, wanted {wanted!r}")


class Case:
    def __init__(self, house, build, door, exact):
        self.house, self.folder = house, os.path.join(build, "tests", "engines")
        self.name, self.settings = f"{door}, exact {exact}", {"SCTRACE_EXACT": exact, "SCTRACE_DOORS": door}
        self.door = door

    def run(self, engine, *words, **settings):
        """What the guest prints, and the trace's lines of the calls that matter, without what came before them."""
        self.house.fresh("trace")
        trace = self.house.path("trace")
        env = self.house.environment(self.door, trace, **self.settings, **settings)
        env["SCTRACE_ENGINE"] = engine.replace("@", self.folder + "/")
        done = self.house.run([os.path.join(self.folder, "guest"), *words], env, self.house.root, 60)
        check(f"{self.name}: {engine} says nothing", done.stderr, b"")
        info = self.house.info(trace)
        check(f"{self.name}: nothing is lost", info["lost"], 0)
        names = "getppid,openat,open,getcwd,getpid"
        shown = self.house.sctrace("print", "-e", f"trace={names}", trace).stdout.decode()
        return done.stdout.decode(), [line for line in shown.splitlines() if "+++" not in line and "ld.so" not in line]


def answered(case):
    engine = "@budget.so=1,getppid"
    out, lines = case.run(engine, "loop", SCTRACE_FILTER="errno==EAGAIN")
    check(f"{case.name}: the program", out, r"getppid \d+\ngetppid -1\ngetppid -1\n")
    check(f"{case.name}: those that failed", [re.sub(r" +", " ", line) for line in lines],
          ["getppid() = -1 EAGAIN (Resource temporarily unavailable) (INJECTED)"] * 2)
    out, lines = case.run(engine, "loop", SCTRACE_FILTER="name==getppid && errno==0")
    check(f"{case.name}: the one that did not", (len(lines), "INJECTED" in lines[0]), (1, False))
    out, lines = case.run(engine, "loop", SCTRACE_TRACE="getppid", SCTRACE_SAMPLE="3")
    check(f"{case.name}: sampled", (out.count("getppid"), len(lines)), (3, 1))


def altered(case, asked, real):
    engine = f"@redirect.so={os.path.dirname(asked)},{os.path.dirname(real)}"
    wanted = rf'openat\(AT_FDCWD, "{asked}", O_RDONLY\) += 3 \(INJECTED: openat\(AT_FDCWD, "{real}", O_RDONLY\)\)'
    for filters in ({}, {"SCTRACE_FILTER": f'path=="{asked}"'}, {"SCTRACE_FILTER": "name==openat && ret>=0"}):
        out, lines = case.run(engine, "read", asked, **filters)
        check(f"{case.name}: redirected, {filters}", out, "read 3: BBB\n")
        check(f"{case.name}: both are told, {filters}", [line for line in lines if asked in line] and lines[-1], wanted)
    out, lines = case.run(engine, "read", asked, SCTRACE_FILTER="errno==ENOENT")
    check(f"{case.name}: not wanted", (out, [line for line in lines if asked in line]), ("read 3: BBB\n", []))


def slow(case):
    out, lines = case.run("@latency.so=3000,getppid", "loop", SCTRACE_MIN_DURATION="1ms",
                          SCTRACE_TRACE="getppid,openat")
    check(f"{case.name}: slow ones alone", [line.split("(")[0] for line in lines if "getppid" in line], ["getppid"] * 3)
    check(f"{case.name}: delayed", out, r"(getppid \d+\n){3}")
    out, lines = case.run("@latency.so=10,getppid", "loop", SCTRACE_MIN_DURATION="1s")
    check(f"{case.name}: none is so slow", (len(lines), out.count("getppid")), (0, 3))


def results(case):
    log = case.house.path("log")
    twice = 2 * (len(case.house.root) + 1)
    out, lines = case.run(f"@probe.so=twice,{log},getcwd", "result", SCTRACE_FILTER=f"name==getcwd && ret=={twice}")
    check(f"{case.name}: a result that an engine changed is what filters see", (out, len(lines)),
          (f"getcwd {twice} {case.house.root}\n", 1))
    check(f"{case.name}: and it is told", lines[0], r"getcwd\(.*\(INJECTED\)")
    out, lines = case.run(f"@probe.so=poke,{log},getcwd", "result", SCTRACE_FILTER="name==getcwd")
    check(f"{case.name}: memory that an engine changed is the program's", out, r"getcwd \d+ changed\n")
    # On copies what the kernel gave is recorded, whatever became of it.
    given = re.escape(case.house.root) if case.settings["SCTRACE_EXACT"] == "1" else "changed"
    check(f"{case.name}: and in the trace", lines[0], rf"getcwd\(\"{given}\", 32\).*\(INJECTED: args\)")
    out, lines = case.run(f"@probe.so=getpid,{log},getppid", "loop", SCTRACE_FILTER="name==getppid")
    check(f"{case.name}: another number", [re.sub(r"\d+", "N", re.sub(r" +", " ", line)) for line in lines],
          ["getppid() = N (INJECTED: getpid())"] * 3)


def main(build):
    build = os.path.abspath(build)
    with House(build) as house:
        for name, text in (("from", "AAA"), ("to", "BBB")):
            house.fresh(name)
            with open(house.path(name, "f"), "w") as file:
                file.write(text)
        for door in DOORS:
            for exact in "01":
                case = Case(house, build, door, exact)
                for part, words in ((answered, ()), (altered, (house.path("from", "f"), house.path("to", "f"))),
                                    (slow, ()), (results, ())):
                    try:
                        part(case, *words)
                    except (IndexError, AssertionError, KeyError) as wrong:
                        faults.append(f"{case.name}: {part.__name__}: {type(wrong).__name__} {wrong}")
    for fault in faults:
        print("FAULT", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
