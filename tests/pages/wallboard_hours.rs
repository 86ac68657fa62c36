//! What the wallboard says of the desk's hours: which numbers are open, and what people ordered.

use crate::browser::{Browser, Look, Page};
use crate::support::desk::Desk;
use crate::support::s;
use crate::wallboard::{PARTS, cut, in_an_hour};
use serde_json::{Value, json};

#[test]
fn the_wall_says_whether_each_number_is_open_why_not_and_until_when() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = browser.open(&desk, &Look::default());
    page.wait("document.querySelector('#service').classList.contains('some')", s(5));
    // The one that is closed by its hours is named, stands first, and is one of as many as the list below counts.
    assert_eq!(page.text("#service-state"), "一部受付中：0312340060 停止（13 番号中 1）");
    assert_eq!(page.evaluate("document.querySelectorAll('#numbers li').length"), json!(13 - 8));
    assert_eq!(page.text("#numbers-more"), "ほか 8 番号");
    assert_eq!(page.text("#numbers li.closed .name"), "closed a moment ago");
    assert_eq!(page.evaluate("document.querySelector('#numbers li').className"), json!("closed"));
    let order = |what: &str, body: Value| {
        let answer = desk.api("POST", &format!("/api/v1/hours/{what}"), &body.to_string());
        assert_eq!(answer.status, 204, "{}", answer.body);
    };
    order("all/disaster", json!({ "author": "佐藤", "reason": "地震", "until": in_an_hour() }));
    page.shows("#service-state", "受付停止中（災害・全番号）", s(5));
    let why = page.text("#service-until");
    assert!(why.contains(" まで") && why.ends_with("― 地震（佐藤）"), "{why}");
    assert_eq!(page.text("#ad-hoc"), "", "it is said once");
    assert_eq!(page.evaluate("document.querySelectorAll('#numbers li.open').length"), json!(0));
    // A number's own word goes before that of all.
    order("0312340010/open", json!({ "author": "佐藤", "reason": "復旧", "until": in_an_hour() }));
    page.wait("document.querySelectorAll('#numbers li.open').length === 1", s(5));
    let row = page.text("#numbers li.open");
    assert!(row.contains("one agent") && row.contains("臨時受付"), "{row}");
    assert_eq!(page.text("#service-state"), "一部受付中（13 番号中 12 番号が停止）");
    let told = page.text("#ad-hoc");
    assert!(told.contains("災害のため休業：全番号") && told.contains("地震（佐藤）"), "{told}");
    assert!(told.contains("臨時受付：0312340010") && told.contains("復旧（佐藤）"), "{told}");
    order("all/restore", json!({ "author": "佐藤" }));
    order("0312340010/restore", json!({ "author": "佐藤" }));
    page.shows("#ad-hoc", "", s(5));
    page.wait("document.querySelector('#service').classList.contains('some')", s(1));
    // The line limit of a number is said, and that it is reached.
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    let caller = desk.caller("0312340011").set("STAY", 30_000).start();
    page.wait("document.querySelector('#numbers li.full')?.textContent.includes('1/1')", s(5));
    page.has_no_complaints("all of it");
    agent.stop();
    caller.stop();
}

#[test]
fn of_many_closings_each_is_told_and_none_is_cut_before_it_says_which_numbers() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let order = |number: &str, action: &str, reason: &str| {
        let body = json!({ "author": "総務課長 佐藤", "reason": reason, "until": in_an_hour() });
        let path = format!("/api/v1/hours/{number}/{action}");
        assert_eq!(desk.api("POST", &path, &body.to_string()).status, 204);
    };
    let reason = "地震による庁舎の停電と通信設備の障害のため";
    for number in ["0312340010", "0312340011", "0312340020", "0312340030"] {
        order(number, "disaster", reason);
    }
    let whole = |page: &Page, case: &str| {
        let told =
            page.evaluate("[...document.querySelectorAll('.badge b')].map((it) => it.textContent)");
        assert_eq!(
            cut(page, "#service-state, #ad-hoc, .badge b, .badge .ends-at"),
            json!([]),
            "{case}"
        );
        let outside = page.evaluate(
            "const place = document.querySelector('#ad-hoc').getBoundingClientRect(); \
             [...document.querySelectorAll('.badge b')].filter((it) => it.getBoundingClientRect().right > place.right).length",
        );
        assert_eq!(outside, json!(0), "{case}");
        told
    };
    let size = (1280, 720);
    let looks = ["ja", "en"].map(|language| Look { language, size, ..Look::default() });
    let pages = looks.map(|look| browser.open(&desk, &look));
    let due = [["災害のため休業：4 番号"], ["Closed (disaster): 4 numbers"]];
    for (page, due) in pages.iter().zip(due) {
        page.shows(
            "#numbers-more",
            if due[0].is_ascii() { "+8 more" } else { "ほか 8 番号" },
            s(20),
        );
        page.wait("document.querySelector('.badge')", s(20));
        assert_eq!(whole(page, due[0]), json!(due));
        assert_eq!(page.text("#ad-hoc").matches(reason).count(), 1, "once");
    }
    for number in ["0312340040", "0312340050"] {
        order(number, "close", "点検");
    }
    order("0312340060", "open", "延長");
    let due = [
        ["災害のため休業：4 番号", "臨時休業：2 番号", "臨時受付：0312340060"],
        [
            "Closed (disaster): 4 numbers",
            "Temporarily closed: 2 numbers",
            "Temporarily open: 0312340060",
        ],
    ];
    for (page, due) in pages.iter().zip(due) {
        page.wait("document.querySelectorAll('.badge').length === 3", s(20));
        assert_eq!(whole(page, due[0]), json!(due));
        page.nothing_overflows(PARTS, due[0]);
    }
    pages[0].picture("wallboard-closings");
}
