//! The supervisor's pages with real calls: what is ordered there happens at the desk.

use crate::browser::{Browser, Look, Page};
use crate::support::desk::{Desk, Setup, password};
use crate::support::ear::Ear;
use crate::support::softphone::{self, Softphone};
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, poll, s};
use serde_json::json;

/// That plan records calls.
const RECORDS: &str = "[recording]\ndirectory = \"recordings\"\nleast_free_mib = 1\n";

fn page(browser: &Browser, desk: &Desk, look: Look) -> Page {
    let page = browser.open(desk, &Look { path: "/supervisor", ..look });
    page.wait("document.querySelector('#page table') !== null", s(8));
    page
}

/// Asked for an operator where nobody is, and stays there.
fn waits(desk: &Desk, number: &str, from: &str) -> crate::support::sipp::Sipp {
    let job = desk.caller(number).set("FROM", from).set("STAY", 300_000);
    job.set("PATIENCE", 300_000).within(s(400)).start()
}

fn tab(page: &Page, name: &str) {
    page.click(&format!("[data-tab={name}]"));
}

#[test]
fn every_page_of_a_supervisor_is_open_to_all_in_both_languages_and_themes() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    desk.answers_one();
    for look in Look::all() {
        let case = look.name();
        // Anew for each: one that waits for longer than a minute is asked whether it is still there, which it cannot say.
        let waiting = waits(&desk, "0312340090", "03111");
        let page = page(&browser, &desk, look);
        page.wait("document.querySelector('#page tr[data-call]') !== null", s(8));
        for name in ["now", "hours", "calls", "tickets", "figures", "planning", "plan", "orders"] {
            tab(&page, name);
            page.wait("document.querySelector('#page').textContent.length > 20", s(5));
            let settled = match name {
                "calls" => {
                    page.click("#calls-form button.main");
                    page.wait("document.querySelectorAll('#page tr[data-call]').length >= 2", s(8));
                    page.click("#page tr[data-call]:last-child button");
                    "document.querySelector('#explained') !== null"
                }
                "tickets" => "document.querySelector('#targets [data-target=ledger]') !== null",
                "figures" => "document.querySelector('#close-form') !== null",
                "planning" => "document.querySelector('#planning-answer [role=status]') === null",
                "plan" => "document.querySelector('#plan-text')?.value.length > 100",
                _ => "true",
            };
            page.wait(settled, s(8));
            page.is_open_to_all(&format!("{case}, {name}"));
            page.picture(&format!("supervisor-{name}-{case}"));
        }
        page.has_no_complaints(&case);
        page.close();
        drop(waiting);
    }
}

#[test]
fn who_waits_last_is_put_first_and_the_page_says_so() {
    let desk = Desk::with(&Setup { plan: "panel.toml", more: RECORDS, ..Setup::default() });
    let browser = Browser::start();
    let page = page(&browser, &desk, Look::default());
    let first = waits(&desk, "0312340020", "03111");
    page.wait("document.querySelectorAll('#page tr[data-call]').length === 1", s(8));
    let second = waits(&desk, "0312340020", "03222");
    page.wait("document.querySelectorAll('#page tr[data-call]').length === 2", s(8));
    let call = desk.call_of("032221").expect("it waits");
    let id = call["call"].as_str().expect("an id").to_owned();
    page.click(&format!("tr[data-call='{id}'] button"));
    page.wait(&format!("document.querySelector(\"tr[data-call='{id}'] button\")?.disabled"), s(8));
    eventually("it stands in its history", s(5), || {
        let ladder = desk.get(&format!("/api/v1/calls/{id}"))["ladder"].clone();
        ladder
            .as_array()
            .is_some_and(|rows| rows.iter().any(|row| row["event"]["kind"] == "put_first"))
    });
    drop((first, second));
}

