//! A call as a trace of OpenTelemetry: one span for the call, one for its wait, one for each agent's talk; in OTLP's form of
//! JSON (opentelemetry-proto 1, "JSON Protobuf Encoding"). No number and no name of a caller is in it.

use crate::base::CallId;
use crate::event::Origin;
use crate::view::{CallRow, Outcome};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// `SPAN_KIND_INTERNAL` and `SPAN_KIND_SERVER`.
const INTERNAL: u8 = 1;
const SERVER: u8 = 2;
/// `STATUS_CODE_UNSET` and `STATUS_CODE_ERROR`.
const UNSET: u8 = 0;
const ERROR: u8 = 2;

/// What a trace has of a call that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub call: CallId,
    pub arrived_ms: u64,
    pub length_ms: u64,
    pub wait_ms: Option<u64>,
    /// Who, from when on, how long.
    pub talks: Vec<(String, u64, u64)>,
    pub failed: bool,
    pub words: Vec<(&'static str, String)>,
}

impl Told {
    pub fn of(row: &CallRow) -> Self {
        let length_ms = row.length_ms.unwrap_or_default();
        let mut words = vec![("madoguchi.number", row.number.to_string())];
        words.push(match &row.origin {
            Origin::Trunk(trunk) => ("madoguchi.trunk", trunk.to_string()),
            Origin::Extension(extension) => ("madoguchi.extension", extension.to_string()),
        });
        words.extend(row.outcome.map(|it| ("madoguchi.outcome", it.name().to_owned())));
        words.extend(row.group.as_ref().map(|it| ("madoguchi.group", it.to_string())));
        words.extend(row.agent.as_ref().map(|it| ("madoguchi.agent", it.to_string())));
        Self {
            call: row.call,
            arrived_ms: u64::try_from(row.arrived_at_ms.0).unwrap_or_default(),
            length_ms,
            wait_ms: row.wait_ms,
            talks: row
                .talks
                .iter()
                .map(|talk| {
                    let left = length_ms.saturating_sub(talk.from_ms);
                    (talk.agent.to_string(), talk.from_ms, talk.length_ms.unwrap_or(left))
                })
                .collect(),
            failed: row.outcome == Some(Outcome::Failed),
            words,
        }
    }

    /// Its spans, the call's own first.
    fn spans(&self) -> Vec<Value> {
        let trace = self.call.0.simple().to_string();
        let id = |number: usize| {
            let hash = Sha256::digest(format!("{trace}/{number}"));
            crate::base::hex(hash.get(..8).unwrap_or_default())
        };
        let at =
            |ms: u64| (self.arrived_ms.saturating_add(ms).saturating_mul(1_000_000)).to_string();
        let span = |number: usize, name: &str, (from_ms, for_ms): (u64, u64), words: Vec<Value>| {
            let (kind, parent) =
                if number == 0 { (SERVER, String::new()) } else { (INTERNAL, id(0)) };
            let code = if number == 0 && self.failed { ERROR } else { UNSET };
            json!({
                "traceId": trace, "spanId": id(number), "parentSpanId": parent, "name": name, "kind": kind,
                "startTimeUnixNano": at(from_ms), "endTimeUnixNano": at(from_ms.saturating_add(for_ms)),
                "attributes": words, "status": { "code": code },
            })
        };
        let mut words: Vec<Value> = self.words.iter().map(|(key, word)| text(key, word)).collect();
        words.extend(self.wait_ms.map(|ms| whole("madoguchi.wait_ms", ms)));
        let mut spans = vec![span(0, "call", (0, self.length_ms), words)];
        if let Some(wait_ms) = self.wait_ms {
            // It ended with the first talk, or with the call.
            let until = self.talks.first().map_or(self.length_ms, |talk| talk.1);
            spans.push(span(1, "wait", (until.saturating_sub(wait_ms), wait_ms), Vec::new()));
        }
        for (number, (agent, from_ms, for_ms)) in (2..).zip(&self.talks) {
            let words = vec![text("madoguchi.agent", agent)];
            spans.push(span(number, "talk", (*from_ms, *for_ms), words));
        }
        spans
    }
}

fn text(key: &str, word: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": word } })
}

fn whole(key: &str, number: u64) -> Value {
    // 64 bits are a string in protobuf's JSON.
    json!({ "key": key, "value": { "intValue": number.to_string() } })
}

/// The body of one request (`ExportTraceServiceRequest`).
pub(super) fn request(calls: &[Told]) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let resource = vec![text("service.name", "madoguchi"), text("service.version", version)];
    let spans: Vec<Value> = calls.iter().flat_map(Told::spans).collect();
    let scope =
        json!({ "scope": { "name": "madoguchi.calls", "version": version }, "spans": spans });
    json!({ "resourceSpans": [{ "resource": { "attributes": resource }, "scopeSpans": [scope] }] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_a_span_and_so_have_its_wait_and_each_talk() {
        let call = CallId(uuid::Uuid::from_u128(0x0199_a0c1_5b00_7000_8000_0000_0000_0001));
        let told = Told {
            call,
            arrived_ms: 1_000,
            length_ms: 60_000,
            wait_ms: Some(4_000),
            talks: vec![("2001".to_owned(), 9_000, 20_000), ("2002".to_owned(), 30_000, 30_000)],
            failed: false,
            words: vec![("madoguchi.number", "0312345678".to_owned())],
        };
        let body = request(std::slice::from_ref(&told));
        let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("spans");
        let seen: Vec<_> = spans
            .iter()
            .map(|it| {
                let word = |name: &str| it[name].as_str().expect(name).to_owned();
                (word("name"), word("startTimeUnixNano"), word("endTimeUnixNano"))
            })
            .collect();
        let due = |name: &str, from: &str, until: &str| {
            (name.to_owned(), format!("{from}000000"), format!("{until}000000"))
        };
        assert_eq!(
            seen,
            [
                due("call", "1000", "61000"),
                due("wait", "6000", "10000"),
                due("talk", "10000", "30000"),
                due("talk", "31000", "61000"),
            ]
        );
        assert_eq!(spans[0]["traceId"], "0199a0c15b0070008000000000000001");
        assert!(spans[1..].iter().all(|it| it["parentSpanId"] == spans[0]["spanId"]));
        let ids: std::collections::BTreeSet<String> =
            spans.iter().map(|it| it["spanId"].to_string()).collect();
        assert_eq!(ids.len(), 4);
        // Who gave up waited to the end.
        let gone = Told { talks: Vec::new(), ..told };
        let spans = gone.spans();
        assert_eq!((spans.len(), &spans[1]["startTimeUnixNano"]), (2, &json!("57000000000")));
    }
}
