//! What is read again while the desk serves (SIGHUP): accounts, people, trunks, fixed phones, the plan, the
//! bound on calls and the certificates. All of it or nothing: what is wrong in one file leaves everything
//! in force as it was. Calls, registrations and connections that stand go on.

use super::certificates::{self, Certificates, WebCertificate};
use super::engine_loop::{Clock, Heard};
use super::feeding::Fed;
use super::inlet::Inlet;
use super::layout::Told;
use super::pulse::Pulse;
use crate::cli::Language;
use crate::config::{self, Config, Secrets, Stage};
use crate::dialplan::{Finding, HolidayTable, Plan};
use crate::engine::{KeysPolicy, Rules, SealingPolicy};
use crate::io::http::{Differs, PeopleNow, Reading, Reloads, ViewHub};
use crate::io::media::{Maker, PromptLibrary};
use crate::io::net::Lane;
use crate::tickets::Directory;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// All that a reload needs.
pub(super) struct Reload {
    path: PathBuf,
    /// What is in force; held while one reload is under way, so that two never mix.
    running: Mutex<Config>,
    /// What the desk was started with: what only a restart takes over is as in it.
    started: Config,
    /// The plan's text that is in force.
    plan: Mutex<String>,
    /// The table of holidays that is in force with it.
    holidays: Mutex<Option<Arc<HolidayTable>>>,
    /// Why the desk goes on without its directory of people; empty when it has one, or none is named.
    without: Mutex<Vec<Finding>>,
    /// The zone that the figures are made in, which only a restart changes.
    zone: chrono_tz::Tz,
    /// Prompts that were loaded at the start: a plan can name no other.
    prompts: Arc<PromptLibrary>,
    maker: Maker,
    certificates: Option<Certificates>,
    web: Option<WebCertificate>,
    people: PeopleNow,
    fed: Arc<Fed>,
    inlet: Arc<Inlet<Heard>>,
    hub: ViewHub,
    pulse: Arc<Pulse>,
    clock: Clock,
    /// The feeding is begun in it.
    runtime: tokio::runtime::Handle,
}

/// What it reaches.
pub(super) struct Within {
    pub inlet: Arc<Inlet<Heard>>,
    pub hub: ViewHub,
    pub pulse: Arc<Pulse>,
    pub clock: Clock,
    pub people: PeopleNow,
    pub fed: Arc<Fed>,
    pub maker: Maker,
}

impl Reload {
    pub fn new(
        path: PathBuf,
        (running, plan): (Config, &Plan),
        prompts: Arc<PromptLibrary>,
        (certificates, web): (Option<Certificates>, Option<WebCertificate>),
        within: Within,
    ) -> Self {
        let Within { inlet, hub, pulse, clock, people, fed, maker } = within;
        let runtime = tokio::runtime::Handle::current();
        let zone = plan.timezone;
        let holidays = Mutex::new(plan.holiday_table().cloned());
        let plan_text = std::fs::read_to_string(&running.plan).unwrap_or_default();
        let started = running.clone();
        let has_people = *running.tickets.people != Directory::default();
        let without = if has_people { Vec::new() } else { running.tickets.no_directory() };
        let without = Mutex::new(without);
        let (running, plan) = (Mutex::new(running), Mutex::new(plan_text));
        Self {
            path,
            running,
            started,
            plan,
            holidays,
            without,
            zone,
            prompts,
            maker,
            certificates,
            web,
            people,
            fed,
            inlet,
            hub,
            pulse,
            clock,
            runtime,
        }
    }

