"""tracedat.py BUILD: trace.dat, by trace-cmd."""
import collections
import re

import readers
from exported import Exported, need_programs

need_programs(["trace-cmd"])
it = Exported()
file = it.export("tracedat", "trace.dat")
told = readers.tracedat(it, file)
it.tally(told.calls)
it.check("no exit without its entry", told.orphans == 0, told.orphans)
it.check("threads have names", {"worker-one", "worker-two", "worker-three"} <= told.names, told.names)
it.check("the signal is told", told.signals[10] == 1, told.signals)
text = it.said("trace-cmd", "report", "--profile", "-i", file)
it.check("the profile has tasks", "task: worker-one-" in text, text[:1000])
numbers, count, spent = readers.numbers_of_calls(it), collections.Counter(), collections.Counter()
for number, calls, total in re.findall(r"^ +Event: sys_enter:(\d+) \((\d+)\) Total: (\d+)", text, re.M):
    call = readers.of_number(numbers, number)
    count[call] += int(calls)
    spent[call] += int(total)
it.equal("the profile's calls", it.column("calls"), count)
it.equal("the profile's ns", it.column("ns_total"), spent)
it.done()
