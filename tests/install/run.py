"""run.py BUILD CMAKE: installs into a folder that is then moved, and uses what is there: the command, the
library by its bare name, the man pages, and two projects that build on it."""
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from traced import need_programs  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD, CMAKE = os.path.abspath(sys.argv[1]), sys.argv[2]
CONSUMER = os.path.join(HERE, "consumer")
faults = []


def check(sentence, truth, seen=""):
    if not truth:
        faults.append(sentence)
        print("FAILED:", sentence, str(seen)[:1500])


def run(*argv, status=0, cwd=None, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("SCTRACE_", "LD_"))}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=200, cwd=cwd, env={**env, **more})
    check(f"{os.path.basename(argv[0])} {' '.join(argv[1:3])} ends with {status}", done.returncode == status, done)
    return done.stdout


class Prefix:
    def __init__(self, root):
        self.root, self.path = root, os.path.join(root, "moved")
        run(CMAKE, "--install", BUILD, "--prefix", os.path.join(root, "prefix"))
        os.rename(os.path.join(root, "prefix"), self.path)  # nothing may remember where it was put
        self.command = self.find("bin/sctrace")
        self.library = self.find("libsctrace.so")
        self.libraries = os.path.dirname(self.library)

    def find(self, name):
        for folder, _, names in os.walk(self.path):
            for one in names:
                if os.path.join(folder, one).endswith("/" + name):
                    return os.path.join(folder, one)
        check(f"{name} is installed", False)
        return os.path.join(self.path, "no", name)


def records(prefix):
    trace = os.path.join(prefix.root, "trace")
    run(prefix.command, "record", "-q", "-o", trace, "--", "/bin/cat", "/etc/hostname")
    shown = run(prefix.command, "print", "-e", "trace=openat", trace)
    check("sctrace record finds the library beside it", 'openat(AT_FDCWD, "/etc/hostname", O_RDONLY)' in shown, shown)
    run(prefix.command, "record", "-q", "--stack", "unwind", "-o", os.path.join(prefix.root, "stacks"), "--",
        "/bin/cat", "/etc/hostname")
    bare = os.path.join(prefix.root, "bare")
    run("/bin/true", LD_LIBRARY_PATH=prefix.libraries, LD_PRELOAD="libsctrace.so", SCTRACE_OUTPUT=bare)
    info = json.loads(run(prefix.command, "info", "--json", bare))
    check("the loader finds libsctrace.so by its bare name", info["calls"]["stub"] + info["calls"]["trap"] > 0, info)


def says_where_it_cannot(prefix):
    odd = os.path.join(prefix.root, "a blank")
    os.symlink(prefix.path, odd)
    done = subprocess.run([prefix.command, "record", "--", "/bin/true"], capture_output=True, text=True,
                          env={**os.environ, "SCTRACE_LIBRARY": os.path.join(odd, "lib", "libsctrace.so")})
    check("a path that LD_PRELOAD cannot name is refused", done.returncode == 1 and "a blank" in done.stderr, done)


def is_listed(prefix):
    """By ldconfig, in a cache of our own: then the loader needs no LD_LIBRARY_PATH either."""
    cache, conf = (os.path.join(prefix.root, name) for name in ("ld.so.cache", "ld.so.conf"))
    with open(conf, "w") as file:
        file.write(prefix.libraries + "\n")
    ldconfig = "/sbin/ldconfig"
    run(ldconfig, "-X", "-C", cache, "-f", conf)
    listed = run(ldconfig, "-p", "-C", cache)
    check("ldconfig lists it by its bare name", re.search(r"^\s+libsctrace\.so \(", listed, re.M), listed)


def bare_in_usr_local(prefix):
    """As root, where nobody else sees it: with the folders as they are on a machine, nothing else is needed."""
    if os.geteuid() != 0:
        return print("not shown, needs root: LD_PRELOAD=libsctrace.so after an install into /usr/local")
    etc, trace = os.path.join(prefix.root, "etc"), os.path.join(prefix.root, "usr-local")
    run("unshare", "-m", "sh", "-ec", f"""cp -a /etc {etc}; mount --bind {etc} /etc; mount -t tmpfs none /usr/local
        '{CMAKE}' --install '{BUILD}' --prefix /usr/local
        LD_PRELOAD=libsctrace.so SCTRACE_OUTPUT={trace} /bin/true
        /usr/local/bin/sctrace record -q -o {trace}-2 /bin/true""")
    for one in (trace, trace + "-2"):
        check("installed into /usr/local, it records", "exit_group" in run(prefix.command, "print", one))


def reads_pages(prefix):
    for name, says in (("sctrace.1", "VERBS"), ("sctrace-record.1", "--max-size"), ("sctrace-print.1", "--decode-fds"),
                       ("libsctrace.so.7", "SCTRACE_MAX_SIZE"), ("sctrace-engine.3", "SCTRACE_BARE"),
                       ("sctrace-reader.3", "SCTRACE_READER_RAW"), ("sctrace-trace.5", "ring")):
        page = prefix.find(name)
        for reader in (("mandoc", "-T", "utf8", page), ("man", "-l", page)):
            text = re.sub(".\b", "", run(*reader, LC_ALL="C.UTF-8"))
            check(f"{name} can be read by {reader[0]}", says in text and len(text) > 1000, text)


def completes(prefix):
    """Where the shells look for it, under /usr/local as under /usr."""
    for name, says in (("share/bash-completion/completions/sctrace", "complete -F"),
                       ("share/zsh/site-functions/_sctrace", "#compdef sctrace"),
                       ("share/fish/vendor_completions.d/sctrace.fish", "complete -c sctrace")):
        with open(prefix.find(name)) as file:
            check(f"{name} is a completion", says in file.read())


