//! The planning page and the evening's forecast on the wall, over a desk that has two months behind it.

use crate::browser::{Browser, Look, Page};
use crate::folder::store;
use crate::support::desk::Desk;
use crate::support::{eventually, rest, s};
use chrono::Utc;
use madoguchi::dialplan::{self, Plan};
use madoguchi::forecast::{Demand, Roster, Scenario, Told, World, run};
use madoguchi::view::Month;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Months of a plan whose numbers are open day and night, one after the other, as a history.
fn months(plan: &Arc<Plan>, months: [Month; 2]) -> Vec<madoguchi::event::Entry> {
    let mut scenario = Scenario::default();
    scenario.calls.month = 600.0;
    scenario.calls.numbers = [("0312340030".to_owned(), 1.0)].into();
    let mut entries = Vec::new();
    for month in months {
        let demand = Demand::expected(&scenario.calls, plan, month).unwrap();
        let world =
            World::of(Arc::clone(plan), &scenario, demand, Roster::Everybody, BTreeMap::new());
        run(&world, 7, |told| {
            if let Told::Entry(entry) = told {
                let mut entry = entry.clone();
                entry.seq = entries.len() as u64 + 1;
                entries.push(entry);
            }
        });
    }
    entries
}

/// A desk with two months behind it.
fn desk_with_a_past() -> (Desk, Month) {
    let mut desk = Desk::start("staffing.toml");
    let text = desk.get("/api/v1/plan")["text"].as_str().expect("a plan").to_owned();
    let (plan, _) = dialplan::load(&text, "plan.toml", None).unwrap_or_else(|_| panic!());
    let this = Month::of(Utc::now().with_timezone(&plan.timezone).date_naive());
    assert_eq!(desk.stop(), Some(0));
    let past = desk.dir().file("past.db");
    store(&past, months(&Arc::new(plan), [this.earlier(2), this.earlier(1)]));
    let there = desk.dir().file("store/madoguchi.db");
    for old in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{old}", there.display()));
    }
    std::fs::rename(past, there).unwrap();
    desk.again();
    // Whoever was there in those months has gone home.
    for agent in ["6001", "6002"] {
        let path = format!("/api/v1/agents/{agent}/sign-in");
        assert_eq!(desk.api("POST", &path, "").status / 100, 2);
    }
    (desk, this)
}

#[test]
fn wide_digits_and_commas_are_numbers_and_other_words_are_refused() {
    let desk = Desk::start("staffing.toml");
    let browser = Browser::start();
    let page = browser.open(&desk, &Look { path: "/supervisor", ..Look::default() });
    page.wait("document.querySelector('#page table') !== null", s(8));
    page.fill("#author", "佐藤");
    page.click("[data-tab=planning]");
    page.wait("document.querySelector('#planning-form [name=month]')?.value.length === 7", s(8));
    page.answers("POST", "/api/v1/planning", 409, &json!({ "error": "later" }), s(0));
    page.fill("#planning-form [name=calls]", "６，０００");
    page.fill("#planning-form [name=lines]", "３０");
    page.click("#planning-ask");
    page.wait("!document.querySelector('#page-error').hidden", s(5));
    let asked = page.asked();
    let (calls, lines) = (&asked[0]["body"]["calls"], &asked[0]["body"]["lines"]);
    assert_eq!((calls, lines), (&json!(6000), &json!(30)));
    // What the desk refuses stays to be read, though the page asks behind it what is being reckoned.
    rest(1000);
    assert_eq!(page.evaluate("document.querySelector('#page-error').hidden"), json!(false));
    page.fill("#planning-form [name=lines]", "三十");
    page.click("#planning-ask");
    page.wait("document.querySelector('#page-error').textContent.includes('三十')", s(3));
    assert_eq!(page.asked(), [] as [Value; 0], "another question is not asked");
}

/// The planning page, before anything is asked.
fn planning(browser: &Browser, desk: &Desk) -> Page {
    let page = browser.open(desk, &Look { path: "/supervisor", ..Look::default() });
    page.wait("document.querySelector('#page table') !== null", s(8));
    page.click("[data-tab=planning]");
    page.wait("document.querySelector('#planning-form [name=month]')?.value.length === 7", s(8));
    page
}

#[test]
fn who_takes_a_shift_out_sees_the_figures_of_those_that_are_left() {
    let desk = Desk::start("staffing.toml");
    let browser = Browser::start();
    let page = planning(&browser, &desk);
    page.click("#shift-add");
    page.click("#shift-add");
    let first = "#shifts tbody tr:nth-child(1)";
    page.fill(&format!("{first} td:first-child input"), "5");
    page.evaluate(&format!("document.querySelector('{first} [type=checkbox]').click()"));
    page.click(&format!("{first} td:last-child button"));
    page.wait("document.querySelectorAll('#shifts tbody tr').length === 1", s(5));
    let shown = "(() => { const row = document.querySelector('#shifts tbody tr'); \
                 return [row.querySelector('input').value, row.querySelectorAll(':checked').length]; })()";
    assert_eq!(page.evaluate(shown), json!(["1", 0]));
}

