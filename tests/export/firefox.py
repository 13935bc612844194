"""firefox.py BUILD: Firefox' profile, its columns by any JSON reader and the whole by profiler-cli."""
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
environment = {**os.environ, "HOME": it.path("home")}
os.makedirs(environment["HOME"], exist_ok=True)


def cli(*arguments):
    return subprocess.run([command, *arguments], capture_output=True, text=True, timeout=120, env=environment)


loaded = cli("load", file)
for _ in range(20):  # its daemon may take longer than it waits for it
    if loaded.returncode == 0:
        break
    time.sleep(1)
    loaded = cli("load", file)
try:
    it.check("profiler-cli loads it", loaded.returncode == 0, loaded.stdout + loaded.stderr)
    info = cli("profile", "info").stdout
    it.check("it sees the threads", "worker-one" in info or "program" in info, info[:2000])
finally:
    cli("stop")
it.done()
