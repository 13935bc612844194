"""words.py BUILD: any call that can be shown can be written. A controller writes calls anew; strace, which knows
nothing of us, says what the kernel was given. What makes no sense is refused in a line that says where, and changes
nothing."""
import os
import re
import shutil
import sys

from session import Session, call, check, run_all
from traced import skip

# What is made of each call, a round each.
WRITTEN = {
    "nanosleep": ["{tv_sec=0, tv_nsec=2000}, NULL", "{tv_sec=0, tv_nsec=70000}, NULL", "NULL, NULL"],
    "connect": ['30, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.1.2.3")}, 16',
                '30, {sa_family=AF_UNIX, sun_path="/tmp/a longer path than there was"}, 110',
                '30, {sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", '
                '&sin6_addr), sin6_scope_id=0}, 28'],
    "writev": ['7, [{iov_base="abc", iov_len=3}, {iov_base="hello", iov_len=5}], 2',
               '8, [{iov_base="x", iov_len=1}], 1',
               '8, [{iov_base="x", iov_len=1}, {iov_base="yy", iov_len=2}, {iov_base="zzz", iov_len=3}], 3'],
    "poll": ["[{fd=5, events=POLLIN|POLLPRI}, {fd=1, events=POLLOUT}], 2, 0", "[{fd=0, events=POLLIN}], 1, 10",
             "[{fd=0, events=POLLIN}, {fd=1, events=POLLIN}, {fd=2, events=POLLHUP}], 3, 10"],
    "prlimit64": ["0, RLIMIT_CORE, {rlim_cur=8*1024, rlim_max=16*1024}, NULL", "0, RLIMIT_NOFILE, NULL, NULL"],
    "rt_sigprocmask": ["SIG_BLOCK, [INT TERM], NULL, 8", "SIG_BLOCK, ~[BUS KILL SEGV STOP SYS], NULL, 8"],
    "sendmsg": ['7, {msg_name={sa_family=AF_UNIX, sun_path="/tmp/else"}, msg_namelen=110, msg_iov=[{iov_base="abc", '
                'iov_len=3}, {iov_base="12345", iov_len=5}], msg_iovlen=2, msg_controllen=0, '
                'msg_flags=0}, MSG_DONTWAIT'],
    "epoll_ctl": ["7, EPOLL_CTL_MOD, 8, {events=EPOLLIN|EPOLLET, data={u32=5, u64=5}}"],
    "select": ["10, [3 4], [5], NULL, {tv_sec=0, tv_usec=6}"],
    "execve": ['"/nowhere/ls", ["ls", "-l", "-a"], []', '"/nowhere/ls", ["ls"], ["A=b"]', '"/nowhere", [], []'],
    "openat": ['AT_FDCWD, "/nowhere/yy", O_RDWR|O_CREAT, 0600', '9, "/nowhere/a", O_RDONLY|O_CLOEXEC'],
    "mkdir": ['"/nowhere/else", 0700'],
    "setsockopt": ["30, SOL_SOCKET, SO_REUSEADDR, [0], 4", "30, SOL_SOCKET, SO_KEEPALIVE, [1], 4"],
    "ioctl": ["7, TIOCSWINSZ, {ws_row=25, ws_col=132, ws_xpixel=0, ws_ypixel=0}"],
    "setitimer": ["ITIMER_PROF, {it_interval={tv_sec=0, tv_usec=1}, it_value={tv_sec=2000, tv_usec=5}}, NULL"],
    "fcntl": ["7, F_SETLK, {l_type=F_WRLCK, l_whence=SEEK_END, l_start=-7, l_len=2}", "7, F_GETFD"],
    "rt_sigaction": ["SIGUSR2, {sa_handler=SIG_DFL, sa_mask=[HUP], sa_flags=SA_RESTART}, NULL, 8"],
}
OTHER = {"mkdir": 'nanosleep {tv_sec=0, tv_nsec=123}, NULL'}  # another call in its place, in the last round
ROUNDS = 4

