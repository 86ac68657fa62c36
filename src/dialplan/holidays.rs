//! Japanese public holidays by rule (国民の祝日に関する法律): pure arithmetic on dates, no table to run out.
//!
//! Right for the law as it stands since 2022 and for the equinox formula's years, up to 2099. Year-end
//! closures of offices are not holidays and belong to a plan.

use chrono::{Datelike, Days, NaiveDate, Weekday};

/// The holiday's name in Japanese; none on other days. Days before 1980 and after 2099 have none.
pub fn name(date: NaiveDate) -> Option<&'static str> {
    if !(1980..=2099).contains(&date.year()) {
        return None;
    }
    if let Some(name) = named(date) {
        return Some(name);
    }
    // 第3条第2項: the first day after a holiday on a Sunday that is not a holiday itself.
    let mut before = date.pred_opt();
    while let Some(day) = before.filter(|&day| named(day).is_some()) {
        if day.weekday() == Weekday::Sun {
            return Some("振替休日");
        }
        before = day.pred_opt();
    }
    // 第3条第3項: a day between two holidays, such as 2026-09-22.
    let between = [date.pred_opt(), date.checked_add_days(Days::new(1))]
        .into_iter()
        .all(|day| day.is_some_and(|day| named(day).is_some()));
    between.then_some("国民の休日")
}

/// The days that 第2条 names.
fn named(date: NaiveDate) -> Option<&'static str> {
    let nth_monday = (date.weekday() == Weekday::Mon).then(|| date.day().div_ceil(7));
    Some(match (date.month(), date.day(), nth_monday) {
        (1, 1, _) => "元日",
        (1, _, Some(2)) => "成人の日",
        (2, 11, _) => "建国記念の日",
        (2, 23, _) => "天皇誕生日",
        (3, day, _) if day == equinox(20.8431, date.year()) => "春分の日",
        (4, 29, _) => "昭和の日",
        (5, 3, _) => "憲法記念日",
        (5, 4, _) => "みどりの日",
        (5, 5, _) => "こどもの日",
        (7, _, Some(3)) => "海の日",
        (8, 11, _) => "山の日",
        (9, _, Some(3)) => "敬老の日",
        (9, day, _) if day == equinox(23.2488, date.year()) => "秋分の日",
        (10, _, Some(2)) => "スポーツの日",
        (11, 3, _) => "文化の日",
        (11, 23, _) => "勤労感謝の日",
        _ => return None,
    })
}

/// Day of the month of an equinox, 1980 to 2099: the astronomers' approximation that the Cabinet
/// Office's yearly notice has so far always agreed with.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 19 and 24
fn equinox(base: f64, year: i32) -> u32 {
    let years = year - 1980;
    let leaps = f64::from(years.div_euclid(4));
    (base + 0.242_194 * f64::from(years) - leaps).floor() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Month and day of every holiday in the Cabinet Office's list, 2022 to 2027.
    const OFFICIAL: [(i32, &str); 6] = [
        (2022, "0101 0110 0211 0223 0321 0429 0503 0504 0505 0718 0811 0919 0923 1010 1103 1123"),
        (
            2023,
            "0101 0102 0109 0211 0223 0321 0429 0503 0504 0505 0717 0811 0918 0923 1009 1103 1123",
        ),
        (
            2024,
            "0101 0108 0211 0212 0223 0320 0429 0503 0504 0505 0506 0715 0811 0812 0916 0922 0923 \
             1014 1103 1104 1123",
        ),
        (
            2025,
            "0101 0113 0211 0223 0224 0320 0429 0503 0504 0505 0506 0721 0811 0915 0923 1013 1103 \
             1123 1124",
        ),
        (
            2026,
            "0101 0112 0211 0223 0320 0429 0503 0504 0505 0506 0720 0811 0921 0922 0923 1012 1103 \
             1123",
        ),
        (
            2027,
            "0101 0111 0211 0223 0321 0322 0429 0503 0504 0505 0719 0811 0920 0923 1011 1103 1123",
        ),
    ];

    #[test]
    fn the_rules_give_the_official_list_and_nothing_else() {
        for (year, list) in OFFICIAL {
            let mut found = Vec::new();
            let mut day = NaiveDate::from_ymd_opt(year, 1, 1);
            while let Some(date) = day.filter(|date| date.year() == year) {
                if name(date).is_some() {
                    found.push(format!("{:02}{:02}", date.month(), date.day()));
                }
                day = date.succ_opt();
            }
            assert_eq!(found.join(" "), list, "{year}");
        }
    }

    #[test]
    fn special_kinds_have_their_names() {
        let table = [
            ((2026, 5, 6), Some("振替休日")), // 05-03 is a Sunday, 04 and 05 are holidays themselves
            ((2026, 9, 22), Some("国民の休日")),
            ((2024, 2, 12), Some("振替休日")),
            ((2023, 1, 2), Some("振替休日")),
            ((2026, 9, 21), Some("敬老の日")),
            ((2026, 9, 24), None),
            ((2032, 9, 21), Some("国民の休日")),
            ((2026, 12, 29), None),
            ((2100, 1, 1), None),
            ((1979, 1, 1), None),
        ];
        for ((year, month, day), want) in table {
            let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
            assert_eq!(name(date), want, "{date}");
        }
    }
}
