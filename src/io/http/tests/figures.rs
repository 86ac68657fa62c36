//! Declarations about the figures, the calls behind one, a call explained.

use super::*;
use crate::event::FiguresEvent;
use crate::pbx::Declaration;

const DAYS_40: i64 = 40 * 24 * 3_600_000;

/// One caller who waited for ten seconds and hung up.
async fn one_abandoned(world: &World) {
    world.feed(vec![arrived(1, 1), asked(2, 1), hung_up(3, 1, 10_000)]).await;
}

#[tokio::test]
async fn a_figure_names_its_calls_and_a_call_its_rule() {
    let world = World::new().await;
    one_abandoned(&world).await;
    let behind = world.get("/api/v1/figures/abandon/calls?stands=numerator").await.json();
    assert_eq!((&behind["count"], &behind["calls"][0]["stands"]), (&1.into(), &"numerator".into()));
    let call = &behind["calls"][0];
    assert_eq!((&call["outcome"], &call["rule"]), (&"abandoned".into(), &"hung_up_waiting".into()));
    assert_eq!(call["arrived_at"], "2026-10-01T10:00:00.000+09:00");
    for (query, count) in [
        ("abandon/calls", 1),
        ("abandon/calls?month=2026-09", 0),
        ("abandon/calls?day=2026-10-01&outcome=abandoned", 1),
        ("busy/calls?stands=numerator", 0),
        ("busy/calls?stands=total", 1),
        ("in_time/calls?stands=out", 0),
    ] {
        let found = world.get(&format!("/api/v1/figures/{query}")).await.json();
        assert_eq!(found["count"], count, "{query}");
    }
    for (query, status) in [
        ("quality/calls", 404),
        ("abandon/calls?month=10", 400),
        ("abandon/calls?month=2026-10&day=2026-10-01", 400),
        ("abandon/calls?stands=above", 400),
        ("abandon/calls?outcome=lost", 400),
        ("abandon/calls?page=1", 400),
    ] {
        assert_eq!(
            world.get(&format!("/api/v1/figures/{query}")).await.status(),
            status,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_period_is_left_out_by_two_persons_and_the_figures_say_so() {
    let world = World::new().await;
    one_abandoned(&world).await;
    let period = r#"{"author": "佐藤", "reason": "通信障害", "from": "2026-10-01T09:00:00+09:00", "until": "2026-10-01T11:00:00+09:00"}"#;
    let entered = world.post("/api/v1/exclusions", period).await;
    assert_eq!((entered.status(), &entered.json()["exclusion"]), (201, &1.into()));
    let approved = world.post("/api/v1/exclusions/1/approve", r#"{"author": "鈴木"}"#).await;
    assert_eq!(approved.status(), 204);
    let commands = world.commands.lock().expect("whole").clone();
    let declared: Vec<&Declaration> = commands
        .iter()
        .map(|command| match command {
            Command::Declare { what, .. } => what,
            other => panic!("{other:?}"),
        })
        .collect();
    let Declaration::Exclude { exclusion: 1, from, until, reason } = declared[0] else {
        panic!("{declared:?}")
    };
    assert_eq!((from.0, until.0), (MORNING - 3_600_000, MORNING + 3_600_000));
    assert_eq!(declared[1], &Declaration::Approve { exclusion: 1 });
    // As the engine writes it.
    let fact = |seq, event| Entry { seq, at: Wall(MORNING), fact: Fact::Figures { event } };
    let (from, until, reason) = (*from, *until, reason.clone());
    let (author, by) = ("佐藤".to_owned(), Means::Api);
    let entered = FiguresEvent::ExclusionEntered { exclusion: 1, from, until, reason, author, by };
    let author = "鈴木".to_owned();
    let approved = FiguresEvent::ExclusionApproved { exclusion: 1, author, by };
    world.feed(vec![fact(4, entered), fact(5, approved)]).await;
    let listed = world.get("/api/v1/exclusions").await.json();
    let row = &listed["exclusions"][0];
    assert_eq!((&row["state"], &row["approved"]["author"]), (&"approved".into(), &"鈴木".into()));
    assert_eq!(row["from"], "2026-10-01T09:00:00.000+09:00");
    let level = world.get("/api/v1/service-level?month=2026-10").await.json();
    assert_eq!((&level["arrived"], &level["excluded"]["arrived"]), (&0.into(), &1.into()));
    assert_eq!(level["abandon_rate"]["verdict"], "no_calls");
    let behind = world.get("/api/v1/figures/abandon/calls?stands=out").await.json();
    assert_eq!(behind["calls"][0]["exclusion"], 1);
    for (path, body) in [
        ("/api/v1/exclusions", "{}"),
        ("/api/v1/exclusions", r#"{"author": "a", "reason": "b", "from": "x", "until": "1"}"#),
        ("/api/v1/exclusions/1/withdraw", r#"{"author": "a"}"#),
    ] {
        assert_eq!(world.post(path, body).await.status(), 400, "{path} {body}");
    }
}

#[tokio::test]
async fn a_month_is_closed_when_it_is_over_with_the_hash_of_the_history() {
    let world = World::new().await;
    one_abandoned(&world).await;
    let close = "/api/v1/months/2026-10/close";
    let author = r#"{"author": "佐藤"}"#;
    let early = world.post(close, author).await;
    assert_eq!(early.status(), 409);
    assert!(early.json()["error"].as_str().is_some_and(|why| why.contains("not over")));
    world.skew.store(DAYS_40, Ordering::Relaxed);
    // What the journal has lost, the views were told: a recount would come to something else.
    world.gauges.lock().expect("whole").journal_lost = 2;
    let holes = world.post(close, author).await;
    assert_eq!(holes.status(), 409);
    assert!(holes.json()["error"].as_str().is_some_and(|why| why.contains("2 entries were never")));
    world.gauges.lock().expect("whole").journal_lost = 0;
    let closed = world.post(close, author).await;
    assert_eq!((closed.status(), &closed.json()["revision"]), (201, &1.into()));
    let command = world.commands.lock().expect("whole").pop().expect("a command");
    let Command::Declare { what: Declaration::CloseMonth { figures, month, .. }, .. } = command
    else {
        panic!("{command:?}")
    };
    assert_eq!((month.as_str(), figures.abandon, figures.busy), ("2026-10", (1, 1), (0, 1)));
    assert_eq!(figures.hash.as_deref(), Some(format!("{:064x}", 3).as_str()));
    let event = FiguresEvent::MonthClosed {
        month,
        revision: 1,
        reason: String::new(),
        author: "佐藤".to_owned(),
        figures,
        by: Means::Api,
    };
    world.feed(vec![Entry { seq: 4, at: Wall(MORNING), fact: Fact::Figures { event } }]).await;
    let level = world.get("/api/v1/service-level?month=2026-10").await.json();
    assert_eq!(level["closed"][0]["abandon"], serde_json::json!([1, 1]));
    assert_eq!(level["differs_from_closed"], false);
    // Another revision says why.
    assert_eq!(world.post(close, author).await.status(), 400);
    let again = world.post(close, r#"{"author": "佐藤", "reason": "対象外期間"}"#).await;
    assert_eq!((again.status(), &again.json()["revision"]), (201, &2.into()));
    for (path, body) in [("/api/v1/months/10/close", author), (close, "佐藤")] {
        assert_eq!(world.post(path, body).await.status(), 400, "{path} {body}");
    }
}

#[tokio::test]
async fn operating_figures_come_as_json_and_as_a_sheet() {
    let world = World::new().await;
    one_abandoned(&world).await;
    let agent = |seq, event| {
        let fact = Fact::Agent { agent: "2001".into(), event };
        Entry { seq, at: Wall(MORNING), fact }
    };
    let signed_in = AgentEvent::SignedIn { by: Means::Api };
    world.feed(vec![agent(4, signed_in), agent(5, AgentEvent::Phone { reachable: true })]).await;
    world.skew.store(90_000, Ordering::Relaxed);
    let day =
        world.get("/api/v1/operating?by=half_hour&from=2026-10-01&to=2026-10-01").await.json();
    let row = &day["rows"][20];
    assert_eq!((&row["key"], &row["calls"]["offered"]), (&"10:00".into(), &1.into()));
    assert_eq!(row["calls"]["service_level"]["percent"], "0.00");
    // What lasts is counted until now.
    let idle = row["agents"]["ms"]["idle"].as_u64().expect("a time");
    assert!((90_000..600_000).contains(&idle), "{idle}");
    assert_eq!((&row["agents"]["agents"], &row["lines_full"]["ms"]), (&1.into(), &0.into()));
    assert_eq!(day["definitions"][0]["figure"], "offered");
    let today = world.get("/api/v1/operating").await.json();
    assert_eq!((&today["from"], &today["by"]), (&"2026-10-01".into(), &"day".into()));
    let sheet = world.get("/api/v1/operating?month=2026-10&by=agent&format=csv").await;
    assert_eq!(sheet.header("content-type"), Some("text/csv; charset=utf-8"));
    let named = "attachment; filename=\"operating-2026-10-01-agent.csv\"";
    assert_eq!(sheet.header("content-disposition"), Some(named));
    assert!(sheet.body.starts_with("\u{feff}内線,氏名,"), "{}", sheet.body);
    for wrong in ["by=week", "from=2026-10-01", "month=2026-10&agent=2001&by=group", "page=1"] {
        let refused = world.get(&format!("/api/v1/operating?{wrong}")).await;
        assert_eq!(refused.status(), 400, "{wrong}");
    }
}
