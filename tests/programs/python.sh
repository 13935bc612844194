# python3: threads, subprocess, asyncio, multiprocessing.
# needs: python3
# sees: clone3,clone,vfork,fork
# drops: ^Aborted
# varies: __pycache__/*
# seconds: 90
P=/usr/bin/python3
[ -x $P ] || P=python3
cat >threads.py <<'END'
import threading, queue, os, time, socket
q, done, lock, total = queue.Queue(), [], threading.Lock(), [0]
def work():
    while (n := q.get()) is not None:
        with lock: total[0] += n
        os.stat("/")
ts = [threading.Thread(target=work) for _ in range(16)]
[t.start() for t in ts]
[q.put(i) for i in range(4000)]
[q.put(None) for _ in ts]
[t.join() for t in ts]
print("threads", total[0], q.qsize())
a, b = socket.socketpair()
def echo():
    while d := b.recv(65536): b.sendall(d[::-1])
t = threading.Thread(target=echo); t.start()
for n in (1, 100, 60000):
    a.sendall(b"ab" * (n // 2) or b"x"); got = b""
    while len(got) < max(1, n // 2 * 2): got += a.recv(65536)
    print(n, len(got), got[:2])
a.close(); t.join()
e = threading.Event(); threading.Timer(0.05, e.set).start(); print("timer", e.wait(30))
END
cat >subprocesses.py <<'END'
import subprocess, os, signal, sys
print(subprocess.run(["sh", "-c", "echo out; echo err >&2; exit 3"], capture_output=True))
p = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(len(p.communicate(b"x" * 300000)[0]), p.returncode)
print(subprocess.check_output("seq 1000 | sort -rn | head -n 2", shell=True))
p = subprocess.Popen(["sleep", "100"]); p.send_signal(signal.SIGTERM); print(p.wait())
try: subprocess.run(["sleep", "100"], timeout=0.1)
except subprocess.TimeoutExpired as e: print("timeout", e.cmd)
try: subprocess.run(["/no/such"])
except FileNotFoundError as e: print(e)
print(subprocess.run(["env"], env={"ONLY": "this"}, capture_output=True).stdout.count(b"ONLY"))
print(subprocess.run(["pwd"], cwd="/usr", capture_output=True, close_fds=True).stdout)
r, w = os.pipe(); pid = os.fork()
if pid == 0: os.write(w, b"child"); os._exit(5)
print(os.read(r, 9), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print([subprocess.run(["true"]).returncode for _ in range(20)])
print(subprocess.run(["sh", "-c", "kill -SEGV $$"]).returncode)
END
cat >loop.py <<'END'
import asyncio, os
async def serve(r, w):
    while line := await r.readline(): w.write(line.upper()); await w.drain()
    w.close()
async def main():
    s = await asyncio.start_unix_server(serve, "sock")
    async def client(i):
        r, w = await asyncio.open_unix_connection("sock"); got = []
        for j in range(20): w.write(b"c%d-%d\n" % (i, j)); await w.drain(); got.append(await r.readline())
        w.close(); return len(got), got[-1]
    print(await asyncio.gather(*(client(i) for i in range(10))))
    p = await asyncio.create_subprocess_exec("sh", "-c", "cat; exit 6", stdin=-1, stdout=-1)
    print(await p.communicate(b"to the child"), p.returncode)
    print(await asyncio.to_thread(os.listdir, "/proc/self/task") != [])
    try: await asyncio.wait_for(asyncio.sleep(50), 0.05)
    except asyncio.TimeoutError: print("timeout")
    s.close()
asyncio.run(main()); os.unlink("sock")
END
cat >processes.py <<'END'
import multiprocessing as mp, os, sys
def square(n): return n * n
def put(q, n): q.put((n, os.getppid() == int(os.environ["TOP"])))
def add(v):
    for _ in range(200):
        with v.get_lock(): v.value += 1
if __name__ == "__main__":
    os.environ["TOP"] = str(os.getpid())
    for how in ("fork", "spawn", "forkserver"):
        c = mp.get_context(how)
        with c.Pool(3) as pool: print(how, sum(pool.map(square, range(300))))
        q = c.Queue(); ps = [c.Process(target=put, args=(q, i)) for i in range(4)]
        [p.start() for p in ps]; print(sorted(q.get()[0] for _ in ps)); [p.join() for p in ps]
        v = c.Value("i", 0); ps = [c.Process(target=add, args=(v,)) for _ in range(3)]
        [p.start() for p in ps]; [p.join() for p in ps]; print(v.value, [p.exitcode for p in ps])
    p = mp.get_context("fork").Process(target=os._exit, args=(9,)); p.start(); p.join(); print(p.exitcode)
END
for part in threads subprocesses loop processes; do
  $P $part.py
  echo "$part ended with $?"
done
$P -c 'import os; os.abort()'
echo "abort $?"
$P -c 'import sys; sys.exit("with a message")'
echo "exit $?"
