//! The texts that `init` writes, from its answers: configuration, plan, the plan's table of calls. Pure.

use super::answers::{Answers, Opening};
use crate::dialplan::{end_of_day, values};
use chrono::{NaiveTime, TimeDelta};
use std::fmt::Write as _;

const CONFIG: &str = include_str!("madoguchi.toml");
const PLAN: &str = include_str!("plan.toml");
/// A week without a holiday, from Monday on, by which the table tries the hours.
const WEEK: [&str; 7] = [
    "2026-11-09",
    "2026-11-10",
    "2026-11-11",
    "2026-11-12",
    "2026-11-13",
    "2026-11-14",
    "2026-11-15",
];

/// The name of the plan's file, beside the configuration; its table lies beside it.
pub(super) const PLAN_FILE: &str = "desk.toml";
pub(super) const TABLE_FILE: &str = "desk.test.toml";
pub(super) const CONFIG_FILE: &str = "madoguchi.toml";

/// A text between quotes in TOML; what is put in has no control characters.
fn quotable(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

pub(super) fn config(answers: &Answers) -> String {
    let Answers { address, sip_port, pages_port, rtp, state, .. } = answers;
    let at = |port: u16| std::net::SocketAddr::new(*address, port).to_string();
    let hosts = answers.host.as_ref().map_or_else(String::new, |host| {
        format!("hosts = [\"{host}\"]                    # この窓口を指す名前\n")
    });
    let carrier = answers.carrier.map_or_else(
        || {
            "\n# 外線（TRUNKS.md）。事業者や電話交換機の送り元のアドレスを書く\n# [[trunks]]\n# name = \"carrier\"\n\
             # sources = [\"192.0.2.1:5060\"]\n"
                .to_owned()
        },
        |carrier| {
            format!("\n[[trunks]]                              # 外線。送り元のアドレスで見分ける（TRUNKS.md）\nname = \"carrier\"\nsources = [\"{carrier}\"]\n")
        },
    );
    CONFIG
        .replace("@SIPS@", &at(sip_port.saturating_add(1)))
        .replace("@SIP@", &at(*sip_port))
        .replace("@REALM@", answers.realm())
        .replace("@HOSTS@", &hosts)
        .replace("@IP@", &address.to_string())
        .replace("@PORTS@", &format!("{}-{}", rtp.start(), rtp.end()))
        .replace("@STATE@", &quotable(&state.display().to_string()))
        .replace("@PAGES@", &at(*pages_port))
        .replace("@CARRIER@", carrier.trim_end_matches('\n'))
        .replace("@CONFIG@", &answers.dir.join(CONFIG_FILE).display().to_string())
}

pub(super) fn plan(answers: &Answers) -> String {
    let mut agents = String::new();
    for (at, extension) in answers.extensions().enumerate() {
        let name = at.saturating_add(1);
        let _ = writeln!(agents, "{extension} = \"オペレータ {name}\""); // into a String: cannot fail
    }
    let (first, last) = answers.range();
    PLAN.replace("@PLAN@", &answers.dir.join(PLAN_FILE).display().to_string())
        .replace("@NAME@", &quotable(&answers.name))
        .replace("@NUMBER@", &answers.number)
        // Who talks, who waits, and one to be told that the desk is busy.
        .replace("@LINES@", &answers.agents.saturating_add(21).to_string())
        .replace("@WEEK@", &week(&answers.open))
        .replace("@FIRST@", &first)
        .replace("@LAST@", &last)
        .replace("@AGENTS@", &agents)
}

fn week(open: &Opening) -> String {
    let spans: Vec<String> =
        open.spans.iter().map(|span| format!("\"{}\"", values::show_span(span))).collect();
    let spans = match spans.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    };
    let mut text = format!("{} = {spans}\n", open.days);
    for (at, (day, _)) in values::WEEK.iter().enumerate() {
        if !open.on(at) {
            let _ = writeln!(text, "{day} = \"closed\""); // into a String: cannot fail
        }
    }
    text
}

/// Calls that the plan must answer as its hours say.
pub(super) fn table(answers: &Answers) -> String {
    let mut text = format!(
        "# {PLAN_FILE} のテスト: どの電話がどうなるべきか（DIALPLAN.md の「テストの表」）\n\
         #     madoguchi test {}\n# 計画を直す時は、先にここを直す。\n",
        answers.dir.join(PLAN_FILE).display(),
    );
    let mut call = |name: &str, at: &str, rest: &str| {
        let number = &answers.number;
        let _ = write!(
            text,
            "\n[[calls]]\nname = \"{name}\"\nat = \"{at}\"\nto = \"{number}\"\n{rest}"
        ); // into a String: cannot fail
    };
    let (first, _) = answers.range();
    let open_day = WEEK.iter().enumerate().find(|(at, _)| answers.open.on(*at));
    if let (Some((_, day)), Some(span)) = (open_day, answers.open.spans.first()) {
        let (from, until) = (span.from, span.until);
        let time = |at: NaiveTime| format!("{day}T{}", at.format("%H:%M:%S"));
        call(
            "受付の始まりから、オペレータへ",
            &time(from),
            &format!(
                "leads_to = {{ group = \"desk\" }}\nhours = \"open\"\nrings = [\"{first}\"]\nanswered_by = \"{first}\"\n\
                 outcome = \"answered\"\ncounted = true\n"
            ),
        );
        call(
            "全員が話し中なら待つ",
            &time(from),
            &format!(
                "agents = {{ \"{first}-{}\" = \"busy\" }}\nhears = [\"busy\"]\nhangs_up = \"20s\"\n",
                answers.range().1
            ),
        );
        let before = from.overflowing_sub_signed(TimeDelta::seconds(1));
        if before.1 == 0 {
            let rest = "leads_to = { announce = \"after-hours\" }\noutcome = \"closed\"\n";
            call("始まりの前は時間外", &time(before.0), rest);
        }
        // What ends the day at 24:00 ends with it.
        if answers.open.spans.len() == 1 && until != end_of_day() {
            let rest = "leads_to = { announce = \"after-hours\" }\noutcome = \"closed\"\n";
            call("終わりの時刻はもう時間外", &time(until), rest);
        }
    }
    if let Some((_, day)) = WEEK.iter().enumerate().find(|(at, _)| !answers.open.on(*at)) {
        let rest = "leads_to = { announce = \"after-hours\" }\noutcome = \"closed\"\n";
        call("休みの曜日", &format!("{day}T10:00"), rest);
    }
    call(
        "元日は年末年始の案内",
        "2027-01-01T10:00",
        "hours = \"closure\"\nleads_to = { announce = \"year-end\" }\noutcome = \"closed\"\n",
    );
    call(
        "文化の日",
        "2026-11-03T10:00",
        "hours = \"holiday\"\nleads_to = { announce = \"holiday\" }\noutcome = \"closed\"\n",
    );
    text
}
