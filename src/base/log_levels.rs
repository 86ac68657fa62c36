//! How much the operator's log says, room by room: what is configured, what a person ordered for a while, and what
//! comes of both. Knows no log; time is handed in.

use super::Mono;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// How much is said; each holds all before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// What somebody must mend.
    Error,
    /// What somebody should know, and what mends itself.
    Warn,
    /// What changed.
    #[default]
    Info,
    /// Each step of each call, and why something was tried again.
    Debug,
    /// As much as there is.
    Trace,
}

impl LogLevel {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// Lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// By its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// Rooms that the log distinguishes: each line is of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogRoom {
    /// What happens to each call: the history's entries, as they are written.
    Call,
    /// The start, the end, the engine's loop, reloads, certificates.
    Desk,
    /// SIP sockets and connections.
    Net,
    /// Pages and API.
    Http,
    /// The journal, its snapshot, the hash chain, erasing.
    Store,
    /// The history's copy in the site's store.
    Site,
    /// Recordings.
    Recording,
    /// Ticket systems.
    Tickets,
    /// Early warnings that are told to people outside.
    Warning,
    /// The site's identity provider.
    SignOn,
    /// The copy of SIP messages for a collector.
    Trace,
}

impl LogRoom {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Call,
        Self::Desk,
        Self::Net,
        Self::Http,
        Self::Store,
        Self::Site,
        Self::Recording,
        Self::Tickets,
        Self::Warning,
        Self::SignOn,
        Self::Trace,
    ];

    /// As it stands in the log, in the configuration and in an order.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Desk => "desk",
            Self::Net => "net",
            Self::Http => "http",
            Self::Store => "store",
            Self::Site => "site",
            Self::Recording => "recording",
            Self::Tickets => "tickets",
            Self::Warning => "warning",
            Self::SignOn => "sign_on",
            Self::Trace => "trace",
        }
    }

    /// By its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|room| room.name() == name)
    }

    /// The modules whose lines are this room's; one that names more of the path goes before one that names less.
    #[must_use]
    pub const fn targets(self) -> &'static [&'static str] {
        match self {
            Self::Call => &["madoguchi::call"],
            Self::Desk => &["madoguchi"],
            Self::Net => &["madoguchi::io::net", "madoguchi::io::dns"],
            Self::Http => &["madoguchi::io::http", "madoguchi::io::telemetry"],
            Self::Store => &[
                "madoguchi::io::store",
                "madoguchi::daemon::past",
                "madoguchi::daemon::keeper",
                "madoguchi::daemon::retention",
            ],
            Self::Site => &["madoguchi::io::store::site"],
            Self::Recording => &["madoguchi::io::recording"],
            Self::Tickets => &["madoguchi::daemon::feeding", "madoguchi::io::deliver"],
            Self::Warning => &["madoguchi::daemon::warning"],
            Self::SignOn => &["madoguchi::daemon::sign_on", "madoguchi::io::http::sign_on"],
            Self::Trace => &["madoguchi::io::trace"],
        }
    }

    /// Whose a module's lines are; none of another program's module.
    #[must_use]
    pub fn of(module: &str) -> Option<Self> {
        let within = |target: &&str| {
            let rest = module.strip_prefix(*target);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        let longest =
            |room: Self| room.targets().iter().filter(|it| within(it)).map(|it| it.len()).max();
        let rooms = Self::ALL.into_iter().filter_map(|room| Some((longest(room)?, room)));
        rooms.max().map(|(_, room)| room)
    }
}

impl fmt::Display for LogRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text says no levels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{found}\" is no level of the log; due are LEVEL or ROOM=LEVEL, separated by commas, with error, warn, info, debug or trace"
)]
pub struct NoLevels {
    /// The part that is wrong.
    pub found: String,
}

/// What is configured: a level for all rooms, and other ones for some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogLevels {
    /// Of rooms that have none of their own.
    pub all: LogLevel,
    /// Of these rooms.
    pub rooms: BTreeMap<LogRoom, LogLevel>,
}

impl LogLevels {
    /// The level of a room.
    #[must_use]
    pub fn of(&self, room: LogRoom) -> LogLevel {
        self.rooms.get(&room).copied().unwrap_or(self.all)
    }
}

impl FromStr for LogLevels {
    type Err = NoLevels;

    /// `info`, `debug,net=info`, `store=debug`. A module's path stands for its room: `madoguchi::io::net=debug`.
    fn from_str(text: &str) -> Result<Self, NoLevels> {
        let mut levels = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = || NoLevels { found: part.to_owned() };
            let (room, level) = part.split_once('=').unwrap_or(("all", part));
            let level = LogLevel::from_name(level.trim()).ok_or_else(wrong)?;
            match room.trim() {
                "all" | "madoguchi" => levels.all = level,
                name => {
                    let room = LogRoom::from_name(name).or_else(|| LogRoom::of(name));
                    levels.rooms.insert(room.ok_or_else(wrong)?, level);
                }
            }
        }
        Ok(levels)
    }
}

impl fmt::Display for LogLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.all.name())?;
        self.rooms.iter().try_for_each(|(room, level)| write!(f, ",{room}={}", level.name()))
    }
}

