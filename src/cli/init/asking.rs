//! The questions of `init`: what was not given is asked of a person, or is the default.

use super::answers::{self, Answers, Wrong};
use super::{Init, Reply};
use crate::dialplan::Lang;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

/// Tries that a person has with one question.
const TRIES: usize = 5;

/// Who is asked.
pub(super) trait Person {
    /// Whether anybody is there.
    fn is_there(&self) -> bool;
    /// Asks; an empty answer is the default. None when nothing more comes.
    fn ask(&mut self, question: &str) -> io::Result<Option<String>>;
    /// Tells something.
    fn tell(&mut self, what: &str);
}

/// Somebody at the keyboard.
pub(super) struct Terminal;

impl Person for Terminal {
    fn is_there(&self) -> bool {
        io::stdin().is_terminal()
    }

    fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        write!(io::stderr(), "{question} ")?;
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim().to_owned()))
    }

    fn tell(&mut self, what: &str) {
        let _ = writeln!(io::stderr(), "{what}"); // the terminal is gone, then
    }
}

/// All answers.
pub(super) fn answers(given: &Init, lang: Lang, person: &mut dyn Person) -> Result<Answers, Reply> {
    let asks = !given.yes;
    if asks && !person.is_there() && given.number.is_none() {
        return Err(Reply::wrong(lang.pick(
            "尋ねる相手がいない（標準入力が端末ではない）。--yes と --number を付ける",
            "there is nobody to ask (standard input is no terminal); give --yes and --number",
        )));
    }
    let asks = asks && person.is_there();
    let mut one = Asking { asks, lang, person };
    let number = one.value(
        given.number.as_deref(),
        ["着信番号", "The desk's number"],
        "--number",
        None,
        answers::number,
    )?;
    let agents = one.value(
        given.agents.as_deref(),
        ["オペレータの人数", "How many agents"],
        "--agents",
        Some("10"),
        answers::agents,
    )?;
    let open = one.value(
        given.open.as_deref(),
        ["受付時間", "Opening hours"],
        "--open",
        Some("mon-fri=08:30-18:15"),
        answers::opening,
    )?;
    let likely = answers::likely_address().to_string();
    let address = one.value(
        given.address.as_deref(),
        ["電話機から見えるこの機器のアドレス", "The address by which phones reach this machine"],
        "--address",
        Some(&likely),
        answers::address,
    )?;
    let host = given.host.as_deref().map(|text| one.judged("--host", text, answers::host));
    let carrier =
        given.carrier.as_deref().map(|text| one.judged("--carrier", text, answers::address));
    let name = one.judged("--name", &given.name, answers::desk_name)?;
    let port = |asking: &Asking, option: &str, port: u16| {
        answers::port(port).map_err(|wrong| asking.refused(option, &wrong))
    };
    let sip_port = port(&one, "--sip-port", given.sip_port)?;
    let pages_port = port(&one, "--pages-port", given.pages_port)?;
    let taken = [sip_port, sip_port.saturating_add(1), pages_port];
    if taken.iter().take(2).any(|port| *port == pages_port) {
        let same = ["SIP と同じポートは使えない".to_owned(), "it is a port of SIP's".to_owned()];
        return Err(one.refused("--pages-port", &same));
    }
    let rtp = one.judged("--rtp", &given.rtp, |text| answers::rtp(text, &taken))?;
    let (dir, state) = folders(given).map_err(|error| Reply {
        err: format!("{error}\n"),
        code: 1,
        ..Reply::default()
    })?;
    Ok(Answers {
        dir,
        state,
        name,
        number,
        agents,
        open,
        address,
        host: host.transpose()?,
        carrier: carrier.transpose()?,
        sip_port,
        pages_port,
        rtp,
    })
}

/// Where configuration and history lie.
fn folders(given: &Init) -> io::Result<(PathBuf, PathBuf)> {
    let dir = std::path::absolute(&given.folder)?;
    let state = match &given.state {
        Some(state) => std::path::absolute(state)?,
        None if is_the_systems(&dir) => PathBuf::from("/var/lib/madoguchi"),
        None => dir.join("store"),
    };
    Ok((dir, state))
}

/// Whether it is the folder that the service's unit reads.
pub(super) fn is_the_systems(dir: &Path) -> bool {
    dir == Path::new("/etc/madoguchi")
}

struct Asking<'p> {
    asks: bool,
    lang: Lang,
    person: &'p mut dyn Person,
}

impl Asking<'_> {
    fn refused(&self, option: &str, wrong: &Wrong) -> Reply {
        Reply::wrong(&format!("{option}: {}", answers::told(wrong, self.lang)))
    }

    fn judged<T>(
        &self,
        option: &str,
        text: &str,
        judge: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Result<T, Reply> {
        judge(text).map_err(|wrong| self.refused(option, &wrong))
    }

    fn value<T>(
        &mut self,
        given: Option<&str>,
        question: [&str; 2],
        option: &str,
        default: Option<&str>,
        judge: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Result<T, Reply> {
        let lang = self.lang;
        match (given, default) {
            (Some(text), _) => return self.judged(option, text, judge),
            (None, Some(default)) if !self.asks => return self.judged(option, default, judge),
            (None, None) if !self.asks => {
                return Err(Reply::wrong(
                    &lang.pick(format!("{option} が要る"), format!("{option} is needed")),
                ));
            }
            (None, _) => {}
        }
        let shown = default.map_or(String::new(), |default| format!(" [{default}]"));
        let question = format!("{}{shown}:", lang.pick(question[0], question[1]));
        for _ in 0..TRIES {
            let said =
                self.person.ask(&question).map_err(|error| Reply::wrong(&error.to_string()))?;
            let Some(said) = said else { break };
            let said = if said.is_empty() { default.unwrap_or_default().to_owned() } else { said };
            match judge(&said) {
                Ok(value) => return Ok(value),
                Err(wrong) => self.person.tell(&answers::told(&wrong, lang)),
            }
        }
        Err(Reply::wrong(lang.pick("答えがない。何も作っていない", "no answer; nothing was made")))
    }
}
