//! What the panel tells an agent who has never seen it: where to answer, why something was refused, what can be done now.

use crate::browser::{Browser, Page};
use crate::panel::{CALLER, desk, in_a_call, is_in, panel, phone, sign_in};
use crate::support::desk::Desk;
use crate::support::s;
use crate::support::softphone::Softphone;
use serde_json::json;
use std::time::Duration;

/// 6001's panel with the phone beside it, on duty.
fn at_work(browser: &Browser) -> (Desk, Softphone, Page) {
    let desk = desk();
    let phone = phone(&desk, "6001");
    let page = panel(browser, &desk);
    sign_in(&page);
    (desk, phone, page)
}

/// The orders of the call's tile, in their order.
fn orders(page: &Page) -> serde_json::Value {
    page.evaluate(
        "[...document.querySelectorAll('#call .orders button')].map((it) => it.dataset.act)",
    )
}

#[test]
fn who_is_rung_reads_where_to_answer_and_then_where_to_hang_up_and_no_order_of_another_moment() {
    let browser = Browser::start();
    let (desk, phone, page) = at_work(&browser);
    let caller = desk.caller("0312340020").set("FROM", "03123456").set("STAY", 60_000).start();
    is_in(&page, "ringing");
    page.shows("#call .how", "電話機（ソフトフォン）で応答してください", s(2));
    assert_eq!(orders(&page), json!(["park", "transfer", "consult", "tape"]));
    phone.tell("accept", "");
    is_in(&page, "talking");
    page.shows("#call .how", "終話は電話機で", s(2));
    page.press("l");
    page.shows("#call .how", "Hang up on your phone", s(2));
    page.press("l");
    phone.tell("hangup", "");
    is_in(&page, "last");
    assert_eq!(page.evaluate("document.querySelector('#call .how')"), json!(null));
    caller.stop();
}

#[test]
fn a_transfer_that_reaches_nobody_is_told_with_its_number_and_says_nothing_of_other_buttons() {
    let browser = Browser::start();
    let (desk, phone, page) = at_work(&browser);
    let caller = in_a_call(&desk, &page, &phone);
    page.press("t");
    page.wait("document.activeElement.id === 'to'", s(2));
    let apart = "document.querySelector('#to').getBoundingClientRect().left - document.querySelector('#to-label').getBoundingClientRect().right";
    let apart = page.evaluate(apart).as_f64().expect("pixels");
    assert!(apart > 6.0, "the ring of the field, 5 pixels, is on its label: {apart}");
    page.fill("#to", "9999");
    page.press("Enter");
    page.shows("#call-error", "9999 にはつながりません（使用中・未接続・存在しない番号）。", s(5));
    page.press("Escape");
    page.press("l");
    page.press("c");
    page.wait("document.activeElement.id === 'to'", s(2));
    page.fill("#to", "9998");
    page.press("Enter");
    page.shows("#call-error", "Cannot reach 9998 (busy, offline or no such number).", s(5));
    phone.tell("hangup", "");
    caller.stop();
}

#[test]
fn who_has_just_parked_a_caller_takes_it_back_without_scrolling_and_is_not_said_to_be_recorded() {
    let browser = Browser::start();
    let (desk, phone, page) = at_work(&browser);
    let caller = in_a_call(&desk, &page, &phone);
    page.wait("document.querySelector('#call .facts').textContent.includes('録音中')", s(5));
    page.press("k");
    page.wait("document.querySelector('.slot.taken[data-slot=\"701\"]') !== null", s(8));
    is_in(&page, "last");
    let fetch = "#call-tile [data-act=retrieve]";
    page.wait(&format!("document.querySelector('{fetch}:enabled') !== null"), s(5));
    assert_eq!(page.text(fetch), "701 を取り出すR");
    assert!(!page.text("#call .facts").contains("録音中"), "{}", page.text("#call .facts"));
    let sight = format!(
        "scrollY === 0 && document.querySelector('{fetch}').getBoundingClientRect().bottom <= innerHeight"
    );
    assert_eq!(page.evaluate(&sight), json!(true));
    page.is_open_to_all("parked");
    // The phone says in which slot the caller is, before it can be rung again.
    phone.wait("CALL_CLOSED", s(8));
    page.click(fetch);
    phone.wait_count("CALL_INCOMING", 2, s(8));
    phone.tell("accept", "");
    is_in(&page, "talking");
    phone.tell("hangup", "");
    caller.stop();
}

#[test]
fn a_ticket_system_that_did_not_answer_is_in_sight_however_many_tickets_there_are() {
    let browser = Browser::start();
    let (desk, phone, page) = at_work(&browser);
    let ticket = |n: u32| json!({ "target": "tool", "ticket": n.to_string(), "subject": "印刷できない", "url": null });
    let known = json!({
        "person": { "name": "山田 花子", "department": "総務部", "note": "特別対応" }, "whole": false,
        "tickets": (1..=12).map(ticket).collect::<Vec<_>>(),
    });
    page.answers("GET", &format!("/api/v1/callers/{CALLER}"), 200, &known, Duration::ZERO);
    let caller = in_a_call(&desk, &page, &phone);
    page.wait("document.querySelector('#person') !== null", s(8));
    // Whole, within what the tile shows before anybody scrolls in it.
    let inside = "(() => { const [of, it] = ['#who-calls', '#not-all-told'].map((name) => document.querySelector(name).getBoundingClientRect()); \
                  return it.top >= of.top && it.bottom <= of.bottom && it.height > 0; })()";
    assert_eq!(page.evaluate(inside), json!(true));
    assert!(page.text("#who-calls").contains("未完了のチケット 12"), "how many there are");
    phone.tell("hangup", "");
    caller.stop();
}

#[test]
fn a_reply_stands_on_one_line_and_an_incident_says_whether_anything_is_to_be_saved() {
    let browser = Browser::start();
    let (desk, phone, page) = at_work(&browser);
    let caller = in_a_call(&desk, &page, &phone);
    page.wait("!document.querySelector('#incident-subject').disabled", s(8));
    page.shows("#incident-unsaved", "変更はありません", s(2));
    page.click("[data-do=escalate-system_builder]");
    page.click("#escalations [data-do=answered]");
    page.shows("#incident-unsaved", "まだ保存していません", s(2));
    let high = "(() => { const it = document.querySelector('#escalations li > :last-child'); \
                return it.getBoundingClientRect().height / parseFloat(getComputedStyle(it).lineHeight); })()";
    let lines = page.evaluate(high).as_f64().expect("lines");
    assert!(lines < 1.5, "the time of the reply is broken over {lines} lines");
    page.click("#incident-save");
    page.shows("#incident-unsaved", "変更はありません", s(8));
    phone.tell("hangup", "");
    caller.stop();
}
