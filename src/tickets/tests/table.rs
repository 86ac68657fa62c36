//! Timeline → what is counted → in which figure, computed by hand from the contract's rules.
//!
//! October 2026 begins on a Thursday: 3 and 4, 10 and 11 are weekends, Monday 12 is スポーツの日. Tuesday
//! 3 November is 文化の日. 19 to 23 September are a weekend, 敬老の日, 国民の休日 and 秋分の日. The desk
//! closes at 15:00 on Monday 28 December and opens again on Monday 4 January.

use super::{plan, read, report};
use crate::tickets::{CountedAs, Why};

/// `#` is a comment with the sum. The others: the month | a ticket without its id | No. 1 | No. 2 | No. 3 |
/// No. 4, each either what is counted (minutes, or minutes:seconds) or why it is left out.
const TABLE: &str = "
# -- in service hours, on one day; an end outside them is taken as it is --
2026-10 | 2026-10-07 10:00,2026-10-07 10:20,,,,,, | resolved | 20 | not_escalated | not_to_system_builder
2026-10 | 2026-10-07 10:00,2026-10-07 10:00,,,,,, | resolved | 0 | not_escalated | not_to_system_builder
2026-10 | 2026-10-07 10:00:00.000,2026-10-07 10:00:00.001,,,,,, | resolved | 0:00.001 | not_escalated | not_to_system_builder
2026-10 | 2026-10-07 18:00,2026-10-07 20:00,,,,,, | resolved | 120 | not_escalated | not_to_system_builder
# -- a night between service days is not taken off: 18:00 to 9:00 is 15 h --
2026-10 | 2026-10-07 18:00,2026-10-08 09:00,,,,,, | resolved | 900 | not_escalated | not_to_system_builder
# -- the edges of service: 18:14:59.999 is inside (14 h 15 min and 1 ms to 8:30), 18:15 is not --
2026-10 | 2026-10-07 18:14:59.999,2026-10-08 08:30,,,,,, | resolved | 855:00.001 | not_escalated | not_to_system_builder
2026-10 | 2026-10-07 18:15:00.000,2026-10-08 08:40,,,,,, | resolved | 10 | not_escalated | not_to_system_builder
2026-10 | 2026-10-07 08:29:59.999,2026-10-07 08:40,,,,,, | resolved | 10 | not_escalated | not_to_system_builder
2026-10 | 2026-10-07 08:30:00.000,2026-10-07 08:40,,,,,, | resolved | 10 | not_escalated | not_to_system_builder
2026-10 | 2026-10-07 08:30:00.001,2026-10-07 08:40,,,,,, | resolved | 9:59.999 | not_escalated | not_to_system_builder
2026-10 | 2026-10-07 00:00,2026-10-07 08:45,,,,,, | resolved | 15 | not_escalated | not_to_system_builder
2026-10 | 2026-10-07 23:59:59.999,2026-10-08 09:00,,,,,, | resolved | 30 | not_escalated | not_to_system_builder
# -- completed before it counts as received: nothing, never less --
2026-10 | 2026-10-07 20:00,2026-10-07 21:00,,,,,, | resolved | 0 | not_escalated | not_to_system_builder
2026-10 | 2026-10-07 07:00,2026-10-07 08:30,,,,,, | resolved | 0 | not_escalated | not_to_system_builder
2026-10 | 2026-10-03 10:00,2026-10-03 11:00,,,,,, | resolved | 0 | not_escalated | not_to_system_builder
2026-10 | 2026-10-03 10:00,2026-10-05 08:45,,,,,, | resolved | 15 | not_escalated | not_to_system_builder
2026-10 | 2026-10-04 23:59:59.999,2026-10-05 08:30:00.001,,,,,, | resolved | 0:00.001 | not_escalated | not_to_system_builder
2026-10 | 2026-10-02 18:15,2026-10-05 09:00,,,,,, | resolved | 30 | not_escalated | not_to_system_builder
# -- a weekend: Friday 17:00 to Monday 9:00 is 64 h, less 48 h --
2026-10 | 2026-10-02 17:00,2026-10-05 09:00,,,,,, | resolved | 960 | not_escalated | not_to_system_builder
# to Saturday 10:00: 17 h, and no whole day
2026-10 | 2026-10-02 17:00,2026-10-03 10:00,,,,,, | resolved | 1020 | not_escalated | not_to_system_builder
# to the last millisecond of Saturday: 31 h less 1 ms, and no whole day yet
2026-10 | 2026-10-02 17:00,2026-10-03 23:59:59.999,,,,,, | resolved | 1859:59.999 | not_escalated | not_to_system_builder
# to the end of Saturday: 31 h less 24 h
2026-10 | 2026-10-02 17:00,2026-10-04 00:00,,,,,, | resolved | 420 | not_escalated | not_to_system_builder
# to Sunday 10:00: 41 h less 24 h
2026-10 | 2026-10-02 17:00,2026-10-04 10:00,,,,,, | resolved | 1020 | not_escalated | not_to_system_builder
# to the end of Sunday: 55 h less 48 h
2026-10 | 2026-10-02 17:00,2026-10-05 00:00,,,,,, | resolved | 420 | not_escalated | not_to_system_builder
# a long weekend, Friday 17:00 to Tuesday 9:00: 88 h less 72 h
2026-10 | 2026-10-09 17:00,2026-10-13 09:00,,,,,, | resolved | 960 | not_escalated | not_to_system_builder
# two of them: 10 d 16 h = 256 h, less 5 days = 120 h
2026-10 | 2026-10-02 17:00,2026-10-13 09:00,,,,,, | resolved | 8160 | not_escalated | not_to_system_builder
# -- holidays: Monday 17:00 to Wednesday 9:00 over 文化の日 is 40 h, less 24 h --
2026-11 | 2026-11-02 17:00,2026-11-04 09:00,,,,,, | resolved | 960 | not_escalated | not_to_system_builder
2026-11 | 2026-11-03 12:00,2026-11-04 08:50,,,,,, | resolved | 20 | not_escalated | not_to_system_builder
2026-11 | 2026-11-02 18:30,2026-11-04 08:31,,,,,, | resolved | 1 | not_escalated | not_to_system_builder
# Friday 17:00 over five days off to Thursday 9:00: 136 h less 120 h
2026-09 | 2026-09-18 17:00,2026-09-24 09:00,,,,,, | resolved | 960 | not_escalated | not_to_system_builder
# -- the turn of the year: 28 December 15:00 to 4 January 9:00 is 162 h, less six days; 1 ms earlier is inside --
2026-12 | 2026-12-28 14:59:59.999,2027-01-04 09:00,,,,,, | resolved | 1080:00.001 | not_escalated | not_to_system_builder
2026-12 | 2026-12-28 15:00,2027-01-04 08:40,,,,,, | resolved | 10 | not_escalated | not_to_system_builder
2026-12 | 2026-12-30 10:00,2026-12-30 12:00,,,,,, | resolved | 0 | not_escalated | not_to_system_builder
# Friday 25 December 17:00 to Tuesday 5 January 9:00: 256 h, less a weekend and six days = 192 h
2026-12 | 2026-12-25 17:00,2027-01-05 09:00,,,,,, | resolved | 3840 | not_escalated | not_to_system_builder
# -- open tickets --
2026-10 | 2026-10-07 10:00,,,,,,, | not_completed | not_completed | not_escalated | not_to_system_builder
2026-10 | 2026-10-07 10:00,,system_builder,2026-10-07 10:05,,,, | escalated | not_completed | 5 | not_reported
# -- escalated: 60 min less 10:08 to 10:50 --
2026-10 | 2026-10-07 10:00,2026-10-07 11:00,system_builder,2026-10-07 10:08,2026-10-07 10:50,2026-10-07 10:25,, | escalated | 18 | 8 | 25
2026-10 | 2026-10-07 10:00,2026-10-07 11:00,other,2026-10-07 10:08,2026-10-07 10:50,2026-10-07 10:25,, | escalated | 18 | 8 | not_to_system_builder
# twice: 90 min less 30 and 20; the first counts for No. 3, whichever is written first
2026-10 | 2026-10-07 10:00,2026-10-07 11:30,system_builder;other,2026-10-07 10:05;2026-10-07 11:00,2026-10-07 10:35;2026-10-07 11:20,2026-10-07 10:20,, | escalated | 40 | 5 | 20
2026-10 | 2026-10-07 10:00,2026-10-07 11:30,other;system_builder,2026-10-07 11:00;2026-10-07 10:05,2026-10-07 11:20;2026-10-07 10:35,,, | escalated | 40 | 5 | not_reported
# twice at a time: 70 min less 10:10 to 11:00, once
2026-10 | 2026-10-07 10:00,2026-10-07 11:10,other;system_builder,2026-10-07 10:10;2026-10-07 10:30,2026-10-07 10:40;2026-10-07 11:00,2026-10-07 10:30,, | escalated | 20 | 10 | 30
# never answered, and one of two never answered (60 min less 10:10 to 10:20)
2026-10 | 2026-10-07 10:00,2026-10-07 11:00,system_builder,2026-10-07 10:05,,2026-10-07 10:30:00.001,, | escalated | 60 | 5 | 30:00.001
2026-10 | 2026-10-07 10:00,2026-10-07 11:00,system_builder;other,2026-10-07 10:05;2026-10-07 10:10,;2026-10-07 10:20,,, | escalated | 50 | 5 | not_reported
# answered after it was completed at 10:40: 40 min less 10:10 to 10:40
2026-10 | 2026-10-07 10:00,2026-10-07 10:40,other,2026-10-07 10:10,2026-10-07 10:50,,, | escalated | 10 | 10 | not_to_system_builder
# all the time
2026-10 | 2026-10-07 10:00,2026-10-07 11:00,other,2026-10-07 10:00,2026-10-07 11:00,,, | escalated | 0 | 0 | not_to_system_builder
# through a night: 18:10 to 9:10 is 900 min, less 18:20 to 9:00
2026-10 | 2026-10-07 18:10,2026-10-08 09:10,other,2026-10-07 18:20,2026-10-08 09:00,,, | escalated | 20 | 10 | not_to_system_builder
# over a weekend: 64.5 h less 48 h, less (17:05 to Monday 9:05, 64 h less 48 h): 990 less 960
2026-10 | 2026-10-02 17:00,2026-10-05 09:30,other,2026-10-02 17:05,2026-10-05 09:05,,, | escalated | 30 | 5 | not_to_system_builder
# over a holiday: 40 h 20 min less 24 h, less (39 h 50 min less 24 h): 980 less 950
2026-11 | 2026-11-02 17:00,2026-11-04 09:20,other,2026-11-02 17:10,2026-11-04 09:00,,, | escalated | 30 | 10 | not_to_system_builder
# from Saturday noon to Monday 9:00. Counted are Friday 17:00 to 24:00 and Monday 0:00 to 10:00, less Monday 0:00
# to 9:00: the Saturday is off already. To the escalation it is 19 h, as Saturday is not whole there
2026-10 | 2026-10-02 17:00,2026-10-05 10:00,other,2026-10-03 12:00,2026-10-05 09:00,,, | escalated | 480 | 1140 | not_to_system_builder
# received and escalated on Saturday: from Monday 8:30, 30 min less 8:30 to 8:45
2026-10 | 2026-10-03 10:00,2026-10-05 09:00,other,2026-10-03 11:00,2026-10-05 08:45,,, | escalated | 15 | 0 | not_to_system_builder
# -- reports: before it counts as received; from Friday 18:00 to Monday 8:45, 62 h 45 min less 48 h --
2026-10 | 2026-10-03 10:00,2026-10-05 09:00,system_builder,2026-10-03 10:05,,2026-10-03 10:10,, | escalated | 30 | 0 | 0
2026-10 | 2026-10-02 18:00,2026-10-05 09:00,system_builder,2026-10-02 18:05,,2026-10-05 08:45,, | escalated | 900 | 5 | 885
# -- left out --
2026-10 | 2026-10-07 10:00,2026-10-07 10:20,,,,,yes, | technical | 20 | not_escalated | not_to_system_builder
2026-10 | 2026-10-07 10:00,,other,2026-10-07 10:05,,,yes, | technical | not_completed | 5 | not_to_system_builder
2026-10 | 2026-10-07 10:00,2026-10-07 10:20,,,,,no,virus_investigation | resolved | virus_investigation | not_escalated | not_to_system_builder
2026-10 | 2026-10-07 10:00,2026-10-07 10:20,,,,,,vendor_investigation | resolved | vendor_investigation | not_escalated | not_to_system_builder
2026-10 | 2026-10-07 10:00,2026-10-07 10:20,,,,,,vendor_investigation;virus_investigation | resolved | virus_investigation | not_escalated | not_to_system_builder
2026-10 | 2026-10-07 10:00,,,,,,,virus_investigation | not_completed | not_completed | not_escalated | not_to_system_builder
2026-10 | 2026-10-07 10:00,2026-10-07 10:20,system_builder,2026-10-07 10:05,2026-10-07 10:15,2026-10-07 10:10,,caller_asked_for_time | escalated | 10 | 5 | caller_asked_for_time
2026-10 | 2026-10-07 10:00,2026-10-07 10:20,,,,,,caller_asked_for_time | resolved | 20 | not_escalated | not_to_system_builder
# -- the month is that of the stamp, in Japan: 31 October is a Saturday, and counts from Monday 2 November --
2026-10 | 2026-10-31 23:59:59.999,2026-11-02 09:00,,,,,, | resolved | 30 | not_escalated | not_to_system_builder
2026-11 | 2026-11-01 00:00,2026-11-02 09:00,,,,,, | resolved | 30 | not_escalated | not_to_system_builder
2026-10 | 2026-10-30 18:15,2026-11-02 08:35,,,,,, | resolved | 5 | not_escalated | not_to_system_builder
2026-09 | 2026-09-30 23:59:59.999,2026-10-01 08:35,,,,,, | resolved | 5 | not_escalated | not_to_system_builder
2026-10 | 2026-09-30T15:00:00Z,2026-10-01 08:35,,,,,, | resolved | 5 | not_escalated | not_to_system_builder
2026-09 | 2026-09-30T14:59:59.999Z,2026-10-01 08:35,,,,,, | resolved | 5 | not_escalated | not_to_system_builder
";

