"""settings.py BUILD: unknown names and bad values, each said in one line, in the process that was started
and not again in its children; the default is used and the trace is there."""
import os
import sys

from asked import PROGRAM, Asker, House

BAD = [  # name, value, what the line must name
    ("SCTRACE_NONSENSE", "1", "SCTRACE_NONSENSE"), ("SCTRACE_TRACES", "all", "SCTRACE_TRACES"),
    ("SCTRACE_TRACE", "no_such_call", "no_such_call"), ("SCTRACE_TRACE", "%nothing", "%nothing"),
    ("SCTRACE_CAPTURE", "sideways", "sideways"), ("SCTRACE_STRSIZE", "many", "many"),
    ("SCTRACE_STRSIZE", "-5", "-5"), ("SCTRACE_STRSIZE", "64,%nothing=all", "%nothing"),
    ("SCTRACE_STRSIZE", "read=", "read="), ("SCTRACE_STRSIZE", "read=64,", "read=64,"),
    ("SCTRACE_EXACT", "2", "SCTRACE_EXACT"), ("SCTRACE_MODE", "stroom", "stroom"),
    ("SCTRACE_BUFFER", "12Q", "12Q"), ("SCTRACE_BUFFER", "1", "SCTRACE_BUFFER"),
    ("SCTRACE_BUFFER", "99999999999999999999", "SCTRACE_BUFFER"),
    ("SCTRACE_CACHE", "here", "here"), ("SCTRACE_MAX_SIZE", "lots", "lots"),
    ("SCTRACE_FOLLOW", "spoon", "spoon"), ("SCTRACE_DOORS", "window", "window"),
    ("SCTRACE_STACK", "deep", "deep"), ("SCTRACE_STACK_DEPTH", "0", "SCTRACE_STACK_DEPTH"),
    ("SCTRACE_STACK_DEPTH", "513", "513"), ("SCTRACE_STACK_DEPTH", "all", "all"),
    ("SCTRACE_START", "later", "later"), ("SCTRACE_VDSO", "maybe", "maybe"), ("SCTRACE_LOG", "shout", "shout"),
    ("SCTRACE_DISABLE", "perhaps", "perhaps"), ("SCTRACE_FILTER", "dur>>1ms", "column 5"),
    ("SCTRACE_MIN_DURATION", "10", "SCTRACE_MIN_DURATION"), ("SCTRACE_SAMPLE", "0", "SCTRACE_SAMPLE"),
    ("SCTRACE_INJECT", "read:error=ENOTHING", "error=ENOTHING"), ("SCTRACE_INJECT", "nothing:error=EIO", "nothing"),
    ("SCTRACE_INJECT", "read:error=EIO:when=0", "when=0"), ("SCTRACE_ENGINE", "/nowhere.so=x", "/nowhere.so"),
    ("SCTRACE_REDACT", "%nothing", "%nothing"), ("SCTRACE_REDACT", "fd=x", "fd=x"),
    ("SCTRACE_REDACT", "path=", "path="),
    ("SCTRACE_ENGINE", "libm.so.6", "sctrace_engine"), ("SCTRACE_CONTROL", "/no/where", "/no/where"),
]


def main(build):
    asker = Asker()
    with House(os.path.abspath(build)) as house:
        work = house.fresh("work")
        native = house.run(PROGRAM, house.environment(), work)
        for name, value, says in BAD:
            trace = house.path("trace")
            env = house.environment("auto", trace)
            env[name] = value
            case = f"{name}={value}"
            asker.unchanged(case, native, house.run(PROGRAM, env, work), says)
            for fault in house.trace_faults(trace):
                asker.fault(case, fault)
            house.fresh("trace")
            os.rmdir(trace)
        quiet = house.run(PROGRAM, house.environment("auto", house.path("quiet")), work)
        asker.unchanged("no bad setting", native, quiet)
        env = house.environment("auto", house.path("none"), SCTRACE_DISABLE="1")
        asker.unchanged("disabled", native, house.run(PROGRAM, env, work))
        if os.path.exists(house.path("none")):
            asker.fault("disabled", "a trace was made")
        env = house.environment("auto", house.path("off"), SCTRACE_NONSENSE="1", SCTRACE_LOG="off")
        asker.unchanged("log off", native, house.run(PROGRAM, env, work))
    asker.done()


main(*sys.argv[1:])
