//! One subscription with its dialog, its lease and the numbers that it has promised: what is stored,
//! and how it comes back after a restart.

use super::document::{self, Messages};
use super::{Lamp, Life, Package, WatchId};
use crate::base::{Mono, Now, Number, Wall};
use crate::sip::Uri;
use crate::sip::api::{Flow, Settings};
use crate::sip::dialog::{Dialog, Token};
use crate::sip::transaction::timer::Alarm;

/// `CSeq` numbers are promised to the store in blocks: a restart goes on above the last promise, so
/// neither `CSeq` nor a document's version ever goes back, whatever the clock says (RFC 3261
/// §12.2.1.1, RFC 4235 §4.1), and a NOTIFY costs no writing.
const BLOCK: u32 = 256;

/// What is watched: a package of a number.
pub(in crate::sip) type Topic = (Package, Number);

/// A subscription as stored; it outlives the process, so that lamps are right after a restart
/// without the phone's doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSubscription {
    /// Our tag: the key.
    pub tag: String,
    /// Whose phone it is.
    pub watcher: Number,
    /// The event package.
    pub package: String,
    /// The `id` of the Event header.
    pub event_id: Option<String>,
    /// The number that is watched.
    pub what: Number,
    /// How the phone calls it: a SIP URI.
    pub entity: String,
    /// Its dialog.
    pub dialog: KeptDialog,
    /// No `CSeq` above this has been used.
    pub promised: u32,
    /// When it lapses, by the wall clock.
    pub expires_at: Wall,
}

/// A dialog as stored (RFC 3261 §12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptDialog {
    /// Call-ID.
    pub call_id: String,
    /// Our From, tag included, as it goes on the wire.
    pub local: Vec<u8>,
    /// Our To likewise.
    pub remote: Vec<u8>,
    /// The peer's tag.
    pub remote_tag: String,
    /// The last `CSeq` that the peer used.
    pub remote_seq: u32,
    /// The peer's Contact.
    pub target: String,
    /// The route set.
    pub routes: Vec<String>,
    /// The way our requests go.
    pub flow: Flow,
}

/// A change of the stored subscriptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionChange {
    /// New, renewed, moved, or with a higher promise; keyed by tag.
    Put(Box<KeptSubscription>),
    /// Gone.
    Remove {
        /// Which.
        tag: String,
    },
}

/// See the module.
#[derive(Debug)]
pub(in crate::sip) struct Watch {
    pub id: WatchId,
    pub watcher: Number,
    pub topic: Topic,
    pub event_id: Option<Box<str>>,
    /// How the phone calls what it watches.
    pub entity: Uri,
    pub dialog: Dialog,
    pub life: Life,
    pub alarm: Alarm,
    /// The NOTIFY that is under way, or was last.
    pub asking: Token,
    /// Rises with each SUBSCRIBE: the smallest of an account makes room.
    pub renewed: u64,
    /// The stream that it is known to hang on.
    pub follows: Option<Flow>,
    /// Whether the store has it.
    pub stored: bool,
    promised: u32,
    pub expires_at: Wall,
}

impl Watch {
    /// A new one. Nothing is promised yet: the first NOTIFY has it stored.
    pub fn new(
        id: WatchId,
        watcher: Number,
        topic: Topic,
        event_id: Option<Box<str>>,
        entity: Uri,
        dialog: Dialog,
    ) -> Self {
        Self {
            id,
            watcher,
            topic,
            event_id,
            entity,
            dialog,
            life: Life::Quiet { until: Mono::ZERO },
            alarm: Alarm::default(),
            asking: Token(0),
            renewed: 0,
            follows: None,
            stored: false,
            promised: 0,
            expires_at: Wall(0),
        }
    }

    /// The next `CSeq`, and whether it needs a promise that must be stored before it is used.
    pub fn next_seq(&mut self) -> (u32, bool) {
        let seq = self.dialog.next_seq();
        let beyond = seq > self.promised;
        if beyond {
            self.promised = seq.saturating_add(BLOCK);
        }
        (seq, beyond)
    }

    /// The document of a lamp; dark when it is not known.
    pub fn dialog_info(&self, version: u32, lamp: Option<&Lamp>, names: bool) -> String {
        let dark = Lamp::default();
        document::dialog_info(version, &self.entity, lamp.unwrap_or(&dark), names)
    }

    /// The document of a registration.
    pub fn reginfo<'a>(
        &self,
        version: u32,
        contacts: impl Iterator<Item = (&'a str, u64)>,
    ) -> String {
        document::reginfo(version, &self.entity, contacts)
    }

    /// The summary of the mailboxes that the phone's lamp shows.
    pub fn summary(&self, messages: Messages) -> String {
        document::summary(&self.entity, messages)
    }

    /// As it is to be stored.
    pub fn keep(&self) -> KeptSubscription {
        KeptSubscription {
            tag: Token(self.id.0).to_string(),
            watcher: self.watcher.clone(),
            package: self.topic.0.as_str().to_owned(),
            event_id: self.event_id.as_deref().map(ToOwned::to_owned),
            what: self.topic.1.clone(),
            entity: self.entity.to_string(),
            dialog: self.dialog.keep(),
            promised: self.promised,
            expires_at: self.expires_at,
        }
    }

    /// Back from the store. None when it cannot be read, which a hand in the file may cause: it is
    /// then as good as gone, and the phone subscribes anew. It first speaks at `again`.
    pub fn revive(
        kept: &KeptSubscription,
        settings: &Settings,
        again: Mono,
        now: Now,
    ) -> Option<Self> {
        let id = WatchId(Token::parse(&kept.tag)?.0);
        let topic = (Package::from_name(&kept.package)?, kept.what.clone());
        let dialog = Dialog::revive(&kept.dialog, kept.promised)?;
        let left_ms = kept.expires_at.0.saturating_sub(now.wall.0).max(0);
        // A wall clock that was set back must not lengthen a lease.
        let most_ms = i64::from(settings.max_expires_s).saturating_mul(1_000);
        let left_us = u64::try_from(left_ms.min(most_ms)).unwrap_or(0).saturating_mul(1_000);
        let until = Mono(now.mono.0.saturating_add(left_us));
        let entity = Uri::parse(&kept.entity).ok()?;
        let event_id = kept.event_id.as_deref().map(Into::into);
        let mut watch = Self::new(id, kept.watcher.clone(), topic, event_id, entity, dialog);
        watch.life = Life::Pausing { until, again, tries: 0 };
        watch.promised = kept.promised;
        watch.stored = true;
        watch.expires_at = kept.expires_at;
        Some(watch)
    }
}