#[test]
fn the_desk_is_closed_for_a_reason_and_opened_again() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let page = page(&browser, &desk, Look::default());
    tab(&page, "hours");
    page.wait("document.querySelector('#hours-form') !== null", s(5));
    let later = "(() => { const it = new Date(Date.now() + 9 * 3600e3 + 7200e3); return it.toISOString().slice(0, 16); })()";
    let until = page.evaluate(later);
    page.fill("#hours-form [name=until]", until.as_str().expect("a time"));
    page.fill("#hours-form [name=reason]", "<b>停電</b>");
    // Nothing is closed before somebody says which number, and the button says what it does.
    page.shows("#hours-form button.main", "閉める", s(3));
    page.click("#hours-form button.main");
    assert_eq!(page.evaluate("document.activeElement.name"), json!("number"), "it is asked for");
    assert_eq!(desk.get("/api/v1/hours")["ad_hoc"], json!([]));
    page.select("#hours-form [name=number]", "all");
    page.select("#hours-form [name=to]", "disaster");
    page.shows("#hours-form button.main", "全番号を災害で閉める", s(3));
    page.select("#hours-form [name=to]", "close");
    page.shows("#hours-form button.main", "全番号を閉める", s(3));
    // Whose word it is stands with it: the page asks for the name before the desk has to.
    page.click("#hours-form button.main");
    page.shows("#page-error", "あなたの氏名を入れてください。操作の記録に残ります。", s(3));
    assert_eq!(page.evaluate("document.activeElement.id"), json!("author"));
    page.fill("#author", "佐藤");
    page.click("#hours-form button.main");
    page.wait("document.querySelector('#page .list li button') !== null", s(8));
    let hours = desk.get("/api/v1/hours");
    let row = &hours["ad_hoc"][0];
    assert_eq!(
        (&row["to"], &row["author"], &row["reason"]),
        (&json!("closed"), &json!("佐藤"), &json!("<b>停電</b>"))
    );
    let left_ms = row["until_ms"].as_i64().expect("ms")
        - i64::try_from(
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis(),
        )
        .unwrap();
    assert!(
        (7_000_000..7_210_000).contains(&left_ms),
        "two hours from now in the desk's own zone: {left_ms}"
    );
    assert_eq!(
        page.evaluate("document.querySelector('#page b b')"),
        json!(null),
        "text, not markup"
    );
    page.click("#page .list li button");
    eventually("the usual hours hold", s(5), || desk.get("/api/v1/hours")["ad_hoc"] == json!([]));
}

#[test]
fn a_plan_is_changed_judged_compared_and_put_in_force_and_a_wrong_one_is_not() {
    let desk = Desk::start("desk.toml");
    desk.caller("0312340070").set("STAY", 300).start().done();
    desk.over("031234561");
    let browser = Browser::start();
    let page = page(&browser, &desk, Look::default());
    tab(&page, "plan");
    page.wait("document.querySelector('#plan-text')?.value.length > 100", s(8));
    let edit = |from: &str, to: &str| {
        page.evaluate(&format!(
            "const it = document.querySelector('#plan-text'); it.value = it.value.replace({from}, '{to}'); it.dispatchEvent(new Event('input', {{ bubbles: true }})); it.value.length"
        ));
        page.click("#plan-check");
        page.wait("document.querySelector('#findings') !== null", s(8));
    };
    let before = desk.get("/api/v1/board")["desk"].clone();
    page.shows("#plan-standing", "このファイルの内容で動いています。", s(3));
    page.shows("#plan-but", "変更はありません。", s(3));
    // What was edited is not what the desk goes by, and the page says so.
    page.evaluate("(() => { const it = document.querySelector('#plan-text'); it.value += '\\n# x'; it.dispatchEvent(new Event('input', { bubbles: true })); })()");
    page.shows("#plan-standing", "未反映の変更があります。", s(3));
    page.shows("#plan-but", "有効にする前に、検査してください。", s(3));
    page.shows("#plan-reload", "変更を捨てて読み直す", s(3));
    edit("/^name = .*$/m", "nama = \\'x\\'");
    page.wait("document.querySelector('#findings .bad') !== null", s(5));
    page.shows("#plan-but", "誤りがあります。有効にできません。", s(3));
    // A finding leads to its line.
    let line =
        "document.querySelector('#plan-text').value.split('\\n').indexOf(\"nama = 'x'\") + 1";
    page.click(&format!("#findings [data-line='{}']", page.evaluate(line)));
    let chosen = "(() => { const it = document.activeElement; return it.value.slice(it.selectionStart, it.selectionEnd); })()";
    assert_eq!(page.evaluate(chosen), json!("nama = 'x'"));
    assert_eq!(page.evaluate("document.querySelector('#plan-activate').disabled"), json!(true));
    edit("/^nama = .*$/m", "name = \"新しい窓口\"");
    page.wait("document.querySelector('#plan-diff ins') !== null", s(5));
    assert!(page.text("#plan-diff ins").contains("新しい窓口"));
    page.picture("supervisor-plan-changed");
    // Which calls would have gone another way: none by a name, the one caller's by another target.
    let weighed = |due: &str| {
        page.click("#plan-weigh");
        page.shows("#effect-sum", due, s(20));
    };
    weighed("直近 31 日の 1 件のうち 0 件の行き方が変わります。");
    let other = "/(name = \"information, not counted\"\\nopen = )[^\\n]*/";
    edit(other, "$1{ announce = \"holiday\" }");
    weighed("直近 31 日の 1 件のうち 1 件の行き方が変わります。");
    page.shows("#effect-calls ins", "受付時間内 → 案内「holiday」 → （集計対象外）", s(3));
    page.is_open_to_all("the effect of a plan");
    page.picture("supervisor-plan-effect");
    edit(
        "/announce = \"holiday\" }\\nlines = 20\\ncounted/",
        "announce = \"information\" }\\nlines = 20\\ncounted",
    );
    page.click("#plan-activate");
    eventually("the new plan is in force", s(8), || {
        desk.get("/api/v1/board")["desk"] == "新しい窓口"
    });
    assert_ne!(before, "新しい窓口");
    let shown = desk.get("/api/v1/plan");
    assert_eq!(shown["in_force"], true);
    let kept = format!("{}.previous", shown["file"].as_str().expect("a file"));
    assert!(!std::fs::read_to_string(kept).expect("the old one is kept").contains("新しい窓口"));
}

