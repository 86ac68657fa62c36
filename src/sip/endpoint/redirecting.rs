//! Where a phone of ours may send a call on to by 3xx: to others of our own phones and nowhere else. An
//! outsider's number or address is never dialled because a phone says so.

use super::Endpoint;
use crate::base::{Mono, Number};
use crate::sip::leg::Route;
use crate::sip::{AnyUri, NameAddr, Response, Scheme};

/// Contacts of one 3xx that are looked at.
const MAX_CONTACTS: usize = 16;

impl Endpoint {
    /// The places of a 3xx that may be tried, the best first (RFC 3261 §8.1.3.4, §20.10).
    pub(super) fn turns(&self, response: &Response, now: Mono) -> Vec<Route> {
        if !self.core.settings.session.follows {
            return Vec::new();
        }
        let crate::sip::Contacts::List(contacts) = &response.head.contacts else {
            return Vec::new();
        };
        let mut list: Vec<_> = contacts
            .iter()
            .take(MAX_CONTACTS)
            .filter_map(|contact| Some((quality(contact), self.own_phone(&contact.uri, now)?)))
            .collect();
        list.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality)); // stable: then as they stand
        list.into_iter().map(|(_, route)| route).collect()
    }

    /// The phone of ours that a URI names: a number at our own address, or the very address at which
    /// that number's phone is.
    fn own_phone(&self, uri: &AnyUri, now: Mono) -> Option<Route> {
        let known = uri.known().filter(|uri| uri.scheme() == Scheme::Sip)?;
        let number = Number::from(&*known.named()?);
        let route = match self.registrar.locate(&number, now) {
            Some((target, flow, path)) => {
                let path = path.map(Into::into);
                Route { target: target.clone(), flow, by_contact: false, path }
            }
            None => {
                let fixed = self.directory.fixed(&number)?;
                let flow = self.way_to(&fixed.server)?;
                Route { target: fixed.target.clone(), flow, by_contact: true, path: None }
            }
        };
        let there = known.socket_addr().is_some_and(|at| route.target.socket_addr() == Some(at));
        (self.is_ours(uri) || there).then_some(route)
    }
}

/// `q` in thousandths; all of it when it is not given or is no number.
fn quality(contact: &NameAddr) -> u16 {
    let text = contact.params.value("q").unwrap_or("1");
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = part.chars().chain("000".chars()).take(3);
    let mut digits = digits.map(|digit| digit.to_digit(10).and_then(|d| u16::try_from(d).ok()));
    let thousandths = digits.try_fold(0_u16, |sum, digit| sum.checked_mul(10)?.checked_add(digit?));
    match (whole, thousandths) {
        ("0", Some(thousandths)) => thousandths,
        _ => 1_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_is_read_in_thousandths() {
        let table = [
            ("", 1_000),
            (";q=1.0", 1_000),
            (";q=0.7", 700),
            (";q=0.123", 123),
            (";q=0", 0),
            (";q=0.", 0),
            (";q=2", 1_000),
            (";q=x", 1_000),
            (";q=0.x", 1_000),
        ];
        for (params, want) in table {
            let text = format!("<sip:2000@192.0.2.8>{params}");
            let contact = NameAddr::parse(text.as_bytes(), "Contact").expect("an address");
            assert_eq!(quality(&contact), want, "{params}");
        }
    }
}
