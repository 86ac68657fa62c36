"""No. 1 to 4 of a month, and No. 7, counted again from the same files by another way.

    recount.py TICKETS.csv MONTH SURVEY.csv YEAR ASKED

Standard library only, and nothing of the program's: dates of service by a list of days rather than by rule,
spans cut at every midnight and every escalation and looked at piece by piece, means as Fractions. Prints JSON.
"""

import csv
import json
import re
import sys
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction

JAPAN = timezone(timedelta(hours=9))
MS = timedelta(milliseconds=1)

# Days without service that are no weekends, July 2026 to March 2027: the Cabinet Office's list, and the closure.
CLOSED = {
    date(2026, month, day)
    for month, day in [(7, 20), (8, 11), (9, 21), (9, 22), (9, 23), (10, 12), (11, 3), (11, 23), (12, 29), (12, 30), (12, 31)]
} | {date(2027, month, day) for month, day in [(1, 1), (1, 2), (1, 3), (1, 11), (2, 11), (2, 23), (3, 21), (3, 22)]}

COLUMNS = [
    ("id", "受付番号"), ("received_at", "受付日時"), ("completed_at", "完了日時"), ("escalated_to", "エスカレーション先"),
    ("escalated_at", "エスカレーション日時"), ("escalation_answered_at", "エスカレーション回答日時"),
    ("progress_reported_at", "経過報告日時"), ("technical", "技術支援"), ("exclusions", "除外理由"),
]
ENGLISH = {"システム構築業者": "system_builder", "その他": "other", "はい": "yes", "いいえ": "no", "": "",
           "ウイルス調査": "virus_investigation", "ベンダー調査": "vendor_investigation", "時間指定": "caller_asked_for_time"}
POINTS = {"満足": 100, "ほぼ満足": 80, "普通": 60, "やや不満": 40, "不満": 0,
          "satisfied": 100, "mostly_satisfied": 80, "neutral": 60, "somewhat_dissatisfied": 40, "dissatisfied": 0}


def table(path):
    with open(path, "rb") as file:
        data = file.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp932")
    rows = [row for row in csv.reader(text.splitlines(keepends=True)) if any(cell.strip() for cell in row)]
    return [dict(zip((cell.strip() for cell in rows[0]), (cell.strip() for cell in row))) for row in rows[1:]]


def moment(text):
    if text == "":
        return None
    found = re.fullmatch(r"(\d+)[-/](\d+)[-/](\d+)[T ](\d+):(\d+)(?::(\d+)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?", text)
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    ms = int((found.group(7) or "").ljust(3, "0"))
    zone = JAPAN
    if found.group(8):
        zone = datetime.fromisoformat("2000-01-01T00:00:00" + found.group(8).replace("Z", "+00:00")).tzinfo
    return datetime(year, month, day, hour, minute, second, ms * 1000, zone).astimezone(JAPAN)


def midnight(day):
    return datetime(day.year, day.month, day.day, tzinfo=JAPAN)


def serves(day):
    return day.weekday() < 5 and day not in CLOSED


def counted_from(received):
    """Minute by minute would do as well; day by day is quicker."""
    day = received.date()
    closes = timedelta(hours=15) if day == date(2026, 12, 28) else timedelta(hours=18, minutes=15)
    opening = midnight(day) + timedelta(hours=8, minutes=30)
    if serves(day) and received < midnight(day) + closes:
        return max(received, opening)
    day += timedelta(days=1)
    while not serves(day):
        day += timedelta(days=1)
    return midnight(day) + timedelta(hours=8, minutes=30)


def length(begins, ends, spans=()):
    """Milliseconds, piece by piece: a piece lies in one day, and wholly inside each span or outside it."""
    if ends <= begins:
        return 0
    cuts = {begins, ends} | {cut for span in spans for cut in span if begins < cut < ends}
    day = begins.date()
    while midnight(day) <= ends:
        if midnight(day) > begins:
            cuts.add(midnight(day))
        day += timedelta(days=1)
    cuts, total = sorted(cuts), timedelta()
    for first, last in zip(cuts, cuts[1:]):
        today = midnight(first.date())
        whole = begins <= today and today + timedelta(days=1) <= ends
        off = whole and not serves(first.date())
        off = off or any(begin <= first and last <= end for begin, end in spans)
        total += timedelta() if off else last - first
    return total // MS


