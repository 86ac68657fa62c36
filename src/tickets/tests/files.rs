//! What is said of a file of tickets that is wrong, and what is taken of one that is right.

use super::{HEADING, plan, read};
use crate::dialplan::Lang;
use crate::tickets::{Exclusion, MOST_LISTED, Nature, tickets};

fn told(text: &str, lang: Lang) -> String {
    match tickets(text, chrono_tz::Asia::Tokyo) {
        Ok(file) => panic!("{text}: taken as {file:?}"),
        Err(problems) => problems.told("t.csv", lang),
    }
}

#[test]
fn a_wrong_line_is_told_by_line_column_found_and_due() {
    // (a line, what the answer begins with)
    let table = [
        (",2026-10-07 10:00,,,,,,,", "t.csv:2: id: empty. due: something"),
        ("T-1,,,,,,,,", "t.csv:2: received_at: empty. due: something"),
        (
            "T-1,2026-10-32 10:00,,,,,,,",
            "t.csv:2: received_at: \"2026-10-32 10:00\" is not a time. due: a time such as",
        ),
        ("T-1,2026-10-07 10:00,soon,,,,,,", "t.csv:2: completed_at: \"soon\" is not a time"),
        (
            "T-1,2026-10-07 10:00,2026-10-07 9:59,,,,,,",
            "t.csv:2: completed_at: \"2026-10-07 9:59\" is before received_at. due: 2026-10-07 10:00 or later",
        ),
        (
            "T-1,2026-10-07 10:00,,,,,2026-10-07 9:59,,",
            "t.csv:2: progress_reported_at: \"2026-10-07 9:59\" is before received_at",
        ),
        (
            "T-1,2026-10-07 10:00,,other,2026-10-07 9:59,,,,",
            "t.csv:2: escalated_at: \"2026-10-07 9:59\" is before received_at",
        ),
        (
            "T-1,2026-10-07 10:00,,other,2026-10-07 10:10,2026-10-07 10:09,,,",
            "t.csv:2: escalation_answered_at: \"2026-10-07 10:09\" is before escalated_at. due: 2026-10-07 10:10 or later",
        ),
        (
            "T-1,2026-10-07 10:00,2026-10-07 10:05,other,2026-10-07 10:10,,,,",
            "t.csv:2: completed_at: \"2026-10-07 10:05\" is before escalated_at. due: 2026-10-07 10:10 or later",
        ),
        (
            "T-1,2026-10-07 10:00,,,2026-10-07 10:10,,,,",
            "t.csv:2: escalated_to: 0 items. due: 1, as in escalated_at, with ; between",
        ),
        (
            "T-1,2026-10-07 10:00,,other,,,,,",
            "t.csv:2: escalated_to: 1 items. due: 0, as in escalated_at",
        ),
        (
            "T-1,2026-10-07 10:00,,other;other,2026-10-07 10:10;2026-10-07 10:20,2026-10-07 10:30,,,",
            "t.csv:2: escalation_answered_at: 1 items. due: 2",
        ),
        (
            "T-1,2026-10-07 10:00,,other;other,2026-10-07 10:10;,,,,",
            "t.csv:2: escalated_at: empty. due: something",
        ),
        (
            "T-1,2026-10-07 10:00,,builder,2026-10-07 10:10,,,,",
            "t.csv:2: escalated_to: \"builder\" is not a word known here. due: system_builder, other",
        ),
        ("T-1,2026-10-07 10:00,,,,,,maybe,", "t.csv:2: technical: \"maybe\" is not a word"),
        ("T-1,2026-10-07 10:00,,,,,,,virus", "t.csv:2: exclusions: \"virus\" is not a word"),
        (
            "T-1,2026-10-07 10:00,,,,,,,virus_investigation;",
            "t.csv:2: exclusions: \"\" is not a word",
        ),
        ("T-1,2026-10-07 10:00\n", "t.csv:2: 2 cells. due: 9, as many as there are column names"),
        ("T-1,2026-10-07 10:00,,,,,,,\"", "t.csv:2: a \" that is never closed"),
        (
            "T-1,2026-10-07 10:00,,,,,,,\n\nT-1,2026-10-07 10:00,,,,,,,",
            "t.csv:4: id: \"T-1\" is on line 2 too. due: one line each",
        ),
    ];
    for (line, want) in table {
        let told = told(&format!("{HEADING}\n{line}\n"), Lang::En);
        assert!(told.starts_with(want), "{line}: {told}");
        assert!(told.ends_with("errors: 1; nothing was counted\n"), "{line}: {told}");
    }
    let long = format!("{HEADING}\n{},2026-10-07 10:00,,,,,,,\n", "T".repeat(65));
    assert!(told(&long, Lang::Ja).starts_with("t.csv:2: id: \"TTTT"), "{}", told(&long, Lang::Ja));
    let told = told("受付番号,受付日時\nT-1,x\n", Lang::Ja);
    assert!(
        told.starts_with(
            "t.csv:1: completed_at: この列がない. 正しくは: この名前か「完了日時」の列"
        ),
        "{told}"
    );
    assert!(told.ends_with("エラー 7 件。何も集計していない\n"), "{told}");
}

#[test]
fn all_problems_are_told_up_to_a_bound() {
    let text = format!("{HEADING}\nT-1,x,y,builder,z,,w,maybe,virus\n");
    let all = told(&text, Lang::En);
    assert_eq!(all.lines().count(), 8, "one for each wrong cell, and the count: {all}");
    let many: Vec<String> = (0..120).map(|n| format!("T-{n},x,,,,,,,\n")).collect();
    let all = told(&format!("{HEADING}\n{}", many.concat()), Lang::En);
    assert_eq!(all.lines().count(), MOST_LISTED + 2);
    assert!(all.ends_with("70 more are not listed\nerrors: 120; nothing was counted\n"), "{all}");
}

#[test]
fn a_file_in_japanese_with_columns_of_its_own_is_the_same() {
    let plan = plan();
    let japanese = "\u{feff}件名,受付番号,受付日時,完了日時,エスカレーション先,エスカレーション日時,\
                    エスカレーション回答日時,経過報告日時,技術支援,除外理由\r\n\
                    \"印刷, \"\"両面\"\"\n二行目\",T-1,2026/10/7 9:05,2026/10/7 11:00,\
                    システム構築業者；その他,2026/10/7 9:10；2026/10/7 9:20,；2026/10/7 9:30,2026/10/7 9:40,はい,\
                    時間指定;ウイルス調査\r\n,,,,,,,,,\r\n";
    let file = tickets(japanese, plan.timezone).expect("whole");
    assert_eq!(file.passed_over, ["件名"]);
    let english = read(
        &plan,
        "T-1,2026-10-07 09:05,2026-10-07T02:00Z,system_builder; other,2026-10-07 09:10; 2026-10-07 09:20,\
         ; 2026-10-07 09:30:00,2026-10-07 09:40,yes,virus_investigation; caller_asked_for_time",
    );
    assert_eq!(file.tickets, english);
    assert_eq!(english[0].nature, Nature::Technical);
    let both = [Exclusion::VirusInvestigation, Exclusion::CallerAskedForTime];
    assert_eq!(english[0].exclusions, both.into());
    assert_eq!(
        tickets(HEADING, plan.timezone).map(|file| file.tickets.len()),
        Ok(0),
        "a quiet month"
    );
}
