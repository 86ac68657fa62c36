//! Ticket systems on the supervisor's page, and who calls and the call's incident on the agent's panel.

use crate::browser::{Browser, Look, Page};
use crate::panel;
use crate::support::desk::{Desk, Setup};
use crate::support::process::Dir;
use crate::support::{eventually, rest, s};
use serde_json::{Value, json};
use std::time::Duration;

/// At once.
const NOW: Duration = Duration::ZERO;
const TOOL: &str = "/api/v1/tickets/tool";

fn status(target: &str, system: &str, state: &str, waiting: u64, stuck: u64) -> Value {
    let oldest = (waiting > stuck).then_some(1_760_000_000_000_i64);
    json!({
        "target": target, "system": system, "state": state, "waiting": waiting, "stuck": stuck, "oldest_at_ms": oldest,
        "opened": 812, "found": 1, "added": 1640, "given_up": stuck, "discarded": 0, "left_over": 0,
        "last_done_at_ms": 1_760_000_000_000_i64, "troubled": 1,
        "failed": { "refused": stuck, "timed_out": 3, "unreachable": 0 },
    })
}

fn call(n: usize) -> String {
    format!("01990000-0000-7000-8000-{n:012}")
}

/// A call that the target refused; of every third its end was.
fn refused(n: usize) -> Value {
    let open = n % 3 != 2;
    json!({
        "call": call(n), "arrived_at_ms": 1_760_000_000_000_i64, "caller": "0312345678", "due_at_ms": 1_760_000_000_000_i64,
        "ticket": if open { Value::Null } else { json!("4711") },
        "steps": if open { json!(["open", "note", "ended"]) } else { json!(["ended"]) },
        "stuck": { "at_ms": 1_760_000_000_000_i64, "tries": 12, "why": { "unfed": "refused", "status": 422 } },
    })
}

fn rows(count: usize) -> Value {
    json!({ "rows": (0..count).map(refused).collect::<Vec<_>>(), "total": count })
}

/// The page of four systems, one of each state and the ledger; of `tool` so many calls wait for a person.
fn tickets(browser: &Browser, desk: &Desk, look: Look, stuck: usize) -> Page {
    let page = browser.open(desk, &Look { path: "/supervisor", ..look });
    let waiting = stuck as u64;
    let targets = json!({ "targets": [
        status("ledger", "ledger", "open", 0, 0),
        status("tool", "redmine", "open", waiting + 1, waiting),
        status("second", "rt", "away", 3, 0),
        status("third", "zammad", "barred", 5, 0),
    ] });
    page.answers("GET", "/api/v1/tickets", 200, &targets, NOW);
    page.answers("GET", &format!("{TOOL}/outbox"), 200, &rows(stuck), NOW);
    let preview = json!({ "key": "k", "subject": "電話 0312345678 応答", "text": "一行目\n<b>二行目</b>", "values": {}, "fields": {} });
    page.answers("GET", &format!("{TOOL}/outbox/{}", call(0)), 200, &preview, NOW);
    let addition = json!({ "key": "k", "subject": "", "text": "通話が終わりました。", "values": {}, "fields": {} });
    page.answers("GET", &format!("{TOOL}/outbox/{}", call(2)), 200, &addition, NOW);
    page.wait("document.querySelector('[data-tab=tickets]') !== null", s(8));
    page.click("[data-tab=tickets]");
    page.wait("document.querySelector('#outbox tr[data-call]') !== null", s(8));
    page
}

fn orders(page: &Page) -> Vec<Value> {
    page.asked().into_iter().filter(|it| it["method"] == "POST").collect()
}

#[test]
fn each_ticket_system_says_how_it_stands_and_what_to_do_in_both_languages_and_themes() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    for look in Look::all() {
        let case = look.name();
        let page = tickets(&browser, &desk, look, 4);
        let due = match look.language {
            "ja" => {
                ["正常", "印刷できます", "管理者に連絡してください", "台帳", "断られた（HTTP 422）"]
            }
            _ => [
                "Working",
                "can be printed",
                "Tell the administrator",
                "own ledger",
                "refused (HTTP 422)",
            ],
        };
        let text = page.text("#page");
        assert!(due.iter().all(|due| text.contains(due)), "{case}: {text}");
        page.is_open_to_all(&case);
        page.picture(&format!("supervisor-tickets-{case}"));
        for action in ["edit", "adopt", "discard"] {
            page.click(&format!("tr[data-call='{}'] [data-do={action}]", call(0)));
            page.wait(&format!("document.querySelector('[data-form={action}]') !== null"), s(5));
            page.is_open_to_all(&format!("{case}, {action}"));
        }
        page.has_no_complaints(&case);
        page.close();
    }
}

