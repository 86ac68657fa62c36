//! A full disk: calls go on, the health page says so, and once there is room again the history is whole.

use crate::support::desk::{Desk, Setup};
use crate::support::{eventually, http, rest, s};
use std::io::Write;
use std::process::Command;

/// How the daemon gets a disk of its own of 2 MB.
pub fn own_disk() -> Vec<&'static str> {
    const MOUNT: &str = "mount -t tmpfs -o size=2m none @DIR@/store && exec \"$@\"";
    disk_of(MOUNT)
}

/// By which shell words it gets a disk of its own: a mount namespace with a small tmpfs, which needs root
/// or user namespaces. Both are there on Debian; without either the test says what is missing.
fn disk_of(mount: &'static str) -> Vec<&'static str> {
    let works = |flags: &str| {
        let tried =
            Command::new("unshare").args([flags, "sh", "-c", "mount -t tmpfs none /mnt"]).output();
        tried.is_ok_and(|out| out.status.success())
    };
    let flags = ["-m", "-rm"].into_iter().find(|flags| works(flags));
    let flags =
        flags.expect("this test needs a mount namespace: run it as root, or allow user namespaces");
    vec!["unshare", flags, "sh", "-c", mount, "sh"]
}

#[test]
fn on_a_full_disk_calls_go_on_and_the_health_page_says_so() {
    let under = own_disk();
    let mut desk = Desk::with(&Setup { under: &under, ..Setup::default() });
    let agent = desk.agent("agent", 201).calls(1_000, 100).set("RING", 50).within(s(120)).start();
    rest(200);
    let call = |desk: &Desk, from: &str| {
        let mut job = desk.caller("0312340010").set("FROM", from).set("STAY", 200);
        job = job.within(s(10));
        let done = job.start().done();
        assert!(done.calls[&1].has("hung_up"), "{from}: {:?}", done.calls);
    };
    call(&desk, "0310");

    // The store's folder as the daemon sees it.
    let pid = desk.process().pid();
    let store = format!("/proc/{pid}/root{}/store", desk.dir().path().display());
    let filler = format!("{store}/filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    for size in [65_536, 512, 1] {
        while file.write_all(&vec![0u8; size]).is_ok() {}
    }
    for from in ["0321", "0322", "0323", "0324"] {
        call(&desk, from);
    }
    let health = || http::request(desk.http, "GET", "/healthz", None, "").unwrap();
    // The journal's own file has room that it may write over; that is used up first.
    let mut more = 0;
    while health().status == 200 && more < 100 {
        call(&desk, &format!("05{more:02}"));
        more += 1;
    }
    eventually("the health page says that the journal fails", s(10), || health().status != 200);
    let said = health();
    assert!(said.body.to_ascii_lowercase().contains("journal"), "{} {}", said.status, said.body);
    call(&desk, "0331");
    // The figures in memory count on.
    assert_eq!(desk.outcome("03311"), "answered");

    drop(file);
    std::fs::remove_file(&filler).unwrap();
    eventually("well again", s(30), || health().status == 200);
    eventually("everything is written", s(10), || {
        desk.metric("madoguchi_journal_pending_entries") == 0.0
    });
    call(&desk, "0341");
    let answered = desk.calls().iter().filter(|c| c["outcome"] == "answered").count();
    assert_eq!(answered, 7 + more, "{:#?}", desk.calls());
    // What was decided while the disk was full can be read back from it.
    let ladder = desk.ladder("03221");
    assert_eq!(ladder.last().map(|e| e["kind"].clone()), Some("ended".into()), "{ladder:#?}");
    agent.stop();
}

#[test]
fn a_disk_that_fills_stops_recordings_first_and_the_journal_has_room_that_was_kept_for_it() {
    const MOUNT: &str = "mount -t tmpfs -o size=64m none @DIR@/store && exec \"$@\"";
    let mut desk = Desk::with(&Setup {
        plan: "recorded.toml",
        under: &disk_of(MOUNT),
        store: "least_free_mib = 24\nreserve_mib = 16\n",
        more: "[recording]\ndirectory = \"store/recordings\"\nleast_free_mib = 0\n",
        ..Setup::default()
    });
    let agent = desk.agent("agent", 201).calls(1_000, 100).set("RING", 50).within(s(120)).start();
    rest(200);
    let call = |desk: &Desk, from: &str| {
        let job = desk.caller("0312340010").set("FROM", from).set("STAY", 3_000).within(s(10));
        let done = job.start().done();
        assert!(done.calls[&1].has("hung_up"), "{from}: {:?}", done.calls);
        desk.over(&format!("{from}1"))
    };
    let (pid, at) = (desk.process().pid(), desk.http);
    let health = || {
        let answer = http::request(at, "GET", "/healthz", None, "").unwrap();
        (answer.status, answer.json())
    };
    let recorded = |from: &str| desk.ladder(from).iter().any(|event| event["kind"] == "kept");
    assert_eq!(call(&desk, "0310")["outcome"], "answered");
    eventually("it is recorded", s(5), || recorded("03101"));
    assert_eq!(health().1["disk"], "ok");
    assert!(desk.metric("madoguchi_store_reserve_bytes") >= 16_777_216.0);

    // A program of others takes the disk: first so much that only the journal may write.
    let filler = format!("/proc/{pid}/root{}/store/filler", desk.dir().path().display());
    let mut file = std::fs::File::create(&filler).unwrap();
    let free = || desk.metric("madoguchi_store_disk_free_bytes") as usize;
    let most = free() - 20 * 1_048_576;
    file.write_all(&vec![0_u8; most]).unwrap();
    eventually("it says that room is low", s(10), || health().1["disk"] == "low");
    eventually("nothing is recorded", s(10), || health().1["recording"] == "disk_full");
    assert_eq!(health().0, 200, "no restart would mend it");
    let second = call(&desk, "0320");
    assert_eq!(second["outcome"], "answered");
    assert!(!recorded("03201"));

    // Then all of it.
    for size in [65_536, 512, 1] {
        while file.write_all(&vec![0_u8; size]).is_ok() {}
    }
    eventually("the journal has the reserve", s(10), || health().1["disk"] == "no_reserve");
    for from in ["0331", "0332", "0333"] {
        assert_eq!(call(&desk, from)["outcome"], "answered");
    }
    eventually("the journal is written", s(10), || {
        desk.metric("madoguchi_journal_pending_entries") == 0.0
    });
    assert_eq!((health().0, &health().1["journal"]), (200, &"ok".into()));
    assert!(desk.log().contains("the room that was held back for it"), "{}", desk.log());

    drop(file);
    std::fs::remove_file(&filler).unwrap();
    eventually("well again, with a reserve", s(10), || {
        let (status, it) = health();
        let held = desk.metric("madoguchi_store_reserve_bytes") >= 16_777_216.0;
        status == 200 && it["disk"] == "ok" && it["recording"] == "ok" && held
    });
    call(&desk, "0340");
    eventually("calls are recorded again", s(5), || recorded("03401"));
    agent.stop();
}