REFUSED = {
    "nanosleep": [("nanosleep {tv_sec=1}, NULL", r"argument 1, member tv_sec: .*"),
                  ("nanosleep {tv_sec=x, tv_nsec=1}, NULL", r"argument 1, member tv_sec: 'x' makes no sense here.*")],
    "connect": [("connect 30, {sa_family=AF_INET, sin_port=http}, 16", r"argument 2, member sin_port: 'http' .*"),
                ("connect 30", "it takes 3 arguments")],
    "openat": [('openat 9, "/tmp/y"..., 0', r"argument 2: text that is shortened cannot be written; .*"),
               ('openat 9, "/tmp/y", O_NOSUCH', r"argument 3: 'O_NOSUCH' .*"),
               ('openat 9, "a\\q", O_RDONLY', "argument 2: bytes that are not well quoted"),
               ('openat 9, "a, O_RDONLY', "arguments that are not well formed"),
               ('openat 9, "' + 3000 * "a" + '", O_RDONLY', r"more than 2048 bytes of new memory; .*")],
    "mkdir": [('mkdir "a", "b"', r"argument 2: '\"b\"' .*"), ('mkdir "a", 0755, 3', "it takes 2 arguments"),
              ('mkdir "a",, 3', "arguments that are not well formed"), ("mkdirs", "no word of .* no system call")],
}


def as_strace(name, arguments):
    """What is executed finds us by its environment, to which strace bears witness."""
    return f"{name}({arguments})" if name != "execve" else f"{name}({arguments.rsplit(', ', 1)[0]}, ["


def whole_lines(log):
    """strace's, without remarks, put together where another thread came between."""
    lines, begun = [], {}
    with open(log) as file:
        for line in file:
            pid, text = re.sub(r" /\* .*? \*/", "", line.strip()).split(None, 1)
            if text.endswith("<unfinished ...>"):
                begun[pid] = text[:-len("<unfinished ...>")].rstrip()
                continue
            if "resumed>" in text:
                rest = text.split("resumed>", 1)[1]
                text = begun.pop(pid, "") + (" " if rest[:1] not in ")," else "") + rest
            lines.append(text)
    return lines


def written(house, guest):
    if not shutil.which("strace"):
        skip("strace is not on this machine")
    log = house.path("log")
    session = Session(house, [guest, str(ROUNDS)], before=["strace", "-f", "-v", "-qq", "-e", "signal=none", "-o", log,
                                                         "-s", "256", "-e", "trace=" + ",".join(WRITTEN)])
    one = session.connect()
    one.trace(",".join(WRITTEN))
    rounds, expected, refused = dict.fromkeys(WRITTEN, 0), [], []
    for event in one.events():
        if event.word == "error":
            refused.append(event.line)
        if not event.is_call:
            continue
        nth = rounds[event.word]
        rounds[event.word] += 1
        lines = [f"{event.word} {text}" for text in WRITTEN[event.word][nth:nth + 1]]
        if nth == ROUNDS - 1 and event.word in OTHER:
            lines = [OTHER[event.word]]
        for line in lines:
            event.answer(line)
            expected.append(as_strace(*line.split(" ", 1)))
        event.answer("cont")
    check("all are understood", refused, [])
    check("the guest", session.end()[0], 0)
    seen = whole_lines(log)
    for line in expected:
        check(f"{line} is what the kernel was given", any(one.startswith(line) for one in seen), True)


def refused(house, guest):
    session = Session(house, [guest])
    one = session.connect()
    one.trace(",".join(REFUSED))
    for event in one.events():
        if not event.is_call:
            continue
        for line, why in REFUSED[event.word]:
            one.say(line)
            check(line, one.hear(), r"error " + re.escape(line[:200]) + ": " + why)
        event.answer("step")
        answer = one.hear().split(" ", 1)[1]
        check("nothing has changed", answer, {"nanosleep": "ok 0", "mkdir": "fail ENOENT"}.get(event.word, ".*"))
        one.say("cont")
    session.end()


if __name__ == "__main__":
    sys.exit(run_all(sys.argv[1], (written, refused),
                     os.path.join(os.path.abspath(sys.argv[1]), "tests", "device", "calls")))
