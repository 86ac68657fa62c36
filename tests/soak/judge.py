"""What SIPp saw of each call against what the history has of it."""
from collections import Counter, defaultdict

from phones import KINDS, REFUSED, told


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
            # Without its last word SIPp was left in the middle: a refusal crossed its CANCEL.
            if words.get("refused", "")[:3] in ("486", "503", "500") or "over" not in words:
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
