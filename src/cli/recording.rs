//! `madoguchi recording`: opens a recording that is encrypted at rest.

use super::{Language, Reply};
use crate::config::read_key;
use crate::dialplan::Lang;
use crate::io::recording::Reading;
use clap::Args;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Writes the opened file to standard output; ends with 1 when it cannot be opened to its end.
#[derive(Clone, Debug, Args)]
pub struct Recording {
    /// The recording (….wav.sealed).
    pub file: PathBuf,
    /// The file that holds the key.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// Opens a recording.
#[must_use]
pub fn recording(arguments: &Recording) -> ExitCode {
    answer(arguments, arguments.language.choose(), &mut io::stdout().lock()).finish()
}

fn answer(arguments: &Recording, lang: Lang, into: &mut dyn Write) -> Reply {
    let key = match arguments.key_file.as_deref().map(read_key).transpose() {
        Ok(key) => key,
        Err(findings) => return super::refused(&findings, lang, 1),
    };
    let copied = Reading::open(&arguments.file, key.as_ref()).and_then(|mut pieces| {
        pieces.try_for_each(|piece| into.write_all(&piece?))?;
        into.flush()
    });
    match copied {
        Ok(()) => Reply::default(),
        Err(error) => {
            let name = arguments.file.display();
            let said = lang.pick(
                format!("{name}: 録音を開けない: {error}\n"),
                format!("{name}: the recording cannot be opened: {error}\n"),
            );
            Reply { err: said, code: 1, ..Reply::default() }
        }
    }
}
