//! Every address of the API in one table: who may, whose it must be, and what answers. The router is made of
//! it, so nothing is served that is not in it, and a test walks it with every role. The description of the API
//! (`openapi`) is made of it too.

use super::about::{self, About};
use super::health::{self, Health, HealthPage, Probe};
use super::{
    Erasure, Server, api, attended, day, doors, drain, erasures, figures, hours, in_call,
    incidents, log, login, openapi, operating, panel, parked, plan, planning, recordings, reload,
    sip, stream, talks, ticketing,
};
use crate::base::LogLevel;
use crate::people::Role;
use crate::view::{Board, Figure, IncidentRow, MonthFigures, Operating, Panel};
use axum::Router;
use axum::http::Method;
use axum::routing::{delete, get, post, put};

/// Whose what is named must be, when who asks is an agent. Supervisors and administrators may all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// Nobody's, or everybody's.
    Any,
    /// `{extension}` must be the own line.
    Line,
    /// The caller of `{id}` must be with the own line now.
    Call,
    /// What the body names must be the own line: the handler looks.
    Body,
    /// `{id}` and `{number}` must be a voice message.
    Message,
}

impl Own {
    /// In words, for the description of the API.
    pub(super) fn said(self) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::Line => Some("the own line only"),
            Self::Call => Some("only while the own line talks with the caller"),
            Self::Body => Some("what the body names must be the own line"),
            Self::Message => Some("only a voice message"),
        }
    }
}

/// What an address is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Right {
    /// Lower case.
    pub(super) method: &'static str,
    /// As the router has it.
    pub(super) path: &'static str,
    /// The least role that may.
    pub(super) least: Role,
    /// For an agent.
    pub(super) own: Own,
}

/// What an address is for, and what it reads and answers.
pub(super) struct Route {
    /// Lower case.
    pub(super) method: &'static str,
    /// As the router has it.
    pub(super) path: &'static str,
    /// A few words.
    pub(super) summary: &'static str,
    /// Parameters, body, answers.
    pub(super) about: fn() -> About,
}

/// Nothing is in the router that does not say what it is, who may, and what it reads and answers.
macro_rules! routes {
    (
        open { $($open_method:ident $open_path:literal => $open_handler:path, $open_summary:literal, $open_about:expr;)* }
        closed { $($method:ident $path:literal $least:ident $own:ident => $handler:path, $summary:literal, $about:expr;)* }
    ) => {
        /// Those that are open to all; the pages are no part of the API.
        pub(super) const OPEN: &[Route] = &[$(Route {
            method: stringify!($open_method),
            path: $open_path,
            summary: $open_summary,
            about: || $open_about,
        }),*];

        /// All others.
        pub(super) const RIGHTS: &[Right] = &[$(Right {
            method: stringify!($method),
            path: $path,
            least: Role::$least,
            own: Own::$own,
        }),*];

        /// The same ones in the same order.
        pub(super) const ROUTES: &[Route] = &[$(Route {
            method: stringify!($method),
            path: $path,
            summary: $summary,
            about: || $about,
        }),*];

        /// What serves those that are open.
        pub(super) fn open_router() -> Router<Server> {
            Router::new()$(.route($open_path, $open_method($open_handler)))*
        }

        /// What serves the others, without a look at who asks.
        pub(super) fn router() -> Router<Server> {
            Router::new()$(.route($path, $method($handler)))*
        }
    };
}

/// What a recording or a trace comes as.
const SOUND: &[&str] = &["audio/wav", "audio/ogg", "application/octet-stream"];
const FORMS: &[&str] = &["text/plain", "text/html", "application/vnd.tcpdump.pcap"];