/// A softphone that picks up by itself.
fn talks(desk: &Desk, user: &str, voice: &Sound) -> Softphone {
    let password = password(user);
    let setup = softphone::Setup {
        user,
        password: &password,
        desk: Some(desk.sip),
        voice,
        answers: true,
        codecs: "PCMU",
        expires_s: 600,
    };
    Softphone::start(&desk.ports, &setup)
}

/// Whether this voice is in what was heard from then on, also with others at once.
fn is_in(heard: &Sound, from_ms: usize, voice: &Sound) -> bool {
    heard.share(from_ms, voice) > 0.42
}

/// Which buttons about listening there are of an agent.
fn modes(agent: &str, due: &[&str]) -> String {
    format!(
        "JSON.stringify([...document.querySelectorAll(\"tr[data-agent='{agent}'] [data-mode]\")].map((it) => it.dataset.mode)) === '{}'",
        json!(due)
    )
}

#[test]
fn a_supervisor_listens_and_barges_in_at_the_own_phone_and_sees_whom_and_how() {
    let desk = Desk::with(&Setup { plan: "table.toml", more: RECORDS, ..Setup::default() });
    let [his, hers, theirs] = [81, 82, 83].map(|seed| Sound(Sound::voice(seed, 10).0.repeat(12)));
    let _agent = talks(&desk, "6001", &hers);
    desk.agent_is("6001", "idle");
    let supervisor = talks(&desk, "6003", &theirs);
    desk.agent_is("6003", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 120_000);
    let caller = caller.within(s(150)).start();
    let port: u16 = caller.wait(1, "answered", s(8)).parse().unwrap();
    ear.say(&his, Law::Mu, port);

    let browser = Browser::start();
    let page = page(&browser, &desk, Look::default());
    page.fill("#author", "高橋");
    let button = |mode: &str| format!("tr[data-agent='6001'] [data-mode={mode}]");
    // Nothing is ended that was not begun.
    page.wait(&modes("6001", &["listen", "whisper", "barge"]), s(8));
    page.click(&button("listen"));
    let due = "あなたの内線を入れてください。モニターのときにその電話が鳴ります。";
    page.shows("#page-error", due, s(3));
    page.fill("#phone", "6003");
    page.picture("supervisor-talk");
    // What the caller hears is forgotten, and heard anew.
    let callers = |voices: [bool; 3]| {
        let found = poll(s(25), || {
            ear.forget();
            crate::support::rest(2_300);
            let heard = ear.heard();
            let now = [&his, &hers, &theirs].map(|voice| is_in(&heard, 150, voice));
            (now == voices).then_some(())
        });
        assert!(found.is_some(), "the caller hears [caller, agent, supervisor] not as {voices:?}");
    };

    page.click(&button("listen"));
    supervisor.wait("CALL_ESTABLISHED", s(10));
    page.shows("#monitor", "佐藤 花子 の通話をモニター中（聞くだけ）", s(8));
    callers([false, true, false]);
    page.click(&button("barge"));
    page.shows("#monitor", "佐藤 花子 の通話に割込み中", s(8));
    callers([false, true, true]);
    // Nobody listens to oneself, and who loads the page again still sees it.
    page.wait(&modes("6003", &[]), s(5));
    page.picture("supervisor-barged");
    page.is_open_to_all("barged in");
    page.go("/supervisor?extension=6003");
    page.shows("#monitor", "佐藤 花子 の通話に割込み中", s(8));
    page.wait(&modes("6001", &["listen", "whisper", "barge", "end"]), s(5));
    page.click(&button("end"));
    supervisor.wait("CALL_CLOSED", s(10));
    page.shows("#monitor", "", s(8));
    page.wait(&modes("6001", &["listen", "whisper", "barge"]), s(5));
    callers([false, true, false]);
    // What the supervisor's phone has recorded, which is whole when its call is over: both of them at once.
    let heard = supervisor.heard().pop().expect("a recording");
    let seconds = usize::try_from(heard.ms()).unwrap() / 1_000;
    let both = (2..seconds).any(|until| {
        let from_ms = (until - 2) * 1_000;
        is_in(&heard, from_ms, &his) && is_in(&heard, from_ms, &hers)
    });
    assert!(both, "{seconds} s, and caller and agent never in the same two of them");
    assert_eq!(desk.call_of("031234561").expect("goes on")["state"], "talking");
    page.has_no_complaints("listening");
    drop(caller);
}

