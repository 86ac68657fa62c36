//! The agent's panel beside a real softphone: what an agent sees and does during a call, by keys and by clicks.

use crate::browser::{Browser, Look, Page};
use crate::support::desk::{Desk, Setup, binary, password};
use crate::support::ear::Ear;
use crate::support::sipp::Sipp;
use crate::support::softphone::{self, Softphone};
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, rest, s};
use serde_json::{Value, json};
use std::process::Command;

/// The first caller's number.
pub const CALLER: &str = "031234561";
/// Beside a softphone's window.
const NARROW: (u32, u32) = (400, 900);

pub fn desk() -> Desk {
    desk_with("")
}

/// With more of its `[http]`.
pub fn desk_with(http: &str) -> Desk {
    let more = "[recording]\ndirectory = \"recordings\"\nleast_free_mib = 1\n";
    // Of a caller who sends no sound the desk asks after a minute whether it is still there, which SIPp cannot answer.
    let sound = "lost_after = \"10m\"\n";
    Desk::with(&Setup { plan: "panel.toml", more, sound, http, ..Setup::default() })
}

/// A softphone that rings until it is picked up. It hangs up when its voice ends: as long as the longest look at a call
/// takes on a busy machine.
pub fn phone(desk: &Desk, user: &str) -> Softphone {
    let setup = softphone::Setup {
        user,
        password: &password(user),
        desk: Some(desk.sip),
        voice: &Sound::voice(7, 120),
        answers: false,
        codecs: "PCMU",
        expires_s: 600,
    };
    Softphone::start(&desk.ports, &setup)
}

/// The panel of 6001, beside a softphone.
pub fn panel(browser: &Browser, desk: &Desk) -> Page {
    let look = Look { path: "/panel?extension=6001", size: NARROW, ..Look::default() };
    let page = browser.open(desk, &look);
    page.wait("!document.querySelector('#board').hidden", s(8));
    asked_for_the_account(&page);
    page
}

/// The page asks who its account is; a desk that does not know accounts says 404, and the console tells.
#[track_caller]
fn asked_for_the_account(page: &Page) {
    let complaints = page.complaints();
    let is_known = |it: &String| it.contains("status of 404");
    assert!(complaints.iter().all(is_known) && complaints.len() <= 1, "{complaints:?}");
}

fn caller(desk: &Desk, number: &str, first: &str) -> Sipp {
    let job = desk.caller(number).set("FROM", first).set("PATIENCE", 300_000).set("STAY", 300_000);
    job.within(s(400)).start()
}

#[track_caller]
pub fn is_in(page: &Page, role: &str) {
    page.wait(&format!("document.querySelector('#call-tile').classList.contains('{role}')"), s(15));
}

#[track_caller]
fn state(page: &Page, text: &str) {
    page.shows("#state", text, s(8));
}

/// Goes on duty by its key.
#[track_caller]
pub fn sign_in(page: &Page) {
    state(page, "業務外");
    page.press("i");
    state(page, "待機");
}

/// A call of the agent, picked up at the phone.
pub fn in_a_call(desk: &Desk, page: &Page, phone: &Softphone) -> Sipp {
    let caller = caller(desk, "0312340020", "03123456");
    is_in(page, "ringing");
    phone.tell("accept", "");
    is_in(page, "talking");
    caller
}

#[track_caller]
fn events(desk: &Desk, kind: &str) -> Vec<Value> {
    desk.ladder(CALLER).into_iter().filter(|event| event["kind"] == kind).collect()
}

