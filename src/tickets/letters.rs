//! Tables that people save: in UTF-8, or in `Shift_JIS` as spreadsheets in Japan do.

/// A line that is in neither of the two, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {0} is neither UTF-8 nor Shift_JIS; save it again as CSV / {0} 行目は UTF-8 としても Shift_JIS としても読めない。CSV で保存し直す"
)]
pub struct WrongLetters(pub usize);

/// The text of a table's bytes. Nothing of it is guessed or left out.
///
/// # Errors
///
/// [`WrongLetters`].
pub fn decoded(bytes: &[u8]) -> Result<String, WrongLetters> {
    let read = |bytes: &[u8]| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Some(text.to_owned());
        }
        let (text, _, wrong) = encoding_rs::SHIFT_JIS.decode(bytes);
        (!wrong).then(|| text.into_owned())
    };
    if let Some(text) = read(bytes) {
        return Ok(text);
    }
    let wrong = bytes.split(|byte| *byte == b'\n').position(|line| read(line).is_none());
    Err(WrongLetters(wrong.unwrap_or_default().saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_both_kinds_are_read_and_wrong_ones_are_named_by_their_line() {
        let text = "番号,氏名\r\n2001,架空 花子\r\n";
        assert_eq!(decoded(text.as_bytes()).as_deref(), Ok(text));
        let (sjis, _, _) = encoding_rs::SHIFT_JIS.encode(text);
        assert_eq!(decoded(&sjis).as_deref(), Ok(text));
        assert_eq!(decoded(b"number\n2001\xff\xff\n"), Err(WrongLetters(2)));
        assert_eq!(decoded(b""), Ok(String::new()));
    }
}