/// What is in force: what is configured, and orders that end by themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogInForce {
    configured: LogLevels,
    orders: BTreeMap<LogRoom, (LogLevel, Mono)>,
}

impl LogInForce {
    /// Takes another configuration; orders stand until their time is over.
    pub fn configure(&mut self, levels: LogLevels) {
        self.configured = levels;
    }

    /// A person's order for one room, or without one for all, until then.
    pub fn order(&mut self, room: Option<LogRoom>, level: LogLevel, until: Mono) {
        let rooms = LogRoom::ALL.into_iter().filter(|it| room.is_none_or(|room| room == *it));
        self.orders.extend(rooms.map(|room| (room, (level, until))));
    }

    /// Ends all orders; whether there were any.
    pub fn end_orders(&mut self) -> bool {
        !std::mem::take(&mut self.orders).is_empty()
    }

    /// Ends the orders whose time is over; whether there were any.
    pub fn look(&mut self, now: Mono) -> bool {
        let before = self.orders.len();
        self.orders.retain(|_, (_, until)| *until > now);
        self.orders.len() != before
    }

    /// A room's level, that of the configuration, and when an order for it ends.
    #[must_use]
    pub fn of(&self, room: LogRoom) -> (LogLevel, LogLevel, Option<Mono>) {
        let configured = self.configured.of(room);
        match self.orders.get(&room) {
            Some((level, until)) => (*level, configured, Some(*until)),
            None => (configured, configured, None),
        }
    }

    /// The same as directives of a log's filter, `madoguchi::io::net=debug`. Crates of others never say more than
    /// `info`: what they know of a message is not ours to judge.
    #[must_use]
    pub fn directives(&self) -> String {
        let mut text = self.configured.all.min(LogLevel::Info).name().to_owned();
        for room in LogRoom::ALL {
            let level = self.of(room).0.name();
            for target in room.targets() {
                text.push_str(&format!(",{target}={level}"));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_of_the_room_that_names_most_of_its_path() {
        let table = [
            ("madoguchi::daemon::reload", Some(LogRoom::Desk)),
            ("madoguchi::daemon::feeding::hand", Some(LogRoom::Tickets)),
            ("madoguchi::daemon::feedings", Some(LogRoom::Desk)),
            ("madoguchi::io::store::write", Some(LogRoom::Store)),
            ("madoguchi::io::store::site::copying", Some(LogRoom::Site)),
            ("madoguchi::io::http::sign_on", Some(LogRoom::SignOn)),
            ("madoguchi::call", Some(LogRoom::Call)),
            ("sqlx::query", None),
            ("madoguchikun", None),
        ];
        for (module, room) in table {
            assert_eq!(LogRoom::of(module), room, "{module}");
        }
    }

    #[test]
    fn levels_are_read_and_shown_and_a_wrong_one_is_named() {
        let table = [
            ("", "info"),
            ("debug", "debug"),
            ("warn,net=debug, store=trace", "warn,net=debug,store=trace"),
            ("net=debug", "info,net=debug"),
            ("net=debug,all=warn", "warn,net=debug"),
            ("madoguchi::io::net::stream=debug,madoguchi=warn", "warn,net=debug"),
        ];
        for (text, shown) in table {
            assert_eq!(text.parse::<LogLevels>().map(|it| it.to_string()), Ok(shown.into()));
        }
        for (text, found) in [
            ("loud", "loud"),
            ("info,nett=debug", "nett=debug"),
            ("net=", "net="),
            ("sqlx=debug", "sqlx=debug"),
        ] {
            let error = text.parse::<LogLevels>().expect_err(text);
            assert_eq!(error.found, found);
            assert!(error.to_string().contains("due"), "{error}");
        }
    }

    #[test]
    fn an_order_holds_for_its_time_and_what_is_configured_comes_back() {
        let mut it = LogInForce::default();
        it.configure("info,store=warn".parse().expect("levels"));
        it.order(Some(LogRoom::Store), LogLevel::Trace, Mono(60));
        it.order(Some(LogRoom::Net), LogLevel::Debug, Mono(90));
        let configured = LogLevel::Warn;
        assert_eq!(it.of(LogRoom::Store), (LogLevel::Trace, configured, Some(Mono(60))));
        assert!(!it.look(Mono(59)) && it.look(Mono(60)));
        assert_eq!(it.of(LogRoom::Store), (configured, configured, None));
        assert_eq!(it.of(LogRoom::Net).0, LogLevel::Debug);
        assert!(it.end_orders() && !it.end_orders());
        it.order(None, LogLevel::Error, Mono(100));
        assert!(LogRoom::ALL.iter().all(|room| it.of(*room).0 == LogLevel::Error));
        // A new configuration ends no order.
        it.configure(LogLevels::default());
        assert_eq!(it.of(LogRoom::Call).0, LogLevel::Error);
    }

    #[test]
    fn crates_of_others_say_no_more_than_info() {
        let mut it = LogInForce::default();
        it.configure("trace".parse().expect("levels"));
        let directives = it.directives();
        assert!(directives.starts_with("info,") && directives.contains("madoguchi::call=trace"));
        it.configure("error,net=debug".parse().expect("levels"));
        let directives = it.directives();
        assert!(
            directives.starts_with("error,") && directives.contains("madoguchi::io::net=debug")
        );
    }
}
