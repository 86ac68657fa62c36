//! The wallboard as people in the room see it, with real calls.

use crate::browser::{Browser, Look, Page};
use crate::support::desk::Desk;
use crate::support::{eventually, poll, s};
use serde_json::{Value, json};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Whatever holds something on the wallboard.
pub(crate) const PARTS: &str = "header, .service, .tile, .rows, .people, .waits, .plot, .figures, .figures div, .states li, footer";

/// What is worth nothing when it is cut: titles, figures and times.
const WHOLE: &str = ".huge, .large, .tile h2, .tile h2 > *, .ends, .ends span, .figures dt, .figures dd, .details dt, .details dd, \
     .legend, .key, .gauge, .rate .verdict, .rate .sub, .states b, .states span, .for, .num, .recent th, .recent td:first-child, \
     .recent td:last-child, #service-state, .badge b, .badge .ends-at";

/// Whether the chart has taken the size of its tile.
const CHART_FITS: &str = "(() => { const it = document.querySelector('#chart'); \
     return it.scrollWidth <= it.clientWidth && it.scrollHeight <= it.clientHeight; })()";

/// Those of such elements whose content is cut.
pub(crate) fn cut(page: &Page, selector: &str) -> Value {
    page.evaluate(&format!(
        "[...document.querySelectorAll({selector:?})].filter((it) => it.scrollWidth > it.clientWidth + 1 && it.clientWidth > 0)\
         .map((it) => `${{it.id || it.className || it.tagName}}: ${{it.textContent}}`)",
    ))
}

/// How many pixels of the chart have the colour of answered calls, of those not answered, of those without an outcome yet,
/// and of what is usual.
fn pixels(page: &Page) -> [u64; 4] {
    let seen = page.evaluate(
        "const canvas = document.querySelector('#chart canvas'); const style = getComputedStyle(document.documentElement); \
         const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height); \
         const seen = new Map(); for (let n = 0; n < data.length; n += 4) { if (data[n + 3] === 255) { const key = '#' + \
         [0, 1, 2].map((k) => data[n + k].toString(16).padStart(2, '0')).join(''); seen.set(key, (seen.get(key) ?? 0) + 1); } } \
         ['answered', 'arrived', 'undecided', 'usual'].map((name) => seen.get(style.getPropertyValue(`--chart-${name}`).trim()) ?? 0)",
    );
    serde_json::from_value(seen).unwrap()
}

/// Whether the counters of agents are those of the rows beneath, who is off duty apart.
const COUNTS_AGREE: &str = "[...document.querySelectorAll('#states li:not(.signed_out)')].every((it) => \
     Number(it.querySelector('b').textContent) === document.querySelectorAll(`#agent-list .${it.classList[0]}`).length)";

/// Asked for an operator of the group `nobody`, and stays there.
fn waits(desk: &Desk) -> crate::support::sipp::Job {
    desk.caller("0312340090").set("STAY", 300_000).set("PATIENCE", 300_000).within(s(400))
}

/// An hour from now, as the API takes a time.
pub(crate) fn in_an_hour() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    (now + s(3600)).as_millis().to_string()
}

fn shows_no_scrollbar(page: &Page, case: &str) {
    let sizes = page.evaluate(
        "const it = document.documentElement; [it.scrollWidth - innerWidth, it.scrollHeight - innerHeight, \
         it.clientWidth - innerWidth, it.clientHeight - innerHeight]",
    );
    assert_eq!(
        sizes,
        json!([0, 0, 0, 0]),
        "{case}: nothing is outside the window, no bar beside it"
    );
}

