//! Arguments and exit codes, nothing else.
//!
//! Exit codes: 0 well; 1 what was asked cannot be done (a refusal says why and how to mend it);
//! 2 the arguments cannot be understood.

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use madoguchi::cli;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

// Gives a burst's memory back to the system, where the usual allocator keeps it. SQLite and Opus have theirs from it,
// too: the crate's feature `override` puts it in the place of malloc (docs/BENCHMARKS.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A desk PBX and ACD whose service levels can be proved call by call.
#[derive(Parser)]
#[command(name = "madoguchi", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a desk's first files: configuration, plan with its table of calls, phone accounts, an administrator, a
    /// certificate. Example: madoguchi init /etc/madoguchi --number 0312345678 --agents 10 --yes
    Init(cli::Init),
    /// Look at the machine beneath the desk: ports, addresses, clock, certificates, disks, secrets, limits.
    /// Example: madoguchi doctor --config /etc/madoguchi/madoguchi.toml
    Doctor(cli::Doctor),
    /// Run the desk. Example: madoguchi serve --config /etc/madoguchi/madoguchi.toml
    Serve(Serve),
    /// Run a living desk on loopback with synthetic callers and agents, and a store of its own.
    /// Example: madoguchi demo
    Demo(Demo),
    /// Say what is wrong with a plan or a configuration, with line and what is due.
    /// Example: madoguchi check dialplans/service-desk.toml
    Check(cli::Check),
    /// Walk one call through a plan. Example: madoguchi try dialplans/service-desk.toml
    /// --at 2026-12-30T10:00 --from 0312345678 --to DESK --press 1
    Try(cli::Try),
    /// Put the calls of the tables beside a plan to the desk's rules, and say which do not do what is due.
    /// Example: madoguchi test dialplans/service-desk.toml
    Test(cli::Test),
    /// Say which calls of the history would go another way under another plan.
    /// Example: madoguchi diff plan.toml new.toml --history store/madoguchi.db --from 2026-10-01
    Diff(cli::Diff),
    /// Simulate months of a plan: its own rules, callers and agents as assumed or as a history shows them.
    /// Example: madoguchi simulate plan.toml --month 2027-04 --calls 12558 --history store/madoguchi.db
    Simulate(cli::Simulate),
    /// Say how many agents and lines keep both limits with a chosen certainty.
    /// Example: madoguchi forecast plan.toml --month 2027-04 --calls 12558 --history store/madoguchi.db
    Forecast(cli::Forecast),
    /// Predict a recorded month and say how near the prediction comes.
    /// Example: madoguchi validate plan.toml 2026-10 --history store/madoguchi.db
    Validate(cli::Validate),
    /// Say whether a history or a backup is whole: every entry there, unchanged and in its place.
    /// Example: madoguchi verify store/madoguchi.db
    Verify(cli::Verify),
    /// Copy the desk into a folder, also while it runs: history, list of recordings, plan, configuration, people.
    /// Example: madoguchi backup --to /srv/backup/2026-11-27 --config /etc/madoguchi/madoguchi.toml
    Backup(cli::Backup),
    /// Put a backup's history where a store is due; never over what is newer.
    /// Example: madoguchi restore /srv/backup/2026-11-27 --into /var/lib/madoguchi/madoguchi.db
    Restore(cli::Restore),
    /// Write everything that the desk holds in open forms: JSON lines, JSON, CSV, sound, TOML.
    /// Example: madoguchi export --into /srv/export --private --config /etc/madoguchi/madoguchi.toml
    Export(cli::Export),
    /// Erase a person's numbers, names, words and recordings on request, and prove it (the desk must run).
    /// Example: madoguchi erase --number 0398765432 --reference 個情-2026-014 --author 佐藤 --into proof.json
    Erase(cli::Erase),
    /// Write the history as JSON lines, make a store of them, or erase old calls' numbers and names.
    /// Example: madoguchi events export store/madoguchi.db > history.jsonl
    Events(cli::Events),
    /// See what is in the site's store (PostgreSQL) and how the history stands to its copy there.
    /// Example: madoguchi site --config /etc/madoguchi/madoguchi.toml
    Site(cli::Site),
    /// Make a table of public holidays that a plan can name (holidays = "holidays.csv").
    /// Example: madoguchi holidays import syukujitsu.csv --to dialplans/holidays.csv
    Holidays(cli::Holidays),
    /// Say what the contract's figures that need tickets come to, ticket by ticket.
    /// Example: madoguchi tickets figures plan.toml --tickets tickets.csv --month 2026-10
    Tickets(cli::Tickets),
    /// List calls of the whole history, and those behind a figure.
    /// Example: madoguchi calls --month 2026-10 --figure abandon --stands numerator
    Calls(cli::Calls),
    /// Say what a call came to, by which rule, where it counts, and what happened in it.
    /// Example: madoguchi explain 0199a0c1-5b00-7000-8000-000000000001
    Explain(cli::Explain),
    /// Show a month's contract figures, as counted now and as closed.
    /// Example: madoguchi service-level 2026-10
    ServiceLevel(cli::ServiceLevel),
    /// Show operating figures of a month, a day or a span: calls, agents' time, occupancy, rings.
    /// Example: madoguchi operating 2026-10 --by agent
    Operating(cli::Operating),
    /// Leave a period out of the figures, once another person approves it (the desk must run).
    /// Example: madoguchi exclude enter --from 2026-10-01T10:00 --until 2026-10-01T11:00 --author 佐藤 --reason 通信障害
    Exclude(cli::Exclude),
    /// Fix a month's figures (the desk must run). Example: madoguchi close-month 2026-10 --author 佐藤
    CloseMonth(cli::CloseMonth),
    /// Make a month's operations report: the contract's sheet, tables and charts, as HTML, PDF, JSON and CSV.
    /// Example: madoguchi report 2026-10 --config /etc/madoguchi/madoguchi.toml --into reports
    Report(cli::Report),
    /// Try whether whoever is to be told of a rate's early warning can be told (docs/WARNING.md).
    /// Example: madoguchi warning try --config /etc/madoguchi/madoguchi.toml
    Warning(cli::Warning),
    /// Say who has an account for pages and API, add somebody, set a password (docs/PEOPLE.md).
    /// Example: madoguchi people add sato --name 佐藤 --role agent --extension 2001
    People(cli::People),
    /// Put hashes in the place of the phones' passwords, which then open this desk and nothing else.
    /// Example: madoguchi accounts hash --config /etc/madoguchi/madoguchi.toml
    Accounts(cli::Accounts),
    /// See what passes on the SIP wire of the running desk: live, a call's ladder, a capture file.
    /// Example: madoguchi sip --config /etc/madoguchi/madoguchi.toml --method INVITE
    Sip(cli::Sip),
    /// See how much the running desk's log says, and have it say more for a while, room by room (docs/LOG.md).
    /// Example: madoguchi log net=debug --minutes 30 --config /etc/madoguchi/madoguchi.toml
    Log(cli::Log),
    /// Give each call that ends to a collector of OpenTelemetry, as a trace (docs/TRACES.md).
    /// Example: madoguchi traces --config /etc/madoguchi/madoguchi.toml
    Traces(cli::Traces),
    /// Say what the changed files change of the running desk, and have it take them over, without an end to any call.
    /// Example: madoguchi reload --dry-run --config /etc/madoguchi/madoguchi.toml
    Reload(cli::Reload),
    /// End the running desk once its calls are over, so that what was installed meanwhile takes its place (docs/OPERATING.md).
    /// Example: madoguchi drain --within 15 --config /etc/madoguchi/madoguchi.toml
    Drain(cli::Drain),
    /// Say what an alert, a reason of /healthz or an error of the log means, and what to do (docs/RUNBOOK.md).
    /// Example: madoguchi runbook trunks-down
    Runbook(cli::Runbook),
    /// Make a site's own announcements from texts, by the synthesisers that are installed.
    /// Example: madoguchi prompts render texts.toml --into prompts --voice VOICE
    Prompts(cli::Prompts),
    /// Open a recording that is encrypted at rest.
    /// Example: madoguchi recording --key-file secrets/recording-key FILE.wav.sealed > FILE.wav
    Recording(cli::Recording),
    /// Write the manual pages and the completions of bash, zsh and fish, as a package carries them.
    /// Example: madoguchi manual --into target/manual
    Manual(cli::Manual),
}

