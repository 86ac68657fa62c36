//! An agent whose line or role is another meanwhile: the panel says so, shows nothing that is not the agent's any more,
//! keeps what is typed, and does not ask over and over for what it is refused.

use crate::browser::{Browser, Look, Page};
use crate::panel::{CALLER, desk_with, in_a_call, phone, sign_in};
use crate::support::desk::Desk;
use crate::support::{eventually, rest, s};
use serde_json::json;
use std::io::Write;
use std::process::Stdio;

const PASSWORD: &str = "correct horse battery staple";
const DRAFT: &str = "15時に折り返す約束";
/// Parts of the panel that show callers, but for the words that are kept.
const CALLERS: &str = "[...document.querySelectorAll('#call, #who-calls, #queue, #earlier, #notes, #unanswered, #announce')]\
                       .map((it) => it.textContent).join(' ') + document.title";
/// As a page may ask within 20 s for what it is refused.
const FEW: usize = 5;

fn desk() -> Desk {
    desk_with("people_file = \"secrets/people.toml\"\n")
}

/// `madoguchi people`, and a reload.
fn people(desk: &mut Desk, words: &[&str]) {
    let words = [&["people"][..], words, &["--config", "madoguchi.toml"]].concat();
    let mut child =
        desk.command(&words).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    // A command that reads nothing may be over already.
    let _ = child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes());
    assert!(child.wait().unwrap().success(), "{words:?}");
    let before = desk.log().matches("were read again").count();
    desk.process().signal("HUP");
    eventually("what changed is in force", s(10), || {
        desk.log().matches("were read again").count() > before
    });
}

/// The panel of sato, who has this role and logs in by name.
fn panel(browser: &Browser, desk: &mut Desk, role: &str) -> Page {
    people(desk, &["add", "sato", "--name", "佐藤", "--role", role, "--extension", "6001"]);
    let page = browser.open(desk, &Look { path: "/panel", known: false, ..Look::default() });
    page.fill("#user", "sato");
    page.fill("#password", PASSWORD);
    page.click("form:has(#user) button[type=submit]");
    if role != "agent" {
        // Who leads is led to the supervisor's page.
        page.wait("document.querySelector('#user') === null", s(10));
        page.go("/panel");
    }
    page.wait("document.querySelector('#board')?.hidden === false", s(10));
    page
}

/// What was refused within 20 s from now on.
#[track_caller]
fn is_refused_seldom(page: &Page) {
    rest(20_000);
    let refused = page.refused();
    assert!(!refused.is_empty() && refused.len() < FEW, "{refused:#?}");
}

#[test]
fn an_agent_who_gets_another_line_is_told_so_and_sees_no_caller_of_the_old_one() {
    let mut desk = desk();
    let (phone, _other) = (phone(&desk, "6001"), phone(&desk, "6002"));
    let browser = Browser::start();
    let page = panel(&browser, &mut desk, "agent");
    sign_in(&page);
    let caller = in_a_call(&desk, &page, &phone);
    page.fill("#note", DRAFT);
    assert!(page.evaluate(CALLERS).to_string().contains(CALLER));
    page.refused();
    people(&mut desk, &["change", "sato", "--extension", "6002"]);
    page.wait("document.querySelector('#me').textContent.includes('6002')", s(20));
    page.shows("#alarm", "あなたの内線は 6001 から 6002 に変わりました。", s(5));
    let callers = page.evaluate(CALLERS).to_string();
    assert!(!callers.contains(CALLER), "{callers}");
    assert_eq!(page.evaluate("document.querySelector('#note').value"), json!(DRAFT));
    page.picture("panel-moved");
    is_refused_seldom(&page);
    // It stands until something is ordered at the new line.
    assert_eq!(page.evaluate("document.querySelector('#alarm').hidden"), json!(false));
    page.click("[data-act=pause_for]");
    page.wait("document.querySelector('#alarm').hidden", s(5));
    phone.tell("hangup", "");
    caller.stop();
}

#[test]
fn an_agent_who_is_none_any_more_is_told_so_sees_no_panel_and_goes_on_once_there_is_a_line() {
    let mut desk = desk();
    let phone = phone(&desk, "6001");
    let browser = Browser::start();
    let page = panel(&browser, &mut desk, "agent");
    sign_in(&page);
    let caller = in_a_call(&desk, &page, &phone);
    page.fill("#note", DRAFT);
    page.refused();
    people(&mut desk, &["change", "sato", "--role", "viewer", "--no-extension"]);
    let alarm =
        |text: &str| format!("document.querySelector('#alarm').textContent.includes('{text}')");
    page.wait(&alarm("内線 6001 の画面は、いまのログインでは見られません"), s(20));
    assert_eq!(page.evaluate("document.querySelector('#board').hidden"), json!(true));
    let callers = page.evaluate(&format!("{CALLERS} + document.body.innerText")).to_string();
    assert!(!callers.contains(CALLER), "{callers}");
    page.picture("panel-no-line");
    page.click("[data-act=language]");
    page.wait(&alarm("the panel of extension 6001 cannot be seen"), s(5));
    page.is_open_to_all("without a line");
    is_refused_seldom(&page);
    people(&mut desk, &["change", "sato", "--role", "agent", "--extension", "6002"]);
    page.wait("document.querySelector('#board').hidden === false", s(45));
    assert!(page.text("#me").contains("6002"), "{}", page.text("#me"));
    assert_eq!(page.evaluate("document.querySelector('#note').value"), json!(DRAFT));
    phone.tell("hangup", "");
    caller.stop();
}

