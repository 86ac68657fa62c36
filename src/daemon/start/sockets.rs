//! The way to the wire: the SIP sockets, and the names of servers.

use super::super::engine_loop::{Clock, Heard};
use super::super::inlet::Inlet;
use super::super::pulse::Pulse;
use super::desk::NetRuntime;
use super::error::StartError;
use crate::config::Config;
use crate::io::dns::{Dns, NotFound};
use crate::io::net::{self, Lane, Listen, Net, Streams};
use crate::sip::trunk::{Answer, Server};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often the thread of the SIP sockets shows that it lives.
const NET_BEAT: Duration = Duration::from_secs(1);

/// The SIP sockets, on a thread and a runtime of their own: no page and no disk can delay a message.
pub(super) fn open_net(
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

/// Names of servers that are remembered as not found. Further ones are told each time that they are not.
const MOST_UNFOUND: usize = 64;

/// Looks names up beside everything else; the engine goes on meanwhile. A name that is not found is told once, until it
/// is found again.
pub(super) fn look_up(config: &Config, inlet: &Arc<Inlet<Heard>>) -> Box<dyn Fn(Server) + Send> {
    let resolver = match Dns::new(&config.dns_servers) {
        Ok(resolver) => Some(Arc::new(resolver)),
        Err(error) => {
            // A desk whose servers are all addresses needs none.
            tracing::warn!(%error, "servers that are given by name cannot be found");
            None
        }
    };
    let inlet = Arc::clone(inlet);
    let unfound: Arc<Mutex<BTreeSet<Server>>> = Arc::default();
    let runtime = tokio::runtime::Handle::current();
    Box::new(move |server| {
        let (resolver, inlet) = (resolver.clone(), Arc::clone(&inlet));
        let unfound = Arc::clone(&unfound);
        runtime.spawn(async move {
            let answer = match resolver {
                Some(resolver) => told(&unfound, &server, resolver.find(&server).await),
                None => None,
            };
            inlet.push(Lane::First, Heard::LookedUp { server, answer });
        });
    })
}

fn told(
    unfound: &Mutex<BTreeSet<Server>>,
    server: &Server,
    found: Result<Answer, NotFound>,
) -> Option<Answer> {
    let mut unfound = unfound.lock().unwrap_or_else(PoisonError::into_inner);
    let host = server.host.to_string();
    match found {
        Ok(answer) => {
            if unfound.remove(server) {
                tracing::info!(%host, "a server is found by its name again");
            }
            Some(answer)
        }
        Err(error) => {
            let known = unfound.contains(server);
            if !known && unfound.len() < MOST_UNFOUND {
                unfound.insert(server.clone());
            }
            if !known {
                tracing::warn!(%host, %error, "a server cannot be found by its name; it is asked for again by itself");
            }
            None
        }
    }
}
