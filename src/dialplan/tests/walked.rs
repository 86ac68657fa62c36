//! The way a call would take.

use super::*;

fn ask(plan: &Plan, time: &str, from: Asker, to: &str, presses: &str) -> Walk {
    let presses = presses
        .chars()
        .map(|key| if key == '-' { Press::Nothing } else { Press::Key(key) })
        .collect();
    walk(plan, &Question { at: at(time), from, to: Number::from(to), presses, ad_hoc: None })
}

#[test]
fn a_call_is_walked_as_it_would_go() {
    let plan = shipped("service-desk.toml");
    let open = "2026-11-02T10:00";
    let outside = || Asker::Outside(None);
    let agent = || Asker::Extension(Number::from("2001"));
    // (case, time, from, to, keys, how it ends, counted)
    let table = [
        ("menu, key 1", open, outside(), "0312345678", "1", "group desk", true),
        ("menu, silence", open, outside(), "0312345678", "", "group desk", true),
        ("menu, wrong keys", open, outside(), "0312345678", "55", "group desk", true),
        (
            "menu, wrong, then information",
            open,
            outside(),
            "0312345678",
            "52",
            "information menu_served",
            true,
        ),
        (
            "menu, again, information",
            open,
            outside(),
            "0312345678",
            "92",
            "information menu_served",
            true,
        ),
        (
            "menu, waits, information",
            open,
            outside(),
            "0312345678",
            "-2",
            "information menu_served",
            true,
        ),
        ("direct", open, outside(), "0312345679", "", "group desk", true),
        ("direct from an agent", open, agent(), "0312345679", "", "group desk", false),
        ("night", "2026-11-02T20:00", outside(), "0312345678", "1", "after-hours closed", true),
        ("holiday", "2026-11-03T10:00", outside(), "0312345678", "1", "holiday closed", true),
        ("year-end", "2026-12-30T10:00", outside(), "0312345678", "1", "year-end closed", true),
        ("uncounted", open, outside(), "0312345670", "", "information menu_served", false),
        (
            "group number",
            open,
            Asker::Extension(Number::from("3000")),
            "7000",
            "",
            "group desk",
            true,
        ),
        ("own line", open, agent(), "2002", "", "phone 2002", false),
        ("code", open, agent(), "*11", "", "code SignIn 2001", false),
        ("code by a stranger", open, outside(), "*11", "", "code SignIn -", false),
        ("lot", open, agent(), "700", "", "lot, first 701", false),
        (
            "slot",
            open,
            Asker::Extension(Number::from("3000")),
            "705",
            "",
            "slot of 共用の保留",
            false,
        ),
        ("slot from outside", open, outside(), "705", "", "nothing", false),
        ("no number", open, outside(), "0399999999", "", "nothing", false),
        ("round and round", open, outside(), "0312345678", &"9".repeat(60), "menus", true),
    ];
    for (case, time, from, to, keys, want, counted) in table {
        let walk = ask(&plan, time, from, to, keys);
        let end = match &walk.end {
            End::Group(way) => format!("group {}", way.group),
            End::Phone { agent, .. } => format!("phone {agent}"),
            End::Told { prompt, outcome } => format!("{prompt} {}", outcome.name()),
            End::Refused { status, outcome } => format!("{status} {}", outcome.name()),
            End::Message { mailbox, .. } => format!("message {mailbox}"),
            End::Callback { callback, .. } => format!("callback {callback}"),
            End::TooManyMenus => "menus".to_owned(),
            End::Code { code, agent, .. } => {
                format!("code {code:?} {}", agent.as_ref().map_or("-", AgentId::as_str))
            }
            End::Lot { first, .. } => format!("lot, first {first}"),
            End::Slot { name, .. } => format!("slot of {name}"),
            End::Nothing => "nothing".to_owned(),
        };
        assert_eq!((end.as_str(), walk.counted), (want, counted), "{case}");
        for lang in [Lang::Ja, Lang::En] {
            assert!(walk.render(lang).lines().count() >= 2, "{case}");
        }
    }
}

#[test]
fn a_trunk_that_may_not_bring_a_number_finds_nothing() {
    let text = SMALL.replacen("lines = 5", "lines = 5\ntrunks = [\"carrier\"]", 1);
    let (plan, _) = load(&text, "p.toml", None).unwrap();
    let by = |trunk: &str| Asker::Outside(Some(trunk.into()));
    let open = "2026-11-02T10:00";
    assert_eq!(ask(&plan, open, by("other"), "0312345678", "").end, End::Nothing);
    assert!(matches!(ask(&plan, open, by("carrier"), "0312345678", "").end, End::Group(_)));
    let phone = Asker::Extension(Number::from("3000"));
    assert!(matches!(ask(&plan, open, phone, "0312345678", "").end, End::Group(_)));
}

