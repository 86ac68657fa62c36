//! Draws months of a desk: agents with shifts, pauses, calls, holds, transfers, placed calls, nights signed in,
//! restarts, a clock that is set back, and now and then a change of an agent that was never written.

use madoguchi::base::{CallId, Private, Rng, Wall};
use madoguchi::event::{
    AgentEvent, CallEvent, Caller, CallerNumber, ConsultEnd, ConsultSide, DeskEvent, EndCause,
    Entry, Fact, FiguresEvent, Means, OfferEnd, Origin, Party, PlacedEnd, PlacedEvent, TrunkEvent,
};
use std::collections::BTreeMap;

/// 2026-09-28T00:00:00+09:00; eight days follow, over the end of September.
const BEGINS: i64 = 1_790_521_200_000;
const DAYS: i64 = 8;
const DAY: i64 = 86_400_000;
const MINUTE: u64 = 60_000;

struct Draw {
    rng: Rng,
    /// Time, and what happens then, in the order in which it was drawn.
    facts: Vec<(i64, Fact)>,
    calls: u64,
}

pub fn history(seed: u64) -> Vec<Entry> {
    let mut draw = Draw { rng: Rng::from_number(seed), facts: Vec::new(), calls: 0 };
    for day in 0..DAYS {
        for agent in 1..=10 {
            draw.shift(BEGINS + day * DAY, &format!("20{agent:02}"));
        }
        let full = draw.after(DAY as u64);
        let for_ms = draw.up_to(3 * MINUTE);
        draw.put(BEGINS + day * DAY + full, trunk(TrunkEvent::ChannelsFree { for_ms }));
    }
    draw.facts.sort_by_key(|(at, _)| *at);
    draw.written(seed)
}

fn trunk(event: TrunkEvent) -> Fact {
    Fact::Trunk { trunk: "carrier".into(), event }
}

impl Draw {
    fn up_to(&mut self, most: u64) -> u64 {
        self.rng.below(most)
    }

    fn after(&mut self, most: u64) -> i64 {
        self.rng.below(most) as i64
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.rng.below(n) == 0
    }

    fn put(&mut self, at: i64, fact: Fact) {
        self.facts.push((at, fact));
    }

    fn agent(&mut self, at: i64, agent: &str, event: AgentEvent) {
        self.put(at, Fact::Agent { agent: agent.into(), event });
    }

    /// One agent's day; what it does comes one after another.
    fn shift(&mut self, midnight: i64, agent: &str) {
        let by = Means::FeatureCode;
        let mut at = midnight + 8 * 3_600_000 + self.after(60 * MINUTE);
        if self.one_in(12) {
            return; // A day off; who did not sign out yesterday stays signed in.
        }
        let before = at - self.after(MINUTE);
        self.agent(before, agent, AgentEvent::Phone { reachable: true });
        self.agent(at, agent, AgentEvent::SignedIn { by });
        let end = midnight + 17 * 3_600_000 + self.after(120 * MINUTE);
        while at < end {
            // Now and then exactly at the edge of a half hour.
            at += if self.one_in(20) {
                1_800_000 - at.rem_euclid(1_800_000)
            } else {
                self.after(25 * MINUTE)
            };
            match self.up_to(12) {
                0 => {
                    self.agent(at, agent, AgentEvent::Paused { by, reason: "昼休み".into() });
                    at += self.after(40 * MINUTE);
                    self.agent(at, agent, AgentEvent::Unpaused { by });
                }
                1 => {
                    self.agent(at, agent, AgentEvent::Phone { reachable: false });
                    at += self.after(5 * MINUTE);
                    self.agent(at, agent, AgentEvent::Phone { reachable: true });
                }
                2 => at = self.placed(at, agent),
                3 => at = self.not_answered(at, agent),
                _ => at = self.call(at, agent),
            }
        }
        if self.one_in(6) {
            return; // Stays signed in over night.
        }
        self.agent(at, agent, AgentEvent::SignedOut { by });
        if self.one_in(2) {
            let after = at + self.after(MINUTE);
            self.agent(after, agent, AgentEvent::Phone { reachable: false });
        }
    }

    fn placed(&mut self, at: i64, agent: &str) -> i64 {
        self.calls += 1;
        let call = CallId(uuid::Uuid::from_u64_pair(self.calls, 1));
        let (by, number) = (agent.into(), Private::new("0398765432".to_owned()));
        let dialled = PlacedEvent::Dialled { by, number, inside: false, back: None };
        self.put(at, Fact::Placed { call, t_ms: 0, event: dialled });
        self.agent(at, agent, AgentEvent::Talking);
        let length = self.up_to(5 * MINUTE);
        let event = PlacedEvent::Ended { by: Party::Agent, why: PlacedEnd::HungUp };
        let over = at + length as i64;
        self.put(over, Fact::Placed { call, t_ms: length, event });
        self.worked_after(over, agent)
    }

