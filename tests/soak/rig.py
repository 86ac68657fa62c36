"""A desk, its phones and the world around it, for soak.py and chaos.py: Python's standard library and SIPp.

Everything stands on this machine's own addresses, in one folder that is gone afterwards unless something did not hold.
"""
import ctypes
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import shutil
import signal
import socket
import socketserver
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SCENARIOS = ROOT / "tests/scenarios"
PROGRAM = os.environ.get("MADOGUCHI") or str(ROOT / "target/release/madoguchi")
# Above the range from which Linux gives ports to clients, four lots: runs side by side take one each.
FIRST, LOT, LOTS = 61_000, 1_130, 4
# Of a lot, those that are named one by one; the others are the desk's for sound.
SINGLE = 230
JAPAN = timezone(timedelta(hours=9))
SECRET = "0123456789abcdef" * 2
ANSWERED = {"answered", "answered_after_busy"}


def password(user):
    return f"secret-of-{user}-0123456789"


def dies_with_us():
    """What is started here does not outlive us, also when we are killed (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def until(within_s, what):
    """Asks until it is true, or `within_s` seconds have passed; what it was at the end."""
    end = time.monotonic() + within_s
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


class Checks:
    """What was to hold, and whether it did; one table at the end."""

    def __init__(self):
        self.rows, self.figures = [], {}

    def check(self, name, holds, said):
        self.rows.append((name, bool(holds), str(said)))
        return holds

    def figure(self, name, value):
        self.figures[name] = value

    @property
    def hold(self):
        return bool(self.rows) and all(holds for _, holds, _ in self.rows)

    def table(self):
        wide = max([len(name) for name, _, _ in self.rows] + [len(name) for name in self.figures])
        lines = [f"  {name:<{wide}}  {value}" for name, value in self.figures.items()]
        lines += [f"  {name:<{wide}}  {'holds' if holds else 'DOES NOT HOLD'}: {said}" for name, holds, said in self.rows]
        return "\n".join(lines)

    def write(self, path, about):
        rows = [{"what": name, "holds": holds, "said": said} for name, holds, said in self.rows]
        whole = {**about, "holds": self.hold, "figures": self.figures, "checks": rows}
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(json.dumps(whole, ensure_ascii=False, indent=2) + "\n")


class Folder:
    """Where a run keeps its things."""

    def __init__(self, name):
        self.path = Path(tempfile.mkdtemp(prefix=f"madoguchi-{name}-"))

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Ports:
    """A lot of ports, ours while its lock is bound."""

    def __init__(self, address="127.0.0.1"):
        for lot in range(LOTS):
            self.first = FIRST + lot * LOT
            self.lock = socket.socket()
            try:
                self.lock.bind((address, self.first))
                break
            except OSError:
                self.lock.close()
        else:
            sys.exit("all four lots of ports are taken: other soaks run")
        self.next = self.first + 2

    def port(self):
        """An even one, with the odd one behind it."""
        self.next += 2
        assert self.next < self.first + SINGLE, "more single ports than the lot has"
        return self.next - 2

    def media(self):
        return f"{self.first + SINGLE}-{self.first + LOT - 1}"


class Desk:
    """The daemon, started, killed and asked over its API."""

    HOUSES = {"many": "300-399", "movers": "400-429", "parkers": "430-459", "fetchers": "460-479"}

    def __init__(self, folder, ports, *, ours="127.0.0.1", theirs="127.0.0.1", under=(), environment=None, more=""):
        self.folder, self.ports, self.ours, self.theirs = folder.path, ports, ours, theirs
        self.under, self.environment = list(under), {**os.environ, **(environment or {})}
        self.sip, self.http = ports.port(), ports.port()
        self.trunk = [ports.port() for _ in range(24)]
        self.houses = {house: ports.port() for house in self.HOUSES}
        self.process = None
        self.last_said = 0
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
        argv = [*self.under, PROGRAM, "serve", "--config", str(self.config)]
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
        argv = [PROGRAM, *words, "--config", str(self.config)]
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
        done = subprocess.run([PROGRAM, "verify", str(store)], capture_output=True, text=True, timeout=600)
        return done.returncode == 0, (done.stdout + done.stderr).strip()

    def again(self):
        self.start()
        return self.healthy()

    # ---- its phones

    def sipp(self, scenario, port, **settings):
        return Sipp(self, scenario, port, **settings)


class Sipp:
    """SIPp with a scenario of tests/scenarios, its placeholders filled in."""

    SETTINGS = {
        "TO": "", "FROM": "03", "NAME": "Hanako", "PATIENCE": 20_000, "STAY": 20_000, "RING": 200, "TALK": 20_000, "MEDIA": 9,
        "CODECS": "0 101", "EXPIRES": 600, "USER": "", "PASSWORD": "", "WHAT": "", "EVENT": "dialog",
    }
    count = 0

    def __init__(self, desk, scenario, port, *, calls=1, a_second=1.0, voice=None, echo=None, **settings):
        Sipp.count += 1
        self.where = desk.folder / f"sipp-{Sipp.count:03}-{scenario}"
        self.where.mkdir()
        self.offered = calls
        text = (SCENARIOS / f"{scenario}.xml").read_text()
        if voice:
            text = speaks(text, voice)
        for name, value in {**self.SETTINGS, **settings}.items():
            text = text.replace(f"@{name}@", str(value))
        xml = self.where / "scenario.xml"
        xml.write_text(text)
        # So many calls in so many milliseconds: a rate below one a second as well.
        argv = [
            "sipp", "-sf", str(xml), "-i", desk.theirs, "-p", str(port), "-t", "u1", "-nostdin", "-aa",
            "-m", str(calls), "-r", str(max(1, round(a_second * 100))), "-rp", "100000", "-l", "100000", "-timer_resol", "10",
            "-trace_logs", "-log_file", str(self.where / "calls.log"), "-trace_err", "-error_file", str(self.where / "errors.log"),
        ]
        if echo:
            argv += ["-rtp_echo", "-mi", desk.theirs, "-mp", str(echo)]
        elif voice:
            argv += ["-mi", desk.theirs, "-mp", str(desk.voice_port)]
        argv.append(f"{desk.ours}:{desk.sip}")
        screen = open(self.where / "screen.log", "wb")
        self.process = subprocess.Popen(
            argv, cwd=self.where, stdout=screen, stderr=screen, stdin=subprocess.DEVNULL, preexec_fn=dies_with_us,
            env={**os.environ, "TERM": "dumb"},
        )

    def ended(self, within_s):
        """Whether it ended by itself by then."""
        try:
            self.process.wait(within_s)
            return True
        except subprocess.TimeoutExpired:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait()

    def words(self):
        """What each call logged, by its number: word to value, the last one of each word."""
        calls = defaultdict(dict)
        try:
            text = (self.where / "calls.log").read_text(errors="replace")
        except FileNotFoundError:
            return calls
        for line in text.splitlines():
            call, _, rest = line.partition(" ")
            word, _, value = rest.partition(" ")
            if call.isdigit() and word:
                calls[int(call)][word] = value.strip()
        return calls


def speaks(text, voice):
    """A caller's scenario in which the caller speaks from the ACK on."""
    begin, ack, end = text.rpartition("Content-Length: 0\n\n]]></send>\n  <recv request=\"BYE\" timeout=\"@STAY@\"")
    assert ack, "the caller's scenario is another one than this expects"
    speak = f'<nop><action><exec rtp_stream="{voice},-1,0"/></action></nop>\n  '
    ack = ack.replace("<recv request", speak + "<recv request")
    return (begin + ack + end).replace("@MEDIA@", "[rtpstream_audio_port]")


