//! What is refused, and in which words.

use super::*;
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

/// (what is changed, into what, codes of the findings in order)
const REFUSED: [(&str, &str, &[&str]); 107] = [
    ("name = \"窓口\"", "name = 窓口", &["syntax"]),
    ("name = \"窓口\"", "", &["missing-key"]),
    ("name = \"窓口\"", "name = \"\"", &["bad-text"]),
    ("name = \"窓口\"", "name = 3", &["wrong-kind"]),
    ("name = \"窓口\"", "name = \"窓口\"\nnmae = \"x\"", &["unknown-key"]),
    ("Asia/Tokyo", "Asia/Tokio", &["bad-word"]),
    ("0312345678", "03-1234-5678", &["bad-number", "hours-unused", "unreachable"]),
    ("0312345678", "110", &["emergency-number"]),
    ("hours = \"desk\"", "hours = \"dsek\"", &["no-such", "hours-unused"]),
    ("hours = \"desk\"\n", "", &["closed-unused", "hours-unused"]),
    ("open = { menu = \"welcome\" }", "open = { menu = \"welcom\" }", &["no-such", "unreachable"]),
    (
        "open = { menu = \"welcome\" }",
        "open = { mneu = \"welcome\" }",
        &["bad-target", "unknown-key", "unreachable"],
    ),
    (
        "open = { menu = \"welcome\" }",
        "open = { menu = \"welcome\", group = \"desk\" }",
        &["bad-target", "unreachable"],
    ),
    (
        "open = { menu = \"welcome\" }",
        "open = { extension = \"7000\" }",
        &["not-a-phone", "unreachable"],
    ),
    (
        "open = { menu = \"welcome\" }",
        "open = { extension = \"seven\" }",
        &["bad-number", "unreachable"],
    ),
    (
        "closed = { announce = \"after-hours\" }",
        "closed = { announce = \"after-hour\" }",
        &["no-prompt"],
    ),
    (
        "closed = { announce = \"after-hours\" }",
        "closed = { announce = \"../secret\" }",
        &["bad-text"],
    ),
    ("closed = { announce = \"after-hours\" }", "closed = { refuse = 404 }", &["bad-status"]),
    ("closed = { announce = \"after-hours\" }", "", &["missing-key"]),
    ("lines = 5", "lines = 5\npriority = 0", &["out-of-range"]),
    ("lines = 5", "lines = 5\npriority = 10", &["out-of-range"]),
    ("lines = 5", "lines = 5\nskills = { english = 1 }", &["no-such"]),
    ("lines = 5", "lines = 5\nskills = { english = 0 }", &["out-of-range"]),
    ("lines = 5", "lines = 5\nskills = { \"英語\" = 1 }", &["no-such", "bad-text"]),
    ("lines = 5", "lines = 5\nskills = [\"english\"]", &["wrong-kind"]),
    ("lines = 5", "lines = 5\n[preferred_callers]\n03-1234 = 1", &["bad-number"]),
    ("lines = 5", "lines = 5\n[preferred_callers]\n0398765432 = \"first\"", &["wrong-kind"]),
    ("strategy = \"linear\"", "strategy = \"fewest\"", &["bad-word"]),
    ("strategy = \"linear\"", "strategy = \"linear\"\nsurvey = \"after\"", &["no-such"]),
    ("strategy = \"linear\"", "strategy = \"linear\"\nsurvey = 1", &["wrong-kind"]),
    (
        "lines = 5",
        "lines = 5\n[surveys.after]\nwrong = \"busy\"\nthanks = \"busy\"\nquestions = [\"busy\"]",
        &["unreachable"],
    ),
    (
        "lines = 5",
        "lines = 5\n[surveys.after]\nwrong = \"busy\"\nthanks = \"busy\"\nquestions = []",
        &["unreachable", "missing-key"],
    ),
    (
        "lines = 5",
        "lines = 5\n[surveys.after]\nwrong = \"busy\"\nthanks = \"busy\"\nquestions = [\"busy\"]\ntries = 0\ntimeout = \"0s\"",
        &["unreachable", "out-of-range", "out-of-range"],
    ),
    ("strategy = \"linear\"", "strategy = \"weighted\"\nring_outs = 0", &["out-of-range"]),
    (
        "strategy = \"linear\"",
        "strategy = \"weighted\"\nwiden = [{ after = \"60s\", level = 1 }, { after = \"30s\", level = 0 }]",
        &["widen-order"],
    ),
    (
        "strategy = \"linear\"",
        "strategy = \"weighted\"\nwiden = [{ after = \"30s\" }]",
        &["missing-key"],
    ),
    (
        "strategy = \"linear\"",
        "strategy = \"weighted\"\nwiden = [{ after = \"30s\", level = 9 }]",
        &["out-of-range"],
    ),
    (
        "strategy = \"linear\"",
        "strategy = \"linear\"\noverflow = [{ waited = \"60s\", to = { group = \"desk\" } }]",
        &["overflow-home"],
    ),
    (
        "strategy = \"linear\"",
        "strategy = \"linear\"\noverflow = [{ waiting = 3, waited = \"60s\", to = { refuse = 486 } }]",
        &["bad-overflow"],
    ),
    (
        "strategy = \"linear\"",
        "strategy = \"linear\"\noverflow = [{ waited = \"60s\" }]",
        &["missing-key"],
    ),
    ("[agents]", "[groups.desk.queue]\ntell_wait = true\n[agents]", &["no-waits"]),
    (
        "[agents]",
        "[prompts]\nwaits = [{ within = \"2m\", prompt = \"busy\" }, { within = \"1m\", prompt = \"busy\" }]\n[agents]",
        &["waits-order"],
    ),
    ("lines = 5", "lines = 5\nrecording = \"always\"", &["records-unannounced"]),
    ("lines = 5", "lines = 5\nrecording = \"on_demand\"", &["records-unannounced"]),
    ("lines = 5", "lines = 5\nrecording = \"sometimes\"", &["bad-word"]),
    ("lines = 5", "lines = 0", &["out-of-range"]),
    ("lines = 5", "lines = -1", &["out-of-range"]),
    ("lines = 5", "lines = 0x1_0000_0000_0000_0000", &["out-of-range"]),
    ("lines = 5", "lines = \"5\"", &["wrong-kind"]),
    ("lines = 5", "lines = 5\nlines = 6", &["syntax"]),
    ("08:30-18:15", "08:30-25:00", &["bad-span"]),
    ("08:30-18:15", "18:15-08:30", &["span-backwards"]),
    ("\"08:30-18:15\"", "[\"08:30-12:00\", \"11:00-18:15\"]", &["spans-overlap"]),
    ("\"08:30-18:15\"", "[\"13:00-18:15\", \"08:30-12:00\"]", &["spans-overlap"]),
    ("\"08:30-18:15\"", "[\"08:30-11:59\", \"12:00-18:15\"]", &["spans-gap"]),
    ("\"08:30-18:15\"", "12:00:00", &["wrong-kind"]),
    ("sat-sun", "fri-sun", &["day-twice"]),
    ("sat-sun", "sat", &["days-missing"]),
    ("sat-sun", "weekend", &["days-missing", "bad-days"]),
    (
        "[menus.welcome]",
        "[[hours.desk.closures]]\nname=\"a\"\nfrom=\"12-29\"\nuntil=\"01-03\"\n[[hours.desk.closures]]\nname=\"b\"\nfrom=\"01-03\"\nuntil=\"01-05\"\n[menus.welcome]",
        &["closures-overlap"],
    ),
    (
        "[menus.welcome]",
        "[[hours.desk.closures]]\nname=\"a\"\nfrom=\"13-29\"\nuntil=\"1-3\"\n[menus.welcome]",
        &["bad-month-day", "bad-month-day"],
    ),
    (
        "[menus.welcome]",
        "[hours.desk.days]\n2026-02-30 = { name = \"x\", open = \"closed\" }\n[menus.welcome]",
        &["bad-date"],
    ),
    ("timeout = \"6s\"\n", "", &["missing-key"]),
    ("timeout = \"6s\"", "timeout = \"0s\"", &["out-of-range"]),
    ("timeout = \"6s\"", "timeout = \"6\"", &["bad-duration"]),
    ("timeout = \"6s\"", "timeout = \"6s\"\ntries = 0", &["out-of-range"]),
    ("then = { group = \"desk\" }", "then = { menu = \"welcome\" }", &["menu-circle"]),
    (
        "then = { group = \"desk\" }",
        "then = { hours = \"desk\", open = { group = \"desk\" }, closed = { menu = \"welcome\" } }",
        &["menu-circle"],
    ),
    (
        "then = { group = \"desk\" }",
        "then = { language = \"en\", then = { menu = \"welcome\" } }",
        &["menu-circle"],
    ),
    (
        "then = { group = \"desk\" }",
        "then = { language = \"fr\", then = { group = \"desk\" } }",
        &["bad-word"],
    ),
    ("then = { group = \"desk\" }", "then = { language = \"en\" }", &["missing-key"]),
    (
        "then = { group = \"desk\" }",
        "then = { hours = \"dask\", open = { group = \"desk\" }, closed = { refuse = 486 } }",
        &["no-such"],
    ),
    (
        "then = { group = \"desk\" }",
        "then = { hours = \"desk\", open = { group = \"desk\" } }",
        &["missing-key"],
    ),
    (
        "then = { group = \"desk\" }",
        "then = { group = \"desk\", hours = \"desk\" }",
        &["bad-target"],
    ),
    ("then = { group = \"desk\" }", "then = { enter = \"staff\" }", &["no-such"]),
    (
        "then = { group = \"desk\" }",
        "then = { group = \"desk\" }\nextensions = [\"2001-2002\", \"7000\"]",
        &[],
    ),
    (
        "then = { group = \"desk\" }",
        "then = { group = \"desk\" }\nextensions = [\"2001-2003\"]",
        &["no-such"],
    ),
    (
        "then = { group = \"desk\" }",
        "then = { group = \"desk\" }\nextensions = \"0312345678\"",
        &["not-a-phone"],
    ),
    (
        "[groups.desk]",
        "[entries.staff]\nprompt = \"welcome\"\nwrong = \"menu-wrong\"\nconfirm = false\nmin_digits = 6\nmax_digits = 4\nthen = { group = \"desk\" }\notherwise = { group = \"desk\" }\n[groups.desk]",
        &["digits-backwards", "unreachable"],
    ),
    (
        "[menus.welcome.keys]",
        "[entries.staff]\nprompt = \"welcome\"\nwrong = \"menu-wrong\"\nconfirm = false\nmin_digits = 6\nmax_digits = 8\nthen = { group = \"desk\" }\notherwise = { menu = \"welcome\" }\n[menus.welcome.keys]\n2 = { enter = \"staff\" }",
        &[],
    ),
    ("[menus.welcome.keys]\n1 = { group = \"desk\" }", "", &["menu-without-keys"]),
    ("1 = { group = \"desk\" }", "10 = { group = \"desk\" }", &["bad-key"]),
    ("open = { menu = \"welcome\" }", "open = { group = \"desk\" }", &["unreachable"]),
    ("number = \"7000\"", "number = \"2001\"", &["number-twice"]),
    ("number = \"7000\"", "number = \"70 00\"", &["bad-number"]),
    (
        "agents = [\"2001\", \"2002\"]",
        "agents = []",
        &["group-empty", "agent-in-no-group", "agent-in-no-group"],
    ),
    ("agents = [\"2001\", \"2002\"]", "agents = [\"2001-2003\"]", &["no-such"]),
    ("agents = [\"2001\", \"2002\"]", "agents = [\"2001\", \"2001-2002\"]", &["member-twice"]),
    ("agents = [\"2001\", \"2002\"]", "agents = [\"2001\"]", &["agent-in-no-group"]),
    (
        "agents = [\"2001\", \"2002\"]",
        "agents = [\"2001-200\"]",
        &["bad-range", "agent-in-no-group", "agent-in-no-group"],
    ),
    ("strategy = \"linear\"", "strategy = \"liner\"", &["bad-word"]),
    ("strategy = \"linear\"", "strategy = \"linear\"\nring = \"181s\"", &["out-of-range"]),
    (
        "[agents]",
        "[groups.desk.queue]\nmax_wait = \"8s\"\ncomfort = \"comfort\"\n[agents]",
        &["wait-below-ring", "wait-below-busy", "comfort-never"],
    ),
    (
        "[agents]",
        "[groups.desk.queue]\ntell_position = true\nmax_waiting = 0\n[agents]",
        &["no-positions", "out-of-range"],
    ),
    ("2002 = \"鈴木 一郎\"", "2002-2001 = \"鈴木 一郎\"", &["no-such", "bad-range"]),
    ("2002 = \"鈴木 一郎\"", "2001-2002 = \"鈴木 一郎\"", &["number-twice"]),
    ("\"*11\" = \"sign_in\"", "\"11\" = \"sign_inn\"", &["bad-number", "bad-word"]),
    ("\"*11\" = \"sign_in\"", "\"*11{extension}\" = \"sign_in\"", &["code-extension"]),
    ("\"*11\" = \"sign_in\"", "\"*90\" = \"listen\"", &["code-extension"]),
    ("\"*11\" = \"sign_in\"", "\"90{extension}\" = \"listen\"", &["bad-number"]),
    ("\"*11\" = \"sign_in\"", "\"*9{number}\" = \"listen\"", &["bad-number", "code-extension"]),
    (
        "\"*11\" = \"sign_in\"",
        "\"*811\" = \"sign_in\"\n\"*8{extension}\" = \"pickup\"",
        &["code-ambiguous"],
    ),
    // One digit is no extension.
    ("\"*11\" = \"sign_in\"", "\"*81\" = \"sign_in\"\n\"*8{extension}\" = \"pickup\"", &[]),
    (
        "\"*11\" = \"sign_in\"",
        "\"*9{extension}\" = \"listen\"\n\"*91{extension}\" = \"barge\"",
        &["code-ambiguous"],
    ),
    ("[agents]", "[supervisors]\nagents = [\"2001-2003\"]\n[agents]", &["no-such"]),
    (
        "[agents]",
        "[supervisors]\nannouncement = \"welcom\"\n[agents]",
        &["missing-key", "no-prompt"],
    ),
    ("[agents]", "[extensions]\nhold_most = \"4s\"\n[agents]", &["out-of-range"]),
];

