//! A person's numbers, names, words and recordings go because that was asked for, while the desk serves: in which order,
//! and the proof. How texts are found and taken out is `io::store`'s, how a file is deleted `io::recording`'s.

use super::engine_loop::Clock;
use crate::base::{CallId, Wall};
use crate::event::{DeskEvent, Entry, Fact, FeedEvent, RecordingEvent, RecordingTrouble};
use crate::io::http::{
    Anchored, CommandSink, EraseFn, Erasure, ErasureFailure, ErasureWanted, HandedOver, LeftAlone,
    ViewHub, WhyLeft,
};
use crate::io::recording::{Recorder, is_held};
use crate::io::store::{
    self, Eraser, Found, KeptRecording, Needle, Reader, Retained, Store, These,
};
use crate::pbx;
use crate::recording::command::{Command, RecordingId};
use crate::view;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

/// Calls that one entry of the history tells of.
const CALLS_TOLD: usize = 1_000;
/// How long recordings may take to be deleted, and an entry to be written.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// The same for an entry, which is written within milliseconds.
const SOON: Duration = Duration::from_millis(5);

/// What no erasing here can reach, for the proof.
const NOT_REACHED: [(&str, &str); 6] = [
    (
        "これより前に作ったバックアップと書き出し（madoguchi backup、events export、export）",
        "backups and exports that were made before (madoguchi backup, events export, export)",
    ),
    (
        "チケットシステムに渡した内容（handed_over にあるもの）",
        "what ticket systems were handed (handed_over)",
    ),
    (
        "メモリー上の SIP の記録（[trace] keep のあいだ）と、HEP で渡した写し",
        "SIP messages in memory, for [trace] keep, and copies that were sent by HEP",
    ),
    (
        "サイトの PostgreSQL の古い版（VACUUM FULL まで）とそのバックアップ",
        "old versions of rows in the site's PostgreSQL, until VACUUM FULL, and its backups",
    ),
    (
        "取り出された録音と、印刷・保存された画面や帳票",
        "recordings that were fetched, pages and reports that were printed or saved",
    ),
    (
        "どの内線の電話機から掛かったか（origin の extension、sound の phone）。個人の内線なら、その人と分かる",
        "from which of our extensions a call came (origin's extension, sound's phone): where one person has it, that person",
    ),
];

/// All that it needs.
pub(super) struct Erasing {
    pub path: PathBuf,
    pub store: Weak<Store>,
    pub reader: Reader,
    pub eraser: Eraser,
    pub recorder: Option<Weak<Recorder>>,
    pub commands: CommandSink,
    pub hub: ViewHub,
    pub clock: Clock,
    pub zone: chrono_tz::Tz,
}

fn failed(why: impl std::fmt::Display) -> ErasureFailure {
    ErasureFailure::Failed(why.to_string())
}

impl Erasing {
    /// The way to it for the pages. One runs at a time; it goes on when who asked has left.
    pub(super) fn way(self) -> EraseFn {
        let (this, alone) = (Arc::new(self), Arc::new(Mutex::new(())));
        Arc::new(move |wanted| {
            let (this, alone) = (Arc::clone(&this), Arc::clone(&alone));
            let running = tokio::spawn(async move {
                let _alone = alone.lock().await;
                this.erase(wanted).await
            });
            Box::pin(async move {
                running
                    .await
                    .unwrap_or_else(|_| Err(failed("a fault while erasing; the log says where")))
            })
        })
    }

