//! Commands as they are typed.

use super::history::would_start;
use super::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// As `main` has them.
#[derive(clap::Parser)]
#[command(name = "madoguchi")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Check(Check),
    Try(Try),
    Test(Test),
    Holidays(Holidays),
    Diff(Diff),
    Backup(Backup),
    Export(Export),
}

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    <Arguments as clap::Parser>::try_parse_from(line.split_whitespace())
}

fn plan(name: &str) -> String {
    format!("{}/dialplans/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape that the command asks for")]
fn prompts(_: Option<&Path>) -> Result<BTreeMap<PromptId, Duration>, String> {
    let list = "welcome menu-wrong busy comfort queue-full waited-too-long after-hours holiday year-end \
                information adhoc-closed disaster closing slot-empty supervised code-done code-refused music desk-is-demo position-1 position-2 position-3 \
                position-4 position-5 position-6 position-7 position-8 position-9 position-10";
    let parked = (701..=710).map(|slot| PromptId::from(format!("parked-at-{slot}")));
    let names = list.split_whitespace().map(PromptId::from).chain(parked);
    Ok(names.map(|name| (name, Duration::from_secs(3))).collect())
}

fn run(line: &str) -> Reply {
    let arguments = match parse(line) {
        Ok(arguments) => arguments,
        Err(error) => panic!("{line}: {error}"),
    };
    match arguments.command {
        Command::Check(of) => check::answer(&of, of.language.choose(), &prompts),
        Command::Diff(of) => diff::answer(&of, of.language.choose()),
        Command::Backup(of) => backup::answer(&of, of.language.choose()),
        Command::Export(of) => export::answer(&of, Lang::En).unwrap_or_else(|reply| reply),
        Command::Holidays(of) => holidays::answer(&of, of.language.choose()),
        Command::Test(of) => rehearse::answer(&of, of.language.choose()),
        // 2026-11-02 10:00 in Japan.
        Command::Try(of) => walk::answer(&of, of.language.choose(), Wall(1_793_581_200_000)),
    }
}

