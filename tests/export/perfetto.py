"""perfetto.py BUILD: Perfetto's packets, decoded by protoc."""
import readers
from exported import Exported, need_programs

need_programs(["protoc"])
it = Exported()
told = readers.perfetto(it, it.export("perfetto", "trace.pftrace"))
it.tally(told.calls)
it.check("unfinished calls are told", told.unfinished == sum(it.column("unfinished").values()), told.unfinished)
it.check("threads have names", {"worker-one", "worker-two", "worker-three", "cat"} <= told.names, told.names)
it.check("signals and ends are told",
         {"SIGUSR1", "exited with 5", "exited with 3", "killed by SIGKILL"} <= told.notes, told.notes)
it.done()
