//! What comes next: who was there, seasons, the rest of a day, and questions that nobody wants answered any more.

use super::*;
use crate::base::{AgentId, CallId};
use crate::event::{Caller, CallerNumber, Entry, Origin};
use crate::forecast::roster::levels;
use crate::forecast::season::season;
use crate::view::{Decision, Rule, Tally};
use chrono::{DateTime, NaiveDate};
use std::collections::BTreeSet;

fn at(text: &str) -> Wall {
    Wall(DateTime::parse_from_rfc3339(&format!("{text}:00+09:00")).unwrap().timestamp_millis())
}

fn service_desk() -> Plan {
    let text = include_str!("../../../dialplans/service-desk.toml");
    dialplan::load(text, "plan.toml", None).unwrap_or_else(|_| panic!()).0
}

#[test]
fn who_was_there_is_the_mean_of_the_same_weekdays_without_breaks() {
    let plan = service_desk();
    let stint = |agent: &str, from: &str, until: &str, breaks: &[(&str, &str)]| Stint {
        agent: AgentId::from(agent),
        from: at(from),
        until: at(until),
        breaks: breaks.iter().map(|(from, until)| (at(from), at(until))).collect(),
    };
    let stints = [
        // Two Mondays: two there at nine, and one.
        stint("2001", "2027-04-05T08:30", "2027-04-05T12:00", &[]),
        stint(
            "2002",
            "2027-04-05T09:00",
            "2027-04-05T12:00",
            &[("2027-04-05T10:00", "2027-04-05T11:00")],
        ),
        stint("2001", "2027-04-12T08:30", "2027-04-12T12:00", &[]),
        // A Saturday, which the desk does not serve.
        stint("2001", "2027-04-10T08:30", "2027-04-10T12:00", &[]),
    ];
    let found = levels(&plan, &stints);
    let at = |half_hour: u8| found.get(&(0, half_hour)).copied();
    assert_eq!(at(17), Some(1), "08:30: one on both days");
    assert_eq!(at(18), Some(2), "09:00: 1.5, half up");
    assert_eq!(at(20), Some(1), "10:00: the second has a break");
    assert_eq!(at(24), Some(0), "12:00: nobody");
    assert!(found.keys().all(|(weekday, _)| *weekday == 0), "{found:?}");
}

#[test]
fn a_season_is_a_months_pace_against_the_months_before_it_a_year_ago() {
    let plan = service_desk();
    let mut by_day = BTreeMap::new();
    let first: NaiveDate = "2026-01-05".parse().unwrap();
    let last: NaiveDate = "2026-12-28".parse().unwrap();
    for day in first.iter_days().take_while(|day| *day <= last).filter(|it| plan.serves_on(*it)) {
        // Three times as many in April.
        let many = if Month::of(day) == "2026-04".parse().unwrap() { 30 } else { 10 };
        by_day.insert(day, many);
    }
    let of = |month: &str| season(&by_day, &plan, month.parse().unwrap());
    assert!((of("2027-04").unwrap() - 3.0).abs() < 1e-9);
    assert!((of("2027-12").unwrap() - 1.0).abs() < 1e-9);
    // February's base would be a January that is whole, March's too; January has none before it.
    assert!((of("2027-02").unwrap() - 1.0).abs() < 1e-9);
    assert_eq!(of("2027-01"), None);
    assert_eq!(season(&BTreeMap::new(), &plan, "2027-04".parse().unwrap()), None);
}

fn so_far(now: &str, arrived: u64, there: &[&str]) -> SoFar {
    SoFar { now: at(now), arrived, there: there.iter().map(|id| AgentId::from(*id)).collect() }
}

