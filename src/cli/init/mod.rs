//! `madoguchi init`: a desk's first files. Asks little, makes a configuration, a plan with its table of calls,
//! phone accounts, an administrator and a certificate, proves them by `check` and `test`, and shows the passwords
//! once. Overwrites nothing.

mod answers;
mod asking;
mod certificate;
mod making;
mod paper;

#[cfg(test)]
mod tests;

use super::{Language, Reply, check, now, prompts_there, rehearse};
use crate::dialplan::{Lang, tame};
use answers::Answers;
use clap::Args;
use making::Made;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Ends with 0 when all was made and passes `check` and `test`, 1 when it was not made, 2 when the command itself
/// was wrong. Files are made readable by their owner alone; one that is there already is never written over.
#[derive(Clone, Debug, Args)]
pub struct Init {
    /// The folder of the configuration, such as /etc/madoguchi; made when missing.
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// The number that callers dial.
    #[arg(long, value_name = "NUMBER")]
    pub number: Option<String>,
    /// How many agents have a phone: extensions 2001 and following [default: 10].
    #[arg(long, value_name = "COUNT")]
    pub agents: Option<String>,
    /// When the desk is open, such as mon-fri=08:30-12:00,13:00-18:15 [default: mon-fri=08:30-18:15].
    #[arg(long, value_name = "DAYS=FROM-UNTIL")]
    pub open: Option<String>,
    /// The address by which phones and browsers reach this machine [default: the one it reaches others by].
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
    /// A name for that address, for the certificate and as the phones' domain.
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// The address that a carrier or another exchange calls from.
    #[arg(long, value_name = "ADDRESS")]
    pub carrier: Option<String>,
    /// What the desk is called.
    #[arg(long, value_name = "NAME", default_value = "ITサービスデスク")]
    pub name: String,
    /// The administrator's user name for the pages.
    #[arg(long, value_name = "USER", default_value = "admin")]
    pub admin: String,
    /// Where the history will lie [default: /var/lib/madoguchi for /etc/madoguchi, else FOLDER/store].
    #[arg(long, value_name = "FOLDER")]
    pub state: Option<PathBuf>,
    /// The system's user to whom the files are given [default for /etc/madoguchi, by root: madoguchi].
    #[arg(long, value_name = "USER")]
    pub owner: Option<String>,
    /// SIP by UDP and TCP; by TLS one above.
    #[arg(long, value_name = "PORT", default_value_t = 5060)]
    pub sip_port: u16,
    /// Pages and API, by TLS.
    #[arg(long, value_name = "PORT", default_value_t = 8443)]
    pub pages_port: u16,
    /// Ports for sound.
    #[arg(long, value_name = "FIRST-LAST", default_value = "20000-29999")]
    pub rtp: String,
    /// Asks nothing: what is not given is the default.
    #[arg(long)]
    pub yes: bool,
    /// Answers as JSON.
    #[arg(long)]
    pub json: bool,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// Does it.
#[must_use]
pub fn init(arguments: &Init) -> ExitCode {
    let lang = arguments.language.choose();
    let mut terminal = asking::Terminal;
    answer(arguments, lang, &mut terminal).unwrap_or_else(|reply| reply).finish()
}

fn answer(arguments: &Init, lang: Lang, person: &mut dyn asking::Person) -> Result<Reply, Reply> {
    let answers = asking::answers(arguments, lang, person)?;
    if !crate::people::is_user(&arguments.admin) {
        return Err(Reply::wrong(lang.pick(
            "--admin: 利用者名は 1〜32 文字の英数字と . _ -",
            "--admin: a user name is 1 to 32 of letters, digits, . _ -",
        )));
    }
    let owner = making::owner(arguments, lang)?;
    let made = making::make(&answers, &arguments.admin, owner, now(), lang)?;
    prove(&answers, lang).map_err(|mut reply| {
        made.undo();
        reply.code = 1;
        reply
    })?;
    Ok(told(arguments, &answers, &made, lang))
}

/// What was made must pass what an operator would put it to.
fn prove(answers: &Answers, lang: Lang) -> Result<(), Reply> {
    let language = Language { lang: Some(lang) };
    let config = answers.dir.join(paper::CONFIG_FILE);
    let looked = super::Check { file: config.clone(), prompts: None, show: false, language };
    let checked = check::answer(&looked, lang, &prompts_there);
    let tested = rehearse::answer(&super::Test { plans: vec![config], language }, lang);
    match (checked.code, tested.code) {
        (0, 0) => Ok(()),
        (0, _) => Err(tested),
        _ => Err(Reply { err: checked.out + &checked.err, ..Reply::default() }),
    }
}

fn told(arguments: &Init, answers: &Answers, made: &Made, lang: Lang) -> Reply {
    let config = answers.dir.join(paper::CONFIG_FILE).display().to_string();
    let address = answers.host.clone().unwrap_or_else(|| answers.address.to_string());
    let bracketed = if address.contains(':') { format!("[{address}]") } else { address.clone() };
    let pages = format!("https://{bracketed}:{}/", answers.pages_port);
    let phones = made.phones.iter().map(|(user, password)| (user, password.reveal()));
    if arguments.json {
        let phones: serde_json::Map<_, _> =
            phones.map(|(user, password)| (user.clone(), password.as_str().into())).collect();
        let told = serde_json::json!({
            "config": config,
            "pages": pages,
            "admin": { "user": arguments.admin, "password": made.admin.reveal() },
            "sip": { "address": answers.address, "port": answers.sip_port, "realm": answers.realm() },
            "phones": phones,
            "files": made.files,
        });
        return Reply { out: format!("{told}\n"), ..Reply::default() };
    }
    let mut out = lang.pick(
        format!("作った（調べ、表の電話もすべて通った）: {}\n", tame(&config)),
        format!("Made, and passes check and test: {}\n", tame(&config)),
    );
    // Into a String: none of these can fail.
    for file in &made.files {
        let _ = writeln!(out, "  {}", tame(&file.display().to_string()));
    }
    let (sip_port, realm, user) = (answers.sip_port, answers.realm(), &arguments.admin);
    let _ = write!(
        out,
        "{}",
        lang.pick(
            format!(
                "\n電話機の設定（SIP サーバー {address}:{sip_port}、領域 {realm}）。パスワードは今だけ表示する:\n"
            ),
            format!(
                "\nPhones (SIP server {address}:{sip_port}, realm {realm}); the passwords are shown this once:\n"
            ),
        )
    );
    for (extension, password) in phones {
        let _ = writeln!(out, "  {extension}  {password}");
    }
    let admin = made.admin.reveal();
    let _ = write!(
        out,
        "{}",
        lang.pick(
            format!(
                "\n画面 {pages}（自己署名の証明書）\n  {user}  {admin}\n\n次に: systemctl enable --now madoguchi（または madoguchi serve --config {config}）\n調べる: madoguchi doctor --config {config}\n受付を始める: 電話機から *11\n"
            ),
            format!(
                "\nPages {pages} (a certificate that signed itself)\n  {user}  {admin}\n\nNext: systemctl enable --now madoguchi (or madoguchi serve --config {config})\nLook: madoguchi doctor --config {config}\nTo take calls: *11 from the phone\n"
            ),
        )
    );
    Reply { out, ..Reply::default() }
}