#[test]
fn a_supervisor_edits_adopts_discards_and_retries_what_waits_and_what_is_refused_stays_typed() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = tickets(&browser, &desk, Look::default(), 4);
    page.fill("#author", "佐藤");
    let order = |n: usize, action: &str| format!("{TOOL}/outbox/{}/{action}", call(n));
    let button = |n: usize, action: &str| format!("tr[data-call='{}'] [data-do={action}]", call(n));
    for action in ["retry", "edit", "adopt"] {
        for n in [0, 1] {
            page.answers("POST", &order(n, action), 204, &Value::Null, NOW);
        }
    }
    let why = json!({ "error": "nothing of this call waits for this target" });
    page.answers("POST", &order(1, "discard"), 404, &why, NOW);
    page.answers("POST", &order(2, "edit"), 204, &Value::Null, NOW);
    page.answers("POST", &format!("{TOOL}/retry"), 204, &Value::Null, NOW);
    page.asked();

    // The words that were refused are in the fields, as text.
    page.click(&button(0, "edit"));
    page.wait(
        "document.querySelector('[data-form=edit] textarea')?.value.includes('<b>二行目</b>')",
        s(5),
    );
    assert_eq!(page.evaluate("document.activeElement.name"), json!("subject"));
    page.fill("[data-form=edit] [name=subject]", "短い件名");
    page.click("[data-form=edit] button.main");
    page.wait("document.querySelector('[data-form]') === null", s(5));
    // Of an addition there are its words, and no subject.
    page.click(&button(2, "edit"));
    page.wait("document.activeElement.name === 'text'", s(5));
    let fields =
        "[document.querySelector('[data-form=edit] [name=subject]'), document.activeElement.value]";
    assert_eq!(page.evaluate(fields), json!([null, "通話が終わりました。"]));
    page.fill("[data-form=edit] textarea", "通話 3 分");
    page.click("[data-form=edit] button.main");
    page.wait("document.querySelector('[data-form]') === null", s(5));
    page.click(&button(0, "adopt"));
    page.fill("[data-form=adopt] input", "4712");
    page.press("Enter");
    page.wait("document.querySelector('[data-form]') === null", s(5));
    page.click(&button(0, "retry"));
    page.click("tr[data-target=tool] [data-do=retry-all]");
    page.wait("document.querySelector('#done').textContent.includes('すべて今すぐ試す')", s(5));
    let due = [
        json!([order(0, "edit"), { "author": "佐藤", "subject": "短い件名", "text": "一行目\n<b>二行目</b>" }]),
        json!([order(2, "edit"), { "author": "佐藤", "text": "通話 3 分" }]),
        json!([order(0, "adopt"), { "author": "佐藤", "ticket": "4712" }]),
        json!([order(0, "retry"), { "author": "佐藤" }]),
        json!([format!("{TOOL}/retry"), { "author": "佐藤" }]),
    ];
    let found: Vec<Value> =
        orders(&page).iter().map(|it| json!([it["path"], plain(&it["body"])])).collect();
    assert_eq!(found, due);

    page.click(&button(1, "discard"));
    page.fill("[data-form=discard] input", "重複のため");
    // The form says which call it is about, and stands right below it.
    assert!(page.text("#outbox .of").contains("00000001"), "{}", page.text("#outbox .of"));
    let above =
        "document.querySelector('[data-form]').closest('tr').previousElementSibling.dataset.call";
    assert_eq!(page.evaluate(above), json!(call(1)));
    page.click(&button(3, "adopt"));
    page.click(&button(1, "discard"));
    page.fill("[data-form=discard] input", "重複のため");
    let places = page.places("#outbox button");
    page.answers("POST", &format!("{TOOL}/outbox/{}/retry", call(3)), 204, &Value::Null, NOW);
    page.click(&button(3, "retry"));
    page.wait("document.querySelector('#done').textContent !== ''", s(4));
    page.click("[data-form=discard] button.main");
    let told = "できませんでした: その間に処理済みになりました。一覧を読み直してください。";
    page.shows("#page-error", told, s(5));
    // What went well before is not read as the answer, and no other call's button comes under the mouse.
    assert_eq!(page.text("#done"), "");
    assert_eq!(page.places("#outbox button"), places, "nothing moves");
    assert_eq!(
        page.evaluate("document.querySelector('[data-form=discard] input').value"),
        json!("重複のため")
    );
    page.picture("supervisor-tickets-refused");
    // Paper goes to a page of its own.
    let links = "[...document.querySelectorAll('tr[data-target=tool] a')].map((it) => [it.getAttribute('href'), it.target, it.rel, it.download])";
    let due = json!([
        [format!("{TOOL}/sheet"), "_blank", "noopener", ""],
        [format!("{TOOL}/sheet?format=csv"), "", "", "tickets-tool.csv"],
    ]);
    assert_eq!(page.evaluate(links), due);
}