#[test]
fn who_may_not_see_the_answer_any_more_does_not_ask_for_it_each_second() {
    let desk = Desk::start("staffing.toml");
    let browser = Browser::start();
    let page = planning(&browser, &desk);
    let runs = json!({ "state": "running", "step": "history", "tried": 0, "of": 0, "done": 0, "since_ms": null, "wanted": null });
    page.answers("GET", "/api/v1/planning", 200, &runs, s(0));
    page.click("[data-tab=planning]");
    page.wait("document.querySelector('#planning-progress') !== null", s(5));
    page.answers("GET", "/api/v1/planning", 403, &json!({ "error": "no" }), s(0));
    page.wait("!document.querySelector('#page-error').hidden", s(5));
    page.asked();
    rest(4000);
    assert_eq!(page.asked(), [] as [Value; 0]);
}

#[test]
fn a_roster_goes_in_and_a_curve_comes_out_while_the_desk_goes_on() {
    let (desk, this) = desk_with_a_past();
    let browser = Browser::start();
    let look = Look { path: "/supervisor", ..Look::default() };
    let page = browser.open(&desk, &look);
    page.wait("document.querySelector('#page table') !== null", s(20));
    page.fill("#author", "佐藤");
    page.click("[data-tab=planning]");
    page.wait("document.querySelector('#planning-form [name=month]')?.value.length === 7", s(8));
    let next = this.later(1).to_string();
    assert_eq!(page.evaluate("document.querySelector('[name=month]').value"), json!(next));

    // One that nobody waits for.
    page.evaluate("document.querySelector('[name=by_half_hour]').click()");
    page.fill("#planning-form [name=calls]", "20000");
    page.click("#planning-ask");
    page.wait("document.querySelector('#planning-progress') !== null", s(8));
    page.picture("planning-runs");
    assert_eq!(page.evaluate("document.querySelector('#planning-ask').disabled"), json!(true));
    page.click("#planning-off");
    eventually("it is called off", s(60), || desk.get("/api/v1/planning")["state"] == "cancelled");
    page.wait("document.querySelector('#planning-progress') === null", s(8));

    // By the history, with a roster; without the half hours.
    page.evaluate("document.querySelector('[name=by_half_hour]').click()");
    page.fill("#planning-form [name=calls]", "");
    page.click("#shift-add");
    page.wait("document.querySelector('#shifts input') !== null", s(5));
    page.fill("#shifts tr:last-child td:first-child input", "2");
    page.click("#planning-ask");
    page.wait("document.querySelector('#curve-table .chosen') !== null", s(120));
    let answer = desk.get("/api/v1/planning");
    let told = &answer["answer"];
    assert_eq!((&answer["state"], &answer["wanted"]["author"]), (&json!("done"), &json!("佐藤")));
    assert_eq!(told["based_on"]["made_up"], false, "{told:#}");
    let expected = told["calls"].as_f64().unwrap();
    // Service days are all days: 600 in a month of 28 to 31 of them.
    assert!((500.0..700.0).contains(&expected), "{expected}");
    let agents = told["agents"].as_u64().expect("some number is enough");
    assert_eq!(page.text("#curve-table .chosen td"), agents.to_string());
    assert!(page.evaluate("document.querySelector('#made-up')").is_null());
    // Two for ten hours of the day leave the nights to nobody: worse than the fewest who are enough.
    let of_roster = told["roster"]["abandon"]["mean"].as_f64().unwrap();
    let last = told["curve"].as_array().unwrap().last().unwrap();
    assert!(of_roster > last["abandon"]["mean"].as_f64().unwrap(), "{told:#}");
    page.picture("planning-answer");
    page.is_open_to_all("the answer");
    page.has_no_complaints("planning");
    page.close();

    // The answer is there for who comes later, in the other language and theme.
    let look = Look { language: "en", theme: "dark", path: "/supervisor", ..Look::default() };
    let page = browser.open(&desk, &look);
    page.wait("document.querySelector('[data-tab=planning]') !== null", s(8));
    page.click("[data-tab=planning]");
    page.wait("document.querySelector('#curve-table .chosen') !== null", s(8));
    page.is_open_to_all("the answer in English");
    page.picture("planning-answer-en-dark");
}

#[test]
fn a_wall_says_what_today_comes_to_by_tonight() {
    let (desk, this) = desk_with_a_past();
    let told = || desk.get("/api/v1/tonight");
    eventually("tonight is reckoned", s(90), || !told()["tonight"].is_null());
    let tonight: Value = told()["tonight"].clone();
    assert_eq!(tonight["agents"], 2, "{tonight}");
    assert!(told()["why"].is_null());
    // The wall's month has calls to be judged by; a test on its first day has none of its own.
    let mut board = desk.get("/api/v1/board");
    board["month_abandon_rate"] = json!({"part": 31, "whole": 400, "percent": "7.75", "limit_percent": 10, "verdict": "within"});
    let browser = Browser::start();
    for look in Look::all() {
        let case = look.name();
        let page = browser.open(&desk, &Look { path: "/recordings", ..look });
        page.pretend(&board);
        page.go("/");
        page.wait("document.querySelector('#abandon-outlook').textContent.includes('–')", s(30));
        let of = |rate: &str, side: &str| tonight[rate]["abandon"][side].as_f64().unwrap() * 100.0;
        let due = format!("{:.0}–{:.0}%", of("day", "low"), of("day", "high"));
        let text = page.text("#abandon-outlook");
        assert!(text.contains(&due), "{text}: {due}, {this}");
        assert!(text.contains(&format!("{:.1}%", of("month", "mean"))), "{text}: {tonight}");
        page.nothing_overflows(".tile", &case);
        page.is_open_to_all(&case);
        page.picture(&format!("wallboard-tonight-{case}"));
        page.close();
    }
}
