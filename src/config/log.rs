//! `[log]`: how much the operator's log says, and in which form.

use super::parse::Reading;
use super::problem::Problem;
use crate::base::{LogLevels, NoLevels};
use crate::dialplan::reader::Table;

/// What is configured of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogConfig {
    /// How much, by room.
    pub levels: LogLevels,
    /// One JSON object a line instead of text.
    pub json: bool,
}

const FORMATS: [(&str, bool); 2] = [("text", false), ("json", true)];

impl LogConfig {
    pub(super) fn show(&self, line: &mut impl FnMut(String)) {
        line("\n[log]".to_owned());
        line(format!("levels = \"{}\"", self.levels));
        let format = FORMATS.iter().find(|(_, json)| *json == self.json).map_or("text", |it| it.0);
        line(format!("format = \"{format}\""));
    }
}

impl Reading<'_, '_> {
    pub(super) fn log(&mut self, mut table: Table) -> LogConfig {
        let levels = table.get("levels").and_then(|item| {
            let text = item.raw(self.out)?;
            let levels = text.value.parse().inspect_err(|wrong: &NoLevels| {
                let found = wrong.found.clone();
                self.out.at(&text.span, Problem::BadLogLevels { found });
            });
            levels.ok()
        });
        let json = table.get("format").and_then(|item| item.word(&FORMATS, self.out));
        table.finish(self.out);
        LogConfig { levels: levels.unwrap_or_default(), json: json.unwrap_or_default() }
    }
}