#[test]
fn a_supervisor_who_gets_another_line_sees_the_panel_of_that_one() {
    sees_the_other_line("supervisor", &["--extension", "6002"]);
}

#[test]
fn an_agent_who_becomes_a_supervisor_with_another_line_sees_the_panel_of_that_one() {
    sees_the_other_line("agent", &["--role", "supervisor", "--extension", "6002"]);
}

fn sees_the_other_line(role: &str, change: &[&str]) {
    let mut desk = desk();
    let (phone, _other) = (phone(&desk, "6001"), phone(&desk, "6002"));
    let browser = Browser::start();
    let page = panel(&browser, &mut desk, role);
    sign_in(&page);
    let caller = in_a_call(&desk, &page, &phone);
    people(&mut desk, &[&["change", "sato"][..], change].concat());
    // As when the page is looked at again; else it asks each half minute.
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    page.wait("document.querySelector('#me').textContent.includes('6002')", s(10));
    page.shows("#alarm", "あなたの内線は 6001 から 6002 に変わりました。", s(5));
    let callers = page.evaluate(CALLERS).to_string();
    assert!(!callers.contains(CALLER), "{callers}");
    phone.tell("hangup", "");
    caller.stop();
}

#[test]
fn who_logs_in_after_another_in_the_same_browser_finds_nothing_of_the_others_words() {
    let mut desk = desk();
    let (phone, _other) = (phone(&desk, "6001"), phone(&desk, "6002"));
    let browser = Browser::start();
    let page = panel(&browser, &mut desk, "agent");
    people(
        &mut desk,
        &["add", "suzuki", "--name", "鈴木", "--role", "agent", "--extension", "6002"],
    );
    sign_in(&page);
    let caller = in_a_call(&desk, &page, &phone);
    page.fill("#note", DRAFT);
    suzuki_logs_in(&page);
    page.wait("document.querySelector('#me')?.textContent.includes('6002')", s(30));
    assert_eq!(page.evaluate("document.querySelector('#note').value"), json!(""));
    let shown = page.evaluate(&format!("{CALLERS} + document.body.innerText")).to_string();
    assert!(!shown.contains(CALLER) && !shown.contains(DRAFT), "{shown}");
    is_kept_for_sato(&page);
    phone.tell("hangup", "");
    caller.stop();
}

#[test]
fn a_supervisor_who_logs_in_after_another_finds_none_of_the_others_words_in_an_agents_panel() {
    let mut desk = desk();
    let phone = phone(&desk, "6001");
    let browser = Browser::start();
    let page = panel(&browser, &mut desk, "supervisor");
    sign_in(&page);
    people(&mut desk, &["change", "sato", "--no-extension"]);
    people(&mut desk, &["add", "suzuki", "--name", "鈴木", "--role", "supervisor"]);
    page.go("/panel?extension=6001");
    page.wait("document.querySelector('#board')?.hidden === false", s(10));
    let caller = in_a_call(&desk, &page, &phone);
    page.fill("#note", DRAFT);
    page.evaluate("(window.before = true)");
    suzuki_logs_in(&page);
    // Before the half minute has passed after which the account is asked for anyhow.
    page.wait("window.before === undefined", s(15));
    page.wait("document.querySelector('#board')?.hidden === false", s(10));
    assert_eq!(page.evaluate("document.querySelector('#note').value"), json!(""));
    let shown = page.evaluate("document.body.innerText").to_string();
    assert!(shown.contains(CALLER) && !shown.contains(DRAFT), "{shown}");
    is_kept_for_sato(&page);
    phone.tell("hangup", "");
    caller.stop();
}

/// In another tab.
fn suzuki_logs_in(page: &Page) {
    page.evaluate(&format!(
        "fetch('/logout', {{ method: 'POST', headers: {{ 'X-Madoguchi': '1' }} }}).then(() => fetch('/login', {{ method: 'POST', body: new URLSearchParams({{ user: 'suzuki', password: '{PASSWORD}' }}) }})).then(() => 1)"
    ));
}

#[track_caller]
fn is_kept_for_sato(page: &Page) {
    let kept = page.evaluate("sessionStorage.getItem('drafts sato')").to_string();
    assert!(kept.contains(DRAFT), "for who typed it: {kept}");
}
