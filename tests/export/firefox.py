"""firefox.py BUILD: Firefox' profile, its columns by any JSON reader and the whole by profiler-cli."""
import json
import os
import subprocess
import time

import readers
from exported import Exported, need_programs, skip

need_programs(["node", "npm"])
it = Exported()
file = it.export("firefox", "firefox.json")
told = readers.firefox(it, file)
it.tally(told.calls)
it.check("unfinished calls are told", told.unfinished == sum(it.column("unfinished").values()), told.unfinished)
it.check("samples weigh what calls took", told.weight == sum(it.column("ns_total").values()), told.weight)
it.check("threads have names", {"worker-one", "worker-two", "worker-three", "cat"} <= told.names, told.names)

folder = os.path.join(it.build, "tests", "export", "npm")
command = os.path.join(folder, "node_modules", ".bin", "profiler-cli")
if not os.path.exists(command):
    os.makedirs(folder, exist_ok=True)
    done = subprocess.run(["npm", "install", "--no-fund", "--no-audit", "--prefix", folder,
                           "@firefox-devtools/profiler-cli@0.10.0"], capture_output=True, text=True, timeout=250)
    if done.returncode:
        skip("npm has no profiler-cli: " + done.stderr[-300:])
environment = {**os.environ, "HOME": it.path("home"), "PROFILER_CLI_SESSION_DIR": it.path("home")}
os.makedirs(environment["HOME"], exist_ok=True)


def cli(*arguments):
    return subprocess.run([command, *arguments, "--session", "sct"], capture_output=True, text=True, timeout=120,
                          env=environment)


# Its `load` starts this daemon and gives it half a second; a machine at work needs longer. A client that finds no
# session removes the files of one, also those that the daemon is just about to write: nobody asks before that.
session = os.path.join(environment["HOME"], "sct.json")
if os.path.exists(session):
    os.remove(session)


def is_there():
    try:
        with open(session, encoding="utf-8") as file_of_session:
            return bool(json.load(file_of_session))
    except (OSError, ValueError):
        return False


def wait_until(true, seconds=50):
    end = time.monotonic() + seconds
    while not true() and daemon.poll() is None and time.monotonic() < end:
        time.sleep(0.1)


daemon = subprocess.Popen([command, "--daemon", file, "--session", "sct"], env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    wait_until(is_there)
    wait_until(lambda: cli("profile", "info").returncode == 0)
    info = cli("profile", "info")
    it.check("profiler-cli loads it", info.returncode == 0, info.stdout + info.stderr)
    it.check("it sees the threads", "worker-one" in info.stdout, info.stdout[:2000])
finally:
    daemon.terminate()
    daemon.wait()
it.done()
