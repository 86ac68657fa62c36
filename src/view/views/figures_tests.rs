//! Figures that people move by declarations: exclusions, closed months, the calls behind a figure.

use super::Views;
use super::tests::{Pen, TOKYO_MIDNIGHT_OCT_1, asked, hung_up, id, setup};
use crate::base::Wall;
use crate::event::{CallEvent, DeskEvent, EndCause, Fact, FiguresEvent, Means, Party};
use crate::view::{
    Figure, LeftOut, Month, NotYet, Outcome, Policy, Ratio, Rule, Standing, Verdict,
};
use proptest::prelude::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const OCTOBER: &str = "2026-10";
/// After the end of October in Tokyo.
const NOVEMBER_2: Wall = Wall(TOKYO_MIDNIGHT_OCT_1 + 32 * 24 * HOUR);

fn month(text: &str) -> Month {
    text.parse().expect("a month")
}

fn entered(exclusion: u32, from: i64, until: i64) -> Fact {
    let event = FiguresEvent::ExclusionEntered {
        exclusion,
        from: Wall(from),
        until: Wall(until),
        reason: "通信障害".to_owned(),
        author: "佐藤".to_owned(),
        by: Means::Api,
    };
    Fact::Figures { event }
}

fn approved(exclusion: u32) -> Fact {
    let event =
        FiguresEvent::ExclusionApproved { exclusion, author: "鈴木".to_owned(), by: Means::Api };
    Fact::Figures { event }
}

fn withdrawn(exclusion: u32) -> Fact {
    let (reason, author) = ("誤り".to_owned(), "鈴木".to_owned());
    let event = FiguresEvent::ExclusionWithdrawn { exclusion, reason, author, by: Means::Api };
    Fact::Figures { event }
}

/// The month is closed with what is counted at this point.
fn close(pen: &mut Pen, text: &str) {
    let views = pen.read();
    let figures = views.closing(month(text), NOVEMBER_2).expect("it can be closed");
    let revision = u32::try_from(views.closed_month(month(text)).len()).expect("few") + 1;
    let event = FiguresEvent::MonthClosed {
        month: text.to_owned(),
        revision,
        reason: String::new(),
        author: "佐藤".to_owned(),
        figures: Box::new(figures),
        by: Means::Api,
    };
    pen.fact(Fact::Figures { event });
}

/// A caller who waited for a minute and hung up, or was answered after five seconds.
fn call(pen: &mut Pen, n: u64, at: i64, answered: bool) {
    pen.at = at;
    pen.arrive(n, true);
    pen.call(n, 10, asked());
    if answered {
        pen.call(n, 5_010, CallEvent::OperatorAnswered { agent: "2001".into() });
    }
    pen.at = at + MINUTE;
    pen.call(n, 60_000, hung_up());
}

fn abandon(views: &Views) -> Ratio {
    views.service_level(month(OCTOBER)).figures.abandon_rate.ratio
}

/// Three calls on October 1st at 9, 10 and 11; that at 10 was abandoned.
fn three() -> Pen {
    let mut pen = Pen::default();
    for (n, hour) in [(1, 9), (2, 10), (3, 11)] {
        call(&mut pen, n, TOKYO_MIDNIGHT_OCT_1 + hour * HOUR, n != 2);
    }
    pen
}

#[test]
fn an_exclusion_holds_from_its_approval_until_it_is_withdrawn() {
    let mut pen = three();
    let ten = TOKYO_MIDNIGHT_OCT_1 + 10 * HOUR;
    let whole = Ratio { part: 1, whole: 3 };
    assert_eq!(abandon(&pen.read()), whole);
    pen.fact(entered(1, ten, ten + 1));
    assert_eq!(abandon(&pen.read()), whole, "entered alone changes nothing");
    pen.fact(approved(1));
    let views = pen.read();
    assert_eq!(abandon(&views), Ratio { part: 0, whole: 2 });
    let level = views.service_level(month(OCTOBER));
    assert_eq!((level.excluded.arrived, level.excluded.outcomes.get(Outcome::Abandoned)), (1, 1));
    assert_eq!(level.days[0].excluded, level.excluded);
    assert_eq!(level.exclusions.len(), 1);
    // A call that arrives in a period that still lasts is in it from the beginning.
    pen.fact(entered(2, ten + HOUR + 1, ten + 3 * HOUR));
    pen.fact(approved(2));
    call(&mut pen, 4, ten + 2 * HOUR, false);
    let level = pen.read().service_level(month(OCTOBER));
    assert_eq!((level.figures.arrived, level.excluded.arrived), (2, 2));
    pen.fact(withdrawn(1));
    pen.fact(withdrawn(2));
    assert_eq!(abandon(&pen.read()), Ratio { part: 2, whole: 4 });
}