#[test]
fn all_of_it_is_seen_and_open_to_all_in_both_languages_and_themes() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    desk.answers_one();
    let waiting = waits(&desk).start();
    for look in Look::all() {
        let case = look.name();
        let stranger = browser.open(&desk, &Look { known: false, ..look });
        stranger.is_open_to_all(&format!("{case}, the login"));
        stranger.has_no_complaints(&format!("{case}, the login"));
        stranger.picture(&format!("login-{case}"));
        stranger.close();

        let page = browser.open(&desk, &look);
        page.shows("#waiting", "1", s(5));
        assert_eq!(page.evaluate("document.documentElement.lang"), json!(look.language));
        shows_no_scrollbar(&page, &case);
        page.nothing_overflows(PARTS, &case);
        page.is_open_to_all(&case);
        // Seen from five metres: no letter of a tile below 20 pixels of 1080, no figure that counts below 60.
        let smallest = |parts: &str| {
            page.evaluate(&format!(
                "Math.min(...[...document.querySelectorAll('{parts}')].filter((it) => it.textContent.trim() && it.getClientRects().length > 0)\
                 .map((it) => parseFloat(getComputedStyle(it).fontSize)))",
            ))
            .as_f64()
            .expect("a size")
        };
        assert!(smallest(".tile *, .service *") >= 20.0, "{case}: {}", smallest(".tile *"));
        let figures = ".huge output, .figures dd, .large output, .states b";
        assert!(smallest(figures) >= 60.0, "{case}: {}", smallest(figures));
        // Who called, and who answered, is read whole.
        assert_eq!(cut(&page, ".recent td, .recent th"), json!([]), "{case}");
        page.picture(&format!("wallboard-{case}"));
        page.resize((1280, 720));
        page.wait("innerWidth === 1280", s(2));
        // The chart is drawn anew a moment later.
        page.wait(CHART_FITS, s(5));
        shows_no_scrollbar(&page, &format!("{case}, 1280 wide"));
        page.nothing_overflows(PARTS, &format!("{case}, 1280 wide"));
        assert_eq!(cut(&page, ".recent td, .recent th"), json!([]), "{case}, 1280 wide");
        // On a tablet one under another: it scrolls down and never sideways.
        page.resize((820, 1180));
        page.wait("innerWidth === 820 && document.documentElement.scrollHeight > 1180", s(5));
        page.wait(CHART_FITS, s(5));
        assert_eq!(page.evaluate("document.documentElement.scrollWidth"), json!(820), "{case}");
        page.nothing_overflows(".tile", &format!("{case}, on a tablet"));
        page.is_open_to_all(&format!("{case}, on a tablet"));
        page.picture(&format!("wallboard-tablet-{case}"));
        page.has_no_complaints(&case);
        page.close();
    }
    waiting.stop();
}

#[test]
fn a_caller_waits_is_answered_and_counted_and_one_who_gives_up_changes_the_rate() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = browser.open(&desk, &Look::default());
    page.shows("#waiting", "0", s(5));
    page.shows("#abandon-rate", "–", s(1));
    assert_eq!(page.text("#recent"), "着信はまだありません");
    assert_eq!(page.text("#abandon-tile .gauge"), "020 %", "from nothing to twice the limit");
    assert_eq!(page.text("#lines"), format!("0 / {}", desk.get("/api/v1/board")["lines"]["limit"]));

    // Long enough to be looked at, also on a busy machine.
    let agent = desk.agent("agent", 201).set("RING", 4_000).start();
    let caller = desk.caller("0312340010").set("STAY", 6_000).start();
    page.shows("#waiting", "1", s(5));
    page.shows("#ringing", "1", s(2));
    assert!(
        page.text("#waiting-list").contains("Hanako 031234561"),
        "{}",
        page.text("#waiting-list")
    );
    page.wait("/^0:0[0-4]$/.test(document.querySelector('#longest').textContent)", s(1));
    page.wait("document.querySelector('#lines').textContent.startsWith('1 / ')", s(1));
    page.shows(".states .ringing b", "1", s(2));
    page.shows("#waiting", "0", s(5));
    page.shows("#longest", "–", s(1));
    page.shows(".states .talking b", "1", s(2));
    assert!(page.text("#recent").contains("通話中"));
    assert!(caller.done().calls[&1].has("hung_up"));
    agent.done();
    page.shows("#offered", "1", s(3));
    page.shows("#answered", "1", s(1));
    page.shows("#abandon-rate", "0.00 %", s(1));
    page.wait("document.querySelector('#abandon-tile').classList.contains('within')", s(1));
    page.wait("document.querySelector('#lines').textContent.startsWith('0 / ')", s(2));

    desk.caller("0312340010")
        .set("FROM", "03555")
        .set("PATIENCE", 3_000)
        .set("STAY", 3_000)
        .start()
        .done();
    assert_eq!(desk.outcome("035551"), "abandoned");
    page.shows("#abandoned", "1", s(3));
    page.shows("#abandon-rate", "50.00 %", s(1));
    page.wait("document.querySelector('#abandon-tile').classList.contains('missed')", s(1));
    page.shows("#waiting", "0", s(2));
    // What is shown is what the API says.
    let board = desk.get("/api/v1/board");
    assert_eq!(board["month_abandon_rate"]["percent"], "50.00");
    let sum = |of: &str| -> u64 {
        board["half_hours"][of].as_array().unwrap().iter().filter_map(Value::as_u64).sum()
    };
    assert_eq!((sum("arrived"), sum("answered")), (2, 1));
    let label = page.evaluate("document.querySelector('#chart').getAttribute('aria-label')");
    assert_eq!(label, "本日これまでの着信 2 件");
    assert_eq!(page.evaluate("document.querySelectorAll('#chart canvas').length"), json!(1));
    page.has_no_complaints("all of it");
}

