"""completion.py BUILD SHELL: what the shell itself offers behind a command line, by the completion that is
installed for it."""
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from traced import need_programs  # noqa: E402

BUILD, SHELL = os.path.abspath(sys.argv[1]), sys.argv[2]
faults = []

CASES = [  # line, offered, not offered
    ("sctrace ", ["record", "print", "summary", "doctor"], ["--mode", "a-trace"]),
    ("sctrace su", ["summary"], ["record"]),
    ("sctrace record --mo", ["--mode"], ["--buffer"]),
    ("sctrace record --mode ", ["stream", "overwrite"], ["--buffer", "a-trace"]),
    ("sctrace record --mode o", ["overwrite"], ["stream"]),
    ("sctrace record -o ", ["a-trace"], ["a-file", "stream"]),
    ("sctrace record -q -- some-com", ["some-command"], ["--mode"]),
    ("sctrace record --mode stream some-com", ["some-command"], []),
    ("sctrace print --as ", ["strace", "ftrace", "json"], ["a-file"]),
    ("sctrace print a-", ["a-trace"], ["a-file"]),
    ("sctrace print --trace open", ["openat", "open_tree"], ["read"]),
    ("sctrace print --trace read,open", ["read,openat"], ["read,write"]),
    ("sctrace print -e trace=opena", ["openat"], ["read"]),
    ("sctrace export --to p", ["perf", "pprof", "parquet"], ["ctf"]),
    ("sctrace summary --by er", ["errno"], ["syscall"]),
    ("sctrace syscalls openat", ["openat", "openat2"], ["a-file"]),
    ("sctrace ctl 1 ", ["snapshot"], []),
    ("sctrace diff a-trace a-", ["a-trace"], ["a-file"]),
    ("sctrace report -o a-", ["a-file"], []),
]


def check(sentence, truth, seen=""):
    if not truth:
        faults.append(sentence)
        print("FAILED:", sentence, str(seen)[:1500])


def environment(root):
    return {"PATH": f"{root}/bin:{os.environ['PATH']}", "HOME": root, "TERM": "dumb", "LC_ALL": "C"}


def bash(root, line):
    """By the function that readline calls, with what it sets; words as bash breaks them, at = too."""
    words = [word for part in line.split(" ") for word in (re.split(r"(=)", part) if "=" in part else [part])]
    script = f"""source {BUILD}/pages/bash/sctrace
        COMP_LINE={line!r} COMP_POINT={len(line)} COMP_CWORD={len(words) - 1}
        COMP_WORDS=({' '.join(repr(word) for word in words)})
        complete -p sctrace | grep -q -- '-F _sctrace ' && _sctrace sctrace
        printf '%s\\n' "${{COMPREPLY[@]}}\""""
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, env=environment(root),
                          cwd=root, timeout=60)
    check(f"bash has nothing to say at `{line}`", done.stderr == "", done.stderr)
    return done.stdout.splitlines()


def fish(root, line):
    script = f"source {BUILD}/pages/fish/sctrace.fish; complete -C {line!r}"
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True,
                          env=environment(root), cwd=root, timeout=60)
    check(f"fish has nothing to say at `{line}`", done.stderr == "", done.stderr)
    offered = [row.split("\t")[0].rstrip("/") for row in done.stdout.splitlines()]
    return [re.sub(r"^trace=", "", one) for one in offered]


class Zsh:
    """A zsh on a terminal, which lists what it would complete at a tab."""

    def __init__(self, root):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(root)
            os.execvpe("zsh", ["zsh", "-f", "-i"], environment(root))
        # Wide, and every match on a line of its own between marks.
        self.tell(f"stty -echo columns 200; PS1= PROMPT_EOL_MARK=; fpath=({BUILD}/pages/zsh $fpath)\n"
                  "autoload -Uz compinit && compinit -D -u; zmodload zsh/zutil\n"
                  "zstyle ':completion:*' list-separator '#'; zstyle ':completion:*' verbose no\n"
                  "zstyle ':completion:*' completer _complete\n"
                  "compadd() { if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)* ]]; then builtin compadd \"$@\"; return; fi\n"
                  " local -a __all; builtin compadd -A __all \"$@\"; print -l -- MATCH:$IPREFIX$PREFIX:$^__all"
                  " >> $HOME/matches; builtin compadd \"$@\" }\n"
                  "listed() { zle list-choices; print do''ne }; zle -N listed; bindkey '^I' listed; print rea''dy\n")
        self.until("ready")
        self.root = root

    def tell(self, keys):
        os.write(self.terminal, keys.encode())

    def until(self, mark, seconds=30):
        seen, end = "", time.time() + seconds
        while mark not in seen and time.time() < end:
            if select.select([self.terminal], [], [], 0.1)[0]:
                seen += os.read(self.terminal, 65536).decode(errors="replace")
        return seen

    def offered(self, line):
        matches = os.path.join(self.root, "matches")
        with open(matches, "w"):
            pass
        self.tell(line + "\t")
        check(f"zsh answers `{line}`", "done" in self.until("done"))
        self.tell("\x15")
        with open(matches) as file:
            return sorted({row.rstrip("\n").split(":", 2)[-1].rstrip("/") for row in file})


def judge(line, offered, wanted, unwanted):
    # What a shell puts before the word that it completes is not at issue.
    last = line.rsplit(" ", 1)[-1].rsplit(",", 1)[0] + "," if "," in line else ""
    names = set(offered) | {last + one for one in offered if last}
    missing = [one for one in wanted if one not in names]
    check(f"`{line}` offers {', '.join(wanted)}", not missing, (missing, offered[:60]))
    extra = [one for one in unwanted if one in offered]
    check(f"`{line}` offers nothing else", not extra, extra)


need_programs([SHELL])
with tempfile.TemporaryDirectory(prefix="sct-completion-") as folder:
    for name in ("a-trace", "bin"):
        os.mkdir(os.path.join(folder, name))
    os.symlink(os.path.join(BUILD, "sctrace"), os.path.join(folder, "bin", "sctrace"))
    for name in ("a-file", "bin/some-command"):
        with open(os.path.join(folder, name), "w") as file:
            file.write("#!/bin/sh\n")
        os.chmod(os.path.join(folder, name), 0o755)
    ask = {"bash": lambda line: bash(folder, line), "fish": lambda line: fish(folder, line),
           "zsh": Zsh(folder).offered if SHELL == "zsh" else None}[SHELL]
    # A running program is offered by its number.
    with subprocess.Popen(["sleep", "60"], cwd=folder,
                          env={**environment(folder), "LD_PRELOAD": BUILD + "/libsctrace.so"}) as running:
        time.sleep(1)
        judge("sctrace top ", ask("sctrace top "), [str(running.pid)], ["a-file"])
        running.terminate()
    for case in CASES:
        judge(case[0], ask(case[0]), *case[1:])
print(f"{len(faults)} failed" if faults else "all as expected")
sys.exit(bool(faults))
