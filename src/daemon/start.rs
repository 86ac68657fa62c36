//! From a configuration to a living desk, in the order that a caller would want: the history is read
//! and closed first, then the journal, the media and the engine stand, and only then do the sockets open.

mod desk;
mod error;
mod sockets;
mod ways;

pub use desk::Desk;
pub use error::StartError;

use super::call_log;
use super::certificates::{self, Certificates, WebCertificate};
use super::drain::Drain;
use super::engine_loop::{Clock, EngineLoop, Heard};
use super::erasing::Erasing;
use super::feeding::{Context, Doors, Fed};
use super::figures::gauges;
use super::inlet::Inlet;
use super::keeper::{self, Keeper, Keeping};
use super::layout::Told;
use super::past;
use super::planning::Forecaster;
use super::plans::PlanFile;
use super::pulse::Pulse;
use super::random;
use super::reload::{Reload, Within};
use super::retention::Retention;
use super::sign_on::sign_on;
use super::warning::Teller;
use crate::base::Rng;
use crate::config::Config;
use crate::dialplan::Plan;
use crate::dtls::Identity;
use crate::engine::{Engine, KeysPolicy, Outbox, Parts, Policy, SealingPolicy};
use crate::event::DeskEvent;
use crate::io::http::{self, App, PeopleNow, TlsNow, ViewHub};
use crate::io::media::{Media, MediaConfig, PromptLibrary};
use crate::io::net::{Lane, Streams};
use crate::io::recording::{Recorder, RecorderConfig};
use crate::io::store::site::{Copying, Followed};
use crate::io::store::{self, Store, StoreNotice};
use crate::io::telemetry::Metrics;
use crate::io::trace::{Export, Trace};
use crate::recording::command::RecordingId;
use crate::sip::api::Listener;
use crate::trace::Hep;
use crate::view;
use sockets::{look_up, open_net};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// The inlet's bounds: a second of what a core can decide on, and a tenth of that of new calls.
const FIRST_MAX: usize = 65_536;
const NEW_MAX: usize = 8_192;
/// A media thread's ring to the recorder: four seconds of a hundred calls.
const TAP_BYTES: usize = 16 << 20;

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

    let hub = ViewHub::start(past.views, Arc::new(move || clock.now()), ways::reread(&store));
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
        Some(warning) => {
            Teller::new(warning, &hub, ways::commands(&inlet), clock).start(warning)?
        }
        None => Vec::new(),
    };
    let ladder = ways::ladder(&store);
    let feeding = (&hub, ways::commands(&inlet), Arc::clone(&ladder));
    let fed = Fed::new(feeding, clock, config.figures.clone(), plan.timezone);
    fed.put(fed.ready(&config.tickets)?);
    let context = Arc::new(Context::new(Arc::clone(&fed)));
    let eraser = store.eraser();
    let erasing = Erasing {
        path: config.store.file.clone(),
        store: Arc::downgrade(&store),
        reader: store.reader(),
        eraser: eraser.clone(),
        recorder: recorder.as_ref().map(Arc::downgrade),
        commands: ways::commands(&inlet),
        hub: hub.clone(),
        clock,
        zone: plan.timezone,
    };
    if let Some(keep_days) = config.store.keep_callers_days {
        let (zone, at) = (plan.timezone, config.store.erase_callers_at);
        let commands = ways::commands(&inlet);
        Retention { eraser, commands, clock, zone, keep_days, at }.start();
    }
    pulse.config_loaded_ms.store(now.wall.0, Ordering::Relaxed);
    let web = WebCertificate::new(config).map_err(StartError::Certificate)?;
    certificates::show_ends(&pulse, config, certificates.as_ref(), web.as_ref());
    let people = PeopleNow::new(config.people.clone());
    let shown_tls = web.as_ref().map(WebCertificate::now);
    let within = Within {
        inlet: Arc::clone(&inlet),
        hub: hub.clone(),
        pulse: Arc::clone(&pulse),
        clock,
        people: people.clone(),
        fed: Arc::clone(&fed),
        maker: media.maker(),
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
            token: ways::token(config.http_token())?,
            viewer: config.viewer_token().map(ways::token).transpose()?,
            wall: config.wall_token().map(ways::token).transpose()?,
            people,
            sign_on: config.http.oidc.as_ref().map(sign_on).transpose()?,
            note: ways::note(&inlet),
            secure: shown_tls.is_some(),
            plans: Arc::new(PlanFile::new(Arc::clone(&reload), clock, place)),
            report: ways::report(path),
            planner: Arc::new(planner),
            commands: ways::commands(&inlet),
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
            hash: ways::hash(&store),
            listed: ways::listed(&store),
            trace: Arc::clone(&trace) as http::TraceSource,
            doors: ways::doors(&inlet, &pulse),
            log: ways::log_doors(),
            reloads: Arc::clone(&reload) as Arc<dyn http::Reloads>,
            drains: Arc::clone(&drain) as Arc<dyn http::Drains>,
            recordings: recorder.as_ref().map(|recorder| ways::recordings(recorder, &inlet)),
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