/// Months around those of the table.
const MONTHS: [&str; 6] = ["2026-08", "2026-09", "2026-10", "2026-11", "2026-12", "2027-01"];

#[test]
fn each_timeline_is_counted_as_by_hand() {
    let plan = plan();
    let mut lines = 0;
    for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        lines += 1;
        let (month, rest) = line.split_once(" | ").expect("a month");
        let (ticket, due) = rest.split_once(" | ").expect("a ticket");
        let tickets = read(&plan, &format!("T-1,{ticket}"));
        for other in MONTHS.iter().filter(|other| **other != month) {
            assert_eq!(report(&plan, &tickets, other).tickets, 0, "{line}\nin {other}");
        }
        let found = report(&plan, &tickets, month).figures.map(|figure| {
            match (figure.counted.as_slice(), figure.left_out.as_slice()) {
                ([one], []) => match one.counted_as {
                    CountedAs::Took { ms } => minutes(ms),
                    as_what => word(as_what),
                },
                ([], [one]) => word::<Why>(one.why),
                other => panic!("once in each figure: {other:?}"),
            }
        });
        assert_eq!(found.join(" | "), due, "{line}");
    }
    assert!(lines >= 60, "{lines}");
}

fn word<T: serde::Serialize>(what: T) -> String {
    match serde_json::to_value(what) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Object(tagged)) => tagged["as"].as_str().unwrap_or("").to_owned(),
        other => panic!("{other:?}"),
    }
}

