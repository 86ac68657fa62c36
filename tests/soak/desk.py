"""The daemon: started, killed, looked at through /proc, asked over its API and by its commands."""
import http.client
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from contextlib import closing
from datetime import datetime
from pathlib import Path

from ground import JAPAN, PROGRAM, SCENARIOS, dies_with_us, password, until
from phones import Sipp


class Desk:
    """The daemon, started, killed and asked over its API."""

    HOUSES = {"many": "300-399", "movers": "400-429", "parkers": "430-459", "fetchers": "460-479"}

    def __init__(self, folder, ports, *, ours="127.0.0.1", theirs="127.0.0.1", under=(), environment=None, more=""):
        self.folder, self.ports, self.ours, self.theirs = folder.path, ports, ours, theirs
        self.under, self.environment = list(under), {**os.environ, **(environment or {})}
        self.sip, self.http = ports.port(), ports.port()
        self.trunk = [ports.port() for _ in range(24)]
        self.houses = {house: ports.port() for house in self.HOUSES}
        self.process, self.program = None, PROGRAM
        secrets = self.folder / "secrets"
        secrets.mkdir()
        (self.folder / "store").mkdir()
        accounts = secrets / "accounts.tsv"
        accounts.touch(0o600)
        accounts.write_text("".join(f"{user}\t{password(user)}\n" for user in range(6001, 6011)))
        phones = "".join(
            f'[[fixed_phones]]\nnumbers = "{numbers}"\ncontact = "sip:{{number}}@{theirs}:{self.houses[house]}"\n'
            for house, numbers in self.HOUSES.items()
        )
        sources = ", ".join(f'"{theirs}:{port}"' for port in self.trunk)
        self.config = self.folder / "madoguchi.toml"
        self.config.write_text(
            f'[sip]\nlisten = ["udp:{ours}:{self.sip}"]\nrealm = "desk.example"\n'
            f'[media]\naddress = "{ours}"\nports = "{ports.media()}"\nsilence_after = "5s"\nlost_after = "10s"\n'
            f'[store]\nfile = "store/madoguchi.db"\n'
            f'[http]\nlisten = "{ours}:{self.http}"\ntoken_file = "secrets/http-token"\n'
            f'[recording]\ndirectory = "store/recordings"\nleast_free_mib = 64\n'
            f'[plan]\nfile = "{SCENARIOS}/soak.toml"\n[accounts]\nfile = "secrets/accounts.tsv"\n'
            f'[[trunks]]\nname = "carrier"\nsources = [{sources}]\n{phones}{more}'
        )

    # ---- its life

    def start(self):
        """Starts it; `healthy` waits for it."""
        log = open(self.folder / "daemon.log", "ab")
        argv = [*self.under, self.program, "serve", "--config", str(self.config)]
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            argv, cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment, preexec_fn=dies_with_us
        )
        return self

    def healthy(self, within_s=60):
        well = until(within_s, lambda: self.process.poll() is not None or self.health() == 200)
        if self.process.poll() is not None or not well:
            sys.exit(f"the desk did not come up:\n{self.log()[-4000:]}")
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """In order; its exit code."""
        self.process.terminate()
        return self.process.wait(60)

    def log(self):
        return (self.folder / "daemon.log").read_text(errors="replace")

    # ---- what the machine knows of it

    def pid(self):
        """Of the daemon itself, whatever it was started under."""
        pid = self.process.pid
        while Path(f"/proc/{pid}/comm").read_text().strip() != "madoguchi":
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            if not children:
                break
            pid = int(children[0])
        return pid

    def memory_kib(self):
        text = Path(f"/proc/{self.pid()}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+)", text, re.M)[1])

    def descriptors(self):
        """How many of each: files by their path, sockets and the like by their kind."""
        there, found = f"/proc/{self.pid()}/fd", Counter()
        for name in os.listdir(there):
            try:
                found[re.sub(r":\[\d+\]$", "", os.readlink(f"{there}/{name}"))] += 1
            except FileNotFoundError:
                pass  # closed between the two looks
        return found

    def cpu_s(self):
        fields = Path(f"/proc/{self.pid()}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # ---- its API

    def token(self):
        return (self.folder / "secrets/http-token").read_text().strip()

    def ask(self, path, body=None, method=None, within_s=10):
        """Status and text of an answer; status 0 when there was none."""
        request = urllib.request.Request(f"http://{self.ours}:{self.http}{path}", method=method)
        try:
            request.add_header("Authorization", f"Bearer {self.token()}")
        except FileNotFoundError:
            pass
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, timeout=within_s) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return 0, ""

    def health(self):
        return self.ask("/healthz", within_s=2)[0]

    def metrics(self):
        """Every metric by name and labels, and by name alone the sum over its labels; empty when there was no answer."""
        status, text = self.ask("/metrics")
        found = defaultdict(float)
        for line in text.splitlines() if status == 200 else ():
            if match := re.match(r"(\w+)(\{.*\})? (\S+)$", line):
                name, labels, value = match[1], match[2], float(match[3])
                if value == value:
                    found[name] += value
                    if labels:
                        found[name + labels] += value
        return found

    # ---- its commands

    def command(self, *words):
        """Exit code and both outputs of a command with this desk's configuration."""
        argv = [self.program, *words, "--config", str(self.config)]
        done = subprocess.run(argv, capture_output=True, text=True, cwd=self.folder, timeout=600)
        return done.returncode, done.stdout, done.stderr

    def store(self):
        return sqlite3.connect(f"file:{self.folder}/store/madoguchi.db?mode=ro", uri=True)

    def last_entry(self):
        with closing(self.store()) as store:
            return store.execute("SELECT coalesce(max(seq), 0) FROM entry").fetchone()[0]

    def calls(self, after=0):
        """Every call of the history behind that entry: what it came to by the program's own reading of the store, who called by the
        store itself."""
        with closing(self.store()) as store:
            def entries(kind):
                where = "seq > ? AND body ->> '$.event.kind' = ? ORDER BY seq"
                return store.execute(f"SELECT call, at_ms, body FROM entry WHERE {where}", (after, kind)).fetchall()
            arrived = entries("arrived")
            ends = Counter(call for call, *_ in entries("ended"))
            kept = Counter(call for call, *_ in entries("kept"))
        came_to = {}
        for day in sorted({datetime.fromtimestamp(at_ms / 1000, JAPAN).date().isoformat() for _, at_ms, _ in arrived}):
            code, said, why = self.command("calls", "--json", "--day", day)
            assert said.startswith("["), f"madoguchi calls ({code}): {why}"
            came_to.update({call["call"]: call["outcome"] for call in json.loads(said)})
        calls = []
        for call, at_ms, body in arrived:
            event = json.loads(body)["event"]
            number = event["caller"]["number"]
            calls.append({
                "call": call, "at_ms": at_ms, "caller": number.get("known") if isinstance(number, dict) else number,
                "called": event["number"], "counted": event["counted"], "outcome": came_to.get(call), "ends": ends.get(call, 0),
                "recordings": kept.get(call, 0),
            })
        return calls

    def verify(self):
        store = self.folder / "store/madoguchi.db"
        done = subprocess.run([self.program, "verify", str(store)], capture_output=True, text=True, timeout=600)
        return done.returncode == 0, (done.stdout + done.stderr).strip()

    def again(self):
        self.start()
        return self.healthy()

    # ---- its phones

    def sipp(self, scenario, port, **settings):
        return Sipp(self, scenario, port, **settings)


