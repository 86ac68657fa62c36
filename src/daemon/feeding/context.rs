//! Who calls: the person in the imported directory, and the open tickets of the number, for an agent's panel.
//! Never waited for longer than a third of a second; a call is never held up by it.

use super::{Fed, Target};
use crate::base::Private;
use crate::feed::OpenTicket;
use crate::io::http::{Caller, CallerTicket, Person};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// All of one look.
const PATIENCE: Duration = Duration::from_millis(300);
/// What a system told is told again for so long.
const FRESH: Duration = Duration::from_secs(30);
/// Numbers of which it is remembered; the first to come leaves.
const REMEMBERED: usize = 1_000;
/// Open tickets of one number that are told.
const TICKETS_TOLD: usize = 10;

/// What a panel asks.
pub(in crate::daemon) struct Context {
    fed: Arc<Fed>,
    remembered: Mutex<Vec<(String, Instant, Vec<CallerTicket>)>>,
}

impl Context {
    pub(in crate::daemon) fn new(fed: Arc<Fed>) -> Self {
        Self { fed, remembered: Mutex::default() }
    }

    /// Who calls, in a third of a second: what a system did not tell by then is not among it.
    pub(in crate::daemon) async fn of(&self, number: String) -> Caller {
        let person = self.person(&number);
        if let Some(tickets) = self.remembered(&number) {
            return Caller { person, tickets, whole: true };
        }
        let mut asked = JoinSet::new();
        for target in self.fed.targets() {
            let number = number.clone();
            asked.spawn(async move { timeout(PATIENCE, open_of(&target, &number)).await });
        }
        let (mut tickets, mut whole) = (Vec::new(), true);
        while let Some(answer) = asked.join_next().await {
            match answer {
                Ok(Ok(Some(found))) => tickets.extend(found),
                Ok(Err(_) | Ok(None)) | Err(_) => whole = false,
            }
        }
        tickets.truncate(TICKETS_TOLD);
        if whole {
            self.remember(number, &tickets);
        }
        Caller { person, tickets, whole }
    }

    fn person(&self, number: &str) -> Option<Person> {
        let people = self.fed.directory.read().unwrap_or_else(PoisonError::into_inner);
        let found = people.find(number)?.clone();
        Some(Person { name: found.name, department: found.department, note: found.note })
    }

    fn remembered(&self, number: &str) -> Option<Vec<CallerTicket>> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |(known, at, _): &&(String, Instant, Vec<CallerTicket>)| {
            known == number && at.elapsed() < FRESH
        };
        remembered.iter().rev().find(fresh).map(|(_, _, tickets)| tickets.clone())
    }

    fn remember(&self, number: String, tickets: &[CallerTicket]) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.retain(|(known, at, _)| *known != number && at.elapsed() < FRESH);
        if remembered.len() >= REMEMBERED {
            remembered.remove(0);
        }
        remembered.push((number, Instant::now(), tickets.to_vec()));
    }
}

/// None when the system did not tell.
async fn open_of(target: &Target, number: &str) -> Option<Vec<CallerTicket>> {
    let Some(asked) = target.sink.as_ref().and_then(|sink| sink.open_of(number)) else {
        return Some(Vec::new()); // It has nothing to tell of.
    };
    let name = &target.config.name;
    let row = |it: OpenTicket| CallerTicket {
        target: name.clone(),
        ticket: it.ticket,
        subject: Private::new(it.subject.reveal().chars().take(200).collect()),
        url: it.url,
    };
    match asked.await {
        Ok(found) => Some(found.into_iter().map(row).collect()),
        Err(error) => {
            target.failed(&error);
            None
        }
    }
}
