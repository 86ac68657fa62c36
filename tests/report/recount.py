"""The telephone figures of every month of a store, counted again from the definition (SLA.md, sections 1 and 2).

    recount.py STORE.db

Standard library only, and nothing of the program's: a call is looked at as a whole and by exclusion, not by a
machine that steps through it. The agreed settings are taken. Prints JSON: month -> figures.
"""

import json
import sqlite3
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone
from fractions import Fraction

JAPAN = timezone(timedelta(hours=9))
SHORT_CALL_MS = 3000
ASKED = ("operator_asked", "queued", "offer_made")
TOTAL_5 = ("answered", "answered_after_busy", "abandoned", "busy_released", "blocked", "failed")
TOTAL_6 = TOTAL_5 + ("short_abandoned",)


def is_busy(event):
    return event["kind"] == "announced" and event["purpose"] == "busy"


def outcome(steps, short_call_ms=SHORT_CALL_MS):
    """Of one call: its steps as (milliseconds, event)."""
    kinds = [event["kind"] for _, event in steps]
    for place, (_, event) in enumerate(steps):
        if event["kind"] == "operator_answered":
            told_busy = any(is_busy(earlier) for _, earlier in steps[:place])
            return "answered_after_busy" if told_busy else "answered"
        if event["kind"] in ("message_left", "callback_asked"):
            return "message_taken"
        if event["kind"] == "away_answered":
            return "busy_released"
    if "ended" not in kinds:
        return None
    place = kinds.index("ended")
    before = [event for _, event in steps[:place]]
    ms, end = steps[place]
    cause = end["cause"]["cause"] if isinstance(end["cause"], dict) else end["cause"]
    by = end["by"]
    busy = any(is_busy(event) for event in before)
    asked = busy or any(kind in ASKED for kind in kinds[:place])
    if cause in ("fault", "restart") or (cause == "hung_up" and by != "caller"):
        return "failed"
    if asked and cause == "hung_up":
        return "short_abandoned" if not busy and ms <= short_call_ms else "abandoned"
    if asked and cause == "transferred":
        return "abandoned"
    if not asked and "found_closed" in kinds[:place]:
        return "closed"
    if not asked and cause == "hung_up":
        return "menu_left"
    if busy:
        return "busy_released"
    if cause in ("transferred", "time_used_up"):
        return "failed"
    if cause in ("lines_full", "channels_full", "no_capacity"):
        return "blocked"
    in_menu = "menu_entered" in kinds[:place] or "entry_began" in kinds[:place]
    if not asked and (cause == "menu_done" or (cause == "not_answered" and in_menu)):
        return "menu_served"
    if not asked and cause == "closed_told":
        return "closed"
    heard = any(event["kind"] in ("announced", "accepted") for event in before)
    return "busy_released" if heard else "blocked"


def percent(part, whole):
    """Two decimals, half up; none of no calls."""
    if whole == 0:
        return None
    hundredths = (Fraction(part, whole) * 10000 + Fraction(1, 2)).__floor__()
    return f"{hundredths // 100}.{hundredths % 100:02}"


def history(path):
    """A store's calls as steps, when each arrived, whether each is counted, and the periods that are left out."""
    calls, arrived, counted, entered, approved = defaultdict(list), {}, {}, {}, set()
    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    for at_ms, body in store.execute("SELECT at_ms, body FROM entry ORDER BY seq"):
        fact = json.loads(body)
        event = fact["event"]
        if fact["of"] == "call":
            call = fact["call"]
            if event["kind"] == "arrived":
                arrived[call], counted[call] = at_ms - fact["t_ms"], event["counted"]
            calls[call].append((fact["t_ms"], event))
        elif fact["of"] == "figures":
            number = event.get("exclusion")
            if event["kind"] == "exclusion_entered":
                entered[number] = (event["from"], event["until"])
            elif event["kind"] == "exclusion_approved":
                approved.add(number)
            elif event["kind"] == "exclusion_withdrawn":
                approved.discard(number)
    return calls, arrived, counted, [entered[number] for number in approved]


def main():
    calls, arrived, counted, left_out = history(sys.argv[1])
    months = {}
    for call, steps in calls.items():
        local = datetime.fromtimestamp(arrived[call] / 1000, JAPAN)
        month = months.setdefault(local.strftime("%Y-%m"), {
            "arrived": 0, "undecided": 0, "left_out": 0, "excluded": 0, "outcomes": Counter(),
            "excluded_outcomes": Counter(), "days": defaultdict(Counter), "half_hours": defaultdict(Counter)})
        came_to = outcome(steps) or "undecided"
        if not counted[call]:
            month["left_out"] += 1
            continue
        if any(begin <= arrived[call] < end for begin, end in left_out):
            month["excluded"] += 1
            month["excluded_outcomes"][came_to] += 1
            continue
        month["arrived"] += 1
        month["undecided"] += came_to == "undecided"
        month["outcomes"][came_to] += 1
        month["days"][local.strftime("%Y-%m-%d")][came_to] += 1
        half_hour = f"{local.hour:02}:{local.minute // 30 * 30:02}"
        month["half_hours"][half_hour if "08:00" <= half_hour < "18:30" else ""][came_to] += 1
    for month in months.values():
        got = month["outcomes"]
        total_5, total_6 = (sum(got[name] for name in total) for total in (TOTAL_5, TOTAL_6))
        abandoned = got["abandoned"] + got["failed"]
        busy = got["answered_after_busy"] + got["busy_released"] + got["blocked"]
        month["abandon"] = [abandoned, total_5, percent(abandoned, total_5), 10 * abandoned < total_5]
        month["busy"] = [busy, total_6, percent(busy, total_6), 20 * busy < total_6]
    json.dump(months, sys.stdout)


if __name__ == "__main__":
    main()