#[test]
fn the_rest_of_a_day_has_the_calls_that_are_still_due_and_who_is_there() {
    let plan = service_desk();
    let mut scenario = Scenario::default();
    scenario.calls.service_day = Some(100.0);
    let rest = |so_far: &SoFar| super::rest_of_day(&plan, &scenario, 1.0, &BTreeMap::new(), so_far);
    // A Tuesday. Before the desk opens all of it is still to come; how many came so far says nothing where days
    // never differ.
    let day = rest(&so_far("2027-04-06T08:00", 0, &["2001", "2002", "nobody"])).unwrap();
    assert!((day.demand.mean() - 100.0).abs() < 1.0, "{}", day.demand.mean());
    let stints = day.roster.stints(&plan, &[]);
    let there: BTreeSet<&str> = stints.iter().map(|stint| stint.agent.as_str()).collect();
    assert_eq!(there, ["2001", "2002"].into(), "whom the plan does not have is left out");
    assert!(stints.iter().all(|stint| stint.until == at("2027-04-06T18:15")), "{stints:?}");
    // Half of the nine hours and three quarters are over at 13:22 and a half.
    let half = rest(&so_far("2027-04-06T13:22", 50, &["2001"])).unwrap().demand.mean();
    assert!((half - 50.0).abs() < 1.0, "{half}");
    let none = |so_far: &SoFar| rest(so_far).err();
    let (closed, nobody) = (Some(NoRest::NothingToCome), Some(NoRest::NobodyThere));
    assert_eq!(none(&so_far("2027-04-06T18:20", 100, &["2001"])), closed);
    assert_eq!(none(&so_far("2027-04-06T13:22", 50, &[])), nobody);
    assert_eq!(none(&so_far("2027-04-06T13:22", 50, &["nobody"])), nobody, "of the plan");
    assert_eq!(none(&so_far("2027-04-10T10:00", 0, &["2001"])), closed, "a Saturday");
}

#[test]
fn a_day_with_more_calls_to_come_than_are_reckoned_with_is_said_to_be_one() {
    let plan = service_desk();
    let rest = |a_day: f64, arrived: u64| {
        let mut scenario = Scenario::default();
        (scenario.calls.service_day, scenario.calls.day_spread) = (Some(a_day), 0.2);
        let so_far = so_far("2027-04-06T13:22", arrived, &["2001"]);
        super::rest_of_day(&plan, &scenario, 1.0, &BTreeMap::new(), &so_far).err()
    };
    assert_eq!(rest(9_000.0, 4_500), None);
    assert_eq!(rest(11_000.0, 5_500), Some(NoRest::TooMany), "expected by its history");
    assert_eq!(rest(9_000.0, 6_000), Some(NoRest::TooMany), "busier than usual so far");
}

#[test]
fn calls_come_while_the_desk_is_open_and_no_part_of_a_month_is_lost_to_its_closing() {
    let plan = service_desk();
    let mut scenario = Scenario::default();
    scenario.calls.month = 3_000.0;
    scenario.calls.half_hours =
        [("08:30", 1.0), ("18:00", 2.0)].map(|(at, weight)| (at.to_owned(), weight)).into();
    let demand = Demand::expected(&scenario.calls, &plan, "2027-04".parse().unwrap()).unwrap();
    let arrivals = demand.draw(&mut crate::base::Rng::from_number(1));
    // The desk closes at 18:15: two thirds of all come in the quarter of an hour before.
    let minute = |arrival: &Arrival| {
        let at = plan.local(arrival.at).time();
        chrono::Timelike::hour(&at) * 60 + chrono::Timelike::minute(&at)
    };
    let late = arrivals.iter().filter(|it| minute(it) >= 18 * 60);
    assert!(late.clone().all(|arrival| minute(arrival) < 18 * 60 + 15));
    let share = |part: usize| f64::from(u32::try_from(part).unwrap()) / 3_000.0;
    assert!((share(arrivals.len()) - 1.0).abs() < 0.06, "{}", arrivals.len());
    assert!((share(late.count()) - 2.0 / 3.0).abs() < 0.05);
    // As busy as four thirds of all in a half hour each day would be.
    let Demand::Expected { half_hours, .. } = &demand else { panic!() };
    let last = half_hours.last().unwrap();
    assert_eq!(last.until, at("2027-04-30T18:15"));
    assert!((last.pace() - 2.0 * last.calls).abs() < 1e-9);
}