#[test]
fn the_end_of_a_period_is_not_in_it() {
    let ten = TOKYO_MIDNIGHT_OCT_1 + 10 * HOUR;
    for (case, from, until, out) in [
        ("the first millisecond is", ten, ten + 5, true),
        ("the end is not", ten - 5, ten, false),
        ("the last millisecond is", ten - 5, ten + 1, true),
        ("after it", ten + 1, ten + HOUR, false),
        ("nothing at all, in either order", ten + 1, ten - 1, false),
    ] {
        let mut pen = three();
        pen.fact(entered(1, from, until));
        pen.fact(approved(1));
        let level = pen.read().service_level(month(OCTOBER));
        assert_eq!(level.excluded.arrived, u64::from(out), "{case}");
    }
}

#[test]
fn a_closed_month_keeps_its_figures_and_a_recalculation_stands_beside_them() {
    let mut pen = three();
    close(&mut pen, OCTOBER);
    let ten = TOKYO_MIDNIGHT_OCT_1 + 10 * HOUR;
    assert!(!pen.read().service_level(month(OCTOBER)).differs_from_closed);
    pen.fact(entered(1, ten, ten + 1));
    pen.fact(approved(1));
    let level = pen.read().service_level(month(OCTOBER));
    assert!(level.differs_from_closed);
    assert_eq!(level.figures.abandon_rate.ratio, Ratio { part: 0, whole: 2 });
    assert_eq!(level.closed[0].figures.abandon, (1, 3));
    close(&mut pen, OCTOBER);
    let level = pen.read().service_level(month(OCTOBER));
    assert!(!level.differs_from_closed);
    let closed: Vec<_> = level.closed.iter().map(|it| (it.revision, it.figures.abandon)).collect();
    assert_eq!(closed, [(1, (1, 3)), (2, (0, 2))]);
    assert_eq!(level.closed[1].figures.exclusions, [1]);
    // Other settings are seen beside what was closed, too.
    let policy = Policy { short_call_ms: 90_000, ..Policy::default() };
    let mut views = Views::new(super::Setup { policy, ..setup() });
    pen.entries.iter().for_each(|entry| views.apply(entry));
    assert!(views.service_level(month(OCTOBER)).differs_from_closed);
}

#[test]
fn a_month_is_closed_when_nothing_in_it_can_change_by_itself() {
    let mut pen = three();
    let october = month(OCTOBER);
    let last_instant = Wall(TOKYO_MIDNIGHT_OCT_1 + 31 * 24 * HOUR - 1);
    assert_eq!(pen.read().closing(october, last_instant), Err(NotYet::NotOver));
    assert!(pen.read().closing(october, Wall(last_instant.0 + 1)).is_ok());
    pen.at = last_instant.0;
    pen.arrive(4, true);
    pen.call(4, 10, asked());
    assert_eq!(pen.read().closing(october, NOVEMBER_2), Err(NotYet::Undecided(1)));
    pen.call(4, 9_000, hung_up());
    assert!(pen.read().closing(october, NOVEMBER_2).is_ok());
    let mut views = Views::new(setup());
    pen.entries.iter().filter(|entry| entry.seq != 3).for_each(|entry| views.apply(entry));
    assert_eq!(views.closing(october, NOVEMBER_2), Err(NotYet::Holes(1)));
}

#[test]
fn the_adjustment_period_is_three_whole_months_and_is_not_judged() {
    let policy = Policy {
        service_begins: chrono::NaiveDate::from_ymd_opt(2026, 8, 17),
        ..Policy::default()
    };
    for (text, adjusts) in
        [("2026-07", false), ("2026-08", true), ("2026-10", true), ("2026-11", false)]
    {
        assert_eq!(policy.adjusts(month(text)), adjusts, "{text}");
    }
    let pen = three();
    let mut views = Views::new(super::Setup { policy, ..setup() });
    pen.entries.iter().for_each(|entry| views.apply(entry));
    let rate = views.service_level(month(OCTOBER)).figures.abandon_rate;
    assert_eq!((rate.ratio, rate.verdict), (Ratio { part: 1, whole: 3 }, Verdict::Adjustment));
    let none = views.service_level(month("2026-09")).figures.abandon_rate;
    assert_eq!(none.verdict, Verdict::NoCalls);
}