/// The variants of a type that the pages' scripts know, by their `kind`.
fn kinds(of: &str) -> Vec<String> {
    let types = include_str!("../../web/types.d.ts");
    let (_, behind) = types.split_once(&format!("export type {of} = ")).expect(of);
    let (block, _) = behind.split_once("\nexport type").expect("another type");
    let named = block.split("kind: \"").skip(1);
    named.map(|it| it.split_once('"').expect("an end").0.to_owned()).collect()
}

#[test]
fn what_a_call_went_through_and_what_the_desk_refuses_is_told_in_the_language_of_the_page() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    desk.answers_one();
    let page = page(&browser, &desk, Look::default());
    let of = [
        ("call", "CallEvent"),
        ("placed", "PlacedEvent"),
        ("sound", "SoundEvent"),
        ("recording", "RecordingEvent"),
        ("message", "MessageEvent"),
        ("note", "NoteEvent"),
        ("callback", "CallbackEvent"),
        ("incident", "IncidentEvent"),
    ];
    let due: Vec<_> = of.iter().map(|(name, of)| json!([name, kinds(of)])).collect();
    assert!(kinds("CallEvent").len() > 50, "{due:?}");
    let errors =
        include_str!("../../src/pbx/api.rs").split_once("pub enum CommandError").unwrap().1;
    let errors = errors.split_once("\n}").unwrap().0.split("#[error(").skip(1);
    let errors: Vec<_> = errors.map(|it| it.split('"').nth(1).unwrap()).collect();
    assert!(errors.len() > 20, "{errors:?}");
    let missing = page.evaluate(&format!(
        "import('/supervisor/words.js').then(({{ EVENTS, REFUSALS }}) => [...{errors}.filter((it) => !REFUSALS.ja[it]),
            ...['ja', 'en'].flatMap((language) => {due}.flatMap(([of, kinds]) => kinds.filter((kind) => !EVENTS[language][of][kind]).map((kind) => `${{language}} ${{of}} ${{kind}}`)))])",
        errors = json!(errors),
        due = json!(due),
    ));
    assert_eq!(missing, json!([]), "nothing is said of these");

    tab(&page, "calls");
    page.click("#calls-form button.main");
    page.wait("document.querySelector('#page tr[data-call] button') !== null", s(8));
    page.click("#page tr[data-call] button");
    page.wait("document.querySelector('.ladder tbody tr') !== null", s(8));
    let told = "[...document.querySelectorAll('.ladder tbody tr')].map((it) => it.cells[1].textContent.trim())";
    assert_eq!(
        page.evaluate(told),
        json!([
            "0312340010 に着信",
            "グループ「one」を呼出",
            "固定 201 を呼出",
            "接続",
            "固定 201 が応答",
            "発信者が切断"
        ])
    );
    let places = "[...document.querySelectorAll('.stands dd')].map((it) => it.textContent)";
    assert_eq!(
        page.evaluate(places),
        json!(["件数に含む・放棄ではない", "件数に含む・ビジーではない", "達成"])
    );
    // The words of the history are there for who asks for them.
    page.click("#raw");
    page.wait("document.querySelector('.ladder').textContent.includes('operator_asked')", s(3));

    // A month that runs is not closed, and the page says why before anybody tries.
    tab(&page, "figures");
    page.wait("document.querySelector('#close-month')?.disabled", s(8));
    assert!(page.text("#close-why").contains("終わるまで締められません"));
}
