//! docs/LADDERS.md: the services of RFC 5359 that the desk has, each as the messages of one call, in the order in
//! which they went over the wire. `MADOGUCHI_WRITE_DOCS=1 cargo test --test phones ladders` writes the page; without
//! that the desk must still send and take the same messages in the same order.

use crate::support::desk::{Desk, Setup};
use crate::support::line::{Call, Line};
use crate::support::message::{Message, sdp};
use crate::support::{poll, rest, s};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// What everybody says of sound: each a port of its own at which nobody listens.
fn offers(port: u16, direction: &str) -> String {
    sdp(port, &[0, 101], direction)
}

/// The desk with a caller, phones and a carrier that do as they are told.
struct Stage {
    desk: Desk,
    caller: Line,
    phones: Vec<Line>,
    outside: Line,
    /// Calls that the desk has ended.
    ended: Vec<String>,
}

/// Whom a [`Call`] is with.
const FIRST: usize = 0;
const SECOND: usize = 1;
const THIRD: usize = 2;

impl Stage {
    fn new() -> Self {
        let outside = crate::support::ports::Block::take();
        let port = outside.port();
        let more = format!(
            "[[trunks]]\nname = \"outside\"\nsources = [\"127.0.0.1:{port}\"]\nservers = [\"127.0.0.1:{port}\"]\n\
             user = \"0312345678\"\noptions_every = \"0s\"\n"
        );
        let setup = Setup { plan: "ladders.toml", more: &more, ..Setup::default() };
        let desk = Desk::with(&setup);
        std::mem::forget(outside); // its port stays ours as long as the test runs
        let caller = Line::new(desk.trunk_port(), "0311112222", desk.sip);
        let phones = (201..=205)
            .map(|number: u16| Line::new(desk.fixed_port(number), &number.to_string(), desk.sip));
        let (phones, outside) = (phones.collect(), Line::new(port, "0398765432", desk.sip));
        Self { desk, caller, phones, outside, ended: Vec::new() }
    }

    fn lines(&mut self) -> impl Iterator<Item = &mut Line> {
        self.phones.iter_mut().chain([&mut self.caller, &mut self.outside])
    }

    /// Everybody confirms what the desk asks for in a call, until nothing more comes.
    fn settle(&mut self) {
        let (mut quiet, mut ended) = (0, Vec::new());
        while quiet < 6 {
            quiet += 1;
            for (line, port) in self.lines().zip(30..) {
                while let Some(asked) = line.look(Duration::from_millis(15), in_call) {
                    quiet = 0;
                    let to = asked.must("To").to_owned();
                    if asked.method() == Some("BYE") {
                        ended.push(asked.must("Call-ID").to_owned());
                    }
                    let body = match asked.method() {
                        Some("INVITE") => offers(port, turned(&asked)),
                        _ => String::new(),
                    };
                    line.reply(&asked, 200, &to, &body);
                }
            }
        }
        self.ended.extend(ended);
    }

    /// The same until the desk has ended this call, which says something first.
    #[track_caller]
    fn settle_until_over(&mut self, call: &Call) {
        let over = (0..20).any(|_| {
            self.settle();
            self.ended.contains(&call.id)
        });
        assert!(over, "the desk does not end the call");
    }

    /// The caller dials a number and one phone picks up.
    fn answered(&mut self, number: &str, phone: usize) -> (Call, Call) {
        let mut call = self.caller.invite(number, &offers(9, "sendrecv"));
        let (at_phone, _) = self.phones[phone].pick_up(&offers(11, "sendrecv"), s(5));
        let answer = self.caller.status(&call, 200, s(5));
        self.caller.ack(&mut call, &answer);
        self.settle();
        (call, at_phone)
    }

    /// A phone dials by itself and is answered by the desk.
    fn dials(&mut self, phone: usize, to: &str) -> Call {
        let (call, _) = self.phones[phone].connect(to, &offers(13, "sendrecv"), s(5));
        call
    }