#[derive(Args)]
struct Serve {
    /// The configuration (docs/CONFIG.md).
    /// Not named: the one in the folder, or else /etc/madoguchi/madoguchi.toml.
    #[arg(long, value_name = "FILE", default_value = cli::HERE, value_parser = cli::configuration)]
    config: PathBuf,
    /// Log as JSON lines, whatever [log] format says.
    #[arg(long)]
    log_json: bool,
}

#[derive(Args)]
struct Demo {
    /// Where its files are made.
    #[arg(long, value_name = "DIR", default_value = "madoguchi-demo")]
    dir: PathBuf,
    /// SIP address, UDP and TCP. Keep it on loopback: the demonstration's desk is not hardened for a network.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:5060")]
    sip: SocketAddr,
    /// The wallboard's address.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    http: SocketAddr,
}

fn main() -> ExitCode {
    // Huge pages make a small daemon large: the allocator's first pages of each size would be 2 MiB
    // each. A kernel without the switch leaves them on; nothing but memory is lost.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    let matches = command_line().get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match arguments.command {
        Command::Init(init) => cli::init(&init),
        Command::Doctor(doctor) => cli::doctor(&doctor),
        Command::Serve(serve) => madoguchi::daemon::serve(&serve.config, serve.log_json),
        Command::Demo(demo) => madoguchi::daemon::demonstrate(&demo.dir, demo.sip, demo.http),
        Command::Check(check) => cli::check(&check),
        Command::Try(walk) => cli::walk(&walk),
        Command::Test(test) => cli::test(&test),
        Command::Diff(diff) => cli::diff(&diff),
        Command::Simulate(simulate) => cli::simulate(&simulate),
        Command::Forecast(forecast) => cli::forecast(&forecast),
        Command::Validate(validate) => cli::validate(&validate),
        Command::Verify(verify) => cli::verify(&verify),
        Command::Backup(backup) => cli::backup(&backup),
        Command::Restore(restore) => cli::restore(&restore),
        Command::Export(export) => cli::export(&export),
        Command::Erase(erase) => cli::erase(&erase),
        Command::Events(events) => cli::events(&events),
        Command::Site(site) => cli::site(&site),
        Command::Holidays(holidays) => cli::holidays(&holidays),
        Command::Tickets(tickets) => cli::tickets(&tickets),
        Command::Calls(calls) => cli::calls(&calls),
        Command::Explain(explain) => cli::explain(&explain),
        Command::ServiceLevel(level) => cli::service_level(&level),
        Command::Operating(operating) => cli::operating(&operating),
        Command::Exclude(exclude) => cli::exclude(&exclude),
        Command::CloseMonth(close) => cli::close_month(&close),
        Command::Report(report) => cli::report(&report),
        Command::Warning(warning) => cli::warning(&warning),
        Command::People(people) => cli::people(&people),
        Command::Accounts(accounts) => cli::accounts(&accounts),
        Command::Sip(sip) => cli::sip(&sip),
        Command::Log(log) => cli::log(&log),
        Command::Traces(traces) => cli::traces(&traces),
        Command::Reload(reload) => cli::reload(&reload),
        Command::Drain(drain) => cli::drain(&drain),
        Command::Runbook(runbook) => cli::runbook(&runbook),
        Command::Prompts(prompts) => cli::prompts(&prompts),
        Command::Recording(recording) => cli::recording(&recording),
        Command::Manual(manual) => cli::manual(&manual, &command_line()),
    }
}

