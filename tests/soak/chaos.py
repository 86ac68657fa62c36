"""Parts of scripts/chaos that need no test harness: the clock is set, the ticket system comes and goes, the network is cut. Each
prints one table and fails when anything does not hold."""
import argparse
import os
import random
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import rig

FAKETIME = "/usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1"
# SIPp repeats what is not answered for half a minute; the desk's own timers are as long (RFC 3261 §17).
PATIENCE_S = 90


def ends(checks, desk, calling, phones):
    """Callers come to an end, all is given back, and a phone can register."""
    checks.check("SIPp's callers came to an end", all(run.ended(PATIENCE_S) for run in calling), f"{len(calling)} runs")
    for run in calling:
        run.stop()
    for phone in phones:
        phone.stop()
    held = rig.at_rest(desk, 150)
    checks.check("gauges at 0 afterwards", not held, ", ".join(f"{name} {value:g}" for name, value in held.items()) or "all")
    metrics = desk.metrics()
    rose = {name: metrics[name] for name in rig.NEVER if metrics.get(name)}
    checks.check("what must never happen", not rose, ", ".join(f"{name} {value:g}" for name, value in rose.items()) or "nothing did")
    took = rig.registers(desk, desk.trunk[-1], 2)
    checks.check("a phone registers within 2 s", took is not None, "no" if took is None else f"{took:.2f} s")


def stops_whole(checks, desk):
    code = desk.stop()
    checks.check("ended in order", code == 0, f"exit code {code}")
    rig.is_whole(checks, desk)


