//! A phone that answers 3xx sends our INVITE on (RFC 3261 §8.1.3.4, §13.2.2.2): each place in turn, at
//! most five in all, none twice, and the leg stays the same. Which places may be tried is the endpoint's
//! word; here is only the order and the end of it.

use super::outgoing::Calling;
use super::{Leg, State};
use crate::sip::api::Flow;
use crate::sip::dialog::Token;
use crate::sip::endpoint::core::Cx;
use crate::sip::{HeaderName, Uri};

/// Places that one call of ours is sent on to.
pub(in crate::sip) const MAX_TURNS: usize = 5;

/// A place where the INVITE may go.
#[derive(Clone, Debug)]
pub(in crate::sip) struct Route {
    pub target: Uri,
    pub flow: Flow,
    pub by_contact: bool,
    /// The proxies before it (RFC 3327).
    pub path: Option<Box<str>>,
}

/// Where a call was and will be sent on to.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Where it was.
    seen: Vec<Uri>,
    /// Where it may go next, the best first.
    next: Vec<Route>,
}

impl Turns {
    /// Adds places, before those that waited: they are what the last one asked for. Bounded, and none
    /// twice.
    fn add(&mut self, routes: Vec<Route>) {
        let mut next: Vec<Route> = Vec::new();
        for route in routes.into_iter().chain(std::mem::take(&mut self.next)) {
            let known = self.seen.iter().chain(next.iter().map(|route| &route.target));
            let loops = known.into_iter().any(|uri| uri.equivalent(&route.target));
            if !loops && self.seen.len().saturating_add(next.len()) <= MAX_TURNS {
                next.push(route);
            }
        }
        self.next = next;
    }

    fn take(&mut self) -> Option<Route> {
        if self.next.is_empty() || self.seen.len() > MAX_TURNS {
            return None;
        }
        let route = self.next.remove(0);
        self.seen.push(route.target.clone());
        Some(route)
    }
}

impl Leg {
    /// Whether a 3xx to the INVITE under `branch` may send it on.
    pub fn may_turn(&self, branch: Token) -> bool {
        matches!(&self.state, State::Calling(calling)
            // A carrier sends nobody anywhere: its redirection is a refusal.
            if calling.branch == branch && calling.cancel.is_none() && calling.asked.is_none())
    }

    /// Notes where a 3xx sends the INVITE; its outcome is then heard as any refusal's.
    pub fn add_turns(&mut self, routes: Vec<Route>) {
        let State::Calling(calling) = &mut self.state else { return };
        if !routes.is_empty() {
            let first = &calling.target;
            let turns = calling
                .turns
                .get_or_insert_with(|| Box::new(Turns { seen: vec![first.clone()], next: vec![] }));
            turns.add(routes);
        }
    }

    /// Tries the next place, when the INVITE was refused and there is one.
    pub(super) fn turn(&mut self, cx: &mut Cx<'_>) -> bool {
        let State::Calling(calling) = &mut self.state else { return false };
        if calling.cancel.is_some() {
            return false;
        }
        let Some(route) = calling.turns.as_mut().and_then(|turns| turns.take()) else {
            return false;
        };
        let Calling { target, flow, by_contact, .. } = &mut **calling;
        (*target, *flow, *by_contact) = (route.target, route.flow, route.by_contact);
        // The proxies of the place before are none of this one's.
        let path = route.path.unwrap_or_default();
        self.invite_again(cx, &[(HeaderName::Route, &path)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::api::Transport;

    fn route(user: &str) -> Route {
        let remote = std::net::SocketAddr::from(([192, 0, 2, 8], 5060));
        let flow = Flow { transport: Transport::Udp, listener: 0, remote, connection: 0 };
        Route { target: Uri::at(Some(user), remote), flow, by_contact: false, path: None }
    }

    fn walk(start: &str, steps: &[(&str, &[&str])]) -> Vec<String> {
        let mut turns = Turns { seen: vec![route(start).target], next: vec![] };
        let mut walked = Vec::new();
        let mut at = start.to_owned();
        for _ in 0..20 {
            if let Some((_, to)) = steps.iter().find(|(from, _)| *from == at) {
                turns.add(to.iter().map(|to| route(to)).collect());
            }
            let Some(next) = turns.take() else { break };
            at = next.target.user().expect("a user").into_owned();
            walked.push(at.clone());
        }
        walked
    }

    #[test]
    #[allow(clippy::type_complexity)] // a table's row
    fn places_are_tried_in_order_once_and_five_at_most() {
        let table: [(&str, &[(&str, &[&str])], &[&str]); 6] = [
            ("nowhere", &[("a", &[])], &[]),
            ("to itself", &[("a", &["a"])], &[]),
            ("one after the other", &[("a", &["b", "c"])], &["b", "c"]),
            ("deeper first", &[("a", &["b", "c"]), ("b", &["d"])], &["b", "d", "c"]),
            ("round and round", &[("a", &["b"]), ("b", &["a", "b"])], &["b"]),
            (
                "a long way",
                &[("a", &["b", "c", "d", "e", "f", "g", "h"]), ("b", &["i", "j"])],
                &["b", "i", "j", "c", "d"],
            ),
        ];
        for (case, steps, want) in table {
            assert_eq!(walk("a", steps), want, "{case}");
        }
    }
}
