//! What is read from an INVITE of a carrier's: which number was called, and who diverted it to us.

use super::number::of_user;
use super::profile::{Called, Profile};
use crate::sip::{HeaderName, NameAddr, Request, Uri};

/// Most History-Info values that are looked at; a call is not diverted more often.
const MAX_DIVERSIONS: usize = 10;

/// The called number in its national form; none when the INVITE names nobody.
pub(in crate::sip) fn called(profile: &Profile, request: &Request) -> Option<String> {
    let head = &request.head;
    let to = || head.to.uri.named().map(|user| of_user(&user));
    let found = match profile.called {
        Called::RequestUri => request.uri.named().map(|user| of_user(&user)),
        Called::To => to(),
        Called::PCalledPartyId => {
            let named = head.address(&HeaderName::PCalledPartyId).ok().flatten();
            let named = named.and_then(|address| address.uri.named().map(|user| of_user(&user)));
            named.filter(|number| !number.is_empty()).or_else(to)
        }
    };
    found.filter(|number| !number.is_empty())
}

/// The number that was dialled first before the call was diverted to us, when the carrier says so by
/// History-Info (RFC 7044) or Diversion (RFC 5806) and nobody asked that it be kept back.
pub(in crate::sip) fn diverted(request: &Request) -> Option<String> {
    let by_history = request
        .head
        .addresses(&HeaderName::HistoryInfo)
        .ok()
        .and_then(|history| first_of_history(&history));
    by_history.or_else(|| {
        let diversions = request.head.addresses(&HeaderName::Diversion).ok()?;
        // RFC 5806 §4: the last diversion is on top, so the first stands last.
        let first = diversions.last()?;
        let kept_back =
            first.params.value("privacy").is_some_and(|p| !p.eq_ignore_ascii_case("off"));
        if kept_back { None } else { number(first) }
    })
}

/// RFC 7044 §10.3: the first entry whose successor says that it was retargeted because of something
/// (a `cause` parameter of RFC 4458, or a Reason).
fn first_of_history(history: &[NameAddr]) -> Option<String> {
    let retargeted = |entry: &NameAddr| {
        entry.known().is_some_and(|uri| uri.params().has("cause") || uri.header("Reason").is_some())
    };
    let entries = history.iter().take(MAX_DIVERSIONS);
    let successors = history.iter().skip(1).take(MAX_DIVERSIONS);
    let (first, _) = entries.zip(successors).find(|(entry, next)| {
        // The Reason stands in the entry that failed (RFC 7044 §5), the cause in the new target.
        // `mp`: a person or a rule changed whom the call is for (RFC 7044 §5.3).
        retargeted(next)
            || next.params.has("mp")
            || entry.known().is_some_and(|uri| uri.header("Reason").is_some())
    })?;
    let private = |uri: &Uri| uri.header("Privacy").is_some();
    if first.known().is_some_and(private) { None } else { number(first) }
}

fn number(address: &NameAddr) -> Option<String> {
    let user = address.uri.user()?;
    let number = of_user(&user);
    let plain = !number.is_empty()
        && number.len() <= 32
        && number.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'*' | b'#'));
    plain.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::{called, diverted};
    use crate::sip::trunk::Profile;
    use crate::sip::{Message, Request, parse};
    use bytes::Bytes;

    fn invite(uri: &str, to: &str, more: &str) -> Request {
        let text = format!(
            "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
             From: <sip:0398765432@192.0.2.1>;tag=1\r\nTo: {to}\r\nCall-ID: 1\r\n\
             CSeq: 1 INVITE\r\nContact: <sip:192.0.2.1>\r\nMax-Forwards: 70\r\n{more}\
             Content-Length: 0\r\n\r\n"
        );
        match parse(&Bytes::from(text)) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_called_number_is_where_the_profile_says() {
        let ours = "sip:x7f3@192.0.2.9:5060";
        let to = "<sip:+81312345678@ntt.example;user=phone>";
        let party = "P-Called-Party-ID: <sip:0312345679@ntt.example>\r\n";
        let table = [
            ("ngn, with the party", "ngn-direct", ours, party, Some("0312345679")),
            ("ngn, without: To", "ngn-direct", ours, "", Some("0312345678")),
            ("gateway: To", "home-gateway", ours, party, Some("0312345678")),
            ("digest: To", "digest-trunk", ours, "", Some("0312345678")),
            (
                "plain: Request-URI",
                "generic-ip",
                "sip:+81312345670@192.0.2.9",
                party,
                Some("0312345670"),
            ),
            ("plain: nobody", "generic-ip", "sip:192.0.2.9", "", None),
            ("plain: what no line can show", "generic-ip", "sip:2%00@192.0.2.9", "", None),
            ("tel", "generic-ip", "tel:+81-3-1234-5670", "", Some("0312345670")),
        ];
        for (case, profile, uri, more, want) in table {
            let profile = Profile::named(profile).unwrap();
            assert_eq!(called(&profile, &invite(uri, to, more)).as_deref(), want, "{case}");
        }
    }

    /// RFC 7044 and RFC 5806: the first who diverted, whatever came between.
    #[test]
    fn rfc7044_and_rfc5806_tell_who_diverted_first() {
        let table = [
            ("nobody", "", None),
            (
                "history of one step",
                "History-Info: <sip:+81312345670@a.example>;index=1, \
                 <sip:0312345678@b.example;cause=302>;index=1.1;mp=1\r\n",
                Some("0312345670"),
            ),
            (
                "history without a diversion",
                "History-Info: <sip:0312345678@a.example>;index=1\r\n",
                None,
            ),
            (
                "history, only a way through a proxy",
                "History-Info: <sip:0312345678@a.example>;index=1, \
                 <sip:0312345678@b.example>;index=1.1;rc=1\r\n",
                None,
            ),
            (
                "history kept back",
                "History-Info: <sip:0312345670@a.example?Privacy=history>;index=1, \
                 <sip:0312345678@b.example;cause=302>;index=1.1;mp=1\r\n",
                None,
            ),
            (
                "a reason in the entry that failed",
                "History-Info: <sip:0312345670@a.example?Reason=SIP%3Bcause%3D486>;index=1, \
                 <sip:0312345678@b.example>;index=1.1\r\n",
                Some("0312345670"),
            ),
            (
                "two diversions: the last line is the first",
                "Diversion: <sip:0312345672@a.example>;reason=no-answer\r\n\
                 Diversion: <sip:0312345671@a.example>;reason=unconditional\r\n",
                Some("0312345671"),
            ),
            ("diversion kept back", "Diversion: <sip:0312345671@a.example>;privacy=full\r\n", None),
            ("no number", "Diversion: <sip:somebody@a.example>\r\n", None),
        ];
        for (case, more, want) in table {
            let request = invite("sip:0312345678@192.0.2.9", "<sip:0312345678@x.example>", more);
            assert_eq!(diverted(&request).as_deref(), want, "{case}");
        }
    }
}
