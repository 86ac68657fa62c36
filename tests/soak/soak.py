"""Calls for hours with everything on; what it comes to is held against what the phones saw. Started by scripts/soak."""
import argparse
import json
import math
import sys
import threading
import time
from collections import Counter
from datetime import datetime

import past
import rig

# What the desk remembers of each call by design, until its bounds (docs/ARCHITECTURE.md): its line for the figures, its
# caller's number for the panels, its ticket.
KEPT_BYTES = 512
# So many calls of so many callers, and all of it is full: then nothing more may be kept.
PAST = 600_000
# Beneath this no line through the samples says anything.
SLOPE_SECONDS = 600


def arguments():
    about = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    about.add_argument("--minutes", type=float, default=60, help="how long callers come (60)")
    about.add_argument("--rate", type=float, default=20, help="calls a second, all kinds together (20)")
    about.add_argument("--past", type=int, default=0, metavar="CALLS", help="calls that the desk has behind it already; 600000 fill what it remembers")
    about.add_argument("--warm", type=float, metavar="MINUTES", help="what is left out of the memory's line (a quarter of the whole)")
    about.add_argument("--walls", type=int, default=10, help="wallboards that are connected (10)")
    about.add_argument("--every", type=float, default=5, help="seconds between two samples (5)")
    about.add_argument("--json", metavar="FILE", default=str(rig.ROOT / "target/soak.json"), help="where the table is written as JSON (target/soak.json)")
    about.add_argument("--keep", action="store_true", help="leaves the run's folder also when all holds")
    return about.parse_args()