#[test]
fn each_figure_names_the_calls_behind_it_and_those_left_out_with_the_reason() {
    let mut pen = three();
    let noon = TOKYO_MIDNIGHT_OCT_1 + 12 * HOUR;
    pen.at = noon;
    pen.arrive(4, false);
    pen.call(4, 10, asked());
    pen.call(4, 9_000, hung_up());
    pen.arrive(5, true);
    pen.call(5, 700, CallEvent::MenuEntered { menu: "main".into() });
    pen.call(5, 4_000, hung_up());
    pen.arrive(6, true);
    pen.call(6, 10, asked());
    pen.call(6, 2_000, hung_up());
    pen.arrive(7, true);
    pen.call(7, 0, CallEvent::Ended { by: Party::System, cause: EndCause::LinesFull });
    pen.arrive(8, true);
    pen.fact(entered(1, noon - 3 * HOUR, noon - 3 * HOUR + 1));
    pen.fact(approved(1));
    let views = pen.read();
    let day = views.day_of(Wall(noon));
    let out = |why, setting, exclusion| Standing::Out { why, setting, exclusion };
    let uncounted = out(LeftOut::Uncounted, None, None);
    let excluded = out(LeftOut::ExcludedPeriod, None, Some(1));
    let undecided = out(LeftOut::Undecided, None, None);
    let menu = out(LeftOut::BySetting, Some("menu_left_counts_as"), None);
    let short = out(LeftOut::BySetting, Some("short_call_excluded_from"), None);
    let not_offered = out(LeftOut::NotOffered, None, None);
    let (hit, total) = (Standing::Numerator, Standing::Total);
    // (call, abandon, busy, in time)
    let due = [
        (1, excluded, excluded, excluded),
        (2, hit, total, total),
        (3, total, total, hit),
        (4, uncounted, uncounted, uncounted),
        (5, menu, menu, not_offered),
        (6, short, total, total),
        (7, total, hit, not_offered),
        (8, undecided, undecided, undecided),
    ];
    for (figure, column) in [(Figure::Abandon, 0), (Figure::Busy, 1), (Figure::InTime, 2)] {
        let found: Vec<_> = views
            .behind((day, day), figure, |_, _| true)
            .map(|behind| (behind.call, behind.standing))
            .collect();
        let due: Vec<_> = due.iter().map(|it| (id(it.0), [it.1, it.2, it.3][column])).collect();
        assert_eq!(found, due, "{figure:?}");
    }
    // The fraction is what the list adds up to.
    let level = views.service_level(month(OCTOBER)).figures;
    for (figure, ratio) in [
        (Figure::Abandon, level.abandon_rate.ratio),
        (Figure::Busy, level.busy_rate.ratio),
        (Figure::InTime, level.answered_in_time),
    ] {
        let count = |wanted: &[Standing]| {
            let behind = views.behind((day, day), figure, |it, _| wanted.contains(it));
            behind.count() as u64
        };
        assert_eq!(Ratio { part: count(&[hit]), whole: count(&[hit, total]) }, ratio, "{figure:?}");
    }
    let place = views.place(id(2), Wall(noon - 2 * HOUR)).expect("it has a line");
    assert_eq!((place.figures[&Figure::Abandon], place.closed), (hit, false));
    assert_eq!(views.place(id(2), Wall(noon + 24 * HOUR)), None);
    let rules: Vec<_> = views.behind((day, day), Figure::Busy, |_, _| true).collect();
    assert_eq!(rules[6].rule, Some(Rule::NoRoom));
    assert_eq!(rules[2].agent.as_deref(), Some("2001"));
}

/// When the calls of the drawn histories come: within half a day.
fn arrival(n: u64) -> i64 {
    TOKYO_MIDNIGHT_OCT_1 + i64::try_from(n % 40).expect("small") * 12 * HOUR / 30
}

