//! Addresses inside header values, cut into the parts that say who and the parts that say where.

/// A value at its commas that stand outside of quotes and angle brackets.
pub(super) fn entries(value: &str) -> Vec<&str> {
    cut(value, ',')
}

/// At a separator outside of quotes and angle brackets.
pub(super) fn cut(value: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut from) = (Vec::new(), 0_usize);
    let (mut quoted, mut escaped, mut angle) = (false, false, false);
    for (at, c) in value.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match c {
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => angle = true,
            '>' if !quoted => angle = false,
            c if c == separator && !quoted && !angle => {
                parts.push(value.get(from..at).unwrap_or_default());
                from = at.saturating_add(c.len_utf8());
            }
            _ => {}
        }
    }
    parts.push(value.get(from..).unwrap_or_default());
    parts
}

/// One address: what stands before the URI, the URI, and its parameters behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    /// The display name as written, quotes included.
    pub name: &'a str,
    pub uri: &'a str,
    /// Whether the URI stands in angle brackets.
    pub angle: bool,
    /// From the first semicolon behind it.
    pub params: &'a str,
}

pub(super) fn address(entry: &str) -> Address<'_> {
    let entry = entry.trim();
    let (mut quoted, mut escaped) = (false, false);
    let open = entry.char_indices().find(|(_, c)| {
        if escaped {
            escaped = false;
            return false;
        }
        match c {
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' => return !quoted,
            _ => {}
        }
        false
    });
    if let Some((open, _)) = open {
        let (name, rest) = entry.split_at_checked(open).unwrap_or((entry, ""));
        let rest = rest.get(1..).unwrap_or_default();
        let (uri, params) = rest.split_once('>').unwrap_or((rest, ""));
        return Address { name: name.trim(), uri, angle: true, params: params.trim() };
    }
    // addr-spec: what follows a semicolon belongs to the header (RFC 3261 §20.10).
    let end = entry.find(';').unwrap_or(entry.len());
    let (uri, params) = entry.split_at_checked(end).unwrap_or((entry, ""));
    Address { name: "", uri: uri.trim(), angle: false, params }
}

/// A URI in its parts; what it has not is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub scheme: &'a str,
    pub user: &'a str,
    pub has_password: bool,
    /// Host and port; of `tel:` the number.
    pub host: &'a str,
    /// From the first semicolon behind the host, without it.
    pub params: &'a str,
    /// Behind the question mark.
    pub headers: &'a str,
}

pub(super) fn parts(uri: &str) -> Option<Parts<'_>> {
    let (scheme, rest) = uri.split_once(':')?;
    let scheme = scheme.trim();
    if scheme.is_empty()
        || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    {
        return None;
    }
    // A question mark may stand in the user part, an @ in the headers: the first @ before any
    // question mark, or else the first at all, ends the user.
    let (head, headers) = match (rest.find('@'), rest.find('?')) {
        (Some(at), _) => {
            let behind = rest.get(at..).unwrap_or_default();
            match behind.split_once('?') {
                Some((host, headers)) => {
                    (rest.get(..at.saturating_add(host.len())).unwrap_or(rest), headers)
                }
                None => (rest, ""),
            }
        }
        (None, Some(_)) => rest.split_once('?').unwrap_or((rest, "")),
        (None, None) => (rest, ""),
    };
    let (info, place) = head.rsplit_once('@').unwrap_or(("", head));
    let (host, params) = place.split_once(';').unwrap_or((place, ""));
    let (user, password) = match info.split_once(':') {
        Some((user, _)) => (user, true),
        None => (info, false),
    };
    Some(Parts { scheme, user, has_password: password, host, params, headers })
}

/// The user part of an address header's value, unescaped; of `tel:` the number; empty when there is none.
pub(super) fn user_of(value: &str) -> String {
    let first = entries(value).first().copied().unwrap_or_default();
    let Some(parts) = parts(address(first).uri) else { return String::new() };
    if parts.scheme.eq_ignore_ascii_case("tel") {
        return parts.host.to_owned();
    }
    let user = parts.user.split(';').next().unwrap_or_default();
    unescape(user)
}

/// `%41` is A.
pub(super) fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = |at: usize| behind.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high.wrapping_mul(16).wrapping_add(low)).unwrap_or(b'?'));
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
