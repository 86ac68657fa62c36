//! Who calls, read from an INVITE's identity headers: the number, or the reason why there is none.

use crate::base::Private;
use crate::event::{Caller, CallerNumber, Origin};
use crate::sip::api::{Incoming, Shown, Source};
use crate::sip::trunk::number;

/// Longest number kept; E.164 has 15 digits, the rest is prefixes and room for site plans.
const NUMBER_MAX: usize = 32;

/// What the history and the agent's phone are told of the caller.
pub fn identify(incoming: &Incoming) -> (Caller, Origin, Shown) {
    let origin = match &incoming.source {
        Source::Trunk(trunk) => Origin::Trunk(trunk.clone()),
        Source::Account(number) => Origin::Extension(number.clone()),
    };
    // RFC 3325 §9.1: an asserted identity under Privacy: id is not shown to users.
    let claimed = match (&incoming.source, incoming.privacy, &incoming.asserted) {
        (Source::Trunk(_), false, Some(asserted)) => asserted.reveal().as_str(),
        (Source::Trunk(_), ..) => incoming.from_user.reveal().as_str(),
        (Source::Account(number), ..) => number.as_str(),
    };
    let name = incoming.from_name.clone();
    let number = if incoming.privacy && matches!(origin, Origin::Trunk(_)) {
        absence(name.as_ref())
    } else {
        known(&number::of_user(claimed)).unwrap_or_else(|| absence(name.as_ref()))
    };
    // A carrier that asserts who calls leaves From's "Anonymous" as it was: a name of nobody.
    let nameless = matches!(number, CallerNumber::Known(_))
        && incoming.from_user.reveal().eq_ignore_ascii_case("anonymous");
    let name = name.filter(|_| !nameless);
    let shown = match &number {
        CallerNumber::Known(number) => Shown { user: number.clone(), name: name.clone() },
        CallerNumber::Withheld
        | CallerNumber::Payphone
        | CallerNumber::Unavailable
        | CallerNumber::Erased => {
            Shown { user: Private::new("anonymous".to_owned()), name: name.clone() }
        }
    };
    let diverted_from = incoming.diverted_from.clone();
    (Caller { number, name, diverted_from }, origin, shown)
}

/// A user part that is a number (or a site's plain name) rather than the anonymous placeholder.
fn known(user: &str) -> Option<CallerNumber> {
    let usable = !user.is_empty()
        && user.len() <= NUMBER_MAX
        && !user.eq_ignore_ascii_case("anonymous")
        && user.chars().all(|c| c.is_ascii_alphanumeric() || "+*#-._".contains(c));
    usable.then(|| CallerNumber::Known(Private::new(user.to_owned())))
}

/// Japanese carriers say in the display name why there is no number.
fn absence(name: Option<&Private<String>>) -> CallerNumber {
    let name = name.map(|name| name.reveal().to_ascii_lowercase()).unwrap_or_default();
    match name.as_str() {
        "coin line/payphone" | "payphone" => CallerNumber::Payphone,
        "unavailable" | "interaction with other service" => CallerNumber::Unavailable,
        _ => CallerNumber::Withheld,
    }
}

#[cfg(test)]
mod tests {
    use super::identify;
    use crate::base::{Number, Private, TrunkId};
    use crate::event::CallerNumber;
    use crate::sip::api::{Incoming, Source};

    #[test]
    fn the_caller_is_a_number_or_a_reason() {
        let known = |n: &str| CallerNumber::Known(Private::new(n.to_owned()));
        let table = [
            ("plain", "0312345678", None, None, false, known("0312345678")),
            ("international", "+81312345678", None, None, false, known("0312345678")),
            ("asserted wins", "anonymous", None, Some("0312345678"), false, known("0312345678")),
            (
                "asserted, and From says that nobody calls",
                "anonymous",
                Some("Anonymous"),
                Some("0312345678"),
                false,
                known("0312345678"),
            ),
            (
                "asserted but private",
                "anonymous",
                Some("Anonymous"),
                Some("0312345678"),
                true,
                CallerNumber::Withheld,
            ),
            ("withheld", "anonymous", Some("Anonymous"), None, false, CallerNumber::Withheld),
            (
                "payphone",
                "anonymous",
                Some("Coin line/payphone"),
                None,
                false,
                CallerNumber::Payphone,
            ),
            (
                "out of area",
                "anonymous",
                Some("Unavailable"),
                None,
                false,
                CallerNumber::Unavailable,
            ),
            ("markup", "<script>", None, None, false, CallerNumber::Withheld),
        ];
        for (case, from, name, asserted, privacy, want) in table {
            let private = |text: &str| Private::new(text.to_owned());
            let incoming = Incoming {
                source: Source::Trunk(TrunkId::from("carrier")),
                dialled: "0300000000".to_owned(),
                from_user: private(from),
                from_name: name.map(private),
                asserted: asserted.map(private),
                diverted_from: None,
                privacy,
                sdp: None,
                rings_with_offer: false,
                replaces: None,
                shed: false,
            };
            let (caller, _, shown) = identify(&incoming);
            assert_eq!(caller.number, want, "{case}");
            if matches!(want, CallerNumber::Known(_)) {
                assert_eq!(caller.name, None, "{case}");
            } else {
                assert_eq!(shown.user.reveal(), "anonymous", "{case}");
            }
        }
    }

    #[test]
    fn an_extension_is_its_account_whatever_it_asserts() {
        let incoming = Incoming {
            source: Source::Account(Number::from("2001")),
            dialled: "7000".to_owned(),
            from_user: Private::new("2001".to_owned()),
            from_name: None,
            asserted: Some(Private::new("0312345678".to_owned())),
            diverted_from: None,
            privacy: false,
            sdp: None,
            rings_with_offer: false,
            replaces: None,
            shed: false,
        };
        let (caller, ..) = identify(&incoming);
        assert_eq!(caller.number, CallerNumber::Known(Private::new("2001".to_owned())));
    }
}
