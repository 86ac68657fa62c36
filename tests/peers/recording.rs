//! What foreign phones say to each other is recorded as it was said: encrypted or not, in whichever codec,
//! also after a transfer with asking.

use crate::linphone::phone_with;
use crate::support::desk::{Desk, Setup, password};
use crate::support::softphone::{By, Softphone};
use crate::support::sound::Sound;
use crate::support::tape::{channels, file, kept, lies};
use crate::support::{eventually, poll, rest, s};

fn desk(rule: &str) -> Desk {
    let more = format!(
        "[recording]\ndirectory = \"recordings\"\nleast_free_mib = 1\n\
         [[accounts.rules]]\naccounts = \"*\"\nencryption = \"{rule}\"\n"
    );
    Desk::with(&Setup { plan: "recorded.toml", more: &more, ..Setup::default() })
}

/// Where a voice that was said once and again is heard in a channel; none when it is not.
fn heard(channel: &Sound, from_ms: usize, voice: &Sound) -> bool {
    (0..4).any(|n| {
        let piece = channel.part(from_ms + n * 250, 500);
        piece.loudness() > 300.0 && voice.holds(&piece).is_some()
    })
}

#[test]
fn a_transfer_with_asking_of_encrypted_phones_is_one_recording_without_the_consultation() {
    let desk = desk("required");
    let voices = [Sound::voice(281, 60), Sound::voice(282, 60), Sound::voice(283, 60)];
    let [his, hers, others] = &voices;
    let first = phone_with(&desk, "6001", "udp", hers, true, "srtp");
    let second = phone_with(&desk, "6002", "udp", others, true, "srtp");
    let caller = phone_with(&desk, "6004", "udp", his, false, "srtp");
    desk.agent_is("6001", "idle");
    caller.call("0312340020");
    caller.hears(hers, s(15));
    rest(2500); // what is recorded before the hold is listened to below
    first.tell("pause");
    first.wait("to LinphoneCallPaused", 1, s(8));
    first.call("6002");
    second.hears(hers, s(10));
    rest(1000);
    first.tell("transfer 1 --to-call 2");
    first.wait("to LinphoneCallEnd", 2, s(8));
    caller.hears(others, s(10));
    rest(1000);
    caller.tell("terminate");
    let kept = kept(&desk, "6004");
    let (left, right, _) = channels(&file(&desk, "6004"));
    let call = desk.over("6004");
    let began = kept["from_ms"].as_u64().unwrap();
    let second_from = call["talks"][1]["from_ms"].as_u64().unwrap() - began;
    let second_from = usize::try_from(second_from).unwrap();
    // When the call was held, by the history.
    let id = call["call"].as_str().unwrap();
    let ladder = desk.get(&format!("/api/v1/calls/{id}"))["ladder"].clone();
    let held = ladder.as_array().unwrap().iter().find(|e| e["event"]["kind"] == "held").unwrap();
    let held = usize::try_from(held["t_ms"].as_u64().unwrap() - began).unwrap();
    assert!(heard(&right, held - 1500, hers), "she talks with him");
    assert!(heard(&left, held - 1500, his));
    // While she asks her colleague, nothing of either is in his recording.
    for channel in [&left, &right] {
        let asking = channel.part(held + 300, second_from - held - 400);
        assert!(asking.loudness() < 20.0, "{} of {} ms", asking.loudness(), asking.ms());
    }
    assert!(heard(&right, second_from + 400, others), "her colleague talks with him");
    assert!(!heard(&right, second_from + 400, hers));
    assert!(heard(&left, second_from + 400, his));
    // Her own call to her colleague is between colleagues.
    let asked = desk.call_of("6001").expect("her call");
    assert_eq!(asked["recordings"].as_array().map(Vec::len), Some(0), "{asked}");
}

/// A softphone with one codec.
fn softphone(desk: &Desk, user: &str, voice: &Sound, codecs: &str, by: &By) -> Softphone {
    let setup = crate::support::softphone::Setup {
        user,
        password: &password(user),
        desk: Some(desk.sip),
        voice,
        answers: user == "6001",
        codecs,
        expires_s: 600,
    };
    Softphone::start_by(&desk.ports, &setup, by)
}

#[test]
fn a_caller_in_g722_and_an_encrypted_agent_in_opus_are_recorded_in_the_finer_sound() {
    for (callers, agents) in
        [("G722/16000", "opus/48000/1"), ("opus/48000/1", "opus/48000/1"), ("PCMA", "G722/16000")]
    {
        let desk = desk("preferred");
        let (his, hers) = (Sound::voice(284, 60), Sound::voice(285, 60));
        let by = By { encryption: "srtp", ..By::default() };
        let agent = softphone(&desk, "6001", &hers, agents, &by);
        desk.agent_is("6001", "idle");
        let caller = softphone(&desk, "6004", &his, callers, &By::default());
        caller.tell("dial", &format!("sip:0312340020@{}", desk.sip));
        agent.wait("CALL_ESTABLISHED", s(10));
        rest(4000);
        caller.tell("hangup", "");
        let kept = poll(s(8), || Some(kept(&desk, "6004"))).unwrap();
        assert_eq!(kept["missing"], 0, "{kept}");
        let (left, right, hz) = channels(&file(&desk, "6004"));
        assert_eq!(hz, if callers == "PCMA" { 8_000 } else { 16_000 }, "{callers}");
        let from = usize::try_from(left.ms()).unwrap() - 1900;
        for (channel, voice, other) in [(&left, &his, &hers), (&right, &hers, &his)] {
            let like = [0, 250, 500].map(|at| voice.find(&channel.part(from + at, 500)));
            let ms = channel.ms();
            assert!(heard(channel, from, voice), "{callers} {agents}: {like:?} of {ms} ms");
            assert!(!heard(channel, from, other), "{callers} {agents}");
        }
        if callers == agents {
            let places = [from, from + 1100].map(|at| lies(&left, at, &his));
            assert!((places[0] - places[1]).abs() <= 20, "{places:?}");
        }
        eventually("she hung up too", s(5), || agent.count("CALL_CLOSED") > 0);
    }
}
