//! `[warning]`: who outside the desk is told when a rate's early warning turns, and by what.

use super::address::{AddressFault, bare, is_link, judged};
use super::files::{secret, taken};
use super::parse::Reading;
use super::problem::Problem;
use super::secrets;
use super::show::quoted;
use super::tls::authorities;
use super::warning_problem::WarningProblem;
use crate::base::Private;
use crate::dialplan::reader::{At, Table};
use crate::dialplan::{Finding, show_duration};
use http::Uri;
use lettre::Address;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// A turn that was not told for so long is given up, unless the file says otherwise.
const GIVE_UP: Duration = Duration::from_secs(24 * 3_600);
/// A file of a secret that is not there.
const ABSENT: Problem = Problem::Warning(WarningProblem::NoSecret);
/// Most people of one mail.
const MOST_PEOPLE: usize = 50;

const PROTECTIONS: [(&str, Protection); 3] =
    [("starttls", Protection::StartTls), ("tls", Protection::Tls), ("off", Protection::Off)];

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// By STARTTLS, and no mail without it.
    StartTls,
    /// From the first byte.
    Tls,
    /// Not at all.
    Off,
}

/// Who is told, and by what. At least one way is there.
#[derive(Clone, Debug)]
pub struct WarningConfig {
    /// Where the figures are looked at; stands in what is told.
    pub link: Option<String>,
    /// What was not told for so long is given up.
    pub give_up_after: Duration,
    /// The site's own receiver.
    pub webhook: Option<Receiver>,
    /// People's mailboxes.
    pub mail: Option<MailServer>,
    /// Authorities that receiver and mail server are judged by; none: those of the machine.
    pub ca: Option<PathBuf>,
    /// What that file holds.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// The receiver of signed POSTs.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Its address.
    pub url: Uri,
    /// Holds what the POSTs are signed by.
    pub secret_file: PathBuf,
    /// What that file holds.
    pub secret: Private<String>,
    /// Hosts that may stand in `url`.
    pub hosts: Vec<String>,
    /// Whether it may be on this machine or in a private network.
    pub private: bool,
}

/// The site's mail server, from whom and to whom.
#[derive(Clone, Debug)]
pub struct MailServer {
    /// A name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub protection: Protection,
    /// Name there, and the file that holds the password.
    pub login: Option<(String, PathBuf)>,
    /// What that file holds.
    pub password: Private<String>,
    /// From whom.
    pub from: String,
    /// To whom; at least one.
    pub to: Vec<String>,
}

impl Reading<'_, '_> {
    /// None when a part is missing or no way is written, which has been told.
    pub(super) fn warning(&mut self, mut table: Table) -> Option<WarningConfig> {
        let link = table.get("link").and_then(|item| item.raw(self.out)).map(|text| {
            if !is_link(&text.value) {
                let found = text.value.clone();
                self.out.at(&text.span, Problem::Warning(WarningProblem::BadLink { found }));
            }
            text.value
        });
        let s = Duration::from_secs;
        let give_up_after =
            table.duration("give_up_after", s(60)..=s(7 * 86_400), GIVE_UP, self.out);
        let ca = table.get("ca").and_then(|item| self.path(&item));
        let (has_webhook, has_mail) = (table.has("webhook"), table.has("smtp"));
        let webhook = self.receiver(&mut table);
        let mail = self.mail_server(&mut table);
        let nowhere = table.key_span("webhook");
        table.finish(self.out);
        if !has_webhook && !has_mail {
            self.out.at(&nowhere, Problem::Warning(WarningProblem::NoWay));
            return None;
        }
        let authorities = Vec::new();
        Some(WarningConfig { link, give_up_after, webhook, mail, ca, authorities })
    }

