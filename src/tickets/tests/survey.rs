//! No. 7 by hand, and its file.

use crate::dialplan::Lang;
use crate::tickets::{Value, Verdict, survey, survey_report};
use crate::view::Ratio;

#[test]
fn the_mean_of_each_respondent_and_then_of_all() {
    // (case, lines below the heading, asked, satisfaction, answer rate, both verdicts)
    let (met, missed, empty) = (Verdict::Within, Verdict::Missed, Verdict::NoValue);
    let table = [
        ("nobody answered", "", 10, (0, 0), (0, 10), (empty, missed)),
        ("nobody was asked", "", 0, (0, 0), (0, 0), (empty, empty)),
        ("all the best", "1,満足,満足,満足", 1, (1, 1), (1, 1), (met, met)),
        ("all the worst", "1,不満,不満,不満", 1, (0, 1), (1, 1), (missed, met)),
        // (220/3 + 80) / 2 = 76.66… points of 100; all four answers together would be 75.
        (
            "each respondent weighs the same",
            "1,満足,普通,普通\n2,ほぼ満足,,",
            2,
            (23, 30),
            (2, 2),
            (met, met),
        ),
        // (40 + 180/2) / 2
        (
            "an answer left out is not 0",
            "1,,,やや不満\n2,satisfied,mostly_satisfied,",
            3,
            (13, 20),
            (2, 3),
            (missed, missed),
        ),
        // (100 + 80 + 40) / 3 and (100 + 80) / 2 and 60/1: (220/3 + 90 + 60) / 3 = 670/9 = 74.44…
        (
            "thirds",
            "1,満足,ほぼ満足,やや不満\n2,満足,ほぼ満足,\n3,neutral,,",
            4,
            (67, 90),
            (3, 4),
            (missed, met),
        ),
        // (100 + 50) / 2
        ("the limits themselves", "1,満足,,\n2,満足,不満,", 2, (3, 4), (2, 2), (met, met)),
        (
            "who answered nothing is no respondent",
            "1,満足,,\n2,,,",
            2,
            (1, 1),
            (1, 2),
            (met, missed),
        ),
        (
            "seven of ten",
            "1,満足,,\n2,満足,,\n3,満足,,\n4,満足,,\n5,満足,,\n6,満足,,\n7,満足,,",
            10,
            (1, 1),
            (7, 10),
            (met, met),
        ),
    ];
    for (case, lines, asked, satisfaction, answer_rate, verdicts) in table {
        let text = format!("回答者,対応,説明,速さ\n{lines}\n");
        let file = match survey(&text) {
            Ok(file) => file,
            Err(problems) => panic!("{case}: {}", problems.told("survey.csv", Lang::En)),
        };
        let report = survey_report(&file.respondents, 2026, asked);
        let share = |value| match value {
            Value::Share { ratio: Ratio { part, whole }, .. } => (part, whole),
            Value::Mean { .. } => panic!("{case}"),
        };
        assert_eq!(share(report.satisfaction), satisfaction, "{case}");
        assert_eq!(share(report.answer_rate), answer_rate, "{case}");
        assert_eq!((report.satisfaction_verdict, report.answer_rate_verdict), verdicts, "{case}");
    }
}

#[test]
fn a_file_of_several_years_is_counted_by_its_column() {
    let file = survey("respondent,q1,year\nA,満足,2025\nB,普通,2026\nC,,2026\n").expect("whole");
    let report = survey_report(&file.respondents, 2026, 3);
    let ids: Vec<_> = report.counted.iter().map(|one| one.id.as_str()).collect();
    assert_eq!((ids, report.left_out, report.of_other_years), (vec!["B"], vec!["C".to_owned()], 1));
}

#[test]
fn a_wrong_survey_is_told_by_line_and_column() {
    let table = [
        ("respondent\nA\n", ":1: there is no question"),
        ("name,q1\nA,満足\n", ":1: respondent:"),
        (
            "respondent,q1\nA,よい\n",
            ":2: q1: \"よい\" is not a word known here. due: satisfied, mostly_satisfied",
        ),
        ("respondent,q1\nA,満足\nA,満足\n", ":3: respondent: \"A\" is on line 2 too"),
        ("respondent,年度,q1\nA,令和8,満足\n", ":2: 年度: \"令和8\" is not a year"),
        ("respondent,year,年度,q1\nA,2026,2026,満足\n", ":1: 年度: there are two such columns"),
        ("respondent,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21\n", ":1: more than 20"),
    ];
    for (text, want) in table {
        let Err(problems) = survey(text) else { panic!("{text}: taken") };
        let told = problems.told("survey.csv", Lang::En);
        assert!(told.starts_with(&format!("survey.csv{want}")), "{text}: {told}");
    }
}
