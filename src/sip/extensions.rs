//! The methods and extensions that we have, said once: what Allow and Supported tell, what Require may
//! ask. Knows no message's meaning.

use super::{HeaderName, Method, Request, Writer};

/// What we can do, for Allow (RFC 3261 §20.5).
pub(super) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REGISTER, SUBSCRIBE, REFER";

/// The extensions that we have, for Supported (RFC 3261 §20.37).
pub(super) const SUPPORTED: &str = "100rel, timer, replaces, norefersub";

/// What an INVITE of ours without an offer tells: the peer's offer in a provisional response would have
/// to be answered in the PRACK (RFC 3262 §5), and our answer goes in the ACK.
pub(super) const SUPPORTED_WITHOUT_OFFER: &str = "timer, replaces, norefersub";

/// The extension that a phone may require of us when it registers (RFC 5626 §6).
pub(super) const OUTBOUND: &str = "outbound";

/// Whether a request of this method may require this extension of us.
fn is_supported(option: &str, method: &Method) -> bool {
    SUPPORTED.split(", ").any(|ours| ours.eq_ignore_ascii_case(option))
        || *method == Method::Register && option.eq_ignore_ascii_case(OUTBOUND)
}

/// Whether a phone that registers knows RFC 5626; without this word its `reg-id` means nothing (§6).
pub(super) fn knows_outbound(request: &Request) -> bool {
    [HeaderName::Supported, HeaderName::Require].iter().any(|name| {
        request.head.headers.tokens(name).any(|word| word.eq_ignore_ascii_case(OUTBOUND))
    })
}

/// Whether a request requires something that we do not have (RFC 3261 §8.2.2.3).
pub(super) fn asks_too_much(request: &Request) -> bool {
    let headers = &request.head.headers;
    headers.has(&HeaderName::ProxyRequire)
        || headers.all(&HeaderName::Require).any(|option| {
            std::str::from_utf8(option)
                .map_or(true, |option| !is_supported(option, &request.method))
        })
}

/// Names what a request requires and we do not have, for its 420 (RFC 3261 §8.2.2.3). Of what it asks
/// of proxies we have nothing.
pub(super) fn unsupported(writer: &mut Writer, request: &Request) {
    let headers = &request.head.headers;
    let required = headers
        .tokens(&HeaderName::Require)
        .filter(|option| !is_supported(option, &request.method));
    for option in required.chain(headers.tokens(&HeaderName::ProxyRequire)) {
        writer.header(&HeaderName::Unsupported, option);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_supported_may_be_required() {
        for option in SUPPORTED.split(", ") {
            assert!(is_supported(option, &Method::Invite), "{option}");
        }
        let table = [("100REL", true), ("100rel", true), ("nothing", false), ("", false)];
        for (option, want) in table {
            assert_eq!(is_supported(option, &Method::Invite), want, "{option}");
        }
        assert!(is_supported("Outbound", &Method::Register));
        assert!(!is_supported("outbound", &Method::Invite));
    }
}