#[test]
fn an_agent_takes_a_call_parks_it_fetches_it_passes_it_on_and_works_after_it() {
    let desk = desk();
    let (first, second) = (phone(&desk, "6001"), phone(&desk, "6002"));
    let browser = Browser::start();
    let page = panel(&browser, &desk);
    sign_in(&page);
    let caller = caller(&desk, "0312340020", "03123456");
    is_in(&page, "ringing");
    state(&page, "呼出中");
    page.shows("#caller", &format!("Hanako {CALLER}"), s(2));
    page.shows("#announce", &format!("着信: Hanako {CALLER}"), s(2));
    assert!(page.evaluate("document.title").as_str().is_some_and(|it| it.contains("着信")));
    page.picture("panel-ringing-narrow");
    first.tell("accept", "");
    is_in(&page, "talking");
    state(&page, "通話中");

    // Where nobody can be reached: told beside the field, and the number stays in it.
    page.press("t");
    page.wait("document.activeElement.id === 'to'", s(2));
    page.fill("#to", "9999");
    page.press("Enter");
    page.wait("document.querySelector('#call-error').textContent.includes('つながりません')", s(5));
    assert_eq!(page.evaluate("document.querySelector('#to').value"), json!("9999"));
    page.picture("panel-error-narrow");
    let complaints = page.complaints();
    assert!(complaints.iter().all(|it| it.contains("status of 409")), "{complaints:?}");
    page.press("Escape");
    page.wait("document.querySelector('#to-form').hidden", s(2));

    page.press("k");
    page.wait("document.querySelector('.slot.taken[data-slot=\"701\"]') !== null", s(8));
    state(&page, "後処理");
    page.picture("panel-parked-narrow");
    // The phone says in which slot the caller is, before it can be rung again.
    first.wait("CALL_CLOSED", s(8));
    page.click(".slot.taken[data-slot=\"701\"]");
    page.shows("#done", "取り出す: 受け付けました", s(5));
    first.wait_count("CALL_INCOMING", 2, s(8));
    first.tell("accept", "");
    is_in(&page, "talking");
    page.wait("document.querySelector('.slot.taken') === null", s(5));
    let kinds = ["parked", "unparked"].map(|kind| events(&desk, kind).len());
    assert_eq!(kinds, [1, 1]);

    page.click("li[data-agent=\"6002\"] [data-act=\"transfer-to\"]");
    second.wait("CALL_INCOMING", s(8));
    second.tell("accept", "");
    desk.agent_is("6002", "talking");
    is_in(&page, "last");
    page.wait(
        "document.querySelector('li[data-agent=\"6002\"]').classList.contains('talking')",
        s(5),
    );

    state(&page, "後処理");
    let until = || page.evaluate("Number(document.querySelector('#wrap .clock').dataset.until)");
    let before = until().as_f64().expect("a time");
    page.press("w");
    page.wait(
        &format!("Number(document.querySelector('#wrap .clock').dataset.until) > {before} + 50000"),
        s(5),
    );
    page.evaluate("scrollTo(0, 0)");
    page.picture("panel-wrap-up-narrow");
    page.press("e");
    state(&page, "待機");
    desk.agent_is("6001", "idle");

    page.press("p");
    page.wait("document.querySelector('.choose') !== null", s(2));
    page.press("2");
    state(&page, "離席: 研修");
    desk.agent_is("6001", "paused");
    page.press("u");
    state(&page, "待機");
    page.press("o");
    state(&page, "業務外");
    second.tell("hangup", "");
    assert!(caller.done().calls[&1].has("released"));
    page.has_no_complaints("at the end");
}

