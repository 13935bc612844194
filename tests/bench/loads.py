"""loads.py BUILD ROUNDS [LOAD...]: what real programs get done while they are recorded, as a share of what
they get done without: ours in its modes, and strace beside it (its first round alone: it takes long).

All kinds take turns, load by load; of each the best round counts, for what disturbs only slows. Where even
native rounds differ by more than a tenth the machine was busy with something else: shares have a ~ then, and
are not to be believed. Clients of servers are never traced. The table goes to stdout as Markdown, everything
to BUILD/loads.json. A program that is not installed has no row.
"""
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House  # noqa: E402

KINDS = ("overwrite", "stream", "counts", "strace -f")
DISTURBED = 0.1  # of the best native round
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
IMPORTS = "import asyncio,unittest,email.mime.text,http.server,xml.dom.minidom,multiprocessing.pool,decimal,sqlite3"
FIND = ["/usr/include", "/usr/share", "/usr/lib/python3"]


class Kind:
    """How a program is started: natively, under us, under strace."""

    def __init__(self, house, name):
        self.house, self.name, self.runs = house, name, 0

    def start(self, argv, user=None, **more):
        prefix, settings = [], {}
        if self.name in ("overwrite", "stream", "counts"):
            self.runs += 1
            trace = self.house.path("traces", f"{self.name.replace(' ', '')}-{time.monotonic_ns()}")
            settings = {"LD_PRELOAD": self.house.library, "SCTRACE_OUTPUT": trace, "SCTRACE_MODE": self.name,
                        "SCTRACE_MAX_SIZE": "4G", "SCTRACE_CACHE": self.house.path("cache", user or "root")}
        elif self.name.startswith("strace"):
            prefix = ["strace", "-f", "-o", "/dev/null"]
        env = {**self.house.environment(), **settings}
        who = {"user": user, "group": user, "extra_groups": []} if user else {}
        return subprocess.Popen([*prefix, *argv], env=env, **QUIET, **who, **more)

    def stop(self, child, number=signal.SIGTERM):
        """A tracer passes nothing on: the server is its child then."""
        if self.name.startswith("strace"):
            for pid in told("ps", "-o", "pid=", "--ppid", str(child.pid)).split():
                os.kill(int(pid), number)
        else:
            child.send_signal(number)
        child.wait(60)


def comes_up(test, child):
    for _ in range(600):
        if test():
            return
        if child.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError("the server did not come up")


def works(*command):
    return subprocess.run(command, **QUIET).returncode == 0


