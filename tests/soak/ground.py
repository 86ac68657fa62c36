"""What every part of a run stands on: its folder, its ports, and the list of what was to hold."""
import ctypes
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from datetime import timedelta, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SCENARIOS = ROOT / "tests/scenarios"
PROGRAM = os.environ.get("MADOGUCHI") or str(ROOT / "target/release/madoguchi")
# Above the range from which Linux gives ports to clients, four lots: runs side by side take one each.
FIRST, LOT, LOTS = 61_000, 1_130, 4
# Of a lot, those that are named one by one; the others are the desk's for sound.
SINGLE = 230
JAPAN = timezone(timedelta(hours=9))


def password(user):
    return f"secret-of-{user}-0123456789"


def dies_with_us():
    """What is started here does not outlive us, also when we are killed (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def until(within_s, what):
    """Asks until it is true, or `within_s` seconds have passed; what it was at the end."""
    end = time.monotonic() + within_s
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


class Checks:
    """What was to hold, and whether it did; one table at the end."""

    def __init__(self):
        self.rows, self.figures = [], {}

    def check(self, name, holds, said):
        self.rows.append((name, bool(holds), str(said)))
        return holds

    def figure(self, name, value):
        self.figures[name] = value

    @property
    def hold(self):
        return bool(self.rows) and all(holds for _, holds, _ in self.rows)

    def table(self):
        wide = max([len(name) for name, _, _ in self.rows] + [len(name) for name in self.figures])
        lines = [f"  {name:<{wide}}  {value}" for name, value in self.figures.items()]
        lines += [f"  {name:<{wide}}  {'holds' if holds else 'DOES NOT HOLD'}: {said}" for name, holds, said in self.rows]
        return "\n".join(lines)

    def write(self, path, about):
        rows = [{"what": name, "holds": holds, "said": said} for name, holds, said in self.rows]
        whole = {**about, "holds": self.hold, "figures": self.figures, "checks": rows}
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(json.dumps(whole, ensure_ascii=False, indent=2) + "\n")


class Folder:
    """Where a run keeps its things."""

    def __init__(self, name):
        self.path = Path(tempfile.mkdtemp(prefix=f"madoguchi-{name}-"))

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Ports:
    """A lot of ports, ours while its lock is bound."""

    def __init__(self, address="127.0.0.1"):
        for lot in range(LOTS):
            self.first = FIRST + lot * LOT
            self.lock = socket.socket()
            try:
                self.lock.bind((address, self.first))
                break
            except OSError:
                self.lock.close()
        else:
            sys.exit("all four lots of ports are taken: other soaks run")
        self.next = self.first + 2

    def port(self):
        """An even one, with the odd one behind it."""
        self.next += 2
        assert self.next < self.first + SINGLE, "more single ports than the lot has"
        return self.next - 2

    def echo(self):
        """For a SIPp that echoes sound: it takes the port for pictures, two further, as well, and ends at once where that is taken."""
        first = self.port()
        self.port()
        return first

    def media(self):
        return f"{self.first + SINGLE}-{self.first + LOT - 1}"
