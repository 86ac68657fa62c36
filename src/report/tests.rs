//! A small month whose figures were computed by hand, and names that are not what they seem.

use super::{
    About, Cell, Expected, Names, NextMonth, Report, SheetVerdict, Spread, Table, csv, html, tables,
};
use crate::base::{CallId, Private, Wall};
use crate::event::{
    AgentEvent, CallEvent, Caller, CallerNumber, Closed, ClosedFigures, EndCause, Entry, Fact,
    FiguresEvent, Means, OfferEnd, Origin, Party, Purpose, TrunkEvent,
};
use crate::view::{Month, Outcome, Policy, Ratio, Setup, Views};

/// 2026-10-01T00:00:00+09:00, a Thursday.
const OCTOBER: i64 = 1_790_780_400_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const EVIL: &str = "<script>alert(1)</script>";

struct Pen {
    views: Views,
    calls: u64,
}

impl Pen {
    fn new() -> Self {
        let agents = vec![("2001".into(), EVIL.to_owned()), ("2002".into(), "=1+1".to_owned())];
        let setup = Setup {
            desk: "窓口 & <b>".to_owned(),
            demonstration: false,
            timezone: chrono_tz::Asia::Tokyo,
            policy: Policy::default(),
            agents,
        };
        Self { views: Views::new(setup), calls: 0 }
    }

    fn fact(&mut self, at: i64, fact: Fact) {
        self.views.apply(&Entry { seq: self.views.next_seq(), at: Wall(at), fact });
    }

    /// A call that arrives at `at` and goes through `steps`, each so many milliseconds after its arrival.
    fn call(&mut self, at: i64, number: &str, counted: bool, steps: Vec<(i64, CallEvent)>) {
        self.calls += 1;
        let call = CallId(uuid::Uuid::from_u64_pair(self.calls, 0));
        let caller = Caller {
            number: CallerNumber::Known(Private::new("0398765432".to_owned())),
            name: None,
            diverted_from: None,
        };
        let origin = Origin::Trunk("carrier".into());
        let arrived = CallEvent::Arrived { number: number.into(), caller, origin, counted };
        for (t, event) in std::iter::once((0, arrived)).chain(steps) {
            let t_ms = u64::try_from(t).expect("after the arrival");
            self.fact(at + t, Fact::Call { call, t_ms, event });
        }
    }

    fn declare(&mut self, at: i64, event: FiguresEvent) {
        self.fact(at, Fact::Figures { event });
    }
}

fn asked() -> (i64, CallEvent) {
    (0, CallEvent::OperatorAsked { group: Some("desk".into()) })
}

fn answered(at: i64, agent: &str) -> [(i64, CallEvent); 2] {
    let end = CallEvent::Ended { by: Party::Agent, cause: EndCause::HungUp };
    [(at, CallEvent::OperatorAnswered { agent: agent.into() }), (at + 30_000, end)]
}

fn ended(at: i64, by: Party, cause: EndCause) -> (i64, CallEvent) {
    (at, CallEvent::Ended { by, cause })
}

fn exclusion(pen: &mut Pen, number: u32, from: i64, until: i64) {
    let entered = FiguresEvent::ExclusionEntered {
        exclusion: number,
        from: Wall(from),
        until: Wall(until),
        reason: "通信障害, \"全面\"".to_owned(),
        author: "佐藤".to_owned(),
        by: Means::Api,
    };
    pen.declare(until, entered);
    let author = "鈴木".to_owned();
    let approved = FiguresEvent::ExclusionApproved { exclusion: number, author, by: Means::Api };
    pen.declare(until + 1, approved);
}

fn month() -> Month {
    "2026-10".parse().expect("a month")
}