#[test]
fn a_call_that_still_waits_is_not_drawn_as_one_that_was_lost() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    desk.answers_one();
    let waiting = waits(&desk).start();
    let pages = Look::all().map(|look| (look.name(), browser.open(&desk, &look)));
    for (case, page) in &pages {
        page.shows("#waiting", "1", s(20));
        page.shows("#so-far", "2", s(20));
        // Two came, and one of them is in the day's figures: the other is told beside the chart.
        page.shows("#offered", "1", s(2));
        let told = page.text("#undecided-key");
        assert!(told.ends_with(" 1"), "{case}: {told}");
        page.wait(CHART_FITS, s(5));
        let [answered, lost, undecided, _] = pixels(page);
        assert!(answered > 100 && undecided > 100, "{case}: {answered} {undecided}");
        assert_eq!(lost, 0, "{case}");
    }
    // One who gives up is.
    desk.caller("0312340010")
        .set("FROM", "03555")
        .set("PATIENCE", 3_000)
        .set("STAY", 3_000)
        .start()
        .done();
    for (case, page) in &pages {
        page.shows("#so-far", "3", s(20));
        page.wait("document.querySelector('#undecided-key').textContent.endsWith(' 1')", s(20));
        let [_, lost, undecided, _] = pixels(page);
        assert!(lost > 100 && undecided > 100, "{case}: {lost} {undecided}");
    }
    waiting.stop();
}

#[test]
fn a_callers_name_is_text_whatever_it_is() {
    const NAME: &str = "<img src=x onerror=alert(1)>";
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = browser.open(&desk, &Look::default());
    page.shows("#waiting", "0", s(5));
    let agent = desk.agent("agent", 201).set("RING", 4_000).start();
    let caller = desk.caller("0312340010").set("NAME", NAME).set("STAY", 30_000).start();
    page.shows("#waiting", "1", s(5));
    assert!(page.text("#waiting-list").contains(NAME), "{}", page.text("#waiting-list"));
    page.shows(".states .talking b", "1", s(5));
    assert!(page.text("#recent").contains(NAME), "{}", page.text("#recent"));
    park(&desk, "031234561", "701");
    page.shows("#parked-count", "1", s(5));
    assert!(page.text("#parked").contains(NAME), "{}", page.text("#parked"));
    assert_eq!(page.evaluate("document.querySelectorAll('img').length"), json!(0));
    page.has_no_complaints("no script ran, none was kept out");
    page.picture("wallboard-name");
    agent.stop();
    caller.stop();
}

/// Parks a call that is with an agent.
#[track_caller]
fn park(desk: &Desk, caller: &str, slot: &str) {
    let call = desk.call_of(caller).expect("its call")["call"].as_str().unwrap().to_owned();
    let body = json!({ "slot": slot }).to_string();
    let parked = desk.api("POST", &format!("/api/v1/calls/{call}/park"), &body);
    assert_eq!(parked.status, 204, "{}", parked.body);
}

