//! An address as it stands in From, To, Contact, Route, Refer-To …: display name, URI, parameters
//! (RFC 3261 §20.10). Which header it came from is the caller's business.

use super::chars::{lossy, quote_into, quoted_end, split_at_byte, split_before, trim, unquote};
use super::error::ParseError;
use super::params::{Kind, Params};
use super::uri::{AnyUri, Uri};
use std::borrow::Cow;
use std::fmt;

/// `"Display" <uri>;param=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAddr {
    /// The display name, quotes and quoted pairs resolved; bytes that were no UTF-8 are U+FFFD.
    pub display: Option<Box<str>>,
    /// The address.
    pub uri: AnyUri,
    /// The header's parameters (`tag`, `expires`, `q` …), not the URI's.
    pub params: Params,
}

impl NameAddr {
    /// An address without display name and parameters.
    #[must_use]
    pub fn new(uri: impl Into<AnyUri>) -> Self {
        Self { display: None, uri: uri.into(), params: Params::EMPTY }
    }

    /// With this display name; the empty one is none.
    #[must_use]
    pub fn with_display(mut self, display: &str) -> Self {
        self.display = (!display.is_empty()).then(|| display.into());
        self
    }

    /// With this tag in place of any other.
    #[must_use]
    pub fn with_tag(mut self, tag: &str) -> Self {
        self.params.set("tag", Some(tag));
        self
    }

    /// Reads one value of the header `place`.
    ///
    /// In the form without `<>` every semicolon begins a parameter of the header, not of the URI,
    /// and `?` and `,` are refused (§20.10, §20): guessing would turn `?Route=` into a binding.
    ///
    /// # Errors
    ///
    /// [`ParseError::BadValue`] for unbalanced quotes or brackets, and for whatever the URI or the
    /// parameters refuse; also for bytes that are no UTF-8 anywhere but in the display name.
    pub fn parse(value: &[u8], place: &'static str) -> Result<Self, ParseError> {
        match lossy(value) {
            Cow::Borrowed(text) => Self::parse_str(text, place),
            Cow::Owned(text) => {
                let read = Self::parse_str(&text, place)?;
                if read.params.as_str().contains('\u{fffd}') {
                    return Err(ParseError::BadValue {
                        place,
                        due: "UTF-8 outside the display name",
                    });
                }
                Ok(read)
            }
        }
    }

    fn parse_str(text: &str, place: &'static str) -> Result<Self, ParseError> {
        let bad = |due| ParseError::BadValue { place, due };
        let text = trim(text);
        let (display, rest) = if text.starts_with('"') {
            let end = quoted_end(text.as_bytes()).ok_or(bad("a closing quote"))?;
            let (quoted, rest) = text.split_at_checked(end).ok_or(bad("a closing quote"))?;
            let rest = trim(rest).strip_prefix('<').ok_or(bad("< after the display name"))?;
            (Some(unquote(quoted)), rest)
        } else if let Some((display, rest)) = split_at_byte(text, b'<') {
            // Tokens by the grammar; the field also sends unquoted Japanese. Separators stay out.
            let display = trim(display);
            let fine = |char: char| !char.is_control() && !"\",;:@<>\\()[]{}?=/".contains(char);
            if !display.chars().all(|char| char == '\t' || fine(char)) {
                return Err(bad("a quoted display name"));
            }
            (Some(Cow::Borrowed(display)), rest)
        } else {
            return Self::parse_bare(text, place);
        };
        let (uri, params) = split_at_byte(rest, b'>').ok_or(bad("a closing >"))?;
        let display =
            display.filter(|display| !display.is_empty()).map(|display| display.as_ref().into());
        let uri = AnyUri::parse(uri)?;
        Ok(Self { display, uri, params: Params::parse(params, Kind::Header, place)? })
    }

    fn parse_bare(text: &str, place: &'static str) -> Result<Self, ParseError> {
        let (uri, params) = split_before(text, b';');
        if uri.contains(['?', ',']) {
            return Err(ParseError::BadValue { place, due: "<> around a URI with ? or ," });
        }
        let uri = AnyUri::parse(trim(uri))?;
        Ok(Self { display: None, uri, params: Params::parse(params, Kind::Header, place)? })
    }

    /// The non-empty tag.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.params.value("tag")
    }

    /// The URI, when its scheme is one of ours.
    #[must_use]
    pub const fn known(&self) -> Option<&Uri> {
        self.uri.known()
    }
}

impl fmt::Display for NameAddr {
    /// Always with `<>`, the display name always quoted: the one form that every parser reads alike.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            let mut quoted = String::with_capacity(display.len().saturating_add(2));
            quote_into(display, &mut quoted);
            f.write_str(&quoted)?;
            f.write_str(" ")?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}
