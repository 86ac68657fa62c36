//! Telephone numbers as they are written in Japan and between countries: `0312345678`, `+81312345678`.
//! Text in, text out; whose number it is, is nobody's business here.

/// The country code of Japan with its sign.
const JAPAN: &str = "+81";

/// National numbers that have no international form, or none that carriers take: free and shared-cost
/// numbers, IP telephones.
const STAYS: [&str; 5] = ["0120", "0570", "0800", "0990", "050"];

/// `+81X…` as the national `0X…` that people here dial and read; everything else as it is.
#[must_use]
pub fn national(number: &str) -> String {
    match number.strip_prefix(JAPAN) {
        Some(rest) if !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()) => {
            // Some exchanges keep the trunk zero: +81 (0)3 …
            format!("0{}", rest.strip_prefix('0').unwrap_or(rest))
        }
        Some(_) | None => number.to_owned(),
    }
}

/// A national number as `+81X…`, `010…` as `+…`; what has no such form stays as it is (1XY services,
/// 0120, 0570, 050, extensions).
#[must_use]
pub fn international(number: &str) -> String {
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || STAYS.iter().any(|prefix| number.starts_with(prefix)) {
        return number.to_owned();
    }
    match (number.strip_prefix("010"), number.strip_prefix('0')) {
        (Some(abroad), _) if abroad.len() >= 5 => format!("+{abroad}"),
        (_, Some(rest)) if rest.len() >= 8 => format!("{JAPAN}{rest}"),
        _ => number.to_owned(),
    }
}

/// The number in a URI's user part, without the parameters that may stand in it (`;npdi`,
/// `;phone-context=…`; RFC 3261 §19.1.6), in its national form.
#[must_use]
pub fn of_user(user: &str) -> String {
    national(user.split(';').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{international, national, of_user};

    #[test]
    fn numbers_have_a_national_and_an_international_form() {
        let table = [
            ("0312345678", "+81312345678"),
            ("0612345678", "+81612345678"),
            ("09012345678", "+819012345678"),
        ];
        for (here, abroad) in table {
            assert_eq!(international(here), abroad);
            assert_eq!(national(abroad), here);
        }
        for stays in ["0120123456", "0570123456", "05012345678", "117", "2001", "184", "*11", ""] {
            assert_eq!(international(stays), stays);
            assert_eq!(national(stays), stays);
        }
        assert_eq!(international("01044201234567"), "+44201234567");
        assert_eq!(national("+44201234567"), "+44201234567");
        assert_eq!(national("+81120123456"), "0120123456");
        assert_eq!(national("+810312345678"), "0312345678");
        assert_eq!(national("+81"), "+81");
        assert_eq!(national("+81x"), "+81x");
    }

    #[test]
    fn parameters_inside_a_user_part_are_no_part_of_the_number() {
        assert_eq!(of_user("+81312345678;npdi"), "0312345678");
        assert_eq!(of_user("0312345678"), "0312345678");
        assert_eq!(of_user(""), "");
    }
}