    /// Where the plan lies.
    pub fn plan_file(&self) -> PathBuf {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).plan.clone()
    }

    /// The plan's text that the desk goes by.
    pub fn plan_in_force(&self) -> String {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The plan that the desk goes by; none when its text says no plan any more, such as after a holiday's end.
    pub fn plan_now(&self) -> Option<Plan> {
        self.judged(&self.plan_in_force()).ok().map(|(plan, _)| plan)
    }

    /// A text as this desk's plan.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn plan_of(&self, text: &str) -> Result<Plan, Vec<Finding>> {
        self.judged(text).map(|(plan, _)| plan)
    }

    /// A text as this desk's plan, with its warnings; or all that is wrong with it.
    fn judged(&self, text: &str) -> Result<(Plan, Vec<Finding>), Vec<Finding>> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.judge(&running, text)
    }

    fn judge(&self, config: &Config, text: &str) -> Result<(Plan, Vec<Finding>), Vec<Finding>> {
        let stage = Stage::Running { recorder: self.started.recording.is_some() };
        config::judge_plan(config, text, Some(&self.prompts.lengths()), stage)
    }

    /// What is wrong with a text as this desk's plan.
    pub fn judge_plan(&self, text: &str) -> Vec<Finding> {
        let (Ok((_, findings)) | Err(findings)) = self.judged(text);
        findings
    }

    /// What differs, by name, and what of it waits for a restart.
    fn reading(
        &self,
        running: &Config,
        (config, plan, text): (&Config, &Plan, &str),
        findings: Vec<Finding>,
    ) -> Reading {
        let mut differences = config::differences((running, &self.plan_in_force()), (config, text));
        let holidays = self.holidays.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let after = plan.holiday_table().map(AsRef::as_ref);
        differences.extend(config::other_holidays(holidays.as_deref(), after));
        let mut waiting = self.started.needs_restart(config);
        if plan.timezone != self.zone {
            waiting.push("plan: timezone (of the figures)".to_owned());
        }
        let differs =
            |it: config::Difference| Differs { what: it.what, before: it.before, after: it.after };
        let differences = differences.into_iter().map(differs).collect();
        Reading { differences, waiting, findings }
    }

    /// Reads everything again; the log and the metrics say what came of it.
    ///
    /// # Errors
    ///
    /// What is wrong; everything stays as it was then.
    pub fn again(&self) -> Result<Reading, Vec<Finding>> {
        let now = self.clock.now().wall;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let file = self.path.display();
        let (config, plan, text, warnings) = match self.read(&running) {
            Ok(read) => read,
            Err(findings) => {
                self.pulse.reloads_refused.fetch_add(1, Ordering::Relaxed);
                let why = said(&findings);
                if certificates::are_bad(&running) {
                    tracing::error!(%file, "the new certificate is refused and the old one stays in force");
                }
                tracing::error!(%file, "the changed files are refused, nothing was changed / 変更されたファイルに誤りがあるため、何も変えていません:\n{why}");
                return Err(findings);
            }
        };
        // All that can fail is made before anything is replaced.
        let refused = || {
            self.pulse.reloads_refused.fetch_add(1, Ordering::Relaxed);
            Err(Vec::new())
        };
        let tls = match Certificates::make(&config) {
            Ok(made) => made,
            Err(error) => {
                tracing::error!(%file, %error, "the new certificate is refused and the old one stays in force; nothing was changed / 新しい証明書は使えないため、何も変えていません");
                return refused();
            }
        };
        let shown = match WebCertificate::make(&config) {
            Ok(made) => made,
            Err(error) => {
                tracing::error!(%file, %error, "the pages' new certificate is refused and the old one stays in force / 画面の新しい証明書は使えません");
                return refused();
            }
        };
        let fed = match self.fed.ready(&config.tickets) {
            Ok(ready) => ready,
            Err(error) => {
                tracing::error!(%file, %error, "[tickets] is refused and the old one stays in force / [tickets] に誤りがあるため、前のままです");
                return refused();
            }
        };
        if let Some((certificates, made)) = self.certificates.as_ref().zip(tls) {
            certificates.replace(made);
        }
        if let Some((web, made)) = self.web.as_ref().zip(shown) {
            web.replace(made);
        }
        let entered = self.runtime.enter();
        self.fed.put(fed);
        drop(entered);
        self.people.replace(config.people.clone());
        super::run::set_log(&config);
        *self.without.lock().unwrap_or_else(PoisonError::into_inner) =
            warnings.iter().filter(|it| is_no_directory(it)).cloned().collect();
        let reading = self.reading(&running, (&config, &plan, &text), warnings);
        *self.holidays.lock().unwrap_or_else(PoisonError::into_inner) =
            plan.holiday_table().cloned();
        self.maker.plan(plan.prompts.clone());
        let agents = plan.agents.iter();
        let roster = agents.map(|(id, agent)| (id.clone(), agent.name.clone())).collect();
        let name = plan.name.clone();
        let told = Told::of(&plan, now);
        self.hub.configure(|views| {
            views.set_roster(name, roster);
            told.tell(views);
        });
        let (phones, trunks) = config.sealing();
        let (phone_keys, trunk_keys) = config.keys();
        let rules = Rules {
            sealing: SealingPolicy { phones, trunks },
            keys: KeysPolicy { phones: phone_keys, trunks: trunk_keys },
            directory: config.directory(),
            plan,
            max_calls: config.limits.calls,
            channels: config.channels(),
        };
        self.inlet.push(Lane::First, Heard::Rules(Box::new(rules)));
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = text;
        *running = config;
        self.pulse.config_loaded_ms.store(now.0, Ordering::Relaxed);
        let (sip, web) = (self.certificates.as_ref(), self.web.as_ref());
        certificates::show_ends(&self.pulse, &running, sip, web);
        if self.certificates.is_some() {
            tracing::info!(%file, "the certificate was read again and is in force");
        }
        tracing::info!(%file, "accounts, trunks and the plan were read again and are in force / アカウント・外線・プランを読み直し、有効にしました");
        let changes = summary(&reading.differences);
        if !changes.is_empty() {
            tracing::info!(%file, changes, "what changed, by section / 変わったもの");
        }
        if !reading.findings.is_empty() {
            let why = said(&reading.findings);
            tracing::warn!(%file, "what was read again has warnings / 読み直した内容への警告:\n{why}");
        }
        if !reading.waiting.is_empty() {
            let settings = reading.waiting.join(", ");
            tracing::warn!(%file, %settings, "these settings changed and need a restart / 次の設定は再起動するまで変わりません");
        }
        Ok(reading)
    }

    fn read(&self, running: &Config) -> Result<(Config, Plan, String, Vec<Finding>), Vec<Finding>> {
        let (config, mut warnings) = config::load(&self.path, Secrets::Look)?;
        // Once, so that what is judged is what is in force.
        let text = config::plan_text(&config)?;
        let (plan, more) = self.judge(&config, &text)?;
        // What nobody can believe or read must not take the place of what is believed and read. What the desk goes on
        // with, or without, since before takes no place: it keeps nobody from changing the rest.
        let without = self.without.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |it: &Finding| is_no_directory(it) && !without.contains(it);
        if certificates::would_bring_a_dead_one(running, &config, &warnings)
            || warnings.iter().any(is_new)
        {
            return Err(warnings);
        }
        drop(without);
        warnings.extend(more);
        Ok((config, plan, text, warnings))
    }
}