def engine_works(prefix, engine):
    trace = os.path.join(prefix.root, "answered")
    said = run(prefix.command, "record", "-q", "-o", trace, "--engine", engine, "--", sys.executable, "-c",
               "import os; print(os.getppid())")
    check(f"{engine} answers", said == "4242\n", said)


def joined(text):
    """Lines of one thread: a call that something came between is in one again, what is no call left out."""
    lines, open_calls = [], []
    for line in text.splitlines():
        if line.startswith(("---", "+++")):
            continue
        if line.endswith("<unfinished ...>"):
            open_calls.append(line[:-len("<unfinished ...>")])
        elif match := re.match(r"<\.\.\. \w+ resumed>(.*)", line):
            lines.append(open_calls.pop().rstrip(" ") + " " + match[1])
        else:
            lines.append(line)
    return lines


def reads_as_we_do(prefix, build, trace):
    """The examples of the reader library say what our own verbs do."""
    reads = dict(LD_LIBRARY_PATH=prefix.libraries)
    rows = json.loads(run(prefix.command, "summary", "--json", trace))["syscalls"]
    ours = {row["name"]: (row["calls"], row["errors"], row["ns_total"]) for row in rows if row["calls"]}
    out = run(os.path.join(build, "slowest"), trace, **reads).splitlines()
    theirs = {name: tuple(map(int, rest)) for name, *rest in (line.split() for line in out[:-1])}
    check("slowest counts as summary does", ours == theirs, (ours, theirs))
    check("slowest names the slowest", f"slowest, {max(row['ns_max'] for row in rows)} ns: " in out[-1], out[-1])
    lines = os.path.join(prefix.root, "lines")
    run(prefix.command, "print", "-ff", "-o", lines, trace)
    for line in (theirs := Counter(run(os.path.join(build, "lines"), trace, **reads).splitlines())):
        check("a line begins with a thread", line.split()[0].isdigit(), line)
    ours = Counter()
    for name in os.listdir(prefix.root):
        if name.startswith("lines."):
            with open(os.path.join(prefix.root, name)) as file:
                ours.update(f"{name[6:]} {line}" for line in joined(file.read()))
    differs = [f"{line} ({ours[line]} by print, {theirs[line]} by the library)"
               for line in ours.keys() | theirs.keys() if ours[line] != theirs[line]]
    check("lines says what print does, but for the first execve", len(differs) <= 1, "\n".join(sorted(differs)))
    check("and that is all", all('execve("' in line for line in differs), differs)
    run(os.path.join(build, "values"), trace, *(os.path.join(prefix.root, name) for name in ("trace", "stacks")),
        **reads)
    done = subprocess.run([os.path.join(build, "lines"), prefix.root], capture_output=True, text=True,
                          env={**os.environ, **reads})
    check("what is no trace is one line", done.returncode == 1 and done.stderr.count("\n") == 1
          and done.stderr.startswith("lines: " + prefix.root), done)


def shows_its_own(prefix):
    """So that it meets nobody else's names in a program, nor that program's libfmt or standard library."""
    names = run("nm", "-D", "--defined-only", "-P", prefix.find("libsctrace-reader.so")).split("\n")
    others = [name for name in names if name and not re.match(r"sctrace_reader_\w+@@|SCTRACE_READER_\d ", name)]
    check("libsctrace-reader shows its own names only", len(names) > 10 and not others, others)


def build_by_cmake(prefix):
    build = os.path.join(prefix.root, "by-cmake")
    examples = os.path.dirname(prefix.find("slowest.c"))
    run(CMAKE, "-S", CONSUMER, "-B", build, "-DCMAKE_PREFIX_PATH=" + prefix.path, "-DEXAMPLES=" + examples)
    run(CMAKE, "--build", build)
    return build


def build_by_hand(prefix):
    build = os.path.join(prefix.root, "by-hand")
    os.mkdir(build)

    def compiled(name, compiler, source, package):
        run("sh", "-c", f'{compiler} -Wall -Wextra -Werror -o {build}/{name} {source} '
            f'$(pkg-config --cflags --libs {package})', PKG_CONFIG_PATH=os.path.join(prefix.libraries, "pkgconfig"))
    compiled("answer.so", "cc -shared -fPIC", CONSUMER + "/answer.c", "sctrace-engine")
    compiled("slowest", "cc -std=c11 -D_GNU_SOURCE", prefix.find("slowest.c"), "sctrace-reader")
    compiled("lines", "c++ -std=c++17", prefix.find("lines.cc"), "sctrace-reader")
    compiled("values", "c++ -std=c++20", CONSUMER + "/values.cc", "sctrace-reader")
    return build


def consumers(prefix):
    shows_its_own(prefix)
    guest = os.path.join(HERE, "..", "views", "guest.py")
    trace = os.path.join(prefix.root, "of-guest")
    run(prefix.command, "record", "-q", "-o", trace, "-s", "all", "--", sys.executable, guest)
    for build in (build_by_cmake(prefix), build_by_hand(prefix)):
        engine_works(prefix, os.path.join(build, "answer.so"))
        reads_as_we_do(prefix, build, trace)


need_programs(["man", "mandoc", "pkg-config", "cc", "c++"])
with tempfile.TemporaryDirectory(prefix="sct-install-") as folder:
    installed = Prefix(folder)
    records(installed)
    says_where_it_cannot(installed)
    is_listed(installed)
    bare_in_usr_local(installed)
    reads_pages(installed)
    completes(installed)
    consumers(installed)
print(f"{len(faults)} failed" if faults else "all as expected")
sys.exit(bool(faults))