    fn receiver(&mut self, table: &mut Table) -> Option<Receiver> {
        let private = table.flag("webhook_private", false, self.out);
        let hosts = table.get("webhook_hosts").map(|item| self.hosts(&item));
        if !table.has("webhook") {
            return None; // What else begins with `webhook_` is told as unknown.
        }
        let url = table.get("webhook").and_then(|item| item.raw(self.out))?;
        let example = "webhook_secret_file = \"secrets/webhook\"";
        let secret_file = table.need("webhook_secret_file", example, self.out);
        let secret_file = secret_file.and_then(|item| self.path(&item));
        let (url, host) = self.url(&url, private)?;
        let hosts = hosts.unwrap_or_else(|| vec![host]);
        let secret = Private::default();
        Some(Receiver { url, secret_file: secret_file?, secret, hosts, private })
            .filter(|receiver| self.is_allowed(receiver, table))
    }

    /// The address and its host.
    fn url(&mut self, text: &At<String>, private: bool) -> Option<(Uri, String)> {
        let problem = match judged(&text.value, private) {
            Ok(read) => return Some(read),
            Err(AddressFault::Bad) => WarningProblem::BadUrl,
            Err(AddressFault::Plain { host }) => WarningProblem::PlainUrl { host },
            Err(AddressFault::Private { host }) => WarningProblem::PrivateUrl { host },
        };
        self.out.at(&text.span, Problem::Warning(problem));
        None
    }

    fn is_allowed(&mut self, receiver: &Receiver, table: &Table) -> bool {
        let host = bare(&receiver.url).unwrap_or_default();
        let allowed = receiver.hosts.iter().any(|known| known.eq_ignore_ascii_case(&host));
        if !allowed {
            let hosts = receiver.hosts.join(", ");
            let problem = WarningProblem::HostNotAllowed { host, hosts };
            self.out.at(&table.key_span("webhook_hosts"), Problem::Warning(problem));
        }
        allowed
    }

    fn mail_server(&mut self, table: &mut Table) -> Option<MailServer> {
        let protection = table.get("smtp_tls").and_then(|item| {
            let span = item.span.clone();
            item.word(&PROTECTIONS, self.out).map(|word| (word, span))
        });
        let user = table.get("smtp_user").and_then(|item| item.raw(self.out));
        if !table.has("smtp") {
            return None;
        }
        let server = table.get("smtp").and_then(|item| item.raw(self.out))?;
        let from = table.need("from", "from = \"madoguchi@desk.example\"", self.out);
        let from = from.and_then(|item| item.raw(self.out));
        let to = table.need("to", "to = [\"manager@desk.example\"]", self.out);
        let to: Vec<At<String>> = to
            .map(|item| item.one_or_list())
            .unwrap_or_default()
            .iter()
            .filter_map(|item| item.raw(self.out))
            .collect();
        for text in from.iter().chain(&to) {
            if text.value.parse::<Address>().is_err() {
                let found = text.value.clone();
                self.out.at(&text.span, Problem::Warning(WarningProblem::BadMailbox { found }));
            }
        }
        if to.is_empty() || to.len() > MOST_PEOPLE {
            let problem = WarningProblem::People { found: to.len(), most: MOST_PEOPLE };
            self.out.at(&table.key_span("to"), Problem::Warning(problem));
        }
        let (protection, span) =
            protection.unwrap_or((Protection::StartTls, table.key_span("smtp")));
        let password_file = match user {
            None => None,
            Some(_) => {
                let example = "smtp_password_file = \"secrets/smtp\"";
                let file = table.need("smtp_password_file", example, self.out);
                file.and_then(|item| self.path(&item))
            }
        };
        let Some((host, port)) = host_and_port(&server.value) else {
            let found = server.value;
            self.out.at(&server.span, Problem::Warning(WarningProblem::BadMailServer { found }));
            return None;
        };
        let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if protection == Protection::Off && !local {
            let with_password = user.is_some();
            let problem = WarningProblem::PlainMail { with_password };
            self.out.at(&span, Problem::Warning(problem));
        }
        Some(MailServer {
            host,
            port,
            protection,
            login: user.map(|user| user.value).zip(password_file),
            password: Private::default(),
            from: from?.value,
            to: to.into_iter().map(|to| to.value).collect(),
        })
    }
}

