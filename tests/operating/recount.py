"""The operating figures of an exported history, counted again from their definitions (docs/FIGURES.md).

    madoguchi events export STORE.db > history.jsonl; recount.py history.jsonl

Standard library only, and nothing of the program's: what holds of an agent is written down as intervals (signed in,
talking, ringing, ...), all of them are cut into pieces at every end of any of them and at every half hour, and each
piece goes where the first condition that holds says. The agreed settings are taken. Prints JSON: month -> figures.
"""

import json
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone

JAPAN = timezone(timedelta(hours=9))
HALF_HOUR = 1_800_000
TARGET_MS = 20_000


def kind(event):
    return event["kind"]


def is_restart(event):
    why = event.get("cause") or event.get("why")
    return isinstance(why, dict) and "restart" in why.values()


def shows_life(fact):
    """Whether an entry shows that the desk ran at its time."""
    event = fact["event"]
    if fact["of"] in ("call", "placed") and kind(event) == "ended" and is_restart(event):
        return False
    return not (fact["of"] == "figures" and kind(event) == "settings_changed")


def timed(lines):
    """((time, fact, stop) of each entry, eras).

    The time goes on with every entry that shows life, also when the wall clock was set back: then an era begins, whose
    times are so much more than the wall's. A stop is when the process before a start ended.
    """
    wall, ahead, out, eras = None, 0, [], [(None, 0)]
    for line in lines:
        fact = json.loads(line)
        if "of" not in fact:
            continue
        starts = fact["of"] == "desk" and kind(fact["event"]) == "started"
        stop = None if wall is None else wall + ahead
        if starts or shows_life(fact):
            if wall is not None and fact["at"] < wall:
                ahead = wall + ahead - fact["at"]
                eras.append((stop, ahead))
            wall = fact["at"]
        now = fact["at"] if wall is None else wall + ahead
        out.append((now, fact, (now if stop is None else stop) if starts else None))
    return out, eras


class Intervals:
    """Times in which something holds."""

    def __init__(self):
        self.done, self.since = [], None

    def on(self, at):
        self.since = at if self.since is None else self.since

    def off(self, at):
        if self.since is not None:
            self.done.append((self.since, at))
            self.since = None

    def all(self, end):
        return self.done + ([(self.since, end)] if self.since is not None else [])


class Agent:
    def __init__(self):
        self.signed_in, self.paused, self.reachable = Intervals(), Intervals(), Intervals()
        self.talking, self.wrap_up = Intervals(), Intervals()
        self.rings = defaultdict(Intervals)     # by call
        self.callers = defaultdict(Intervals)   # by call
        self.free = defaultdict(Intervals)      # by call: with the caller, who is not held
        self.counts = []                        # (time, what)
        self.wraps = []                         # (from, to, call): to is none while it lasts
        self.busy = None                        # "talking", "wrap_up" or none
        self.last = None                        # the call that after-call work belongs to


def on_the_wall(from_ms, to_ms, eras):
    """The same time by the wall clock, cut where an era begins."""
    for place, (begins, ahead) in enumerate(eras):
        ends = eras[place + 1][0] if place + 1 < len(eras) else None
        first = from_ms if begins is None else max(from_ms, begins)
        last = to_ms if ends is None else min(to_ms, ends)
        if first < last:
            yield first - ahead, last - ahead, first


