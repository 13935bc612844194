"""What the views are tested on: threads, children, sockets of three kinds, failures, a name that is
hard to write down."""
import http.server
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.request


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"hello " * 20
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
for n in range(5):
    urllib.request.urlopen(f"http://127.0.0.1:{server.server_address[1]}/page{n}").read()

for name in ("/nowhere", "new\nline\"\x01", b"no utf8 \xff\xfe"):
    for _ in range(3):
        try:
            open(name)
        except OSError:
            pass
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.raise_signal(signal.SIGUSR1)
subprocess.run(["/bin/ls", "/"], stdout=subprocess.DEVNULL)

one, other = socket.socketpair()
one.send(b"x" * 100)
other.recv(200)
ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ear.bind(("127.0.0.1", 0))
mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
mouth.sendto(b"datagram", ear.getsockname())
ear.recvfrom(100)


def work():
    for _ in range(200):
        os.getppid()
        os.stat("/etc/passwd")
    time.sleep(0.02)


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
server.shutdown()