    fn hold(&mut self, phone: usize, call: &mut Call, direction: &str) {
        self.phones[phone].within(call, "INVITE", "", &offers(11, direction));
        let id = call.id.clone();
        let cseq = call.cseq;
        let answer = self.phones[phone].expect("the answer to a hold", s(3), |m| {
            m.header("Call-ID") == Some(&id) && m.cseq() == cseq && m.status() == Some(200)
        });
        self.phones[phone].ack(call, &answer);
        self.settle();
    }

    fn hangs_up(&mut self, call: &mut Call) {
        self.caller.bye(call);
        self.settle();
    }

    /// The ladder of the caller's last call, once all are over.
    fn ladder(&mut self, legs: &[&str]) -> String {
        self.settle();
        let desk = &self.desk;
        let over = poll(s(8), || {
            let calls = desk.calls();
            let up = calls.iter().any(|call| call["state"] != "ended");
            let of = |call: &&serde_json::Value| call["caller"]["number"]["known"] == "0311112222";
            let last = calls.iter().find(of)?["call"].as_str()?.to_owned();
            (!up).then_some(last)
        });
        let id = over.unwrap_or_else(|| panic!("a call is not over: {:?}", desk.calls()));
        rest(100);
        let answer = desk.api("GET", &format!("/api/v1/calls/{id}/ladder.txt"), "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        for line in self.lines() {
            line.clear();
        }
        shown(&answer.body, legs)
    }

    /// A phone answers 302 with a colleague's number.
    fn moved(&mut self, phone: usize, invite: &Message, rung: &Call, to: u16) {
        let mut text = "SIP/2.0 302 Moved Temporarily\r\n".to_owned();
        for (name, value) in &invite.headers {
            if ["via", "from", "call-id", "cseq"].contains(&name.to_ascii_lowercase().as_str()) {
                let _ = write!(text, "{name}: {value}\r\n");
            }
        }
        let _ = write!(
            text,
            "To: {}\r\nContact: <sip:{to}@{}>\r\nContent-Length: 0\r\n\r\n",
            rung.us, self.desk.sip
        );
        self.phones[phone].send(&text);
    }
}

/// A request inside a call, but one that is answered elsewhere.
fn in_call(message: &Message) -> bool {
    message.parameter("To", "tag").is_some()
        && matches!(message.method(), Some("INVITE" | "UPDATE" | "INFO" | "NOTIFY" | "BYE"))
}

/// The direction that answers an offer.
fn turned(offer: &Message) -> &'static str {
    if offer.says("a=sendonly") {
        "recvonly"
    } else if offer.says("a=recvonly") {
        "sendonly"
    } else if offer.says("a=inactive") {
        "inactive"
    } else {
        "sendrecv"
    }
}

/// Where the first leg's line stands, and how far the next one's is from it.
const COLUMN: usize = 30;

/// The ladder without what is another in each run: times, addresses, repetitions on a busy machine. Of keys that are
/// told one after the other, the first is shown.
fn shown(text: &str, legs: &[&str]) -> String {
    let mut out = String::new();
    for (at, name) in ["caller", "desk"].iter().chain(legs).enumerate() {
        let place = (2 + at * COLUMN).saturating_sub(name.len() / 2);
        let _ = write!(out, "{:1$}", "", place.saturating_sub(out.chars().count()));
        out += name;
    }
    out.push('\n');
    let rows = text.lines().skip(5).filter(|row| !row.contains("(again)"));
    let rows: Vec<String> =
        rows.map(|row| row.chars().skip(10).collect::<String>().trim_end().to_owned()).collect();
    for (at, row) in rows.iter().enumerate() {
        let before = at.checked_sub(2).and_then(|at| rows.get(at));
        if !(row.contains("INFO") && before == Some(row)) {
            let _ = writeln!(out, "{row}");
        }
    }
    let columns = rows.first().map_or(0, |row| row.matches('|').count());
    assert_eq!(columns, legs.len() + 2, "the legs of this ladder have other names:\n{text}");
    out
}