#[test]
fn what_is_typed_about_a_call_stays_when_the_call_above_it_is_done() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = tickets(&browser, &desk, Look::default(), 4);
    page.fill("#author", "佐藤");
    let button = |n: usize, action: &str| format!("tr[data-call='{}'] [data-do={action}]", call(n));
    page.click(&button(1, "discard"));
    page.wait("document.querySelector('[data-form=discard]') !== null", s(5));
    page.fill("[data-form=discard] input", "重複のため");
    let retry = format!("{TOOL}/outbox/{}/retry", call(0));
    page.answers("POST", &retry, 204, &Value::Null, NOW);
    let left = json!({ "rows": (1..4).map(refused).collect::<Vec<_>>(), "total": 3 });
    page.answers("GET", &format!("{TOOL}/outbox"), 200, &left, NOW);
    page.click(&button(0, "retry"));
    page.wait("document.querySelectorAll('#outbox tr[data-call]').length === 3", s(5));
    let typed = "document.querySelector('[data-form=discard] input').value";
    assert_eq!(page.evaluate(typed), json!("重複のため"));
}

/// What is in a form's fields comes with line ends of its own.
fn plain(body: &Value) -> Value {
    serde_json::from_str(&body.to_string().replace("\\r\\n", "\\n")).unwrap()
}