#[test]
fn a_note_is_text_whatever_is_in_it_and_stays_with_its_call_while_another_rings() {
    let desk = desk();
    let first = phone(&desk, "6001");
    let browser = Browser::start();
    let page = panel(&browser, &desk);
    sign_in(&page);
    // The ring is off until it is wanted.
    let off = "document.querySelector('[data-act=sound]').textContent.includes('オフ')";
    assert_eq!(page.evaluate(off), json!(true));
    page.press("a");
    page.wait("document.querySelector('[data-act=sound]').textContent.includes('オン')", s(2));
    let one = in_a_call(&desk, &page, &first);
    // In the field, letters are letters: nobody is parked by a k.
    page.press("n");
    page.wait("document.activeElement.id === 'note'", s(2));
    page.press("k");
    rest(500);
    assert!(events(&desk, "parked").is_empty());
    // Nor by who believes to be in it, and types.
    page.press("Escape");
    for key in ["k", "o", "e"] {
        page.press(key);
    }
    page.wait("document.querySelector('#done').textContent.startsWith('キーが続けて')", s(2));
    rest(1000);
    assert!(events(&desk, "parked").is_empty());
    state(&page, "通話中");
    let text = "<script>window.ran = 1</script><img src=x onerror='window.ran = 1'>\n二行目";
    page.fill("#note", text);
    page.press("Control+Enter");
    page.wait("document.querySelectorAll('#notes li').length === 1", s(5));
    assert_eq!(page.text("#notes li p"), text);
    assert_eq!(page.evaluate("document.querySelector('#note').value"), json!(""));
    let made =
        "[window.ran ?? null, document.querySelectorAll('#notes script, #notes img').length]";
    assert_eq!(page.evaluate(made), json!([null, 0]));
    let noted = events(&desk, "noted");
    assert_eq!(
        (noted.len(), &noted[0]["text"], &noted[0]["agent"]),
        (1, &json!(text), &json!("6001"))
    );
    // On a terminal it is seen by who asks for numbers and names, and is one line.
    let id = desk.call_of(CALLER).expect("the call")["call"].as_str().expect("an id").to_owned();
    let explained = |more: &[&str]| {
        let mut command = Command::new(binary());
        command
            .args(["explain", &id, "--config"])
            .arg(desk.dir().file("madoguchi.toml"))
            .args(more);
        String::from_utf8(command.output().expect("it runs").stdout).expect("text")
    };
    let (hidden, whole) = (explained(&[]), explained(&["--callers"]));
    assert!(hidden.contains("note noted") && !hidden.contains("window.ran"), "{hidden}");
    assert!(
        whole.lines().any(|line| line.contains("window.ran") && line.contains("二行目")),
        "{whole}"
    );

    // A note is begun; the call ends, and another comes while it is being typed.
    page.fill("#note", "途中の");
    first.tell("hangup", "");
    is_in(&page, "last");
    one.stop();
    page.evaluate("document.querySelector('[data-act=wrap_up_end]').click()");
    // Who hears that calls are recorded, and leaves before the phone is picked up.
    let two = desk.caller("0312340020").set("FROM", "03876543").set("STAY", 12_000).start();
    is_in(&page, "ringing");
    let kept = "[document.activeElement.id, document.querySelector('#note').value, document.querySelector('#note-label').textContent.includes('031234561')]";
    assert_eq!(page.evaluate(kept), json!(["note", "途中の", true]));
    page.picture("panel-note-of-another-call");
    page.press("Control+Enter");
    page.shows("#done", "メモを保存しました", s(5));
    let noted = events(&desk, "noted");
    assert_eq!(
        (noted.len(), &noted[1]["text"]),
        (2, &json!("途中の")),
        "about the call that it was begun for"
    );
    page.press("Escape");
    page.wait("document.querySelector('#note-label').textContent.includes('038765431')", s(5));
    let two = two.done();
    assert!(two.calls[&1].has("hung_up"), "{:?}", two.calls);

    // Who calls again is known, with what was written.
    let again = caller(&desk, "0312340020", "03123456");
    is_in(&page, "ringing");
    page.wait("document.querySelectorAll('#earlier > ol > li').length === 1", s(5));
    assert_eq!(page.evaluate("document.querySelectorAll('#earlier li li').length"), json!(2));
    page.has_no_complaints("at the end");
    again.stop();
}

#[test]
fn a_cut_connection_is_shown_and_what_was_typed_is_kept_and_saved_after_it() {
    let mut desk = desk();
    let first = phone(&desk, "6001");
    let browser = Browser::start();
    let page = panel(&browser, &desk);
    sign_in(&page);
    let caller = in_a_call(&desk, &page, &first);
    page.fill("#note", "切れても残るメモ");
    desk.process().signal("STOP");
    page.wait(
        "document.body.className === 'stale' && !document.querySelector('#alarm').hidden",
        s(9),
    );
    page.picture("panel-stale-narrow");
    page.press("Control+Enter");
    page.wait(
        "document.querySelector('#note-error').textContent.includes('届きませんでした')",
        s(15),
    );
    let value = "document.querySelector('#note').value";
    assert_eq!(page.evaluate(value), json!("切れても残るメモ"));
    // It dies, and is there again: the call is over, and the words are not.
    desk.kill();
    caller.stop();
    page.complaints();
    desk.again();
    page.wait(
        "document.body.className === 'live' && document.querySelector('#alarm').hidden",
        s(15),
    );
    is_in(&page, "last");
    assert_eq!(page.evaluate(value), json!("切れても残るメモ"));
    page.press("Control+Enter");
    page.wait("document.querySelectorAll('#notes li').length > 0", s(5));
    assert!(page.text("#notes li p").contains("切れても残る"));
    assert_eq!(page.evaluate("document.querySelector('#note-error').hidden"), json!(true));
    // A page that is loaded again has what was not saved.
    page.fill("#note", "読み直し");
    page.go("/panel?extension=6001");
    page.wait("document.querySelector('#note').value === '読み直し'", s(8));
    // Who logs out is asked first whether it may go; the harness says no.
    page.complaints();
    page.click("#nav button:last-of-type");
    rest(500);
    let asked = page.complaints();
    assert!(asked.iter().any(|it| it.contains("保存していないメモ")), "{asked:?}");
    assert_eq!(page.evaluate(value), json!("読み直し"));
    page.fill("#note", "");
    page.click("#nav button:last-of-type");
    page.wait("document.querySelector('#token') !== null", s(8));
}

