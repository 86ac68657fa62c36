//! Encrypted callers: what was agreed stays so, whoever speaks next.

use super::*;
use crate::rtp::command::Stream;
use crate::sdp::Protection;

const KEY: &str = "AES_CM_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm";
const PROFILES: [&str; 2] = ["RTP/AVP", "RTP/SAVP"];

/// What the caller says of its sound: with its key, by the tag 7.
fn sealed(profile: &str, direction: &str) -> String {
    let text = sdp("192.0.2.7", 4000, direction).replace("RTP/AVP", profile);
    format!("{text}a=crypto:7 {KEY}\r\n")
}

/// The key line of a description.
fn key(sdp: &[u8]) -> Vec<String> {
    let text = String::from_utf8(sdp.to_vec()).expect("text");
    text.lines().filter(|line| line.starts_with("a=crypto:")).map(str::to_owned).collect()
}

/// Our answer to the caller's INVITE.
fn accepted(room: &Room) -> Bytes {
    let answers = room.sent.iter().rev().filter_map(|(_, message)| match message {
        Message::Response(response) if response.status == 200 => Some(response.body.clone()),
        _ => None,
    });
    answers.into_iter().find(|body| !body.is_empty()).expect("an answer")
}

/// How the caller's stream was set up last.
fn stream(room: &Room) -> Stream {
    let streams = room.media.iter().rev().find_map(|command| match command {
        Media::Stream { leg, stream } if *leg == LegId(1) => Some(stream.clone()),
        _ => None,
    });
    streams.expect("a stream")
}

/// An encrypted caller talks with an agent whose phone speaks plainly.
fn talking_sealed(profile: &str) -> Room {
    let mut room = Room::new(true, 20_999);
    // It leaves it to us to refresh the session, and takes no UPDATE.
    room.extra = "Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n";
    room.calls("one", "INVITE", 1, &sealed(profile, "sendrecv"));
    room.extra = "";
    room.answers(PHONE, &sdp("192.0.2.8", 4002, "sendrecv"));
    room.calls("one", "ACK", 1, "");
    assert!(matches!(stream(&room).protection, Protection::Sealed(_)));
    room
}

#[test]
fn an_encrypted_caller_stays_encrypted_when_the_agent_holds() {
    for profile in PROFILES {
        let mut room = talking_sealed(profile);
        let (said, before) = (key(&accepted(&room)), stream(&room).protection);
        room.phone_asks("INVITE", 1, &sdp("192.0.2.8", 4002, "sendonly"));
        room.phone_asks("ACK", 1, "");
        let offer = room.asked(CALLER, &Method::Invite).expect("the hold is told").body;
        let text = String::from_utf8(offer.to_vec()).expect("text");
        assert!(text.contains(&format!(" {profile} ")) && text.contains("a=sendonly"), "{text}");
        assert_eq!(key(&offer), said, "the key that is in use, by its tag: {text}");
        // Without keys there is nothing that both would understand: all stays as it was.
        let streams = room.media.len();
        let plain = sdp("192.0.2.7", 4000, "recvonly").replace("RTP/AVP", profile);
        room.answers(CALLER, &plain);
        let set_up = room.media.get(streams..).unwrap_or_default().iter();
        let anew = set_up.filter(|command| matches!(command, Media::Stream { .. })).count();
        assert_eq!((anew, &stream(&room).protection), (0, &before), "{profile}");
        // The hold ends.
        room.phone_asks("INVITE", 2, &sdp("192.0.2.8", 4002, "sendrecv"));
        room.phone_asks("ACK", 2, "");
        room.answers(CALLER, &sealed(profile, "sendrecv"));
        let after = stream(&room);
        assert_eq!((after.protection, after.will_receive), (before, true), "{profile}");
    }
}

#[test]
fn a_refresh_that_repeats_our_sealed_answer_changes_no_keys() {
    for profile in PROFILES {
        let mut room = talking_sealed(profile);
        let (said, before) = (accepted(&room), stream(&room).protection);
        room.pass(46_000);
        let refresh = room.asked(CALLER, &Method::Invite).expect("a refresh").body;
        assert_eq!(refresh, said);
        room.answers(CALLER, &sealed(profile, "sendrecv"));
        assert_eq!(stream(&room).protection, before, "{profile}");
    }
}
