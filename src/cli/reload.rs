//! `madoguchi reload`: what the changed files change of the running desk, and taking them over.

use super::Reply;
use super::reach::{Reach, failed};
use crate::dialplan::Lang;
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;

/// Ends with 0 when the files were taken over or could be, 1 when they are refused or the desk cannot be asked, 2 when the
/// command itself was wrong.
#[derive(Clone, Debug, Args)]
pub struct Reload {
    /// Only says what would change.
    #[arg(long)]
    dry_run: bool,
    /// What the desk says, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

/// Looks, or takes over.
#[must_use]
pub fn reload(arguments: &Reload) -> ExitCode {
    done(arguments).unwrap_or_else(|reply| reply).finish()
}

fn done(arguments: &Reload) -> Result<Reply, Reply> {
    let (client, lang) = arguments.reach.client()?;
    let ask = |method: &str| {
        let answer = client.ask(method, "/api/v1/reload").map_err(|error| failed(&error, lang))?;
        Ok(serde_json::from_slice::<Value>(&answer.body).unwrap_or_default())
    };
    // Looked at first: what is refused is told with line and column, which an answer of 422 alone would not.
    let found = ask("GET")?;
    let fits = found.get("fits").and_then(Value::as_bool).unwrap_or_default();
    let found = if fits && !arguments.dry_run { ask("POST")? } else { found };
    let out =
        if arguments.json { format!("{found:#}\n") } else { said(&found, arguments.dry_run, lang) };
    Ok(Reply { out, code: u8::from(!fits), ..Reply::default() })
}

fn list<'a>(found: &'a Value, name: &str) -> &'a [Value] {
    found.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// `+` is new, `-` is gone, `~` is another.
fn line(differs: &Value) -> String {
    let text = |name: &str| differs.get(name).and_then(Value::as_str);
    let what = text("what").unwrap_or("?");
    match (text("before"), text("after")) {
        (None, Some(after)) => format!("+ {what} = {after}\n"),
        (Some(before), None) => format!("- {what} = {before}\n"),
        (Some(before), Some(after)) => format!("~ {what}: {before} → {after}\n"),
        (None, None) => format!("~ {what}\n"),
    }
}

fn finding(found: &Value, lang: Lang) -> String {
    let text =
        |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
    let words = found.get(lang.pick("ja", "en")).cloned().unwrap_or_default();
    let place = |name: &str| found.get(name).and_then(Value::as_u64);
    let place = match (place("line"), place("column")) {
        (Some(line), Some(column)) => Some(format!("{line}:{column}")),
        _ => None,
    };
    let file = found.get("file").and_then(Value::as_str).map(ToOwned::to_owned);
    let place: Vec<String> = file.into_iter().chain(place).collect();
    let place = if place.is_empty() { String::new() } else { format!(" {}", place.join(":")) };
    let (severity, code) = (text(found, "severity"), text(found, "code"));
    format!(
        "{severity}[{code}]{place}: {}\n  = due: {}\n",
        text(&words, "found"),
        text(&words, "due")
    )
}

fn said(found: &Value, dry_run: bool, lang: Lang) -> String {
    let findings: String = list(found, "findings").iter().map(|it| finding(it, lang)).collect();
    if found.get("fits").and_then(Value::as_bool) != Some(true) {
        let refused = lang.pick(
            "誤りがあるため、何も変えていない\n",
            "refused for what is wrong: nothing was changed\n",
        );
        return findings + refused;
    }
    let told: String = list(found, "differences").iter().map(line).collect();
    let count = found.get("count").and_then(Value::as_u64).unwrap_or_default();
    let more = count.saturating_sub(list(found, "differences").len() as u64);
    let more = if more == 0 { String::new() } else { format!("… {more}\n") };
    let waiting: String = list(found, "waiting")
        .iter()
        .filter_map(Value::as_str)
        .map(|name| {
            lang.pick(
                format!("! {name}: 再起動するまで変わらない\n"),
                format!("! {name}: stays as it is until a restart\n"),
            )
        })
        .collect();
    let end = match (count, dry_run) {
        (0, _) => lang.pick("変わるものはない\n".to_owned(), "nothing is another\n".to_owned()),
        (_, true) => lang.pick(
            format!("{count} か所が変わる。まだ変えていない\n"),
            format!("{count} would change; nothing was changed yet\n"),
        ),
        (_, false) => lang.pick(format!("{count} か所を変えた\n"), format!("{count} changed\n")),
    };
    findings + &told + &more + &waiting + &end
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_new_gone_and_another_is_told_with_what_waits_for_a_restart() {
        let found = json!({ "fits": true, "count": 3, "findings": [], "waiting": ["[media] ports"], "differences": [
            { "what": "plan groups.desk.ring", "before": "\"20s\"", "after": "\"25s\"" },
            { "what": "account 2011", "before": null, "after": "•••" },
            { "what": "person sato", "before": "agent 2001", "after": null },
        ] });
        assert_eq!(
            said(&found, true, Lang::En),
            "~ plan groups.desk.ring: \"20s\" → \"25s\"\n+ account 2011 = •••\n- person sato = agent 2001\n\
             ! [media] ports: stays as it is until a restart\n3 would change; nothing was changed yet\n"
        );
        assert!(said(&found, false, Lang::Ja).ends_with("3 か所を変えた\n"));
        let none =
            json!({ "fits": true, "count": 0, "findings": [], "waiting": [], "differences": [] });
        assert_eq!(said(&none, false, Lang::En), "nothing is another\n");
        let words = json!({ "found": "ring is 0 s", "due": "5 s to 10 min" });
        let wrong = json!({ "fits": false, "findings": [
            { "severity": "error", "code": "duration", "file": "plan.toml", "line": 4, "column": 9, "ja": words, "en": words },
            { "severity": "warning", "code": "ticket-directory", "file": "people.csv", "line": null, "column": null, "ja": words, "en": words },
        ] });
        assert_eq!(
            said(&wrong, false, Lang::En),
            "error[duration] plan.toml:4:9: ring is 0 s\n  = due: 5 s to 10 min\n\
             warning[ticket-directory] people.csv: ring is 0 s\n  = due: 5 s to 10 min\nrefused for what is wrong: nothing was changed\n"
        );
    }
}
