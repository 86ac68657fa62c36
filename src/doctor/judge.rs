//! From facts to lines: one function for each thing that is looked at.

mod files;
mod reach;
mod time;

use super::facts::{Facts, Running};
use super::words::{Line, Mark, both};
use crate::dialplan::Finding;
use files::{certificate, descriptors, plan_folder, room, secret, store_file};
use reach::{address, listener, sound, trunk};
use time::{jump, synchronised, zone};

/// Findings that are told one by one; the rest is left to `check`.
const MOST_FINDINGS: usize = 20;

/// All lines, in the order of the list in docs/OPERATING.md.
#[must_use]
pub fn judge(facts: &Facts) -> Vec<Line> {
    let mut lines = configuration(&facts.findings);
    lines.extend(facts.running.iter().map(running));
    let runs = facts.running.as_ref().is_some_and(|running| *running != Running::No);
    lines.extend(facts.listeners.iter().map(|it| listener(it, runs)));
    lines.extend(facts.sound.iter().map(sound));
    lines.extend(facts.addresses.iter().map(address));
    lines.extend(facts.descriptors.iter().map(descriptors));
    lines.extend(facts.certificates.iter().map(certificate));
    lines.extend(facts.trunks.iter().map(trunk));
    lines.extend(facts.rooms.iter().map(room));
    lines.extend(facts.store_files.iter().filter_map(store_file));
    lines.extend(facts.secrets.iter().map(secret));
    lines.extend(facts.plan_folder.as_ref().map(plan_folder));
    lines.push(synchronised(&facts.clock));
    lines.extend(jump(&facts.clock));
    lines.extend(facts.zone.iter().map(zone));
    lines
}

/// The worst mark of some lines.
#[must_use]
pub fn worst(lines: &[Line]) -> Mark {
    lines.iter().map(|line| line.mark).max().unwrap_or(Mark::Ok)
}

fn configuration(findings: &[Finding]) -> Vec<Line> {
    if findings.is_empty() {
        return vec![Line::ok(
            "configuration",
            both("読めて、調べを通る", "it is read and passes check"),
        )];
    }
    let line = |finding: &Finding| {
        let mark = if finding.is_error() { Mark::Wrong } else { Mark::Look };
        let place =
            finding.place.as_ref().map_or(String::new(), |place| format!(":{}", place.line));
        let (found, due) = (&finding.message.found, &finding.message.due);
        let file = &finding.file;
        Line::not(
            mark,
            "configuration",
            both(format!("{file}{place}: {}", found.ja), format!("{file}{place}: {}", found.en)),
            due.clone(),
            both(
                "madoguchi check で行と直し方を見る",
                "madoguchi check shows the line and what is due",
            ),
        )
    };
    findings.iter().take(MOST_FINDINGS).map(line).collect()
}

fn running(running: &Running) -> Line {
    const TOPIC: &str = "desk";
    let due = || both("/healthz が 200 を返す", "/healthz answers 200");
    match running {
        Running::Well => Line::ok(TOPIC, both("動いていて、健全", "it runs and is well")),
        Running::No => Line::not(
            Mark::Look,
            TOPIC,
            both("動いていない", "it does not run"),
            due(),
            both("systemctl start madoguchi", "systemctl start madoguchi"),
        ),
        Running::Ill(status) => Line::not(
            Mark::Wrong,
            TOPIC,
            both(
                format!("動いているが、/healthz が {status} を返す"),
                format!("it runs, and /healthz answers {status}"),
            ),
            due(),
            both(
                "/healthz の reasons と journalctl -u madoguchi を見る。対処は madoguchi runbook",
                "see reasons in /healthz and journalctl -u madoguchi; madoguchi runbook says what to do",
            ),
        ),
        Running::Strange(why) => Line::not(
            Mark::Wrong,
            TOPIC,
            both(
                format!("画面のアドレスの相手に尋ねられない: {}", why.ja),
                format!("who listens at the pages' address cannot be asked: {}", why.en),
            ),
            due(),
            both(
                "別のプログラムなら止めるか [http] listen を変える。証明書を替えた後なら systemctl reload madoguchi",
                "another program: stop it or change [http] listen; after a new certificate: systemctl reload madoguchi",
            ),
        ),
    }
}