#[test]
fn a_thousand_waiting_calls_do_not_hold_the_page_up() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = tickets(&browser, &desk, Look::default(), 1_000);
    let asked = |page: &Page| -> Vec<String> {
        let outbox = format!("{TOOL}/outbox");
        let asked = page.asked();
        let of = asked.iter().filter(|it| it["path"] == outbox);
        of.map(|it| it["query"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(asked(&page), ["?stuck=true&limit=50"], "few at first");
    let first = "document.querySelector('#outbox tr[data-call]').dataset.call";
    let shown = "document.querySelectorAll('#outbox tr[data-call]').length";
    assert_eq!(page.evaluate(&format!("[{shown}, {first}]")), json!([50, call(0)]));
    let took = "(() => { const from = performance.now(); document.querySelector('#nav button').click(); return performance.now() - from; })()";
    let took = page.evaluate(took).as_f64().expect("ms");
    assert!(took < 1_000.0, "drawn anew in {took} ms");
    page.click("#outbox-after");
    page.wait(&format!("{first} === '{}'", call(50)), s(5));
    assert_eq!(page.evaluate(shown), json!(50));
    page.click("#outbox-before");
    page.wait(&format!("{first} === '{}'", call(0)), s(5));
    assert_eq!(asked(&page), ["?stuck=true&limit=100", "?stuck=true&limit=50"]);
    page.click("#outbox-all");
    page.wait("!document.querySelector('#outbox-all').disabled", s(5));
    eventually("all that waits is asked for", s(5), || {
        asked(&page).last().is_some_and(|it| it == "?limit=50")
    });
    page.has_no_complaints("a thousand rows");
}

#[test]
fn a_folder_that_cannot_be_written_is_seen_mended_and_tried_again_and_its_sheet_is_printed() {
    let dir = Dir::new("spool");
    let (folder, aside) = (dir.file("spool"), dir.file("aside"));
    std::fs::create_dir(&folder).unwrap();
    let more = format!(
        "[tickets]\n[[tickets.targets]]\nname = \"spool\"\nkind = \"folder\"\npath = \"{}\"\n",
        folder.display()
    );
    let desk = Desk::with(&Setup { more: &more, ..Setup::default() });
    let row = || desk.get("/api/v1/tickets")["targets"][0].clone();
    desk.answers_one();
    eventually("the folder has it", s(10), || row()["opened"] == 1 && row()["waiting"] == 0);
    std::fs::rename(&folder, &aside).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    desk.answers_one();
    eventually("it waits", s(10), || row()["waiting"] == 1 && row()["failed"]["disk"].is_u64());
    let browser = Browser::start();
    let page = browser.open(&desk, &Look { path: "/supervisor", ..Look::default() });
    page.wait("document.querySelector('[data-tab=tickets]') !== null", s(8));
    page.click("[data-tab=tickets]");
    page.fill("#author", "佐藤");
    page.wait(
        "document.querySelector('tr[data-target=spool]')?.textContent.includes('書き込めない')",
        s(8),
    );
    page.click("#outbox-all");
    page.wait("document.querySelectorAll('#outbox tr[data-call]').length === 1", s(5));
    // It is the disk, and nobody who does not answer.
    let text = page.text("tr[data-target=spool]");
    assert!(text.contains("空き容量と権限") && !text.contains("応答なし"), "{text}");
    page.is_open_to_all("a folder");
    page.picture("supervisor-tickets-folder");
    let sheet =
        browser.open(&desk, &Look { path: "/api/v1/tickets/spool/sheet", ..Look::default() });
    assert!(sheet.text("article").contains("No. 1"));
    let style = "getComputedStyle(document.querySelector('article')).borderTopStyle";
    assert_eq!(sheet.evaluate(style), json!("solid"), "its style is used");
    sheet.has_no_complaints("the sheet");
    sheet.close();
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&aside, &folder).unwrap();
    page.click("tr[data-target=spool] [data-do=retry-all]");
    eventually("it is tried again and taken", s(10), || row()["waiting"] == 0);
    page.click("#tickets-refresh");
    page.wait("document.querySelector('#outbox') === null", s(5));
    page.has_no_complaints("at the end");
}

/// The incident of the call that is up, as the desk has it.
fn incident(desk: &Desk) -> Value {
    let id = desk.call_of(panel::CALLER).expect("the call")["call"].as_str().unwrap().to_owned();
    desk.get(&format!("/api/v1/calls/{id}/incident"))["incident"].clone()
}

#[test]
fn an_agent_writes_the_incident_of_a_call_and_what_another_one_wrote_meanwhile_is_not_lost() {
    let desk = panel::desk();
    let first = panel::phone(&desk, "6001");
    let browser = Browser::start();
    let page = panel::panel(&browser, &desk);
    panel::sign_in(&page);
    let disabled = "document.querySelector('#incident-subject').disabled";
    assert_eq!(page.evaluate(disabled), json!(true), "there is no call yet");
    let caller = panel::in_a_call(&desk, &page, &first);
    page.wait("!document.querySelector('#incident-subject').disabled", s(8));
    // In a field letters are letters.
    page.fill("#incident-subject", "<b>VPN</b> につながらない k");
    page.fill("#incident-category", "認証");
    page.click("[data-do=reported_at]");
    page.click("[data-do=escalate-system_builder]");
    page.wait("document.querySelectorAll('#escalations li').length === 1", s(3));
    page.click("#escalations [data-do=answered]");
    page.click("#incident-marks [name=technical]");
    page.click("#incident-marks [name=caller_asked_for_time]");
    page.picture("panel-incident-narrow");
    page.click("#incident-save");
    page.shows("#done", "インシデントを保存しました", s(5));
    eventually("it is in the ledger", s(5), || incident(&desk)["revision"] == 1);
    let row = incident(&desk);
    let state = &row["state"];
    assert_eq!(
        (&row["subject"], &row["category"], &row["author"]),
        (&json!("<b>VPN</b> につながらない k"), &json!("認証"), &json!("佐藤 花子"))
    );
    assert_eq!(
        (&state["technical"], &state["exclusions"]),
        (&json!(true), &json!(["caller_asked_for_time"]))
    );
    assert!(state["reported_at"].is_i64() && state["completed_at"].is_null(), "{state}");
    let escalation = &state["escalations"][0];
    assert_eq!(escalation["to"], "system_builder");
    assert!(escalation["answered_at"].as_i64() >= escalation["at"].as_i64(), "{escalation}");
    page.wait("document.querySelector('#incident-save').disabled", s(5));

    // A colleague writes while this one types: the typed words stay, the rest is as the colleague wrote it.
    page.fill("#incident-subject", "わたしの件名");
    let number = row["incident"].as_u64().unwrap();
    let theirs = json!({
        "author": "鈴木", "subject": "かれの件名", "category": "回線", "revision": 1, "technical": false,
        "escalations": [{ "to": "other", "at": escalation["at"].to_string() }],
    });
    let answer = desk.api("PUT", &format!("/api/v1/incidents/{number}"), &theirs.to_string());
    assert_eq!(answer.status, 204, "{}", answer.body);
    eventually("it is theirs", s(5), || incident(&desk)["revision"] == 2);
    page.complaints();
    page.click("#incident-save");
    page.wait("document.querySelector('#incident-error').textContent.includes('鈴木')", s(5));
    let shown = "[document.querySelector('#incident-subject').value, document.querySelector('#incident-category').value, document.querySelector('#incident-marks [name=technical]').checked]";
    assert_eq!(page.evaluate(shown), json!(["わたしの件名", "回線", false]));
    assert_eq!(incident(&desk)["subject"], "かれの件名", "nothing was written over");
    page.picture("panel-incident-conflict-narrow");
    let complaints = page.complaints();
    assert!(complaints.iter().all(|it| it.contains("status of 409")), "{complaints:?}");
    // A page that is loaded again has what was not saved.
    page.go("/panel?extension=6001");
    page.wait("document.querySelector('#incident-subject').value === 'わたしの件名'", s(8));
    page.wait("!document.querySelector('#incident-save').disabled", s(8));
    page.click("#incident-save");
    eventually("mine is written upon theirs", s(5), || incident(&desk)["revision"] == 3);
    let row = incident(&desk);
    assert_eq!(
        (&row["subject"], &row["category"], &row["state"]["escalations"][0]["to"]),
        (&json!("わたしの件名"), &json!("回線"), &json!("other"))
    );
    // Done, when the call is over.
    first.tell("hangup", "");
    panel::is_in(&page, "last");
    page.click("[data-do=completed_at]");
    page.click("#incident-save");
    eventually("it is completed", s(5), || incident(&desk)["state"]["completed_at"].is_i64());
    caller.stop();
}

#[test]
fn who_calls_is_asked_once_a_call_shown_when_it_comes_and_moves_nothing() {
    let desk = panel::desk();
    let first = panel::phone(&desk, "6001");
    let browser = Browser::start();
    let page = panel::panel(&browser, &desk);
    let known = json!({
        "person": { "name": "山田<i>花子</i>", "department": "総務部", "note": "特別対応" }, "whole": false,
        "tickets": [
            { "target": "tool", "ticket": "4711", "subject": "<b>印刷</b>できない", "url": "http://127.0.0.1:9/issues/4711" },
            { "target": "paper", "ticket": "12", "subject": "鍵", "url": null },
        ],
    });
    let path = format!("/api/v1/callers/{}", panel::CALLER);
    page.answers("GET", &path, 200, &known, s(3));
    panel::sign_in(&page);
    let caller = panel::in_a_call(&desk, &page, &first);
    rest(500);
    let places = |page: &Page| page.places(".tile, .tile button, .tile input, .tile textarea");
    let before = places(&page);
    assert_eq!(
        page.evaluate("document.querySelector('#person')"),
        json!(null),
        "it has not come yet"
    );
    page.wait("document.querySelector('#person') !== null", s(8));
    assert_eq!(places(&page), before, "nothing moves");
    let text = page.text("#who-calls");
    for due in ["山田<i>花子</i>", "総務部", "特別対応", "<b>印刷</b>できない", "答えなかった"]
    {
        assert!(text.contains(due), "{due}: {text}");
    }
    let links = "[...document.querySelectorAll('#open-tickets a')].map((it) => [it.href, it.target, it.rel])";
    assert_eq!(
        page.evaluate(links),
        json!([["http://127.0.0.1:9/issues/4711", "_blank", "noopener"]])
    );
    page.picture("panel-who-calls-narrow");
    for action in ["", "theme", "language", "theme"] {
        if !action.is_empty() {
            page.evaluate(&format!("document.querySelector('[data-act={action}]').click()"));
        }
        page.is_open_to_all(&format!("who calls, then {action}"));
        page.nothing_overflows(".tile, .tile button", action);
    }
    first.tell("hangup", "");
    panel::is_in(&page, "last");
    rest(500);
    assert_eq!(page.asked().len(), 1, "asked once a call");
    caller.stop();
    // When nobody can tell, the call goes on as ever and no fault is shown.
    page.evaluate("document.querySelector('[data-act=wrap_up_end]').click()");
    page.answers("GET", &path, 500, &json!({ "error": "?" }), NOW);
    let caller = panel::in_a_call(&desk, &page, &first);
    page.shows("#who-calls", "–", s(3));
    first.tell("hangup", "");
    caller.stop();
}
