"""run.py BUILD SOURCE [PROGRAM]: twenty programs, each through both doors, watched by the kernel at the same time.

For each thread the trace must be what the kernel saw, in the same order with the same arguments and
results, from the library's constructor on to its exit. What the kernel saw beyond it must be the library's
own: of the few numbers in OWN, and of each no more than a thread or an image is allowed. So with signals:
each that a handler ran for, and no other.
"""
import collections
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from kernel import Call, Kernel  # noqa: E402
from traced import DOORS, House, skip  # noqa: E402

ENDS_WITH = {"dash traps": 4}
INTERRUPTED = {-512, -513, -514, -516}  # the kernel's own words for "a signal came"; no program sees them
EINTR, TO_BE_RESTARTED, RT_SIGRETURN, RESTART, EXECVE = -4, -516, 15, 219, {59, 322}
PRCTL, USER_DISPATCH, USER_DISPATCH_CODE = 157, 59, 2
WILD = 10**9
OWN = {  # number: how many calls of the library's own a thread or a new image may cost
    "rt_sigreturn": WILD,  # through the SIGSYS door, and out of every handler
    "rt_sigprocmask": 40, "rt_sigaction": 40, "prctl": 8, "sigaltstack": 4,
    "getpid": 40, "gettid": 40, "tgkill": 40, "rt_tgsigqueueinfo": 40,  # a signal that was put off, sent again
    "madvise": WILD,  # pieces of the ring, made ready ahead of the writer
    "mmap": 40, "munmap": 40,  # an exec's environment; slabs of thread blocks
    "openat": 40, "pwrite64": 40, "close": 40,  # drains, and an exec's look at its program
     "readlinkat": 400,  # where a name led, once for each (plain_names.h); and a device
     "getcwd": 40,  # where chdir and fchdir led
     "getsockopt": 40, "getsockname": 20, "getpeername": 20,  # what sockets are
     "pread64": 20, "fstat": 40, "fcntl": 4, "fgetxattr": 4, "getuid": 4, "getgid": 4, "geteuid": 4,
     "getegid": 4, "faccessat": 4, "clock_gettime": 20, "rseq": 1,
    "answered by the library": 70,
}
# Arguments that may point to a copy of ours: signal masks and handlers without SIGSYS, an environment
# that goes on carrying the library.
REPLACED = {13: {1, 2}, 14: {1, 2}, 59: {2}, 322: {3}, 130: {0}, 270: {5}, 271: {3}, 281: {4}, 441: {4},
            131: {0, 1}, 282: {1}, 289: {1}, 128: {0}}
SKIPPED = 4  # wire::exit_skipped: the kernel never saw it
VIRTUAL = {13, 131}  # may be answered from what the library keeps in the kernel's stead
SIGBUS, SIGSEGV, SIGSYS = 7, 11, 31  # caught by the library for itself, too
TRAPS = 'trap "echo one" USR1; trap "echo two; exit 4" TERM; kill -USR1 $$; (kill -USR1 $$) & ' \
        'wait; wait; kill -TERM $$; sleep 9'
ALARM = "$SIG{ALRM} = sub { $n++ }; for (1..3) { alarm 1; select undef, undef, undef, 0.01; kill ALRM => $$ } " \
        "alarm 0; local $SIG{CHLD} = sub { $n++ }; fork || exit 3; wait; print $n > 3"
PROCESSES = "import subprocess, asyncio, signal, os\nsignal.signal(signal.SIGCHLD, lambda *_: None)\n" \
            "print(subprocess.run(['ls', '/'], capture_output=True).returncode)\n" \
            "async def one(): return await (await asyncio.create_subprocess_exec('true')).wait()\n" \
            "print(asyncio.run(one()))\n" \
            "p = os.fork()\nif p == 0: os.kill(os.getpid(), 9)\nprint(os.waitpid(p, 0)[1])"
SHELL = "for i in 1 2 3; do echo $i; done | sort -r; x=$(ls /usr); (exit 3); echo $? ${#x}"
PYTHON = "import threading, os\nt = [threading.Thread(target=os.listdir, args=('/',)) for _ in range(5)]\n" \
         "[x.start() for x in t]; [x.join() for x in t]; print(os.popen('echo hello').read())"