/// One service.
type Play = fn(&mut Stage) -> String;

/// RFC 5359's section, the service in both languages, what the desk does, and how it is played.
const SERVICES: &[(&str, &str, &str, &str, Play)] = &[
    (
        "2.1, 2.3",
        "Call hold, music on hold",
        "保留と保留音",
        "The agent's phone holds with an offer that only sends. The desk answers it, tells the caller's side that it is \
         on hold, and plays the music itself, from the port that the caller hears already: no music server is called.",
        |stage| {
            let (mut call, mut phone) = stage.answered("0312345678", FIRST);
            stage.hold(FIRST, &mut phone, "sendonly");
            stage.hold(FIRST, &mut phone, "sendrecv");
            stage.hangs_up(&mut call);
            stage.ladder(&["agent"])
        },
    ),
    (
        "2.4",
        "Transfer, unattended",
        "ブラインド転送",
        "The agent's phone sends REFER. The desk rings the colleague itself and tells how that goes by NOTIFY; the \
         caller's leg stays as it is. A colleague who does not answer gives the caller back (docs/DIALPLAN.md).",
        |stage| {
            let (mut call, mut phone) = stage.answered("0312345678", FIRST);
            let target = format!("Refer-To: <sip:202@{}>\r\n", stage.desk.sip);
            stage.phones[FIRST].within(&mut phone, "REFER", &target, "");
            let _ = stage.phones[SECOND].pick_up(&offers(15, "sendrecv"), s(5));
            stage.settle();
            stage.hangs_up(&mut call);
            stage.ladder(&["agent", "colleague"])
        },
    ),
    (
        "2.5",
        "Transfer, attended",
        "取次転送",
        "The agent holds the caller, calls the colleague (a call of its own), and joins the two by a REFER whose \
         Refer-To names that call (Replaces, RFC 3891). The ladder is the caller's call; the colleague's leg, which nobody \
         rings anew, is in the ladder of the call by which the agent asked.",
        |stage| {
            let (mut call, mut phone) = stage.answered("0312345678", FIRST);
            stage.hold(FIRST, &mut phone, "sendonly");
            let mut own = stage.phones[FIRST].invite("202", &offers(13, "sendrecv"));
            let _ = stage.phones[SECOND].pick_up(&offers(15, "sendrecv"), s(5));
            let answer = stage.phones[FIRST].status(&own, 200, s(5));
            stage.phones[FIRST].ack(&mut own, &answer);
            stage.settle();
            let tag = |of: &str| of.rsplit_once("tag=").map(|(_, tag)| tag.to_owned());
            let (to, from) = (tag(&own.them).unwrap_or_default(), tag(&own.us).unwrap_or_default());
            let target = format!(
                "Refer-To: <sip:202@{}?Replaces={}%3Bto-tag%3D{to}%3Bfrom-tag%3D{from}>\r\n",
                stage.desk.sip, own.id
            );
            stage.phones[FIRST].within(&mut phone, "REFER", &target, "");
            stage.settle();
            stage.hangs_up(&mut call);
            stage.ladder(&["agent"])
        },
    ),
    (
        "2.7",
        "Call forwarding, unconditional",
        "無条件の着信転送",
        "A phone that is set to send its calls on answers 302. The desk obeys it inside the house only: it calls the \
         colleague named there in the phone's place.",
        |stage| {
            let mut call = stage.caller.invite("0312345678", &offers(9, "sendrecv"));
            let rung = stage.phones[FIRST].ring(s(5));
            let invite = rung.invite.clone().expect("an INVITE");
            stage.moved(FIRST, &invite, &rung, 202);
            let _ = stage.phones[SECOND].pick_up(&offers(15, "sendrecv"), s(5));
            let answer = stage.caller.status(&call, 200, s(5));
            stage.caller.ack(&mut call, &answer);
            stage.settle();
            stage.hangs_up(&mut call);
            stage.ladder(&["agent, colleague"])
        },
    ),
    (
        "2.8",
        "Call forwarding, busy",
        "話中時の転送",
        "The desk's groups do it: who is busy is passed by, and the next is rung.",
        |stage| {
            let mut call = stage.caller.invite("0312345679", &offers(9, "sendrecv"));
            let rung = stage.phones[3].ring(s(5));
            stage.phones[3].answer(&rung, 486, "");
            let _ = stage.phones[4].pick_up(&offers(15, "sendrecv"), s(5));
            let answer = stage.caller.status(&call, 200, s(5));
            stage.caller.ack(&mut call, &answer);
            stage.settle();
            stage.hangs_up(&mut call);
            stage.ladder(&["busy", "next"])
        },
    ),
    (
        "2.9, 2.12",
        "Call forwarding, no answer; find-me",
        "無応答時の転送、順次呼出",
        "The same with a phone that nobody picks up: after the group's ring time it falls silent and the next is rung.",
        |stage| {
            rest(1500); // who refused before is set aside for a second
            let mut call = stage.caller.invite("0312345679", &offers(9, "sendrecv"));
            let rung = stage.phones[3].ring(s(5));
            stage.phones[3].answer(&rung, 180, "");
            stage.phones[3].cancel_comes(&rung, s(5));
            let _ = stage.phones[4].pick_up(&offers(15, "sendrecv"), s(5));
            let answer = stage.caller.status(&call, 200, s(5));
            stage.caller.ack(&mut call, &answer);
            stage.settle();
            stage.hangs_up(&mut call);
            stage.ladder(&["silent", "next"])
        },
    ),
    (
        "2.10",
        "Three in one talk, a third is added",
        "三者通話",
        "The agent holds the caller and dials the code for adding with the colleague's number behind it. The desk mixes \
         the three: there is no focus and no REFER, and each phone has one call.",
        |stage| {
            let (mut call, mut phone) = stage.answered("0312345678", FIRST);
            stage.hold(FIRST, &mut phone, "sendonly");
            let code = stage.dials(FIRST, "*93202");
            let (mut third, _) = stage.phones[SECOND].pick_up(&offers(15, "sendrecv"), s(5));
            stage.settle_until_over(&code);
            stage.hold(FIRST, &mut phone, "sendrecv");
            stage.phones[SECOND].bye(&mut third);
            stage.settle();
            stage.hangs_up(&mut call);
            stage.ladder(&["agent", "agent's code", "colleague"])
        },
    ),
    (
        "2.15",
        "Call park",
        "パーク保留",
        "The agent passes the caller to a slot of the parking lot; a colleague dials the slot and has the \
         caller. The caller's leg hears music meanwhile.",
        |stage| {
            let (mut call, mut phone) = stage.answered("0312345678", FIRST);
            let target = format!("Refer-To: <sip:701@{}>\r\n", stage.desk.sip);
            stage.phones[FIRST].within(&mut phone, "REFER", &target, "");
            stage.settle();
            let _ = stage.dials(SECOND, "701");
            stage.settle();
            stage.hangs_up(&mut call);
            stage.ladder(&["agent", "colleague"])
        },
    ),
    (
        "2.16",
        "Call pickup",
        "代理応答",
        "A colleague of the same group dials the code for pickup while the call rings elsewhere, and has the caller. \
         (Phones with lamps do the same by an INVITE with Replaces.)",
        |stage| {
            let mut call = stage.caller.invite("0312345678", &offers(9, "sendrecv"));
            let rung = stage.phones[FIRST].ring(s(5));
            stage.phones[FIRST].answer(&rung, 180, "");
            let picked = stage.phones[THIRD].invite("*8", &offers(13, "sendrecv"));
            stage.phones[FIRST].cancel_comes(&rung, s(5));
            // One after the other, so that the order is the same each time.
            let answer = stage.caller.status(&call, 200, s(5));
            stage.caller.ack(&mut call, &answer);
            stage.settle();
            let mut picked = picked;
            let answer = stage.phones[THIRD].status(&picked, 200, s(5));
            stage.phones[THIRD].ack(&mut picked, &answer);
            stage.settle();
            stage.hangs_up(&mut call);
            stage.ladder(&["rung", "colleague"])
        },
    ),
    (
        "2.2",
        "Consultation hold, by keys",
        "取次（キー操作）",
        "An agent whose phone has no second line asks a number outside by `*2`, the number and `#`, each key told by INFO \
         here (the first is shown), and hangs up: the caller is with whom it asked. All of it is one call of the desk.",
        |stage| {
            let (mut call, mut phone) = stage.answered("0312345678", FIRST);
            for key in "*20398765432#".chars() {
                let body = format!("Signal={key}\r\nDuration=160\r\n");
                let kind = "Content-Type: application/dtmf-relay\r\n";
                stage.phones[FIRST].within(&mut phone, "INFO", kind, &body);
                let cseq = phone.cseq;
                stage.phones[FIRST].expect("the answer to INFO", s(3), |m| {
                    m.cseq_method() == "INFO" && m.cseq() == cseq && m.status() == Some(200)
                });
            }
            let _ = stage.outside.pick_up(&offers(17, "sendrecv"), s(8));
            stage.settle();
            stage.phones[FIRST].bye(&mut phone);
            stage.settle();
            stage.hangs_up(&mut call);
            stage.ladder(&["agent", "outside"])
        },
    ),
];