#[test]
fn a_colleague_is_asked_and_let_go_by_keys() {
    let desk = desk();
    let (first, second) = (phone(&desk, "6001"), phone(&desk, "6002"));
    let browser = Browser::start();
    let page = panel(&browser, &desk);
    sign_in(&page);
    let caller = in_a_call(&desk, &page, &first);
    page.press("c");
    page.wait("document.activeElement.id === 'to'", s(2));
    page.fill("#to", "6002");
    page.press("Enter");
    second.wait("CALL_INCOMING", s(8));
    second.tell("accept", "");
    page.wait("document.querySelector('#consulting')?.textContent.includes('鈴木')", s(5));
    desk.agent_is("6002", "talking");
    page.picture("panel-consulting-narrow");
    page.press("s");
    page.shows("#done", "切替: 受け付けました", s(5));
    page.press("s");
    rest(500);
    page.press("b");
    page.wait("document.querySelector('#consulting') === null", s(5));
    assert_eq!(events(&desk, "consult_ended")[0]["why"], "sent_back");
    // The recording is silent for a while.
    page.press("x");
    page.wait("document.querySelector('[data-act=tape]').textContent.includes('再開')", s(5));
    page.press("x");
    page.wait("document.querySelector('[data-act=tape]').textContent.includes('一時停止')", s(5));
    page.press("?");
    page.wait("document.querySelector('#help').open", s(2));
    page.picture("panel-help-narrow");
    page.press("Escape");
    page.wait("!document.querySelector('#help').open", s(2));
    page.has_no_complaints("at the end");
    first.tell("hangup", "");
    assert!(caller.done().calls[&1].has("released"));
}

/// A message of some seconds in the box.
fn leave_a_message(desk: &Desk) {
    let ear = Ear::new(desk.ports.port());
    let job = desk.caller("0312340030").set("FROM", "03555566").set("MEDIA", ear.port());
    let caller = job.set("STAY", 20_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&Sound::voice(181, 30), Law::Mu, port);
    rest(6500);
    ear.press("#", port);
    assert!(caller.done().calls[&1].has("released"));
}

#[test]
fn a_message_is_listened_to_and_marked_by_keys() {
    let desk = desk();
    let browser = Browser::start();
    // Who has no extension says whose panel it is.
    let look = Look { path: "/panel", size: NARROW, ..Look::default() };
    let page = browser.open(&desk, &look);
    page.wait("document.activeElement.id === 'extension'", s(8));
    page.fill("#extension", "6999");
    page.press("Enter");
    page.wait("document.querySelector('#alarm').textContent.includes('6999')", s(8));
    page.fill("#extension", "6001");
    page.press("Enter");
    page.wait("!document.querySelector('#board').hidden", s(8));
    page.complaints();
    leave_a_message(&desk);
    page.wait("document.querySelector('[data-act=play]:enabled') !== null", s(8));
    page.press("m");
    page.wait("document.querySelector('#player').currentTime > 0.3", s(8));
    assert_eq!(page.evaluate("document.querySelector('#messages-error').hidden"), json!(true));
    page.press("h");
    page.wait("document.querySelector('#messages-h').textContent.endsWith('0')", s(5));
    assert_eq!(desk.get("/api/v1/messages")["messages"][0]["heard"], true);
    page.has_no_complaints("at the end");
}

