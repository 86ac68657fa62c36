"""Two programs in turn over one history, under calls: the newer takes the older's place by its drain, the older comes back, and the
newer again. Nobody who talks is cut off, registrations stay, each call has one outcome, and each program reads all of it."""
import argparse
import subprocess
import sys
import time
from pathlib import Path

import rig
from chaos import KINDS, ends, stops_whole

# What a program says of a history of a newer one: its drain, which then orders nothing, or its log when it starts.
REFUSED = "was written by a newer Madoguchi"


class Changes:
    """Changes of the program, each under calls."""

    def __init__(self, desk, checks, sink):
        self.desk, self.checks, self.sink, self.calling, self.gaps = desk, checks, sink, [], []
        self.refused = ""

    def callers(self, seconds):
        run = rig.Callers(self.desk, len(self.calling), seconds, 6, None, self.sink, kinds=KINDS)
        self.calling.append(run)
        return run

    def to(self, program, name):
        """`program` is installed and takes over; whether it came up."""
        desk, checks = self.desk, self.checks
        registered = rig.registers(desk, desk.trunk[-1], 2) is not None
        run = self.callers(6)
        time.sleep(3)
        drain = subprocess.Popen(
            [program, "drain", "--within", "2", "--config", str(desk.config)], cwd=desk.folder, text=True, preexec_fn=rig.dies_with_us,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        refused_from = time.monotonic()
        if not self.ends(drain):
            self.refused, _ = drain.communicate(timeout=90)
            checks.check(f"{name}: drain refuses in words, and the desk goes on", REFUSED in self.refused and desk.health() == 200, self.refused.strip()[-300:])
            checks.check(f"{name}: callers came to an end", run.ended(60), "")
            checks.check(f"{name}: what went on ends in order", desk.stop() == 0, "")
            desk.program = program
            return False
        desk.program = program
        code = desk.process.returncode
        ended = time.monotonic()
        desk.start()
        rig.until(60, lambda: desk.process.poll() is not None or desk.health() == 200)
        if desk.process.poll() is not None:
            drain.kill()
            drain.wait()
            run.stop()
            return False
        self.gaps.append(time.monotonic() - ended)
        said, _ = drain.communicate(timeout=90)
        checks.check(f"{name}: calls came to their end, in order", code == 0, f"exit code {code}, after {ended - refused_from:.0f} s")
        checks.check(f"{name}: drain says who answers", drain.returncode == 0, said.strip().splitlines()[-1] if said.strip() else "nothing")
        kept = desk.metrics()["madoguchi_sip_registrations"]
        checks.check(f"{name}: the registration is kept", registered and kept == 1, f"{kept:g}")
        checks.check(f"{name}: callers came to an end", run.ended(60), "")
        again = self.callers(3)
        checks.check(f"{name}: the next callers, too", again.ended(60), "")
        rig.is_whole(checks, desk, f"{name}: verify, under way")
        return True

    def ends(self, drain):
        """Whether the desk ends by that drain, which may refuse to order it."""
        for _ in range(2_400):
            try:
                self.desk.process.wait(0.05)
                return True
            except subprocess.TimeoutExpired:
                if drain.poll() not in (None, 0):
                    return False
        return False

    def judged(self):
        # Who comes while the program changes is refused, or answered by the next one.
        rig.judge(self.checks, self.calling, self.desk.calls(), may_be={"blocked"}, strict=False)
        talked = {kind for kind, it in enumerate(rig.KINDS) if it[4] == rig.ANSWERED}
        calls = [words for run in self.calling for _, kind, words in run.calls() if kind in talked and "answered" in words]
        cut = [words for words in calls if "over" not in words]
        self.checks.check("nobody who talked was cut off", not cut, f"{len(calls)} talked, {len(cut)} not to their end")


def backed_up(desk, checks):
    code, said, why = desk.command("backup", "--to", str(desk.folder / "backup"))
    checks.check("the older's backup", code == 0, (said or why).strip().splitlines()[0])


def restored(desk, checks, refused):
    """As docs/OPERATING.md says of a history that the older program refuses: the backup takes its place."""
    checks.check("the older refuses in words", REFUSED in refused + desk.log(), REFUSED)
    store = desk.folder / "store"
    store.rename(desk.folder / "store-of-the-newer")
    store.mkdir()
    argv = [desk.program, "restore", str(desk.folder / "backup"), "--into", str(store / "madoguchi.db")]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=desk.folder, timeout=600)
    checks.check("the older restores its backup", done.returncode == 0, (done.stdout + done.stderr).strip().splitlines()[0])
    desk.again()


def main():
    about = argparse.ArgumentParser(prog="scripts/versions", description=__doc__)
    about.add_argument("older", help="the older program")
    asked = about.parse_args()
    older, checks, folder, quiet, ports = str(Path(asked.older).resolve()), rig.Checks(), rig.Folder("versions"), rig.sink(), rig.Ports()
    desk = rig.Desk(folder, ports)
    newer, desk.program = desk.program, older
    desk.voice_port, echo = ports.port(), ports.echo()
    desk.start().healthy()
    phones = rig.agents(desk, quiet.getsockname()[1], echo)
    changes = Changes(desk, checks, quiet.getsockname()[1])
    changes.callers(3).ended(60)
    backed_up(desk, checks)
    before = desk.calls()
    came_up = changes.to(newer, "the newer") and changes.to(older, "the older again")
    if came_up:
        came_up = changes.to(newer, "the newer again")
        checks.check("all came up", came_up, "" if came_up else desk.log()[-500:])
        ends(checks, desk, changes.calling, phones)
        stops_whole(checks, desk)
        changes.judged()
    elif desk.program == older:
        restored(desk, checks, changes.refused)
        checks.check("the calls of before are there", desk.calls() == before, f"{len(before)} calls")
        checks.check("it takes calls", changes.callers(3).ended(60), "")
        ends(checks, desk, changes.calling, phones)
        stops_whole(checks, desk)
    else:
        checks.check("the newer comes up", False, desk.log()[-500:])
    checks.figure("from the end of one to the other's first answer, s", " ".join(f"{gap:.2f}" for gap in changes.gaps))
    print(checks.table())
    if checks.hold:
        folder.remove()
    print("all holds" if checks.hold else f"NOT ALL HOLDS; its files are in {folder.path}")
    return 0 if checks.hold else 1


if __name__ == "__main__":
    sys.exit(main())
