//! What the supervisor's pages say stays true while answers come late, twice or not at all.

use crate::browser::{Browser, Look, Page};
use crate::support::desk::Desk;
use crate::support::{eventually, rest, s};
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

const SEARCH: &str = "/api/v1/calls/search";
const ROWS: &str = "document.querySelectorAll('#page tr[data-call]').length";

/// What is found, and whether there is more.
fn found(calls: &[u32], more: Value) -> Value {
    let calls: Vec<Value> = calls.iter().map(|n| call(*n)).collect();
    json!({ "calls": calls, "more_before": more })
}

#[test]
fn the_calls_shown_are_those_that_the_form_asks_for_after_another_tab_and_after_a_failure() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = page(&browser, &desk);
    page.click("[data-tab=calls]");
    page.wait("document.querySelector('#calls-form') !== null", s(5));
    page.answers("GET", SEARCH, 200, &found(&[1, 2], json!("2")), s(0));
    page.fill("#calls-form [name=day]", "2026-01-02");
    page.fill("#calls-form [name=number]", "0398");
    page.select("#calls-form [name=agent]", "6001");
    page.select("#calls-form [name=outcome]", "abandoned");
    page.click("#calls-form button.main");
    page.wait(&format!("{ROWS} === 2"), s(5));
    page.click("[data-tab=hours]");
    page.wait("document.querySelector('#hours-form') !== null", s(5));
    page.click("[data-tab=calls]");
    page.wait("document.querySelector('#calls-form') !== null", s(5));
    assert_eq!(page.evaluate(ROWS), json!(2));
    let form = "Object.fromEntries(new FormData(document.querySelector('#calls-form')))";
    let due =
        json!({ "day": "2026-01-02", "number": "0398", "agent": "6001", "outcome": "abandoned" });
    assert_eq!(page.evaluate(form), due);
    page.answers("GET", SEARCH, 503, &json!({ "error": "later" }), s(0));
    page.fill("#calls-form [name=number]", "0120");
    page.click("#calls-form button.main");
    page.wait("!document.querySelector('#page-error').hidden", s(5));
    assert_eq!(page.evaluate(ROWS), json!(0));
    assert_eq!(page.text("#page p[role=status]"), "", "nobody knows how many there are");
    let more =
        "[...document.querySelectorAll('#page button')].some((it) => it.textContent === '続き')";
    assert_eq!(page.evaluate(more), json!(false));
}

#[test]
fn an_answer_that_comes_late_or_twice_adds_no_call_to_the_list() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = page(&browser, &desk);
    page.click("[data-tab=calls]");
    page.wait("document.querySelector('#calls-form') !== null", s(5));
    let rows = ROWS;
    let search = SEARCH;
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
    // The field above them says another month: theirs stands with them.
    let heading = page.text("#rates-h");
    let (_, month) = heading.split_once(": ").unwrap_or_else(|| panic!("no month: {heading}"));
    assert!(named.contains(month), "{named}: {heading}");
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

#[test]
fn an_order_about_hours_is_the_one_that_is_selected_after_another_tab_was_looked_at() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let board = desk.get("/api/v1/board");
    let number = board["numbers"][0]["number"].as_str().expect("a number");
    let page = page(&browser, &desk);
    page.fill("#author", "佐藤");
    let hours = || {
        page.click("[data-tab=hours]");
        page.wait("document.querySelector('#hours-form') !== null", s(5));
    };
    hours();
    page.select("#hours-form [name=number]", number);
    page.select("#hours-form [name=to]", "open");
    let words = page.text("#hours-form button.main");
    page.click("[data-tab=calls]");
    page.wait("document.querySelector('#calls-form') !== null", s(5));
    hours();
    let to = "document.querySelector('#hours-form [name=to]').value";
    assert_eq!(page.evaluate(to), json!("open"));
    assert_eq!(page.text("#hours-form button.main"), words);
    page.select("#hours-form [name=to]", "close");
    assert_ne!(page.text("#hours-form button.main"), words);
    for to in ["open", "close"] {
        page.answers("POST", &format!("/api/v1/hours/{number}/{to}"), 204, &Value::Null, s(0));
    }
    page.fill("#hours-form [name=until]", &at(&page, 60));
    page.fill("#hours-form [name=reason]", "停電");
    page.click("#hours-form button.main");
    page.wait("document.querySelector('#done').textContent !== ''", s(5));
    assert_eq!(page.asked()[0]["path"], json!(format!("/api/v1/hours/{number}/close")));
    // What is shown for the next is what the button says again.
    assert_eq!(page.evaluate(to), json!("close"));
}