/// `name:port`, `192.0.2.1:port`, `[2001:db8::1]:port`.
fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port != 0)?;
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = inner.unwrap_or(host);
    let is_name = (1..=253).contains(&host.len())
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
    let is_v6 = inner.is_some() && host.parse::<std::net::Ipv6Addr>().is_ok();
    (is_name || is_v6).then(|| (host.to_owned(), port))
}

impl WarningConfig {
    /// Reads the secrets and the authorities.
    pub(super) fn load(&mut self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(receiver) = &mut self.webhook {
            let read = secret(&receiver.secret_file, secrets::token, ABSENT);
            taken(read, &mut receiver.secret, &mut findings);
        }
        if let Some(mail) = &mut self.mail
            && let Some((_, file)) = &mail.login
        {
            let read = secret(file, secrets::trunk_password, ABSENT);
            taken(read, &mut mail.password, &mut findings);
        }
        if let Some(ca) = &self.ca {
            taken(authorities(ca), &mut self.authorities, &mut findings);
        }
        findings
    }

    pub(super) fn show(&self, line: &mut impl FnMut(String)) {
        let path = |path: &Path| quoted(&path.display().to_string());
        let list = |items: &[String]| {
            format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
        };
        line("\n[warning]".to_owned());
        line(format!("give_up_after = \"{}\"", show_duration(self.give_up_after)));
        if let Some(link) = &self.link {
            line(format!("link = {}", quoted(link)));
        }
        if let Some(ca) = &self.ca {
            line(format!("ca = {}", path(ca)));
        }
        if let Some(receiver) = &self.webhook {
            line(format!("webhook = {}", quoted(&receiver.url.to_string())));
            line(format!("webhook_secret_file = {}", path(&receiver.secret_file)));
            line(format!("webhook_hosts = {}", list(&receiver.hosts)));
            line(format!("webhook_private = {}", receiver.private));
        }
        if let Some(mail) = &self.mail {
            let host = if mail.host.contains(':') {
                format!("[{}]", mail.host)
            } else {
                mail.host.clone()
            };
            line(format!("smtp = {}", quoted(&format!("{host}:{}", mail.port))));
            let protection = PROTECTIONS.iter().find(|(_, known)| *known == mail.protection);
            line(format!("smtp_tls = \"{}\"", protection.map_or("", |(name, _)| name)));
            if let Some((user, file)) = &mail.login {
                line(format!("smtp_user = {}", quoted(user)));
                line(format!("smtp_password_file = {}", path(file)));
            }
            line(format!("from = {}", quoted(&mail.from)));
            line(format!("to = {}", list(&mail.to)));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::parse;
    use std::path::Path;
    use std::time::Duration;

    const PLAIN: &str = "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\nrealm = \"desk.example\"\n[media]\naddress = \"127.0.0.1\"\n\
                         [plan]\nfile = \"plan.toml\"\n";
    const WEBHOOK: &str =
        "webhook = \"https://hooks.example/x\"\nwebhook_secret_file = \"secret\"\n";
    const MAIL: &str = "smtp = \"mail.example:25\"\nfrom = \"madoguchi@desk.example\"\nto = [\"a@desk.example\"]\n";

    fn read(more: &str) -> Result<(crate::config::Config, Vec<String>), Vec<String>> {
        let codes = |list: Vec<crate::dialplan::Finding>| {
            list.iter().map(|finding| finding.message.code.to_owned()).collect::<Vec<_>>()
        };
        let read = parse(&format!("{PLAIN}{more}"), "x.toml", Path::new("/x"));
        read.map(|(config, list)| (config, codes(list))).map_err(codes)
    }

    #[test]
    fn who_is_told_is_read_and_shown() {
        assert!(read("").expect("good").0.warning.is_none());
        let all = format!(
            "[warning]\nlink = \"https://desk.example/\"\n{WEBHOOK}{MAIL}smtp_user = \"u\"\nsmtp_password_file = \"p\"\nca = \"ca.pem\"\n"
        );
        let (config, found) = read(&all).expect("good");
        assert_eq!(found, [""; 0]);
        let warning = config.warning.as_ref().expect("said");
        assert_eq!(warning.give_up_after, Duration::from_secs(86_400));
        let receiver = warning.webhook.as_ref().expect("said");
        assert_eq!(receiver.hosts, ["hooks.example"]);
        let mail = warning.mail.as_ref().expect("said");
        assert_eq!((mail.host.as_str(), mail.port), ("mail.example", 25));
        let shown = config.show();
        let again = parse(&shown, "y.toml", Path::new("/y")).expect("good").0;
        assert_eq!(again.show(), shown);
        for alone in [WEBHOOK, MAIL] {
            let (config, found) = read(&format!("[warning]\n{alone}")).expect("good");
            assert_eq!(found, [""; 0], "{alone}");
            assert!(config.needs_restart(&read("").expect("good").0).len() > 2, "{alone}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let hook = |url: &str, more: &str| {
            format!("webhook = \"{url}\"\nwebhook_secret_file = \"secret\"\n{more}\n")
        };
        let table = [
            ("", "warning-nobody"),
            ("webhook = \"https://hooks.example/\"\n", "missing-key"),
            ("smtp = \"mail.example:25\"\nfrom = \"a@desk.example\"\n", "missing-key"),
            ("webhook_hosts = [\"hooks.example\"]\n", "warning-nobody"),
            (&hook("hooks.example", ""), "bad-webhook"),
            (&hook("ftp://hooks.example/", ""), "bad-webhook"),
            (&hook("https://u:p@hooks.example/", ""), "bad-webhook"),
            (&hook("http://hooks.example/", ""), "plain-webhook"),
            (&hook("https://10.1.2.3/", ""), "private-webhook"),
            (&hook("https://127.0.0.1/", ""), "private-webhook"),
            (&hook("https://localhost/", ""), "private-webhook"),
            (&hook("https://[::1]/", ""), "private-webhook"),
            (
                &hook("https://hooks.example/", "webhook_hosts = [\"other.example\"]"),
                "webhook-host",
            ),
            (&format!("{WEBHOOK}link = \"here\"\n"), "bad-link"),
            (&MAIL.replace(":25", ""), "bad-mail-server"),
            (&MAIL.replace("mail.example:25", "mail example:25"), "bad-mail-server"),
            (&MAIL.replace("a@desk.example", "nobody"), "bad-mailbox"),
            (&MAIL.replace("\"a@desk.example\"", ""), "mail-people"),
            (&format!("{MAIL}smtp_user = \"u\"\n"), "missing-key"),
            (
                &format!(
                    "{MAIL}smtp_user = \"u\"\nsmtp_password_file = \"p\"\nsmtp_tls = \"off\"\n"
                ),
                "plain-mail-password",
            ),
            (&format!("{WEBHOOK}give_up_after = \"5s\"\n"), "out-of-range"),
            (&format!("{WEBHOOK}hook = 1\n"), "unknown-key"),
        ];
        for (more, due) in table {
            let found = read(&format!("[warning]\n{more}")).expect_err(more);
            assert!(found.contains(&due.to_owned()), "{more}: {found:?}");
        }
        let (_, found) = read(&format!("[warning]\n{MAIL}smtp_tls = \"off\"\n")).expect("good");
        assert_eq!(found, ["plain-mail"]);
        let near = MAIL.replace("mail.example", "127.0.0.1");
        let (_, found) = read(&format!("[warning]\n{near}smtp_tls = \"off\"\n")).expect("good");
        assert_eq!(found, [""; 0]);
        let ours = hook("http://127.0.0.1:9/x", "webhook_private = true");
        assert_eq!(read(&format!("[warning]\n{ours}")).expect("good").1, [""; 0]);
    }
}
