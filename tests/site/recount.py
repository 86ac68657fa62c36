"""One month's telephone figures of a store, counted from the definition under any of its readings.

    recount.py STORE.db SETTINGS MONTH

SETTINGS is JSON of all settings by name. Standard library only; what an outcome is stands in ../report/recount.py.
Prints JSON.
"""

import json
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "report"))
from recount import ASKED, JAPAN, history, is_busy, outcome  # noqa: E402


def wait(steps, came_to):
    """From asking for an operator to the answer or the end; none when none was asked for."""
    ends = ("operator_answered", "message_left", "callback_asked", "away_answered", "ended")
    over = next(place for place, (_, event) in enumerate(steps) if event["kind"] in ends)
    asked = [ms for ms, event in steps[:over] if event["kind"] in ASKED or is_busy(event)]
    if asked:
        return max(steps[over][0] - asked[0], 0)
    return 0 if came_to.startswith("answered") else None


def main():
    settings, wanted = json.loads(sys.argv[2]), sys.argv[3]
    calls, arrived, counted, left_out = history(sys.argv[1])
    counts_as = {
        "answered": "answered", "answered_after_busy": "busy", "abandoned": "abandoned",
        "short_abandoned": "short", "busy_released": settings["released_counts_as"],
        "blocked": settings["released_counts_as"], "failed": settings["failed_counts_as"],
        "menu_left": settings["menu_left_counts_as"], "message_taken": settings["message_taken_counts_as"],
        "menu_served": "excluded", "closed": "excluded",
    }
    out, place, outcomes, longest = Counter(), Counter(), Counter(), 0
    for call, steps in calls.items():
        local = datetime.fromtimestamp(arrived[call] / 1000, JAPAN)
        if local.strftime("%Y-%m") != wanted:
            continue
        if not counted[call]:
            out["left_out"] += 1
            continue
        if any(begin <= arrived[call] < end for begin, end in left_out):
            out["excluded"] += 1
            continue
        out["arrived"] += 1
        came_to = outcome(steps, settings["short_call_ms"])
        if came_to is None:
            out["undecided"] += 1
            continue
        outcomes[came_to] += 1
        place[counts_as[came_to]] += 1
        waited = wait(steps, came_to)
        if waited is not None:
            out["offered"] += 1
            longest = max(longest, waited)
            in_time = came_to.startswith("answered") and waited <= settings["answer_target_ms"]
            out["in_time"] += in_time
    total = place["answered"] + place["busy"] + place["abandoned"]
    short = place["short"] if settings["short_call_excluded_from"] == "abandon" else 0
    json.dump({
        "arrived": out["arrived"], "undecided": out["undecided"], "left_out": out["left_out"],
        "excluded": out["excluded"], "outcomes": outcomes,
        "abandon_part": place["abandoned"], "abandon_total": total,
        "busy_part": place["busy"], "busy_total": total + short,
        "offered": out["offered"], "in_time": out["in_time"], "longest_wait_ms": longest,
    }, sys.stdout)


main()