routes! {
    open {
        get "/healthz" => health::whole, "whether the desk is well, and why not",
            About::json::<HealthPage>().or_with::<HealthPage>(503);
        get "/healthz/live" => health::live, "whether its threads go on: if not, only a new process serves callers",
            About::json::<Probe>().or_with::<Probe>(503);
        get "/healthz/ready" => health::ready, "whether callers may be sent here",
            About::json::<Probe>().or_with::<Probe>(503);
        post "/login" => login::login, "a name and password, or a token, for a cookie",
            About::leads_on().form::<login::Login>().or_page(401).or_page(429).or(&[403, 503]);
    }
    closed {
        get "/api/v1/openapi.json" Wall Any => openapi::shown, "this description",
            About::json::<about::Description>();
        get "/api/v1/board" Wall Any => api::board, "all that the wallboard shows, at this instant",
            About::json::<Board>();
        get "/api/v1/events" Wall Any => stream::events, "the board whenever it changed",
            About::stream().event::<Board>("board").event::<Health>("beat").or(&[503]);
        get "/api/v1/tonight" Wall Any => planning::tonight, "what today comes to by tonight, if who is there stays",
            About::json::<planning::TonightShown>();
        get "/api/v1/me" Wall Any => login::me, "who one is here",
            About::json::<login::Me<'static>>();
        post "/logout" Wall Any => login::logout, "takes the cookies back",
            About::leads_on();

        get "/metrics" Viewer Any => api::metrics, "the metrics, for Prometheus",
            About::file(&["text/plain"]);
        get "/api/v1/calls" Viewer Any => api::calls, "calls in progress and the last ended ones, the newest first",
            About::json::<api::Calls>().query::<api::CallsWanted>();
        get "/api/v1/calls/search" Viewer Any => day::search, "calls of a day of the whole journal, the newest first",
            About::json::<day::OfDay>().query::<day::DayWanted>().or(&[503]);
        get "/api/v1/calls/{id}" Viewer Any => api::call, "one call of the whole journal, with its ladder",
            About::json::<api::OneCall>().or(&[503]);
        get "/api/v1/calls/{id}/{form}" Viewer Any => sip::of_call, "a call's SIP messages",
            About::file(FORMS).among("form", &["ladder.txt", "ladder.html", "sip.pcap"]).query::<sip::Wanted>().or(&[500]);
        get "/api/v1/placed-calls" Viewer Any => api::placed_calls, "what our phones dialled outside",
            About::json::<api::PlacedCalls>();
        get "/api/v1/agents" Viewer Any => api::agents, "agents",
            About::json::<api::Agents>();
        get "/api/v1/parked" Viewer Any => parked::list, "callers in a slot, those longest there first",
            About::json::<parked::Slots>();
        get "/api/v1/messages" Viewer Any => attended::messages, "voice messages, the newest first",
            About::json::<attended::Messages>();
        get "/api/v1/callbacks" Viewer Any => attended::callbacks, "wishes to be called back",
            About::json::<attended::Callbacks>();
        get "/api/v1/hours" Viewer Any => hours::shown, "closings and openings out of turn that hold",
            About::json::<hours::Hours>();
        get "/api/v1/trunks" Viewer Any => api::trunks, "how the carriers are that we reach ourselves",
            About::json::<api::Trunks>();
        get "/api/v1/blocked" Viewer Any => doors::blocked, "sources that are not listened to",
            About::json::<doors::Shut>();
        get "/api/v1/sip/messages" Viewer Any => sip::messages, "SIP messages that are kept, the oldest first",
            About::json::<sip::Messages>().query::<sip::Wanted>().or(&[500]);
        get "/api/v1/sip/events" Viewer Any => sip::events, "SIP messages as they pass",
            About::stream().event::<sip::Shown>("sip").event::<sip::Lost>("lost").event::<sip::Beat>("beat")
                .query::<sip::Wanted>().or(&[503]);
        get "/api/v1/service-level" Viewer Any => api::service_level, "a month's figures, as counted now and as closed",
            About::json::<MonthFigures>().query::<api::MonthWanted>();
        get "/api/v1/operating" Viewer Any => operating::shown, "operating figures of any span",
            About::json::<Operating>().or_as("text/csv").query::<operating::Asked>();
        get "/api/v1/exclusions" Viewer Any => figures::exclusions, "periods left out of the figures",
            About::json::<figures::Exclusions>();
        get "/api/v1/figures/{figure}/calls" Viewer Any => figures::behind, "the calls behind a figure",
            About::json::<figures::Listed>().among("figure", &Figure::ALL.map(Figure::name)).query::<figures::Wanted>();

        post "/api/v1/agents/{extension}/{action}" Agent Line => api::order, "an order about an agent",
            About::done().among("action", &["sign-in", "sign-out", "pause", "unpause", "wrap-up-longer", "wrap-up-end"])
                .may_have::<api::Order>().or(&[409]);
        post "/api/v1/calls/{id}/recording/{action}" Agent Call => recordings::order, "an order about a call's recording",
            About::done().among("action", &["start", "stop", "pause", "resume"]).or(&[409]);
        post "/api/v1/calls/{id}/park" Agent Call => parked::park, "parks the caller of a talk",
            About::done().may_have::<parked::Where>().or(&[409]);
        post "/api/v1/calls/{id}/talk/{action}" Agent Call => in_call::order, "what the agent of a talk does with its caller",
            About::done().among("action", &["transfer", "consult", "swap", "back", "join"]).may_have::<in_call::To>().or(&[409]);
        post "/api/v1/calls/{id}/third" Agent Call => talks::add, "adds somebody to a talk",
            About::done().body::<talks::Third>().or(&[409]);
        delete "/api/v1/calls/{id}/third" Agent Call => talks::drop, "lets the third leave",
            About::done().or(&[409]);
        get "/api/v1/panel/{extension}" Agent Line => panel::shown, "all that an agent's panel shows, at this instant",
            About::json::<Panel>();
        get "/api/v1/panel/{extension}/events" Agent Line => panel::events, "the panel whenever it changed",
            About::stream().event::<Panel>("panel").event::<Health>("beat").or(&[503]);
        post "/api/v1/calls/{id}/notes" Agent Body => panel::note, "writes a note on a call",
            About::done().body::<panel::Wanted>().or(&[409]);
        post "/api/v1/parked/{slot}/fetch" Agent Body => parked::fetch, "brings a parked caller to an agent",
            About::done().body::<parked::Whom>().or(&[409]);
        get "/api/v1/calls/{id}/recordings/{number}" Agent Message => recordings::fetch, "a recording that is whole, or a range of it",
            About::file(SOUND).counted("number").or_part().or(&[412, 416, 500, 503]);
        post "/api/v1/messages/{call}/{number}/{action}" Agent Any => attended::mark, "marks a voice message",
            About::done().counted("number").among("action", &["heard", "unheard"]).or(&[409]);
        delete "/api/v1/messages/{call}/{number}" Agent Any => attended::delete, "deletes a voice message with its recording",
            About::done().counted("number").or(&[409]);
        delete "/api/v1/callbacks/{call}" Agent Any => attended::cancel, "cancels a wish to be called back",
            About::done().or(&[409]);

        get "/api/v1/callers/{number}" Agent Any => ticketing::caller, "who has a number, and his or her open tickets",
            About::json::<ticketing::Caller>().called("number");
        get "/api/v1/calls/{id}/incident" Agent Any => incidents::of_call, "a call's incident in the ledger",
            About::json::<incidents::CallIncident>();
        get "/api/v1/incidents" Agent Any => incidents::list, "the ledger of incidents, the newest first",
            About::json::<incidents::Incidents>().query::<incidents::Wanted>();
        get "/api/v1/incidents/{incident}" Agent Any => incidents::one, "one incident of the ledger",
            About::json::<IncidentRow>().counted("incident");
        post "/api/v1/incidents" Agent Any => incidents::open, "writes an incident that came by another way than a call",
            About::done().body::<incidents::Written>().or(&[409]);
        put "/api/v1/incidents/{incident}" Agent Any => incidents::change, "writes how an incident stands",
            About::done().counted("incident").body::<incidents::Written>().or(&[409]);

        get "/api/v1/drain" Viewer Any => drain::shown, "whether the desk is to end once its calls have, and how many are left",
            About::json::<drain::Shown>();
        get "/api/v1/log" Viewer Any => log::shown, "how much the operator's log says, by room",
            About::json::<log::Shown>();
        get "/api/v1/tickets" Viewer Any => ticketing::targets, "how the ticket systems stand",
            About::json::<ticketing::Targets>();
        get "/api/v1/tickets/{target}/outbox" Supervisor Any => ticketing::outbox, "calls of which a ticket system has not got everything",
            About::json::<ticketing::Outbox>().named("target").query::<ticketing::Wanted>();
        get "/api/v1/tickets/{target}/outbox/{id}" Supervisor Any => ticketing::preview, "what a ticket system is handed next of a call",
            About::json::<ticketing::Handover>().named("target");
        get "/api/v1/tickets/{target}/sheet" Supervisor Any => ticketing::sheet, "the calls that a ticket system has not got, to be printed or as CSV",
            About::file(&["text/html", "text/csv"]).named("target").query::<ticketing::Form>();
        post "/api/v1/tickets/{target}/retry" Supervisor Any => ticketing::retry_all, "all that waits for a ticket system is tried at once",
            About::done().named("target").may_have::<ticketing::Again>();
        post "/api/v1/tickets/{target}/outbox/{id}/{action}" Supervisor Any => ticketing::order, "an order about what a ticket system has not got of a call",
            About::done().named("target").among("action", &["retry", "discard", "edit", "adopt"])
                .may_have::<ticketing::Order>().or(&[409]);
        get "/api/v1/recordings" Supervisor Any => recordings::of_day, "a day's calls that were recorded, the newest first",
            About::json::<day::OfDay>().query::<day::DayWanted>().or(&[503]);
        get "/api/v1/orders" Supervisor Any => api::orders, "who came, and who ordered what, the newest first",
            About::json::<api::Orders>();
        post "/api/v1/calls/{id}/queue/first" Supervisor Any => in_call::put_first, "a waiting call is served before all others of its group",
            About::done().or(&[409]);
        get "/api/v1/months/{month}/report" Supervisor Any => plan::report, "the month's report as files",
            About::json::<plan::Files>().or_as("text/html").or_as("application/pdf").or_as("text/csv").query::<plan::Wanted>().or(&[503]);
        get "/api/v1/planning" Supervisor Any => planning::shown, "the last question about a month's agents, and how it stands",
            About::json::<planning::Planning>();
        post "/api/v1/planning" Supervisor Any => planning::ask, "asks what a roster comes to, and how many agents and lines are enough",
            About::done().body::<planning::PlanningWanted>().or(&[409, 500]);
        delete "/api/v1/planning" Supervisor Any => planning::call_off, "calls the question off that is being answered",
            About::done().or(&[409]);
        get "/api/v1/plan" Supervisor Any => plan::shown, "the plan as a file",
            About::json::<plan::PlanText>().or(&[500, 503]);
        post "/api/v1/plan/check" Supervisor Any => plan::check, "what is wrong with a plan",
            About::json::<plan::Checked>().body::<plan::Text>().or(&[500]);
        post "/api/v1/plan/effect" Supervisor Any => plan::effect, "which calls of the last 31 days would go another way under a plan",
            About::json::<plan::PlanEffect>().body::<plan::Text>().or_with::<plan::Checked>(422).or(&[409, 500, 503]);
        post "/api/v1/supervision" Supervisor Body => talks::supervise, "a supervisor hears a talk, in another way, or no longer",
            About::done().body::<talks::Wish>().or(&[404, 409]);
        post "/api/v1/hours/{number}/{action}" Supervisor Any => hours::order, "closes or opens a number out of turn, or `all`",
            About::done().named("number").among("action", &["open", "close", "disaster", "restore"])
                .body::<hours::Order>().or(&[409]);
        post "/api/v1/exclusions" Supervisor Any => figures::enter, "enters a period to be left out of the figures",
            About::made::<figures::Entered>().body::<figures::Period>().or(&[409]);
        post "/api/v1/exclusions/{number}/{action}" Supervisor Any => figures::judge, "approves or withdraws a period",
            About::done().counted("number").among("action", &["approve", "withdraw"]).body::<figures::Word>().or(&[409]);
        post "/api/v1/months/{month}/close" Supervisor Any => figures::close, "fixes a month's figures",
            About::made::<figures::Closed>().body::<figures::Word>().or(&[409]);

        post "/api/v1/plan/activate" Admin Any => plan::activate, "puts a plan in force",
            About::json::<plan::Checked>().body::<plan::Activation>().or_with::<plan::Checked>(422).or(&[409, 500, 503]);
        get "/api/v1/reload" Admin Any => reload::look, "what reading the changed files again would change",
            About::json::<reload::Shown>().or(&[500]);
        post "/api/v1/reload" Admin Any => reload::take_over, "reads the changed files again, all or nothing",
            About::json::<reload::Shown>().or_with::<reload::Shown>(422).or(&[500]);
        post "/api/v1/drain" Admin Any => drain::order, "callers are refused, and the desk ends once its calls have, or after so many minutes",
            About::done().query::<drain::Within>();
        delete "/api/v1/drain" Admin Any => drain::call_off, "callers are let in again",
            About::done().or(&[409]);
        post "/api/v1/log/{room}/{level}" Admin Any => log::order, "the log says so much of a room, or of `all`, for a while",
            About::done().among("room", &log::rooms()).among("level", &LogLevel::ALL.map(LogLevel::name))
                .query::<log::Lasts>();
        delete "/api/v1/log" Admin Any => log::end, "the log says as much as is configured",
            About::done();
        post "/api/v1/erasures" Admin Any => erasures::erase, "erases a person's numbers, names, words and recordings, and proves it",
            About::json::<Erasure>().body::<erasures::Wanted>().or(&[503]);
        delete "/api/v1/blocked/{source}" Admin Any => doors::let_in, "lets a source in again",
            About::done();
    }
}

