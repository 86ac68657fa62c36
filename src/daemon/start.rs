//! From a configuration to a living desk, in the order that a caller would want: the history is read
//! and closed first, then the journal, the media and the engine stand, and only then do the sockets open.

use super::call_log;
use super::certificates::{Certificates, WebCertificate};
use super::drain::Drain;
use super::engine_loop::{Clock, EngineLoop, Heard};
use super::erasing::Erasing;
use super::feeding::{Context, Doors, Fed, NotFed};
use super::figures::gauges;
use super::inlet::Inlet;
use super::keeper::{self, Keeper, Keeping};
use super::layout::Told;
use super::past;
use super::planning::{Forecaster, beside};
use super::plans::PlanFile;
use super::pulse::Pulse;
use super::random;
use super::reload::{Reload, Within};
use super::retention::Retention;
use super::sign_on::sign_on;
use super::warning::Teller;
use crate::base::{Private, Rng};
use crate::config::Config;
use crate::dialplan::Plan;
use crate::dtls::Identity;
use crate::engine::{Engine, KeysPolicy, Outbox, Parts, Policy, SealingPolicy};
use crate::event::DeskEvent;
use crate::io::dns::Dns;
use crate::io::http::{self, App, CommandFailure, PeopleNow, TlsNow, Token, ViewHub};
use crate::io::media::{Media, MediaConfig, PromptLibrary};
use crate::io::net::{self, Lane, Listen, Net, Streams};
use crate::io::recording::{Recorder, RecorderConfig};
use crate::io::store::site::{Copying, Followed};
use crate::io::store::{self, Store, StoreNotice};
use crate::io::telemetry::{Metrics, log};
use crate::io::trace::{Export, ExportError, Trace};
use crate::recording::command::RecordingId;
use crate::sip::BlockedAccount;
use crate::sip::api::Listener;
use crate::sip::trunk::Server;
use crate::trace::Hep;
use crate::view;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The inlet's bounds: a second of what a core can decide on, and a tenth of that of new calls.
const FIRST_MAX: usize = 65_536;
const NEW_MAX: usize = 8_192;
/// A media thread's ring to the recorder: four seconds of a hundred calls.
const TAP_BYTES: usize = 16 << 20;
/// How often the thread of the SIP sockets shows that it lives.
const NET_BEAT: Duration = Duration::from_secs(1);
/// How long an orderly end may take: writing what is decided, and telling the peers.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// How long an orderly end waits for the site's store.
const SITE_PATIENCE: Duration = Duration::from_secs(2);