/// Ten calls. Three answered: after 5 s, 20 s, and 40 s and the busy announcement.
fn small() -> Pen {
    let mut pen = Pen::new();
    let desk = "0312345678";
    let at = |day: i64, hour: i64, minute: i64| {
        OCTOBER + (day - 1) * DAY + hour * HOUR + minute * MINUTE
    };
    let with = |steps: [(i64, CallEvent); 2]| std::iter::once(asked()).chain(steps).collect();
    pen.call(at(1, 8, 30), desk, true, with(answered(5_000, "2001")));
    pen.call(at(1, 8, 45), desk, true, with(answered(20_000, "2002")));
    let busy = CallEvent::Announced { prompt: "busy".into(), purpose: Purpose::Busy };
    let [answer, end] = answered(40_000, "2001");
    pen.call(at(1, 9, 10), desk, true, vec![asked(), (1_000, busy), answer, end]);
    let left = |after| vec![asked(), ended(after, Party::Caller, EndCause::HungUp)];
    pen.call(at(1, 9, 30) - 1, "0312345679", true, left(70_000));
    pen.call(at(1, 10, 0), desk, true, left(2_000));
    let closed = vec![
        (0, CallEvent::FoundClosed { why: Closed::Night }),
        ended(9_000, Party::System, EndCause::ClosedTold),
    ];
    pen.call(at(1, 18, 30), desk, true, closed);
    pen.call(at(2, 12, 0), desk, true, vec![ended(0, Party::System, EndCause::LinesFull)]);
    pen.call(at(2, 12, 10), desk, true, left(50_000));
    pen.call(at(2, 13, 0), "0312345670", false, with(answered(1_000, "2001")));
    pen.call(at(3, 0, 0), desk, true, vec![asked()]);
    exclusion(&mut pen, 1, at(2, 12, 5), at(2, 12, 15));
    let trunk = |event| Fact::Trunk { trunk: "carrier".into(), event };
    pen.fact(at(4, 0, 0), trunk(TrunkEvent::ChannelsFull));
    pen.fact(at(4, 0, 1), trunk(TrunkEvent::ChannelsFree { for_ms: 1_500 }));
    pen
}

fn made(pen: &Pen) -> Report {
    made_with(pen, None)
}

fn made_with(pen: &Pen, next_month: Option<NextMonth>) -> Report {
    let names = Names {
        numbers: [("0312345678".to_owned(), "代表".to_owned())].into(),
        groups: [("desk".to_owned(), EVIL.to_owned())].into(),
    };
    let about = About {
        made_at: Wall(OCTOBER + 40 * DAY),
        version: "1",
        names,
        tickets: None,
        hash: Some("00ff".to_owned()),
        next_month,
    };
    Report::of(&pen.views, month(), &about)
}

fn table(report: &Report, id: &str) -> Table {
    tables(report).into_iter().find(|table| table.id == id).expect("a table")
}

