//! Calls in Zammad's caller log, by its generic CTI push: told once, when the ticket of a call is opened and
//! when the call has ended. The log is no history: what it misses is in the ticket, so a push that fails is
//! not tried again, and holds nothing up for longer than its patience.

use super::way::{SystemAt, set};
use crate::base::Private;
use crate::feed::{Addition, NewTicket, Value, Values};
use crate::io::deliver::client::{Client, Question};
use crate::io::deliver::{Failed, NoWay};
use http::Method;
use serde_json::{Value as Json, json};
use std::time::Duration;
use tokio::time::timeout;

/// All that is pushed of one step gets so long.
const PATIENCE: Duration = Duration::from_secs(5);

/// A way to the caller log.
pub(super) struct Push {
    client: Client,
    /// The address itself is the key.
    end: Private<String>,
}

impl Push {
    /// `end` is what stands behind `/api/v1/cti/`.
    ///
    /// # Errors
    ///
    /// [`NoWay`] when TLS takes none of the authorities.
    pub(super) fn new(at: &SystemAt, end: Private<String>) -> Result<Self, NoWay> {
        Ok(Self { client: at.client(PATIENCE)?, end })
    }

    /// The ticket of a call is there: the call rang, and was answered if it was, and is over if it is.
    pub(super) async fn opened(&self, ticket: &NewTicket) {
        let values = &ticket.values;
        let mut events = vec![event("newCall", values)];
        if values.contains_key(&Value::Agent) {
            events.push(event("answer", values));
        }
        if values.contains_key(&Value::EndedAt) {
            events.push(event("hangup", values));
        }
        self.say(events).await;
    }

    /// Of what is added only a call's end is told.
    pub(super) async fn added(&self, addition: &Addition) {
        if addition.kind == "ended" {
            self.say(vec![event("hangup", &addition.values)]).await;
        }
    }

    async fn say(&self, events: Vec<Json>) {
        let all = async {
            for event in events {
                let target = format!("/api/v1/cti/{}", super::way::encoded(self.end.reveal()));
                self.client.ask(Question::new(Method::POST, target).json(&event)).await?.yes()?;
            }
            Ok::<(), Failed>(())
        };
        let said = timeout(PATIENCE, all).await;
        let said = said.unwrap_or(Err(Failed::TimedOut { patience: PATIENCE }));
        if let Err(error) = said {
            tracing::warn!(%error, "the caller log was not told of a call");
        }
    }
}

/// An event of a call, as the documentation of Zammad's generic CTI has it.
fn event(kind: &str, values: &Values) -> Json {
    let text = |value: Value| values.get(&value).map_or("", |text| text.reveal().as_str());
    let mut event = json!({
        "event": kind,
        "from": international(text(Value::Caller)),
        "to": international(text(Value::Called)),
        "direction": "in",
        "callId": text(Value::Call),
    });
    if kind == "newCall" && values.contains_key(&Value::Group) {
        set(&mut event, "queue", text(Value::Group));
    }
    if kind != "newCall" && values.contains_key(&Value::Agent) {
        set(&mut event, "user", text(Value::Agent));
        set(&mut event, "answeringNumber", text(Value::Agent));
    }
    if kind == "hangup" {
        set(&mut event, "cause", cause(text(Value::Outcome)));
    }
    event
}

/// What an outcome is among the causes that Zammad knows.
fn cause(outcome: &str) -> &'static str {
    match outcome {
        "abandoned" | "short_abandoned" | "menu_left" => "cancel",
        "busy_released" => "busy",
        "blocked" | "failed" => "congestion",
        "closed" | "message_taken" => "noAnswer",
        // answered, answered_after_busy, menu_served: the caller had what he called for.
        _ => "normalClearing",
    }
}

/// E.164 without its plus, from the digits that Japan's network tells: `0312345678` is `81312345678`, and what
/// begins with 010 is another country's. A caller without a number is anonymous; an internal line stays.
fn international(number: &str) -> String {
    let digits = number.strip_prefix('+').unwrap_or(number);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return "anonymous".to_owned();
    }
    if digits.len() != number.len() {
        return digits.to_owned();
    }
    match (digits.strip_prefix("010"), digits.strip_prefix('0')) {
        (Some(foreign), _) => foreign.to_owned(),
        (None, Some(national)) => format!("81{national}"),
        (None, None) => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_the_caller_log_compares_them() {
        let table = [
            ("0312345678", "81312345678"),
            ("09012345678", "819012345678"),
            ("+81312345678", "81312345678"),
            ("0101212555", "1212555"),
            ("2001", "2001"),
            ("非通知", "anonymous"),
            ("withheld", "anonymous"),
            ("", "anonymous"),
        ];
        for (number, due) in table {
            assert_eq!(international(number), due, "{number}");
        }
    }

    #[test]
    fn every_outcome_has_a_cause() {
        let table = [
            ("answered", "normalClearing"),
            ("answered_after_busy", "normalClearing"),
            ("abandoned", "cancel"),
            ("short_abandoned", "cancel"),
            ("busy_released", "busy"),
            ("blocked", "congestion"),
            ("menu_left", "cancel"),
            ("menu_served", "normalClearing"),
            ("closed", "noAnswer"),
            ("message_taken", "noAnswer"),
            ("failed", "congestion"),
        ];
        for (outcome, due) in table {
            assert_eq!(cause(outcome), due, "{outcome}");
        }
    }
}
