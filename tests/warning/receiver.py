"""Receivers of warnings as a site would have them, by Python's standard library alone.

receiver.py http PORT LOG SECRET BEHAVIOUR...   checks signature and time of every POST
receiver.py smtp PORT LOG BEHAVIOUR...          takes mail

A behaviour is what becomes of one delivery, the last one of all further ones: ok, drop (the connection ends
without an answer), slow (ok, but 3 s later), hang (never), late (ok is written into LOG and the connection
then ends), redirect, or a status. Every delivery that was understood is a line of JSON in LOG.
"""

import email
import email.policy
import hashlib
import hmac
import http.server
import json
import socketserver
import sys
import threading
import time

kind, port, log = sys.argv[1], int(sys.argv[2]), sys.argv[3]
secret, behaviours = (sys.argv[4], sys.argv[5:]) if kind == "http" else ("", sys.argv[4:])
lock = threading.Lock()
taken = 0


def behaviour():
    global taken
    with lock:
        taken += 1
        return behaviours[min(taken, len(behaviours)) - 1]


def note(**fields):
    with lock, open(log, "a", encoding="utf-8") as out:
        out.write(json.dumps(fields, ensure_ascii=False) + "\n")


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        at = self.headers["Madoguchi-Timestamp"]
        due = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
        signed = hmac.compare_digest("v1=" + due, self.headers["Madoguchi-Signature"])
        fresh = abs(time.time() - int(at)) < 300
        does = behaviour()
        key = self.headers["Idempotency-Key"]
        note(key=key, signed=signed, fresh=fresh, does=does, body=json.loads(body))
        if does == "hang":
            time.sleep(3600)
        if does == "slow":
            time.sleep(3)
        if does in ("drop", "late"):
            self.close_connection = True
            return
        if does == "redirect":
            self.send_response(307)
            self.send_header("Location", f"http://127.0.0.1:{port}/elsewhere")
            self.end_headers()
            return
        status = 200 if does in ("ok", "slow") else int(does)
        # An answer without an end is nobody's to wait for.
        self.send_response(status)
        self.send_header("Content-Length", "1000000000")
        self.end_headers()

    def log_message(self, *_):
        pass


class Session(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.say("220 mail.example ESMTP")
        to = []
        while line := self.rfile.readline().decode().strip():
            word = line.split(" ")[0].upper()
            if word == "EHLO":
                self.say("250-mail.example")
                self.say("250 8BITMIME")
            elif word == "RCPT":
                to.append(line.split(":", 1)[1].strip("<> "))
                self.say("250 ok")
            elif word == "DATA":
                self.say("354 go on")
                lines = []
                while (data := self.rfile.readline()) != b".\r\n":
                    if not data:
                        return
                    lines.append(data[1:] if data.startswith(b".") else data)
                mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
                does = behaviour()
                note(
                    key=mail["Message-ID"], does=does, to=to, subject=mail["Subject"],
                    sender=mail["From"], automatic=mail["Auto-Submitted"], text=mail.get_content(),
                )
                if does in ("drop", "late"):
                    return
                self.say("250 taken" if does == "ok" else f"{does} no")
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server(("127.0.0.1", port), Hook if kind == "http" else Session) as server:
    print("ready", flush=True)
    server.serve_forever()
