//! The history as it grows: the store is read again each second, so that no token is needed and the daemon's restarts are
//! outlived.

use super::Reply;
use super::history::Whose;
use crate::dialplan::{Lang, tame};
use crate::event::Entry;
use crate::io::store::Reader;
use crate::view::Views;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// How often the store is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Entries read at once; more are read without a pause.
const BLOCK: u32 = 1_000;

/// Hands over what comes, with the views as of before it, until it is told to end (Ctrl-C, SIGTERM) or whoever takes it
/// wants no more; who takes entries applies each to the views.
///
/// # Errors
///
/// A reply that says what cannot be read.
pub(super) fn follow(
    whose: &Whose,
    lang: Lang,
    mut take: impl AsyncFnMut(&mut Views, &[Entry]) -> ControlFlow<()>,
) -> Result<Reply, Reply> {
    let wrong = |error: std::io::Error| Reply::wrong(&error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(wrong)?.block_on(async {
        // Before the long reading: whoever ends it then has ended it well too.
        let mut interrupt = signal(SignalKind::interrupt()).map_err(wrong)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(wrong)?;
        let mut following = Following::begin(whose, lang)?;
        let taking = async {
            loop {
                let entries = following.next(lang).await;
                if take(&mut following.views, &entries).await.is_break() {
                    return;
                }
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = taking => {}
        }
        Ok(Reply::default())
    })
}

/// What was read so far, and the way to more.
struct Following {
    reader: Reader,
    /// As of the last entry that was applied.
    views: Views,
    troubled: bool,
}

impl Following {
    /// Reads what there is.
    fn begin(whose: &Whose, lang: Lang) -> Result<Self, Reply> {
        let history = whose.open(lang)?;
        let Some(file) = history.file().map(Path::to_owned) else {
            return Err(Reply::wrong(lang.pick(
                "デスク自身の記録（--store なし、またはファイル）だけを追う",
                "found the site's store; due is the desk's own: only its file is followed",
            )));
        };
        let views = history.read(lang)?;
        Ok(Self { reader: Reader::of(&file), views, troubled: false })
    }

    /// The next entries, as soon as there are any. While the store cannot be read it says so once and tries on.
    async fn next(&mut self, lang: Lang) -> Vec<Entry> {
        loop {
            match self.reader.since(self.views.next_seq(), BLOCK).await {
                Ok(entries) => {
                    self.troubled = false;
                    if !entries.is_empty() {
                        return entries;
                    }
                }
                Err(error) if !self.troubled => {
                    self.troubled = true;
                    let error = tame(&error.to_string());
                    let said = lang.pick(
                        format!("今は履歴を読めない。1 秒ごとにやり直す: {error}"),
                        format!(
                            "the history cannot be read now and is tried again each second: {error}"
                        ),
                    );
                    let _ = writeln!(std::io::stderr(), "{said}"); // It is only for looking at.
                }
                Err(_) => {}
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
