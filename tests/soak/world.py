"""Around the desk: a ticket system that can be stopped, and wallboards."""
import hashlib
import hmac
import http.server
import json
import socket
import socketserver
import threading
import time
from collections import Counter

SECRET = "0123456789abcdef" * 2


class Receiver:
    """A ticket system: takes signed events as docs/TICKETS.md tells a site to, and can be stopped, hang or refuse."""

    def __init__(self, ports):
        self.port = ports.port()
        self.opened, self.repeated, self.forged = Counter(), 0, 0
        self.keys, self.kinds, self.way = set(), Counter(), "well"
        self.lock, self.server = threading.Lock(), None

    def config(self, folder):
        key = folder.path / "receiver-key"
        key.touch(0o600)
        key.write_text(SECRET)
        return (
            '[tickets]\nlink = "https://desk.example"\n[[tickets.targets]]\nname = "hook"\nkind = "webhook"\n'
            f'url = "http://127.0.0.1:{self.port}/tickets"\nkey_file = "{key}"\nprivate = true\n'
        )

    def take(self, headers, body):
        signed = headers.get("Madoguchi-Timestamp", "").encode() + b"." + body
        due = "v1=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        event = json.loads(body)
        with self.lock:
            if headers.get("Madoguchi-Signature") != due:
                self.forged += 1
                return 401
            if event["id"] in self.keys:
                self.repeated += 1
                return 200
            self.keys.add(event["id"])
            self.kinds[event["data"]["kind"]] += 1
            if event["type"].endswith(".opened"):
                self.opened[event["subject"]] += 1
        return 200

    def start(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                way = receiver.way
                if way == "hangs":
                    time.sleep(2)
                if way == "dies":
                    # Done, and nobody hears of it.
                    receiver.take(self.headers, body)
                    self.close_connection = True
                    return
                status = 503 if way == "refuses" else receiver.take(self.headers, body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


class Walls:
    """Wallboards: event streams that are read as fast as they come."""

    def __init__(self, desk, count):
        self.boards, self.broken, self.over = 0, 0, False
        self.threads = [threading.Thread(target=self.look, args=(desk,), daemon=True) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def look(self, desk):
        request = f"GET /api/v1/events HTTP/1.1\r\nHost: {desk.ours}:{desk.http}\r\nAuthorization: Bearer {desk.token()}\r\n\r\n"
        try:
            with socket.create_connection((desk.ours, desk.http), timeout=15) as stream:
                stream.sendall(request.encode())
                tail = b""
                while not self.over:
                    some = stream.recv(262_144)
                    if not some:
                        break
                    # A mark that two pieces share is counted with the second.
                    self.boards += (tail + some).count(b"event: board")
                    tail = some[-11:]
        except OSError:
            pass
        if not self.over:
            self.broken += 1

    def stop(self):
        self.over = True
        for thread in self.threads:
            thread.join(20)