class Sampler:
    """Memory by /proc, the page of metrics as Prometheus would fetch it."""

    def __init__(self, desk, every_s):
        self.desk, self.every_s, self.over = desk, every_s, threading.Event()
        self.samples, self.failed, self.slowest_ms, self.silence_s = [], 0, 0.0, 0.0
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        begin = time.monotonic()
        while not self.over.wait(self.every_s):
            asked = time.monotonic()
            metrics = self.desk.metrics()
            self.slowest_ms = max(self.slowest_ms, 1000 * (time.monotonic() - asked))
            if not metrics:
                self.failed += 1
                continue
            self.silence_s = max(self.silence_s, metrics["madoguchi_engine_heartbeat_age_seconds"])
            self.samples.append((
                asked - begin, self.desk.memory_kib(), self.desk.descriptors().total(), metrics["madoguchi_calls_open"],
                metrics["madoguchi_calls_total"], metrics["madoguchi_media_ports"],
            ))

    def stop(self):
        self.over.set()
        self.thread.join(30)

    def slope(self, from_s, until_s):
        """How memory grows, KiB a second (least, likely, most), and the calls that ended meanwhile.

        The median of the slopes between any two minutes, each by its lowest sample, with its interval of 95 % (Theil and Sen): a
        snapshot of the history takes memory for a moment, which would lead a line through all samples astray."""
        some = [(at, kib, calls) for at, kib, _, _, calls, _ in self.samples if from_s <= at <= until_s]
        lowest = {}
        for at, kib, _ in some:
            minute = int(at // 60)
            lowest[minute] = min(lowest.get(minute, (kib, at)), (kib, at))
        points = [(at, kib) for kib, at in lowest.values()]
        slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for n, a in enumerate(points) for b in points[n + 1:] if b[0] > a[0])
        if not slopes:
            return (0.0, 0.0, 0.0), 0
        n = len(points)
        wide = 1.96 * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
        least = slopes[max(0, int((len(slopes) - wide) / 2))]
        most = slopes[min(len(slopes) - 1, math.ceil((len(slopes) + wide) / 2))]
        return (least, slopes[len(slopes) // 2], most), int(some[-1][2] - some[0][2])


class Hands:
    """People at the API: half of the parked callers are fetched by a colleague, the others come back to who parked them."""

    def __init__(self, desk):
        self.desk, self.over, self.seen, self.fetched, self.turn = desk, threading.Event(), set(), 0, 0
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.over.wait(1):
            status, text = self.desk.ask("/api/v1/parked")
            for call in json.loads(text)["parked"] if status == 200 else []:
                stay = (call["call"], call["parked"]["from_ms"])
                if stay in self.seen:
                    continue
                self.seen.add(stay)
                if len(self.seen) % 2:
                    self.turn = (self.turn + 1) % 20
                    slot = call["parked"]["slot"]
                    done, _ = self.desk.ask(f"/api/v1/parked/{slot}/fetch", {"agent": str(460 + self.turn)}, "POST")
                    self.fetched += done == 204

    def stop(self):
        self.over.set()
        self.thread.join(30)


def month_figures(desk, months):
    """Arrived and outcomes of the months together, as the API has them."""
    arrived, outcomes = 0, Counter()
    for month in months:
        status, text = desk.ask(f"/api/v1/service-level?month={month}")
        figures = json.loads(text)
        arrived += figures["arrived"]
        outcomes.update({outcome: count for outcome, count in figures["outcomes"].items() if count})
    return arrived, outcomes


class Soak:
    """One run: the world is set up, callers come and go, and what is left is looked at."""

    def __init__(self, asked):
        self.asked, self.seconds = asked, asked.minutes * 60
        self.folder, self.checks, ports = rig.Folder("soak"), rig.Checks(), rig.Ports()
        self.receiver = rig.Receiver(ports).start()
        self.desk = desk = rig.Desk(self.folder, ports, more=self.receiver.config(self.folder))
        desk.voice_port = ports.port()
        for _ in range(40):
            ports.port()  # voices of recorded callers take ports from there on
        if asked.past:
            print(f"a past of {asked.past} calls is written and sealed", flush=True)
            past.write(self.folder.path / "store/madoguchi.db", rig.ROOT / "tests/past/4-transfers.db.gz", asked.past)
        desk.start().healthy(1_200)
        time.sleep(2)
        self.before, self.first_seq = desk.metrics(), desk.last_entry()
        self.memory, self.descriptors = desk.memory_kib(), desk.descriptors()
        self.began = datetime.now(rig.JAPAN)
        self.quiet, self.ports = rig.sink(), ports

    def rose(self, metrics, name):
        return metrics[name] - self.before[name]

    def call(self):
        """Callers come for as long as was asked, with everything on."""
        desk, checks, seconds = self.desk, self.checks, self.seconds
        sink = self.quiet.getsockname()[1]
        self.phones = rig.agents(desk, sink, self.ports.echo())
        # From the shortest that the desk grants to the longest.
        lasts = min(3_600, max(60, int(seconds) + 5))
        watcher = {"USER": "6002", "PASSWORD": rig.password("6002"), "EXPIRES": lasts}
        lamps = [desk.sipp("watch", self.ports.port(), WHAT=what, **watcher) for what in ("701", "702", "703")]
        account, port = {"USER": "6001", "PASSWORD": rig.password("6001")}, self.ports.port()
        # Who is told 503, by a machine that is late, comes again.
        proof = f"[authentication username=6001 password={account['PASSWORD']}]"
        registering = desk.sipp("storm", port, calls=max(1, int(seconds)), a_second=1, EXPIRES=60, AUTH=proof, **account)
        walls, hands = rig.Walls(desk, self.asked.walls), Hands(desk)
        self.sampler = Sampler(desk, min(self.asked.every, seconds / 4))
        cpu, from_s = desk.cpu_s(), time.monotonic()
        self.callers = rig.Callers(desk, 1, seconds, self.asked.rate, rig.voice(self.folder), sink)
        print(f"{self.asked.rate:g} calls a second for {self.asked.minutes:g} min, in {self.folder.path}", flush=True)
        all_ended = self.callers.ended(seconds + 150)
        lasted, self.cpu = time.monotonic() - from_s, desk.cpu_s() - cpu
        checks.check("SIPp's callers came to an end", all_ended, f"after {lasted:.0f} s")
        self.callers.stop()
        all_registered = registering.ended(60) and desk.sipp("register", port, EXPIRES=0, **account).ended(30)
        for it in (hands, walls, self.sampler):
            it.stop()
        self.fetched = hands.fetched
        registered = sum("registered" in words for words in registering.words().values())
        checks.check("registrations", all_registered and registered == registering.offered, f"{registered} of {registering.offered}")
        checks.check("wallboards stayed", walls.broken == 0 and walls.boards > 0, f"{walls.boards} boards, {walls.broken} streams broke")
        pages = f"{len(self.sampler.samples)}, {self.sampler.failed} failed, slowest {self.sampler.slowest_ms:.0f} ms"
        checks.check("pages of metrics", self.sampler.failed == 0, pages)
        # Transactions live 32 s (RFC 3261 §17).
        held = rig.at_rest(desk, 120)
        checks.check("gauges at 0 afterwards", not held, ", ".join(f"{name} {value:g}" for name, value in held.items()) or "all")
        lit = sum({"watching", "over"} <= lamp.words()[1].keys() for lamp in lamps)
        checks.check("lamps were lit, and told the end", lit == len(lamps), f"{lit} of {len(lamps)}")
        stayed = sum(phone.process.poll() is None for phone in self.phones)
        checks.check("agents' phones stayed", stayed == len(self.phones), f"{stayed} of {len(self.phones)}")
        for phone in [*self.phones, *lamps]:
            phone.stop()

    def opened(self):
        # A connection of the store opens its files when it is first used, and keeps them: one more of each at most.
        more = self.desk.descriptors() - self.descriptors
        return {what: count for what, count in more.items() if count > 1 or "/store/madoguchi.db" not in what}

    def left(self):
        """What the daemon holds when all is over."""
        desk, checks, metrics = self.desk, self.checks, self.desk.metrics()
        rose = {name: self.rose(metrics, name) for name in rig.NEVER if self.rose(metrics, name)}
        checks.check("what must never happen", not rose, ", ".join(f"{name} {value:g}" for name, value in rose.items()) or "nothing did")
        rig.until(100, lambda: not self.opened())
        more = ", ".join(f"{count} more {what}" for what, count in self.opened().items())
        checks.check("descriptors back to the start", not more, f"{self.descriptors.total()} → {desk.descriptors().total()} {more}".strip())
        ports, were = metrics["madoguchi_media_ports"], self.before["madoguchi_media_ports"]
        checks.check("RTP ports back to the start", ports <= were, f"{were:g} → {ports:g}")
        self.kept()
        samples = self.sampler.samples
        peak = max((sample[1] for sample in samples), default=0)
        checks.figure("memory, MiB at start, most, at the end", f"{self.memory / 1024:.1f}, {peak / 1024:.1f}, {desk.memory_kib() / 1024:.1f}")
        checks.figure("CPU, ms a call", f"{1000 * self.cpu / max(1, self.rose(metrics, 'madoguchi_calls_total')):.2f}")
        checks.figure("calls open at once, most", f"{max((sample[3] for sample in samples), default=0):g}")
        checks.figure("longest silence of the engine thread at a scrape, s", f"{self.sampler.silence_s:.2f}")
        for name in ("madoguchi_journal_late_total", "madoguchi_engine_shed_invites_total", "madoguchi_tickets_tries_failed_total"):
            checks.figure(name, f"{metrics[name]:g}")
        self.metrics = metrics

    def kept(self):
        """Memory: a line through the samples after the warm-up."""
        asked = self.asked
        warm_s = self.seconds / 4 if asked.warm is None else asked.warm * 60
        slopes, ended = self.sampler.slope(warm_s, self.seconds)
        measured_s = self.seconds - warm_s
        least, likely, most = (slope * 3600 / 1024 for slope in slopes)
        a_call = slopes[1] * 1024 * measured_s / ended if ended else 0.0
        kept = 0 if asked.past >= PAST else KEPT_BYTES
        bound = 1 + kept * 3600 * ended / max(1, measured_s) / 1024 / 1024
        said = f"{likely:+.2f} MB/h ({least:+.2f} to {most:+.2f}), {a_call:+.0f} bytes a call; owed: below 1 MB/h besides {kept} bytes a call ({bound:.1f} MB/h)"
        if measured_s >= SLOPE_SECONDS:
            # What a run is too short to tell from nothing is no fault: the interval says how far it can tell.
            self.checks.check("memory after warm-up", least < bound, said)
        else:
            self.checks.figure("memory after warm-up (too short to judge)", said)

    def account(self):
        """Calls, figures, tickets and recordings against what the phones saw."""
        desk, checks = self.desk, self.checks
        months = sorted({it.strftime("%Y-%m") for it in (self.began, datetime.now(rig.JAPAN))})
        arrived, outcomes = month_figures(desk, months)
        code = desk.stop()
        checks.check("ended in order", code == 0, f"exit code {code}")
        rig.is_whole(checks, desk)
        history = desk.calls(self.first_seq)
        seen = rig.judge(checks, [self.callers], history)
        listed = Counter(call["outcome"] for call in history if call["counted"])
        checks.check("the month's figures are the calls'", outcomes == listed and arrived == sum(listed.values()), f"{arrived}: {dict(outcomes)}")
        by_metrics = self.rose(self.metrics, "madoguchi_calls_total")
        checks.check("the metrics count as many", by_metrics == len(history), f"{by_metrics:g} of {len(history)}")
        # A menu answers by itself; everywhere else the 200 is the agent's.
        by_agents = {kind[0] for kind in rig.KINDS if kind[4] == rig.ANSWERED and kind[0] != "menu"}
        answered = sum("answered" in words for _, kind, words in self.callers.calls() if rig.KINDS[kind][0] in by_agents)
        counted = sum(count for (kind, outcome), count in seen.items() if outcome in rig.ANSWERED and kind in by_agents)
        checks.check("calls that an agent answered", answered == counted, f"SIPp {answered}, history {counted}")
        self.tickets({call["call"] for call in history if call["outcome"] in rig.TICKETED})
        due = [call for call in history if call["called"] == "0312340020" and call["outcome"] in rig.ANSWERED]
        recorded = sum(call["recordings"] == 1 for call in due)
        checks.check("one recording a recorded call", recorded == len(due), f"{recorded} of {len(due)}")
        passed, parked = (sum("accepted" in words for words in phone.words().values()) for phone in self.phones[1:3])
        checks.check("transfers and parks came about", passed and parked, f"{passed} passed on, {parked} parked, {self.fetched} of these fetched")

    def tickets(self, due):
        receiver = self.receiver
        twice = [call for call, count in receiver.opened.items() if count != 1]
        right = set(receiver.opened) == due and not twice and not receiver.forged
        said = f"{len(receiver.opened)} of {len(due)}, {len(twice)} twice; {dict(receiver.kinds)}, {receiver.repeated} said again"
        self.checks.check("one ticket a call", right, f"{said}, {receiver.forged} forged")


def main():
    asked = arguments()
    soak = Soak(asked)
    soak.call()
    soak.left()
    soak.account()
    checks = soak.checks
    print(checks.table())
    about = {"minutes": asked.minutes, "calls_a_second": asked.rate, "walls": asked.walls, "past": asked.past, "began": soak.began.isoformat()}
    names = ("at_s", "memory_kib", "descriptors", "calls_open", "calls_ended", "media_ports")
    about["samples"] = [dict(zip(names, sample)) for sample in soak.sampler.samples]
    checks.write(asked.json, about)
    verdict = "all holds" if checks.hold else f"NOT ALL HOLDS; its files are in {soak.folder.path}"
    print(f"{verdict}; written to {asked.json}")
    if checks.hold and not asked.keep:
        soak.folder.remove()
    soak.receiver.stop()
    return 0 if checks.hold else 1


if __name__ == "__main__":
    sys.exit(main())