#[test]
fn when_the_desk_does_not_speak_the_wall_says_so_within_six_seconds_and_is_right_again_after() {
    let mut desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = browser.open(&desk, &Look::default());
    let waiting = waits(&desk).start();
    page.shows("#waiting", "1", s(5));
    page.wait("document.body.className === 'live'", s(2));
    assert_eq!(page.evaluate("document.querySelector('#alarm').hidden"), json!(true));
    let tiles = page.places(".tile");

    // The machine hangs: the connection stands, and nothing comes.
    desk.process().signal("STOP");
    let stopped = Instant::now();
    page.wait("document.body.className === 'stale'", s(6));
    assert!(stopped.elapsed() < s(6), "{:?}", stopped.elapsed());
    let alarm = page.text("#alarm");
    assert!(alarm.contains("更新されていません"), "{alarm}");
    assert_eq!(page.places(".tile"), tiles, "nothing moves");
    page.picture("wallboard-stale");
    desk.process().signal("CONT");
    page.wait("document.body.className === 'live'", s(5));
    page.shows("#waiting", "1", s(1));

    // It dies: seen at once. Who waited is not there any more when it is back, and another is.
    desk.kill();
    let killed = Instant::now();
    page.wait("document.body.className === 'stale'", s(6));
    assert!(killed.elapsed() < s(2), "{:?}", killed.elapsed());
    waiting.stop();
    desk.again();
    let second = waits(&desk).set("FROM", "03666").start();
    page.wait("document.body.className === 'live'", s(10));
    page.wait("document.querySelector('#waiting-list').textContent.includes('036661')", s(5));
    page.shows("#waiting", "1", s(1));
    assert_eq!(page.text("#alarm"), "");
    second.stop();
    // The browser itself says that it was cut off; the page says nothing.
    let complaints = page.complaints();
    assert!(complaints.iter().all(|it| it.contains("ERR_")), "{complaints:?}");
}

#[test]
fn nothing_moves_when_calls_come_and_the_desk_is_closed() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let pages = Look::all().map(|look| (look.name(), browser.open(&desk, &look)));
    let parts =
        ".tile, .tile h2, .huge, .figures, .details, .states, .plot, header, .service, footer";
    for (_, page) in &pages {
        page.shows("#waiting", "0", s(5));
        // The chart is there from the first board on.
        page.wait("document.querySelector('#chart canvas')", s(2));
    }
    let before: Vec<_> = pages.iter().map(|(_, page)| page.places(parts)).collect();
    assert!(before[0].len() > 20, "{before:?}");

    let agent = desk.agent("agent", 201).set("RING", 100).start();
    let talk = desk.caller("0312340010").set("FROM", "03777").set("STAY", 60_000).start();
    desk.agent_is("201", "talking");
    park(&desk, "037771", "702");
    let waiting = waits(&desk).start();
    // Not by the count: the first call was one that waits, too, and who comes once it is closed does not wait.
    pages[0]
        .1
        .wait("document.querySelector('#waiting-list').textContent.includes('031234561')", s(20));
    let body = json!({ "author": "佐藤", "reason": "停電のため復旧まで", "until": in_an_hour() });
    let closed = desk.api("POST", "/api/v1/hours/all/close", &body.to_string());
    assert_eq!(closed.status, 204, "{}", closed.body);
    // How soon is another test's; of several pages in one browser, those behind are painted when there is time.
    for ((case, page), before) in pages.iter().zip(&before) {
        page.shows("#waiting", "1", s(20));
        page.shows("#parked-count", "1", s(20));
        page.wait("document.querySelector('#service').classList.contains('closed')", s(20));
        assert_eq!(&page.places(parts), before, "{case}");
        page.nothing_overflows(PARTS, case);
        page.picture(&format!("wallboard-closed-{case}"));
        page.has_no_complaints(case);
    }
    agent.stop();
    talk.stop();
    waiting.stop();
}

