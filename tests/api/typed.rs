//! The pages' scripts against the types of what the desk answers and tells (`web/types.d.ts`): `tsc` looks at them as
//! they are, from a copy laid out as a browser gets them, and writes nothing.

use crate::described::{holds, root};
use crate::support::process::Dir;
use std::process::Command;

/// What a browser asks for, and where it lies.
const SERVED: &[(&str, &str)] = &[
    ("wallboard.js", "web/wallboard.js"),
    ("wallboard-chart.js", "web/wallboard-chart.js"),
    ("wallboard-words.js", "web/wallboard-words.js"),
    ("recordings.js", "web/recordings.js"),
    ("login.js", "web/login.js"),
    ("tv.js", "web/tv.js"),
    ("panel/panel.js", "web/panel.js"),
    ("panel/tickets.js", "web/panel-tickets.js"),
    ("panel/view.js", "web/panel-view.js"),
    ("panel/words.js", "web/panel-words.js"),
    ("supervisor/supervisor.js", "web/supervisor.js"),
    ("supervisor/planning.js", "web/supervisor-planning.js"),
    ("supervisor/tickets.js", "web/supervisor-tickets.js"),
    ("supervisor/view.js", "web/supervisor-view.js"),
    ("supervisor/words.js", "web/supervisor-words.js"),
    ("types.d.ts", "web/types.d.ts"),
    ("panel/types.d.ts", "web/types.d.ts"),
    ("supervisor/types.d.ts", "web/types.d.ts"),
];

/// Strict but for two rules: what the scripts find by an id is an element and no more, and helpers of one line do not say
/// what they take. The rule is about the desk's fields.
const CONFIG: &str = r#"{
  "compilerOptions": {
    "allowJs": true, "checkJs": true, "noEmit": true, "strict": true, "noImplicitAny": false, "strictNullChecks": false, "skipLibCheck": true, "types": [],
    "target": "es2022", "module": "es2022", "moduleResolution": "bundler", "moduleDetection": "force",
    "lib": ["es2023", "dom", "dom.iterable"],
    "paths": { "/lib/lit-html.js": ["@LIT@"], "/*": ["./*"] }
  },
  "include": ["**/*.js", "**/*.d.ts"]
}"#;

/// The chart's library puts itself into the window; and what is found by an id is looked at no further.
const GLOBALS: &str = "declare var uPlot: any;\n\
    interface Document { getElementById(id: string): any; querySelector(of: string): any; querySelectorAll(of: string): NodeListOf<any>; }\n\
    interface EventTarget { closest(of: string): any; }\n\
    interface FormData { [Symbol.iterator](): IterableIterator<[string, string]>; }\n";

/// What tsc finds wrong when the scripts are as they are but for this.
fn complaints(change: impl Fn(&str, String) -> String) -> Vec<String> {
    let modules = root().join("tests/pages/node_modules");
    let tsc = modules.join("typescript/bin/tsc");
    assert!(tsc.exists(), "{}: `npm ci` in tests/pages brings it (scripts/test)", tsc.display());
    let dir = Dir::new("typed");
    for (served, lies) in SERVED {
        let text = std::fs::read_to_string(root().join(lies)).unwrap();
        dir.write(served, &change(lies, text));
    }
    let lit = modules.join("lit-html/lit-html.d.ts").display().to_string();
    dir.write("tsconfig.json", &CONFIG.replace("@LIT@", &lit));
    dir.write("globals.d.ts", GLOBALS);
    let mut command = Command::new("node");
    command.arg(tsc).args(["--pretty", "false", "-p", "."]).current_dir(dir.path());
    let out = command.output().expect("node");
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(
        out.status.success(),
        said.is_empty(),
        "{said}{}",
        String::from_utf8_lossy(&out.stderr)
    );
    said.lines().map(str::to_owned).collect()
}

#[test]
fn the_types_that_the_pages_are_checked_with_are_those_of_the_description() {
    let text = crate::types::written(&madoguchi::io::http::openapi());
    holds(root().join("web/types.d.ts"), &text);
}

#[test]
fn the_pages_use_what_the_desk_says_and_a_misspelt_field_is_found() {
    let found = complaints(|_, text| text);
    assert!(found.is_empty(), "{}", found.join("\n"));
    // (script, what stands there, misspelt)
    let table = [
        ("web/wallboard.js", "board.parked_count", "board.parked_cuont"),
        ("web/wallboard.js", "board.lines.in_use", "board.lines.inuse"),
        ("web/panel.js", "it.panel.slots", "it.panel.slot"),
        ("web/panel.js", "it.panel.call?.role", "it.panel.call?.roll"),
        ("web/panel-view.js", "it.panel.colleagues", "it.panel.colleague"),
        ("web/recordings.js", "page.more_before", "page.more_befor"),
        ("web/panel-tickets.js", "known.whole", "known.hwole"),
        ("web/supervisor-tickets.js", "target.stuck", "target.stcuk"),
    ];
    for (script, right, wrong) in table {
        let change = |lies: &str, text: String| {
            if lies == script { text.replacen(right, wrong, 1) } else { text }
        };
        let found = complaints(change);
        let word = wrong.rsplit('.').next().unwrap();
        assert!(
            found.iter().any(|it| it.contains(&format!("'{word}'"))),
            "{script}: {wrong}: {found:?}"
        );
    }
}