def clock(rounds, draw, checks):
    """The wall clock is set forward and back under calls, by minutes to days; then a restart in the past."""
    library = FAKETIME.format(os.uname().machine)
    if not Path(library).exists():
        sys.exit(f"{library} is missing (Debian: faketime)")
    folder, ports, quiet = rig.Folder("clock"), rig.Ports(), rig.sink()
    sink, file = quiet.getsockname()[1], folder.path / "clock"
    offset = 0

    def set_to(seconds):
        nonlocal offset
        offset = seconds
        beside = file.with_suffix(".new")
        beside.write_text(f"{seconds:+d}\n")
        beside.rename(file)

    set_to(0)
    environment = {
        "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    desk = rig.Desk(folder, ports, environment=environment)
    desk.voice_port = ports.port()
    echo = ports.echo()
    desk.start().healthy()
    phones, calling, steps = rig.agents(desk, sink, echo), [], []
    for round in range(rounds):
        calling.append(rig.Callers(desk, round, 6, 6, None, sink, kinds=KINDS))
        for _ in range(3):
            time.sleep(1 + draw.random())
            step = draw.choice([-86_400, -3_600, -300, -30, -1, 1, 30, 300, 3_600, 86_400])
            steps.append(step)
            set_to(offset + step)
        checks_in_time = calling[-1].ended(40)
        checks.check(f"callers of round {round} came to an end", checks_in_time, f"clock at {offset:+d} s")
    ends(checks, desk, calling, phones)
    before = desk.calls()
    lengths = length_ms(desk)
    checks.check("no call is longer than it was", max(lengths, default=0) < 60_000, f"longest {max(lengths, default=0)} ms of {len(lengths)}")
    leapt = leaps_ms(desk)
    checks.check("the clock was set indeed", leapt > 900 * max(map(abs, steps)), f"entries leap by {leapt / 1000:.0f} s at most")
    figures = desk.command("calls", "--json")[1]
    desk.kill()
    # A machine that forgot its clock: two days before anything that is in the history.
    set_to(min(0, offset, min(steps, default=0)) - 172_800)
    began = time.monotonic()
    desk.start()
    took = rig.registers(desk, desk.trunk[-1], 2)
    checks.check("REGISTER within 2 s of a start in the past", took is not None, "no" if took is None else f"{time.monotonic() - began:.2f} s")
    desk.healthy()
    checks.check("the figures are what they were", desk.command("calls", "--json")[1] == figures, f"{len(before)} calls")
    phones = rig.agents(desk, sink, echo)
    calling.append(rig.Callers(desk, rounds, 3, 6, None, sink, kinds=KINDS))
    ends(checks, desk, calling[-1:], phones)
    stops_whole(checks, desk)
    rig.judge(checks, calling, desk.calls())
    checks.figure("the clock was set by, seconds", " ".join(f"{step:+d}" for step in steps))
    return folder


# Without those whose sound is looked at.
KINDS = {"talks", "is let go", "passed on", "parked", "menu", "closed", "gives up", "waits too long"}


def leaps_ms(desk):
    """The greatest step, either way, between the stamps of two entries that follow each other."""
    with closing(desk.store()) as store:
        at = [ms for (ms,) in store.execute("SELECT at_ms FROM entry ORDER BY seq")]
    return max((abs(one - other) for one, other in zip(at, at[1:])), default=0)


def length_ms(desk):
    """How long each call was by its own last event."""
    with closing(desk.store()) as store:
        rows = store.execute("SELECT body ->> '$.t_ms' FROM entry WHERE body ->> '$.event.kind' = 'ended'").fetchall()
    return [int(ms) for (ms,) in rows]


def tickets(rounds, draw, checks):
    """The ticket system is stopped, hangs, refuses, loses answers; the desk is killed now and then: one ticket a call, once."""
    folder, ports, quiet = rig.Folder("chaos-tickets"), rig.Ports(), rig.sink()
    sink = quiet.getsockname()[1]
    receiver = rig.Receiver(ports).start()
    desk = rig.Desk(folder, ports, more=receiver.config(folder))
    desk.voice_port = ports.port()
    echo = ports.echo()
    desk.start().healthy()
    phones, calling, ways = rig.agents(desk, sink, echo), [], []
    kills = 0
    for round in range(rounds):
        calling.append(rig.Callers(desk, round, 4, 6, None, sink, kinds=KINDS))
        time.sleep(1 + draw.random())
        way = draw.choice(["stopped", "hangs", "refuses", "dies"])
        ways.append(way)
        if way == "stopped":
            receiver.stop()
        else:
            receiver.way = way
        time.sleep(2 + 2 * draw.random())
        if draw.random() < 0.3:
            kills += 1
            desk.kill()
            time.sleep(draw.random())
            desk.again()
        receiver.way = "well"
        if way == "stopped":
            receiver.start()
        if not calling[-1].ended(40):
            calling[-1].stop()
    for run in calling:
        run.stop()
    desk.command("tickets", "retry", "--author", "chaos")
    # What may have been done unseen is looked for a minute later; pauses between tries grow (docs/TICKETS.md).
    waiting = lambda: desk.metrics().get("madoguchi_tickets_waiting", 1)
    end = time.monotonic() + 300
    while waiting() and time.monotonic() < end:
        desk.command("tickets", "retry", "--author", "chaos")
        time.sleep(3)
    checks.check("nothing is due any more", not waiting(), f"{waiting():g} calls wait")
    ends(checks, desk, calling, phones)
    stops_whole(checks, desk)
    history = desk.calls()
    rig.judge(checks, calling, history, may_be={"failed"} if kills else frozenset(), strict=not kills)
    due = {call["call"] for call in history if call["outcome"] in rig.TICKETED}
    twice = [call for call, count in receiver.opened.items() if count != 1]
    right = set(receiver.opened) == due and not twice and not receiver.forged
    checks.check("one ticket a call", right, f"{len(receiver.opened)} of {len(due)}, {len(twice)} twice; {receiver.repeated} said again")
    checks.figure("the ticket system", f"{' '.join(ways)}; the desk killed {kills} times")
    return folder


def network(rounds, draw, checks):
    """The desk's network is down for moments and for longer than any timer: called again in network namespaces of our own."""
    if os.environ.get("MADOGUCHI_CHAOS_APART") != "1":
        return apart("network")
    def run(*words):
        subprocess.run(words, check=True)
    run("ip", "link", "set", "lo", "up")
    # The desk is in a house of its own: its end of the cable is what goes down, so that phones go on saying things to nobody.
    house = subprocess.Popen(["unshare", "-n", "sleep", "infinity"], preexec_fn=rig.dies_with_us)
    rig.until(5, lambda: os.readlink(f"/proc/{house.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
    inside = ["nsenter", "-n", "-t", str(house.pid)]
    run("ip", "link", "add", "phones", "address", "02:00:00:00:00:01", "type", "veth", "peer", "name", "desk", "address", "02:00:00:00:00:02")
    run("ip", "link", "set", "desk", "netns", str(house.pid))
    run("ip", "address", "add", "198.51.100.1/24", "dev", "phones")
    run("ip", "link", "set", "phones", "up")
    run("ip", "neighbour", "replace", "198.51.100.2", "lladdr", "02:00:00:00:00:02", "dev", "phones", "nud", "permanent")
    for words in (["link", "set", "lo", "up"], ["address", "add", "198.51.100.2/24", "dev", "desk"], ["link", "set", "desk", "up"]):
        run(*inside, "ip", *words)
    folder, quiet = rig.Folder("network"), rig.sink()
    ports, sink = rig.Ports("198.51.100.1"), quiet.getsockname()[1]
    desk = rig.Desk(folder, ports, ours="198.51.100.2", theirs="198.51.100.1", under=inside)
    desk.voice_port = ports.port()
    echo = ports.echo()
    desk.start().healthy()
    phones, calling, cuts = rig.agents(desk, sink, echo), [], []
    registered = []
    for round in range(rounds):
        calling.append(rig.Callers(desk, round, 6, 6, None, sink, kinds=KINDS))
        time.sleep(1 + 2 * draw.random())
        # Within SIP's repetitions, and in the last round beyond all of them.
        down_s = 45.0 if round == rounds - 1 else draw.choice([0.2, 0.7, 1.5, 3.0, 6.0])
        cuts.append(down_s)
        run(*inside, "ip", "link", "set", "desk", "down")
        time.sleep(down_s)
        run(*inside, "ip", "link", "set", "desk", "up")
        took = rig.registers(desk, desk.trunk[-1], 5)
        registered.append(took)
        if not calling[-1].ended(PATIENCE_S):
            calling[-1].stop()
    known = [took for took in registered if took is not None]
    checks.check("REGISTER within 2 s of the network", len(known) == rounds and max(known) <= 2, " ".join(f"{took:.2f}" if took else "no" for took in registered))
    ends(checks, desk, calling, phones)
    stops_whole(checks, desk)
    # A caller may vanish at any point of a call, and an agent too.
    may_be = {"answered", "answered_after_busy", "abandoned", "short_abandoned", "failed", "menu_left", "busy_released", "closed"}
    rig.judge(checks, calling, desk.calls(), may_be=may_be, strict=False)
    checks.figure("the network was down for, seconds", " ".join(f"{cut:g}" for cut in cuts))
    house.kill()
    return folder


def apart(part):
    """This part again, in a network namespace of its own; root, or user namespaces, are needed for it."""
    environment = {**os.environ, "MADOGUCHI_CHAOS_APART": "1"}
    flags = next((it for it in (["-n"], ["-rn"]) if subprocess.run(["unshare", *it, "true"], capture_output=True).returncode == 0), None)
    if flags is None:
        sys.exit(f"{part} needs network namespaces: run it as root, or allow user namespaces")
    sys.exit(subprocess.run(["unshare", *flags, sys.executable, "-B", *sys.argv], env=environment).returncode)


def main():
    about = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    about.add_argument("part", choices=["clock", "tickets", "network"])
    about.add_argument("rounds", type=int)
    about.add_argument("--seed", type=int, default=1)
    asked = about.parse_args()
    checks, draw = rig.Checks(), random.Random(asked.seed)
    folder = {"clock": clock, "tickets": tickets, "network": network}[asked.part](asked.rounds, draw, checks)
    print(checks.table())
    if checks.hold:
        folder.remove()
    print(f"{asked.part} {asked.rounds}, seed {asked.seed}: " + ("all holds" if checks.hold else f"NOT ALL HOLDS; its files are in {folder.path}"))
    return 0 if checks.hold else 1


if __name__ == "__main__":
    sys.exit(main())