#[test]
fn a_group_alone_is_seen_when_asked_for_and_the_rates_stay_the_desks() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = browser.open(&desk, &Look { path: "/?group=one", ..Look::default() });
    page.wait("document.querySelector('#group').value === 'one'", s(5));
    page.wait("document.querySelector('#desk').textContent.startsWith('one – ')", s(1));
    let waiting = waits(&desk).set("FROM", "03888").start();
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    desk.caller("0312340010").set("STAY", 800).start().done();
    agent.done();
    page.shows("#offered", "1", s(5));
    page.shows("#answered", "1", s(1));
    page.shows("#waiting", "0", s(1));
    let shown = |page: &Page| {
        page.evaluate(
            "[...document.querySelectorAll('#agent-list .name')].map((it) => it.textContent)",
        )
    };
    assert_eq!(shown(&page), json!(["固定 201"]), "its members alone");
    assert_eq!(
        page.evaluate("[...document.querySelectorAll('.rate .scope')].every((it) => !it.hidden)"),
        json!(true)
    );
    assert_eq!(page.text(".rate .scope"), "（全体）");
    assert_eq!(page.evaluate(COUNTS_AGREE), json!(true), "one");
    let so_far = page.text("#so-far");
    assert_eq!(so_far, "1");
    page.picture("wallboard-group");
    // Another is chosen; the address says so, and a reload keeps it.
    page.select("#group", "nobody");
    page.shows("#waiting", "1", s(2));
    page.shows("#offered", "0", s(2));
    page.wait("location.search === '?group=nobody'", s(1));
    assert_eq!(page.evaluate(COUNTS_AGREE), json!(true), "nobody");
    assert!(page.text("#waiting-list").contains("038881"));
    page.go("/?group=nobody");
    page.shows("#waiting", "1", s(5));
    page.select("#group", "");
    page.shows("#offered", "1", s(2));
    page.wait("location.search === '' && document.querySelector('.rate .scope').hidden", s(1));
    page.nothing_overflows(PARTS, "all again");
    // One that is none is said to be none.
    page.go("/?group=gone");
    page.wait("document.querySelector('#ad-hoc').textContent.includes('gone')", s(5));
    page.shows("#waiting", "1", s(2));
    page.has_no_complaints("all of it");
    waiting.stop();
}

#[test]
fn the_day_stands_beside_what_is_usual() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    for look in Look::all() {
        let case = look.name();
        let page = browser.open(&desk, &Look { path: "/recordings", ..look });
        // Four Thursdays are more than a test can wait for.
        let mut board = desk.get("/api/v1/board");
        board["now_ms"] = json!(1_790_833_500_000_u64); // 2026-10-01T14:45:00+09:00
        board["usual_days"] = json!(["2026-09-24", "2026-09-17", "2026-09-10", "2026-09-03"]);
        let day = |of: &dyn Fn(u32) -> u32| {
            (0..48).map(|n| if (17..37).contains(&n) { of(n) } else { 0 }).collect::<Vec<u32>>()
        };
        board["half_hours"] = json!({
            "arrived": day(&|n| if n < 30 { 10 + n % 3 * 5 } else { 0 }),
            "answered": day(&|n| if n < 30 { 10 } else { 0 }),
            "undecided": day(&|n| if n == 29 { 5 } else { 0 }),
            "before": day(&|n| 48 + n % 2 * 8),
        });
        page.pretend(&board);
        page.go("/");
        page.wait("document.querySelector('#so-far')?.textContent !== ''", s(5));
        // Usual are 12 and 14 in turn from 8:30 to 14:30, and half of 14 of the half hour that is half over.
        let (now, usual) = (200, 6 * 12 + 6 * 14 + 7);
        let label = page.evaluate("document.querySelector('#chart').getAttribute('aria-label')");
        let label = label.as_str().unwrap_or_default();
        assert!(
            label.contains(&now.to_string()) && label.contains(&usual.to_string()),
            "{case}: {label}"
        );
        // The line of the usual, and all kinds of bars, are on the canvas in the page's colours.
        let drawn = pixels(&page);
        assert!(
            drawn[0] > 5_000 && drawn[1] > 1_000 && drawn[2] > 50 && drawn[3] > 500,
            "{case}: {drawn:?} pixels"
        );
        page.nothing_overflows(PARTS, &case);
        page.picture(&format!("wallboard-usual-{case}"));
        page.close();
    }
}

