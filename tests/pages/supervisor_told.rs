//! What the supervisor's pages say stays true while answers come late, twice or not at all.

use crate::browser::{Browser, Look, Page};
use crate::support::desk::Desk;
use crate::support::{rest, s};
use serde_json::{Value, json};

fn page(browser: &Browser, desk: &Desk) -> Page {
    let page = browser.open(desk, &Look { path: "/supervisor", ..Look::default() });
    page.wait("document.querySelector('#page table') !== null", s(8));
    page
}

/// A moment so many minutes from now, as the desk's clock on the wall shows it.
fn at(page: &Page, minutes: i64) -> String {
    let script =
        format!("new Date(Date.now() + 9 * 3600e3 + {minutes} * 60e3).toISOString().slice(0, 16)");
    page.evaluate(&script).as_str().expect("a time").to_owned()
}

#[test]
fn an_exclusion_that_its_author_approves_is_refused_and_the_reason_stays() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = page(&browser, &desk);
    page.click("[data-tab=figures]");
    page.wait("document.querySelector('#exclusion-form') !== null", s(8));
    page.fill("#author", "佐藤");
    page.fill("#exclusion-form [name=from]", &at(&page, -60));
    page.fill("#exclusion-form [name=until]", &at(&page, -30));
    page.fill("#exclusion-form [name=reason]", "停電");
    page.click("#exclusion-form button.main");
    page.wait("[...document.querySelectorAll('#page td button')].length === 2", s(8));
    page.click("#page td button");
    page.wait("!document.querySelector('#page-error').hidden", s(5));
    let told = page.text("#page-error");
    assert!(told.contains("別の人"), "{told}");
    // The figures are read anew behind each order.
    rest(1500);
    assert_eq!(page.evaluate("document.querySelector('#page-error').hidden"), json!(false));
    assert_eq!(page.text("#page-error"), told);
    // What is done next is not beside the answer to what was done before.
    page.click("[data-tab=calls]");
    page.wait("document.querySelector('#page-error').hidden", s(5));
}

/// A call as the list of calls has it.
fn call(n: u32) -> Value {
    json!({
        "call": format!("019a0000-0000-7000-8000-{n:012}"), "arrived_at_ms": 1_790_000_000_000_i64,
        "caller": { "number": { "known": "0398765432" } }, "number": "0312340020", "outcome": "answered",
        "talks": [], "wait_ms": 1000, "length_ms": 2000, "state": "ended",
    })
}

#[test]
fn an_answer_that_comes_late_or_twice_adds_no_call_to_the_list() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = page(&browser, &desk);
    page.click("[data-tab=calls]");
    page.wait("document.querySelector('#calls-form') !== null", s(5));
    let found = |calls: &[u32], more: Value| json!({ "calls": calls.iter().map(|n| call(*n)).collect::<Vec<_>>(), "more_before": more });
    let rows = "document.querySelectorAll('#page tr[data-call]').length";
    let search = "/api/v1/calls/search";
    // Looked for twice before the answer is there.
    page.answers("GET", search, 200, &found(&[1, 2], json!("2")), s(1));
    page.evaluate("(() => { const go = document.querySelector('#calls-form button.main'); go.click(); go.click(); })()");
    page.wait(&format!("{rows} > 0"), s(5));
    rest(1500);
    assert_eq!(page.evaluate(rows), json!(2));
    // More is asked for twice.
    page.answers("GET", search, 200, &found(&[3], json!(null)), s(1));
    page.evaluate("(() => { const more = [...document.querySelectorAll('#page button')].find((it) => it.textContent === '続き'); more.click(); more.click(); })()");
    page.wait(&format!("{rows} > 2"), s(5));
    rest(1500);
    assert_eq!(page.evaluate(rows), json!(3));
}

#[test]
fn a_month_that_could_not_be_read_is_not_named_over_anothers_figures() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = page(&browser, &desk);
    page.click("[data-tab=figures]");
    page.wait("document.querySelector('#close-month') !== null", s(8));
    let named = page.text("#close-month");
    page.answers("GET", "/api/v1/service-level", 503, &json!({ "error": "later" }), s(0));
    page.fill("#month-form [name=month]", "2020-01");
    page.click("#month-form button");
    page.wait("!document.querySelector('#page-error').hidden", s(5));
    rest(500);
    assert_eq!(page.evaluate("document.querySelector('#page-error').hidden"), json!(false));
    // Drawn anew, in another language and back.
    page.click("[data-tab=calls]");
    page.click("[data-tab=figures]");
    page.wait("document.querySelector('#close-month') !== null", s(5));
    assert_eq!(page.text("#close-month"), named, "the figures are still that month's");
    assert_eq!(page.evaluate("document.querySelector('#close-month').disabled"), json!(true));
}

#[test]
fn a_new_plan_does_not_change_the_number_that_was_chosen_to_be_closed() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let mut board = desk.get("/api/v1/board");
    let rows = board["numbers"].as_array().expect("numbers").clone();
    assert!(rows.len() > 1, "{rows:?}");
    let number = rows[1]["number"].as_str().expect("a number").to_owned();
    let page = page(&browser, &desk);
    page.pretend(&board);
    page.go("/supervisor?again=1");
    page.wait("document.querySelector('#page table') !== null", s(8));
    page.click("[data-tab=hours]");
    page.wait("document.querySelector('#hours-form') !== null", s(5));
    page.select("#hours-form [name=number]", &number);
    let chosen = "document.querySelector('#hours-form [name=number]').value";
    assert_eq!(page.evaluate(chosen), json!(number));
    let words = page.text("#hours-form button.main");
    assert!(words.contains(&number), "{words}");
    // A plan is put in force in which a number stands before it: the page is told by the next board.
    let mut first = rows[0].clone();
    first["number"] = json!("0312340001");
    board["numbers"].as_array_mut().unwrap().insert(0, first);
    let options = rows.len() + 2 + 1;
    page.evaluate(&format!("window.pretended = JSON.stringify({board})"));
    let drawn = format!(
        "document.querySelectorAll('#hours-form [name=number] option').length === {options}"
    );
    page.wait(&drawn, s(5));
    assert_eq!(page.evaluate(chosen), json!(number));
    assert_eq!(page.text("#hours-form button.main"), words);
}