/// Why the desk could not be started; each says the mend.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A SIP listener.
    #[error(transparent)]
    Listen(#[from] crate::io::net::ListenError),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::OpenError),
    /// Reading the history.
    #[error("the history cannot be read: {0}")]
    History(#[from] store::ReadError),
    /// The certificate for DTLS cannot be made.
    #[error("the certificate for encrypted sound (DTLS) cannot be made")]
    NoIdentity,
    /// The recorder.
    #[error("the recorder cannot be started: {source}; [recording] directory is {directory}")]
    Recorder {
        /// Where it was to record to.
        directory: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The media threads.
    #[error("the media threads cannot be started: {0}")]
    Media(std::io::Error),
    /// Certificate and key.
    #[error("TLS cannot use certificate and key of [sip.tls]: {0}")]
    Certificate(String),
    /// Prompts.
    #[error("the prompts cannot be read: {0}")]
    Prompts(String),
    /// The HTTP listener.
    #[error(
        "cannot listen for HTTP on {address}: {source}; choose another address in [http] listen"
    )]
    Http {
        /// Where.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The token.
    #[error("the HTTP token is too weak: {0}")]
    Token(String),
    /// The feeding of ticket systems.
    #[error(transparent)]
    NotFed(#[from] NotFed),
    /// A way to whom warnings are told.
    #[error("nobody can be told of warnings: {0}; mend [warning]")]
    Warning(#[from] crate::io::deliver::NoWay),
    /// The exporter of the SIP trace.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A thread or a random number.
    #[error("the operating system refused {what}: {source}")]
    System {
        /// What was asked.
        what: &'static str,
        /// What it said.
        source: std::io::Error,
    },
}

/// A living desk.
pub struct Desk {
    inlet: Arc<Inlet<Heard>>,
    pulse: Arc<Pulse>,
    clock: Clock,
    store: Arc<Store>,
    site: Option<Arc<Copying>>,
    media: Arc<Media>,
    /// The SIP addresses really bound, in the configuration's order.
    pub sip: Vec<SocketAddr>,
    /// The HTTP address really bound.
    pub http: SocketAddr,
    engine: Option<std::thread::JoinHandle<()>>,
    keeper: Keeper,
    reload: Arc<Reload>,
    drain: Arc<Drain>,
    /// Dropping it ends the network runtime and with it the SIP sockets.
    net_runtime: NetRuntime,
    /// Ends with the desk.
    _export: Option<Export>,
}

/// The network's runtime, which ends in the background when it is dropped: a start that fails half-way
/// drops it inside another runtime, where waiting for it would be a panic instead of the error's words.
struct NetRuntime(Option<tokio::runtime::Runtime>);

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

/// The recorder, if calls may be recorded.
fn recorder(
    config: &Config,
    zone: chrono_tz::Tz,
    clock: Clock,
    media: &Media,
    unkept: std::collections::BTreeSet<RecordingId>,
    inlet: &Arc<Inlet<Heard>>,
) -> Result<Option<Arc<Recorder>>, StartError> {
    let Some(recording) = &config.recording else { return Ok(None) };
    // The journal comes first: what it must have free is never recorded into.
    let least_free_mib = if store::on_one_disk(&config.store.file, &recording.directory) {
        recording.least_free_mib.max(config.store.least_free_mib)
    } else {
        recording.least_free_mib
    };
    let recorder_config = RecorderConfig {
        directory: recording.directory.clone(),
        format: recording.format,
        zone,
        key: recording.key.clone(),
        keep_days: recording.keep_days,
        least_free_bytes: least_free_mib.saturating_mul(1 << 20),
        most: config.limits.calls,
        epoch: clock.began(),
    };
    let inlet = Arc::clone(inlet);
    let notice = move |notice| inlet.push(Lane::First, Heard::Recorder(notice));
    let started = Recorder::start(recorder_config, media.rings(), unkept, notice);
    let directory = recording.directory.display().to_string();
    let failed = |source| StartError::Recorder { directory, source };
    started.map(|recorder| Some(Arc::new(recorder))).map_err(failed)
}

/// The pages' way to recordings.
fn recordings(recorder: &Arc<Recorder>, inlet: &Arc<Inlet<Heard>>) -> http::Recordings {
    let (recorder, inlet) = (Arc::downgrade(recorder), Arc::clone(inlet));
    http::Recordings {
        open: Arc::new(move |file| {
            let gone = || std::io::Error::from(std::io::ErrorKind::NotFound);
            let reading = recorder.upgrade().ok_or_else(gone)?.open(file)?;
            Ok(http::Opened {
                bytes: reading.bytes(),
                pieces: Box::new(move |part| {
                    let pieces = match part {
                        Some((from, bytes)) => reading.only(from, bytes)?,
                        None => reading,
                    };
                    Ok(Box::new(pieces) as http::Pieces)
                }),
            })
        }),
        fetched: Arc::new(move |call, number| {
            inlet.push(Lane::First, Heard::Fetched(RecordingId { call, number }));
        }),
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

/// Starts the desk. Must be called inside a tokio runtime, which then serves journal and pages; the
/// network has a runtime of its own.
///
/// # Errors
///
/// [`StartError`]; nothing is left running then but threads that end by themselves.
pub async fn start(
    (path, config): (&Path, Config),
    plan: Arc<Plan>,
    kind: store::Kind,
) -> Result<Desk, StartError> {
    let config = &config;
    let clock = Clock::start();
    let now = clock.now();
    let inlet: Arc<Inlet<Heard>> = Arc::new(Inlet::new(FIRST_MAX, NEW_MAX));
    let pulse = Arc::new(Pulse::new());

    let (store, replay) = {
        let inlet = Arc::clone(&inlet);
        let durability = match config.store.durability() {
            crate::config::Durability::Process => store::Durability::Process,
            crate::config::Durability::Power => store::Durability::Power,
        };
        let options = store::Options { kind, durability };
        let path = config.store.file.clone();
        let notice = move |notice: StoreNotice| inlet.push(Lane::First, Heard::Store(notice));
        blocking(move || Store::open(&path, options, notice)).await??
    };
    let store = Arc::new(store);
    let budget = store::Budget {
        least_free: config.store.least_free_mib.saturating_mul(1 << 20),
        reserve: config.store.reserve_mib.saturating_mul(1 << 20),
    };
    let disk = super::room::watch(&config.store.file, budget, &store);
    let site = follow(config, &plan, kind, &store)?;
    let setup = view::Setup {
        timezone: plan.timezone,
        policy: config.figures.clone(),
        agents: plan.agents.iter().map(|(id, agent)| (id.clone(), agent.name.clone())).collect(),
        demonstration: kind == store::Kind::Demonstration,
        desk: plan.name.clone(),
    };
    let keeping = Keeping {
        path: config.store.file.clone(),
        setup: setup.clone(),
        plan: Arc::clone(&plan),
        fares: Arc::default(),
        disk: Arc::clone(&disk),
    };
    let read_with = Arc::clone(&plan);
    let (past, folded) = blocking({
        let (path, entries) = (config.store.file.clone(), replay.entries);
        let targets = config.tickets.targets.clone();
        move || {
            let (began, policy) = (Instant::now(), setup.policy.clone());
            let folded = past::fold((&path, entries), setup, &read_with)?;
            let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(
                entries = folded.read(),
                snapshot = folded.stood_at,
                ms,
                "the history is read"
            );
            let kept = folded.read() >= keeper::EVERY;
            let kept = (kept.then(|| folded.fold.clone()), folded.stood_at);
            let mut past = past::read(folded.fold, &policy, (&read_with, &targets), now);
            Told::of(&read_with, now.wall).tell(&mut past.views);
            Ok::<_, StartError>((past, kept))
        }
    })
    .await??;
    let (bindings, subscriptions) = (replay.bindings, replay.subscriptions);
    let keeper = Keeper::start(keeping, &store, folded)?;

    let known_prompts: Arc<PromptLibrary>;
    // Made anew at every start: what proves it is the fingerprint in the signalling, not its age.
    let identity = Arc::new(Identity::new(Instant::now()).map_err(|_| StartError::NoIdentity)?);
    let fingerprint = identity.fingerprint().clone();
    let media = {
        let inlet = Arc::clone(&inlet);
        let prompts = PromptLibrary::load(config.media.prompts.as_deref(), config.media.tones)
            .map_err(|error| StartError::Prompts(error.to_string()))?;
        known_prompts = Arc::new(prompts);
        let media_config = MediaConfig {
            tap_bytes: if config.recording.is_some() { TAP_BYTES } else { 0 },
            epoch: clock.began(),
            threads: config.media.threads,
            codecs: config.media.codecs.clone(),
            silence_after: config.media.silence_after,
            learn_source: config.media.learn_source,
            dscp: config.media.dscp,
            identity: Some(identity),
            wanted: plan.prompts.clone(),
            ..MediaConfig::new(Arc::clone(&known_prompts))
        };
        let notice = move |notice| {
            if let crate::rtp::command::Notice::NotReserved { port } = notice {
                tracing::info!(port, "another program holds this RTP port; the next one is taken");
            }
            inlet.push(Lane::First, Heard::Media(notice));
        };
        Arc::new(Media::start(&media_config, notice).map_err(StartError::Media)?)
    };
    let recorder = recorder(config, plan.timezone, clock, &media, past.unkept, &inlet)?;

    let certificates = Certificates::new(config).map_err(StartError::Certificate)?;
    let tls = certificates.as_ref().map(|certificates| Arc::clone(&certificates.tls));
    let origins = Arc::new(config.sip.origins.clone());
    let streams = Streams { dscp: config.sip.dscp, tls, origins };
    let (net_runtime, net) = open_net(config, streams, &inlet, (&pulse, clock))?;
    let net = Arc::new(net);
    let bound: Vec<SocketAddr> = net.addresses().into_iter().flatten().collect();

    let mut settings = config.sip_settings();
    for (listener, bound) in settings.listeners.iter_mut().zip(&bound) {
        if listener.advertised.port() == 0 {
            *listener = Listener {
                transport: listener.transport,
                advertised: SocketAddr::new(listener.advertised.ip(), bound.port()),
            };
        }
    }
    let locals = settings.listeners.iter().map(|listener| listener.advertised).collect();
    let rng = Rng::from_key(random::key()?);
    let (phones, trunks) = config.sealing();
    let (phone_keys, trunk_keys) = config.keys();
    let policy = Policy {
        media_bind: config.media.address,
        media_ip: config.media.advertised(),
        codecs: config.media.codecs.clone(),
        sealing: SealingPolicy { phones, trunks },
        keys: KeysPolicy { phones: phone_keys, trunks: trunk_keys },
        fingerprint: Some(fingerprint),
        first_port: *config.media.ports.start(),
        last_port: *config.media.ports.end(),
        max_calls: config.limits.calls,
        channels: config.channels(),
        lost_after: config.media.lost_after,
    };
    let mut first = Outbox { entries: past.closing, ..Outbox::default() };
    let parts = Parts {
        settings,
        directory: config.directory(),
        plan: Arc::clone(&plan),
        policy,
        rng,
        next_seq: past.next_seq,
        bindings,
        subscriptions,
        agents: past.agents,
        talked: past.talked,
        periods: past.periods,
        boxes: past.boxes,
        wishes: past.wishes,
        declared: past.declared,
        notes: past.notes,
    };
    let started = DeskEvent::Started {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plan: plan.name.clone(),
    };
    let engine = Engine::new(parts, started, now, &mut first);

    let trace = Arc::new(Trace::new(config.trace.bounds, locals));
    let export = config.trace.hep.as_ref().map(|hep| {
        let packet = Hep { node: hep.node, name: format!("madoguchi/{}", plan.name) };
        Export::start(Arc::clone(&trace), hep.collector, packet, hep.reveal)
    });
    let export = export.transpose()?;

    let hub = {
        let reader = store.reader();
        let reread: http::Reread = Arc::new(move |from| {
            let reader = reader.clone();
            Box::pin(async move { reader.since(from, 10_000).await.unwrap_or_default() })
        });
        ViewHub::start(past.views, Arc::new(move || clock.now()), reread)
    };
    pulse.beat(&clock);
    pulse.net_beat(&clock);
    let engine_thread = {
        let (hub, media, net) = (hub.clone(), Arc::clone(&media), Arc::clone(&net));
        let engine_loop = EngineLoop {
            engine,
            first,
            inlet: Arc::clone(&inlet),
            net,
            media,
            recorder: recorder.clone(),
            store: Arc::clone(&store),
            look_up: look_up(config, &inlet),
            told: Box::new(move |entries| {
                call_log::entries(&entries);
                hub.feed(entries);
            }),
            clock,
            queue_delay: config.limits.queue_delay,
            pulse: Arc::clone(&pulse),
            trace: Arc::clone(&trace),
        };
        std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || engine_loop.run())
            .map_err(|source| StartError::System { what: "the engine thread", source })?
    };

    let told = match &config.warning {
        Some(warning) => Teller::new(warning, &hub, commands(&inlet), clock).start(warning)?,
        None => Vec::new(),
    };
    let ladder: http::LadderFn = {
        let reader = store.reader();
        Arc::new(move |call| {
            let reader = reader.clone();
            Box::pin(async move { reader.ladder(call).await.map_err(|e| e.to_string()) })
        })
    };
    let feeding = (&hub, commands(&inlet), Arc::clone(&ladder));
    let fed = Fed::new(feeding, clock, config.figures.clone(), plan.timezone);
    fed.put(&config.tickets)?;
    let context = Arc::new(Context::new(Arc::clone(&fed)));
    let eraser = store.eraser();
    let erasing = Erasing {
        path: config.store.file.clone(),
        store: Arc::downgrade(&store),
        reader: store.reader(),
        eraser: eraser.clone(),
        recorder: recorder.as_ref().map(Arc::downgrade),
        commands: commands(&inlet),
        hub: hub.clone(),
        clock,
        zone: plan.timezone,
    };
    if let Some(keep_days) = config.store.keep_callers_days {
        let (zone, at) = (plan.timezone, config.store.erase_callers_at);
        let commands = commands(&inlet);
        Retention { eraser, commands, clock, zone, keep_days, at }.start();
    }
    pulse.config_loaded_ms.store(now.wall.0, Ordering::Relaxed);
    let web = WebCertificate::new(config).map_err(StartError::Certificate)?;
    let people = PeopleNow::new(config.people.clone());
    let shown_tls = web.as_ref().map(WebCertificate::now);
    let within = Within {
        inlet: Arc::clone(&inlet),
        hub: hub.clone(),
        pulse: Arc::clone(&pulse),
        clock,
        people: people.clone(),
        fed: Arc::clone(&fed),
    };
    let lengths = known_prompts.lengths();
    let drain = Drain::new(Arc::clone(&inlet), Arc::clone(&pulse), clock);
    let reload = Arc::new(Reload::new(
        path.to_owned(),
        (config.clone(), &plan),
        known_prompts,
        (certificates, web),
        within,
    ));
    let place = store::Place::File(config.store.file.clone());
    let planner =
        Forecaster::start(place.clone(), hub.clone(), Arc::clone(&reload), lengths, clock);
    let http_address = open_http(
        config,
        shown_tls.clone(),
        App {
            hub: hub.clone(),
            token: token(config.http_token())?,
            viewer: config.viewer_token().map(token).transpose()?,
            wall: config.wall_token().map(token).transpose()?,
            people,
            sign_on: config.http.oidc.as_ref().map(sign_on).transpose()?,
            note: note(&inlet),
            secure: shown_tls.is_some(),
            plans: Arc::new(PlanFile::new(Arc::clone(&reload), clock, place)),
            report: {
                let path = path.to_owned();
                Arc::new(move |month| {
                    let path = path.clone();
                    Box::pin(async move {
                        let (told, made) = tokio::sync::oneshot::channel();
                        let make = move || {
                            // Who asked may have gone away.
                            let _ = told.send(crate::cli::report_files(&path, month));
                        };
                        beside("report", make).map_err(|error| error.to_string())?;
                        made.await.map_err(|_| "a fault of the program; the log says where")?
                    })
                })
            },
            planner: Arc::new(planner),
            commands: commands(&inlet),
            erase: erasing.way(),
            gauges: gauges(
                clock,
                &pulse,
                (&net, &media),
                (&store, recorder.as_ref()),
                (&trace, export.as_ref(), site.clone()),
                (told, Arc::clone(&fed), hub.clone()),
                (keeper.fares(), disk),
            ),
            metrics: {
                let metrics = Metrics::new(env!("CARGO_PKG_VERSION"));
                Arc::new(move |views, gauges, now, age| metrics.render(views, gauges, now, age))
            },
            ladder,
            tickets: Arc::new(Doors { fed, context }),
            hash: {
                let reader = store.reader();
                Arc::new(move |seq| {
                    let reader = reader.clone();
                    Box::pin(async move {
                        let hash = reader.hash(seq).await;
                        hash.inspect_err(|error| tracing::warn!(%error, seq, "no hash")).ok()?
                    })
                })
            },
            listed: {
                let reader = store.reader();
                Arc::new(move |from, below, recorded| {
                    let reader = reader.clone();
                    let which = if recorded { store::Which::Recorded } else { store::Which::All };
                    Box::pin(async move {
                        reader.listed(from, below, which).await.map_err(|error| error.to_string())
                    })
                })
            },
            trace: Arc::clone(&trace) as http::TraceSource,
            doors: doors(&inlet, &pulse),
            log: log_doors(),
            reloads: Arc::clone(&reload) as Arc<dyn http::Reloads>,
            drains: Arc::clone(&drain) as Arc<dyn http::Drains>,
            recordings: recorder.as_ref().map(|recorder| recordings(recorder, &inlet)),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
    )
    .await?;

    Ok(Desk {
        inlet,
        pulse,
        clock,
        store,
        site,
        media,
        sip: bound,
        http: http_address,
        engine: Some(engine_thread),
        keeper,
        reload,
        drain,
        net_runtime,
        _export: export,
    })
}

/// Begins to copy the history to the site's store, if the site has one.
fn follow(
    config: &Config,
    plan: &Plan,
    kind: store::Kind,
    store: &Arc<Store>,
) -> Result<Option<Arc<Copying>>, StartError> {
    let Some(site) = &config.store.site else { return Ok(None) };
    let followed = Followed {
        file: config.store.file.clone(),
        kind,
        desk: plan.name.clone(),
        timezone: plan.timezone.name().to_owned(),
    };
    let store = Arc::downgrade(store);
    let committed = move || store.upgrade().map_or(0, |store| store.state().committed_seq);
    let started = Copying::start(followed, crate::cli::site_address(site), Arc::new(committed));
    let failed = |source| StartError::System { what: "the thread of the site's store", source };
    Ok(Some(Arc::new(started.map_err(failed)?)))
}

/// Runs what may wait for a disk beside the runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StartError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StartError::System {
        what: "a thread for the start",
        source: std::io::Error::other(error.to_string()),
    })
}

/// The SIP sockets, on a thread and a runtime of their own: no page and no disk can delay a message.
fn open_net(
    config: &Config,
    streams: Streams,
    inlet: &Arc<Inlet<Heard>>,
    (pulse, clock): (&Arc<Pulse>, Clock),
) -> Result<(NetRuntime, Net), StartError> {
    let refused = |source| StartError::System { what: "the network thread", source };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("net")
        .enable_all()
        .build()
        .map_err(refused)?;
    let listens: Vec<Listen> = config
        .sip
        .listen
        .iter()
        .map(|listen| Listen { transport: listen.transport, address: listen.address })
        .collect();
    let inlet = Arc::clone(inlet);
    let deliver: crate::io::net::Deliver = Arc::new(move |lane, event| {
        let bytes = match &event {
            net::Event::Message { bytes, .. } => bytes.len(),
            net::Event::FlowLost(_) | net::Event::Unsendable(_) => 0,
        };
        inlet.push_sized(lane, Heard::Net(event), bytes);
    });
    let (send, opened) = std::sync::mpsc::channel();
    runtime.spawn(async move {
        let _ = send.send(Net::open(&listens, &streams, &deliver).await); // the receiver waits right below
    });
    let pulse = Arc::clone(pulse);
    // On the same thread as the sockets: when they are not served, neither is this.
    runtime.spawn(async move {
        let mut beat = tokio::time::interval(NET_BEAT);
        loop {
            beat.tick().await;
            pulse.net_beat(&clock);
        }
    });
    let runtime = NetRuntime(Some(runtime));
    let net = opened.recv().map_err(|error| refused(std::io::Error::other(error)))??;
    Ok((runtime, net))
}

async fn open_http(
    config: &Config,
    tls: Option<TlsNow>,
    app: App,
) -> Result<SocketAddr, StartError> {
    let failed = |source| StartError::Http { address: config.http.listen, source };
    let listener = tokio::net::TcpListener::bind(config.http.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    tokio::spawn(async move {
        if let Err(error) = http::serve(listener, tls, app, std::future::pending()).await {
            tracing::error!(%error, "the pages are not served any more; calls go on");
        }
    });
    Ok(address)
}

/// Looks names up beside everything else; the engine goes on meanwhile.
fn look_up(config: &Config, inlet: &Arc<Inlet<Heard>>) -> Box<dyn Fn(Server) + Send> {
    let resolver = match Dns::new(&config.dns_servers) {
        Ok(resolver) => Some(Arc::new(resolver)),
        Err(error) => {
            // A desk whose servers are all addresses needs none.
            tracing::warn!(%error, "servers that are given by name cannot be found");
            None
        }
    };
    let inlet = Arc::clone(inlet);
    let runtime = tokio::runtime::Handle::current();
    Box::new(move |server| {
        let (resolver, inlet) = (resolver.clone(), Arc::clone(&inlet));
        runtime.spawn(async move {
            let answer = match resolver {
                Some(resolver) => resolver.find(&server).await,
                None => None,
            };
            inlet.push(Lane::First, Heard::LookedUp { server, answer });
        });
    })
}

fn commands(inlet: &Arc<Inlet<Heard>>) -> http::CommandSink {
    let inlet = Arc::clone(inlet);
    Arc::new(move |command| {
        let (reply, answer) = oneshot::channel();
        inlet.push(Lane::First, Heard::Command { command, reply });
        Box::pin(async move {
            match tokio::time::timeout(Duration::from_secs(2), answer).await {
                Ok(Ok(result)) => result.map_err(CommandFailure::Refused),
                Ok(Err(_)) | Err(_) => Err(CommandFailure::Unavailable),
            }
        })
    })
}

/// The log's levels for who may look at them and change them.
fn log_doors() -> http::LogDoors {
    http::LogDoors {
        shown: Arc::new(|| {
            let row = |it: log::RoomShown| http::LogRow {
                room: it.room,
                level: it.level,
                configured: it.configured,
                left_s: it.left_s,
            };
            log::shown().into_iter().map(row).collect()
        }),
        order: Arc::new(log::order),
        end: Arc::new(log::end_orders),
    }
}

fn token(token: &Private<String>) -> Result<Token, StartError> {
    Token::new(token.reveal()).map_err(|weak| StartError::Token(weak.to_string()))
}

/// Who came and who ordered what goes into the history as anything else does: by the engine.
fn note(inlet: &Arc<Inlet<Heard>>) -> http::NoteFn {
    let commands = commands(inlet);
    Arc::new(move |event| {
        let noted = commands(crate::pbx::Command::Record { event: Box::new(event) });
        Box::pin(async move { noted.await.is_ok() })
    })
}

/// Who is shut out, and the way to let somebody in again.
fn doors(inlet: &Arc<Inlet<Heard>>, pulse: &Arc<Pulse>) -> http::Doors {
    let (inlet, pulse) = (Arc::clone(inlet), Arc::clone(pulse));
    http::Doors {
        shut: Arc::new(move || {
            let blocked = pulse.shown().blocked.into_iter();
            let shown = blocked.map(|door| {
                let account = match &door.account {
                    Some(BlockedAccount::Known(number)) => Some(number.to_string()),
                    Some(BlockedAccount::Unknown) | None => None,
                };
                view::Blocked {
                    source: door.source.to_string(),
                    scope: if door.account.is_some() { "account" } else { "source" },
                    account,
                    failures: door.failures,
                    since: door.since,
                    left_s: door.left.as_secs(),
                }
            });
            shown.collect()
        }),
        open: Arc::new(move |address| {
            let (reply, answer) = oneshot::channel();
            inlet.push(Lane::First, Heard::LetIn { address, reply });
            Box::pin(async move {
                let answer = tokio::time::timeout(Duration::from_secs(2), answer).await;
                answer.ok().and_then(Result::ok)
            })
        }),
    }
}