    /// After-call work, made longer at times, or none; tells when the agent is free.
    fn worked_after(&mut self, mut at: i64, agent: &str) -> i64 {
        if self.one_in(4) {
            self.agent(at, agent, AgentEvent::Idle);
            return at;
        }
        self.agent(at, agent, AgentEvent::WrapUp { for_ms: MINUTE });
        at += self.after(2 * MINUTE);
        if self.one_in(5) {
            self.agent(at, agent, AgentEvent::WrapUp { for_ms: MINUTE });
            at += self.after(2 * MINUTE);
        }
        self.agent(at, agent, AgentEvent::Idle);
        at
    }

    fn arrive(&mut self, at: i64) -> (CallId, i64) {
        self.calls += 1;
        let call = CallId(uuid::Uuid::from_u64_pair(self.calls, self.rng.bits()));
        let (number, counted) = match self.up_to(20) {
            0 => ("0312345670", false),
            1..=6 => ("0312345679", true),
            _ => ("0312345678", true),
        };
        let caller = Caller {
            number: CallerNumber::Known(Private::new("0398765432".to_owned())),
            name: None,
            diverted_from: None,
        };
        let origin = Origin::Trunk("carrier".into());
        self.call_is(
            at,
            at,
            call,
            CallEvent::Arrived { number: number.into(), caller, origin, counted },
        );
        let group = if self.one_in(3) { "second" } else { "desk" };
        let asked = at + self.after(9_000);
        self.call_is(at, asked, call, CallEvent::OperatorAsked { group: Some(group.into()) });
        (call, asked)
    }

    fn call_is(&mut self, arrived: i64, at: i64, call: CallId, event: CallEvent) {
        let t_ms = (at - arrived) as u64;
        self.put(at, Fact::Call { call, t_ms, event });
    }

    fn not_answered(&mut self, arrived: i64, agent: &str) -> i64 {
        let (call, asked) = self.arrive(arrived);
        let mut at = asked + self.after(30_000);
        self.call_is(arrived, at, call, CallEvent::OfferMade { agent: agent.into() });
        at += self.after(20_000);
        let why = match self.up_to(6) {
            0 => OfferEnd::RangOut,
            1 => OfferEnd::Refused { status: 486 },
            2 => OfferEnd::TakenElsewhere,
            3 => OfferEnd::Unreachable,
            4 => OfferEnd::Withdrawn,
            _ => OfferEnd::CallerLeft,
        };
        if !self.one_in(10) {
            self.call_is(arrived, at, call, CallEvent::OfferEnded { agent: agent.into(), why });
        }
        let over = at + self.after(30_000);
        let (by, cause) = (Party::Caller, EndCause::HungUp);
        self.call_is(arrived, over, call, CallEvent::Ended { by, cause });
        at
    }

    fn call(&mut self, arrived: i64, agent: &str) -> i64 {
        let (call, asked) = self.arrive(arrived);
        let mut at = asked + [2_000, 20_000, 90_000][self.up_to(3) as usize];
        at -= self.after(2_000);
        self.call_is(arrived, at, call, CallEvent::OfferMade { agent: agent.into() });
        at += self.after(15_000);
        self.agent(at, agent, AgentEvent::Talking);
        self.call_is(arrived, at, call, CallEvent::OperatorAnswered { agent: agent.into() });
        for _ in 0..self.up_to(3) {
            at += self.after(4 * MINUTE);
            if self.one_in(3) {
                let with: &str = "2010";
                self.call_is(
                    arrived,
                    at,
                    call,
                    CallEvent::ConsultBegan { by: agent.into(), with: with.into() },
                );
                at += self.after(MINUTE);
                for to in [ConsultSide::Caller, ConsultSide::Asked, ConsultSide::Caller] {
                    if self.one_in(2) {
                        break;
                    }
                    self.call_is(arrived, at, call, CallEvent::ConsultTurned { to });
                    at += self.after(MINUTE);
                }
                let why = ConsultEnd::SentBack;
                self.call_is(arrived, at, call, CallEvent::ConsultEnded { with: with.into(), why });
                continue;
            }
            self.call_is(arrived, at, call, CallEvent::Held { by: Party::Agent });
            if self.one_in(4) {
                let then = at + self.after(1_000);
                self.call_is(arrived, then, call, CallEvent::Held { by: Party::Caller });
            }
            at += self.after(2 * MINUTE);
            if !self.one_in(5) {
                self.call_is(arrived, at, call, CallEvent::Resumed { by: Party::Agent });
            }
        }
        at += self.after(6 * MINUTE);
        if self.one_in(8) {
            self.passed_on(arrived, at, call, agent);
            return self.worked_after(at, agent);
        }
        // The agent's free line is told before the end of its call, as the desk does.
        let free = self.worked_after(at, agent);
        let (by, cause) = (Party::Caller, EndCause::HungUp);
        self.call_is(arrived, at, call, CallEvent::Ended { by, cause });
        free
    }