#[test]
fn each_fault_is_found_and_nothing_else() {
    for (from, into, want) in REFUSED {
        assert!(SMALL.contains(from), "{from}");
        let text = SMALL.replacen(from, into, 1);
        let result = load(&text, "p.toml", Some(&prompts()));
        let refused = result.is_err();
        let (Err(findings) | Ok((_, findings))) = result;
        let codes: Vec<_> = findings.iter().map(|finding| finding.message.code).collect();
        let told: Vec<_> = findings.iter().map(|finding| finding.render(Lang::En)).collect();
        assert_eq!(codes, want, "{from} -> {into}\n{}", told.join("\n"));
        assert_eq!(refused, findings.iter().any(Finding::is_error), "{from} -> {into}");
        assert!(findings.iter().all(|finding| finding.place.is_some()), "{from} -> {into}");
    }
}

#[test]
fn a_refusal_reads_like_a_compiler_in_both_languages() {
    let text = SMALL
        .replacen("timeout = \"6s\"\n", "", 1)
        .replacen("strategy = \"linear\"", "strategy = \"liner\"", 1)
        .replacen("number = \"7000\"", "number = \"2001\"", 1);
    let english = "\
error[missing-key]: timeout is missing
  --> plans/desk.toml:12:1
   |
12 | [menus.welcome]
   | ^^^^^^^^^^^^^^^
   |
   = due: for example: timeout = \"6s\"
error[bad-word]: strategy is \"liner\"
  --> plans/desk.toml:20:12
   |
20 | strategy = \"liner\"
   |            ^^^^^^^
   |
   = due: did you mean linear? (one of ring_all, linear, round_robin, longest_idle, fewest_calls, weighted)
error[number-twice]: the number 2001 is used twice (first in line 18)
  --> plans/desk.toml:22:1
   |
22 | 2001 = \"佐藤 花子\"
   | ^^^^
   |
   = due: each number once among desk numbers, group numbers, agents and feature codes";
    let japanese = "\
エラー[missing-key]: timeout が書かれていない
  --> plans/desk.toml:12:1
   |
12 | [menus.welcome]
   | ^^^^^^^^^^^^^^^
   |
   = 正しくは: 例: timeout = \"6s\"
エラー[bad-word]: strategy が \"liner\" になっている
  --> plans/desk.toml:20:12
   |
20 | strategy = \"liner\"
   |            ^^^^^^^
   |
   = 正しくは: linear のことですか（使えるのは ring_all, linear, round_robin, longest_idle, fewest_calls, weighted）
エラー[number-twice]: 番号 2001 が二度使われている（先は 18 行目）
  --> plans/desk.toml:22:1
   |
22 | 2001 = \"佐藤 花子\"
   | ^^^^
   |
   = 正しくは: 着信番号・グループ番号・内線・特番を通して、番号は一度だけ";
    assert_eq!(shown(load(&text, "plans/desk.toml", None), Lang::En), english);
    assert_eq!(shown(load(&text, "plans/desk.toml", None), Lang::Ja), japanese);
}

