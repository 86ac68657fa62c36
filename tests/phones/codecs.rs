//! Every codec with every other, plain and encrypted: what one softphone says, the other hears, as loud
//! as it was said.

use crate::support::desk::{Desk, Setup, password};
use crate::support::softphone::{self, By, Softphone};
use crate::support::sound::Sound;
use crate::support::{poll, rest, s};

const CODECS: [&str; 4] = ["PCMU", "PCMA", "G722/16000", "opus/48000/1"];
/// A phone that has not been narrowed down to one.
const MANY: &str = "opus/48000/1,G722/16000,PCMU,PCMA";
/// How much louder or softer a voice may be than it was said, in dB.
const LEVEL_DB: f64 = 2.0;

/// One of the eight softphones: its voice, its codec.
struct One {
    phone: Softphone,
    voice: Sound,
    codec: &'static str,
    name: String,
}

impl One {
    fn new(desk: &Desk, user: u32, codec: &'static str, answers: bool, encryption: &str) -> Self {
        let voice = Sound::voice(u64::from(user), 30);
        let setup = softphone::Setup {
            user: &user.to_string(),
            password: &password(&user.to_string()),
            desk: Some(desk.sip),
            voice: &voice,
            answers,
            codecs: codec,
            expires_s: 600,
        };
        let by = By { encryption, ..By::default() };
        let phone = Softphone::start_by(&desk.ports, &setup, &by);
        Self { phone, voice, codec, name: format!("{user} in {codec}") }
    }

    /// What it heard in the call with that number is of this voice, and as loud.
    fn heard(&self, call: usize, other: &Self, how: &str) {
        let heard = poll(s(5), || self.phone.heard().get(call).filter(|h| h.ms() > 1800).cloned());
        let heard = heard.unwrap_or_else(|| panic!("{how}: {} heard nothing", self.name));
        // Each call's voice begins anew.
        let begin = other.voice.part(0, 5000);
        // Two pieces of three: on a busy machine a softphone leaves out a packet now and then.
        let found: Vec<_> = [700, 1000, 1300]
            .into_iter()
            .map(|at| heard.part(at, 300))
            .filter_map(|piece| Some((begin.holds(&piece)?, piece)))
            .collect();
        assert!(found.len() >= 2, "{how}: {} does not hear {}", self.name, other.name);
        for (found, piece) in found {
            let said = other.voice.part(usize::try_from(found.at_ms).unwrap_or(0), 300);
            let louder_db = 20.0 * (piece.loudness() / said.loudness()).log10();
            assert!(
                louder_db.abs() <= LEVEL_DB,
                "{how}: {} hears {} by {louder_db:.1} dB louder than it was said",
                self.name,
                other.name
            );
        }
    }
}

/// Four call four, each in its turn, all at once.
fn every_pair(rule: &str, encryption: &str, called: [&'static str; 4]) {
    let more = format!("[[accounts.rules]]\naccounts = \"*\"\nencryption = \"{rule}\"\n");
    let desk = Desk::with(&Setup { more: &more, ..Setup::default() });
    let phones = |first: u32, codecs: [&'static str; 4], answers| -> Vec<One> {
        (first..)
            .zip(codecs)
            .map(|(user, codec)| One::new(&desk, user, codec, answers, encryption))
            .collect()
    };
    let (called, callers) = (phones(6001, called, true), phones(6005, CODECS, false));
    for round in 0..CODECS.len() {
        for (n, caller) in callers.iter().enumerate() {
            let number = 6001 + (n + round) % CODECS.len();
            caller.phone.tell("dial", &format!("sip:{number}@{}", desk.sip));
        }
        for one in &callers {
            one.phone.wait_count("CALL_ESTABLISHED", round + 1, s(10));
        }
        rest(2300);
        for (n, caller) in callers.iter().enumerate() {
            caller.phone.tell("hangup", "");
            called[(n + round) % CODECS.len()].phone.wait_count("CALL_CLOSED", round + 1, s(5));
        }
    }
    for (n, caller) in callers.iter().enumerate() {
        for round in 0..CODECS.len() {
            let one = &called[(n + round) % CODECS.len()];
            caller.heard(round, one, rule);
            one.heard(round, caller, rule);
            for one in [caller, one].into_iter().filter(|one| one.codec != MANY) {
                let name = one.codec.split('/').next().unwrap();
                let spoken = format!("Set audio encoder: {name}");
                let trace = one.phone.trace();
                assert_eq!(trace.matches("Set audio encoder: ").count(), CODECS.len());
                assert_eq!(trace.matches(&spoken).count(), CODECS.len(), "{}", one.name);
            }
            if !encryption.is_empty() {
                assert!(one.phone.trace().contains("a=crypto:"), "{}: encrypted", one.name);
            }
        }
    }
    desk.at_rest(s(5));
}

#[test]
fn every_codec_hears_every_other() {
    every_pair("off", "", CODECS);
}

#[test]
fn every_codec_hears_every_other_encrypted() {
    every_pair("required", "srtp-mand", CODECS);
}

#[test]
fn every_codec_hears_a_phone_that_has_them_all() {
    every_pair("off", "", [MANY; 4]);
}
