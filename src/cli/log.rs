//! `madoguchi log`: how much the running desk's log says, and an order that it say more, or less, for a while.

use super::Reply;
use super::reach::{Reach, failed};
use crate::base::{LogLevel, LogLevels, LogRoom};
use crate::dialplan::Lang;
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;

/// Without levels: every room with its own. Ends with 0 when it was done or shown, 1 when the desk cannot be asked
/// or does not do it, 2 when the command itself was wrong.
#[derive(Clone, Debug, Args)]
pub struct Log {
    /// A level for all rooms, or ROOM=LEVEL: error, warn, info, debug, trace. What comes later goes before what came
    /// earlier. The history notes who ordered what.
    #[arg(value_name = "LEVEL|ROOM=LEVEL", value_parser = order)]
    orders: Vec<(Option<LogRoom>, LogLevel)>,
    /// So long; then what is configured holds again.
    #[arg(long, value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=1440))]
    minutes: u16,
    /// Ends all orders now.
    #[arg(long, conflicts_with = "orders")]
    reset: bool,
    #[command(flatten)]
    reach: Reach,
}

fn order(text: &str) -> Result<(Option<LogRoom>, LogLevel), String> {
    let levels: LogLevels = text.parse().map_err(|wrong| format!("{wrong}"))?;
    match levels.rooms.iter().next() {
        _ if text.contains(',') || text.is_empty() => {
            Err("due is one LEVEL or ROOM=LEVEL; several are separated by spaces".to_owned())
        }
        Some((room, level)) => Ok((Some(*room), *level)),
        None => Ok((None, levels.all)),
    }
}

/// Shows or orders.
#[must_use]
pub fn log(arguments: &Log) -> ExitCode {
    done(arguments).unwrap_or_else(|reply| reply).finish()
}

fn done(arguments: &Log) -> Result<Reply, Reply> {
    let (client, lang) = arguments.reach.client()?;
    let ask = |method: &str, path: &str| client.ask(method, path).map_err(|it| failed(&it, lang));
    if arguments.reset {
        ask("DELETE", "/api/v1/log")?;
    }
    for (room, level) in &arguments.orders {
        let (room, level) = (room.map_or("all", LogRoom::name), level.name());
        ask("POST", &format!("/api/v1/log/{room}/{level}?minutes={}", arguments.minutes))?;
    }
    let answer = ask("GET", "/api/v1/log")?;
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    Ok(Reply { out: shown(&json, lang), ..Reply::default() })
}

/// One line a room.
fn shown(json: &Value, lang: Lang) -> String {
    let rooms = json.get("rooms").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let line = |row: &Value| {
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
        let (room, level, configured) = (text("room"), text("level"), text("configured"));
        let order = row.get("left_s").and_then(Value::as_u64).map(|left_s| {
            let minutes = left_s.div_ceil(60);
            lang.pick(
                format!("  あと {minutes} 分（設定は {configured}）"),
                format!("  for {minutes} more min (configured: {configured})"),
            )
        });
        format!("{room:<10} {level:<6}{}", order.unwrap_or_default()).trim_end().to_owned() + "\n"
    };
    rooms.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_order_is_one_level_or_one_room_with_one() {
        assert_eq!(order("debug"), Ok((None, LogLevel::Debug)));
        assert_eq!(order("net=trace"), Ok((Some(LogRoom::Net), LogLevel::Trace)));
        for wrong in ["", "loud", "nett=debug", "net=debug,store=debug", "net"] {
            let error = order(wrong).expect_err(wrong);
            assert!(error.contains("due"), "{error}");
        }
    }

    #[test]
    fn what_an_order_changed_is_seen_with_its_end() {
        let json = json!({ "rooms": [
            { "room": "net", "level": "debug", "configured": "info", "left_s": 61 },
            { "room": "store", "level": "info", "configured": "info", "left_s": null },
        ] });
        assert_eq!(
            shown(&json, Lang::En),
            "net        debug   for 2 more min (configured: info)\nstore      info\n"
        );
        assert!(shown(&json, Lang::Ja).contains("あと 2 分"));
    }
}
