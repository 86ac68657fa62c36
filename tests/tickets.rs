//! `madoguchi tickets figures` as it is typed, and against a recount by another program
//! (tests/tickets/recount.py) over hundreds of drawn tickets.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

use chrono::{DateTime, Duration, FixedOffset, TimeZone};
use madoguchi::base::Rng;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Tickets of each recount.
const TICKETS: usize = 600;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("madoguchi-tickets-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// With the exit code, what is printed, and what is complained of.
fn figures(tickets: &Path, more: &[&str]) -> (i32, String, String) {
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplans/service-desk.toml");
    let run = Command::new(env!("CARGO_BIN_EXE_madoguchi"))
        .args(["tickets", "figures"])
        .arg(plan)
        .arg("--tickets")
        .arg(tickets)
        .args(more)
        .output()
        .expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (run.status.code().expect("an exit code"), text(run.stdout), text(run.stderr))
}

/// A draw of tickets between August 2026 and January 2027, written as somebody might.
struct Draw {
    rng: Rng,
    japanese: bool,
}

impl Draw {
    fn one_in(&mut self, count: u64) -> bool {
        self.rng.below(count) == 0
    }

    /// A time after another, mostly of minutes, now and then of days or at the edge of an hour.
    fn after(&mut self, at: DateTime<FixedOffset>) -> DateTime<FixedOffset> {
        match self.rng.below(8) {
            0 => at,
            1 => at + Duration::milliseconds(self.rng.below(9 * 86_400_000) as i64),
            2 => {
                let hours = at + Duration::hours(1 + self.rng.below(100) as i64);
                let into = hours.timestamp_millis().rem_euclid(1_800_000);
                hours - Duration::milliseconds(into)
            }
            _ => at + Duration::milliseconds(self.rng.below(5_400_000) as i64),
        }
    }

    fn written(&mut self, at: DateTime<FixedOffset>) -> String {
        let form = match self.rng.below(4) {
            0 => "%Y-%m-%dT%H:%M:%S%.3f%:z",
            1 => "%Y/%-m/%-d %-H:%M:%S%.3f",
            2 => "%Y-%m-%d %H:%M:%S%.3f",
            _ => return at.to_utc().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        };
        at.format(form).to_string()
    }

    fn word(&self, en: &str, ja: &str) -> String {
        if self.japanese { ja.to_owned() } else { en.to_owned() }
    }

    fn ticket(&mut self, number: usize) -> String {
        let japan = FixedOffset::east_opt(9 * 3600).unwrap();
        let first = japan.with_ymd_and_hms(2026, 8, 1, 0, 0, 0).unwrap();
        let mut received = first + Duration::milliseconds(self.rng.below(184 * 86_400_000) as i64);
        if self.one_in(6) {
            // At an edge: 8:30 or 18:15, or the millisecond before.
            let minutes = [510, 1095][self.rng.below(2) as usize];
            let day = received.date_naive().and_hms_opt(0, 0, 0).unwrap();
            received = japan.from_local_datetime(&day).unwrap() + Duration::minutes(minutes);
            received -= Duration::milliseconds(self.rng.below(2) as i64);
        }
        if self.one_in(40) {
            // At the early end of the one day that has hours of its own.
            received = japan.with_ymd_and_hms(2026, 12, 28, 15, 0, 0).unwrap();
            received -= Duration::milliseconds(self.rng.below(2) as i64);
        }
        let (mut last, mut cells) = (received, [const { String::new() }; 3]);
        let escalations = [0, 0, 1, 1, 2, 3][self.rng.below(6) as usize];
        let mut all = Vec::new();
        for _ in 0..escalations {
            let at = self.after(received);
            let answered = (!self.one_in(4)).then(|| self.after(at));
            last = last.max(at);
            all.push((self.one_in(3), at, answered));
        }
        for (at, (other, escalated, answered)) in all.into_iter().enumerate() {
            let between = if at == 0 { "" } else { ["; ", ";"][self.rng.below(2) as usize] };
            let to = if other {
                self.word("other", "その他")
            } else {
                self.word("system_builder", "システム構築業者")
            };
            let told = [
                to,
                self.written(escalated),
                answered.map_or(String::new(), |at| self.written(at)),
            ];
            for (cell, told) in cells.iter_mut().zip(told) {
                *cell += &format!("{between}{told}");
            }
        }
        let completed = match self.one_in(8) {
            true => String::new(),
            false => {
                let at = self.after(last);
                self.written(at)
            }
        };
        let reported = match self.one_in(3) {
            true => String::new(),
            false => {
                let at = self.after(received);
                self.written(at)
            }
        };
        let technical = match self.rng.below(6) {
            0 => self.word("yes", "はい"),
            1 => self.word("no", "いいえ"),
            _ => String::new(),
        };
        let mut reasons = Vec::new();
        for (en, ja) in [
            ("virus_investigation", "ウイルス調査"),
            ("vendor_investigation", "ベンダー調査"),
            ("caller_asked_for_time", "時間指定"),
        ] {
            if self.one_in(12) {
                reasons.push(self.word(en, ja));
            }
        }
        let (id, reasons, received) =
            (self.word("T", "受付"), reasons.join(";"), self.written(received));
        let [to, escalated, answered] = cells;
        format!(
            "{id}-{number},{received},\"二行の\n件名, \"\"{number}\"\"\",{completed},{to},{escalated},{answered},{reported},{technical},{reasons}\r\n"
        )
    }

    fn tickets(&mut self) -> String {
        let heading = if self.japanese {
            "受付番号,受付日時,件名,完了日時,エスカレーション先,エスカレーション日時,エスカレーション回答日時,経過報告日時,技術支援,除外理由"
        } else {
            "id,received_at,subject,completed_at,escalated_to,escalated_at,escalation_answered_at,progress_reported_at,technical,exclusions"
        };
        let lines: Vec<String> = (1..=TICKETS).map(|number| self.ticket(number)).collect();
        format!("{heading}\r\n{}", lines.concat())
    }

    fn survey(&mut self) -> String {
        let words = ["満足", "満足", "ほぼ満足", "ほぼ満足", "普通", "やや不満", "不満", ""];
        let mut text = "回答者,年度,対応,説明,速さ,総合\n".to_owned();
        for number in 1..=150 {
            let year = if self.one_in(10) { 2025 } else { 2026 };
            let answers: Vec<&str> = (0..4).map(|_| words[self.rng.below(8) as usize]).collect();
            text += &format!("{number},{year},{}\n", answers.join(","));
        }
        text
    }
}

#[test]
fn another_program_counts_the_same() {
    let folder = Folder::new("recount");
    for (seed, japanese, month) in
        [(1, false, "2026-09"), (2, true, "2026-10"), (3, false, "2026-12"), (4, true, "2027-01")]
    {
        let mut draw = Draw { rng: Rng::from_number(seed), japanese };
        let (tickets, survey) = (draw.tickets(), draw.survey());
        // As a spreadsheet in Japan saves it, and with the mark that another leaves at the beginning.
        let tickets = match japanese {
            true => encoding_rs::SHIFT_JIS.encode(&tickets).0.into_owned(),
            false => format!("\u{feff}{tickets}").into_bytes(),
        };
        let (tickets, survey) = (folder.file("t.csv", tickets), folder.file("s.csv", survey));
        let survey_text = survey.display().to_string();
        let more = [
            "--month",
            month,
            "--survey",
            &survey_text,
            "--year",
            "2026",
            "--asked",
            "200",
            "--json",
        ];
        let (code, found, wrong) = figures(&tickets, &more);
        assert_eq!(wrong, "", "seed {seed}");
        let found: Value = serde_json::from_str(&found).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tickets/recount.py");
        let recount = Command::new("python3")
            .arg(script)
            .args([
                &tickets,
                &PathBuf::from(month),
                &survey,
                &PathBuf::from("2026"),
                &PathBuf::from("200"),
            ])
            .output()
            .expect("python3");
        assert!(recount.status.success(), "{}", String::from_utf8_lossy(&recount.stderr));
        let due: Value = serde_json::from_slice(&recount.stdout).unwrap();
        assert_eq!(found["tickets"], due["tickets"], "seed {seed}");
        assert!(due["tickets"].as_u64().unwrap() > 50, "{due}");
        for (found, due) in
            found["figures"].as_array().unwrap().iter().zip(due["figures"].as_array().unwrap())
        {
            let no = &found["no"];
            for (key, what) in [("counted", "ms"), ("left_out", "why")] {
                let list = found[key].as_array().unwrap();
                assert_eq!(list.len(), due[key].as_object().unwrap().len(), "seed {seed} No. {no}");
                assert!(list.len() > 2, "seed {seed} No. {no} {key}: too few to tell");
                for one in list {
                    let id = one["id"].as_str().unwrap();
                    let told = one.get(what).unwrap_or(&one["as"]);
                    assert_eq!(told, &due[key][id], "seed {seed} No. {no} {key} {id}");
                }
            }
            let shown = found["value"].get("percent").or(found["value"].get("minutes")).unwrap();
            assert_eq!(shown, &due["shown"], "seed {seed} No. {no}");
            assert_eq!(found["verdict"], due["verdict"], "seed {seed} No. {no}");
        }
        let (found, due) = (&found["survey"], &due["survey"]);
        assert_eq!(found["satisfaction"]["percent"], due["satisfaction"], "seed {seed}");
        assert_eq!(found["answer_rate"]["percent"], due["answer_rate"], "seed {seed}");
        assert_eq!(
            found["counted"].as_array().unwrap().len() as u64,
            due["answered"].as_u64().unwrap()
        );
        assert_eq!(found["satisfaction_verdict"] == "within", due["met"], "seed {seed}");
        assert_eq!(found["answer_rate_verdict"] == "within", due["rate_met"], "seed {seed}");
        assert_eq!(code, 1, "such tickets miss a limit");
    }
}

/// The example of docs/TICKETS.md is what the program prints.
#[test]
fn the_page_shows_what_is_printed() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/TICKETS.md"))
            .unwrap();
    let block = |name: &str| {
        let begins = format!("```{name}\n");
        let part = page.split_once(&begins).unwrap_or_else(|| panic!("{name}")).1;
        part.split_once("```").unwrap().0.to_owned()
    };
    let folder = Folder::new("page");
    let tickets = folder.file("tickets.csv", block("csv tickets"));
    let survey = folder.file("survey.csv", block("csv survey")).display().to_string();
    let (code, said, wrong) = figures(
        &tickets,
        &[
            "--month", "2026-10", "--survey", &survey, "--year", "2026", "--asked", "4", "--list",
            "--lang", "ja",
        ],
    );
    assert_eq!((code, wrong.as_str()), (1, ""));
    assert_eq!(said, block("text answer"));
    // The names of the readings are those that the page explains.
    let (_, json, _) = figures(&tickets, &["--month", "2026-10", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    for reading in json["readings"].as_array().unwrap() {
        let reading = reading.as_str().unwrap();
        assert!(page.contains(&format!("| `{reading}` | ")), "{reading} is not explained");
    }
    assert_eq!(json["survey"], Value::Null);
    let file = folder.file("wrong.csv", block("csv wrong"));
    let (code, said, wrong) = figures(&file, &["--month", "2026-10", "--lang", "ja"]);
    assert_eq!((code, said.as_str()), (2, ""));
    let told = wrong.replace(&file.display().to_string(), "wrong.csv");
    assert_eq!(told, block("text refused"));
}

#[test]
fn exit_codes_are_what_they_say() {
    let folder = Folder::new("codes");
    let heading = "id,received_at,completed_at,escalated_to,escalated_at,escalation_answered_at,progress_reported_at,technical,exclusions\n";
    let within = folder
        .file("within.csv", format!("{heading}T-1,2026-10-07 10:00,2026-10-07 10:30,,,,,,\n"));
    let missed = folder.file(
        "missed.csv",
        format!("{heading}T-1,2026-10-07 10:00,2026-10-07 10:30:00.001,,,,,,\n"),
    );
    let survey = folder.file("survey.csv", "respondent,q\nA,普通\n").display().to_string();
    let of_survey = |asked| {
        [
            "--month", "2026-10", "--survey", &survey, "--year", "2026", "--asked", asked,
            "--lang", "en",
        ]
        .map(str::to_owned)
    };
    let october = ["--month", "2026-10", "--lang", "en"].map(str::to_owned);
    let hours = ["--month", "2026-10", "--hours", "night", "--lang", "en"].map(str::to_owned);
    let month = ["--month", "October", "--lang", "en"].map(str::to_owned);
    let half = ["--month", "2026-10", "--survey", &survey, "--year", "2026"].map(str::to_owned);
    let table: [(&Path, &[String], i32, &str); 9] = [
        (
            &within,
            &october,
            0,
            "No. 2 handling time: 30.00 min (1 tickets), at most 30 min: within",
        ),
        (
            &missed,
            &october,
            1,
            "No. 2 handling time: 30.00 min (1 tickets), at most 30 min: MISSED",
        ),
        (
            &within,
            &october,
            0,
            "No. 3 time to escalation: no value, at most 10 min: nothing to judge",
        ),
        (
            &within,
            &of_survey("1"),
            1,
            "No. 7 satisfaction: 60.00 points (3/5), at least 75 points: MISSED",
        ),
        (&within, &of_survey("0"), 2, "--asked 0 is less than the 1 who answered"),
        (&within, &hours, 2, "the plan has no such hours; it has: desk"),
        (&within, &month, 2, "not a month"),
        (&within, &half, 2, "--asked"),
        (Path::new("/nonexistent/tickets.csv"), &october, 2, "/nonexistent/tickets.csv: "),
    ];
    for (file, more, due, says) in table {
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let (code, said, wrong) = figures(file, &more);
        assert_eq!(code, due, "{more:?}: {said}{wrong}");
        assert!((said + &wrong).contains(says), "{more:?}: {says}");
    }
    let unreadable = folder.file("unreadable.csv", [0xff, 0xff, 0x80, 0x00]);
    let (code, _, wrong) = figures(&unreadable, &["--month", "2026-10", "--lang", "en"]);
    assert!(code == 2 && wrong.contains("neither UTF-8 nor Shift_JIS"), "{wrong}");
}