# What is held for calls, and is given back with them.
GAUGES = [
    "madoguchi_calls_open", "madoguchi_calls_waiting", "madoguchi_channels_in_use", "madoguchi_desk_number_lines_in_use",
    "madoguchi_engine_calls", "madoguchi_engine_legs", "madoguchi_engine_queue_length", "madoguchi_feed_behind_entries",
    "madoguchi_group_calls_waiting", "madoguchi_journal_failing", "madoguchi_journal_pending_entries", "madoguchi_media_mixes",
    "madoguchi_placed_calls_open", "madoguchi_recordings_open", "madoguchi_sip_registrations", "madoguchi_sip_subscriptions",
    "madoguchi_sip_transactions", "madoguchi_tickets_stuck", "madoguchi_tickets_waiting", "madoguchi_trunk_channels_in_use",
]
# What must never have risen.
NEVER = [
    "madoguchi_engine_inputs_dropped_total", "madoguchi_engine_panics_total", "madoguchi_history_holes_total",
    "madoguchi_history_strays_total", "madoguchi_journal_lost_entries_total", "madoguchi_tickets_given_up_total",
    "madoguchi_tickets_left_over_total",
]


def is_whole(checks, desk, name="madoguchi verify"):
    """The history as the desk's program reads it."""
    whole, said = desk.verify()
    checks.check(name, whole, said.splitlines()[0] if said else "nothing said")


def at_rest(desk, within_s):
    """The gauges that are not 0 after so long."""
    def held():
        metrics = desk.metrics()
        return {name: metrics[name] for name in GAUGES if metrics.get(name)} if metrics else {"no answer": 1}
    until(within_s, lambda: not held())
    return held()