def programs(build):
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3"
    own = os.path.join(build, "tests/complete/test_threads")
    return {
        "ls": ["ls", "-lR", "/usr/include/linux"], "find": ["find", "/etc", "-name", "*.conf"],
        "sh": ["sh", "-c", SHELL], "bash": ["bash", "-c", SHELL],
        "tar": ["tar", "-czf", "t.tar.gz", "-C", "/usr/include", "linux"],
        "perl": ["perl", "-e", "for (1..200) { open F, '>', 'f'; print F $_; close F } print `ls`;"],
        "git": ["sh", "-c", "git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x"],
        "python threads": [python, "-c", PYTHON],
        "thread pool": [own, "pool"], "threads and signals": [own, "signals"],
        "dash traps": ["dash", "-c", TRAPS], "perl signals": ["perl", "-e", ALARM],
        "sed": ["sed", "-i.bak", "s/a/b/g", "text"], "sort": ["sort", "-S1M", "--parallel=2", "-o", "sorted", "text"],
        "awk": ["awk", '{ n[length($0)]++ } END { for (i in n) print i, n[i] | "sort -n" }', "text"],
        "xargs": ["sh", "-c", "ls /usr/include/*.h | head -30 | xargs -P3 -n10 wc -l"],
        "grep": ["grep", "-rl", "define", "/usr/include/asm-generic"],
        "make": ["sh", "-c", "printf 'all: a b c\\n%%:;@echo $@ > $@\\n' > M && make -s -j3 -f M"],
        "dd and diff": ["sh", "-c", "dd if=text of=copy bs=512 2>/dev/null; diff text copy && cmp text copy"],
        "python processes": [python, "-c", PROCESSES],
    }


def numbers(source):
    text = open(os.path.join(source, "arch/x86_64/numbers.def")).read()
    rows = re.findall(r"^\s*\w+\(\s*(\d+)\s*,\s*(\w+)", text, re.M)
    return {name: int(number) for number, name in rows}


def seen_by_us(build, trace):
    done = subprocess.run([os.path.join(build, "tests/complete/test_dump"), trace], capture_output=True,
                          text=True)
    calls, signals, lost = {}, {}, 0
    for line in done.stdout.splitlines():
        words = line.split("|")[0].split()
        if words[0] == "lost":
            lost += int(words[1])
            continue
        if words[0] == "signal":
            signals.setdefault(int(words[1]), []).append(int(words[2]))
            continue
        _, tid, nr, ended, how, result, _ = map(int, words[1:8])  # pid … argc
        if how & SKIPPED:
            continue
        call = Call(nr, [int(a, 16) for a in words[8:]])
        call.ended, call.result = bool(ended), result
        calls.setdefault(tid, []).append(call)
    if done.returncode:
        lost = done.stderr
    return calls, signals, lost


def folded(calls):
    """The kernel's calls as a program sees them: a restart_syscall right behind the call that it goes on
    with is the rest of it. One behind a handler's calls is the program's own: it was about to be made when
    the signal came, and the handler returned to it."""
    found = []
    for call in calls:
        if call.nr == RESTART and found and found[-1].result == TO_BE_RESTARTED:
            found[-1].result, found[-1].ended = call.result, call.ended
        else:
            found.append(call)
    return found


def ended_with(nr, result):
    call = Call(nr, [])
    call.result, call.ended = result, True
    return call


def folding_faults():
    """A process-directed signal wakes two threads of which one gets it; the other is to go on with its sleep
    by restart_syscall, and meets the next signal just there."""
    sleep, handlers, rest = ended_with(230, -516), ended_with(110, 1), ended_with(RESTART, 0)
    seen = [(c.nr, c.result) for c in folded([sleep, handlers, ended_with(RT_SIGRETURN, 0), rest])]
    silent = [(c.nr, c.result) for c in folded([ended_with(230, -516), ended_with(RESTART, 0)])]
    if seen != [(230, -516), (110, 1), (RT_SIGRETURN, 0), (RESTART, 0)] or silent != [(230, 0)]:
        yield f"folding: {seen}, {silent}"


def same(kernel, ours):
    if kernel.nr != ours.nr:
        return False
    replaced = REPLACED.get(kernel.nr, ())
    if any(a != b for i, (a, b) in enumerate(zip(kernel.args, ours.args)) if i not in replaced):
        return False
    if not ours.ended or not kernel.ended or kernel.result == ours.result:
        return True
    return kernel.result in INTERRUPTED and (ours.result == EINTR or ours.result in INTERRUPTED)