/// Who is rung when nobody picks up: `from-until agents`, then when the caller is queued.
fn rung(strategy: &str, settings: &str) -> (String, Option<u64>) {
    let text = SMALL
        .replacen("agents = [\"2001\", \"2002\"]", "agents = \"2001-2003\"", 1)
        .replacen("2002 = \"鈴木 一郎\"", "2002-2003 = \"x\"", 1)
        .replacen("strategy = \"linear\"", &format!("strategy = \"{strategy}\"\n{settings}"), 1);
    let loaded = load(&text, "p.toml", None);
    let Ok((plan, _)) = loaded else { panic!("{}", shown(loaded, Lang::En)) };
    let End::Group(way) = ask(&plan, "2026-11-02T10:00", Asker::Outside(None), "7000", "").end
    else {
        panic!("no group")
    };
    let offers = way.offers.iter().map(|offer| {
        let agents: Vec<_> = offer.agents.iter().map(|(id, _)| id.as_str()).collect();
        format!("{}-{} {}", offer.from.as_secs(), offer.until.as_secs(), agents.join("+"))
    });
    let shown = offers.collect::<Vec<_>>().join(", ") + if way.more { " …" } else { "" };
    (shown, way.queued_after.map(|at| at.as_secs()))
}

#[test]
fn agents_are_rung_in_the_order_of_the_strategy() {
    let wait = |wait: &str| format!("queue.max_wait = \"{wait}\"");
    let pause = format!("on_ring_out = \"pause\"\n{}", wait("90s"));
    let back = format!("on_ring_out = \"30s\"\n{}", wait("110s"));
    let quick = format!("ring = \"10s\"\non_ring_out = \"1s\"\n{}", wait("55s"));
    let table = [
        ("linear", &pause, "0-20 2001, 20-40 2002, 40-60 2003", Some(60)),
        // 2001 is back at 50, but those who were not tried go first.
        (
            "linear",
            &back,
            "0-20 2001, 20-40 2002, 40-60 2003, 60-80 2001, 80-100 2002, 100-110 2003",
            None,
        ),
        (
            "linear",
            &quick,
            "0-10 2001, 10-20 2002, 20-30 2003, 30-40 2001, 40-50 2002, 50-55 2003",
            None,
        ),
        (
            "round_robin",
            &quick,
            "0-10 2001, 10-20 2002, 20-30 2003, 30-40 2001, 40-50 2002, 50-55 2003",
            None,
        ),
        (
            "longest_idle",
            &quick,
            "0-10 2001, 10-20 2002, 20-30 2003, 30-40 2001, 40-50 2002, 50-55 2003",
            None,
        ),
        ("ring_all", &pause, "0-20 2001+2002+2003", Some(20)),
        (
            "ring_all",
            &back,
            "0-20 2001+2002+2003, 50-70 2001+2002+2003, 100-110 2001+2002+2003",
            Some(20),
        ),
    ];
    for (strategy, settings, want, queued) in table {
        assert_eq!(rung(strategy, settings), (want.to_owned(), queued), "{strategy} {settings}");
    }
    let endless = "ring = \"1s\"\non_ring_out = \"1s\"\nqueue.max_wait = \"4h\"";
    assert!(rung("linear", endless).0.ends_with(" …"));
}

#[test]
fn a_walk_reads_as_a_way_in_both_languages() {
    let plan = shipped("service-desk.toml");
    let year_end = ask(&plan, "2026-12-30T10:00", Asker::Outside(None), "0312345678", "1");
    assert_eq!(
        year_end.render(Lang::Ja),
        "2026-12-30 (水) 10:00 Asia/Tokyo
  着信番号 0312345678「代表」（30 回線）
  受付時間 desk: 閉（休業: 年末年始）。次の受付は 2027-01-04 (月) 08:30 Asia/Tokyo
→ year-end を流して切る（結果 時間外 closed）
  (実績に数える)
"
    );
    let open = ask(&plan, "2026-11-02T10:00", Asker::Outside(None), "0312345678", "51");
    let text = open.render(Lang::En);
    let head = "2026-11-02 (mon) 10:00 Asia/Tokyo
  desk number 0312345678 \"代表\" (30 lines)
  hours desk: open
  menu welcome: says welcome
  menu welcome: presses 5, which leads nowhere
  menu welcome: says menu-wrong, welcome
  menu welcome: presses 1
→ group desk \"サービスデスク\" (longest_idle); from here the caller has asked for an operator
  when all are signed in and nobody picks up (the caller hears music):
     0:00 –  0:20 2001 佐藤 花子
     0:20 –  0:40 2002 鈴木 一郎
";
    assert!(text.starts_with(head), "{text}");
    let tail = "     3:20 nobody is left to ring: waits as below
  when nobody is free:
     0:00 hears busy, then music
    after every 30s of music: position-1, comfort
    10:00 hears waited-too-long and is released (outcome busy_released)
    when 20 wait already: hears busy, queue-full and is released (outcome busy_released)
  (counted)
";
    assert!(text.ends_with(tail), "{text}");
}
