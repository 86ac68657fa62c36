//! Accounts and plan are changed while the desk serves: whoever talks goes on talking.

use crate::support::desk::{Desk, password};
use crate::support::ear::Ear;
use crate::support::sipsak::registers;
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, s};
use crate::talk::{agent, is_of};

fn told(desk: &mut Desk, words: &str) {
    desk.process().signal("HUP");
    eventually("the log says what came of it", s(5), || desk.process().printed().contains(words));
}

#[test]
fn a_call_goes_on_through_a_reload_and_a_new_extension_takes_the_next() {
    let mut desk = Desk::start("desk.toml");
    let (hers, his, theirs) = (Sound::voice(151, 30), Sound::voice(152, 30), Sound::voice(153, 30));
    let softphone = agent(&desk, "6001", &hers, "PCMU");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 20_000).start();
    let port: u16 = caller.wait(1, "answered", s(8)).parse().unwrap();
    ear.say(&his, Law::Mu, port);

    // A plan with a fault in its last line changes nothing, and the accounts beside it neither.
    let (plan_file, accounts_file) = (desk.dir().file("plan.toml"), "secrets/accounts.tsv");
    let plan = std::fs::read_to_string(&plan_file).unwrap();
    let accounts = std::fs::read_to_string(desk.dir().file(accounts_file)).unwrap();
    let fewer: String =
        accounts.split_inclusive('\n').filter(|line| !line.starts_with("6002")).collect();
    let more = format!("{fewer}6011\t{}\n", password("6011"));
    desk.dir().write(accounts_file, &more);
    desk.dir().write("plan.toml", &format!("{plan}\nno_such_setting = 1\n"));
    told(&mut desk, "nothing was changed");
    let line = plan.lines().count() + 2;
    let printed = desk.process().printed();
    assert!(printed.contains(&format!("plan.toml:{line}:1")), "{printed}");
    assert_eq!(desk.metric("madoguchi_config_reload_failures_total"), 1.0);
    assert!(registers(&desk, "6002", &password("6002")), "nothing was changed");

    // The mended one: 6011 works in the group, 6002 is gone.
    let mended = plan
        .replace(
            "[groups.soft]\nagents = [\"6001\"]",
            "[groups.soft]\nagents = [\"6001\", \"6011\"]",
        )
        .replace("[agents]\n", "[agents]\n6011 = \"新井 花\"\n")
        .replace("6002 = \"鈴木 一郎\"\n", "")
        .replace("agents = [\"6002\", \"6003\"]", "agents = [\"6003\"]");
    desk.dir().write("plan.toml", &mended);
    told(&mut desk, "the plan were read again and are in force");
    let newcomer = agent(&desk, "6011", &theirs, "PCMU");
    let signed_in = desk.api("POST", "/api/v1/agents/6011/sign-in", "");
    assert_eq!(signed_in.status, 204, "{}", signed_in.body);
    desk.agent_is("6011", "idle");
    assert!(!registers(&desk, "6002", &password("6002")), "it is refused when it comes again");
    assert!(!desk.get("/api/v1/agents").to_string().contains("鈴木"));

    // 6001 still talks, so the next caller is the newcomer's.
    let second = desk.caller("0312340020").set("FROM", "03111").set("STAY", 500).start().done();
    assert!(second.calls[&1].has("hung_up"), "{:?}", second.calls);
    newcomer.wait("CALL_CLOSED", s(5));
    assert_eq!(desk.over("031111")["agent"], "6011");

    assert_eq!(desk.call_of("031234561").unwrap()["state"], "talking");
    softphone.tell("hangup", "");
    let caller = caller.done();
    assert!(caller.calls[&1].has("released"), "{:?}", caller.calls);
    let heard = ear.heard();
    is_of(&heard, usize::try_from(heard.ms()).unwrap() - 1_100, &hers);
    assert_eq!(desk.outcome("031234561"), "answered");
    desk.at_rest(s(5));
}

#[test]
fn what_needs_a_restart_is_named_and_the_rest_is_in_force() {
    let mut desk = Desk::start("desk.toml");
    let config = std::fs::read_to_string(desk.dir().file("madoguchi.toml")).unwrap();
    let changed = config.replace("store/madoguchi.db", "store/other.db");
    desk.dir().write("madoguchi.toml", &format!("{changed}\n[limits]\ncalls = 7\n"));
    told(&mut desk, "need a restart");
    let printed = desk.process().printed();
    assert!(printed.contains("[store] file"), "{printed}");
    assert!(!printed.contains("[limits] calls"), "{printed}");
}

