"""Calls for hours with everything on; what it comes to is held against what the phones saw. Started by scripts/soak."""
import argparse
import json
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
        self.samples, self.failed, self.slowest_ms = [], 0, 0.0
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
            self.samples.append((
                asked - begin, self.desk.memory_kib(), self.desk.descriptors().total(), metrics["madoguchi_calls_open"],
                metrics["madoguchi_calls_total"], metrics["madoguchi_media_ports"],
            ))

    def stop(self):
        self.over.set()
        self.thread.join(30)

    def slope(self, from_s, until_s):
        """KiB a second of the line through the samples, and the calls that ended meanwhile."""
        some = [(at, kib, calls) for at, kib, _, _, calls, _ in self.samples if from_s <= at <= until_s]
        if len(some) < 3:
            return 0.0, 0
        mean_at = sum(at for at, _, _ in some) / len(some)
        mean_kib = sum(kib for _, kib, _ in some) / len(some)
        over = sum((at - mean_at) * (kib - mean_kib) for at, kib, _ in some)
        return over / sum((at - mean_at) ** 2 for at, _, _ in some), int(some[-1][2] - some[0][2])


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


def main():
    asked = arguments()
    seconds = asked.minutes * 60
    folder, checks = rig.Folder("soak"), rig.Checks()
    ports = rig.Ports()
    receiver = rig.Receiver(ports).start()
    desk = rig.Desk(folder, ports, more=receiver.config(folder))
    desk.voice_port = ports.port()
    for _ in range(40):
        ports.port()  # voices of recorded callers take ports from there on
    echo, quiet = ports.port(), rig.sink()
    sink = quiet.getsockname()[1]
    if asked.past:
        print(f"a past of {asked.past} calls is written and sealed", flush=True)
        past.write(folder.path / "store/madoguchi.db", rig.ROOT / "tests/past/4-transfers.db.gz", asked.past)
    desk.start().healthy(1_200)
    time.sleep(2)
    metrics = desk.metrics()
    at_start = {"memory": desk.memory_kib(), "descriptors": desk.descriptors(), "ports": metrics["madoguchi_media_ports"]}
    before, first_seq = metrics, desk.last_entry()
    began = datetime.now(rig.JAPAN)

    phones = rig.agents(desk, sink, echo)
    lamps = [
        desk.sipp("watch", ports.port(), WHAT=what, USER="6002", PASSWORD=rig.password("6002"), EXPIRES=min(3_600, int(seconds) + 5))
        for what in ("701", "702", "703")
    ]
    account = {"USER": "6001", "PASSWORD": rig.password("6001")}
    phone_port = ports.port()
    registering = desk.sipp("register", phone_port, calls=max(1, int(seconds)), a_second=1, EXPIRES=60, **account)
    walls, sampler, hands = rig.Walls(desk, asked.walls), Sampler(desk, min(asked.every, seconds / 4)), Hands(desk)
    cpu, from_s = desk.cpu_s(), time.monotonic()
    callers = rig.Callers(desk, 1, seconds, asked.rate, rig.voice(folder), sink)
    print(f"{asked.rate:g} calls a second for {asked.minutes:g} min, in {folder.path}", flush=True)
    all_ended = callers.ended(seconds + 150)
    lasted, cpu = time.monotonic() - from_s, desk.cpu_s() - cpu
    checks.check("SIPp's callers came to an end", all_ended, f"after {lasted:.0f} s")
    callers.stop()
    registered_all = registering.ended(60) and desk.sipp("register", phone_port, EXPIRES=0, **account).ended(30)
    hands.stop()
    walls.stop()
    sampler.stop()
    registered = sum("registered" in words for words in registering.words().values())
    checks.check("registrations", registered_all and registered == registering.offered, f"{registered} of {registering.offered}")
    checks.check("wallboards stayed", walls.broken == 0 and walls.boards > 0, f"{walls.boards} boards, {walls.broken} streams broke")
    checks.check("pages of metrics", sampler.failed == 0, f"{len(sampler.samples)}, {sampler.failed} failed, slowest {sampler.slowest_ms:.0f} ms")

    # Transactions live 32 s (RFC 3261 §17).
    held = rig.at_rest(desk, 120)
    checks.check("gauges at 0 afterwards", not held, ", ".join(f"{name} {value:g}" for name, value in held.items()) or "all")
    for phone in [*phones, *lamps]:
        phone.stop()
    metrics = desk.metrics()
    rose = {name: metrics[name] - before[name] for name in rig.NEVER if metrics[name] > before[name]}
    checks.check("what must never happen", not rose, ", ".join(f"{name} {value:g}" for name, value in rose.items()) or "nothing did")

    def opened():
        # A connection of the store opens its files when it is first used, and keeps them: one more of each at most.
        more = desk.descriptors() - at_start["descriptors"]
        return {what: count for what, count in more.items() if count > 1 or "/store/madoguchi.db" not in what}

    rig.until(100, lambda: not opened())
    left = ", ".join(f"{count} more {what}" for what, count in opened().items())
    checks.check("descriptors back to the start", not left, f"{at_start['descriptors'].total()} → {desk.descriptors().total()} {left}".strip())
    checks.check("RTP ports back to the start", metrics["madoguchi_media_ports"] <= at_start["ports"], f"{at_start['ports']:g} → {metrics['madoguchi_media_ports']:g}")

    # Memory: a line through the samples after the warm-up.
    warm_s = seconds / 4 if asked.warm is None else asked.warm * 60
    kib_a_second, ended = sampler.slope(warm_s, seconds)
    measured_s = seconds - warm_s
    mb_an_hour = kib_a_second * 3600 / 1024
    a_call = kib_a_second * 1024 * measured_s / ended if ended else 0.0
    calls_an_hour = 3600 * ended / measured_s if measured_s else 0
    kept = 0 if asked.past >= PAST else KEPT_BYTES
    bound = 1 + kept * calls_an_hour / 1024 / 1024
    peak = max((sample[1] for sample in sampler.samples), default=0)
    memory = f"{mb_an_hour:+.2f} MB/h, {a_call:+.0f} bytes a call; owed: below 1 MB/h besides {kept} bytes a call ({bound:.1f} MB/h)"
    if measured_s >= SLOPE_SECONDS:
        checks.check("memory after warm-up", mb_an_hour < bound, memory)
    else:
        checks.figure("memory after warm-up (too short to judge)", memory)
    checks.figure("memory, MiB at start, most, at the end", f"{at_start['memory'] / 1024:.1f}, {peak / 1024:.1f}, {desk.memory_kib() / 1024:.1f}")
    checks.figure("CPU, ms a call", f"{1000 * cpu / max(1, metrics['madoguchi_calls_total'] - before['madoguchi_calls_total']):.2f}")
    checks.figure("calls open at once, most", f"{max((sample[3] for sample in sampler.samples), default=0):g}")
    for name in ("madoguchi_journal_late_total", "madoguchi_engine_shed_invites_total", "madoguchi_tickets_tries_failed_total"):
        checks.figure(name, f"{metrics[name]:g}")

    # The figures, three ways: pages, metrics, and below what SIPp saw.
    months = sorted({it.strftime("%Y-%m") for it in (began, datetime.now(rig.JAPAN))})
    arrived, outcomes = month_figures(desk, months)
    by_metrics = metrics["madoguchi_calls_total"] - before["madoguchi_calls_total"]
    code = desk.stop()
    checks.check("ended in order", code == 0, f"exit code {code}")
    whole, said = desk.verify()
    checks.check("madoguchi verify", whole, said.splitlines()[0] if said else "nothing said")
    history = desk.calls(first_seq)
    seen = rig.judge(checks, [callers], history)
    listed = Counter(call["outcome"] for call in history if call["counted"])
    checks.check("the month's figures are the calls'", outcomes == listed and arrived == sum(listed.values()), f"{arrived}: {dict(outcomes)}")
    checks.check("the metrics count as many", by_metrics == len(history), f"{by_metrics:g} of {len(history)}")
    answered = sum("answered" in words for _, kind, words in callers.calls() if rig.KINDS[kind][4] == rig.ANSWERED and not menu(kind))
    counted = sum(count for (kind, outcome), count in seen.items() if outcome in rig.ANSWERED and kind != "menu")
    checks.check("calls that an agent answered", answered == counted, f"SIPp {answered}, history {counted}")
    tickets = {call["call"] for call in history if call["outcome"] in rig.TICKETED}
    twice = [call for call, count in receiver.opened.items() if count != 1]
    right = set(receiver.opened) == tickets and not twice and not receiver.forged
    checks.check(
        "one ticket a call", right,
        f"{len(receiver.opened)} of {len(tickets)}, {len(twice)} twice; {dict(receiver.kinds)}, {receiver.repeated} said again, {receiver.forged} forged",
    )
    recorded = sum(call["recordings"] == 1 for call in history if call["called"] == "0312340020" and call["outcome"] in rig.ANSWERED)
    due = sum(call["called"] == "0312340020" and call["outcome"] in rig.ANSWERED for call in history)
    checks.check("one recording a recorded call", recorded == due, f"{recorded} of {due}")
    passed = sum(any(word == "accepted" for word in words) for words in phones[1].words().values())
    parked = sum(any(word == "accepted" for word in words) for words in phones[2].words().values())
    checks.figure("callers passed on, parked, fetched", f"{passed}, {parked}, {hands.fetched}")
    checks.check("transfers and parks came about", passed > 0 and parked > 0, f"{passed}, {parked}")

    print(checks.table())
    about = {"minutes": asked.minutes, "calls_a_second": asked.rate, "walls": asked.walls, "past": asked.past, "began": began.isoformat()}
    about["samples"] = [dict(zip(("at_s", "memory_kib", "descriptors", "calls_open", "calls_ended", "media_ports"), it)) for it in sampler.samples]
    checks.write(asked.json, about)
    print(f"{'all holds' if checks.hold else 'NOT ALL HOLDS'}; written to {asked.json}" + ("" if checks.hold else f"; its files are in {folder.path}"))
    if checks.hold and not asked.keep:
        folder.remove()
    receiver.stop()
    return 0 if checks.hold else 1


def menu(kind):
    return rig.KINDS[kind][0] == "menu"


if __name__ == "__main__":
    sys.exit(main())
