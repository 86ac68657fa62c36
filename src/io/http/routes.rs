//! Every address of the API in one table: who may, whose it must be, and what answers. The router is made of
//! it, so nothing is served that is not in it, and a test walks it with every role.

use super::{
    Server, api, attended, day, doors, figures, hours, in_call, login, operating, panel, parked,
    plan, recordings, sip, stream, talks,
};
use crate::people::Role;
use axum::Router;
use axum::http::Method;
use axum::routing::{delete, get, post};

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

macro_rules! routes {
    ($($method:ident $path:literal $least:ident $own:ident => $handler:path;)*) => {
        /// All of them.
        pub(super) const RIGHTS: &[Right] = &[$(Right {
            method: stringify!($method),
            path: $path,
            least: Role::$least,
            own: Own::$own,
        }),*];

        /// What serves them, without a look at who asks.
        pub(super) fn router() -> Router<Server> {
            Router::new()$(.route($path, $method($handler)))*
        }
    };
}

routes! {
    get "/api/v1/board" Wall Any => api::board;
    get "/api/v1/events" Wall Any => stream::events;
    get "/api/v1/me" Wall Any => login::me;
    post "/logout" Wall Any => login::logout;

    get "/metrics" Viewer Any => api::metrics;
    get "/api/v1/calls" Viewer Any => api::calls;
    get "/api/v1/calls/search" Viewer Any => day::search;
    get "/api/v1/calls/{id}" Viewer Any => api::call;
    get "/api/v1/calls/{id}/{form}" Viewer Any => sip::of_call;
    get "/api/v1/placed-calls" Viewer Any => api::placed_calls;
    get "/api/v1/agents" Viewer Any => api::agents;
    get "/api/v1/parked" Viewer Any => parked::list;
    get "/api/v1/messages" Viewer Any => attended::messages;
    get "/api/v1/callbacks" Viewer Any => attended::callbacks;
    get "/api/v1/hours" Viewer Any => hours::shown;
    get "/api/v1/trunks" Viewer Any => api::trunks;
    get "/api/v1/blocked" Viewer Any => doors::blocked;
    get "/api/v1/sip/messages" Viewer Any => sip::messages;
    get "/api/v1/sip/events" Viewer Any => sip::events;
    get "/api/v1/service-level" Viewer Any => api::service_level;
    get "/api/v1/operating" Viewer Any => operating::shown;
    get "/api/v1/exclusions" Viewer Any => figures::exclusions;
    get "/api/v1/figures/{figure}/calls" Viewer Any => figures::behind;

    post "/api/v1/agents/{extension}/{action}" Agent Line => api::order;
    post "/api/v1/calls/{id}/recording/{action}" Agent Call => recordings::order;
    post "/api/v1/calls/{id}/park" Agent Call => parked::park;
    post "/api/v1/calls/{id}/talk/{action}" Agent Call => in_call::order;
    post "/api/v1/calls/{id}/third" Agent Call => talks::add;
    delete "/api/v1/calls/{id}/third" Agent Call => talks::drop;
    get "/api/v1/panel/{extension}" Agent Line => panel::shown;
    get "/api/v1/panel/{extension}/events" Agent Line => panel::events;
    post "/api/v1/calls/{id}/notes" Agent Body => panel::note;
    post "/api/v1/parked/{slot}/fetch" Agent Body => parked::fetch;
    get "/api/v1/calls/{id}/recordings/{number}" Agent Message => recordings::fetch;
    post "/api/v1/messages/{call}/{number}/{action}" Agent Any => attended::mark;
    delete "/api/v1/messages/{call}/{number}" Agent Any => attended::delete;
    delete "/api/v1/callbacks/{call}" Agent Any => attended::cancel;

    get "/api/v1/recordings" Supervisor Any => recordings::of_day;
    get "/api/v1/orders" Supervisor Any => api::orders;
    post "/api/v1/calls/{id}/queue/first" Supervisor Any => in_call::put_first;
    post "/api/v1/supervision" Supervisor Body => talks::supervise;
    post "/api/v1/hours/{number}/{action}" Supervisor Any => hours::order;
    post "/api/v1/exclusions" Supervisor Any => figures::enter;
    post "/api/v1/exclusions/{number}/{action}" Supervisor Any => figures::judge;
    post "/api/v1/months/{month}/close" Supervisor Any => figures::close;

    get "/api/v1/months/{month}/report" Supervisor Any => plan::report;
    get "/api/v1/plan" Supervisor Any => plan::shown;
    post "/api/v1/plan/check" Supervisor Any => plan::check;

    post "/api/v1/plan/activate" Admin Any => plan::activate;
    delete "/api/v1/blocked/{source}" Admin Any => doors::let_in;
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