def told(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class Command:
    """Done so many times a second."""

    def __init__(self, argv, times=1, prepare=None, needs=None):
        self.argv, self.times, self.prepare, self.needs = argv, times, prepare, needs or [argv[0]]

    def run(self, house, kind):
        where = house.fresh("work") if self.prepare else house.path("tree")
        if self.prepare:
            self.prepare(where)
        began = time.monotonic()
        for _ in range(self.times):
            child = kind.start(self.argv, cwd=where)
            if child.wait():
                raise RuntimeError(f"{self.argv[0]}: {child.returncode}")
        return {"": self.times / (time.monotonic() - began)}


class Redis:
    needs = ["redis-server", "redis-benchmark"]

    def run(self, house, kind):
        socket = house.path("redis")
        server = kind.start(["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", house.root])
        comes_up(lambda: works("redis-cli", "-s", socket, "ping"), server)
        got = {}
        for word, more in (("", []), (", 16 in a pipe", ["-P", "16"])):
            out = told("redis-benchmark", "-s", socket, "-n", "400000" if more else "60000", "-c", "20", "-t",
                       "set,get", "--csv", *more)
            for name, rate in re.findall(r'^"(SET|GET)","([0-9.]+)"', out, re.M):
                got[f" {name}{word}"] = float(rate)
        kind.stop(server)
        return got


class Nginx:
    needs = ["nginx", "ab"]

    def run(self, house, kind):
        where, port = house.fresh("www"), 20000 + os.getpid() % 10000
        os.chmod(house.root, 0o755)
        with open(os.path.join(where, "page"), "wb") as page:
            page.write(b"x" * 4096)
        with open(os.path.join(where, "conf"), "w") as conf:
            conf.write(f"daemon off; worker_processes 1; pid {where}/pid; error_log {where}/error;\n"
                       "user root; events { worker_connections 100; }\n"
                       f"http {{ access_log {where}/access; sendfile on; keepalive_requests 1000000;\n"
                       f"server {{ listen 127.0.0.1:{port}; root {where}; }} }}\n")
        server = kind.start(["nginx", "-p", where, "-e", where + "/error", "-c", where + "/conf"])
        url = f"http://127.0.0.1:{port}/page"
        comes_up(lambda: works("ab", "-q", "-n", "1", url), server)
        out = told("ab", "-q", "-k", "-c", "8", "-n", "40000", url)
        kind.stop(server)
        return {"": float(re.search(r"Requests per second: +([0-9.]+)", out)[1])}


class Postgres:
    user = "postgres"
    needs = ["postgres", "initdb", "pgbench"]

    def run(self, house, kind):
        data = house.path("pg")
        as_user = {"user": self.user, "group": self.user, "extra_groups": []} if os.getuid() == 0 else {}
        if not os.path.exists(data):
            os.mkdir(data)
            if as_user:
                os.chmod(house.root, 0o755)
                shutil.chown(data, self.user)
            subprocess.run(["initdb", "-D", data, "-A", "trust", "-U", "bench"], check=True, cwd="/", **QUIET,
                           **as_user)
        server = kind.start(["postgres", "-D", data, "-k", data, "-c", "listen_addresses="],
                            user=self.user if as_user else None, cwd="/")
        client = ["-h", data, "-U", "bench"]
        comes_up(lambda: works("psql", *client, "-c", "select 1", "postgres"), server)
        if not works("psql", *client, "-c", "select 1 from pgbench_accounts limit 1", "postgres"):
            subprocess.run(["pgbench", *client, "-i", "-q", "postgres"], check=True, **QUIET)
        out = told("pgbench", *client, "-n", "-S", "-c", "2", "-T", "3", "postgres")
        kind.stop(server, signal.SIGINT)
        return {"": float(re.search(r"tps = ([0-9.]+)", out)[1])}


def sources(where):
    for n in range(20):
        with open(os.path.join(where, f"f{n}.c"), "w") as file:
            file.write("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n" + "".join(
                f"int g{n}_{i}(int x) {{ return x * {i} + (int)strlen(\"{i}\"); }}\n" for i in range(50)))


def inserts(where):
    with open(os.path.join(where, "in"), "w") as file:
        file.write("pragma journal_mode=wal; pragma synchronous=off; create table t(a, b);\n")
        file.writelines(f"insert into t values({n}, 'some text of a usual length {n}');\n" for n in range(20000))


def loads(house):
    tree = house.path("tree")
    os.mkdir(tree)
    if shutil.which("git"):
        for n in range(3000):
            os.makedirs(os.path.join(tree, f"d{n % 60}"), exist_ok=True)
            with open(os.path.join(tree, f"d{n % 60}", f"f{n}"), "w") as file:
                file.write(f"{n}\n")
        me = ["-c", "user.name=a", "-c", "user.email=a"]
        for command in (["init", "-q"], ["add", "."], [*me, "commit", "-qm", "a"]):
            subprocess.run(["git", *command], cwd=tree, check=True, **QUIET)
    return {
        "redis": Redis(), "nginx, a file of 4 KiB": Nginx(), "pgbench -S": Postgres(),
        "sqlite3, 20,000 inserts": Command(["sqlite3", "-init", "in", "db", ".exit"], 2, inserts),
        "git status, 3,000 files": Command(["git", "status"], 8),
        "dd bs=512": Command(["dd", "if=/dev/zero", "of=/dev/null", "bs=512", "count=300000"], 1),
        "find -size": Command(["find", *filter(os.path.isdir, FIND), "-type", "f", "-size", "+1M"], 1),
        "python3, many imports": Command(["/usr/bin/python3", "-c", IMPORTS], 3),
        "cc, 20 files": Command(["sh", "-c", "for f in *.c; do cc -O1 -c $f || exit 1; done"], 1, sources, ["cc"]),
    }


def measured(house, load, rounds):
    best = {}
    kinds = {name: Kind(house, name) for name in ("native", *KINDS)}
    for turn in range(rounds):
        for name, kind in kinds.items():
            if name.startswith("strace") and (turn or not shutil.which("strace")):
                continue
            for part, rate in load.run(house, kind).items():
                best.setdefault(part, {}).setdefault(name, []).append(rate)
            shutil.rmtree(house.path("traces"), ignore_errors=True)
            house_folder(house, "traces")
    return best


def house_folder(house, *names):
    os.makedirs(house.path(*names), exist_ok=True)
    os.chmod(house.path(names[0]), 0o1777)


def row(name, rates):
    native = max(rates["native"])
    doubt = "~" if len(rates["native"]) < 2 or min(rates["native"]) < (1 - DISTURBED) * native else ""
    cells = [f"{doubt}{max(rates[kind]) / native:.2f}" if kind in rates else "" for kind in KINDS]
    return f"| {name} | {native:,.{0 if native > 100 else 1}f} | " + " | ".join(cells) + " |"


def processor():
    with open("/proc/cpuinfo") as file:
        found = re.search(r"model name\s*: (.*)", file.read())
    return found[1] if found else platform.machine()


def main(build, rounds, *wanted):
    report = {}
    with House(os.path.abspath(build)) as house:
        for folder in ("traces", "cache"):
            house_folder(house, folder)
        print(f"{rounds} alternated rounds, the best; {time.strftime('%Y-%m-%d')}, Linux {platform.release()}, "
              f"{processor()}, {os.cpu_count()} CPUs\n")
        print("| | native, a second | " + " | ".join(KINDS) + " |\n|---|" + "---:|" * (len(KINDS) + 1), flush=True)
        for name, load in loads(house).items():
            if wanted and not any(word in name for word in wanted) or not all(map(shutil.which, load.needs)):
                continue
            for part, rates in measured(house, load, int(rounds)).items():
                report[name + part] = rates
                print(row(name + part, rates), flush=True)
    with open(os.path.join(build, "loads.json"), "w") as file:
        json.dump({"unit": "a second", "kernel": os.uname().release, "loads": report}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