#[test]
fn the_slips_of_japanese_typing_are_named() {
    let table = [
        ("\"6s\"", "”6s”", "全角の「””」がある", "半角の「\"\"」"),
        ("lines = 5", "lines　=　5", "全角の「\u{3000}」がある", "半角の「 」"),
        ("lines = 5", "lines ＝ 5", "全角の「＝」がある", "半角の「=」"),
        ("lines = 5", "lines = ５", "全角の「５」がある", "半角の「5」"),
        ("[\"2001\", \"2002\"]", "[\"2001\"、 \"2002\"]", "全角の「、」がある", "半角の「,」"),
        ("lines = 5", "lines = 5\nlines = 5", "同じ項目か表が二度", "項目 = 値"),
        ("name = \"代表\"", "name = \"代表", "文字列の終わりの \" がない", "項目 = 値"),
        ("[menus.welcome]", "[menus.welcome", "終わりの ] がない", "項目 = 値"),
        ("lines = 5", "lines", "「= 値」がない", "項目 = 値"),
        ("lines = 5", "lines = many", "囲まれていない", "項目 = 値"),
    ];
    for (from, into, found, due) in table {
        assert!(SMALL.contains(from), "{from}");
        let told = shown(load(&SMALL.replacen(from, into, 1), "p.toml", None), Lang::Ja);
        assert!(told.contains(found) && told.contains(due), "{into}\n{told}");
    }
    // Windows' Notepad: a byte order mark, and carriage returns.
    let text = format!("\u{feff}{}", SMALL.replace('\n', "\r\n"));
    let result = load(&text, "p.toml", None);
    assert!(matches!(&result, Ok((_, none)) if none.is_empty()), "{}", shown(result, Lang::Ja));
}

