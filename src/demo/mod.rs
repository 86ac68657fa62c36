//! The demonstration's cast: a carrier that brings callers and agents who answer them, on sockets of
//! their own, speaking real SIP and RTP with the desk. Outside the engine: it knows the desk's address
//! and nothing of its insides, so what it causes could be caused by anybody's phones.

mod cast;
mod phone;
mod register;
mod sound;

use crate::base::{Number, Private, Rng};
use cast::{Agent, Carrier};
use phone::{Deed, NO_LEG, Phone};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;

/// What the cast must know.
#[derive(Debug)]
pub struct Stage {
    /// The desk's SIP address, UDP.
    pub desk: SocketAddr,
    /// The numbers that callers dial.
    pub numbers: Numbers,
    /// The synthetic agents' accounts.
    pub agents: Vec<(String, Private<String>)>,
}

/// The desk numbers of the demonstration's plan, by what they show.
#[derive(Clone, Debug)]
pub struct Numbers {
    /// Leads to a menu.
    pub menu: Number,
    /// Leads to a group at once.
    pub group: Number,
    /// Always closed.
    pub closed: Number,
    /// Has one line.
    pub one_line: Number,
}

/// Lets the cast live on the current tokio runtime until the process ends. `carrier` is the socket
/// that outside calls come from: the desk believes a trunk by its address.
///
/// # Errors
///
/// What the system says when an agent's socket cannot be bound.
pub async fn perform(stage: Stage, carrier: UdpSocket, mut rng: Rng) -> std::io::Result<()> {
    let ip = carrier.local_addr()?.ip();
    for account in stage.agents {
        let socket = UdpSocket::bind(SocketAddr::new(ip, 0)).await?;
        let mut phone = Phone::new(socket, stage.desk, &[], Some(account), rng.fork())?;
        phone.note(Duration::from_millis(200), NO_LEG, Deed::Register);
        tokio::spawn(phone.live(Box::new(Agent)));
    }
    let numbers = &stage.numbers;
    let dialled =
        [&numbers.menu, &numbers.group, &numbers.closed, &numbers.one_line].map(Clone::clone);
    let mut phone = Phone::new(carrier, stage.desk, &dialled, None, rng.fork())?;
    phone.note(Duration::from_secs(2), NO_LEG, Deed::Place);
    tokio::spawn(phone.live(Box::new(Carrier::new(stage.numbers))));
    Ok(())
}
