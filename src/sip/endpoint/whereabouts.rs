//! Under which address of ours a peer knows us: that of the listener that its messages pass. What is said
//! of sound in a description follows it, so that a phone in one network is never sent to another.

use super::Endpoint;
use crate::base::{LegId, Mono, Number, TrunkId};
use crate::sip::api::Flow;
use std::net::IpAddr;

impl Endpoint {
    /// Our address on a leg that stands.
    #[must_use]
    pub fn own_ip(&self, leg: LegId) -> Option<IpAddr> {
        let flow = self.legs.get(leg.0)?.flow()?;
        Some(self.address_of(flow))
    }

    /// Where the peer of a leg that stands sends its SIP from: its own address, its NAT's or its proxy's.
    #[must_use]
    pub fn peer_ip(&self, leg: LegId) -> Option<IpAddr> {
        let flow = self.legs.get(leg.0)?.flow()?;
        Some(flow.remote.ip().to_canonical())
    }

    /// Our address on the way to a phone that is to be dialled.
    #[must_use]
    pub fn own_ip_to(&self, to: &Number, now: Mono) -> Option<IpAddr> {
        let flow = match self.registrar.locate(to, now) {
            Some((_, flow, _)) => flow,
            None => self.way_to(&self.directory.fixed(to)?.server)?,
        };
        Some(self.address_of(flow))
    }

    /// Our address on the way to a trunk that is to carry a call.
    #[must_use]
    pub fn own_ip_by(&self, trunk: &TrunkId, now: Mono) -> Option<IpAddr> {
        let flow = self.line_of(trunk)?.ways(now).next()?;
        Some(self.address_of(flow))
    }

    fn address_of(&self, flow: Flow) -> IpAddr {
        self.core.place(flow).sent_by.ip().to_canonical()
    }
}