def voice(folder):
    """Two seconds of a tone in µ-law (8 kHz): something that is no silence."""
    path = folder.path / "voice.ulaw"
    path.write_bytes(bytes(0x80 + 0x40 * (n // 8 % 2) + n % 23 for n in range(16_000)))
    return path


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


# What each kind of caller does: a name, the share, the number dialled, SIPp's settings. Callers of the last column come to one of
# these outcomes, whatever else happens, as long as the desk takes the call at all.
KINDS = [
    ("talks", 5, "0312340010", {"STAY": 1_500}, ANSWERED),
    ("is let go", 3, "0312340010", {"STAY": 60_000}, ANSWERED),
    ("recorded", 2, "0312340020", {"STAY": 2_500}, ANSWERED),
    ("passed on", 2, "0312340030", {"STAY": 6_000}, ANSWERED),
    ("parked", 1, "0312340040", {"STAY": 9_000}, ANSWERED),
    ("menu", 2, "0312340050", {"STAY": 60_000}, ANSWERED),
    ("leaves the menu", 1, "0312340050", {"STAY": 300, "PATIENCE": 500}, {"menu_left"}),
    ("closed", 1, "0312340060", {"STAY": 20_000}, {"closed"}),
    ("gives up", 2, "0312340090", {"PATIENCE": 4_000, "STAY": 4_000}, {"abandoned"}),
    ("waits too long", 1, "0312340091", {"STAY": 60_000, "PATIENCE": 60_000}, {"busy_released"}),
]
SHARES = sum(share for _, share, *_ in KINDS)
# A caller who was refused: the desk had no room, or was late.
REFUSED = {"blocked", "failed"}


# docs/TICKETS.md: these make a ticket where no rules are configured.
TICKETED = {"answered", "answered_after_busy", "abandoned", "busy_released", "message_taken", "failed"}


def told(words):
    """The caller got more than 100 Trying."""
    return any(word in words for word in ("ringing", "progress", "answered", "refused", "cancelled"))


class Callers:
    """All kinds at once, at `a_second` calls a second together, for `seconds`."""

    def __init__(self, desk, run, seconds, a_second, voice_file, sink, kinds=None):
        self.kinds = [(n, kind) for n, kind in enumerate(KINDS) if kinds is None or kind[0] in kinds]
        self.run, self.jobs = run, []
        for n, (name, share, to, settings, _) in self.kinds:
            rate = a_second * share / SHARES
            calls = max(1, round(rate * seconds))
            speaking = voice_file if name == "recorded" else None
            self.jobs.append(
                desk.sipp(
                    "caller", desk.trunk[n], calls=calls, a_second=rate, voice=speaking, TO=to, FROM=self.prefix(n), MEDIA=sink, **settings
                )
            )

    def prefix(self, kind):
        """Callers' numbers begin with it: the run, the kind; SIPp puts the call's number behind."""
        return f"03{self.run:04}{kind:02}"

    def ended(self, within_s):
        end = time.monotonic() + within_s
        return all([job.ended(max(0.1, end - time.monotonic())) for job in self.jobs])

    def stop(self):
        for job in self.jobs:
            job.stop()

    def calls(self):
        """What SIPp saw of each call: the caller's number, the kind's place in KINDS, its words."""
        for (n, _), job in zip(self.kinds, self.jobs):
            for number, words in job.words().items():
                yield f"{self.prefix(n)}{number}", n, words


def agents(desk, sink, echo):
    """The phones of all houses."""
    many = {"calls": 100_000_000, "MEDIA": sink}
    return [
        desk.sipp("agent", desk.houses["many"], RING=300, TALK=3_000, echo=echo, **{**many, "MEDIA": echo}),
        desk.sipp("agent_refers", desk.houses["movers"], RING=200, TALK=800, TO="7001", **many),
        desk.sipp("agent_refers", desk.houses["parkers"], RING=200, TALK=800, TO="700", **many),
        desk.sipp("agent", desk.houses["fetchers"], RING=200, TALK=2_000, **many),
    ]


def sink():
    """A port that is open and that nobody reads: sound goes there. The kernel drops what does not fit."""
    it = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    it.bind(("", 0))
    return it


def by_caller(calls):
    """Calls of the history by the caller's number."""
    found = defaultdict(list)
    for call in calls:
        found[call["caller"]].append(call)
    return found


def judge(checks, callers, history, *, may_be=frozenset(), strict=True):
    """SIPp's calls against the history's: each told caller is there once, with an outcome that fits what SIPp saw."""
    found, seen = by_caller(history), Counter()
    missing, doubled, unfit, undecided = [], [], [], []
    open_ended = [f"{call['caller']}: {call['ends']}" for call in history if call["ends"] != 1]
    offered = table = 0
    for run in callers:
        for number, kind, words in run.calls():
            offered += 1
            rows = found.get(number, [])
            if len(rows) > 1:
                doubled.append(number)
            if not rows:
                if strict or told(words):
                    missing.append(f"{number} {KINDS[kind][0]} {' '.join(words)}")
                continue
            outcome = rows[0]["outcome"]
            seen[KINDS[kind][0], outcome] += 1
            fits = KINDS[kind][4] | set(may_be)
            if words.get("refused", "")[:3] in ("486", "503", "500"):
                fits = fits | REFUSED
            if outcome is None:
                undecided.append(number)
            elif outcome not in fits:
                unfit.append(f"{number} {KINDS[kind][0]}: {outcome}; SIPp saw {' '.join(words)}")
            table += 1
    some = lambda it: f"{len(it)}: {'; '.join(it[:5])}" if it else "none"
    checks.check("calls that SIPp made and the history has not", not missing, some(missing))
    checks.check("calls that are there twice", not doubled, some(doubled))
    checks.check("calls that have not exactly one end", not open_ended, some(open_ended))
    checks.check("calls without an outcome", not undecided, some(undecided))
    checks.check("outcomes that are not what SIPp saw", not unfit, some(unfit))
    checks.figure("calls by SIPp", offered)
    checks.figure("of these in the history", table)
    for (kind, outcome), count in sorted(seen.items(), key=str):
        checks.figure(f"  {kind}", f"{checks.figures.get(f'  {kind}', '')} {outcome} {count}".strip())
    return seen


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


def at_rest(desk, within_s):
    """The gauges that are not 0 after so long."""
    def held():
        metrics = desk.metrics()
        return {name: metrics[name] for name in GAUGES if metrics.get(name)} if metrics else {"no answer": 1}
    until(within_s, lambda: not held())
    return held()


def registers(desk, port, within_s, user="6001"):
    """Seconds until a phone that asks over and over is registered, or None: REGISTER with digest over UDP, our own few lines."""
    begin, phone = time.monotonic(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    phone.bind((desk.theirs, port))
    phone.settimeout(0.05)
    realm = nonce = None
    number = 0
    tag = os.urandom(6).hex()
    try:
        while time.monotonic() - begin < within_s:
            number += 1
            proof = ""
            uri = f"sip:{desk.ours}:{desk.sip}"
            if nonce:
                md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
                answer = md5(f"{md5(f'{user}:{realm}:{password(user)}')}:{nonce}:00000001:c0ffee:auth:{md5(f'REGISTER:{uri}')}")
                proof = (
                    f'Authorization: Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{answer}", '
                    'algorithm=MD5, qop=auth, nc=00000001, cnonce="c0ffee"\r\n'
                )
            text = (
                f"REGISTER {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {desk.theirs}:{port};branch=z9hG4bK{tag}{number};rport\r\n"
                f"From: <sip:{user}@{desk.ours}>;tag={tag}\r\nTo: <sip:{user}@{desk.ours}>\r\nCall-ID: {tag}\r\n"
                f"CSeq: {number} REGISTER\r\nContact: <sip:{user}@{desk.theirs}:{port}>\r\nExpires: 60\r\n{proof}"
                "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
            )
            try:
                phone.sendto(text.encode(), (desk.ours, desk.sip))
                while True:
                    answer = phone.recv(4_096).decode(errors="replace")
                    if f"CSeq: {number} " in answer:
                        break
            except OSError:
                time.sleep(0.02)
                continue
            if answer.startswith("SIP/2.0 200"):
                return time.monotonic() - begin
            if answer.startswith("SIP/2.0 401"):
                realm = re.search(r'realm="([^"]+)"', answer)[1]
                nonce = re.search(r'nonce="([^"]+)"', answer)[1]
    finally:
        phone.close()
    return None
