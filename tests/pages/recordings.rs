//! The list of recordings: what stands in it belongs to what was looked for.

use crate::browser::{Browser, Look};
use crate::support::desk::Desk;
use crate::support::s;
use serde_json::{Value, json};

const LIST: &str = "/api/v1/recordings";
const ROWS: &str = "document.querySelectorAll('#rows tr').length";

/// A day's recorded calls of these callers, as the list of recordings has them.
fn day(day: &str, callers: &[&str], more: Value) -> Value {
    let call = |number: &&str| {
        json!({
            "call": format!("019a0000-0000-7000-8000-{number:0>12}"), "arrived_at_ms": 1_790_000_000_000_i64,
            "caller": { "number": { "known": number } }, "number": "0312340020", "outcome": "answered", "state": "ended",
            "talks": [], "wait_ms": 1000, "length_ms": 2000,
            "recordings": [{ "number": 1, "state": "kept", "from_ms": 0, "length_ms": 2000, "missing": 0, "fetched": 0 }],
        })
    };
    let calls: Vec<Value> = callers.iter().map(call).collect();
    json!({ "calls": calls, "day": day, "timezone": "Asia/Tokyo", "more_before": more })
}

#[test]
fn under_a_day_that_could_not_be_listed_stand_no_recordings_of_another() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = browser.open(&desk, &Look::default());
    let today = day("2026-11-26", &["0311111111", "0322222222"], json!("before-today"));
    page.answers("GET", LIST, 200, &today, s(0));
    page.go("/recordings");
    page.wait(&format!("{ROWS} === 2"), s(5));
    assert_eq!(page.evaluate("document.querySelector('#more').hidden"), json!(false));
    page.answers("GET", LIST, 503, &json!({ "error": "later" }), s(0));
    page.click("#earlier");
    page.wait("!document.querySelector('#alarm').hidden", s(5));
    assert_eq!(page.evaluate("document.querySelector('#day').value"), json!("2026-11-25"));
    assert_eq!(page.evaluate(ROWS), json!(0));
    assert_eq!(page.text("#count"), "", "nobody knows whether there are any");
    assert_eq!(page.evaluate("document.querySelector('#more').hidden"), json!(true));
    // The day's own, once it can be listed.
    page.asked();
    page.answers("GET", LIST, 200, &day("2026-11-25", &["0333333333"], json!(null)), s(0));
    page.click("#search [type=submit]");
    page.wait(&format!("{ROWS} === 1"), s(5));
    assert_eq!(page.evaluate("document.querySelector('#alarm').hidden"), json!(true));
    assert!(page.text("#rows").contains("0333333333"), "{}", page.text("#rows"));
    assert_eq!(page.asked()[0]["query"], json!("?day=2026-11-25"));
}

#[test]
fn what_could_not_be_added_is_asked_again_and_the_rows_stay() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = browser.open(&desk, &Look::default());
    page.answers("GET", LIST, 200, &day("2026-11-26", &["0311111111"], json!("then")), s(0));
    page.go("/recordings");
    page.wait(&format!("{ROWS} === 1"), s(5));
    page.answers("GET", LIST, 503, &json!({ "error": "later" }), s(0));
    page.click("#more");
    page.wait("!document.querySelector('#alarm').hidden", s(5));
    assert_eq!(page.evaluate(ROWS), json!(1));
    page.answers("GET", LIST, 200, &day("2026-11-26", &["0322222222"], json!(null)), s(0));
    page.click("#more");
    page.wait(&format!("{ROWS} === 2"), s(5));
    assert_eq!(page.evaluate("document.querySelector('#more').hidden"), json!(true));
}

#[test]
fn an_agent_who_was_deselected_is_not_selected_again_by_another_language() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = browser.open(&desk, &Look { path: "/recordings?agent=6001", ..Look::default() });
    let agent = "document.querySelector('#agent').value";
    page.wait(&format!("{agent} === '6001'"), s(5));
    page.select("#agent", "");
    page.click("#search [type=submit]");
    page.wait("!location.search.includes('6001')", s(5));
    page.click("#language");
    page.wait("document.documentElement.lang === 'en'", s(5));
    assert_eq!(page.evaluate(agent), json!(""));
}
