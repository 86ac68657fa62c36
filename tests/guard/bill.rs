//! The bill of materials: what scripts/sbom lists is what Cargo.lock has and the daemon is made of.

use crate::support::process::Dir;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn bill(dir: &Dir, name: &str) -> String {
    let out = dir.file(name);
    let made = Command::new(root().join("scripts/sbom"))
        .args(["--offline", &out.display().to_string()])
        .output()
        .expect("python3");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    std::fs::read_to_string(out).unwrap()
}

#[test]
fn the_bill_names_every_part_that_is_compiled_in_with_its_sum_and_no_other() {
    let dir = Dir::new("bill");
    let text = bill(&dir, "one.json");
    assert_eq!(text, bill(&dir, "two.json"), "the same tree gives the same bytes");
    let bill: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.6".into()));
    assert_eq!(bill["metadata"]["component"]["version"], env!("CARGO_PKG_VERSION"));
    let parts: BTreeMap<&str, &Value> = bill["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["bom-ref"].as_str().unwrap(), part))
        .collect();
    assert_eq!(parts.len(), bill["components"].as_array().unwrap().len(), "none stands twice");
    // Each crate is one of Cargo.lock, with the sum that it has there.
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let lock: toml::Value = toml::from_str(&lock).unwrap();
    let text =
        |value: &toml::Value, key: &str| value.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    let locked: BTreeMap<String, Option<String>> = lock["package"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let (name, version) =
                (text(package, "name").unwrap(), text(package, "version").unwrap());
            (format!("pkg:cargo/{name}@{version}"), text(package, "checksum"))
        })
        .collect();
    let crates: Vec<_> = parts.iter().filter(|(name, _)| name.starts_with("pkg:cargo/")).collect();
    assert!(crates.len() > 200, "{}", crates.len());
    for (name, part) in crates {
        let sum = locked.get(*name).unwrap_or_else(|| panic!("{name} is not in Cargo.lock"));
        assert_eq!(part["hashes"][0]["content"].as_str(), sum.as_deref(), "{name}");
        assert!(!part["licenses"][0].is_null(), "{name} has a licence");
    }
    // What the daemon names itself is in it, what only its tests use is not.
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Value = toml::from_str(&manifest).unwrap();
    let has = |name: &str| parts.keys().any(|part| part.starts_with(&format!("pkg:cargo/{name}@")));
    for name in manifest["dependencies"].as_table().unwrap().keys() {
        assert!(has(name), "{name}");
    }
    for name in manifest["dev-dependencies"].as_table().unwrap().keys() {
        assert!(!has(name), "{name} is for tests");
    }
    // What has a version of its own inside them.
    for inner in [
        "pkg:generic/sqlite@3.",
        "pkg:generic/opus@1.",
        "pkg:generic/mimalloc@",
        "pkg:npm/lit-html@",
    ] {
        assert!(parts.keys().any(|part| part.starts_with(inner)), "{inner}");
    }
    // Who needs whom names parts that are there.
    let own = bill["metadata"]["component"]["bom-ref"].as_str().unwrap();
    for one in bill["dependencies"].as_array().unwrap() {
        for name in one["dependsOn"].as_array().unwrap().iter().chain([&one["ref"]]) {
            let name = name.as_str().unwrap();
            assert!(name == own || parts.contains_key(name), "{name}");
        }
    }
}
