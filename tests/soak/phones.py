"""SIPp as callers and agents, and a phone of our own that registers."""
import hashlib
import os
import re
import socket
import subprocess
import time
from collections import defaultdict

from ground import SCENARIOS, dies_with_us, password

ANSWERED = {"answered", "answered_after_busy"}

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


class Sipp:
    """SIPp with a scenario of tests/scenarios, its placeholders filled in."""

    SETTINGS = {
        "TO": "", "FROM": "03", "NAME": "Hanako", "PATIENCE": 20_000, "STAY": 20_000, "RING": 200, "TALK": 20_000, "MEDIA": 9,
        "CODECS": "0 101", "EXPIRES": 600, "USER": "", "PASSWORD": "", "AUTH": "", "WHAT": "", "EVENT": "dialog",
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