/// A day on which everything is long: four digits, waits of hours, names that fill their place.
fn worst(mut board: Value) -> Value {
    let now = board["now_ms"].as_i64().expect("a time");
    let name = "大臣官房会計課 情報システム係 長谷川 健太郎";
    let caller = json!({ "number": { "known": "0398765432101" }, "name": name });
    let row = |n: i64| {
        json!({ "call": format!("c{n}"), "number": "0312340010", "caller": caller, "group": "one",
                "ringing": true, "busy_announced": true, "wait_ms": 5_025_000 - n })
    };
    board["desk"] = json!("情報システム統一研修及び総合運用支援業務 ITサービスデスク 第二拠点");
    board["waiting"] = json!({ "count": 128, "longest_ms": 5_025_000, "calls": (0..30).map(row).collect::<Vec<_>>() });
    for (n, agent) in board["agents"].as_array_mut().unwrap().iter_mut().enumerate() {
        agent["name"] = json!("長谷川 健太郎（研修中）");
        agent["state"] = json!(["talking", "unreachable", "wrap_up", "paused"][n % 4]);
        agent["paused"] = json!("午後の定例打合せと引継ぎ");
        agent["since_ms"] = json!(now - 36_000_000);
    }
    let agents = board["agents"].clone();
    for state in ["idle", "ringing", "talking", "wrap_up", "paused", "unreachable", "signed_out"] {
        board["agent_counts"][state] = json!(188);
        for group in board["groups"].as_array_mut().unwrap() {
            let is_there = |it: &&Value| {
                let members = group["agents"].as_array().unwrap();
                it["state"] == state && members.contains(&it["agent"])
            };
            let count = agents.as_array().unwrap().iter().filter(is_there).count();
            group["agent_counts"][state] = json!(count);
        }
    }
    for figure in ["offered", "answered"] {
        board["day"][figure] = json!(9_876);
    }
    for rate in ["abandon_rate", "busy_rate"] {
        board["day"][rate]["part"] = json!(8_765);
        board[format!("month_{rate}")] = json!({ "part": 98_765, "whole": 98_765, "percent": "100.00", "limit_percent": 10, "verdict": "missed" });
        let outlook = json!({ "projected": { "percent": "100.00" }, "left_in_month": 12_345, "warning": "missed" });
        board["outlook"][rate.trim_end_matches("_rate")] = outlook;
    }
    board["day"]["answered_in_time"]["percent"] = json!("100.00");
    board["day"]["average_speed_of_answer_ms"] = json!(3_725_000);
    board["day"]["longest_wait_ms"] = json!(5_025_000);
    for outcome in ["short_abandoned", "menu_left", "closed"] {
        board["day"]["outcomes"][outcome] = json!(1_234);
    }
    for (n, number) in board["numbers"].as_array_mut().unwrap().iter_mut().enumerate() {
        number["name"] = json!("地方支分部局専用ダイヤルイン番号");
        number["lines_in_use"] = json!(250);
        number["line_limit"] = json!(250);
        number["open"] = json!(n % 2 == 0);
        number["why"] = json!({ "closed": "closure", "name": "年末年始の休業と設備の点検" });
        number["out_of_turn"] = json!(true);
        number["changes_at_ms"] = json!(now + 400_000_000);
    }
    board["lines"] = json!({ "in_use": 300, "limit": 325 });
    board["ad_hoc_hours"] = ["0312340011", "0312340030", "0312340050", "0312340070"]
        .map(|number| {
            json!({ "number": number, "to": "disaster", "reason": "地震による庁舎の停電と通信設備の障害のため",
                    "author": "総務課長 佐藤", "by": "api", "since_ms": now, "until_ms": now + 400_000_000 })
        })
        .into();
    board["parked_count"] = json!(20);
    board["parked"] = (0..20)
        .map(|n| json!({ "slot": format!("7{n:02}"), "by": "201", "since_ms": now - 36_000_000, "call": "c", "caller": caller }))
        .collect();
    let recent = |n: i64| {
        json!({ "call": format!("r{n}"), "arrived_at_ms": now, "number": "0312340010", "caller": caller, "state": "ended",
                "outcome": "answered_after_busy", "wait_ms": 5_025_000, "agent": "201",
                "sound": [{ "side": "caller", "faults": [{ "fault": "one_way", "from_ms": 0, "for_ms": null }], "measured": null }] })
    };
    board["recent"] = (0..12).map(recent).collect();
    board["demonstration"] = json!(true);
    board["usual_days"] = json!(["2026-09-24", "2026-09-17", "2026-09-10", "2026-09-03"]);
    board["half_hours"] = json!({ "arrived": vec![1_999; 48], "answered": vec![1_000; 48], "undecided": vec![2; 48], "before": vec![7_996; 48] });
    board
}