    /// To a colleague who does what it does beside that, or back after a moment.
    fn passed_on(&mut self, arrived: i64, at: i64, call: CallId, agent: &str) {
        let colleague = format!("20{:02}", 1 + self.up_to(10));
        let to = colleague.as_str().into();
        self.call_is(
            arrived,
            at,
            call,
            CallEvent::Transferred { by: agent.into(), to, attended: true },
        );
        let mut then = at + self.after(20_000);
        if self.one_in(5) {
            self.call_is(arrived, then, call, CallEvent::Returned { agent: agent.into() });
        } else {
            let colleague: &str = &colleague;
            self.call_is(arrived, then, call, CallEvent::OfferMade { agent: colleague.into() });
            then += self.after(9_000);
            self.agent(then, colleague, AgentEvent::Talking);
            self.call_is(
                arrived,
                then,
                call,
                CallEvent::OperatorAnswered { agent: colleague.into() },
            );
        }
        then += self.after(5 * MINUTE);
        let (by, cause) = (Party::Caller, EndCause::HungUp);
        self.call_is(arrived, then, call, CallEvent::Ended { by, cause });
    }

    /// As the journal has it: numbered, with restarts, lost words of agents and a clock that is set back.
    fn written(mut self, seed: u64) -> Vec<Entry> {
        let drawn = std::mem::take(&mut self.facts);
        let mut entries: Vec<Entry> = Vec::new();
        let mut open: BTreeMap<CallId, u64> = BTreeMap::new();
        let mut gone = std::collections::BTreeSet::new();
        let (mut not_before, mut back) = (0, 0);
        let mut push = |at: i64, fact: Fact| {
            let seq = entries.len() as u64 + 1;
            entries.push(Entry { seq, at: Wall(at), fact });
        };
        for (at, fact) in drawn {
            if at < not_before {
                if let Fact::Call { call, .. } = fact {
                    gone.insert(call); // It came while nobody was there.
                }
                continue;
            }
            if self.one_in(1_500) {
                let orderly = self.one_in(2);
                if orderly {
                    push(at - back, Fact::Desk { event: DeskEvent::Stopped });
                }
                not_before = at + 1 + self.after(20 * MINUTE);
                let begins = not_before - back;
                for (call, t_ms) in std::mem::take(&mut open) {
                    let (by, cause) = (Party::System, EndCause::Restart);
                    push(begins, Fact::Call { call, t_ms, event: CallEvent::Ended { by, cause } });
                    gone.insert(call);
                }
                let (version, settings) = (1, BTreeMap::new());
                push(
                    begins,
                    Fact::Figures { event: FiguresEvent::SettingsChanged { version, settings } },
                );
                let (version, plan) = ("1".to_owned(), "desk".to_owned());
                push(begins, Fact::Desk { event: DeskEvent::Started { version, plan } });
                continue;
            }
            if self.one_in(2_000) {
                back = self.after(3 * MINUTE);
            }
            match &fact {
                Fact::Call { call, .. } if gone.contains(call) => continue,
                Fact::Call { call, event: CallEvent::Ended { .. }, .. } => {
                    open.remove(call);
                }
                Fact::Call { call, t_ms, .. } => {
                    open.insert(*call, *t_ms);
                }
                Fact::Agent { .. } if seed % 2 == 1 && self.one_in(60) => continue,
                _ => {}
            }
            push(at - back, fact);
        }
        let last = BEGINS + DAYS * DAY;
        let (from, until) =
            (Wall(BEGINS + DAY + 10 * 3_600_000), Wall(BEGINS + DAY + 11 * 3_600_000));
        let (reason, author, by) = ("停電".to_owned(), "佐藤".to_owned(), Means::Api);
        let entered =
            FiguresEvent::ExclusionEntered { exclusion: 1, from, until, reason, author, by };
        push(last, Fact::Figures { event: entered });
        let author = "鈴木".to_owned();
        push(
            last,
            Fact::Figures { event: FiguresEvent::ExclusionApproved { exclusion: 1, author, by } },
        );
        entries
    }
}
