//! The clock, and the table of zones.

use crate::doctor::facts::{Clock, Compared, Zone};
use crate::doctor::words::{Line, Mark, both};

/// Seconds that the history may be ahead of the clock: its time and the file's are taken at different instants.
const AHEAD_S: i64 = 2;
/// Years after which the built-in table of zones is old where there is no other to compare it with.
const OLD_TABLE: i32 = 2;
pub(super) fn synchronised(clock: &Clock) -> Line {
    const TOPIC: &str = "clock";
    let due = || both("NTP で合わせられている", "it is set by NTP");
    let mend =
        || both("timedatectl set-ntp true（または chrony）", "timedatectl set-ntp true, or chrony");
    match clock.synchronised {
        Some(true) => Line::ok(TOPIC, both("時計は NTP で合っている", "the clock is set by NTP")),
        Some(false) => Line::not(
            Mark::Wrong,
            TOPIC,
            both("時計は合わせられていない", "the clock is not set by NTP"),
            due(),
            mend(),
        ),
        None => Line::not(
            Mark::Look,
            TOPIC,
            both(
                "時計が合わせられているか分からない",
                "whether the clock is set by NTP cannot be told",
            ),
            due(),
            mend(),
        ),
    }
}

pub(super) fn jump(clock: &Clock) -> Option<Line> {
    let ahead = clock.written_s?.saturating_sub(clock.now_s);
    if ahead <= AHEAD_S {
        return Some(Line::ok(
            "clock",
            both("履歴は今より前に書かれている", "the history was written before now"),
        ));
    }
    Some(Line::not(
        Mark::Wrong,
        "clock",
        both(
            format!("履歴は今より {ahead} 秒先に書かれている: 時計が戻された"),
            format!("the history was written {ahead} s after now: the clock was set back"),
        ),
        both("時計は進むだけ", "a clock that only goes on"),
        both(
            "時計を合わせる（timedatectl）。呼の時刻はその時の時計のまま残る",
            "set the clock right (timedatectl); calls keep the times of the clock of then",
        ),
    ))
}

pub(super) fn zone(it: &Zone) -> Line {
    const TOPIC: &str = "zone";
    let Zone { plan, table, year, compared, .. } = it;
    let machine = it.machine.as_deref().unwrap_or("?");
    let found = both(
        format!("計画は {plan}、機器は {machine}、内蔵の時差表は {table}"),
        format!(
            "the plan is in {plan}, the machine in {machine}, the built-in table of zones is {table}"
        ),
    );
    match compared {
        Compared::Same => Line::ok(
            TOPIC,
            both(
                format!("{}（向こう 1 年、機器の表と同じ）", found.ja),
                format!("{}, which says what the machine's does of the year to come", found.en),
            ),
        ),
        Compared::Differs { day, ours, machine } => Line::not(
            Mark::Look,
            TOPIC,
            both(
                format!("{}。{day} は内蔵の表で {ours}、機器の表で {machine}", found.ja),
                format!("{}: on {day} {ours} by it and {machine} by the machine's", found.en),
            ),
            both("二つの表が同じ", "two tables that say the same"),
            both(
                "古いほうを新しくする: apt upgrade tzdata、または新しい版の madoguchi",
                "renew the older one: apt upgrade tzdata, or a newer madoguchi",
            ),
        ),
        Compared::Unknown => {
            let edition: Option<i32> = table.get(..4).and_then(|year| year.parse().ok());
            match edition {
                Some(edition) if year.saturating_sub(edition) < OLD_TABLE => Line::ok(TOPIC, found),
                Some(_) | None => Line::not(
                    Mark::Look,
                    TOPIC,
                    found,
                    both(
                        format!("{OLD_TABLE} 年より新しい時差表、または機器の表（tzdata）"),
                        format!(
                            "a table of less than {OLD_TABLE} years, or the machine's (tzdata)"
                        ),
                    ),
                    both("新しい版の madoguchi を入れる", "install a newer madoguchi"),
                ),
            }
        }
    }
}