const INTRODUCTION: &str = "# Ladders (呼の流れ)

<!-- Written from real traces by `MADOGUCHI_WRITE_DOCS=1 cargo test --test phones ladders`, and held to them by the same
test: the same messages in the same order. What is to be said of a service is said in tests/phones/ladders.rs. -->

The services of RFC 5359 that the desk has, each as the messages of one call, taken from a running desk
(`GET /api/v1/calls/{id}/ladder.txt`, without times and addresses; `madoguchi sip ladder CALL` shows the same of any call).
On the left is the caller, who comes by a carrier, then the desk, then the other legs in the order in which they began.

RFC 5359 shows phones that do these services among themselves through proxies. The desk is a back-to-back user agent: it is
one side of every leg, so that nobody's leg is ever replaced by another, and no phone needs to know more than the leg that it
has.

Not here: transfer by instant message (2.6), for which the desk has no use; a third who joins by itself (2.11);
screening (2.13, 2.14), which is the plan's (docs/DIALPLAN.md); automatic redial (2.17): phones watch each other by lamps
(RFC 4235), and callers are called back (`callback`); click to dial (2.18), which is the panel's.
";

#[test]
fn each_service_is_made_of_the_messages_that_the_page_of_ladders_shows() {
    let mut stage = Stage::new();
    let mut page = INTRODUCTION.to_owned();
    for (section, name, japanese, said, play) in SERVICES {
        println!("{name}");
        let ladder = play(&mut stage);
        assert!(ladder.len() < 8_000, "{ladder}");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = write!(
            page,
            "\n## {name} ({japanese})\n\nRFC 5359 §{section}. {said}\n\n```text\n{ladder}```\n"
        );
        rest(300);
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/LADDERS.md");
    if std::env::var_os("MADOGUCHI_WRITE_DOCS").is_some() {
        return std::fs::write(&file, page).unwrap();
    }
    let due = std::fs::read_to_string(&file).unwrap_or_default();
    let place = "\n## ";
    for (found, due) in page.split(place).zip(due.split(place)) {
        assert_eq!(found, due, "a service goes another way than docs/LADDERS.md shows");
    }
    assert_eq!(page.split(place).count(), due.split(place).count());
}