def cut(from_ms, to_ms):
    """At half hours of Japan, which are those of Greenwich."""
    while from_ms < to_ms:
        end = min(to_ms, (from_ms // HALF_HOUR + 1) * HALF_HOUR)
        yield from_ms, end - from_ms
        from_ms = end


def day_of(ms):
    return datetime.fromtimestamp(ms / 1000, JAPAN).strftime("%Y-%m-%d")


def half_hour_of(ms):
    local = datetime.fromtimestamp(ms / 1000, JAPAN)
    return f"{local.hour:02}:{local.minute // 30 * 30:02}"


def read(entries):
    agents, calls = defaultdict(Agent), {}
    gaps, full = [], []
    ringing, with_caller = defaultdict(list), defaultdict(list)   # by call
    held, asking, talker = defaultdict(bool), defaultdict(bool), {}
    asks = defaultdict(bool)    # somebody is asked by keys, whichever of the two the agent is with

    def release(call, agent, at):
        agents[agent].callers[call].off(at)
        agents[agent].free[call].off(at)

    def leave(call, agent, at):
        if agent in with_caller[call]:
            with_caller[call].remove(agent)
            agents[agent].last = call
        release(call, agent, at)

    def set_hold(call, at, is_held, is_asking):
        was = held[call] or asking[call]
        held[call], asking[call] = is_held, is_asking
        now, agent = is_held or is_asking, talker.get(call)
        if was != now and agent in with_caller[call]:
            (agents[agent].free[call].off if now else agents[agent].free[call].on)(at)

    def join(call, agent, at):
        held[call] = asking[call] = asks[call] = False
        talker[call] = agent
        if agent in with_caller[call]:
            with_caller[call].remove(agent)
        with_caller[call].append(agent)
        agents[agent].callers[call].on(at)
        agents[agent].free[call].on(at)
        agents[agent].last = call

    def hang_up(name, at):
        for call in [call for call, there in with_caller.items() if name in there]:
            # The last that the agent came to is the one that the work belongs to.
            with_caller[call].remove(name)
            release(call, name, at)

    def end_wrap(agent, at):
        if agent.busy == "wrap_up" and agent.wraps and agent.wraps[-1][1] is None:
            from_ms, _, _ = agent.wraps[-1]
            # Where the word of a talk was lost, the agent may have come to another call meanwhile.
            agent.wraps[-1] = (from_ms, at, agent.last)

    def became(name, what, at):
        agent = agents[name]
        if what != "wrap_up":
            end_wrap(agent, at)
        if what == "talking":
            if agent.busy != "talking" and not any(name in there for there in with_caller.values()):
                agent.last = None
            agent.wrap_up.off(at)
            agent.talking.on(at)
        else:
            order = [call for call, there in with_caller.items() if name in there]
            if order:
                agent.last = max(order, key=lambda call: joined[(name, call)])
            hang_up(name, at)
            agent.talking.off(at)
            if what == "wrap_up":
                agent.wrap_up.on(at)
                if agent.busy != "wrap_up":
                    agent.wraps.append((at, None, agent.last))
            else:
                agent.wrap_up.off(at)
                agent.last = None
        agent.busy = what

    joined, order = {}, 0
    for at, fact, stop in entries:
        event, order = fact["event"], order + 1
        if fact["of"] == "desk" and kind(event) == "started":
            gaps.append((stop, at))
            for name, agent in agents.items():
                became(name, None, stop)
                agent.reachable.off(stop)
                for rung in agent.rings.values():
                    rung.off(stop)
            ringing.clear()
        elif fact["of"] == "agent":
            name, agent = fact["agent"], agents[fact["agent"]]
            what = kind(event)
            if what == "signed_in":
                agent.signed_in.on(at)
            elif what == "signed_out":
                agent.signed_in.off(at)
                agent.paused.off(at)
            elif what == "paused":
                agent.paused.on(at)
            elif what == "unpaused":
                agent.paused.off(at)
            elif what == "phone":
                (agent.reachable.on if event["reachable"] else agent.reachable.off)(at)
            elif what in ("talking", "wrap_up"):
                became(name, what, at)
            elif what == "idle":
                became(name, None, at)
        elif fact["of"] == "trunk" and kind(event) == "channels_free":
            full.append((fact["at"] - event["for_ms"], fact["at"]))
        elif fact["of"] == "call":
            call, t_ms, what = fact["call"], fact["t_ms"], kind(event)
            if what == "arrived":
                if call not in calls:
                    calls[call] = {"at": fact["at"] - t_ms, "number": event["number"], "group": None,
                                   "counted": event["counted"], "steps": [], "over": False}
                continue
            known = calls.get(call)
            if known is None or known["over"]:
                continue
            known["steps"].append((t_ms, event))
            if what == "operator_asked" and event.get("group") or what == "queued":
                known["group"] = event["group"]
            elif what == "offer_made":
                if event["agent"] not in ringing[call]:
                    ringing[call].append(event["agent"])
                    agents[event["agent"]].rings[call].on(at)
            elif what == "offer_ended":
                if event["agent"] in ringing[call]:
                    ringing[call].remove(event["agent"])
                    agents[event["agent"]].rings[call].off(at)
                    agents[event["agent"]].counts.append((at, "rings_" + event["why"]["end"]))
            elif what == "operator_answered":
                name = event["agent"]
                if name in ringing[call]:
                    ringing[call].remove(name)
                    agents[name].rings[call].off(at)
                    agents[name].counts.append((at, "rings_answered"))
                joined[(name, call)] = order
                join(call, name, at)
                agents[name].counts.append((at, "taken"))
            elif what in ("transferred", "sent_away", "parked"):
                leave(call, event["by"], at)
                talker[call] = None
                held[call] = asking[call] = asks[call] = False
            elif what == "returned":
                joined[(event["agent"], call)] = order
                join(call, event["agent"], at)
            elif what in ("held", "resumed") and event["by"] == "agent":
                if what == "resumed" or talker.get(call):
                    set_hold(call, at, what == "held", asking[call])
            elif what in ("consult_began", "consult_called", "consult_group"):
                if talker.get(call):
                    asks[call] = True
                    set_hold(call, at, held[call], True)
            elif what == "consult_turned":
                if asks[call]:
                    set_hold(call, at, held[call], event["to"] == "asked")
            elif what in ("consult_ended", "consult_over"):
                asks[call] = False
                set_hold(call, at, held[call], False)
            elif what == "ended":
                known["over"] = True
                for name in ringing.pop(call, []):
                    agents[name].rings[call].off(at)
                for name in list(with_caller[call]):
                    leave(call, name, at)
                talker[call] = None
    return agents, calls, gaps, full


def pieces(agent, gaps, end, eras):
    """(from by the wall, ms, state, from), cut at every end of anything and at half hours."""
    def marks(intervals):
        return [(from_ms, to_ms) for from_ms, to_ms in intervals if from_ms < to_ms]

    def of_all(by_call):
        return [it for intervals in by_call.values() for it in marks(intervals.all(end))]

    named = {
        "signed_in": marks(agent.signed_in.all(end)), "paused": marks(agent.paused.all(end)),
        "reachable": marks(agent.reachable.all(end)), "talking": marks(agent.talking.all(end)),
        "wrap_up": marks(agent.wrap_up.all(end)), "ringing": of_all(agent.rings),
        "caller": of_all(agent.callers), "free": of_all(agent.free), "gap": marks(gaps),
    }
    changes = defaultdict(Counter)
    for name, intervals in named.items():
        for from_ms, to_ms in intervals:
            changes[from_ms][name] += 1
            changes[to_ms][name] -= 1
    holds, times = Counter(), sorted(changes)
    for from_ms, to_ms in zip(times, times[1:]):
        for name, change in changes[from_ms].items():
            holds[name] += change
        has = {name for name, count in holds.items() if count > 0}
        if "gap" in has:
            continue
        caller = "talking" in has and "caller" in has
        if "signed_in" not in has:
            state = "signed_out_talk" if caller else None
        elif caller:
            state = "talk" if "free" in has else "hold"
        elif "talking" in has:
            state = "other_call"
        elif "ringing" in has:
            state = "ringing"
        elif "wrap_up" in has:
            state = "wrap_up"
        elif "paused" in has:
            state = "paused"
        else:
            state = "idle" if "reachable" in has else "unreachable"
        if state:
            for begins, ends, first in on_the_wall(from_ms, to_ms, eras):
                yield from ((at, ms, state, first + at - begins) for at, ms in cut(begins, ends))


RINGS = {"rings_rang_out": "rings_missed"}


def wait(steps):
    """(answered, wait) of a decided call; none of one that is not decided. The wait is none when nobody was asked."""
    asked = None
    for t_ms, event in steps:
        what = kind(event)
        if what == "operator_answered":
            return True, 0 if asked is None else max(0, t_ms - asked)
        if what in ("message_left", "callback_asked", "ended"):
            return False, None if asked is None else max(0, t_ms - asked)
        busy = what == "announced" and event["purpose"] == "busy"
        if asked is None and (busy or what in ("operator_asked", "queued", "offer_made")):
            asked = t_ms
    return None


def lengths(steps):
    """(talks together, holds together) of a call that is over."""
    talk = hold = 0
    since = held_since = None
    held = asking = asks = False
    for t_ms, event in steps:
        what = kind(event)
        before = held or asking
        ends = what in ("transferred", "sent_away", "parked", "operator_answered", "returned", "ended")
        if what in ("held", "resumed") and event["by"] == "agent" and (what == "resumed" or since is not None):
            held = what == "held"
        elif what in ("consult_began", "consult_called", "consult_group") and since is not None:
            asking = asks = True
        elif what == "consult_turned" and asks:
            asking = event["to"] == "asked"
        elif what in ("consult_ended", "consult_over"):
            asking = asks = False
        elif ends:
            held = asking = asks = False
        if not before and (held or asking):
            held_since = t_ms
        if before and not (held or asking):
            hold += max(0, t_ms - held_since)
        if ends and since is not None:
            talk += max(0, t_ms - since)
            since = None
        if what in ("operator_answered", "returned"):
            since = t_ms
    return talk, hold


FIELDS = ("offered", "answered", "in_time", "wait_ms", "longest_ms", "talk_ms", "hold_ms", "wrap_up_ms")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        entries, eras = timed(file)
    end = entries[-1][0]
    agents, calls, gaps, full = read(entries)
    excluded = {}
    for _, fact, _ in entries:
        if fact["of"] == "figures":
            event = fact["event"]
            if kind(event) == "exclusion_entered":
                excluded[event["exclusion"]] = [event["from"], event["until"], False]
            elif kind(event) in ("exclusion_approved", "exclusion_withdrawn"):
                excluded[event["exclusion"]][2] = kind(event) == "exclusion_approved"
    months = defaultdict(lambda: {
        "agents": defaultdict(Counter), "days": defaultdict(Counter), "half_hours": defaultdict(Counter),
        "calls": {by: defaultdict(lambda: dict.fromkeys(FIELDS, 0)) for by in ("day", "half_hour", "group", "number")},
        "full_ms": 0})
    wraps = Counter()
    for name, agent in agents.items():
        spent = list(pieces(agent, gaps, end, eras))
        for at, ms, state, _ in spent:
            month = months[day_of(at)[:7]]
            for row in (month["agents"][name], month["days"][day_of(at)], month["half_hours"][half_hour_of(at)]):
                row[state] += ms
        for at, what in agent.counts:
            at -= [ahead for begins, ahead in eras if begins is None or begins <= at][-1]
            month, what = months[day_of(at)[:7]], RINGS.get(what, what)
            for row in (month["agents"][name], month["days"][day_of(at)], month["half_hours"][half_hour_of(at)]):
                row[what] += 1
        worked = [(at, ms) for _, ms, state, at in spent if state == "wrap_up"]
        for from_ms, to_ms, call in agent.wraps:
            if to_ms is not None and call is not None:
                wraps[call] += sum(max(0, min(at + ms, to_ms) - max(at, from_ms)) for at, ms in worked
                                   if at < to_ms and at + ms > from_ms)
    for from_ms, to_ms in full:
        for at, ms in cut(from_ms, to_ms):
            months[day_of(at)[:7]]["full_ms"] += ms
    for call, it in calls.items():
        left_out = any(approved and from_ms <= it["at"] < until for from_ms, until, approved in excluded.values())
        if not it["counted"] or left_out:
            continue
        came_to = wait(it["steps"])
        talk, hold = lengths(it["steps"]) if it["over"] else (0, 0)
        day = day_of(it["at"])
        group = (it["group"] or "") if it["over"] else ""
        keys = {"day": day, "half_hour": half_hour_of(it["at"]), "group": group, "number": it["number"]}
        for by, key in keys.items():
            row = months[day[:7]]["calls"][by][key]
            row["talk_ms"] += talk
            row["hold_ms"] += hold
            row["wrap_up_ms"] += wraps[call]
            if came_to is None or came_to[1] is None:
                continue
            answered, waited = came_to
            row["offered"] += 1
            row["longest_ms"] = max(row["longest_ms"], waited)
            if answered:
                row["answered"] += 1
                row["wait_ms"] += waited
                row["in_time"] += waited <= TARGET_MS
    json.dump(months, sys.stdout)


main()