#[test]
fn what_a_reload_changes_is_told_before_it_is_done_and_nobody_is_cut_off() {
    let desk = Desk::start("desk.toml");
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    let caller = desk.caller("0312340010").set("STAY", 8_000).start();
    caller.wait(1, "answered", s(8));
    let said = |arguments: &[&str]| {
        let out = desk.command(arguments).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        (out.status.code(), text + &String::from_utf8(out.stderr).unwrap())
    };
    // Behind a warning that this plan of tests has anyway.
    let same = || said(&["reload", "--dry-run"]).1.ends_with("\nnothing is another\n");
    assert!(same());

    let file = |name: &str| std::fs::read_to_string(desk.dir().file(name)).unwrap();
    let (plan, accounts) = (file("plan.toml"), file("secrets/accounts.tsv"));
    let new_plan = plan.replacen("ring = \"5s\"", "ring = \"7s\"", 1);
    assert_ne!(new_plan, plan);
    desk.dir().write("plan.toml", &new_plan);
    desk.dir()
        .write("secrets/accounts.tsv", &format!("{accounts}6011\tanother-secret-0123456789\n"));
    let (code, told) = said(&["reload", "--dry-run"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains(".ring: \"5s\" → \"7s\"\n+ "), "{told}");
    assert!(
        told.contains("+ account 6011 = •••\n2 would change; nothing was changed yet"),
        "{told}"
    );
    assert!(!told.contains("another-secret"), "{told}");
    let (_, again) = said(&["reload", "--dry-run"]);
    assert_eq!(again, told, "looking changes nothing");

    let (code, done) = said(&["reload"]);
    assert!(code == Some(0) && done.ends_with("2 changed\n"), "{done}");
    assert!(same());
    let log = desk.log();
    assert!(log.contains("account 1, plan groups 1") && !log.contains("another-secret"), "{log}");

    // What is wrong is told with its place, and changes nothing.
    desk.dir().write("plan.toml", &format!("{new_plan}\nno_such_setting = 1\n"));
    let (code, refused) = said(&["reload"]);
    assert_eq!(code, Some(1), "{refused}");
    assert!(
        refused.contains("no_such_setting") && refused.contains("nothing was changed"),
        "{refused}"
    );

    let caller = caller.done();
    assert!(caller.calls[&1].has("hung_up"), "{:?}", caller.calls);
    agent.done();
}

/// A command's exit code and all that it says.
fn ran(desk: &Desk, arguments: &[&str]) -> (Option<i32>, String) {
    let out = desk.command(arguments).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    (out.status.code(), text + &String::from_utf8(out.stderr).unwrap())
}

#[test]
fn a_reload_takes_over_no_plan_that_records_while_no_recorder_runs() {
    let mut desk = Desk::start("desk.toml");
    let file = |name: &str| std::fs::read_to_string(desk.dir().file(name)).unwrap();
    let (config, plan) = (file("madoguchi.toml"), file("plan.toml"));
    // A section that only a restart takes over is told as long as it waits for one.
    let section = "\n[recording]\ndirectory = \"recordings\"\nleast_free_mib = 1\n";
    desk.dir().write("madoguchi.toml", &format!("{config}{section}"));
    for _ in 0..2 {
        let (code, told) = ran(&desk, &["reload"]);
        assert_eq!(code, Some(0), "{told}");
        assert!(told.contains("[recording] directory"), "{told}");
    }
    let records =
        "[recording]\nannouncement = \"recorded\"\n\n[groups.soft]\nrecording = \"always\"";
    let recording = plan.replacen("[groups.soft]", records, 1);
    assert_ne!(recording, plan);
    desk.dir().write("plan.toml", &recording);
    for arguments in [&["reload", "--dry-run"][..], &["reload"]] {
        let (code, told) = ran(&desk, arguments);
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("records-unready") && told.contains("restart"), "{told}");
    }
    let text = serde_json::json!({ "text": recording }).to_string();
    let checked = desk.api("POST", "/api/v1/plan/check", &text);
    assert!(checked.body.contains("records-unready"), "{} {}", checked.status, checked.body);

    // The restart that it says.
    desk.stop();
    desk.launch();
    desk.wait_healthy();
    assert_eq!(ran(&desk, &["reload", "--dry-run"]).0, Some(0));
}
