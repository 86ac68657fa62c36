//! The contract as one table: what a caller lives through, what it comes to, by which rule, and where that counts
//! under every setting of the figures. Written from the definition and not from the machine.

use super::Outcome::{self, *};
use crate::base::{CallId, Private, PromptId, Wall};
use crate::event::{
    CallEvent, Caller, CallerNumber, Closed as Why, EndCause, Entry, Fact, FiguresEvent, Means,
    OfferEnd, Origin, Overflowing, Party, Purpose, Unpark,
};
use crate::view::{
    CountsAs, Figure, Month, Policy, Ratio, Rule, Setup, ShortCallExcluded, Side, Standing, Views,
};

/// (name, timeline, outcome, rule, where it counts).
///
/// A timeline is `word@ms word@ms …`, each word an event (`event` below), `ms` after the arrival; a word without a
/// time keeps the last one. `excluded` and `uncounted` begin calls that arrive in an approved excluded period and at
/// a number that is not counted.
///
/// Where it counts: one pair of signs for each of [`SETTINGS`], in their order; the first sign is of No. 5 (abandon
/// rate), the second of No. 6 (busy rate): `N` in the numerator and so in the total, `d` in the total only, `-` left
/// out.
type Line = (&'static str, &'static str, Option<Outcome>, Option<Rule>, &'static str);

/// A setting and its value, and how it is set.
type Setting = (&'static str, fn(&mut Policy));

/// Every value of every setting that moves a call, each alone; the first is the agreed reading.
const SETTINGS: [Setting; 8] = [
    ("as agreed", |_| {}),
    ("released_counts_as = abandoned", |it| it.released_counts_as = CountsAs::Abandoned),
    ("failed_counts_as = excluded", |it| it.failed_counts_as = CountsAs::Excluded),
    ("menu_left_counts_as = abandoned", |it| it.menu_left_counts_as = CountsAs::Abandoned),
    ("message_taken_counts_as = abandoned", |it| it.message_taken_counts_as = CountsAs::Abandoned),
    ("message_taken_counts_as = answered", |it| it.message_taken_counts_as = CountsAs::Answered),
    ("short_call_excluded_from = abandon_and_busy", |it| {
        it.short_call_excluded_from = ShortCallExcluded::AbandonAndBusy;
    }),
    ("short_call_ms = 6000", |it| it.short_call_ms = 6_000),
];

#[rustfmt::skip] // One timeline a line.
const TABLE: &[Line] = &[
    // The signs: as agreed; released, failed, menu left, message (abandoned, answered), one-ring calls, 6 s.
    // 応答
    ("answered at once", "arrived@0 asked offer accepted@4000 answered caller_hangs_up@90000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("decided at the answer, long before the end", "arrived@0 asked offer answered@4000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("answered after the menu", "arrived@0 accepted menu greeting key@5000 asked offer answered@9000 agent_hangs_up@60000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("answered on the third agent", "arrived@0 asked offer rang_out@15000 offer refused@16000 offer answered@20000 caller_hangs_up@30000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("answered after waiting without a busy announcement", "arrived@0 accepted asked queued comfort@30000 offer@40000 answered@42000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("answered from a duty telephone at night", "arrived@0 night asked_line offer answered@9000 caller_hangs_up@20000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("answered, then the daemon restarts", "arrived@0 asked offer answered@4000 restart@50000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("answered, then a fault", "arrived@0 asked offer answered@4000 fault@50000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("answered, held, hung up while held", "arrived@0 asked offer answered@4000 held@9000 caller_hangs_up@60000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("answered, a busy announcement later is a transfer's", "arrived@0 asked offer answered@4000 busy@9000 caller_hangs_up@20000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("answered twice (transfer) is one outcome", "arrived@0 asked offer answered@4000 answered@60000 caller_hangs_up@90000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("answered within three seconds and hung up at once", "arrived@0 asked offer answered@1000 caller_hangs_up@2000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("answered, parked, fetched by another, hung up there", "arrived@0 asked offer answered@4000 parked@20000 fetched@40000 answered@41000 caller_hangs_up@60000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("answered, parked, hung up in the slot", "arrived@0 asked offer answered@4000 parked@20000 caller_hangs_up@60000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("answered, a transfer that comes back", "arrived@0 asked offer answered@4000 transferred@20000 returned@30000 caller_hangs_up@60000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("answered, hung up between two agents", "arrived@0 asked offer answered@4000 transferred@20000 offer caller_hangs_up@25000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("answered in the group that it overflowed to", "arrived@0 accepted asked queued overflowed@60000 queued offer answered@65000 caller_hangs_up@90000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    // ビジー後応答
    ("answered after busy", "arrived@0 accepted asked queued busy offer@30000 answered@33000 caller_hangs_up@90000", Some(AnsweredAfterBusy), Some(Rule::AgentAnsweredAfterBusy), "dN dN dN dN dN dN dN dN"),
    ("answered after busy, then restart", "arrived@0 accepted asked queued busy offer@30000 answered@33000 restart@90000", Some(AnsweredAfterBusy), Some(Rule::AgentAnsweredAfterBusy), "dN dN dN dN dN dN dN dN"),
    ("busy told in early media, then answered", "arrived@0 asked queued busy offer@9000 answered@12000", Some(AnsweredAfterBusy), Some(Rule::AgentAnsweredAfterBusy), "dN dN dN dN dN dN dN dN"),
    ("in an approved excluded period, answered after busy", "excluded@0 accepted asked queued busy offer@30000 answered@33000", Some(AnsweredAfterBusy), Some(Rule::AgentAnsweredAfterBusy), "-- -- -- -- -- -- -- --"),
    // 放棄
    ("abandoned while waiting", "arrived@0 accepted asked queued comfort@30000 caller_hangs_up@45000", Some(Abandoned), Some(Rule::HungUpWaiting), "Nd Nd Nd Nd Nd Nd Nd Nd"),
    ("abandoned during the busy announcement is not busy", "arrived@0 accepted asked queued busy caller_hangs_up@5000", Some(Abandoned), Some(Rule::HungUpWaiting), "Nd Nd Nd Nd Nd Nd Nd Nd"),
    ("abandoned within three seconds, busy announcement started", "arrived@0 accepted asked queued busy caller_hangs_up@2000", Some(Abandoned), Some(Rule::HungUpWaiting), "Nd Nd Nd Nd Nd Nd Nd Nd"),
    ("abandoned while an agent's phone rings", "arrived@0 asked offer caller_hangs_up@8000", Some(Abandoned), Some(Rule::HungUpWaiting), "Nd Nd Nd Nd Nd Nd Nd Nd"),
    ("abandoned between two agents", "arrived@0 asked offer rang_out@15000 caller_hangs_up@15100", Some(Abandoned), Some(Rule::HungUpWaiting), "Nd Nd Nd Nd Nd Nd Nd Nd"),
    ("abandoned during the release words", "arrived@0 accepted asked queued busy release@60000 caller_hangs_up@61000", Some(Abandoned), Some(Rule::HungUpWaiting), "Nd Nd Nd Nd Nd Nd Nd Nd"),
    ("abandoned after the menu, soon after asking but late after arrival", "arrived@0 accepted menu key@10000 asked caller_hangs_up@10500", Some(Abandoned), Some(Rule::HungUpWaiting), "Nd Nd Nd Nd Nd Nd Nd Nd"),
    ("one millisecond past the short call", "arrived@0 asked offer caller_hangs_up@3001", Some(Abandoned), Some(Rule::HungUpWaiting), "Nd Nd Nd Nd Nd Nd Nd -d"),
    ("abandoned ringing one agent's own line", "arrived@0 asked_line offer caller_hangs_up@9000", Some(Abandoned), Some(Rule::HungUpWaiting), "Nd Nd Nd Nd Nd Nd Nd Nd"),
    ("abandoned at the duty telephone", "arrived@0 night asked_line offer caller_hangs_up@9000", Some(Abandoned), Some(Rule::HungUpWaiting), "Nd Nd Nd Nd Nd Nd Nd Nd"),
    ("abandoned although `asked` was never written", "arrived@0 queued caller_hangs_up@9000", Some(Abandoned), Some(Rule::HungUpWaiting), "Nd Nd Nd Nd Nd Nd Nd Nd"),
    ("no message from the queue, hung up", "arrived@0 accepted asked queued busy dropped@60000 caller_hangs_up@60000", Some(Abandoned), Some(Rule::HungUpWaiting), "Nd Nd Nd Nd Nd Nd Nd Nd"),
    ("abandoned in the group that it overflowed to", "arrived@0 accepted asked queued overflowed@60000 queued caller_hangs_up@70000", Some(Abandoned), Some(Rule::HungUpWaiting), "Nd Nd Nd Nd Nd Nd Nd Nd"),
    ("passed on to another call while its phone rings", "arrived@0 asked offer passed_on@9000", Some(Abandoned), Some(Rule::PassedOnRinging), "Nd Nd Nd Nd Nd Nd Nd Nd"),
    ("to a number that is not counted, abandoned", "uncounted@0 asked offer caller_hangs_up@9000", Some(Abandoned), Some(Rule::HungUpWaiting), "-- -- -- -- -- -- -- --"),
    ("in an approved excluded period, abandoned", "excluded@0 asked offer caller_hangs_up@9000", Some(Abandoned), Some(Rule::HungUpWaiting), "-- -- -- -- -- -- -- --"),
    ("abandoned while a number outside rings", "arrived@0 accepted asked queued busy outside@60000 tried@60000 caller_hangs_up@65000", Some(Abandoned), Some(Rule::HungUpWaiting), "Nd Nd Nd Nd Nd Nd Nd Nd"),
    ("answered by an agent while a number outside rings", "arrived@0 accepted asked queued outside@60000 tried@60000 offer@61000 answered@65000", Some(Answered), Some(Rule::AgentAnswered), "dd dd dd dd dd dd dd dd"),
    ("hung up while the agent alone hears an announcement", "arrived@0 asked offer told@4000 caller_hangs_up@7000", Some(Abandoned), Some(Rule::HungUpWaiting), "Nd Nd Nd Nd Nd Nd Nd Nd"),
    // ワンコール切り
    ("rang once", "arrived@0 asked offer caller_hangs_up@1200", Some(ShortAbandoned), Some(Rule::OneRing), "-d -d -d -d -d -d -- -d"),
    ("exactly the short call", "arrived@0 asked offer caller_hangs_up@3000", Some(ShortAbandoned), Some(Rule::OneRing), "-d -d -d -d -d -d -- -d"),
    ("rang once, answered by the queue but not told busy", "arrived@0 accepted asked queued caller_hangs_up@2500", Some(ShortAbandoned), Some(Rule::OneRing), "-d -d -d -d -d -d -- -d"),
    // ビジー切断
    ("queue full after the busy announcement", "arrived@0 accepted asked busy queue_full@8000", Some(BusyReleased), Some(Rule::ReleasedAfterBusy), "dN Nd dN dN dN dN dN dN"),
    ("longest wait after the busy announcement", "arrived@0 accepted asked queued busy release@600000 waited@605000", Some(BusyReleased), Some(Rule::ReleasedAfterBusy), "dN Nd dN dN dN dN dN dN"),
    ("longest wait, only music was heard", "arrived@0 accepted asked offer rang_out@15000 waited@600000", Some(BusyReleased), Some(Rule::ReleasedAfterWords), "dN Nd dN dN dN dN dN dN"),
    ("queue full, told so in early media", "arrived@0 asked release queue_full@6000", Some(BusyReleased), Some(Rule::ReleasedAfterWords), "dN Nd dN dN dN dN dN dN"),
    ("no capacity after the busy announcement", "arrived@0 accepted asked queued busy no_capacity@9000", Some(BusyReleased), Some(Rule::ReleasedAfterBusy), "dN Nd dN dN dN dN dN dN"),
    ("the menu led to a phone that says no", "arrived@0 accepted menu key@4000 asked_line offer phone_busy@5000", Some(BusyReleased), Some(Rule::ReleasedAfterWords), "dN Nd dN dN dN dN dN dN"),
    ("closing time reached the waiting caller", "arrived@0 accepted asked queued comfort@9000 closed_told@30000", Some(BusyReleased), Some(Rule::ReleasedAfterWords), "dN Nd dN dN dN dN dN dN"),
    ("told that the desk closes while it waits", "arrived@0 accepted asked queued comfort@9000 release@30000 at_closing@33000", Some(BusyReleased), Some(Rule::ReleasedAfterWords), "dN Nd dN dN dN dN dN dN"),
    ("told busy, and the desk closes while it waits", "arrived@0 accepted asked queued busy at_closing@33000", Some(BusyReleased), Some(Rule::ReleasedAfterBusy), "dN Nd dN dN dN dN dN dN"),
    ("sent outside after the busy announcement, and answered there", "arrived@0 accepted asked queued busy outside@60000 tried@60000 away@70000 agent_hangs_up@90000", Some(BusyReleased), Some(Rule::SentOutside), "dN Nd dN dN dN dN dN dN"),
    ("sent outside before any announcement, and the caller hangs up there", "arrived@0 asked outside@1000 tried@1000 away@2500 caller_hangs_up@2900", Some(BusyReleased), Some(Rule::SentOutside), "dN Nd dN dN dN dN dN dN"),
    ("answered there, then a restart", "arrived@0 accepted asked queued busy outside@60000 away@70000 restart@80000", Some(BusyReleased), Some(Rule::SentOutside), "dN Nd dN dN dN dN dN dN"),
    // 輻輳拒否
    ("all lines in use", "arrived@0 lines_full", Some(Blocked), Some(Rule::NoRoom), "dN Nd dN dN dN dN dN dN"),
    ("all channels of its trunk in use", "arrived@0 channels_full", Some(Blocked), Some(Rule::NoRoom), "dN Nd dN dN dN dN dN dN"),
    ("no capacity", "arrived@0 no_capacity", Some(Blocked), Some(Rule::NoRoom), "dN Nd dN dN dN dN dN dN"),
    ("queue full, refused without a word", "arrived@0 asked queue_full", Some(Blocked), Some(Rule::RefusedUnheard), "dN Nd dN dN dN dN dN dN"),
    ("the one phone is busy", "arrived@0 asked_line offer phone_busy@300", Some(Blocked), Some(Rule::RefusedUnheard), "dN Nd dN dN dN dN dN dN"),
    ("the one phone does not answer", "arrived@0 asked_line offer no_answer@30000", Some(Blocked), Some(Rule::RefusedUnheard), "dN Nd dN dN dN dN dN dN"),
    ("the plan refuses the number", "arrived@0 phone_busy", Some(Blocked), Some(Rule::RefusedUnheard), "dN Nd dN dN dN dN dN dN"),
    ("to a number that is not counted, blocked", "uncounted@0 lines_full", Some(Blocked), Some(Rule::NoRoom), "-- -- -- -- -- -- -- --"),
    // 自動応答内離脱
    ("left in the greeting", "arrived@0 accepted menu greeting caller_hangs_up@4000", Some(MenuLeft), Some(Rule::HungUpInMenu), "-- -- -- Nd -- -- -- --"),
    ("left after a wrong key", "arrived@0 accepted menu greeting wrong@5000 caller_hangs_up@6000", Some(MenuLeft), Some(Rule::HungUpInMenu), "-- -- -- Nd -- -- -- --"),
    ("left within three seconds in the menu is not a short call", "arrived@0 accepted menu caller_hangs_up@1000", Some(MenuLeft), Some(Rule::HungUpInMenu), "-- -- -- Nd -- -- -- --"),
    ("left before the menu began", "arrived@0 caller_hangs_up@50", Some(MenuLeft), Some(Rule::HungUpInMenu), "-- -- -- Nd -- -- -- --"),
    ("left in the information message", "arrived@0 accepted information caller_hangs_up@2000", Some(MenuLeft), Some(Rule::HungUpInMenu), "-- -- -- Nd -- -- -- --"),
    // 自動応答完了
    ("information told to its end", "arrived@0 accepted menu key@3000 information menu_done@20000", Some(MenuServed), Some(Rule::AttendantDone), "-- -- -- -- -- -- -- --"),
    ("wrong keys too often", "arrived@0 accepted menu wrong@5000 menu wrong@12000 menu_done@20000", Some(MenuServed), Some(Rule::AttendantDone), "-- -- -- -- -- -- -- --"),
    ("no key at all", "arrived@0 accepted menu no_key@15000 menu no_key@30000 menu_done@33000", Some(MenuServed), Some(Rule::AttendantDone), "-- -- -- -- -- -- -- --"),
    ("the number is an information line", "arrived@0 accepted information menu_done@20000", Some(MenuServed), Some(Rule::AttendantDone), "-- -- -- -- -- -- -- --"),
    // 時間外
    ("after hours told to its end", "arrived@0 night accepted after_hours closed_told@15000", Some(Closed), Some(Rule::OutOfHours), "-- -- -- -- -- -- -- --"),
    ("after hours, hung up during it", "arrived@0 night accepted after_hours caller_hangs_up@4000", Some(Closed), Some(Rule::OutOfHours), "-- -- -- -- -- -- -- --"),
    ("holiday, hung up at once", "arrived@0 holiday caller_hangs_up@100", Some(Closed), Some(Rule::OutOfHours), "-- -- -- -- -- -- -- --"),
    ("at night all lines in use", "arrived@0 night lines_full", Some(Closed), Some(Rule::OutOfHours), "-- -- -- -- -- -- -- --"),
    ("at night into a menu that ends", "arrived@0 night accepted menu greeting menu_done@9000", Some(Closed), Some(Rule::OutOfHours), "-- -- -- -- -- -- -- --"),
    ("at night refused by the plan", "arrived@0 night phone_busy", Some(Closed), Some(Rule::OutOfHours), "-- -- -- -- -- -- -- --"),
    ("no message after hours", "arrived@0 night accepted dropped@20000 menu_done@25000", Some(Closed), Some(Rule::OutOfHours), "-- -- -- -- -- -- -- --"),
    // 伝言
    ("a message after hours", "arrived@0 night accepted message@20000 closed_told@25000", Some(MessageTaken), Some(Rule::MessageLeft), "-- -- -- -- Nd dd -- --"),
    ("a message, and the caller hangs up", "arrived@0 accepted menu key@4000 message@20000 caller_hangs_up@21000", Some(MessageTaken), Some(Rule::MessageLeft), "-- -- -- -- Nd dd -- --"),
    ("a message from the queue", "arrived@0 accepted asked queued busy message@60000 menu_done@65000", Some(MessageTaken), Some(Rule::MessageLeft), "-- -- -- -- Nd dd -- --"),
    ("called back from the queue", "arrived@0 accepted asked queued busy callback@60000 menu_done@65000", Some(MessageTaken), Some(Rule::CallbackAsked), "-- -- -- -- Nd dd -- --"),
    ("a restart after the wish was noted", "arrived@0 accepted menu callback@9000 restart@9100", Some(MessageTaken), Some(Rule::CallbackAsked), "-- -- -- -- Nd dd -- --"),
    ("a message, then the queue fills", "arrived@0 accepted asked queued message@60000 queue_full@65000", Some(MessageTaken), Some(Rule::MessageLeft), "-- -- -- -- Nd dd -- --"),
    ("in an approved excluded period, a message", "excluded@0 accepted asked queued busy message@60000", Some(MessageTaken), Some(Rule::MessageLeft), "-- -- -- -- -- -- -- --"),
    // 障害
    ("no media port", "arrived@0 fault", Some(Failed), Some(Rule::SystemFault), "Nd Nd -- Nd Nd Nd Nd Nd"),
    ("fault while waiting", "arrived@0 accepted asked queued busy fault@9000", Some(Failed), Some(Rule::SystemFault), "Nd Nd -- Nd Nd Nd Nd Nd"),
    ("restart in the menu", "arrived@0 accepted menu restart@9000", Some(Failed), Some(Rule::Restarted), "Nd Nd -- Nd Nd Nd Nd Nd"),
    ("restart while waiting after busy", "arrived@0 accepted asked queued busy restart@9000", Some(Failed), Some(Rule::Restarted), "Nd Nd -- Nd Nd Nd Nd Nd"),
    ("restart while ringing within three seconds", "arrived@0 asked offer restart@1000", Some(Failed), Some(Rule::Restarted), "Nd Nd -- Nd Nd Nd Nd Nd"),
    ("restart at night", "arrived@0 night accepted after_hours restart@9000", Some(Failed), Some(Rule::Restarted), "Nd Nd -- Nd Nd Nd Nd Nd"),
    ("hung up by us without a reason", "arrived@0 asked offer system_hangs_up@9000", Some(Failed), Some(Rule::NotTheCaller), "Nd Nd -- Nd Nd Nd Nd Nd"),
    ("hung up by an agent's side that never answered", "arrived@0 asked offer agent_hangs_up@9000", Some(Failed), Some(Rule::NotTheCaller), "Nd Nd -- Nd Nd Nd Nd Nd"),
    ("ended as a conversation that never was", "arrived@0 accepted passed_on@100", Some(Failed), Some(Rule::NoConversation), "Nd Nd -- Nd Nd Nd Nd Nd"),
    ("its time used up without a conversation", "arrived@0 asked offer time_used_up@9000", Some(Failed), Some(Rule::NoConversation), "Nd Nd -- Nd Nd Nd Nd Nd"),
    // no outcome yet
    ("still ringing", "arrived@0 asked offer", None, None, "-- -- -- -- -- -- -- --"),
    ("still in the menu", "arrived@0 accepted menu greeting", None, None, "-- -- -- -- -- -- -- --"),
];

fn arrived(counted: bool) -> CallEvent {
    CallEvent::Arrived {
        number: "0312345678".into(),
        caller: Caller { number: CallerNumber::Withheld, name: None, diverted_from: None },
        origin: Origin::Trunk("carrier".into()),
        counted,
    }
}

/// One word an event, as in the ladders of the documentation.
fn event(word: &str) -> CallEvent {
    let told = |purpose| CallEvent::Announced { prompt: PromptId::from("x"), purpose };
    let system = |cause| CallEvent::Ended { by: Party::System, cause };
    match word {
        // An exclusion is declared and approved for calls that begin with this word.
        "arrived" | "excluded" => arrived(true),
        "uncounted" => arrived(false),
        "night" => CallEvent::FoundClosed { why: Why::Night },
        "holiday" => CallEvent::FoundClosed { why: Why::Holiday { name: "海の日".into() } },
        "accepted" => CallEvent::Accepted,
        "message" => CallEvent::MessageLeft { mailbox: "post".into(), number: 1, length_ms: 9000 },
        "dropped" => CallEvent::MessageDropped { mailbox: "post".into(), number: 1 },
        "callback" => CallEvent::CallbackAsked {
            callback: "back".into(),
            group: "desk".into(),
            number: crate::base::Private::new("0398765432".to_owned()),
            entered: false,
            inside: false,
        },
        "menu" => CallEvent::MenuEntered { menu: "main".into() },
        "key" => CallEvent::KeyPressed { menu: "main".into(), key: '1' },
        "wrong" => CallEvent::KeyWrong { menu: "main".into(), key: '9' },
        "no_key" => CallEvent::MenuTimedOut { menu: "main".into() },
        "asked" => CallEvent::OperatorAsked { group: Some("desk".into()) },
        "asked_line" => CallEvent::OperatorAsked { group: None },
        "queued" => CallEvent::Queued { group: "desk".into(), position: 1 },
        "greeting" => told(Purpose::Greeting),
        "busy" => told(Purpose::Busy),
        "comfort" => told(Purpose::Comfort),
        "after_hours" => told(Purpose::AfterHours),
        "information" => told(Purpose::Information),
        "release" => told(Purpose::Release),
        "offer" => CallEvent::OfferMade { agent: "2001".into() },
        "rang_out" => CallEvent::OfferEnded { agent: "2001".into(), why: OfferEnd::RangOut },
        "refused" => {
            CallEvent::OfferEnded { agent: "2001".into(), why: OfferEnd::Refused { status: 486 } }
        }
        "answered" => CallEvent::OperatorAnswered { agent: "2001".into() },
        "transferred" => {
            CallEvent::Transferred { by: "2001".into(), to: "2002".into(), attended: true }
        }
        "returned" => CallEvent::Returned { agent: "2001".into() },
        "parked" => CallEvent::Parked { by: "2001".into(), slot: "701".into() },
        "fetched" => CallEvent::Unparked { slot: "701".into(), how: Unpark::Fetched, phone: None },
        "outside" => CallEvent::OverflowedOutside {
            group: "desk".into(),
            number: Private::new("0398765432".to_owned()),
            why: Overflowing::Waited,
        },
        "tried" => CallEvent::TrunkTried { trunk: "carrier".into() },
        "away" => CallEvent::AwayAnswered,
        "told" => CallEvent::AgentTold { agent: "2001".into(), prompt: "who".into() },
        "overflowed" => CallEvent::Overflowed { group: "desk".into(), why: Overflowing::Waited },
        "held" => CallEvent::Held { by: Party::Agent },
        "resumed" => CallEvent::Resumed { by: Party::Agent },
        "caller_hangs_up" => CallEvent::Ended { by: Party::Caller, cause: EndCause::HungUp },
        "agent_hangs_up" => CallEvent::Ended { by: Party::Agent, cause: EndCause::HungUp },
        "system_hangs_up" => system(EndCause::HungUp),
        "queue_full" => system(EndCause::QueueFull),
        "waited" => system(EndCause::WaitedTooLong),
        "menu_done" => system(EndCause::MenuDone),
        "closed_told" => system(EndCause::ClosedTold),
        "lines_full" => system(EndCause::LinesFull),
        "channels_full" => system(EndCause::ChannelsFull),
        "no_capacity" => system(EndCause::NoCapacity),
        "at_closing" => system(EndCause::ClosedWhileWaiting),
        "passed_on" => system(EndCause::Transferred),
        "time_used_up" => system(EndCause::TimeUsedUp),
        "no_answer" => system(EndCause::NotAnswered { status: 480 }),
        "phone_busy" => system(EndCause::NotAnswered { status: 486 }),
        "fault" => system(EndCause::Fault { what: "no media port".into() }),
        "restart" => system(EndCause::Restart),
        other => panic!("no such word: {other}"),
    }
}

/// `word@ms word@ms …`; a word without a time keeps the last one.
pub(super) fn timeline(text: &str) -> Vec<(u64, CallEvent)> {
    let mut t_ms = 0;
    text.split_whitespace()
        .map(|part| {
            let (word, at) = part.split_once('@').unwrap_or((part, ""));
            t_ms = at.parse().unwrap_or(t_ms);
            (t_ms, event(word))
        })
        .collect()
}

/// 2026-10-01T10:00:00+09:00.
const MORNING: i64 = 1_790_816_400_000;
const MINUTE: i64 = 60_000;

fn id(n: u64) -> CallId {
    CallId(uuid::Uuid::from_u64_pair(n, 0))
}

/// All calls of the table in one history.
fn history(policy: &Policy) -> Views {
    let mut views = Views::new(Setup {
        desk: "窓口".into(),
        demonstration: false,
        timezone: chrono_tz::Asia::Tokyo,
        policy: policy.clone(),
        agents: Vec::new(),
    });
    let mut fact = |at: i64, fact| {
        let seq = views.next_seq();
        views.apply(&Entry { seq, at: Wall(at), fact });
    };
    let (by, author) = (Means::Api, "佐藤".to_owned());
    let (from, until) = (Wall(MORNING - 60 * MINUTE), Wall(MORNING));
    let reason = "通信障害".to_owned();
    let entered = FiguresEvent::ExclusionEntered { exclusion: 1, from, until, reason, author, by };
    fact(MORNING, Fact::Figures { event: entered });
    let author = "鈴木".to_owned();
    let approved = FiguresEvent::ExclusionApproved { exclusion: 1, author, by };
    fact(MORNING, Fact::Figures { event: approved });
    for ((_, text, ..), n) in TABLE.iter().zip(1_u64..) {
        // In the hour that is left out, or in that after it.
        let hour = if text.starts_with("excluded") { MORNING - 60 * MINUTE } else { MORNING };
        let arrived_at = hour + i64::try_from(n).expect("a short table") * 1_000;
        for (t_ms, event) in timeline(text) {
            let at = arrived_at + i64::try_from(t_ms).expect("a short call");
            fact(at, Fact::Call { call: id(n), t_ms, event });
        }
    }
    views
}

/// The sign of a standing.
fn sign(standing: &Standing) -> char {
    match standing {
        Standing::Numerator => 'N',
        Standing::Total => 'd',
        Standing::Out { .. } => '-',
    }
}

#[test]
fn every_timeline_comes_to_its_outcome_by_its_rule_and_counts_where_the_contract_says() {
    let october: Month = "2026-10".parse().expect("a month");
    for (column, (setting, change)) in SETTINGS.iter().enumerate() {
        let mut policy = Policy::default();
        change(&mut policy);
        assert_eq!(policy.check(), Ok(()), "{setting}");
        let views = history(&policy);
        let behind = |figure| -> Vec<_> {
            views.behind((october.first(), october.last()), figure, |_, _| true).collect()
        };
        let (abandon, busy) = (behind(Figure::Abandon), behind(Figure::Busy));
        let mut sums = [Ratio::default(); 2];
        for ((name, text, outcome, rule, cells), n) in TABLE.iter().zip(1_u64..) {
            let due = cells.split(' ').nth(column).expect("a cell for every setting");
            let of = |figure: &[crate::view::Behind]| {
                figure.iter().find(|it| it.call == id(n)).cloned().expect("every call is listed")
            };
            let (no_5, no_6) = (of(&abandon), of(&busy));
            let found: String = [sign(&no_5.standing), sign(&no_6.standing)].into_iter().collect();
            assert_eq!(found, due, "{setting}: {name}: {text}");
            // The length of one ring decides between two outcomes; no other setting changes any.
            if policy.short_call_ms == Policy::default().short_call_ms {
                assert_eq!((no_5.outcome, no_5.rule), (*outcome, *rule), "{setting}: {name}");
            }
            for (sum, standing) in sums.iter_mut().zip([no_5.standing, no_6.standing]) {
                sum.part += u64::from(Side::Numerator.holds(&standing));
                sum.whole += u64::from(Side::Total.holds(&standing));
            }
        }
        // And the month's rates are these calls and no others.
        let figures = views.service_level(october).figures;
        let rates = [figures.abandon_rate.ratio, figures.busy_rate.ratio];
        assert_eq!(rates, sums, "{setting}");
    }
}

#[test]
fn the_table_has_every_outcome_every_rule_and_every_setting() {
    for outcome in Outcome::ALL {
        assert!(TABLE.iter().any(|(_, _, found, ..)| *found == Some(outcome)), "{outcome:?}");
    }
    for rule in Rule::ALL {
        let found = TABLE.iter().any(|(_, _, _, found, _)| *found == Some(rule));
        assert!(found, "{rule:?}");
    }
    let mut names: Vec<&str> = TABLE.iter().map(|(name, ..)| *name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a name is there once");
    for (name, .., cells) in TABLE {
        assert_eq!(cells.split(' ').count(), SETTINGS.len(), "{name}");
    }
    // Each setting moves something.
    let column = |cells: &'static str, column: usize| cells.split(' ').nth(column);
    for (n, (setting, _)) in SETTINGS.iter().enumerate().skip(1) {
        let moves = TABLE.iter().any(|(.., cells)| column(cells, n) != column(cells, 0));
        assert!(moves, "{setting}");
    }
}
