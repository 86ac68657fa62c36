//! `Digest name=value, name="value"`: the one grammar of challenges and answers (RFC 3261 §25.1).

use crate::sip::chars::{all_token, quoted_end, trim, unquote};
use std::borrow::Cow;

/// Most parameters of one challenge or answer; beyond it the header is malformed.
const MAX_FIELDS: usize = 32;

/// The parameters of one Digest header.
#[derive(Debug, Default)]
pub(super) struct Fields<'a>(Vec<(&'a str, Cow<'a, str>)>);

/// Why there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoFields {
    /// Another scheme: as good as absent.
    OtherScheme,
    /// Digest, but not by the grammar, or a parameter stands twice.
    Malformed,
}

impl<'a> Fields<'a> {
    /// Reads a header value.
    pub(super) fn parse(value: &'a [u8]) -> Result<Self, NoFields> {
        let text = std::str::from_utf8(value).map_err(|_| NoFields::Malformed)?;
        let (scheme, mut rest) = trim(text).split_once([' ', '\t']).ok_or(NoFields::OtherScheme)?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return Err(NoFields::OtherScheme);
        }
        let mut fields = Self::default();
        loop {
            rest = trim(rest);
            let (name, behind) = rest.split_once('=').ok_or(NoFields::Malformed)?;
            let name = trim(name);
            let behind = behind.trim_start_matches([' ', '\t']);
            let end = if behind.starts_with('"') {
                quoted_end(behind.as_bytes()).ok_or(NoFields::Malformed)?
            } else {
                behind.find([',', ' ', '\t']).unwrap_or(behind.len())
            };
            let (value, behind) = behind.split_at_checked(end).ok_or(NoFields::Malformed)?;
            // An unquoted value is a token by the grammar; phones also leave the quotes of a URI out.
            let sound = value.starts_with('"')
                || value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
            if !all_token(name.as_bytes())
                || !sound
                || fields.get(name).is_some()
                || fields.0.len() >= MAX_FIELDS
            {
                return Err(NoFields::Malformed); // of two values another reader might take the other
            }
            fields.0.push((name, unquote(value)));
            match trim(behind) {
                "" => return Ok(fields),
                more => rest = more.strip_prefix(',').ok_or(NoFields::Malformed)?,
            }
        }
    }

    /// The value of that name, quotes resolved; names without regard to case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(had, _)| had.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_ref())
    }
}