fn minutes(ms: u64) -> String {
    let (minutes, rest) = (ms / 60_000, ms % 60_000);
    if rest == 0 {
        return minutes.to_string();
    }
    format!("{minutes}:{:02}.{:03}", rest / 1000, rest % 1000)
}

/// Nine of ten resolved, and times whose means are the limits: all four are met. A hair more, and none is.
#[test]
fn the_limits_themselves_are_within() {
    use crate::tickets::{Value, Verdict};
    let plan = plan();
    let plain = |from: usize| {
        let lines = (from..10).map(|n| format!("T-{n},2026-10-07 10:00,2026-10-07 10:30,,,,,,\n"));
        lines.collect::<Vec<_>>().concat()
    };
    // Escalated at 10:10, reported at 10:30, completed at 10:30 and never answered.
    let escalated = "E-1,2026-10-07 10:00,2026-10-07 10:30,system_builder,2026-10-07 10:10,,2026-10-07 10:30,,\n";
    let within = report(&plan, &read(&plan, &(plain(1) + escalated)), "2026-10");
    let later = escalated.replace(":10,", ":10:00.001,").replace(":30,", ":30:00.001,");
    let missed = report(&plan, &read(&plan, &(plain(2) + &later)), "2026-10");
    let shown = |report: &crate::tickets::MonthReport| {
        report.figures.clone().map(|figure| match figure.value {
            Value::Share { ratio, .. } => ratio.percent(),
            Value::Mean { mean, .. } => mean.minutes(),
        })
    };
    let text = |values: [&str; 4]| values.map(|value| Some(value.to_owned()));
    assert_eq!(within.figures.clone().map(|figure| figure.verdict), [Verdict::Within; 4]);
    assert_eq!(shown(&within), text(["90.00", "30.00", "10.00", "30.00"]));
    assert_eq!(missed.figures.clone().map(|figure| figure.verdict), [Verdict::Missed; 4]);
    assert_eq!(shown(&missed), text(["88.89", "30.00", "10.00", "30.00"]));
    let none = report(&plan, &[], "2026-10");
    assert_eq!(none.figures.clone().map(|figure| figure.verdict), [Verdict::NoValue; 4]);
    assert_eq!(shown(&none), [None, None, None, None]);
}