proptest! {
    /// Whatever is declared after it: what was closed stays, live is replayed, and counts are those of a
    /// history in which the declarations came first.
    #[test]
    fn declarations_never_touch_a_closed_month(
        spans in prop::collection::vec((0i64..40, 0i64..40, any::<bool>(), any::<bool>()), 0..6),
        answered in prop::collection::vec(any::<bool>(), 1..30),
    ) {
        let mut pen = Pen::default();
        for (n, answered) in (0..).zip(&answered) {
            call(&mut pen, n + 1, arrival(n), *answered);
        }
        close(&mut pen, OCTOBER);
        let closed = pen.read().service_level(month(OCTOBER)).closed;
        let mut first = Pen::default();
        let mut live = pen.read();
        for (number, (from, until, approve, withdraw)) in (1..).zip(&spans) {
            let at = |hour: i64| TOKYO_MIDNIGHT_OCT_1 + hour * 24 * MINUTE;
            let mut facts = vec![entered(number, at(*from), at(*until))];
            facts.extend(approve.then(|| approved(number)));
            facts.extend(withdraw.then(|| withdrawn(number)));
            for fact in facts {
                pen.fact(fact.clone());
                live.apply(pen.entries.last().expect("written"));
                first.fact(fact);
            }
        }
        let level = live.service_level(month(OCTOBER));
        prop_assert_eq!(&level.closed, &closed);
        prop_assert_eq!(&pen.read(), &live);
        // Σ outcomes = calls, those of excluded periods among them.
        let sum = level.figures.outcomes.sum() + level.excluded.outcomes.sum();
        prop_assert_eq!(sum, answered.len() as u64);
        for (n, answered) in (0..).zip(&answered) {
            call(&mut first, n + 1, arrival(n), *answered);
        }
        let declared_first = first.read().service_level(month(OCTOBER));
        prop_assert_eq!(declared_first.figures, level.figures);
        prop_assert_eq!(declared_first.excluded, level.excluded);
    }
}

#[test]
fn a_month_cut_in_any_way_adds_up_to_the_same_calls() {
    let mut pen = three(); // at 9, 10 and 11; that at 10 was abandoned
    let half_past_eight = TOKYO_MIDNIGHT_OCT_1 + 8 * HOUR + 30 * MINUTE;
    call(&mut pen, 4, half_past_eight, true);
    call(&mut pen, 5, half_past_eight - 1, true);
    call(&mut pen, 6, TOKYO_MIDNIGHT_OCT_1 + 13 * HOUR, true);
    pen.at = TOKYO_MIDNIGHT_OCT_1 + 14 * HOUR;
    pen.arrive(7, false); // to a number that is not counted
    pen.arrive(8, true); // not decided
    pen.fact(entered(1, TOKYO_MIDNIGHT_OCT_1 + 12 * HOUR, TOKYO_MIDNIGHT_OCT_1 + 14 * HOUR));
    pen.fact(approved(1));
    let views = pen.read();
    let cut = views.sliced(month(OCTOBER));
    let half_hours: Vec<(u32, u64)> =
        cut.half_hours.iter().map(|(slot, tally)| (*slot, tally.arrived)).collect();
    assert_eq!(half_hours, [(16, 1), (17, 1), (18, 1), (20, 1), (22, 1), (28, 1)]);
    let groups: Vec<(Option<&str>, u64)> =
        cut.groups.iter().map(|(group, tally)| (group.as_deref(), tally.arrived)).collect();
    assert_eq!(groups, [(None, 1), (Some("desk"), 5)]);
    let agent = cut.agents[&Some("2001".to_owned())];
    assert_eq!((agent.answered, agent.talk_ms), (4, 4 * 54_990), "{:?}", cut.agents);
    assert_eq!(cut.excluded[&1].arrived, 1);
    // Five seconds four times, and one who left after nearly a minute.
    assert_eq!((cut.waits[0].answered, cut.waits[3].not_answered), (4, 1));
    let month = views.month_tally(month(OCTOBER));
    let mut cuts = [crate::view::Tally::default(); 3];
    cut.half_hours.values().for_each(|tally| cuts[0].merge(tally));
    cut.numbers.values().for_each(|tally| cuts[1].merge(tally));
    cut.groups.values().for_each(|tally| cuts[2].merge(tally));
    assert_eq!(cuts, [month; 3]);
}

#[test]
fn a_number_outside_the_figures_is_so_in_an_excluded_period_too() {
    let mut pen = three();
    pen.at = TOKYO_MIDNIGHT_OCT_1 + 12 * HOUR;
    pen.arrive(4, false);
    pen.call(4, 1_000, hung_up());
    let left_out = |views: &Views| {
        let figures = views.service_level(month(OCTOBER));
        (figures.figures.left_out, figures.days[0].figures.left_out)
    };
    assert_eq!(left_out(&pen.read()), (1, 1));
    pen.fact(entered(1, TOKYO_MIDNIGHT_OCT_1 + 12 * HOUR, TOKYO_MIDNIGHT_OCT_1 + 13 * HOUR));
    pen.fact(approved(1));
    let views = pen.read();
    assert_eq!(left_out(&views), (1, 1));
    assert_eq!(views.closing(month(OCTOBER), NOVEMBER_2).map(|it| it.left_out), Ok(1));
}