#[test]
fn what_is_left_of_a_half_hour_comes_before_its_end() {
    let plan = service_desk();
    let mut scenario = Scenario::default();
    scenario.calls.service_day = Some(2_000.0);
    let now = so_far("2027-04-06T10:20", 0, &["2001"]);
    let world = super::rest_of_day(&plan, &scenario, 1.0, &BTreeMap::new(), &now).unwrap();
    let arrivals = world.demand.draw(&mut crate::base::Rng::from_number(1));
    // 2,000 in nine hours and three quarters are 34 in ten minutes and 103 in thirty.
    let until = |text: &str| {
        let end = at(text);
        arrivals.iter().filter(|arrival| arrival.at < end).count()
    };
    let (ten, forty) = (until("2027-04-06T10:30"), until("2027-04-06T11:00"));
    assert!((20..50).contains(&ten), "{ten}");
    assert!((75..135).contains(&(forty - ten)), "{}", forty - ten);
}

#[test]
fn tonight_is_what_there_is_and_what_comes() {
    let plan = service_desk();
    let policy = Policy::default();
    let mut scenario = Scenario::default();
    scenario.calls.service_day = Some(60.0);
    let morning = so_far("2027-04-06T08:00", 0, &["2001", "2002", "2003"]);
    let world = super::rest_of_day(&plan, &scenario, 1.0, &BTreeMap::new(), &morning).unwrap();
    let runs: Vec<Run> = (0..20).map(|seed| Run::of(&world, &policy, seed, false)).collect();
    let nothing = Tally::default();
    let alone = super::tonight(&runs, &nothing, &nothing, &policy);
    let expected = rate(&runs, &policy, |figures| figures.abandon_rate.ratio);
    assert_eq!(alone.day[0], expected);
    // A hundred who were answered before make the month's rate smaller.
    let mut month = Tally { arrived: 100, ..Tally::default() };
    for _ in 0..100 {
        month.add(Decision { rule: Rule::AgentAnswered, wait_ms: Some(1_000) }, &policy);
    }
    let with = super::tonight(&runs, &nothing, &month, &policy);
    assert!(with.month[0].unwrap().mean < alone.month[0].unwrap().mean);
    assert_eq!(with.day, alone.day);
}

#[test]
fn a_question_that_nobody_wants_answered_any_more_ends_at_once() {
    let plan = service_desk();
    let scenario = Scenario::default();
    let world = world(Arc::new(plan.clone()), &scenario, "2027-04");
    let mut asked = 0;
    let mut ask = |_: Step, _: &World| {
        asked += 1;
        Vec::new()
    };
    let wanted = Wanted { certainty: 0.95, by_half_hour: true };
    let found = Enough::of(&world, &plan, &Policy::default(), wanted, &mut ask);
    assert_eq!((found.agents, found.lines), (None, None));
    assert!(asked <= MOST_POINTS, "{asked}");
}

#[test]
fn what_a_roster_comes_to_is_what_its_months_come_to() {
    let plan = Arc::new(service_desk());
    let mut scenario = Scenario::default();
    scenario.calls.month = 600.0;
    let world = world(Arc::clone(&plan), &scenario, "2027-04");
    let policy = Policy::default();
    let runs: Vec<Run> = (0..4).map(|seed| Run::of(&world, &policy, seed, false)).collect();
    let judged = Judged::of(&world, &runs, &policy);
    assert_eq!(judged.abandon, rate(&runs, &policy, |figures| figures.abandon_rate.ratio));
    let calls: f64 = runs.iter().map(|run| real(run.total().tally.arrived)).sum();
    assert!((judged.calls.unwrap().mean - calls / 4.0).abs() < 1e-9);
    // By half hour, over the days that have calls then, nothing is lost or added.
    let by_half_hour: f64 = judged
        .half_hours
        .iter()
        .map(|(index, (mean, _))| {
            let days: usize =
                runs.iter().map(|run| run.cells.keys().filter(|(_, at)| at == index).count()).sum();
            mean * real(days as u64)
        })
        .sum();
    assert!((by_half_hour - calls).abs() < 1e-6, "{by_half_hour} {calls}");
}