fn command_line() -> clap::Command {
    cli::with_examples(Arguments::command())
}

#[cfg(test)]
mod tests {
    use super::{Arguments, command_line};
    use clap::{Command, FromArgMatches as _};

    #[test]
    fn every_command_can_be_understood() {
        command_line().debug_assert();
    }

    /// Every command with all words before it; `help` is clap's own.
    fn all(command: &Command, before: &str, into: &mut Vec<(String, Command)>) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let name = format!("{before} {}", inner.get_name());
            all(inner, &name, into);
            into.push((name, inner.clone()));
        }
    }

    /// Whoever types what the runbook says must not meet a usage error at night.
    #[test]
    fn every_command_of_the_runbook_can_be_typed() {
        let runbook = include_str!("../docs/RUNBOOK.md");
        let typed = runbook.split('`').skip(1).step_by(2).filter(|it| it.starts_with("madoguchi "));
        let mut commands = 0;
        for command in typed {
            let command = command.replace("CALL", "0199a0c1-5b00-7000-8000-000000000001");
            let words = command.split(" | ").next().unwrap_or_default().split_whitespace();
            let parsed = command_line().try_get_matches_from(words);
            let parsed = parsed.and_then(|matches| Arguments::from_arg_matches(&matches));
            assert!(parsed.is_ok(), "{command}: {}", parsed.err().unwrap());
            commands += 1;
        }
        assert!(commands > 20, "{commands}");
    }

    #[test]
    fn the_help_of_every_command_ends_with_an_example_that_can_be_typed() {
        let mut commands = Vec::new();
        all(&command_line(), "madoguchi", &mut commands);
        assert!(commands.len() > 50, "the commands were found");
        for (name, mut command) in commands {
            let help = command.render_long_help().to_string().replace('\n', " ");
            let example =
                help.split("Example: ").nth(1).unwrap_or_else(|| panic!("{name}: {help}"));
            assert!(example.starts_with(&name), "{name}: {example}");
            // What stands behind it begins with a heading or an option, or is for the shell.
            let end = ["  Usage:", "Usage:", " Ends with ", " > "].iter();
            let end = end.filter_map(|mark| example.find(mark)).min().unwrap_or(example.len());
            let words: Vec<&str> =
                example.get(..end).unwrap_or_default().split_whitespace().collect();
            let parsed = command_line().try_get_matches_from(&words);
            let parsed = parsed.and_then(|matches| Arguments::from_arg_matches(&matches));
            assert!(parsed.is_ok(), "{name}: {words:?}: {}", parsed.err().unwrap());
        }
    }
}