#[test]
fn arguments_are_what_they_say() {
    <Arguments as clap::CommandFactory>::command().debug_assert();
    let parsed = parse("madoguchi check x.toml --lang ja").map(|arguments| arguments.command);
    assert!(matches!(parsed, Ok(Command::Check(of)) if of.language.choose() == Lang::Ja));
    for wrong in [
        "madoguchi",
        "madoguchi check",
        "madoguchi try x.toml",
        "madoguchi chek x",
        "madoguchi check x --lang fr",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_shipped_plans_and_the_example_pass_or_say_what_is_missing() {
    for name in ["service-desk.toml", "demo.toml", "bench.toml"] {
        let reply = run(&format!("madoguchi check --lang en {}", plan(name)));
        assert_eq!(reply.code, 0, "{}", reply.out);
        assert!(
            // The folder's own name may hold the word.
            !reply.out.contains("warning[") && reply.out.contains("can be used"),
            "{}",
            reply.out
        );
    }
    let reply = run(&format!("madoguchi check --lang ja {}", plan("service-desk.toml")));
    assert!(
        reply.out.ends_with(
            "使える（「ITサービスデスク」着信番号 3、メニュー 1、グループ 1、オペレータ 10）\n"
        ),
        "{}",
        reply.out
    );
    // The example is a configuration whose accounts file is the site's own to make.
    let example = format!("{}/docs/examples/madoguchi.toml", env!("CARGO_MANIFEST_DIR"));
    let reply = run(&format!("madoguchi check --lang en {example}"));
    assert_eq!(reply.code, 1);
    assert!(
        reply.out.contains("accounts.tsv") && reply.out.ends_with("errors: 1\n"),
        "{}",
        reply.out
    );
    let reply = run("madoguchi check --lang en /nonexistent/plan.toml");
    assert!(reply.code == 1 && reply.out.contains("error[unreadable]"), "{}", reply.out);
    assert_eq!(run(&format!("madoguchi check --show {}", plan("demo.toml"))).code, 2);
}

#[test]
fn a_call_is_tried_from_the_command_line() {
    let plan = plan("service-desk.toml");
    // (arguments, exit code, a line of the answer)
    let table = [
        ("--at 2026-12-30T10:00 --from 0312345678 --to DESK --press 1", 0, "year-end を流して切る"),
        ("--at 2026-12-30T10:00 --to 代表", 0, "休業: 年末年始"),
        ("--to 0312345678 --press 1", 0, "グループ desk"),
        (
            "--to 0312345678 --press -,2",
            0,
            "information を流して切る（結果 自動応答完了 menu_served）",
        ),
        ("--at 2026-11-02T19:00:01 --to desk", 0, "時間外 closed"),
        ("--at 2026-11-02T01:00:00Z --to 直通", 0, "10:00 Asia/Tokyo"),
        ("--to *13 --from 2001", 0, "特番「離席」（オペレータ 2001）"),
        ("--to *13", 0, "403 で拒否"),
        ("--to 2001", 0, "内線 2001「佐藤 花子」を 30s 鳴らす"),
        ("--to 9999", 3, "この計画にない番号"),
        ("--to nobody", 2, "0312345679 直通"),
        ("--to desk --at yesterday", 2, "日時として読めない"),
        ("--to desk --press x", 2, "キーではない"),
    ];
    for (arguments, code, line) in table {
        let reply = run(&format!("madoguchi try --lang ja {plan} {arguments}"));
        let said = format!("{}{}", reply.out, reply.err);
        assert_eq!(reply.code, code, "{arguments}: {said}");
        assert!(said.contains(line), "{arguments}: {said}");
    }
    let reply = run("madoguchi try --lang en /nonexistent.toml --to desk");
    assert!(reply.code == 1 && reply.err.contains("unreadable"), "{}", reply.err);
}

#[test]
fn plans_are_tested_by_the_tables_beside_them() {
    let (desk, demo) = (plan("service-desk.toml"), plan("demo.toml"));
    let reply = run(&format!("madoguchi test --lang ja {desk} {demo}"));
    assert_eq!((reply.code, reply.err.as_str()), (0, ""), "{}", reply.out);
    assert!(
        reply.out.contains("件すべて表の通り\n") && !reply.out.contains("違う"),
        "{}",
        reply.out
    );
    assert!(reply.out.contains("demo.test.toml: 10 件すべて表の通り\n"), "{}", reply.out);

    // A plan that was changed and a table that was not: the line is told, the others go on.
    let dir = std::env::temp_dir().join(format!("madoguchi-test-{}", std::process::id()));
    let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).expect("writes");
    std::fs::create_dir_all(&dir).expect("a folder");
    let read = |path: &str| std::fs::read_to_string(path).expect("a shipped file");
    let changed =
        read(&demo).replace("2 = { announce = \"information\" }", "2 = { group = \"desk\" }");
    write(
        "p.toml",
        &changed.replace(
            "3 = { group = \"second\" }",
            "3 = { group = \"desk\" }\n4 = { group = \"second\" }",
        ),
    );
    write("p.test.toml", &read(&demo.replace(".toml", ".test.toml")));
    let plan = dir.join("p.toml").display().to_string();
    let reply = run(&format!("madoguchi test --lang en {plan} {desk}"));
    assert_eq!(reply.code, 1, "{}", reply.out);
    assert!(
        reply.out.contains("\"3 は専門窓口: 四人が一斉に鳴る\": leads_to is group desk"),
        "{}",
        reply.out
    );
    assert!(reply.out.contains("p.test.toml:19:12"), "{}", reply.out);
    assert!(
        reply.out.contains("p.test.toml: 9 calls do as the table says, 1 do not\n"),
        "{}",
        reply.out
    );
    assert!(reply.out.contains("calls do as the table says"), "{}", reply.out);
    // A second table with a fault; a table beside nothing; no table at all.
    write("p.night.test.toml", "[[calls]]\nname = 1\n");
    let reply = run(&format!("madoguchi test --lang en {plan}"));
    assert!(reply.out.contains("p.night.test.toml:2:8"), "{}", reply.out);
    write("lonely.toml", &changed);
    let lonely = dir.join("lonely.toml").display().to_string();
    let reply = run(&format!("madoguchi test --lang en {lonely}"));
    assert!(
        reply.code == 1 && reply.err.contains("due is ") && reply.err.contains("lonely.test.toml"),
        "{}",
        reply.err
    );
    assert_eq!(run("madoguchi test --lang en /nonexistent.toml").code, 1);
    let _ = std::fs::remove_dir_all(&dir);
}

#[test]
fn a_table_of_holidays_is_imported_and_goes_before_the_rules() {
    let dir = std::env::temp_dir().join(format!("madoguchi-holidays-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a folder");
    let path = |name: &str| dir.join(name).display().to_string();
    // As it is published: CP932, CRLF. A day was moved by law: 2027-05-06 instead of 2027-05-05.
    let text = "国民の祝日・休日月日,国民の祝日・休日名称\r\n2027/1/1,元日\r\n2027/5/6,休日\r\n";
    let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode(text);
    std::fs::write(dir.join("syukujitsu.csv"), &bytes).expect("writes");
    let (official, table) = (path("syukujitsu.csv"), path("holidays.csv"));
    let reply = run(&format!("madoguchi holidays --lang ja import {official} --to {table}"));
    assert_eq!((reply.code, reply.err.as_str()), (0, ""), "{}", reply.out);
    assert!(reply.out.contains("2027 年から 2027 年まで、2 日"), "{}", reply.out);
    assert!(reply.out.contains("2027-05-06 休日: 計算では休日にならない日"), "{}", reply.out);

    let named = |table: &str| {
        let text = std::fs::read_to_string(plan("service-desk.toml")).expect("a shipped plan");
        let text = text.replacen("timezone =", &format!("holidays = \"{table}\"\ntimezone ="), 1);
        std::fs::write(dir.join("p.toml"), text).expect("writes");
    };
    let plan = path("p.toml");
    let tried =
        |day: &str| run(&format!("madoguchi try --lang ja {plan} --to 直通 --at {day}T10:00")).out;
    named("holidays.csv");
    assert!(tried("2027-05-06").contains("祝日: 休日"), "{}", tried("2027-05-06"));
    assert!(tried("2027-05-05").contains("受付中"), "{}", tried("2027-05-05"));
    assert!(tried("2028-05-05").contains("祝日: こどもの日"), "beyond the table the rules hold");
    // One that is not there, one that is broken, one that has ended.
    named("none.csv");
    let reply = run(&format!("madoguchi check --lang en {plan}"));
    assert!(reply.code == 1 && reply.out.contains("error[holidays-unreadable]"), "{}", reply.out);
    assert!(reply.out.contains("p.toml:11:12"), "{}", reply.out);
    std::fs::write(dir.join("holidays.csv"), "2027-01-01,元日\n2027-02-30,x\n").expect("writes");
    named("holidays.csv");
    let reply = run(&format!("madoguchi check --lang ja {plan}"));
    assert!(reply.code == 1 && reply.out.contains("holidays.csv:2:1"), "{}", reply.out);
    std::fs::write(dir.join("holidays.csv"), "2020-01-01,元日\n").expect("writes");
    let reply = run(&format!("madoguchi check --lang ja {plan}"));
    assert!(
        reply.code == 0 && reply.out.contains("警告[holidays-end]: 祝日の表は 2020 年まで"),
        "{}",
        reply.out
    );
    let reply = run(&format!("madoguchi holidays --lang en import {table}.none --to {table}"));
    assert_eq!(reply.code, 1, "{}", reply.err);
    std::fs::write(dir.join("b.csv"), [0x82, 0xff, 0xff, 0x81]).expect("writes");
    let reply = run(&format!("madoguchi holidays --lang en import {} --to {table}", path("b.csv")));
    assert!(reply.code == 1 && reply.err.contains("neither Shift_JIS nor UTF-8"), "{}", reply.err);
    let _ = std::fs::remove_dir_all(&dir);
}

/// A folder with a configuration, a plan and an accounts file, that goes when the test ends.
struct Files(std::path::PathBuf);

impl Files {
    fn new(name: &str, more: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("madoguchi-cli-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir); // left over from a run that was killed
        std::fs::create_dir_all(&dir).expect("a folder");
        let files = Self(dir);
        files.write("plan.toml", &std::fs::read_to_string(plan("demo.toml")).expect("shipped"));
        let text = "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\nrealm = \"desk.example\"\n[plan]\nfile = \"plan.toml\"\n";
        files.write("madoguchi.toml", &format!("{text}{more}"));
        files
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("writes");
    }

    fn config(&self) -> std::path::PathBuf {
        self.0.join("madoguchi.toml")
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // nothing depends on it
    }
}

/// Where the configuration of [`Files`] has its store, and nothing listens.
const STORE: &str = "[http]\nlisten = \"127.0.0.1:0\"\n[store]\nfile = \"store/madoguchi.db\"\n";

/// Makes the store of such a configuration, as a start does.
fn store(files: &Files) -> std::path::PathBuf {
    use crate::io::store::{Durability, Kind, Options, Store};
    let path = files.0.join("store/madoguchi.db");
    let options = Options { kind: Kind::Service, durability: Durability::Process };
    let (store, _) = Store::open(&path, options, |_| ()).expect("opens");
    assert!(store.close(Duration::from_secs(10)), "it is whole");
    path
}

#[test]
fn check_names_a_directory_that_serve_would_refuse() {
    let files = Files::new("directory", "[tickets]\ndirectory = \"people.csv\"\n");
    let check = || run(&format!("madoguchi check --lang en {}", files.config().display()));
    let reply = check();
    assert!(
        reply.out.contains("warning[ticket-directory]") && reply.out.contains("people.csv"),
        "{}",
        reply.out
    );
    files.write("people.csv", "telephone,name\n2001,架空 花子\n");
    let reply = check();
    assert!(
        reply.out.contains("warning[ticket-directory]") && reply.out.contains("column `number`"),
        "{}",
        reply.out
    );
    assert!(!reply.out.contains("架空"), "who stands in it is nobody's business: {}", reply.out);
    files.write("people.csv", "number,name\n2001,架空 花子\n");
    assert!(!check().out.contains("ticket-directory"));
}

#[test]
fn drain_refuses_what_serve_refuses() {
    let files = Files::new("drain", "");
    let judge = || would_start(&files.config(), Lang::En, &prompts);
    assert!(judge().is_ok(), "{:?}", judge().err());
    let good = std::fs::read_to_string(plan("demo.toml")).expect("shipped");
    for (good_words, wrong, told) in [
        (
            "[desk_numbers.",
            "[desk_numbers.0398765432]\nname = \"x\"\nopen = { announce = \"no-such-prompt\" }\nlines = 1\n[desk_numbers.",
            "no-such-prompt",
        ),
        (
            "[desk_numbers.",
            "[desk_numbers.0398765432]\nname = \"x\"\nopen = { announce = \"information\" }\nlines = 1\ntrunks = [\"no-such-trunk\"]\n[desk_numbers.",
            "no-such-trunk",
        ),
    ] {
        files.write("plan.toml", &good.replacen(good_words, wrong, 1));
        let refused = judge().err().unwrap_or_default();
        assert_eq!(refused.code, 1, "{told}");
        assert!(refused.err.contains(told), "{told}: {}", refused.err);
    }
}

#[test]
fn a_desk_is_not_ended_for_an_older_program_that_cannot_open_its_history() {
    use sqlx::Connection as _;
    let files = Files::new("newer-store", STORE);
    let judge = || would_start(&files.config(), Lang::En, &prompts);
    assert!(judge().is_ok(), "no store yet: {:?}", judge().err());
    let path = store(&files);
    assert!(judge().is_ok(), "{:?}", judge().err());
    assert!(!crate::base::beside(&path, "-wal").exists(), "it was only looked at");
    // The newer program was here.
    let sql = "INSERT INTO _sqlx_migrations VALUES (7, 'later', CURRENT_TIMESTAMP, 1, x'00', 1)";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let mut connection = runtime.expect("a runtime").block_on(async {
        let address = format!("sqlite://{}", path.display());
        let mut connection = sqlx::SqliteConnection::connect(&address).await.expect("opens");
        sqlx::query(sql).execute(&mut connection).await.expect("writes");
        connection
    });
    // Also while what it wrote is in the -wal alone, as beside a desk that runs.
    for closed in [false, true] {
        let refused = judge().err().unwrap_or_default();
        let due = "schema is version 7, this program knows versions up to 6";
        assert!(refused.code == 1 && refused.err.contains(due), "{closed}: {}", refused.err);
        let reply = run(&format!("madoguchi check --lang en {}", files.config().display()));
        assert!(reply.code == 1 && reply.out.contains(due), "{closed}: {}", reply.out);
        let rows = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(rows).expect("it is brought over");
    }
}

#[test]
fn a_desk_is_not_ended_when_a_file_is_one_that_root_alone_can_read() {
    use std::os::unix::fs::{PermissionsExt as _, chown};
    // Only root can give the store's folder to the desk's user; anybody else sees what that one sees.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let more = format!(
        "{STORE}[warning]\nlink = \"https://desk.example/\"\nwebhook = \"https://hooks.example/x\"\nwebhook_secret_file = \"hook\"\n"
    );
    let files = Files::new("root-alone", &more);
    let mode = |name: &str, mode: u32| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(files.0.join(name), mode).expect("its mode");
    };
    files.write("hook", "a-secret-of-forty-letters-and-some-more-0000\n");
    for (name, bits) in
        [("hook", 0o600), ("plan.toml", 0o644), ("madoguchi.toml", 0o644), ("", 0o755)]
    {
        mode(name, bits);
    }
    store(&files);
    let desk = Some(65_534);
    chown(files.0.join("store"), desk, desk).expect("given");
    let judge = || would_start(&files.config(), Lang::En, &prompts).err().unwrap_or_default();
    let check = || run(&format!("madoguchi check --lang en {}", files.config().display()));
    let told = "the desk runs as 65534 and cannot read it (owned by 0, mode 0600)";
    let refused = judge();
    assert!(refused.code == 1 && refused.err.contains(told), "{}", refused.err);
    assert!(refused.err.contains("hook"), "{}", refused.err);
    assert!(check().code == 1 && check().out.contains(told), "{}", check().out);
    chown(files.0.join("hook"), desk, desk).expect("given");
    assert_eq!((judge(), check().code), (Reply::default(), 0));
    mode("plan.toml", 0o600);
    assert!(judge().err.contains("plan.toml"), "{}", judge().err);
    mode("plan.toml", 0o644);
    mode("", 0o700);
    assert!(judge().err.contains("cannot enter the folder"), "{}", judge().err);
}

#[test]
fn a_night_with_a_mistake_in_the_plan_is_backed_up_all_the_same() {
    let files = Files::new("backup", STORE);
    store(&files);
    let good = std::fs::read_to_string(plan("demo.toml")).expect("shipped");
    let (config, into) = (files.config().display().to_string(), files.0.join("night"));
    let backup =
        || run(&format!("madoguchi backup --lang en --config {config} --to {}", into.display()));
    // (what is wrong, whether the plan is in the backup)
    let broken = good.replacen("name =", "nmae =", 1);
    for (case, text) in [("a wrong word", Some(broken.as_str())), ("no plan at all", None)] {
        match text {
            Some(text) => files.write("plan.toml", text),
            None => std::fs::remove_file(files.0.join("plan.toml")).expect("gone"),
        }
        let reply = backup();
        assert_eq!(reply.code, 3, "{case}: {} {}", reply.out, reply.err);
        assert!(
            reply.err.contains("plan.toml") && reply.err.contains("no desk could start"),
            "{}",
            reply.err
        );
        let read = |name: &str| std::fs::read_to_string(into.join(name)).ok();
        assert_eq!(read("files/plan.toml").as_deref(), text, "{case}: as it lies");
        let manifest: serde_json::Value =
            serde_json::from_str(&read("backup.json").unwrap_or_default()).expect("JSON");
        let told = manifest["plan_refused"].to_string();
        assert!(told.contains("plan.toml"), "{case}: {told}");
        let verified = backup::verified(&into, &[], false, Lang::En);
        assert_eq!(verified.code, 0, "{case}: {}", verified.out);
        std::fs::remove_dir_all(&into).expect("gone");
    }
    files.write("plan.toml", &good);
    let reply = backup();
    assert_eq!((reply.code, reply.err.as_str()), (0, ""), "{}", reply.out);
}

#[test]
fn an_export_for_others_has_no_plan_with_names_and_numbers_of_persons() {
    let files = Files::new("export", STORE);
    store(&files);
    let config = files.config().display().to_string();
    let export = |name: &str, more: &str| {
        let into = files.0.join(name);
        let reply =
            run(&format!("madoguchi export --config {config} --into {} {more}", into.display()));
        assert_eq!(reply.code, 0, "{}", reply.err);
        into
    };
    assert!(!export("open", "").join("files").exists());
    let private = export("private", "--private").join("files");
    assert!(private.join("plan.toml").exists() && private.join("madoguchi.toml").exists());
}

#[test]
fn a_command_that_names_no_configuration_finds_the_packages_from_any_folder() {
    let (here, packaged) = ("madoguchi.toml", "/etc/madoguchi/madoguchi.toml");
    let table: [(&str, &[&str], &str); 5] = [
        (here, &[packaged], packaged),
        (here, &[here, packaged], here),
        (here, &[], here),
        ("./madoguchi.toml", &[packaged], "./madoguchi.toml"),
        ("desk/madoguchi.toml", &[packaged], "desk/madoguchi.toml"),
    ];
    for (named, there, due) in table {
        let is_there =
            |path: &std::path::Path| there.iter().any(|it| path == std::path::Path::new(it));
        assert_eq!(super::found(named, is_there), std::path::Path::new(due), "{named} {there:?}");
    }
}
