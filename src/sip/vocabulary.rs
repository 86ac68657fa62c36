//! The one place that knows `rsip`. Its words (status codes, quality of protection) stand behind our
//! own types where they mean the same; it never reads bytes that came from the network. What it
//! spells otherwise than the RFCs is spelled here.

use rsip::StatusCode as S;
pub(super) use rsip::headers::auth::Qop;

/// The phrase that goes with a status, as the IANA registry spells it; by class for a status that has
/// no name (§8.1.3.2 lets a reader do the same).
pub(super) fn reason(status: u16) -> &'static str {
    match S::from(status) {
        S::Trying => "Trying",
        S::Ringing => "Ringing",
        S::CallIsBeingForwarded => "Call Is Being Forwarded",
        S::Queued => "Queued",
        S::SessionProgress => "Session Progress",
        S::EarlyDialogTerminated => "Early Dialog Terminated",
        S::OK => "OK",
        S::Accepted if status == 202 => "Accepted",
        S::NoNotification => "No Notification",
        S::MultipleChoices => "Multiple Choices",
        S::MovedPermanently => "Moved Permanently",
        S::MovedTemporarily => "Moved Temporarily",
        S::UseProxy => "Use Proxy",
        S::AlternativeService => "Alternative Service",
        S::BadRequest => "Bad Request",
        S::Unauthorized => "Unauthorized",
        S::PaymentRequired => "Payment Required",
        S::Forbidden => "Forbidden",
        S::NotFound => "Not Found",
        S::MethodNotAllowed => "Method Not Allowed",
        S::NotAcceptable | S::NotAcceptableGlobal => "Not Acceptable",
        S::ProxyAuthenticationRequired => "Proxy Authentication Required",
        S::RequestTimeout => "Request Timeout",
        S::Conflict => "Conflict",
        S::Gone => "Gone",
        S::LengthRequired => "Length Required",
        S::ConditionalRequestFailed => "Conditional Request Failed",
        S::RequestEntityTooLarge => "Request Entity Too Large",
        S::RequestUriTooLong => "Request-URI Too Long",
        S::UnsupportedMediaType => "Unsupported Media Type",
        S::UnsupportedUriScheme => "Unsupported URI Scheme",
        S::UnknownResourcePriority => "Unknown Resource-Priority",
        S::BadExtension => "Bad Extension",
        S::ExtensionRequired => "Extension Required",
        S::SessionIntervalTooSmall => "Session Interval Too Small",
        S::IntervalTooBrief => "Interval Too Brief",
        S::BadLocationInformation => "Bad Location Information",
        S::UseIdentityHeader => "Use Identity Header",
        S::ProvideReferrerIdentity => "Provide Referrer Identity",
        S::AnonymityDisallowed => "Anonymity Disallowed",
        S::BadIdentityInfo => "Bad Identity Info",
        S::UnsupportedCertificate => "Unsupported Credential",
        S::InvalidIdentityHeader => "Invalid Identity Header",
        S::FirstHopLacksOutboundSupport => "First Hop Lacks Outbound Support",
        S::MaxBreadthExceeded => "Max-Breadth Exceeded",
        S::BadInfoPackage => "Bad Info Package",
        S::ConsentNeeded => "Consent Needed",
        S::TemporarilyUnavailable => "Temporarily Unavailable",
        S::CallTransactionDoesNotExist => "Call/Transaction Does Not Exist",
        S::LoopDetected => "Loop Detected",
        S::TooManyHops => "Too Many Hops",
        S::AddressIncomplete => "Address Incomplete",
        S::Ambiguous => "Ambiguous",
        S::BusyHere => "Busy Here",
        S::RequestTerminated => "Request Terminated",
        S::NotAcceptableHere => "Not Acceptable Here",
        S::BadEvent => "Bad Event",
        S::RequestPending => "Request Pending",
        S::Undecipherable => "Undecipherable",
        S::SecurityAgreementRequired => "Security Agreement Required",
        S::ServerInternalError => "Server Internal Error",
        S::NotImplemented => "Not Implemented",
        S::BadGateway => "Bad Gateway",
        S::ServiceUnavailable => "Service Unavailable",
        S::ServerTimeOut => "Server Time-out",
        S::VersionNotSupported => "Version Not Supported",
        S::MessageTooLarge => "Message Too Large",
        S::PreconditionFailure => "Precondition Failure",
        S::BusyEverywhere => "Busy Everywhere",
        S::Decline => "Decline",
        S::DoesNotExistAnywhere => "Does Not Exist Anywhere",
        S::Unwanted => "Unwanted",
        S::Accepted | S::Other(..) => by_class(status),
    }
}

/// For what rsip has no name: 202 is its 201, and 439's neighbours of later RFCs are missing.
const fn by_class(status: u16) -> &'static str {
    match status {
        202 => "Accepted",
        494 => "Security Agreement Required",
        100..=199 => "Session Progress",
        200..=299 => "OK",
        300..=399 => "Redirected",
        400..=499 => "Request Failed",
        500..=599 => "Server Failure",
        _ => "Refused",
    }
}

/// Quality of protection as a token; only what we can compute is known (RFC 7616 §3.3).
pub(super) fn qop(token: &str) -> Option<Qop> {
    if token.eq_ignore_ascii_case("auth") {
        Some(Qop::Auth)
    } else if token.eq_ignore_ascii_case("auth-int") {
        Some(Qop::AuthInt)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Method;
    use proptest::prelude::*;

    /// rsip's name in words: `BusyHere` is `Busy Here`.
    fn letters(text: &str) -> String {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    }

    #[test]
    fn our_phrases_are_rsips_names_with_spaces() {
        // rsip's name is another than the registry's here.
        let renamed = [201, 437, 606];
        for status in 100..700_u16 {
            let code = S::from(status);
            if matches!(code, S::Other(..)) || renamed.contains(&status) {
                continue;
            }
            let rsips = code.to_string();
            let name = rsips.split_once(' ').map_or("", |(_, name)| name);
            assert_eq!(letters(reason(status)), letters(name), "{status}");
            assert_eq!(code.code(), status);
        }
        assert_eq!(reason(202), "Accepted");
        assert_eq!(reason(606), "Not Acceptable");
    }

    #[test]
    fn both_know_the_same_methods() {
        for method in rsip::Method::all() {
            let ours = Method::parse(method.to_string().as_bytes());
            assert!(ours.is_some_and(|ours| Method::KNOWN.contains(&ours)), "{method}");
        }
        assert_eq!(rsip::Method::all().len(), Method::KNOWN.len());
    }

    proptest! {
        #[test]
        fn a_quality_of_protection_goes_round(token in "(?i)auth(-int)?|[a-z-]{0,9}") {
            match qop(&token) {
                Some(known) => {
                    prop_assert_eq!(known.to_string(), token.to_ascii_lowercase());
                    prop_assert_eq!(token.parse::<Qop>().ok(), Some(known));
                }
                None => prop_assert!(token.parse::<Qop>().is_err()),
            }
        }

        #[test]
        fn every_status_has_a_phrase_that_breaks_no_line(status in 100_u16..700) {
            let phrase = reason(status);
            prop_assert!(!phrase.is_empty() && phrase.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
        }
    }
}
