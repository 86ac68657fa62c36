//! What a media thread does when it is told something: the books of legs, bridges and plays.

use super::counters::count;
use super::leg::{Leg, bind};
use super::playing::Wish;
use super::queue::Order;
use super::slab::Token;
use super::web::With;
use super::worker::{Beat, Worker};
use crate::base::LegId;
use crate::rtp::command::{Command, Notice};
use rustix::event::epoll;
use std::io;

/// Commands carried out before packets get their turn, so that a burst of new calls disturbs none.
const COMMANDS_A_ROUND: usize = 64;

impl<N: Fn(Notice)> Worker<N> {
    pub(super) fn carry_out_orders(&mut self) {
        self.queue.take(&mut self.orders);
        for _ in 0..COMMANDS_A_ROUND {
            if let Some(id) = self.awaited {
                let Some((_, handed)) = self.queue.take_handed(id) else { return };
                self.awaited = None;
                self.guarded(None, |worker| worker.adopt(handed));
            }
            let Some(order) = self.orders.pop_front() else { return };
            let leg = order.leg().and_then(|leg| self.index.get(&leg).copied());
            self.guarded(leg, |worker| worker.carry_out(order));
        }
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Command(command) => self.command(command),
            Order::Hand { leg, to } => {
                self.unbridge(leg);
                let handed = self.remove(leg).map(Box::new);
                if let Some(leg) = &handed {
                    // It would only bring events for a token that nobody has.
                    let _ = epoll::delete(&self.epoll, &leg.socket);
                    leg.forget_control(&self.epoll);
                }
                to.hand(leg, handed);
            }
            Order::Await { leg } => self.awaited = Some(leg),
            Order::Stop => self.stopping = true,
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Open { leg, ip, port } => {
                self.close(leg);
                let socket = match self.reserved.take(ip, port) {
                    Some(socket) => Ok(socket),
                    None => bind(ip, port, self.dscp),
                };
                let opened = socket.map(|socket| Leg::open(leg, socket, &mut self.rng));
                if opened.and_then(|opened| self.settle(opened)).is_err() {
                    count(&mut self.counted.open_failed);
                    (self.notices)(Notice::OpenFailed { leg, port });
                }
            }
            Command::Reserve { .. } => {} // done where it was sent
            Command::Stream { leg, stream } => {
                let (learns, now, now_ms) = (self.learn_source, self.now, self.now_ms());
                let Some(token) = self.index.get(&leg).copied() else { return };
                let Some(leg) = self.legs.get_mut(token) else { return };
                let first = leg.line.is_none();
                leg.negotiated(stream, learns, now, &mut self.rng);
                // A play that came before its stream begins now.
                if first && let Some(play) = &leg.play {
                    let beat = Beat::Play { leg: token, beat: play.beat };
                    self.wheel.schedule(now_ms, beat);
                }
                self.settle_control(token);
                self.rejoin(token);
                self.begin_handshake(token, With::Meant);
            }
            Command::Bridge { a, b } => self.bridge(a, b),
            Command::Mix { seats } => self.seat(&seats),
            Command::Press { leg, key } => {
                if let Some(leg) = self.index.get(&leg).copied() {
                    self.press(leg, key);
                }
            }
            Command::Unbridge { leg } => self.unbridge(leg),
            Command::Tap { leg, tap } => self.set_tap(leg, tap),
            Command::Play { leg, play, prompts, looped, stops_on_key } => {
                let wish = Wish { play, looped, stops_on_key };
                self.begin(leg, wish, &prompts);
            }
            Command::Stop { leg } => self.stop(leg),
            Command::Keyed { leg } => {
                if let Some(leg) = self.index.get(&leg).copied() {
                    self.key_stops(leg);
                }
            }
            Command::Close { leg } => self.close(leg),
        }
    }

    /// Gives a leg its place and makes the kernel tell of its packets.
    fn settle(&mut self, leg: Leg) -> io::Result<Token> {
        let id = leg.id;
        let token = self.legs.insert(leg);
        let added = self.legs.get_mut(token).map_or(Ok(()), |leg| {
            let mark = epoll::EventData::new_u64(token.to_bits());
            leg.listen_for_control(&self.epoll, token);
            epoll::add(&self.epoll, &leg.socket, mark, epoll::EventFlags::IN)
        });
        if let Err(errno) = added {
            self.legs.remove(token);
            return Err(errno.into());
        }
        self.index.insert(id, token);
        count(&mut self.counted.legs);
        Ok(token)
    }

    /// Takes in a leg from another thread; what plays on it, the key that is down and an unfinished
    /// handshake go on.
    fn adopt(&mut self, handed: Option<Box<Leg>>) {
        let Some(leg) = handed else { return };
        let (id, port, now_ms) = (leg.id, leg.port(), self.now_ms());
        let Ok(token) = self.settle(*leg) else {
            // Descriptors are at their limit; the leg is lost.
            return (self.notices)(Notice::OpenFailed { leg: id, port });
        };
        let Some(leg) = self.legs.get_mut(token) else { return };
        // The timers of its former thread beat in vain.
        let play = leg.play.as_ref().map(|play| Beat::Play { leg: token, beat: play.beat });
        let key = leg.presses.beating.then_some(Beat::Key { leg: token });
        let shakes = leg.web.as_ref().is_some_and(|web| web.is_beating());
        let handshake = shakes.then_some(Beat::Handshake { leg: token });
        if play.is_some() {
            count(&mut self.counted.plays);
        }
        for beat in [play, key, handshake].into_iter().flatten() {
            self.wheel.schedule(now_ms, beat);
        }
    }

    fn bridge(&mut self, a: LegId, b: LegId) {
        let tokens = (self.index.get(&a).copied(), self.index.get(&b).copied());
        let (Some(one), Some(other)) = tokens else { return };
        if a == b {
            return;
        }
        for leg in [a, b] {
            self.unbridge(leg);
            self.stop(leg);
        }
        count(&mut self.counted.bridges);
        self.talk_begins(one);
        self.talk_begins(other);
        self.join(one, other);
    }

    pub(super) fn unbridge(&mut self, leg: LegId) {
        if let Some(leg) = self.index.get(&leg).copied() {
            self.part(leg);
        }
    }

    /// Closing the socket also takes it out of epoll.
    pub(super) fn close(&mut self, leg: LegId) {
        if let Some(token) = self.index.get(&leg).copied() {
            self.take_leave(token);
        }
        self.unbridge(leg);
        drop(self.remove(leg));
    }

    /// Takes a leg, no longer bridged, out of the books.
    fn remove(&mut self, leg: LegId) -> Option<Leg> {
        let leg = self.index.remove(&leg).and_then(|token| self.legs.remove(token))?;
        self.counted.legs = self.counted.legs.saturating_sub(1);
        if leg.play.is_some() {
            self.counted.plays = self.counted.plays.saturating_sub(1);
        }
        Some(leg)
    }

    pub(super) fn find(&mut self, leg: LegId) -> Option<(Token, &mut Leg)> {
        let token = *self.index.get(&leg)?;
        self.legs.get_mut(token).map(|leg| (token, leg))
    }
}

impl Order {
    /// The leg that a fault while carrying it out would cost.
    fn leg(&self) -> Option<LegId> {
        match self {
            Self::Command(
                Command::Open { leg, .. }
                | Command::Stream { leg, .. }
                | Command::Unbridge { leg }
                | Command::Play { leg, .. }
                | Command::Press { leg, .. }
                | Command::Tap { leg, .. }
                | Command::Stop { leg }
                | Command::Keyed { leg }
                | Command::Close { leg }
                | Command::Bridge { a: leg, .. },
            )
            | Self::Hand { leg, .. } => Some(*leg),
            Self::Command(Command::Mix { seats }) => match seats.as_slice() {
                [first, ..] => Some(first.leg),
                [] => None,
            },
            Self::Command(Command::Reserve { .. }) | Self::Await { .. } | Self::Stop => None,
        }
    }
}