/// The page at the plan.
fn at_the_plan(browser: &Browser, desk: &Desk) -> Page {
    let page = page(browser, desk);
    page.click("[data-tab=plan]");
    page.wait("document.querySelector('#plan-text')?.value.length > 100", s(8));
    page
}

/// A comment behind the plan.
fn types(page: &Page, words: &str) {
    page.evaluate(&format!(
        "(() => {{ const it = document.querySelector('#plan-text'); it.value += '\\n# {words}'; it.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()"
    ));
}

#[track_caller]
fn is_checked(page: &Page) {
    page.click("#plan-check");
    page.wait("document.querySelector('#plan-diff ins') !== null", s(8));
}

#[test]
fn what_is_typed_into_a_plan_while_it_is_put_in_force_stays() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = at_the_plan(&browser, &desk);
    types(&page, "before");
    is_checked(&page);
    let mut plan = desk.get("/api/v1/plan");
    plan["text"] = json!(format!("{}\n# before", plan["text"].as_str().expect("a text")));
    page.answers("GET", "/api/v1/plan", 200, &plan, s(6));
    page.click("#plan-activate");
    eventually("the plan is in force", s(5), || desk.get("/api/v1/plan")["text"] == plan["text"]);
    types(&page, "meanwhile");
    page.shows("#done", "有効にしました。通話中の呼は前のプランのまま終わります。", s(12));
    let text = page.evaluate("document.querySelector('#plan-text').value");
    assert!(text.as_str().is_some_and(|text| text.ends_with("# before\n# meanwhile")), "{text}");
    page.shows("#plan-standing", "未反映の変更があります。", s(3));
    page.shows("#plan-but", "有効にする前に、検査してください。", s(3));
}

#[test]
fn a_plan_that_another_put_in_force_while_one_was_typed_is_not_undone_unseen() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = at_the_plan(&browser, &desk);
    let began = desk.get("/api/v1/plan");
    let mut anothers = began.clone();
    anothers["text"] = json!(format!("{}\n# another's", began["text"].as_str().expect("a text")));
    anothers["sha256"] = json!("0".repeat(64));
    page.answers("GET", "/api/v1/plan", 200, &anothers, s(3));
    page.click("#plan-reload");
    types(&page, "mine");
    rest(4_000);
    page.asked();
    let text = page.evaluate("document.querySelector('#plan-text').value");
    assert!(text.as_str().is_some_and(|text| text.ends_with("# mine")), "{text}");
    is_checked(&page);
    page.answers("POST", "/api/v1/plan/activate", 409, &json!({ "error": "another" }), s(0));
    page.click("#plan-activate");
    page.wait("document.querySelector('#page-error').textContent !== ''", s(5));
    assert_eq!(
        page.asked()[0]["body"]["instead_of"],
        began["sha256"],
        "what was typed began there"
    );
}

#[test]
fn who_types_on_while_a_plan_is_refused_is_told() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = at_the_plan(&browser, &desk);
    types(&page, "before");
    is_checked(&page);
    let refused = json!({ "fits": false, "findings": [] });
    page.answers("POST", "/api/v1/plan/activate", 422, &refused, s(3));
    page.click("#plan-activate");
    rest(500);
    types(&page, "meanwhile");
    page.shows("#page-error", "誤りがあります。有効にできません。", s(8));
}
