//! Parameters: `;name=value;flag`, as they follow a URI, an address or a Via. Kept as one checked
//! string without white space, because most are only carried along.

use super::chars::{
    all_token, escapes_are_whole, find_unquoted, is_param_char, is_token, split_at_byte, trim,
    unquote,
};
use super::error::ParseError;
use std::borrow::Cow;
use std::fmt;

/// A list of parameters in their order. Empty, or `;name[=value]` repeated with no white space
/// outside quotes; names are tokens, values hold nothing that could end them early.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Params(String);

/// What a value may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Inside a URI: `paramchar` (§25.1), no quotes.
    Uri,
    /// Behind an address or in a Via: `gen-value`, which may be quoted.
    Header,
}

impl Params {
    /// No parameter.
    pub const EMPTY: Self = Self(String::new());

    /// Reads `;a=b;c`, the leading semicolon included; the empty text is the empty list.
    ///
    /// # Errors
    ///
    /// [`ParseError::BadValue`] for an empty parameter (`;;`), a name that is no token, or a value
    /// that is neither token-like nor a closed quoted string.
    pub(super) fn parse(text: &str, kind: Kind, place: &'static str) -> Result<Self, ParseError> {
        let bad = |due| ParseError::BadValue { place, due };
        let mut rest = trim(text);
        let mut out = String::with_capacity(rest.len());
        while !rest.is_empty() {
            rest = rest.strip_prefix(';').ok_or(bad("a semicolon before each parameter"))?;
            let end = find_unquoted(rest.as_bytes(), b';').unwrap_or(rest.len());
            let (one, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
            rest = behind;
            let one = trim(one);
            let (name, value) = match split_at_byte(one, b'=') {
                Some((name, value)) => (trim(name), Some(trim(value))),
                None => (one, None),
            };
            // pname of a URI may hold "[]/:&+$" too (§25.1).
            let named = match kind {
                Kind::Header => all_token(name.as_bytes()),
                Kind::Uri => !name.is_empty() && is_param_text(name),
            };
            if !named {
                return Err(bad("a parameter name"));
            }
            out.push(';');
            out.push_str(name);
            if let Some(value) = value {
                let fine = match kind {
                    Kind::Uri => is_param_text(value),
                    Kind::Header => is_gen_value(value),
                };
                if !fine {
                    return Err(bad("a parameter value"));
                }
                out.push('=');
                out.push_str(value);
            }
        }
        Ok(Self(out))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Name and value, in order; a quoted value with its quotes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let mut rest = self.0.as_str();
        std::iter::from_fn(move || {
            rest = rest.strip_prefix(';')?;
            let end = find_unquoted(rest.as_bytes(), b';').unwrap_or(rest.len());
            let (one, behind) = rest.split_at_checked(end)?;
            rest = behind;
            Some(match split_at_byte(one, b'=') {
                Some((name, value)) => (name, Some(value)),
                None => (one, None),
            })
        })
    }

    /// The first parameter of that name, without regard to case: `Some(None)` when it has no value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Option<&str>> {
        self.iter().find(|(had, _)| had.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The non-empty value of the first parameter of that name, as written.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.get(name).flatten().filter(|value| !value.is_empty())
    }

    /// [`Params::value`] with quotes resolved.
    #[must_use]
    pub fn unquoted(&self, name: &str) -> Option<Cow<'_, str>> {
        self.value(name).map(unquote)
    }

    /// Whether the parameter is there, with or without a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Takes every parameter of that name away.
    pub fn remove(&mut self, name: &str) {
        if self.has(name) {
            let mut kept = Self(String::with_capacity(self.0.len()));
            for (had, value) in self.iter().filter(|(had, _)| !had.eq_ignore_ascii_case(name)) {
                kept.append(had, value);
            }
            *self = kept;
        }
    }

    /// Sets the parameter, in place of any of that name. Bytes that may not stand in a token or
    /// address (white space, `;`, `,`, quotes, controls) are left out of `name` and `value`, so that
    /// nothing can be smuggled in.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        self.remove(name);
        self.0.push(';');
        self.0.extend(name.chars().filter(|char| u8::try_from(*char).is_ok_and(is_token)));
        if let Some(value) = value {
            self.0.push('=');
            self.0.extend(
                value
                    .chars()
                    .filter(|char| char.is_ascii_graphic() && !";,\"<>?\\=@".contains(*char)),
            );
        }
    }

    /// [`Params::set`] on a list being built.
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<&str>) -> Self {
        self.set(name, value);
        self
    }

    /// Appends what has been checked before.
    fn append(&mut self, name: &str, value: Option<&str>) {
        self.0.push(';');
        self.0.push_str(name);
        if let Some(value) = value {
            self.0.push('=');
            self.0.push_str(value);
        }
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `1*paramchar` (§25.1): unreserved, `[]/:&+$`, whole escapes.
fn is_param_text(text: &str) -> bool {
    text.bytes().all(is_param_char) && escapes_are_whole(text)
}

/// `gen-value` (§25.1): token, host or quoted string; and, as the field sends it, any visible text
/// without separators. Characters beyond ASCII only inside quotes.
fn is_gen_value(text: &str) -> bool {
    if text.starts_with('"') {
        return super::chars::quoted_end(text.as_bytes()) == Some(text.len());
    }
    text.bytes().all(|byte| {
        byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'<' | b'>' | b'\\')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_changed_and_written() {
        let read = |text| Params::parse(text, Kind::Header, "test");
        let mut params = read(r#" ; tag = 98asjd8;lr ; t="a;b\"c" ;empty="#).unwrap_or_default();
        assert_eq!(params.as_str(), r#";tag=98asjd8;lr;t="a;b\"c";empty="#);
        assert_eq!(params.value("TAG"), Some("98asjd8"));
        assert_eq!(params.get("lr"), Some(None));
        assert_eq!(params.unquoted("t").as_deref(), Some("a;b\"c"));
        assert_eq!(params.value("empty"), None);
        params.set("tag", Some("x;y\r\nEvil: 1"));
        params.remove("lr");
        assert_eq!(params.as_str(), r#";t="a;b\"c";empty=;tag=xyEvil:1"#);
        for broken in [";;", ";", ";=x", "x", ";a=\"b", ";a=b c", ";a b", ";a=<b>", ";é=1"] {
            assert!(read(broken).is_err(), "{broken}");
        }
        assert!(Params::parse(";a=\"b\"", Kind::Uri, "test").is_err());
        assert!(Params::parse(";a=%4", Kind::Uri, "test").is_err());
    }
}
