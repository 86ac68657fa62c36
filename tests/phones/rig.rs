//! The instruments themselves, without the desk: an ear that finds everything, or nothing, proves
//! nothing.

use crate::support::ear::Ear;
use crate::support::ports::Block;
use crate::support::sipp::Job;
use crate::support::softphone::{Setup, Softphone};
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, poll, rest, s};
use std::net::SocketAddr;

#[test]
fn a_sound_is_found_where_it_lies_and_no_other_is() {
    let (music, speech) = (Sound::voice(1, 2), Sound::voice(2, 2));
    let mut recording = vec![0i16; 4000];
    for law in [Law::Mu, Law::A] {
        let table = law.encoder();
        let coded = music.0.iter().map(|s| law.decode(table[usize::from((*s as u16) ^ 0x8000)]));
        recording.extend(coded);
        recording.extend([0i16; 4000]);
    }
    let recording = Sound(recording);
    let found = recording.holds(&music).expect("the music is in it");
    assert!(found.score > 0.98, "{found:?}");
    assert!([500, 3000].contains(&found.at_ms), "{found:?}");
    assert!(recording.holds(&speech).is_none(), "{:?}", recording.find(&speech));
    // What was heard from the middle of a voice on is found in the voice.
    let heard = recording.part(1300, 1000);
    assert_eq!(music.holds(&heard).map(|f| f.at_ms), Some(800));
    assert!(speech.holds(&heard).is_none());
}

#[test]
fn a_piece_of_a_voice_is_found_however_it_lies_between_the_samples_that_are_looked_at() {
    for seed in 1..=20 {
        let voice = Sound::voice(seed, 5);
        for at in (8_000..24_000).step_by(1_333) {
            let piece = Sound(voice.0[at..at + 330 * 8].to_vec());
            let found = voice.holds(&piece).map(|found| found.at_ms);
            assert_eq!(found, Some(at as i64 / 8), "{seed} from the sample {at}");
        }
    }
}

#[test]
fn two_softphones_hear_each_other_and_the_rig_can_tell() {
    let ports = Block::take();
    let (hers, his) = (Sound::voice(21, 30), Sound::voice(22, 30));
    let setup = |user, voice, answers, codecs| Setup {
        user,
        password: "x",
        desk: None,
        voice,
        answers,
        codecs,
        expires_s: 0,
    };
    let caller = Softphone::start(&ports, &setup("100", &hers, false, "PCMU"));
    let agent = Softphone::start(&ports, &setup("6001", &his, true, "PCMA,PCMU"));
    caller.tell("dial", &format!("sip:6001@127.0.0.1:{}", agent.port()));
    caller.wait("CALL_ESTABLISHED", s(5));
    rest(1500);
    caller.tell("hangup", "");
    agent.wait("CALL_CLOSED", s(5));
    let heard =
        |phone: &Softphone, voice: &Sound| poll(s(3), || phone.heard().last()?.holds(voice));
    assert!(heard(&caller, &his).is_some());
    assert!(heard(&agent, &hers).is_some());
    assert!(caller.heard().last().unwrap().holds(&hers).is_none());
}

#[test]
fn an_ear_hears_a_voice_and_keys() {
    let ports = Block::take();
    let (a, b) = (Ear::new(ports.port()), Ear::new(ports.port()));
    let voice = Sound::voice(23, 5);
    a.say(&voice, Law::A, b.port());
    a.press("1#", b.port());
    eventually("both keys", s(2), || b.keys() == [1, 11]);
    rest(1200);
    assert!(b.heard().holds(&voice).is_some());
}

#[test]
fn the_scenarios_run_against_each_other() {
    let ports = Block::take();
    let (a, c) = (ports.port(), ports.port());
    let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let caller = Job::new("caller", at(a), c).set("TO", "201").calls(2, 5);
    let agent = Job::new("agent", at(c), a).calls(2, 5);
    // (agent rings, agent talks, caller waits, caller stays; what each logs)
    let table = [
        (100, 5000, 3000, 200, "hung_up", "released"),
        (100, 200, 3000, 5000, "released", "hung_up"),
        (5000, 5000, 200, 5000, "cancelled", "cancelled"),
    ];
    for (ring, talk, patience, stay, at_caller, at_agent) in table {
        let agent = agent.clone().set("RING", ring).set("TALK", talk).start();
        rest(300);
        let caller = caller.clone().set("PATIENCE", patience).set("STAY", stay).start().done();
        let agent = agent.done();
        assert_eq!(
            (caller.count(at_caller), agent.count(at_agent)),
            (2, 2),
            "{:?} {:?}",
            caller.calls,
            agent.calls
        );
    }
    let agent = Job::new("agent_refuses", at(c), a).calls(2, 5).start();
    rest(300);
    let caller = caller.start().done();
    assert_eq!(agent.done().count("refused"), 2);
    assert_eq!(caller.calls[&1].value("refused"), Some("486"));
}

#[test]
fn the_best_places_are_those_that_comparing_one_by_one_finds() {
    let samples = |seed, ms| -> Vec<f64> {
        Sound::voice(seed, 2).part(300, ms).0.iter().map(|sample| f64::from(*sample)).collect()
    };
    let (voice, mut piece) = (samples(7, 600), samples(7, 200));
    piece.rotate_left(160);
    for (a, b) in [(&voice, &piece), (&piece, &voice)] {
        let least = piece.len() / 2;
        let places = -(b.len() as i64)..=a.len() as i64;
        let mut one_by_one: Vec<(f64, i64)> =
            places.filter_map(|at| Some((likeness::at(a, b, at, least)?.0, at))).collect();
        one_by_one.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (found, due) in likeness::best(a, b, least, 5).iter().zip(&one_by_one) {
            assert_eq!(found.1, due.1);
            assert!((found.0 - due.0).abs() < 1e-9, "{found:?} {due:?}");
        }
    }
    let silence = vec![0.0; 800];
    assert!(likeness::best(&silence, &piece, 400, 5).is_empty());
    assert!(likeness::best(&voice, &[], 0, 5).is_empty());
}