    async fn erase(&self, wanted: ErasureWanted) -> Result<Erasure, ErasureFailure> {
        let needles = needles(&wanted)?;
        let ErasureWanted { reference, author, .. } = wanted;
        let began_at = self.now();
        let before = self.last().await?;
        let found = self.find(&needles).await?;
        let (these, mut left) = self.divide(&found.these);
        // From here on it may be cut off: what it is about is noted first.
        let mut these = self.eraser.begin(&reference, &these).await.map_err(failed)?;
        let (recordings, kept) = self.delete_recordings(&these).await?;
        // Who holds a recording holds its call with it. One that could not be deleted keeps no text. Either is asked for
        // again by the reference: one that is held now may have lost its texts when it could not be deleted.
        let owed = These { calls: kept.iter().map(|it| it.call).collect(), ..These::default() };
        for LeftAlone { call, why } in &kept {
            if *why != WhyLeft::RecordingNotDeleted {
                these.calls.remove(call);
            }
        }
        left.extend(kept);
        let not_reached = not_reached(&self.path);
        let handed_over = self.handed_over(&these).await?;
        let Retained { erased, emptied, grown, .. } =
            self.eraser.run_these(&reference, &these).await.map_err(failed)?;
        let calls: Vec<CallId> = these.calls.iter().copied().collect();
        let incidents: Vec<u64> = these.incidents.iter().copied().collect();
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let mut told = calls.chunks(CALLS_TOLD).map(<[CallId]>::to_vec).collect::<Vec<_>>();
        if told.is_empty() {
            told.push(Vec::new()); // that nothing was found is told, too
        }
        let mut first = true;
        for calls in told {
            let event = DeskEvent::ErasedOnRequest {
                reference: reference.clone(),
                author: author.clone(),
                calls,
                incidents: if first { incidents.clone() } else { Vec::new() },
                entries: if first { erased.entries } else { 0 },
                recordings: if first { count(recordings.len()) } else { 0 },
                left: if first { count(left.len()) } else { 0 },
            };
            self.note(event).await?;
            first = false;
        }
        let after = self.noted(before.seq, &reference).await?;
        self.eraser.told(&reference, &owed).await.map_err(failed)?;
        let again = self.find(&needles).await?;
        let (calls_told, entries) = (calls.len(), erased.entries);
        tracing::info!(
            reference,
            calls = calls_told,
            entries,
            recordings = recordings.len(),
            left = left.len(),
            "numbers, names and words were erased on request / 請求により番号・名前を消しました"
        );
        Ok(Erasure {
            reference,
            author,
            began_at,
            ended_at: self.now(),
            before,
            after,
            calls,
            incidents,
            entries,
            texts: erased.texts,
            recordings,
            left,
            handed_over,
            searched_again: again.searched,
            found_again: count(again.these.calls.len())
                .saturating_add(count(again.these.incidents.len())),
            copies_emptied: emptied,
            traces_possible: grown,
            not_reached_ja: not_reached.iter().map(|(ja, _)| ja.clone()).collect(),
            not_reached: not_reached.into_iter().map(|(_, en)| en).collect(),
        })
    }

    fn now(&self) -> String {
        view::written(self.clock.now().wall, self.zone)
    }

    async fn find(&self, needles: &[Needle]) -> Result<Found, ErasureFailure> {
        let (path, needles) = (self.path.clone(), needles.to_vec());
        blocking(move || store::find(&path, &needles)).await?.map_err(failed)
    }

    /// The last entry that is written.
    async fn last(&self) -> Result<Anchored, ErasureFailure> {
        let state = self.store.upgrade().map(|store| store.state());
        let seq = state.ok_or_else(|| failed("the desk ends"))?.committed_seq;
        Ok(Anchored { seq, hash: self.reader.hash(seq).await.map_err(failed)? })
    }

    /// What can be erased now, and what is left.
    fn divide(&self, found: &These) -> (These, Vec<LeftAlone>) {
        let mut these = These { calls: BTreeSet::new(), incidents: found.incidents.clone() };
        let mut left = Vec::new();
        self.hub.read(|views, _, _| {
            for call in found.calls.iter().copied() {
                let why = match (views.is_up(call), views.is_to_be_called_back(call)) {
                    (true, _) => WhyLeft::Up,
                    (false, true) => WhyLeft::ToBeCalledBack,
                    (false, false) => {
                        these.calls.insert(call);
                        continue;
                    }
                };
                left.push(LeftAlone { call, why });
            }
        });
        (these, left)
    }

    /// All tickets that were opened or adopted for these calls, by what the history says: also of systems that are
    /// configured no more.
    async fn handed_over(&self, these: &These) -> Result<Vec<HandedOver>, ErasureFailure> {
        let mut handed = BTreeSet::new();
        for call in these.calls.iter().copied() {
            for entry in self.reader.ladder(call).await.map_err(failed)? {
                let Fact::Feed { target, event, .. } = entry.fact else { continue };
                let (FeedEvent::TicketOpened { ticket, .. }
                | FeedEvent::TicketAdopted { ticket, .. }) = event
                else {
                    continue;
                };
                if target.as_str() != view::LEDGER {
                    handed.insert((target.as_str().to_owned(), call, ticket));
                }
            }
        }
        let told = |(target, call, ticket)| HandedOver { target, call, ticket };
        Ok(handed.into_iter().map(told).collect())
    }