def ticket(row):
    cells = [row[en] if en in row else row[ja] for en, ja in COLUMNS]
    items = [re.split("[;；]", cell) if cell else [] for cell in cells]
    answers = items[5] or [""] * len(items[4])
    return {
        "id": cells[0],
        "received": moment(cells[1]),
        "completed": moment(cells[2]),
        "escalations": [
            (ENGLISH.get(to.strip(), to.strip()), moment(at.strip()), moment(answer.strip()))
            for to, at, answer in zip(items[3], items[4], answers)
        ],
        "reported": moment(cells[6]),
        "technical": ENGLISH.get(cells[7], cells[7]) == "yes",
        "exclusions": {ENGLISH.get(item.strip(), item.strip()) for item in items[8]},
    }


def places(one):
    """What the ticket is in each figure: a word, a number of milliseconds, or why it is left out."""
    begins, escalated = counted_from(one["received"]), one["escalations"]
    first = "resolved" if one["completed"] else "not_completed"
    yield ("out", "technical") if one["technical"] else ("in", "escalated" if escalated else first)
    if not one["completed"]:
        yield "out", "not_completed"
    elif "virus_investigation" in one["exclusions"]:
        yield "out", "virus_investigation"
    elif "vendor_investigation" in one["exclusions"]:
        yield "out", "vendor_investigation"
    else:
        spans = [(at, answered) for _, at, answered in escalated if answered]
        yield "in", length(begins, one["completed"], spans)
    if escalated:
        yield "in", length(begins, min(at for _, at, _ in escalated))
    else:
        yield "out", "not_escalated"
    if all(to != "system_builder" for to, _, _ in escalated):
        yield "out", "not_to_system_builder"
    elif "caller_asked_for_time" in one["exclusions"]:
        yield "out", "caller_asked_for_time"
    elif not one["reported"]:
        yield "out", "not_reported"
    else:
        yield "in", length(begins, one["reported"])


def hundredths(fraction):
    """Two decimals, half up."""
    rounded = (fraction * 100 + Fraction(1, 2)).__floor__()
    return f"{rounded // 100}.{rounded % 100:02}"


def figure(tickets, at):
    counted, left_out, values = {}, {}, []
    for one in tickets:
        where, what = list(places(one))[at]
        (counted if where == "in" else left_out)[one["id"]] = what
        if where == "in":
            values.append(what)
    if not values:
        shown, verdict = None, "no_value"
    elif at == 0:
        share = Fraction(values.count("resolved"), len(values))
        shown, verdict = hundredths(share * 100), "within" if share >= Fraction(9, 10) else "missed"
    else:
        mean = Fraction(sum(values), 60_000 * len(values))
        shown, verdict = hundredths(mean), "within" if mean <= [30, 10, 30][at - 1] else "missed"
    return {"shown": shown, "verdict": verdict, "counted": counted, "left_out": left_out}


def survey(path, year, asked):
    means = []
    for row in table(path):
        points = [POINTS[cell] for name, cell in row.items() if name not in ("回答者", "年度") and cell]
        if points and row["年度"] == year:
            means.append(Fraction(sum(points), len(points)))
    mean, rate = sum(means) / len(means), Fraction(len(means), asked)
    return {
        "satisfaction": hundredths(mean), "met": mean >= 75, "answered": len(means),
        "answer_rate": hundredths(rate * 100), "rate_met": rate >= Fraction(7, 10),
    }


def main():
    path, month, survey_path, year, asked = sys.argv[1:]
    tickets = [ticket(row) for row in table(path)]
    of_month = [one for one in tickets if one["received"].strftime("%Y-%m") == month]
    print(json.dumps({
        "tickets": len(of_month),
        "figures": [figure(of_month, at) for at in range(4)],
        "survey": survey(survey_path, year, int(asked)),
    }))


main()