/// The cells of the row that begins so, joined by blanks.
fn row(table: &Table, first: &str) -> String {
    let row = table.rows.iter().find(|row| row[0].shown() == first);
    let row = row.unwrap_or_else(|| panic!("{first} in {table:#?}"));
    row.iter().skip(1).map(Cell::shown).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_next_months_expectation_stands_with_its_spread_and_what_it_is_based_on() {
    let next = |expected| NextMonth {
        month: month().later(1),
        based_on_calls: 480,
        based_on_days: 20,
        expected,
    };
    let short = table(&made_with(&small(), Some(next(None))), "next-month");
    assert!(short.rows.is_empty() && short.notes[0].contains("480"), "{short:#?}");
    let spread = |mean, low, high| Spread { mean, low, high };
    let expected = Expected {
        months: 40,
        calls: spread(180_050, 170_000, 191_049),
        abandon: Some(spread(732, 480, 1_101)),
        busy: None,
        within: 85,
        agent_hours: 150_000,
        season: Some(305),
    };
    let report = made_with(&small(), Some(next(Some(expected))));
    let found = table(&report, "next-month");
    assert_eq!(found.title, "2026年11月の見込み");
    for (name, due) in [
        ("着信（かけ直しを含む）", "1801 1700 1910 ― 件"),
        ("放棄率", "7.32 4.80 11.01 10 % 未満 %"),
        ("ビジー率", "― ― ― 5 % 未満 %"),
        ("両方の基準を守る見込み", "85 ― ― ― %"),
        ("オペレータの延べ時間", "1500 ― ― ― 時間"),
    ] {
        assert_eq!(row(&found, name), due, "{name}");
    }
    assert!(found.notes[0].contains("3.05 倍") && found.notes[0].contains("20 営業日"));
    assert!(html(&report).contains("id=\"next-month\""));
    let without = made(&small());
    assert!(tables(&without).iter().all(|table| table.id != "next-month"));
}

#[test]
fn the_figures_of_a_small_month_by_hand() {
    let report = made(&small());
    let sheet = table(&report, "sla-sheet");
    let tail = |no: &str| {
        let row = sheet.rows.iter().find(|row| row[0].shown() == no).expect("a line");
        row[3..].iter().map(Cell::shown).collect::<Vec<_>>().join(" ")
    };
    // (放棄 1) / (応答 2 + ビジー後 1 + 放棄 1 + 輻輳 1); (ビジー後 1 + 輻輳 1) / (that + ワンコール 1).
    assert_eq!(tail("5"), "1 5 20.00 % 10 % 未満 未達成");
    assert_eq!(tail("6"), "2 6 33.33 % 5 % 未満 未達成");
    assert_eq!(tail("1"), "― ― 対象データなし 90 % 以上 対象データなし");
    assert!(report.sheet.any_missed());

    let outcomes = table(&report, "outcomes");
    for (outcome, due) in [
        ("応答", "2 25.00 0"),
        ("ビジー後応答", "1 12.50 0"),
        ("放棄", "1 12.50 1"),
        ("ワンコール切り", "1 12.50 0"),
        ("輻輳拒否", "1 12.50 0"),
        ("時間外", "1 12.50 0"),
        ("障害", "0 0.00 0"),
        ("未決定", "1 12.50 0"),
        ("計（着信）", "8 100.00 1"),
    ] {
        assert_eq!(row(&outcomes, outcome), due, "{outcome}");
    }
    let operating = table(&report, "operating");
    for (figure, due) in [
        ("オペレータ要求呼", "5 件"),
        ("応答", "3 件"),
        ("目標内応答率（サービスレベル）", "40.00 %"),
        ("平均応答時間", "21.7 秒"), // 65 / 3
        ("最長待ち時間", "70.0 秒"),
        ("平均通話時間", "30.0 秒"),
        ("集計対象外の番号への呼", "1 件"),
    ] {
        assert!(row(&operating, figure).starts_with(due), "{}", row(&operating, figure));
    }
    // 着信, eleven outcomes, 未決定, then the table's own.
    let day = table(&report, "by-day");
    assert_eq!(row(&day, "1（木）"), "6 2 1 1 1 0 0 0 0 1 0 0 0 25.00 20.00 0");
    assert_eq!(row(&day, "2（金）"), "1 0 0 0 0 0 1 0 0 0 0 0 0 0.00 100.00 1");
    assert_eq!(row(&day, "31（土）"), "0 0 0 0 0 0 0 0 0 0 0 0 0 ― ― 0");
    let half_hour = table(&report, "by-half-hour");
    assert_eq!(row(&half_hour, "08:30〜09:00"), "2 2 0 0 0 0 0 0 0 0 0 0 0 100.00");
    assert_eq!(row(&half_hour, "09:00〜09:30"), "2 0 1 1 0 0 0 0 0 0 0 0 0 0.00");
    assert_eq!(row(&half_hour, "その他の時間"), "2 0 0 0 0 0 0 0 0 1 0 0 1 ―");
    let number = table(&report, "by-number");
    assert_eq!(row(&number, "0312345679"), "1 0 0 1 0 0 0 0 0 0 0 0 0 100.00 0.00 ―");
    assert_eq!(row(&number, "0312345670"), "0 0 0 0 0 0 0 0 0 0 0 0 0 ― ― ―");
    let agent = table(&report, "by-agent");
    assert_eq!(row(&agent, "2001"), format!("{EVIL} 2 60 30.0"));
    assert_eq!(row(&agent, "計"), " 3 90 30.0");
    let waits = table(&report, "waits");
    assert_eq!(row(&waits, "10 秒以下"), "1 1 2 40.00");
    assert_eq!(row(&waits, "10 秒超 20 秒以下"), "1 0 1 20.00");
    assert_eq!(row(&waits, "30 秒超 1 分以下"), "1 0 1 20.00");
    assert_eq!(row(&waits, "1 分超 2 分以下"), "0 1 1 20.00");
    assert_eq!(row(&table(&report, "trunks-full"), "carrier"), "1.500 1");
    assert!(row(&table(&report, "exclusions"), "1").ends_with("1 放棄 1"));
    assert_eq!(row(&table(&report, "comparison"), "着信（件）"), "8 ― ― ― ―");
}

#[test]
fn every_cut_adds_up_to_the_same_calls() {
    let report = made(&small());
    for rows in [&report.by_day, &report.by_half_hour, &report.by_number, &report.by_group] {
        let arrived: u64 = rows.iter().map(|row| row.figures.arrived).sum();
        assert_eq!(arrived, report.figures.arrived);
        for outcome in Outcome::ALL {
            let sum: u64 = rows.iter().map(|row| row.figures.outcomes.get(outcome)).sum();
            assert_eq!(sum, report.figures.outcomes.get(outcome), "{outcome:?}");
        }
    }
    let figures = &report.figures;
    assert_eq!(figures.outcomes.sum() + figures.undecided, figures.arrived);
    assert_eq!(report.by_agent.iter().map(|it| it.share.answered).sum::<u64>(), figures.answered);
    let waits: u64 = report.waits.iter().map(|it| it.calls.answered + it.calls.not_answered).sum();
    assert_eq!(waits, figures.offered);
    for table in tables(&report) {
        assert_eq!(table.widths.len(), table.heads.len(), "{}", table.id);
        for row in &table.rows {
            assert_eq!(row.len(), table.heads.len(), "{}", table.id);
        }
        // The last row is the sum of the others, column by column, where the column counts calls.
        let (sum, rows) = table.rows.split_last().expect("rows");
        for (column, head) in table.heads.iter().enumerate().skip(1) {
            if !table.sum || head.contains('%') || head.contains('秒') {
                continue;
            }
            let number = |row: &Vec<Cell>| row[column].shown().parse::<u64>().ok();
            if let Some(sum) = number(sum) {
                assert_eq!(rows.iter().filter_map(number).sum::<u64>(), sum, "{} {head}", table.id);
            }
        }
    }
}

#[test]
fn a_closed_month_reports_what_it_was_closed_with() {
    let mut pen = small();
    let call = CallId(uuid::Uuid::from_u64_pair(10, 0));
    let end = CallEvent::Ended { by: Party::System, cause: EndCause::Restart };
    pen.fact(OCTOBER + 5 * DAY, Fact::Call { call, t_ms: 9_000, event: end });
    let close = |pen: &mut Pen, revision, figures: ClosedFigures| {
        let event = FiguresEvent::MonthClosed {
            month: "2026-10".to_owned(),
            revision,
            reason: String::new(),
            author: "佐藤".to_owned(),
            figures: Box::new(figures),
            by: Means::Api,
        };
        pen.declare(OCTOBER + 32 * DAY, event);
    };
    let figures = pen.views.closing(month(), Wall(OCTOBER + 32 * DAY)).expect("it can be closed");
    close(&mut pen, 1, figures);
    let before = made(&pen);
    assert!(!before.sheet.differs_from_closed);
    assert_eq!(before.figures.abandon_rate.ratio, Ratio { part: 2, whole: 6 });
    // Then an hour is left out: the sheet stays, and says what would be counted now.
    exclusion(&mut pen, 2, OCTOBER + 9 * HOUR, OCTOBER + 10 * HOUR);
    let after = made(&pen);
    assert!(after.sheet.differs_from_closed);
    assert_eq!(after.figures.abandon_rate.ratio, Ratio { part: 2, whole: 6 });
    assert_eq!(after.counted_now.abandon_rate.ratio, Ratio { part: 1, whole: 4 });
    assert_eq!(after.sheet.lines, before.sheet.lines);
    let revisions = table(&after, "revisions");
    assert!(row(&revisions, "第 1 版").contains(" 8 2/6 33.33 "), "{revisions:?}");
    assert!(row(&revisions, "現在の集計").contains(" 6 1/4 25.00 "), "{revisions:?}");
    assert!(row(&table(&after, "outcomes"), "放棄").ends_with(" 0"), "counted now stands beside");
    // A second revision is in force from then on, and the first still stands there.
    let figures = pen.views.closing(month(), Wall(OCTOBER + 33 * DAY)).expect("it can be closed");
    close(&mut pen, 2, figures);
    let again = made(&pen);
    assert_eq!(again.figures.abandon_rate.ratio, Ratio { part: 1, whole: 4 });
    assert_eq!(again.sheet.revisions.len(), 2);
    assert!(!again.sheet.differs_from_closed);
}

/// A morning of one agent: 10 min idle, 5 s of ringing, 55 s of talk and 20 s of hold, 40 s of after-call work,
/// 5 min of pause; then a ringing that is let ring out.
fn shift(pen: &mut Pen) {
    use AgentEvent as Is;
    let nine = OCTOBER + 9 * HOUR;
    let by = Means::FeatureCode;
    let agent = |pen: &mut Pen, at: i64, event| {
        pen.fact(nine + at, Fact::Agent { agent: "2001".into(), event });
    };
    agent(pen, 0, Is::Phone { reachable: true });
    agent(pen, 0, Is::SignedIn { by });
    let call = |pen: &mut Pen, n: u64, at: i64, t: i64, event| {
        let call = CallId(uuid::Uuid::from_u64_pair(100 + n, 0));
        let t_ms = u64::try_from(t).expect("after the arrival");
        pen.fact(nine + at + t, Fact::Call { call, t_ms, event });
    };
    let caller = || Caller { number: CallerNumber::Withheld, name: None, diverted_from: None };
    let arrived = || CallEvent::Arrived {
        number: "0312345678".into(),
        caller: caller(),
        origin: Origin::Trunk("carrier".into()),
        counted: true,
    };
    let first = 10 * MINUTE;
    call(pen, 1, first, 0, arrived());
    call(pen, 1, first, 0, asked().1);
    call(pen, 1, first, 0, CallEvent::OfferMade { agent: "2001".into() });
    agent(pen, first + 5_000, Is::Talking);
    call(pen, 1, first, 5_000, CallEvent::OperatorAnswered { agent: "2001".into() });
    call(pen, 1, first, 35_000, CallEvent::Held { by: Party::Agent });
    call(pen, 1, first, 55_000, CallEvent::Resumed { by: Party::Agent });
    agent(pen, first + 80_000, Is::WrapUp { for_ms: 40_000 });
    call(pen, 1, first, 80_000, ended(0, Party::Caller, EndCause::HungUp).1);
    agent(pen, first + 120_000, Is::Idle);
    agent(pen, first + 120_000, Is::Paused { by, reason: "昼休み".to_owned() });
    let second = first + 120_000 + 5 * MINUTE;
    agent(pen, second, Is::Unpaused { by });
    call(pen, 2, second, 0, arrived());
    call(pen, 2, second, 0, asked().1);
    call(pen, 2, second, 0, CallEvent::OfferMade { agent: "2001".into() });
    call(
        pen,
        2,
        second,
        15_000,
        CallEvent::OfferEnded { agent: "2001".into(), why: OfferEnd::RangOut },
    );
    call(pen, 2, second, 15_000, ended(0, Party::Caller, EndCause::HungUp).1);
    agent(pen, second + 15_000, Is::SignedOut { by });
}

#[test]
fn agents_time_handling_and_rings_by_hand() {
    let mut pen = Pen::new();
    shift(&mut pen);
    let report = made(&pen);
    let times = "1035.0 55.0 20.0 0.0 20.0 40.0 300.0 0.0 600.0 0.0 15.65";
    let agents = table(&report, "agent-times");
    // (55 + 20 + 40) / (1035 - 300); (55 + 20 + 40) / 1.
    assert_eq!(row(&agents, "2001"), format!("{EVIL} {times} 1 115.0"));
    assert_eq!(row(&agents, "2002"), "=1+1 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 ― 0 ―");
    assert!(
        agents.notes.iter().any(|note| note.starts_with("稼働率 ＝ （通話＋保留＋")),
        "{agents:?}"
    );
    assert_eq!(row(&table(&report, "agent-rings"), "2001"), format!("{EVIL} 1 1 0 0 0 0 0 2"));
    let due = "2 1 1 50.00 5.0 15.0 55.0 20.0 40.0 115.0";
    assert_eq!(row(&table(&report, "group-handling"), &format!("desk {EVIL}")), due);
    assert_eq!(row(&table(&report, "number-handling"), "0312345678 代表"), due);
    let half_hours = table(&report, "half-hour-times");
    assert_eq!(row(&half_hours, "09:00〜09:30"), format!("2 50.00 5.0 115.0 1 {times} 0.0"));
    assert_eq!(half_hours.rows.len(), 22, "8:00 to 18:30 and the sum");
    let days = table(&report, "day-times");
    assert_eq!(row(&days, "1（木）"), format!("2 50.00 5.0 115.0 1 {times} 0.0"));
    assert_eq!((days.rows.len(), row(&days, "計")), (32, row(&days, "1（木）")));
    let operating = table(&report, "operating");
    for (figure, due) in [
        ("平均処理時間 (AHT)", "115.0 秒 （会話（保留を含む）＋後処理）の合計 ÷ 応答"),
        ("平均後処理時間", "40.0 秒"),
        ("平均保留時間", "20.0 秒"),
        ("稼働率", "15.65 % （通話＋保留＋その他の通話＋後処理）÷"),
        ("サインイン時間", "1035.0 秒"),
        ("全回線使用中", "0.0 秒"),
    ] {
        assert!(row(&operating, figure).starts_with(due), "{}", row(&operating, figure));
    }
}

/// Closes the month with what is counted.
fn close(pen: &mut Pen) {
    let figures = pen.views.closing(month(), Wall(OCTOBER + 32 * DAY)).expect("it can be closed");
    let event = FiguresEvent::MonthClosed {
        month: "2026-10".to_owned(),
        revision: 1,
        reason: String::new(),
        author: "佐藤".to_owned(),
        figures: Box::new(figures),
        by: Means::Api,
    };
    pen.declare(OCTOBER + 32 * DAY, event);
}

#[test]
fn what_callers_said_after_their_call_is_a_table_of_its_own() {
    let mut pen = Pen::new();
    assert!(tables(&made(&pen)).iter().all(|table| table.id != "surveys"), "nobody was asked");
    let survey = || crate::base::SurveyId::from("after");
    for (n, answers) in [(1, vec![(1, 1), (2, 3)]), (2, vec![]), (3, vec![(1, 5)])] {
        let [answer, _] = answered(1_000, "2001");
        let began = CallEvent::SurveyBegan { by: "2001".into(), survey: survey() };
        let mut steps = vec![asked(), answer, (2_000, began)];
        steps.extend(answers.into_iter().map(|(question, answer)| {
            (3_000, CallEvent::SurveyAnswered { survey: survey(), question, answer })
        }));
        steps.push(ended(9_000, Party::System, EndCause::MenuDone));
        pen.call(OCTOBER + 9 * HOUR + n * MINUTE, "0312345678", true, steps);
    }
    let report = made(&pen);
    let surveys = table(&report, "surveys");
    assert_eq!(surveys.rows.len(), 3);
    // (100 + 60) / 2 = 80 and 0 make 40.
    let shown = |row: usize| {
        surveys.rows[row].iter().map(super::table::Cell::shown).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(shown(0), "after 計 3 2 66.67 40.00 1 0 1 0 1");
    assert_eq!(shown(2), "after 2 ― ― ― ― 0 0 1 0 0");
    // Nothing of it is among what a month is closed with, so its total cannot be that of the closed one.
    close(&mut pen);
    let notes = table(&made(&pen), "surveys").notes.concat();
    assert!(notes.contains("現在の集計による") && !notes.contains("一致する"), "{notes}");
}

#[test]
fn every_cut_of_a_closed_month_says_that_it_is_counted_now() {
    let cuts = [
        "by-day",
        "by-half-hour",
        "by-number",
        "by-group",
        "by-agent",
        "waits",
        "half-hour-times",
        "day-times",
        "group-handling",
        "number-handling",
        "agent-times",
        "agent-rings",
    ];
    let says = |report: &Report, id: &str| {
        table(report, id).notes.iter().any(|note| note.contains("現在の集計による"))
    };
    let mut pen = Pen::new();
    shift(&mut pen);
    for id in cuts {
        assert!(!says(&made(&pen), id), "{id} of an open month");
    }
    close(&mut pen);
    assert!(!made(&pen).sheet.differs_from_closed);
    for id in cuts {
        assert!(says(&made(&pen), id), "{id} of a closed month");
    }
    exclusion(&mut pen, 1, OCTOBER + 9 * HOUR, OCTOBER + 10 * HOUR);
    assert!(made(&pen).sheet.differs_from_closed);
    for id in cuts {
        assert!(says(&made(&pen), id), "{id} of one that would be counted otherwise");
    }
}

#[test]
fn a_month_without_calls_has_no_rate_and_misses_nothing() {
    let report = made(&Pen::new());
    let verdicts: Vec<SheetVerdict> = report.sheet.lines.iter().map(|line| line.verdict).collect();
    assert_eq!(verdicts[4..], [SheetVerdict::NoCalls; 2]);
    assert!(!report.sheet.any_missed());
    assert!(html(&report).contains("呼なし"));
}

#[test]
fn a_name_is_neither_markup_nor_a_formula() {
    let report = made(&small());
    let page = html(&report);
    assert!(!page.contains("<script"), "markup");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("窓口 &amp; &lt;b&gt;"));
    let agents = String::from_utf8(csv(&table(&report, "by-agent"))).expect("text");
    assert!(agents.contains("2002,'=1+1,1,30,30.0\r\n"), "{agents}");
}

#[test]
fn the_same_history_gives_the_same_bytes() {
    let (one, two) = (made(&small()), made(&small()));
    assert_eq!(html(&one), html(&two));
    let json = |report: &Report| serde_json::to_string(report).expect("it is JSON");
    assert_eq!(json(&one), json(&two));
}