    /// Deletes what was recorded of these calls; the files that went, and what was left. One that was begun and is not
    /// kept yet goes as soon as it is whole.
    async fn delete_recordings(
        &self,
        these: &These,
    ) -> Result<(Vec<String>, Vec<LeftAlone>), ErasureFailure> {
        if these.calls.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let path = self.path.clone();
        let all = blocking(move || store::recordings(&path)).await?.map_err(failed)?;
        let recorder = self.recorder.as_ref().and_then(Weak::upgrade);
        let (mut asked, mut left) = (Vec::new(), Vec::new());
        for KeptRecording { call, number, file, .. } in all {
            let (Ok(call), Ok(number)) = (call.parse().map(CallId), u32::try_from(number)) else {
                continue;
            };
            if !these.calls.contains(&call) {
                continue;
            }
            let Some(path) = recorder.as_ref().and_then(|recorder| recorder.path(&file)) else {
                left.push(LeftAlone { call, why: WhyLeft::RecordingNotDeleted });
                continue;
            };
            match blocking(move || lies(&path)).await? {
                Ok(Lies::Held) => left.push(LeftAlone { call, why: WhyLeft::RecordingHeld }),
                Ok(Lies::Free) => asked.push(RecordingId { call, number }),
                // Somebody deleted it by hand: there is nothing to be erased.
                Ok(Lies::Nowhere) => {}
                Err(error) => left.push(unknown(call, &error)),
            }
        }
        for call in these.calls.iter().copied() {
            let unkept = unkept(self.reader.ladder(call).await.map_err(failed)?.into_iter());
            for (number, Unkept { begun, failed }) in unkept {
                let id = RecordingId { call, number };
                let Some(recorder) = recorder.clone() else {
                    if !failed {
                        left.push(LeftAlone { call, why: WhyLeft::RecordingNotDeleted });
                    }
                    continue;
                };
                // One that failed may have left a file, which a later start would make whole.
                let look = move || recorder.find(id, begun).map(|at| at.map(|at| is_held(&at)));
                match blocking(look).await? {
                    Ok(None) => {}
                    Ok(Some(true)) => left.push(LeftAlone { call, why: WhyLeft::RecordingHeld }),
                    Ok(Some(false)) => asked.push(id),
                    Err(error) => left.push(unknown(call, &error)),
                }
            }
        }
        for id in &asked {
            if let Some(recorder) = &recorder {
                recorder.send(Command::Erase { id: *id });
            }
        }
        let until = Instant::now() + PATIENCE;
        let mut gone = Vec::new();
        for id in asked {
            match self.deleted(id, until).await? {
                Some(file) => gone.push(file),
                None => left.push(LeftAlone { call: id.call, why: WhyLeft::RecordingNotDeleted }),
            }
        }
        Ok((gone, left))
    }

    /// The file of a recording that the history says was deleted, before that time.
    async fn deleted(
        &self,
        id: RecordingId,
        until: Instant,
    ) -> Result<Option<String>, ErasureFailure> {
        loop {
            let ladder = self.reader.ladder(id.call).await.map_err(failed)?;
            let gone = ladder.into_iter().rev().find_map(|entry| match entry.fact {
                Fact::Recording { event: RecordingEvent::Deleted { number, file }, .. }
                    if number == id.number =>
                {
                    Some(file)
                }
                _ => None,
            });
            if gone.is_some() || Instant::now() >= until {
                return Ok(gone);
            }
            sleep(LOOK).await;
        }
    }