/// Whose service days count, and a desk that never closes.
#[test]
fn the_hours_are_those_of_the_numbers_that_count() {
    use crate::tickets::{Calendar, WhichHours};
    let text = include_str!("../../../dialplans/service-desk.toml");
    let load = |text: &str| crate::dialplan::load(text, "plan.toml", None).expect("a plan").0;
    let asked = load(text);
    assert_eq!(Calendar::of(&asked, None).map(|calendar| calendar.hours()), Ok(Some("desk")));
    let unknown = Calendar::of(&asked, Some("night")).map(|_| ());
    assert_eq!(unknown, Err(WhichHours::Unknown(vec!["desk".to_owned()])));
    let two = load(&text.replace("counted = false", "counted = true"));
    let several = Calendar::of(&two, None).map(|_| ());
    assert_eq!(several, Err(WhichHours::Several(vec!["desk".to_owned()])), "and one without hours");
    assert_eq!(Calendar::of(&two, Some("desk")).map(|calendar| calendar.hours()), Ok(Some("desk")));
    let mut always = asked.clone();
    for number in always.desk_numbers.values_mut() {
        number.hours = None;
    }
    let calendar = Calendar::of(&always, None).expect("always open");
    let [friday, monday] = ["2026-10-02 20:00", "2026-10-05 09:00"]
        .map(|text| crate::dialplan::moment(text, always.timezone).expect("a moment"));
    assert_eq!(calendar.counted_from(friday), friday);
    assert_eq!(calendar.between(friday, monday), 61 * 3_600_000);
    for number in always.desk_numbers.values_mut() {
        number.counted = false;
    }
    assert_eq!(Calendar::of(&always, None).map(|_| ()), Err(WhichHours::NoNumber));
}

/// A break at noon ends the wait where the desk opens again on the same day.
#[test]
fn a_receipt_in_a_break_counts_from_its_end() {
    let text = include_str!("../../../dialplans/service-desk.toml")
        .replace("mon-fri = \"08:30-18:15\"", "mon-fri = [\"08:30-12:00\", \"13:00-18:15\"]");
    let plan = crate::dialplan::load(&text, "plan.toml", None).expect("a plan").0;
    let tickets = read(&plan, "T-1,2026-10-07 12:30,2026-10-07 13:10,,,,,,");
    let [_, handling, ..] = report(&plan, &tickets, "2026-10").figures;
    assert_eq!(handling.counted[0].counted_as, CountedAs::Took { ms: 600_000 });
}