#[test]
fn the_one_longest_talk_of_a_year_makes_no_hundredth_of_all_talks_as_long() {
    // A law with a long tail: the longest of 6,000 is eight times the mean.
    let count = 6_000_u32;
    let time = |place: u32| {
        1_000.0 * libm::pow(1.0 - (f64::from(place) + 0.5) / f64::from(count), -1.0 / 3.5)
    };
    let mut times: Vec<f64> = (0..count).map(time).collect();
    let found =
        |of: &dyn Fn(f64) -> f64| times.iter().map(|ms| of(*ms)).sum::<f64>() / f64::from(count);
    let (mean, square) = (found(&|ms| ms), found(&|ms| ms * ms));
    let Some(Lasts::Curve(points)) = super::super::fit::curve(&mut times) else { panic!() };
    let ms: Vec<(f64, f64)> =
        points.iter().map(|(part, time)| (*part, time.0.as_secs_f64() * 1_000.0)).collect();
    let over = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        ms.windows(2).map(|pair| (pair[1].0 - pair[0].0) * of(pair[0].1, pair[1].1)).sum()
    };
    let its_mean = over(&|a, b| f64::midpoint(a, b));
    let its_square = over(&|a, b| (a * a + a * b + b * b) / 3.0);
    assert!((its_mean / mean - 1.0).abs() < 0.002, "{its_mean} for {mean}");
    // What callers behind a talk wait goes by its square.
    assert!((its_square / square - 1.0).abs() < 0.04, "{its_square} for {square}");
}

#[test]
fn a_day_without_a_midnight_has_its_past_and_its_agents() {
    let mut plan = (*plan(2, 5, "10s")).clone();
    plan.timezone = chrono_tz::Africa::Cairo;
    // At midnight of this Friday the clocks go to one.
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let (before, day, next) = (day("2026-04-23"), day("2026-04-24"), day("2026-04-25"));
    let utc = |text: &str| Wall(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis());
    let begins = utc("2026-04-23T22:00:00Z");
    let all = [plan.midnight(before).unwrap(), begins, plan.midnight(next).unwrap()];
    assert_eq!(plan.local(begins).to_string(), "2026-04-24 01:00:00 EEST");

    let mut past = Past::before(&plan, day);
    for (seq, at) in [(1, "2026-04-23T21:00:00Z"), (2, "2026-04-23T23:00:00Z")] {
        let number = CallerNumber::Withheld;
        let caller = Caller { number, name: None, diverted_from: None };
        let origin = Origin::Trunk("carrier".into());
        let event =
            CallEvent::Arrived { number: "0312345678".into(), caller, origin, counted: true };
        let call = CallId(uuid::Uuid::from_u64_pair(seq, 7));
        past.apply(&Entry { seq, at: utc(at), fact: Fact::Call { call, t_ms: 0, event } });
    }
    assert_eq!(past.finish().by_day, BTreeMap::from([(before, 1)]));

    let stays = |roster: &Roster| -> Vec<(Wall, Wall)> {
        let stints = roster.stints(&plan, &[before, day]);
        stints.iter().map(|stint| (stint.from, stint.until)).collect()
    };
    let whole = |from: usize| (all[from], all[from + 1]);
    assert_eq!(stays(&Roster::Everybody), [whole(0), whole(0), whole(1), whole(1)]);
    // Thursday, one all day; Friday is begun at one.
    let levels = (0..48).flat_map(|index| [((3, index), 1), ((4, index), 1)]).collect();
    assert_eq!(stays(&Roster::Levels(levels)), [whole(0), whole(1)]);
}