    async fn note(&self, event: DeskEvent) -> Result<(), ErasureFailure> {
        let until = Instant::now() + PATIENCE;
        while (self.commands)(pbx::Command::Record { event: Box::new(event.clone()) })
            .await
            .is_err()
        {
            if Instant::now() >= until {
                return Err(failed("it is done, and the history could not be told"));
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// The entry that tells of it, once it is written.
    async fn noted(&self, after: u64, reference: &str) -> Result<Anchored, ErasureFailure> {
        const BLOCK: u32 = 2_000;
        let until = Instant::now() + PATIENCE;
        let mut from = after.saturating_add(1);
        loop {
            let entries = self.reader.since(from, BLOCK).await.map_err(failed)?;
            let tells = |fact: &Fact| {
                matches!(fact, Fact::Desk { event: DeskEvent::ErasedOnRequest { reference: told, .. } }
                    if told == reference)
            };
            if let Some(entry) = entries.iter().rev().find(|entry| tells(&entry.fact)) {
                let hash = self.reader.hash(entry.seq).await.map_err(failed)?;
                return Ok(Anchored { seq: entry.seq, hash });
            }
            from = entries.last().map_or(from, |last| last.seq.saturating_add(1));
            if Instant::now() >= until {
                return Err(failed("it is done, and the journal is not written now"));
            }
            if entries.is_empty() {
                sleep(SOON).await;
            }
        }
    }
}

fn needles(wanted: &ErasureWanted) -> Result<Vec<Needle>, ErasureFailure> {
    let unfit = |why: store::BadNeedle| ErasureFailure::Unfit(why.to_string());
    let mut needles = Vec::new();
    if let Some(number) = &wanted.number {
        needles.push(Needle::number(number.reveal()).map_err(unfit)?);
    }
    if let Some(name) = &wanted.name {
        needles.push(Needle::name(name.reveal()).map_err(unfit)?);
    }
    if needles.iter().any(|needle| needle.is_in(&wanted.reference)) {
        let why = "found the number or the name in the reference, which stands in the history for ever; due is the request's own number";
        return Err(ErasureFailure::Unfit(why.to_owned()));
    }
    Ok(needles)
}

/// A recording of whose file nothing was written, or nothing whole.
struct Unkept {
    /// By the day of this its file lies, if there is one.
    begun: Wall,
    /// That was told.
    failed: bool,
}

/// Those of a call, by their number.
fn unkept(ladder: impl Iterator<Item = Entry>) -> BTreeMap<u32, Unkept> {
    let mut unkept = BTreeMap::new();
    for entry in ladder {
        let Fact::Recording { event, .. } = entry.fact else { continue };
        match event {
            RecordingEvent::Started { number, .. } => {
                unkept.insert(number, Unkept { begun: entry.at, failed: false });
            }
            // It was not even begun.
            RecordingEvent::Failed { number, why: RecordingTrouble::TooMany } => {
                unkept.remove(&number);
            }
            RecordingEvent::Failed { number, .. } => {
                if let Some(it) = unkept.get_mut(&number) {
                    it.failed = true;
                }
            }
            RecordingEvent::Kept { number, .. } | RecordingEvent::Deleted { number, .. } => {
                unkept.remove(&number);
            }
            RecordingEvent::Paused { .. }
            | RecordingEvent::Resumed { .. }
            | RecordingEvent::Stopped { .. }
            | RecordingEvent::Fetched { .. } => {}
        }
    }
    unkept
}

/// A recording that the history says is kept.
enum Lies {
    /// Somebody wants it kept for ever.
    Held,
    Free,
    Nowhere,
}

/// Whether it lies where the history says. Without the folder of its day nobody knows: its disk may not be there.
fn lies(path: &Path) -> io::Result<Lies> {
    if !path.try_exists()? {
        let day = path.parent().unwrap_or(path);
        return std::fs::read_dir(day).map(|_| Lies::Nowhere);
    }
    Ok(if is_held(path) { Lies::Held } else { Lies::Free })
}

/// A recording of which is not known whether it is there is not deleted.
fn unknown(call: CallId, error: &io::Error) -> LeftAlone {
    tracing::error!(%call, %error, "whether a recording is there cannot be seen, so it is not erased / 録音があるかどうか確かめられないため、消していません");
    LeftAlone { call, why: WhyLeft::RecordingNotDeleted }
}

/// What this erasing does not reach, in Japanese and English.
fn not_reached(store: &Path) -> Vec<(String, String)> {
    let always = NOT_REACHED.iter().map(|(ja, en)| ((*ja).to_owned(), (*en).to_owned()));
    let aside = store::aside(store).into_iter().map(|file| {
        let file = file.display().to_string();
        (
            format!("起動のときよけた {file}（取り込んだか、要らなければ、消すこと）"),
            format!(
                "{file}, which a start put aside (delete it when it was imported, or is not needed)"
            ),
        )
    });
    always.chain(aside).collect()
}

/// Runs what waits for the disk beside the runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ErasureFailure> {
    tokio::task::spawn_blocking(work).await.map_err(|_| failed("a fault while reading the history"))
}

#[cfg(test)]
mod tests;