#[test]
fn h_marks_the_message_that_was_played_although_another_came() {
    let desk = desk();
    let browser = Browser::start();
    let page = panel(&browser, &desk);
    leave_a_message(&desk);
    page.wait("document.querySelectorAll('[data-act=play]:enabled').length === 1", s(8));
    // Nobody has heard it: one key is not enough to have it gone.
    page.press("h");
    page.wait("document.querySelector('#done').textContent !== ''", s(3));
    assert_eq!(desk.get("/api/v1/messages")["messages"][0]["heard"], false);
    page.press("m");
    page.wait("document.querySelector('#player').currentTime > 0.3", s(8));
    leave_a_message(&desk);
    page.wait("document.querySelectorAll('[data-act=play]:enabled').length === 2", s(8));
    page.press("h");
    page.wait("document.querySelector('#messages-h').textContent.endsWith('1')", s(5));
    let messages = desk.get("/api/v1/messages")["messages"].clone();
    let heard: Vec<_> = messages.as_array().unwrap().iter().map(|row| &row["heard"]).collect();
    assert_eq!(heard, [&json!(false), &json!(true)], "newest first: {messages:#}");
    // And again, by a wrong key: the one that nobody has heard stays.
    page.press("h");
    rest(1000);
    assert_eq!(desk.get("/api/v1/messages")["messages"][0]["heard"], false);
}

#[test]
fn the_panel_is_open_to_all_beside_a_softphone_and_on_a_whole_screen() {
    let desk = desk();
    let (first, _second) = (phone(&desk, "6001"), phone(&desk, "6002"));
    let browser = Browser::start();
    let page = panel(&browser, &desk);
    sign_in(&page);
    leave_a_message(&desk);
    // One parked, one in the talk, two waiting; notes, an earlier call, a ring in vain.
    let one = in_a_call(&desk, &page, &first);
    page.fill("#note", "VPN に接続できない。証明書の期限切れ。更新手順を案内し、本人が確認。");
    page.press("Control+Enter");
    page.wait("document.querySelectorAll('#notes li').length === 1", s(5));
    page.press("Escape");
    page.press("k");
    page.wait("document.querySelector('.slot.taken') !== null", s(8));
    page.press("e");
    let two = caller(&desk, "0312340050", "03987654");
    let two = {
        is_in(&page, "ringing");
        first.tell("hangup", "");
        page.wait("document.querySelectorAll('#unanswered li').length === 1", s(8));
        is_in(&page, "ringing");
        first.tell("accept", "");
        is_in(&page, "talking");
        two
    };
    let three = caller(&desk, "0312340020", "03777788");
    page.wait("document.querySelectorAll('#queue li').length === 1", s(8));
    for look in Look::all() {
        for (size, shape) in [(NARROW, "narrow"), ((1600, 1000), "whole"), ((900, 1000), "half")] {
            let look = Look { path: "/panel?extension=6001", size, ..look };
            let page = browser.open(&desk, &look);
            page.wait("document.querySelectorAll('#queue li').length === 1", s(8));
            asked_for_the_account(&page);
            let case = format!("{}-{shape}", look.name());
            page.is_open_to_all(&case);
            page.nothing_overflows(".tile, .tile button", &case);
            let wide =
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
            assert_eq!(page.evaluate(wide), json!(true), "{case}: it scrolls sideways");
            page.picture(&format!("panel-{case}"));
            page.has_no_complaints(&case);
            page.close();
        }
    }
    // In the end each action that has a button has a key on it, and no key is there twice.
    let keys = page.evaluate(
        "[...document.querySelectorAll('button[data-act]')].filter((it) => !['transfer-to', 'consult-with', 'note_here', 'play', 'heard'].includes(it.dataset.act)) \
         .map((it) => [it.dataset.act, it.getAttribute('aria-keyshortcuts'), it.querySelector('kbd')?.textContent ?? null])",
    );
    let keys: Vec<(String, Option<String>, Option<String>)> = serde_json::from_value(keys).unwrap();
    assert!(keys.len() > 10, "{keys:?}");
    assert!(keys.iter().all(|(_, key, shown)| key.is_some() && shown.is_some()), "{keys:?}");
    let once: std::collections::BTreeSet<_> = keys.iter().map(|(_, key, _)| key.clone()).collect();
    assert_eq!(once.len(), keys.len(), "{keys:?}");
    eventually("all calls go", s(10), || {
        first.tell("hangup", "");
        true
    });
    for caller in [one, two, three] {
        caller.stop();
    }
}
