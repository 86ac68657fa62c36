//! How far a long walk through a history has come, said on a terminal and nowhere else.

use crate::dialplan::Lang;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Says on a terminal how far a long walk has come.
pub(super) struct Progress {
    lang: Lang,
    next: Option<Instant>,
    told: bool,
}

impl Progress {
    pub(super) fn begin(lang: Lang) -> Self {
        let next = io::stderr().is_terminal().then(|| Instant::now() + Duration::from_secs(1));
        Self { lang, next, told: false }
    }

    pub(super) fn tell(&mut self, entries: u64) {
        let now = Instant::now();
        if self.next.is_some_and(|next| now >= next) {
            self.next = Some(now + Duration::from_millis(200));
            self.told = true;
            let line = self.lang.pick(format!("{entries} 件"), format!("{entries} entries"));
            let _ = write!(io::stderr(), "\r{line}"); // It is only for looking at.
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.told {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
