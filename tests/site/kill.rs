//! The daemon and PostgreSQL are killed at a hundred instants under load.

use super::same_entries;
use super::support::desk::{Desk, Setup};
use super::support::postgres::{Postgres, site_state};
use super::support::sipp::Sipp;
use super::support::{asked, eventually, rest, s};
use madoguchi::base::Rng;
use std::collections::BTreeMap;
use std::net::UdpSocket;

const AGENTS: &str =
    "[[fixed_phones]]\nnumbers = \"300-349\"\ncontact = \"sip:{number}@127.0.0.1:@201@\"\n";
/// Of each in each test run; scripts/chaos asks for others by `MADOGUCHI_KILLS`, and for other instants by
/// `MADOGUCHI_SEED`.
const KILLS: u64 = 50;

#[test]
fn desk_and_sites_store_killed_at_a_hundred_instants_lose_nothing_and_double_nothing() {
    let kills = asked("MADOGUCHI_KILLS").unwrap_or(KILLS);
    let mut server = Postgres::start();
    let more = format!("{AGENTS}{}", server.lines(server.port));
    let mut desk = Desk::with(&Setup { plan: "load.toml", more: &more, ..Setup::default() });
    let sink = UdpSocket::bind("127.0.0.1:0").unwrap();
    let media = sink.local_addr().unwrap().port();
    let agents = desk.agent("agent", 201).calls(1_000_000, 1000).set("RING", 80).set("TALK", 300);
    let agents = agents.set("MEDIA", media).within(s(900 + 30 * kills)).start();
    let mut rng = Rng::from_number(asked("MADOGUCHI_SEED").unwrap_or(5));
    let callers: Vec<_> = ["0312340010", "0312340050", "0312340090"]
        .iter()
        .map(|to| desk.caller(to).set("MEDIA", media).set("PATIENCE", 900).calls(100_000, 8))
        .map(|job| job.within(s(900)))
        .collect();
    let start = |round: u64| -> Vec<Sipp> {
        let all = callers.iter().enumerate();
        all.map(|(n, job)| {
            job.clone().set("FROM", format!("03{round:02}{n}")).set("STAY", 300).start()
        })
        .collect()
    };
    let mut copied_between = 0_u64;
    for round in 0..kills {
        let calling = start(round);
        rest(300 + rng.below(700));
        server.kill();
        rest(rng.below(200));
        desk.kill();
        drop(calling);
        // Each comes back before the other now and then; the desk never waits for the store.
        if rng.below(2) == 0 {
            server.again();
            desk.again();
        } else {
            desk.again();
            server.again();
        }
        let there =
            server.sql("SELECT count(*), count(DISTINCT seq), coalesce(max(seq), 0) FROM entry");
        let numbers: Vec<u64> = there.split('|').map(|it| it.parse().unwrap()).collect();
        assert!(numbers[0] == numbers[1] && numbers[0] == numbers[2], "round {round}: {there}");
        copied_between += u64::from(numbers[0] > 0);
    }
    agents.stop();
    assert!(copied_between > kills / 2, "the store was hardly ever reached");
    eventually("all is there", s(60), || site_state(desk.http) == "level");
    assert_eq!(desk.stop(), Some(0));
    same_entries(&desk.dir().file("store/madoguchi.db"), &server);
    // The figures that it gives are those of the desk.
    let month = server.sql("SELECT to_char(now() AT TIME ZONE 'Asia/Tokyo', 'YYYY-MM')");
    let outcomes = server.sql(&format!("SELECT outcomes FROM month_figures(1, '{month}')"));
    let theirs: BTreeMap<String, u64> = serde_json::from_str(&outcomes).unwrap();
    assert!(theirs.values().sum::<u64>() > 100, "{theirs:?}");
    desk.again();
    let ours: BTreeMap<String, u64> =
        serde_json::from_value(desk.month()["outcomes"].clone()).unwrap();
    let ours: BTreeMap<String, u64> = ours.into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(theirs, ours);
    let said = desk.log();
    assert!(said.contains("the site's store is away"), "nobody was told");
}
