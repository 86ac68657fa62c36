//! What others have written for the pages: what the daemon gives a browser is what npm has under the version of
//! tests/pages/package-lock.json.

use crate::browser::folder;
use crate::support::desk::Desk;
use crate::support::http;
use serde_json::Value;

/// (what the daemon gives, package, file in it)
const PINNED: &[(&str, &str, &str)] = &[
    ("lit-html.js", "lit-html", "lit-html.js"),
    ("lit-html.LICENSE", "lit-html", "LICENSE"),
    ("uPlot.iife.min.js", "uplot", "dist/uPlot.iife.min.js"),
    ("uPlot.min.css", "uplot", "dist/uPlot.min.css"),
    ("uPlot.LICENSE", "uplot", "LICENSE"),
];

fn json(path: &std::path::Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| {
        panic!("{}: {e}; `npm ci` in tests/pages brings it (scripts/test)", path.display())
    });
    serde_json::from_str(&text).unwrap()
}

#[test]
fn libraries_are_those_of_the_lock_file_to_the_byte_and_need_no_login() {
    let desk = Desk::start("desk.toml");
    let lock = json(&folder().join("package-lock.json"));
    let embedded =
        std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("web/lib").read_dir().unwrap();
    assert_eq!(embedded.count(), PINNED.len(), "every file of web/lib is compared");
    for (name, package, file) in PINNED {
        let installed = folder().join("node_modules").join(package);
        let locked = &lock["packages"][format!("node_modules/{package}")]["version"];
        assert_eq!(&json(&installed.join("package.json"))["version"], locked, "{package}");
        let due = std::fs::read_to_string(installed.join(file)).unwrap();
        let given = http::request(desk.http, "GET", &format!("/lib/{name}"), None, "").unwrap();
        assert_eq!(given.status, 200, "{name}");
        assert!(given.body == due, "{name} is not that of {package} {locked}");
    }
    let other = http::request(desk.http, "GET", "/lib/other.js", None, "").unwrap();
    assert_eq!(other.status, 404);
}
