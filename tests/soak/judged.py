"""That what the soak judges by can say no: each fault that a history may have is put before it."""
import rig


class Told:
    """One caller who talked and one who gave up, as SIPp would tell."""

    def calls(self):
        return [("031", 0, {"answered": "4000", "hung_up": "", "over": ""}), ("032", 8, {"ringing": "", "cancelled": "", "over": ""})]


def row(caller, outcome, ends=1):
    return {"call": caller, "caller": caller, "outcome": outcome, "ends": ends}


WHOLE = [row("031", "answered"), row("032", "abandoned")]
CASES = [
    ("nothing is wrong", WHOLE, set()),
    ("a call is missing", WHOLE[:1], {"calls that SIPp made and the history has not"}),
    ("a call is there twice", [*WHOLE, row("031", "answered")], {"calls that are there twice"}),
    ("a call has no end", [row("031", "answered", 0), WHOLE[1]], {"calls that have not exactly one end"}),
    ("a call ended twice", [row("031", "answered", 2), WHOLE[1]], {"calls that have not exactly one end"}),
    ("a call has no outcome", [WHOLE[0], row("032", None)], {"calls without an outcome"}),
    ("who talked is said to have given up", [row("031", "abandoned"), WHOLE[1]], {"outcomes that are not what SIPp saw"}),
    ("who gave up is said to have talked", [WHOLE[0], row("032", "answered")], {"outcomes that are not what SIPp saw"}),
    ("who talked is said to have been refused", [row("031", "blocked"), WHOLE[1]], {"outcomes that are not what SIPp saw"}),
]
assert [kind[0] for kind in (rig.KINDS[0], rig.KINDS[8])] == ["talks", "gives up"]
for case, history, due in CASES:
    checks = rig.Checks()
    rig.judge(checks, [Told()], history)
    found = {name for name, holds, _ in checks.rows if not holds}
    assert found == due, f"{case}: {found}"
    assert checks.hold == (not due), case
print(f"{len(CASES)} cases")