def compare(kernel, ours, names, is_child):
    """Faults of one thread, and the kernel's calls that are not in the trace by name."""
    own = collections.Counter()
    position, starting = 0, not is_child
    for index, call in enumerate(ours):
        if starting:  # the loader and our constructor, up to where it arms Syscall User Dispatch
            armed = (i for i in range(position, len(kernel))
                     if kernel[i].nr == PRCTL and kernel[i].args[0] == USER_DISPATCH)
            position = next(armed, position - 1) + 1
        if call.nr in VIRTUAL:  # the kernel has it before the next call that is not, or not at all
            after = next((c for c in ours[index:] if c.nr not in VIRTUAL), None)
            ahead = []
            for k in kernel[position:]:
                ahead.append(k)
                if after and same(k, after) or same(k, call):
                    break
            if not ahead or not same(ahead[-1], call):
                own["answered by the library"] += 1
                starting = False
                continue
        skipped = []
        while position < len(kernel) and not same(kernel[position], call):
            skipped.append(kernel[position])
            position += 1
        if position == len(kernel):
            return [f"call {index} of the trace is not what the kernel saw: {names.get(call.nr)} {call};"
                    f" there the kernel has {skipped[:4]}"], own
        position += 1
        if starting:
            skipped = []
        starting = call.nr in EXECVE and (not call.ended or call.result == 0)
        own.update(names.get(c.nr, str(c.nr)) for c in skipped if c.result not in INTERRUPTED)
    own.update(names.get(c.nr, str(c.nr)) for c in kernel[position:])
    return [], own


def signal_faults(kernel, ours, own):
    """Of one thread. One that came while the library was at work was sent again: the kernel has it twice."""
    again = own["rt_tgsigqueueinfo"] + own["tgkill"]
    # What the library catches for itself: the dispatch's SIGSYS, and the faults of its own copies.
    seen = collections.Counter(number for number, code in kernel
                               if (number, code) != (SIGSYS, USER_DISPATCH_CODE) and number not in (SIGBUS, SIGSEGV))
    told = collections.Counter(number for number in ours if number not in (SIGBUS, SIGSEGV))
    if told - seen:
        yield f"signals in the trace that the kernel did not deliver: {dict(told - seen)}"
    if sum((seen - told).values()) > again:
        yield f"signals that the trace has not: {dict(seen - told)}, sent again: {again}"


def main(build, source, only=None):
    build = os.path.abspath(build)
    why = Kernel.usable()
    if why:
        skip(why)
    by_name = numbers(source)
    names = {number: name for name, number in by_name.items()}
    failed = False
    for fault in folding_faults():
        failed = True
        print("FAULT", fault)
    with House(build) as house:
        for name, argv in programs(build).items():
            if only not in (None, name):
                continue
            for door in DOORS:
                trace = house.path("trace")
                work = house.fresh("work")
                subprocess.run(["rm", "-rf", trace], check=True)
                with open(os.path.join(work, "text"), "w") as text:
                    text.writelines(f"{n * 7919 % 1000} bananas\n" for n in range(3000))
                env = house.environment(door, trace)
                ours_only = [f"{k}={env.pop(k)}" for k in list(env) if k.startswith(("SCTRACE_", "LD_PRELOAD"))]
                with Kernel() as kernel:
                    child = subprocess.Popen(["/bin/sh", "-c", 'read go; exec env "$@"', "sh", *ours_only, *argv],
                                             env=env, cwd=work, stdin=subprocess.PIPE,
                                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                    kernel.watch(child.pid)
                    errors = child.communicate(b"go\n", timeout=100)[1]
                    kernel.stop()
                    overruns, seen = kernel.overruns(), kernel.calls()
                    delivered = kernel.signals()
                ours, signals, lost = seen_by_us(build, trace)
                faults, total, extra = [], 0, collections.Counter()
                if lost or overruns:
                    faults.append(f"lost: ours {lost}, kernel's buffer {overruns}")
                for tid, calls in ours.items():
                    total += len(calls)
                    found, own = compare(folded(seen.get(tid, [])), calls, names, tid != child.pid)
                    found += signal_faults(delivered.get(tid, []), signals.get(tid, []), own)
                    faults += [f"thread {tid}: {f}" for f in found]
                    for call, count in own.items():
                        if count > OWN.get(call, 0):
                            faults.append(f"thread {tid}: {count} {call} that the trace has not")
                    extra.update(own)
                traced_pids = {tid for tid in seen if tid in ours}
                for tid in seen.keys() - traced_pids:
                    faults.append(f"thread {tid}: the kernel saw {len(seen[tid])} calls, the trace none")
                if child.returncode != ENDS_WITH.get(name, 0) or errors or not total:
                    faults.append(f"the program ended with {child.returncode}: {errors[:300]}")
                came = sum(map(len, signals.values()))
                print(f"{name}, {door}: {len(ours)} threads, {total} calls, {came} signals; own: {dict(extra)}")
                for fault in faults[:8]:
                    print("FAULT", fault[:600])
                failed |= bool(faults)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
