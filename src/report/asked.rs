//! The table of what callers said who were asked after their call. Counted now, also of a closed month.

use super::made::Report;
use super::table::{Cell, Table};
use super::working::counted_now;
use crate::view::SurveyFigures;

/// None of a month in which nobody was asked.
pub(super) fn surveys(report: &Report) -> Option<Table> {
    if report.surveys.is_empty() {
        return None;
    }
    let heads = [
        ("調査", 16),
        ("質問", 8),
        ("尋ねた呼", 10),
        ("回答した呼", 10),
        ("回答率 %", 10),
        ("満足度", 10),
        ("満足", 8),
        ("ほぼ満足", 10),
        ("普通", 8),
        ("やや不満", 10),
        ("不満", 8),
    ];
    let mut table = Table::new("surveys", "通話後の満足度調査", &heads);
    for survey in &report.surveys {
        table.rows.push(whole(survey));
        let questions = (1_usize..).zip(&survey.answers);
        table.rows.extend(questions.map(|(number, answers)| {
            let name = Cell::text(survey.survey.as_str());
            let mut cells = vec![name, Cell::count(u64::try_from(number).unwrap_or(u64::MAX))];
            cells.extend([Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty]);
            cells.extend(answers.map(Cell::count));
            cells
        }));
    }
    let table = table.note(
        "満足度 ＝ 回答者ごとの平均点（満足 100、ほぼ満足 80、普通 60、やや不満 40、不満 0）の平均。\
         回答率 ＝ 1 問以上に答えた呼 ÷ 尋ねた呼。オペレータが先に切った呼の発信者だけに尋ねる。\
         年次の満足度調査（別紙4 No. 7）とは別のものである。",
    );
    Some(counted_now(report, table))
}

/// The survey's own row.
fn whole(survey: &SurveyFigures) -> Vec<Cell> {
    let answers = |place: usize| {
        let of_key = survey.answers.iter().filter_map(|row| row.get(place));
        Cell::count(of_key.sum())
    };
    let mut cells = vec![
        Cell::text(survey.survey.as_str()),
        Cell::text("計"),
        Cell::count(survey.asked),
        Cell::count(survey.respondents),
        Cell::number(survey.answer_rate.percent()),
        Cell::number(survey.satisfaction.percent()),
    ];
    cells.extend((0..5).map(answers));
    cells
}