#[test]
fn on_a_day_on_which_everything_is_long_nothing_leaves_its_tile_and_no_title_or_time_is_cut() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    for look in Look::all() {
        for (size, path) in [((1920, 1080), "/"), ((1280, 720), "/?group=nobody")] {
            let case = format!("{}-{}", look.name(), size.0);
            let page = browser.open(&desk, &Look { path: "/recordings", size, ..look });
            page.pretend(&worst(desk.get("/api/v1/board")));
            let all = json!({ "low": 1.0, "mean": 1.0, "high": 1.0 });
            let rates = json!({ "abandon": all, "busy": null });
            let tonight =
                json!({ "at_ms": 0, "agents": 100, "calls": null, "day": rates, "month": rates });
            let told = json!({ "tonight": tonight, "why": null });
            page.answers("GET", "/api/v1/tonight", 200, &told, s(0));
            page.go(path);
            page.wait("document.querySelector('#lines')?.textContent === '300 / 325'", s(5));
            // The longest of both words that stand beneath a rate: tonight's and the month's end.
            page.wait(
                "document.querySelector('#abandon-outlook').textContent.includes('100–100')",
                s(5),
            );
            shows_no_scrollbar(&page, &case);
            page.nothing_overflows(PARTS, &case);
            // Not only within its tile, but within the tile's padding.
            assert_eq!(cut(&page, WHOLE), json!([]), "{case}");
            let beside = "[...document.querySelectorAll('.tile')].flatMap((tile) => { const { right } = tile.getBoundingClientRect(); \
                          const edge = right - parseFloat(getComputedStyle(tile).paddingRight) + 1.5; return [...tile.querySelectorAll('*')]\
                          .filter((it) => it.getBoundingClientRect().right > edge).map((it) => it.textContent); })";
            assert_eq!(page.evaluate(beside), json!([]), "{case}");
            // Nobody needs the seconds of a wait of hours.
            assert_eq!(page.text("#recent .num"), "1h23m", "{case}");
            assert_eq!(page.text("#agent-list .for"), "10h", "{case}");
            if path.contains("nobody") {
                assert_eq!(page.evaluate(COUNTS_AGREE), json!(true), "{case}");
            }
            page.is_open_to_all(&case);
            page.picture(&format!("wallboard-long-{case}"));
            page.close();
        }
    }
}

#[test]
fn language_and_theme_are_changed_by_hand_and_kept() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = browser.open(&desk, &Look::default());
    page.shows("#waiting-h", "待ち呼", s(5));
    page.click("#language");
    page.shows("#waiting-h", "Waiting now", s(1));
    page.click("#theme");
    let told = "[document.documentElement.lang, document.documentElement.dataset.theme]";
    assert_eq!(page.evaluate(told), json!(["en", "dark"]));
    page.go("/");
    page.shows("#waiting-h", "Waiting now", s(5));
    assert_eq!(page.evaluate(told), json!(["en", "dark"]));
    // By the keyboard alone, and the focus is seen.
    page.press("Tab");
    let focus = page.evaluate(
        "const it = document.activeElement; [it.matches('select, button, a'), getComputedStyle(it).outlineStyle]",
    );
    assert_eq!(focus, json!([true, "solid"]));
    page.has_no_complaints("all of it");
    // Who logs out sees nothing more.
    page.click("#logout button");
    page.wait("document.querySelector('#token')", s(5));
    eventually("the board is not shown", s(2), || {
        poll(s(1), || Some(page.evaluate("document.querySelector('#waiting') === null")))
            .is_some_and(|it| it == json!(true))
    });
}