/// Whether a finding is a directory of people that cannot be used: a start goes on without, a reload keeps the one
/// that it has, and goes on without where there was none.
fn is_no_directory(finding: &Finding) -> bool {
    finding.message.code == "ticket-directory"
}

/// What changed, by section and how often: the rest of a name may be a person's or a caller's number, which the log has
/// none of.
fn summary(differences: &[Differs]) -> String {
    let mut sections: BTreeMap<&str, usize> = BTreeMap::new();
    for differs in differences {
        let (before, rest) = match differs.what.strip_prefix("plan ") {
            Some(rest) => ("plan ".len(), rest),
            None => (0, differs.what.as_str()),
        };
        let section = rest.find([' ', '.', '[']).unwrap_or(rest.len());
        let section = differs.what.get(..before + section).unwrap_or("?");
        *sections.entry(section).or_default() += 1;
    }
    let said = |(section, count): (&str, usize)| format!("{section} {count}");
    sections.into_iter().map(said).collect::<Vec<_>>().join(", ")
}

impl Reloads for Reload {
    fn look(&self) -> Result<Reading, Vec<Finding>> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (config, plan, text, warnings) = self.read(&running)?;
        Ok(self.reading(&running, (&config, &plan, &text), warnings))
    }

    fn take_over(&self) -> Result<Reading, Vec<Finding>> {
        self.again()
    }
}

fn said(findings: &[Finding]) -> String {
    let lang = Language::default().choose();
    findings.iter().map(|finding| finding.render(lang)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_names_what_changed_by_section_and_no_person_and_no_number() {
        let differs = |what: &str| Differs { what: what.to_owned(), before: None, after: None };
        let told = [
            "limits.calls",
            "plan groups.desk.ring",
            "plan groups.desk.agents",
            "plan callers[0398765432].priority",
            "plan name",
            "plan holidays (what the table holds)",
            "person sato",
            "account 2011",
            "certificate [http]",
        ];
        assert_eq!(
            summary(&told.map(differs)),
            "account 1, certificate 1, limits 1, person 1, plan callers 1, plan groups 2, plan holidays 1, plan name 1"
        );
        assert_eq!(summary(&[]), "");
    }
}
