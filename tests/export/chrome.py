"""chrome.py BUILD: Chrome's trace events, read as any JSON and by jq."""
import readers
from exported import Exported, need_programs

need_programs(["jq"])
it = Exported()
file = it.export("chrome", "chrome.json")
told = readers.chrome(it, file)
it.tally(told.calls)
it.check("unfinished calls are told", told.unfinished == sum(it.column("unfinished").values()), told.unfinished)
it.check("threads have names", {"worker-one", "worker-two", "worker-three", "sh", "cat"} <= told.names, told.names)
it.check("signals and ends are told",
         {"SIGUSR1", "exited with 5", "exited with 3", "killed by SIGKILL"} <= told.notes, told.notes)
paths = {one["args"].get("path") or "" for one in told.made}
it.check("a hard name comes through", any("new\nline\"\x01\\" in path for path in paths), paths)
it.check("bytes that are no UTF-8 are shown", any("no utf8 \\xff\\xfe" in path for path in paths), paths)
it.check("errors are named", any(one["args"].get("errno") == "ENOENT" for one in told.made))
counted = it.said("jq", "[.traceEvents[] | select(.ph == \"X\" and .args.ret != null)] | length", file)
it.check("jq counts as many", int(counted) == len(told.calls), counted)
it.done()