/// Who may what a description is of; none when it is open to all.
pub(super) fn of(route: &Route) -> Option<Right> {
    let is_it = |right: &&Right| (right.method, right.path) == (route.method, route.path);
    RIGHTS.iter().find(is_it).copied()
}

/// What is due at a route of the router; a HEAD is due what its GET is.
pub(super) fn right(method: &Method, path: &str) -> Option<Right> {
    let method = if *method == Method::HEAD { Method::GET } else { method.clone() };
    let method = method.as_str().to_ascii_lowercase();
    RIGHTS.iter().copied().find(|right| right.method == method && right.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_only_looks_changes_nothing_but_may_leave() {
        for right in RIGHTS {
            let changes = right.method != "get";
            let leaves = right.path == "/logout";
            assert!(!changes || leaves || right.least >= Role::Agent, "{right:?}");
            let names = |part: &str| right.path.contains(part);
            match right.own {
                Own::Any => {}
                Own::Line => assert!(names("{extension}"), "{right:?}"),
                Own::Call | Own::Message => assert!(names("{id}"), "{right:?}"),
                Own::Body => assert_eq!(right.method, "post"),
            }
        }
    }

    #[test]
    fn no_address_stands_twice_and_what_is_not_there_has_no_right() {
        for (at, right) in RIGHTS.iter().enumerate() {
            let same = |other: &&Right| (other.method, other.path) == (right.method, right.path);
            assert!(RIGHTS.iter().skip(at + 1).find(same).is_none(), "{right:?}");
        }
        assert_eq!(right(&Method::PUT, "/api/v1/calls"), None);
        assert_eq!(right(&Method::GET, "/api/v1/call"), None);
        assert!(right(&Method::HEAD, "/metrics").is_some());
    }
}
