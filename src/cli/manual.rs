//! `madoguchi manual`, and the examples that every command's `--help` ends with: the manual pages and the shells'
//! completions are written from the command line's own definition, so that they cannot say another thing.

use super::{Language, Reply};
use crate::dialplan::Lang;
use clap::{Args, Command};
use clap_complete::Shell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

/// Ends with 0 when all was written, 1 when it could not be.
#[derive(Clone, Debug, Args)]
pub struct Manual {
    /// The folder: manual pages are put into its `man1`, completions into `bash`, `zsh` and `fish`. Made when missing.
    #[arg(long, value_name = "FOLDER")]
    pub into: PathBuf,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// Commands inside others, each with a line that can be typed as it stands. The outer ones say theirs where they
/// are described.
const EXAMPLES: &[(&str, &str)] = &[
    ("events export", "madoguchi events export store/madoguchi.db > history.jsonl"),
    ("events import", "madoguchi events import history.jsonl --into store/again.db"),
    ("events erase", "madoguchi events erase store/madoguchi.db --before 2025-10-01"),
    ("site set-aside", "madoguchi site set-aside 1 --config /etc/madoguchi/madoguchi.toml"),
    ("holidays import", "madoguchi holidays import syukujitsu.csv --to dialplans/holidays.csv"),
    (
        "tickets figures",
        "madoguchi tickets figures plan.toml --tickets tickets.csv --month 2026-10",
    ),
    ("tickets try", "madoguchi tickets try 0199a0c1-5b00-7000-8000-000000000001 --target redmine"),
    ("tickets outbox", "madoguchi tickets outbox --target redmine --csv outbox.csv"),
    ("tickets status", "madoguchi tickets status --json"),
    ("tickets retry", "madoguchi tickets retry --target redmine --author 佐藤"),
    (
        "tickets edit",
        "madoguchi tickets edit 0199a0c1-5b00-7000-8000-000000000001 --text words.txt --target redmine --author 佐藤",
    ),
    (
        "tickets discard",
        "madoguchi tickets discard 0199a0c1-5b00-7000-8000-000000000001 --reason 試験の呼 --target redmine --author 佐藤",
    ),
    (
        "tickets adopt",
        "madoguchi tickets adopt 0199a0c1-5b00-7000-8000-000000000001 1234 --target redmine --author 佐藤",
    ),
    ("tickets import", "madoguchi tickets import outbox.csv --target redmine --author 佐藤"),
    (
        "exclude enter",
        "madoguchi exclude enter --from 2026-10-01T10:00 --until 2026-10-01T11:00 --reason 通信障害 --author 佐藤",
    ),
    ("exclude approve", "madoguchi exclude approve 1 --author 鈴木"),
    ("exclude withdraw", "madoguchi exclude withdraw 1 --reason 誤り --author 佐藤"),
    ("exclude list", "madoguchi exclude list --config /etc/madoguchi/madoguchi.toml"),
    ("warning try", "madoguchi warning try --config /etc/madoguchi/madoguchi.toml"),
    ("accounts hash", "madoguchi accounts hash --config /etc/madoguchi/madoguchi.toml"),
    ("people list", "madoguchi people list --config /etc/madoguchi/madoguchi.toml"),
    (
        "people add",
        "madoguchi people add sato --name 佐藤 --role agent --extension 2001 --generate",
    ),
    ("people change", "madoguchi people change sato --role supervisor"),
    ("people password", "madoguchi people password sato --generate"),
    ("people sign-out", "madoguchi people sign-out sato"),
    ("people remove", "madoguchi people remove sato"),
    ("sip ladder", "madoguchi sip ladder 0199a0c1-5b00-7000-8000-000000000001"),
    ("sip pcap", "madoguchi sip pcap 0199a0c1-5b00-7000-8000-000000000001 call.pcap"),
    ("sip blocked", "madoguchi sip blocked --config /etc/madoguchi/madoguchi.toml"),
    ("sip unblock", "madoguchi sip unblock 192.0.2.20"),
    ("prompts render", "madoguchi prompts render texts.toml --into prompts --voice mei.htsvoice"),
];

/// The command line with the examples of its inner commands.
#[must_use]
pub fn with_examples(command: Command) -> Command {
    EXAMPLES.iter().fold(command, |command, (path, example)| {
        let words: Vec<&str> = path.split(' ').collect();
        exampled(command, &words, example)
    })
}

fn exampled(command: Command, path: &[&str], example: &'static str) -> Command {
    match path.split_first() {
        None => command.after_help(format!("Example: {example}")),
        // One that is no more is left alone: the test beside the definition tells of it.
        Some((name, _)) if command.find_subcommand(name).is_none() => command,
        Some((name, rest)) => command.mut_subcommand(name, |inner| exampled(inner, rest, example)),
    }
}

/// Writes the manual pages and completions of a command line.
#[must_use]
pub fn manual(arguments: &Manual, command: &Command) -> ExitCode {
    let lang = arguments.language.choose();
    match written(&arguments.into, command) {
        Ok(pages) => said(&arguments.into, pages, lang),
        Err(error) => {
            let folder = arguments.into.display();
            let err = lang.pick(
                format!("{folder}: 書けない: {error}\n"),
                format!("{folder}: cannot be written: {error}\n"),
            );
            Reply { err, code: 1, ..Reply::default() }
        }
    }
    .finish()
}

fn said(folder: &Path, pages: usize, lang: Lang) -> Reply {
    let folder = folder.display();
    let out = lang.pick(
        format!("{folder}: マニュアル {pages} ページ、補完（bash、zsh、fish）\n"),
        format!("{folder}: {pages} manual pages, completions for bash, zsh and fish\n"),
    );
    Reply { out, ..Reply::default() }
}

fn written(folder: &Path, command: &Command) -> io::Result<usize> {
    let pages = folder.join("man1");
    fs::create_dir_all(&pages)?;
    clap_mangen::generate_to(command.clone(), &pages)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let folder = folder.join(shell.to_string());
        fs::create_dir_all(&folder)?;
        clap_complete::generate_to(shell, &mut command.clone(), "madoguchi", &folder)?;
    }
    Ok(fs::read_dir(&pages)?.count())
}
