//! The service's unit, and what it hands over.

use crate::support::desk::binary;
use std::path::Path;
use std::process::Command;

/// Exposure as systemd counts it, tenths: 2.0.
const MOST: &str = "--threshold=20";

#[test]
fn the_unit_leaves_open_no_more_than_a_telephone_exchange_needs() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/madoguchi.service");
    let judge = |unit: &Path| {
        let out = Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--no-pager", MOST])
            .arg(unit)
            .output()
            .unwrap();
        (out.status.success(), String::from_utf8_lossy(&out.stdout).into_owned())
    };
    let (well, said) = judge(&unit);
    assert!(well && said.contains("Overall exposure level"), "{said}");
    // The same without its hardening would be told of.
    let text = std::fs::read_to_string(&unit).unwrap();
    let open = text.lines().filter(|line| !line.starts_with("Protect")).collect::<Vec<_>>();
    let dir = crate::support::process::Dir::new("unit");
    let file = dir.write("madoguchi.service", &open.join("\n"));
    let (well, said) = judge(&file);
    assert!(!well, "{said}");
}

#[test]
fn a_token_that_systemd_hands_over_is_read_and_one_of_nobody_is_told() {
    let dir = crate::support::process::Dir::new("credentials");
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplans/demo.toml");
    dir.write("run/http-token", "a-token-of-thirty-two-characters\n");
    // As systemd makes it: root's, with an access list whose mask looks like the group's bits.
    let mode = |mode: u32| {
        use std::os::unix::fs::PermissionsExt as _;
        let file = dir.file("run/http-token");
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let config = dir.write(
        "madoguchi.toml",
        &format!(
            "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\nrealm = \"desk.example\"\n\
             [http]\ntoken_file = \"$CREDENTIALS_DIRECTORY/http-token\"\n[plan]\nfile = \"{}\"\n\
             [[trunks]]\nname = \"demo-carrier\"\nsources = [\"127.0.0.1\"]\n",
            plan.display()
        ),
    );
    let check = |credentials: Option<&str>| {
        let mut command = Command::new(binary());
        command.args(["check", "--lang", "en"]).arg(&config).env_remove("CREDENTIALS_DIRECTORY");
        if let Some(folder) = credentials {
            command.env("CREDENTIALS_DIRECTORY", dir.file(folder));
        }
        let out = command.output().unwrap();
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    mode(0o440);
    let said = check(Some("run"));
    assert!(!said.contains("readable") && !said.contains("no-credentials"), "{said}");
    mode(0o444);
    let said = check(Some("run"));
    assert!(said.contains("http-token") && said.contains("chmod"), "{said}");
    let said = check(None);
    assert!(said.contains("error[no-credentials]"), "{said}");
    assert!(said.contains("LoadCredential=http-token:"), "{said}");
}

/// docs/RUNBOOK.md sends whoever is woken to `journalctl -p warning`, where a line without a priority is none.
#[test]
fn why_a_desk_does_not_start_is_among_the_journals_errors() {
    use std::os::unix::fs::MetadataExt as _;
    let dir = crate::support::process::Dir::new("journal");
    let config =
        dir.write("madoguchi.toml", "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\nrealms = \"x\"\n");
    for command in [&["serve", "--config"][..], &["check", "--lang", "en"]] {
        let said = dir.write("said", "");
        let about = std::fs::metadata(&said).unwrap();
        let journal = || std::fs::File::options().append(true).open(&said).unwrap();
        let status = Command::new(binary())
            .args(command)
            .arg(&config)
            .env("JOURNAL_STREAM", format!("{}:{}", about.dev(), about.ino()))
            .stdout(journal())
            .stderr(journal())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(1), "{command:?}");
        let said = std::fs::read_to_string(&said).unwrap();
        assert!(said.contains("madoguchi.toml:3"), "{command:?}: {said}");
        let unmarked: Vec<&str> = said.lines().filter(|line| !line.starts_with("<3>")).collect();
        assert!(unmarked.is_empty(), "{command:?}: {unmarked:?}");
    }
}