#[test]
fn what_only_larger_plans_can_have_is_found_too() {
    let circle = SMALL
        .replacen("then = { group = \"desk\" }", "then = { menu = \"second\" }", 1)
        .replacen(
            "[groups.desk]",
            "[menus.second]\ngreeting = \"welcome\"\ntimeout = \"6s\"\nthen = { menu = \"welcome\" }\nkeys.1 = { group = \"desk\" }\n[groups.desk]",
            1,
        );
    let told = shown(load(&circle, "p.toml", None), Lang::En);
    assert_eq!(told.matches("menu-circle").count(), 1, "{told}");
    assert!(told.contains("second → welcome → second"), "{told}");

    let island = SMALL.replacen(
        "[groups.desk]",
        "[groups.island]\nagents = \"2001\"\nstrategy = \"linear\"\n[groups.desk]",
        1,
    );
    let told = shown(load(&island, "p.toml", None), Lang::En);
    assert!(told.starts_with("warning[unreachable]: nothing leads to the group island"), "{told}");

    let crowd = SMALL
        .replacen("agents = [\"2001\", \"2002\"]", "agents = \"3000-3100\"", 1)
        .replacen("\"linear\"", "\"ring_all\"", 1)
        .replacen("[agents]", "[agents]\n3000-3100 = \"x\"", 1);
    let told = shown(load(&crowd, "p.toml", None), Lang::En);
    assert!(told.contains("error[ring-all-large]: a ring_all group has 101 agents"), "{told}");

    let told = |group: &str, number: &str| {
        let text = SMALL
            .replacen("strategy = \"linear\"", &format!("strategy = \"linear\"\n{group}"), 1)
            .replacen("lines = 5", &format!("lines = 5\n{number}"), 1);
        shown(load(&text, "p.toml", Some(&prompts())), Lang::En)
    };
    let codes = |codes: &str, number: &str| {
        let text = SMALL.replacen("[codes]", &format!("[codes]\n{codes}"), 1).replacen(
            "lines = 5",
            &format!("lines = 5\n{number}"),
            1,
        );
        match load(&text, "p.toml", None) {
            Ok((plan, found)) => (Some(plan.clone()), shown(Ok((plan, found)), Lang::En)),
            Err(found) => (None, shown(Err(found), Lang::En)),
        }
    };
    let (plan, found) = codes(
        "\"*21\" = \"close_desk\"\n\"*21{number}\" = \"close_desk\"",
        "short = \"7\"\nlamp = \"730\"",
    );
    assert_eq!(found, "");
    let plan = plan.expect("good");
    let behind = |text: &str| plan.number_behind(&Number::from(text)).map(Number::as_str);
    let whole = Some("0312345678");
    assert_eq!([behind("7"), behind("0312345678"), behind("8")], [whole, whole, None]);
    for (code, number, want) in [
        ("\"*21{extension}\" = \"close_desk\"", "", "code-place"),
        ("\"*8{number}\" = \"pickup\"", "", "bad-number"),
        ("\"*21{number}\" = \"pause\"", "", "bad-number"),
        ("\"*21{number}\" = \"close_desk\"\n\"*211\" = \"pause\"", "", "code-ambiguous"),
        ("", "short = \"12345\"", "bad-short"),
        ("", "short = \"*1\"", "bad-short"),
        ("", "lamp = \"2001\"", "number-twice"),
        ("", "lamp = \"x\"", "bad-number"),
        ("", "lamp = \"119\"", "emergency-number"),
    ] {
        let (_, found) = codes(code, number);
        assert!(found.contains(&format!("error[{want}]")), "{code} {number}: {found}");
    }
    let twice = SMALL.replacen("lines = 5", "lines = 5\nshort = \"1\"", 1).replacen(
        "[desk_numbers.",
        "[desk_numbers.0312345677]\nname = \"x\"\nopen = { group = \"desk\" }\nlines = 1\nshort = \"1\"\n[desk_numbers.",
        1,
    );
    assert!(shown(load(&twice, "p.toml", None), Lang::Ja).contains("short-twice"));

    let beyond = |number: &str, prefix: &str| {
        let to = format!("overflow = [{{ waited = \"60s\", to = {{ outside = \"{number}\" }} }}]");
        let text =
            SMALL.replacen("strategy = \"linear\"", &format!("strategy = \"linear\"\n{to}"), 1);
        let rule = "[[outside]]\nname = \"x\"\nnumbers = [\"0xxxxxxxxx\", \"1*\"]\ntrunks = [\"carrier\"]\n";
        let text = format!("{text}[calling_out]\n{prefix}emergency = [\"carrier\"]\n{rule}");
        shown(load(&text, "p.toml", None), Lang::En)
    };
    assert_eq!(beyond("0398765432", ""), "", "by the rules");
    // Never to an emergency number, in whatever dress: the rules would let each of these pass.
    for number in ["110", "118", "119", "184110", "186119"] {
        let found = beyond(number, "");
        assert!(found.contains("error[emergency-number]"), "{number}: {found}");
    }
    let found = beyond("1110", "prefix = \"1\"\n");
    assert!(found.contains("error[emergency-number]"), "behind the prefix: {found}");
    for (number, code) in [
        ("0312345678", "not-outside"),
        ("2001", "not-outside"),
        ("09012345678", "overflow-nowhere"),
        ("03-9876-5432", "bad-number"),
    ] {
        let found = beyond(number, "");
        assert!(found.contains(&format!("error[{code}]")), "{number}: {found}");
    }
    let nobody = SMALL.replacen(
        "strategy = \"linear\"",
        "strategy = \"linear\"\noverflow = [{ waited = \"60s\", to = { outside = \"0398765432\" } }]",
        1,
    );
    let found = shown(load(&nobody, "p.toml", None), Lang::Ja);
    assert!(found.contains("overflow-nowhere"), "no calls outside at all: {found}");
    let elsewhere =
        SMALL.replacen("then = { group = \"desk\" }", "then = { outside = \"0398765432\" }", 1);
    assert!(load(&elsewhere, "p.toml", None).is_err(), "only an overflow leads outside");

    let (good, long) = ("tell_agent = \"desk-is-demo\"", "tell_agent = \"long-story\"");
    assert_eq!(told(good, good), "", "a few words");
    for found in [told(long, ""), told("", long)] {
        let want = "warning[agent-told-long]: an agent hears long-story for 5001ms";
        assert!(found.starts_with(want), "{found}");
    }
    assert!(told("tell_agent = \"desk-demo\"", "").contains("error[no-prompt]"));

    let many = format!("{SMALL}[agents.10000-29999]\nname = \"x\"\n");
    assert!(shown(load(&many, "p.toml", None), Lang::En).contains("range-too-long"));
    let nobody = "name = \"x\"\ntimezone = \"Asia/Tokyo\"\n";
    assert!(shown(load(nobody, "p.toml", None), Lang::En).contains("warning[no-desk-number]"));
    let huge = "#".repeat(5 << 20);
    assert!(shown(load(&huge, "p.toml", None), Lang::En).contains("too-long"));
    let deep = format!("x = {}", "[".repeat(100_000));
    assert!(load(&deep, "p.toml", None).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// A plan that somebody broke anywhere is read without a panic, and told in both languages.
    #[test]
    fn no_mutation_of_a_plan_makes_load_panic(
        which in 0..4usize,
        cuts in proptest::collection::vec((any::<u16>(), 0..40usize, "[ -~\\n\"{}\\[\\]=,窓口０]{0,12}"), 1..4),
    ) {
        let mut text = [SMALL, SHIPPED[0].1, SHIPPED[1].1, SHIPPED[2].1][which].to_owned();
        for (place, length, put) in cuts {
            let floor = |mut at: usize| {
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let start = floor(usize::from(place) % (text.len() + 1));
            let end = floor((start + length).min(text.len()));
            text.replace_range(start..end.max(start), &put);
        }
        let told = load(&text, "p.toml", Some(&prompts()));
        let refused = told.is_err();
        let shown = shown(told, Lang::Ja);
        prop_assert!(!refused || !shown.is_empty());
    }

    /// Values exchanged between keys: well-formed TOML, wrong plan.
    #[test]
    fn no_exchange_of_lines_makes_load_panic(
        swaps in proptest::collection::vec((0..26usize, 0..26usize), 1..6),
    ) {
        let mut lines: Vec<&str> = SMALL.lines().collect();
        for (one, two) in swaps {
            let count = lines.len();
            lines.swap(one % count, two % count);
        }
        let text = lines.join("\n");
        if let Ok((plan, _)) = load(&text, "p.toml", None) {
            let _ = plan.route(&Number::from("0312345678"), Wall(0));
        }
    }
}
