//! The desk while it lives, and its orderly end.

use super::super::drain::Drain;
use super::super::engine_loop::{Clock, Heard};
use super::super::inlet::Inlet;
use super::super::keeper::Keeper;
use super::super::pulse::Pulse;
use super::super::reload::Reload;
use crate::io::media::Media;
use crate::io::net::Lane;
use crate::io::store::Store;
use crate::io::store::site::Copying;
use crate::io::trace::Export;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long an orderly end may take: writing what is decided, and telling the peers.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// How long an orderly end waits for the site's store.
const SITE_PATIENCE: Duration = Duration::from_secs(2);

/// A living desk.
pub struct Desk {
    pub(super) inlet: Arc<Inlet<Heard>>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) clock: Clock,
    pub(super) store: Arc<Store>,
    pub(super) site: Option<Arc<Copying>>,
    pub(super) media: Arc<Media>,
    /// The SIP addresses really bound, in the configuration's order.
    pub sip: Vec<SocketAddr>,
    /// The HTTP address really bound.
    pub http: SocketAddr,
    pub(super) engine: Option<std::thread::JoinHandle<()>>,
    pub(super) keeper: Keeper,
    pub(super) reload: Arc<Reload>,
    pub(super) drain: Arc<Drain>,
    /// Dropping it ends the network runtime and with it the SIP sockets.
    pub(super) net_runtime: NetRuntime,
    /// Ends with the desk.
    pub(super) _export: Option<Export>,
}

/// The network's runtime, which ends in the background when it is dropped: a start that fails half-way
/// drops it inside another runtime, where waiting for it would be a panic instead of the error's words.
pub(super) struct NetRuntime(pub(super) Option<tokio::runtime::Runtime>);

impl Drop for NetRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Desk {
    /// How long the one of the threads was not seen that has been silent longest, of those without which no caller is
    /// served: the engine, the SIP sockets, the media.
    #[must_use]
    pub fn silence(&self) -> Duration {
        let engine = self.pulse.silence(&self.clock);
        engine
            .max(self.pulse.net_silence(&self.clock))
            .max(self.media.silence(self.clock.now().mono))
    }

    /// Reads again what may be replaced while calls go on. Returns before it is done.
    pub fn reload(&self) {
        let reload = Arc::clone(&self.reload);
        // The thread says in the log what came of it; nobody waits for it.
        drop(tokio::task::spawn_blocking(move || reload.again()));
    }

    /// Returns when an ordered end without a call cut off is due.
    pub async fn is_drained(&self) {
        self.drain.is_over().await;
    }

    /// Whether a thread has ended without which no caller is served.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        let engine_ended = self.engine.as_ref().is_none_or(std::thread::JoinHandle::is_finished);
        engine_ended || !self.media.healthy()
    }

    /// Ends in order: peers are told, the journal is written.
    pub async fn stop(mut self) {
        let (done, ended) = oneshot::channel();
        self.inlet.push(Lane::First, Heard::Stop { done });
        let alive = self.engine.as_ref().is_some_and(|engine| !engine.is_finished());
        if alive && tokio::time::timeout(STOP_PATIENCE, ended).await.is_err() {
            // Waiting for its thread would be waiting for ever; the next start closes the open calls.
            tracing::error!("the engine does not end: it is left behind");
            return;
        }
        let engine = self.engine.take();
        let (store, site, keeper) = (self.store, self.site, self.keeper);
        let closing = tokio::task::spawn_blocking(move || {
            // The engine's thread holds the store's other end; a panic in it has been told already.
            let _ = engine.map(std::thread::JoinHandle::join);
            keeper.finish();
            let whole = alone(store).is_some_and(|store| store.close(STOP_PATIENCE));
            if site.is_some_and(|site| !site.finish(SITE_PATIENCE)) {
                tracing::warn!(
                    "the site's store lacks the end of the history until the next start"
                );
            }
            whole
        });
        if !closing.await.unwrap_or(false) {
            tracing::error!("the journal could not be written to its end");
        }
        drop(self.net_runtime);
    }
}

/// The store, once nobody else has it; a page may just be reading its figures.
fn alone(mut store: Arc<Store>) -> Option<Store> {
    for _ in 0..100 {
        match Arc::try_unwrap(store) {
            Ok(store) => return Some(store),
            Err(shared) => store = shared,
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    None
}