#[test]
fn the_projection_counts_the_service_days_of_the_calendar_and_takes_its_pace_from_them() {
    use crate::event::Closed;
    use crate::view::ServiceDays;
    use chrono::{Datelike as _, NaiveDate, Weekday};
    let mut pen = Pen::default();
    let mut n = 0;
    // Thursday 1st to Tuesday 6th of October: ten calls a day, one given up; at the weekend all find it closed.
    for day in 0..6 {
        let weekend = day == 2 || day == 3;
        for call in 0..10 {
            n += 1;
            pen.at = TOKYO_MIDNIGHT_OCT_1 + day * 24 * HOUR + 10 * HOUR;
            pen.arrive(n, true);
            let step =
                if weekend { CallEvent::FoundClosed { why: Closed::Weekend } } else { asked() };
            pen.call(n, 10, step);
            if !weekend && call > 0 {
                pen.call(n, 20, CallEvent::OperatorAnswered { agent: "2001".into() });
            }
            pen.call(n, 30_000, hung_up());
        }
    }
    let mut views = pen.read();
    // Wednesday the 7th: 17 days from Monday to Friday are to come, one of them a holiday (the 12th).
    let today = Wall(TOKYO_MIDNIGHT_OCT_1 + 6 * 24 * HOUR + 9 * HOUR);
    let projected = |views: &Views| views.outlook(today).abandon.projected.map(|it| it.ratio);
    let of = |days: u64| Some(Ratio { part: (4 + days) * 100, whole: (40 + 10 * days) * 100 });
    assert_eq!(projected(&views), of(17), "by the week alone");
    let holiday = NaiveDate::from_ymd_opt(2026, 10, 12);
    let first = NaiveDate::from_ymd_opt(2026, 9, 1).expect("a day");
    let week = |day: NaiveDate| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    views.set_service_days(ServiceDays::ask(first, |day| week(day) && Some(day) != holiday));
    assert_eq!(projected(&views), of(16), "the holiday is none");
}

#[test]
fn callers_erased_while_the_daemon_runs_are_shown_as_after_a_restart_and_no_figure_moves() {
    use crate::event::{CallerNumber, Entry, chain};
    use crate::view::CallQuery;
    let mut pen = Pen { at: TOKYO_MIDNIGHT_OCT_1 + 9 * HOUR, ..Pen::default() };
    for n in 1..=4 {
        pen.arrive(n, true);
        let digits = "012345".to_owned().into();
        pen.call(n, 5, CallEvent::NumberEntered { entry: "staff".into(), digits });
        pen.call(n, 10, asked());
        pen.call(n, 30_000, hung_up());
        pen.at += HOUR;
    }
    let before = pen.read();
    let cut = Wall(TOKYO_MIDNIGHT_OCT_1 + 11 * HOUR);
    let event =
        DeskEvent::CallersErased { before: cut, calls: 2, entries: 4, kept: 0, incidents: 0 };
    pen.fact(Fact::Desk { event });
    let live = pen.read();
    // The journal after it: commitments in the place of the texts of the first two calls.
    let erased = |entry: &Entry| -> Entry {
        let serde_json::Value::Object(mut body) = serde_json::to_value(&entry.fact).expect("JSON")
        else {
            panic!("no object")
        };
        let old =
            matches!(&entry.fact, Fact::Call { call, .. } if *call == id(1) || *call == id(2));
        if old {
            chain::erase(&mut body, Some(&[7; 16])).expect("erased");
        }
        let fact = serde_json::from_value(serde_json::Value::Object(body)).expect("a fact");
        Entry { seq: entry.seq, at: entry.at, fact }
    };
    let mut replayed = Views::new(setup());
    for entry in &pen.entries {
        replayed.apply(&erased(entry));
    }
    assert!(live == replayed, "a restart shows the same");
    let rows = live.calls(&CallQuery { limit: 10, since: None, outcome: None });
    let shown: Vec<bool> =
        rows.iter().map(|row| row.caller.number == CallerNumber::Erased).collect();
    assert_eq!(shown, [false, false, true, true]);
    let json = serde_json::to_string(&rows[3]).expect("JSON");
    assert!(
        json.contains("\"number\":\"erased\"") && json.contains("\"digits\":\"erased\""),
        "{json}"
    );
    assert!(!json.contains("erased:") && !json.contains("0398765432"), "{json}");
    let october = month(OCTOBER);
    assert_eq!(live.month_figures(october), before.month_figures(october));
    assert_eq!((live.erased().calls, live.erased().before), (2, Some(cut)));
}
