//! Offers and answers: to the letter, by table, and against whatever phones may write.

use super::*;
use crate::dtls::{Fingerprint, Role};
use proptest::prelude::*;
use std::net::SocketAddr;

fn local() -> Local {
    Local {
        ip: "192.0.2.7".parse().unwrap(),
        port: 30_000,
        session_id: 5,
        version: 1,
        codecs: vec![Codec::Pcmu, Codec::Pcma],
        direction: Direction::SendRecv,
        ptime_ms: 20,
        sealing: Sealing::Accepts,
        keys: Some(OwnKeys::draw(&mut crate::base::Rng::from_number(1))),
        fingerprint: Some(Fingerprint::of(b"a certificate")),
        mux: false,
        before: None,
    }
}

fn offer(media: &str) -> Session {
    let head = "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";
    parse(format!("{head}{media}").as_bytes()).unwrap()
}

#[test]
fn our_offer_is_written_to_the_letter() {
    let want = "v=0\r\no=- 5 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n\
        m=audio 30000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
    assert_eq!(String::from_utf8(local().offer()).unwrap(), want);
}

#[test]
fn every_line_of_an_offer_is_mirrored_and_one_is_taken() {
    let offer = offer(
        "m=video 5000 RTP/AVP 31\r\nm=audio 5002 RTP/SAVP 0\r\nm=audio 5004 RTP/AVP 18 8 0 96\r\n\
         a=rtpmap:96 telephone-event/8000\r\na=ptime:30\r\na=sendonly\r\nm=audio 5006 RTP/AVP 0\r\n\
         m=application 9 TCP/BFCP *\r\n",
    );
    let (bytes, agreed) = local().answer(&offer).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("m=")).collect();
    let want = [
        "m=video 0 RTP/AVP 31",
        "m=audio 0 RTP/SAVP 0",
        "m=audio 30000 RTP/AVP 8 96",
        "m=audio 0 RTP/AVP 0",
        "m=application 0 TCP/BFCP *",
    ];
    assert_eq!(lines, want);
    assert!(text.ends_with("m=application 0 TCP/BFCP *\r\n") && text.contains("a=recvonly\r\n"));
    let want = Agreed {
        remote: "192.0.2.1:5004".parse().unwrap(),
        codec: Codec::Pcma,
        send_pt: 8,
        recv_pt: 8,
        also: Vec::new(),
        send_event_pt: Some(96),
        recv_event_pt: Some(96),
        event_clock_hz: 8_000,
        ptime_ms: 30,
        ptime_asked: true,
        direction: Direction::RecvOnly,
        protection: Protection::Plain,
        control: Control::Apart("192.0.2.1:5005".parse().unwrap()),
        line: Line { profile: "RTP/AVP", ..agreed.line.clone() },
    };
    assert_eq!(agreed, want);
    assert_eq!((agreed.line.before.len(), agreed.line.behind.len()), (2, 2));
}

/// The `m=` lines of a description, in their order, with the name of each.
fn lines(description: &[u8]) -> Vec<(String, Option<String>)> {
    let session = parse(description).unwrap();
    let line = |media: Media| {
        let (kind, port, protocol) = (media.kind, media.port, media.protocol);
        (format!("{kind} {port} {protocol} {}", media.formats.join(" ")), media.mid)
    };
    session.media.into_iter().map(line).collect()
}

#[test]
fn whoever_offered_video_beside_its_voice_gets_both_lines_again_when_it_is_held() {
    const AUDIO: &str = "m=audio 5002 RTP/AVP 0\r\na=mid:voice\r\n";
    const VIDEO: &str = "m=video 5000 RTP/AVP 96 31\r\na=rtpmap:96 VP8/90000\r\na=mid:face\r\n";
    let ours = ("audio 30000 RTP/AVP 0 8 101".to_owned(), Some("voice".to_owned()));
    let video = ("video 0 RTP/AVP 96".to_owned(), Some("face".to_owned()));
    let bundle = "a=group:BUNDLE face voice\r\n";
    let table = [
        ("voice first", "", [AUDIO, VIDEO], vec![ours.clone(), video.clone()]),
        ("video first", "", [VIDEO, AUDIO], vec![video.clone(), ours.clone()]),
        ("on one port", bundle, [AUDIO, VIDEO], vec![ours.clone(), video.clone()]),
        ("on one port, video first", bundle, [VIDEO, AUDIO], vec![video, ours]),
    ];
    for (case, group, media, want) in table {
        let (answer, agreed) =
            local().answer(&offer(&[group, media[0], media[1]].concat())).unwrap();
        let places = |lines: &[(String, Option<String>)]| -> Vec<_> {
            lines
                .iter()
                .map(|(line, mid)| (line.starts_with("audio 30000 "), mid.clone()))
                .collect()
        };
        assert_eq!(places(&lines(&answer)), places(&want), "{case}: our answer");
        let hold =
            Local { direction: Direction::SendOnly, before: Some(agreed.clone()), ..local() };
        let text = hold.offer();
        assert_eq!(lines(&text), want, "{case}: our offer");
        let session = parse(&text).unwrap();
        assert_eq!(session.bundle.is_empty(), group.is_empty(), "{case}");
        assert!(session.bundle.iter().all(|mid| mid == "voice"), "{case}: {:?}", session.bundle);
        let audio = session.media.iter().find(|media| media.port != 0).unwrap();
        assert_eq!(session.direction_of(audio), Direction::SendOnly, "{case}");
        // As it must, the peer answers line by line; the places stay for the offer after that.
        let answer = [media[0], media[1]].concat().replace("m=video 5000", "m=video 0");
        let again = hold.agreed(&offer(&answer)).unwrap();
        assert_eq!((again.remote, &again.line), (agreed.remote, &agreed.line), "{case}");
        let refused = offer(&answer.replace("m=audio 5002", "m=audio 0"));
        assert_eq!(hold.agreed(&refused).unwrap_err(), SdpError::NoCommonMedia, "{case}");
        let before = Some(again);
        assert_eq!(lines(&Local { before, ..local() }.offer()), want, "{case}: the hold's end");
    }
}

#[test]
fn a_line_that_the_peer_adds_later_stays_also_where_the_first_offer_was_ours() {
    let ours = local();
    assert_eq!(lines(&ours.offer()).len(), 1);
    let agreed = ours.agreed(&offer("m=audio 5002 RTP/AVP 0\r\n")).unwrap();
    let ours = Local { before: Some(agreed), ..ours };
    let only = ("audio 30000 RTP/AVP 0 8 101".to_owned(), None);
    assert_eq!(lines(&ours.offer()), std::slice::from_ref(&only));
    // It switches its camera on, and then shares its screen and a second microphone.
    let (video, more) = ("m=video 5000 RTP/AVP 31\r\n", "m=audio 5006 RTP/AVP 8\r\na=mid:2\r\n");
    let (_, agreed) = ours.answer(&offer(&format!("m=audio 5002 RTP/AVP 0\r\n{video}"))).unwrap();
    let ours = Local { before: Some(agreed), ..ours };
    let refused = |line: &str, mid: Option<&str>| (line.to_owned(), mid.map(str::to_owned));
    let camera = refused("video 0 RTP/AVP 31", None);
    assert_eq!(lines(&ours.offer()), [only.clone(), camera.clone()]);
    let all = format!("m=audio 5002 RTP/AVP 0\r\n{video}m=application 9 TCP/BFCP *\r\n{more}");
    let (_, agreed) = ours.answer(&offer(&all)).unwrap();
    let ours = Local { before: Some(agreed), ..ours };
    let screen = refused("application 0 TCP/BFCP *", None);
    let want = [only, camera, screen, refused("audio 0 RTP/AVP 8", Some("2"))];
    assert_eq!(lines(&ours.offer()), want);
    // As many as are read at all.
    let most = "m=audio 5002 RTP/AVP 0\r\n".repeat(parse::MAX_MEDIA);
    let (_, agreed) = ours.answer(&offer(&most)).unwrap();
    let ours = Local { before: Some(agreed), ..ours };
    assert_eq!(lines(&ours.offer()).len(), parse::MAX_MEDIA);
}

#[test]
fn offers_that_cannot_be_taken_say_why() {
    let table = [
        ("encrypted only", "m=audio 5 RTP/SAVP 0\r\n", SdpError::NoCommonMedia),
        ("no G.711", "m=audio 5 RTP/AVP 18 9\r\n", SdpError::NoCommonMedia),
        ("switched off", "m=audio 0 RTP/AVP 0\r\n", SdpError::NoCommonMedia),
        ("video only", "m=video 5 RTP/AVP 0\r\n", SdpError::NoCommonMedia),
        ("a group", "m=audio 5 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127\r\n", SdpError::UnusableAddress),
        (
            "a host name",
            "m=audio 5 RTP/AVP 0\r\nc=IN IP4 phone.example\r\n",
            SdpError::UnusableAddress,
        ),
        (
            "IPv6 to an IPv4 leg",
            "m=audio 5 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n",
            SdpError::UnusableAddress,
        ),
    ];
    for (case, media, want) in table {
        let error = local().answer(&offer(media)).unwrap_err();
        assert_eq!((error.status(), error), (488, want), "{case}");
    }
    let nowhere = parse(b"v=0\r\nm=audio 5 RTP/AVP 0\r\n").unwrap();
    assert_eq!(local().answer(&nowhere).unwrap_err(), SdpError::NoConnection);
}

#[test]
fn directions_meet_in_the_middle() {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    let table = [
        (SendRecv, "sendrecv", SendRecv),
        (SendRecv, "sendonly", RecvOnly),
        (SendRecv, "recvonly", SendOnly),
        (SendRecv, "inactive", Inactive),
        (SendOnly, "sendrecv", SendOnly),
        (SendOnly, "sendonly", Inactive),
        (Inactive, "sendrecv", Inactive),
    ];
    for (ours, theirs, want) in table {
        let local = Local { direction: ours, ..local() };
        let offer = offer(&format!("m=audio 5 RTP/AVP 0\r\na={theirs}\r\n"));
        assert_eq!(local.answer(&offer).unwrap().1.direction, want, "{ours:?} {theirs}");
        assert_eq!(local.agreed(&offer).unwrap().direction, want, "{ours:?} {theirs}");
    }
}

#[test]
fn packet_time_is_the_peers_wish_within_limits() {
    let table = [
        ("", 20),
        ("a=ptime:30\r\n", 30),
        ("a=ptime:25\r\n", 20),
        ("a=ptime:5\r\n", 10),
        ("a=ptime:200\r\n", 60),
        ("a=ptime:40\r\na=maxptime:20\r\n", 20),
        ("a=ptime:20.0\r\n", 20),
        ("a=ptime:x\r\n", 20),
    ];
    for (lines, want) in table {
        let offer = offer(&format!("m=audio 5 RTP/AVP 0\r\n{lines}"));
        assert_eq!(local().answer(&offer).unwrap().1.ptime_ms, want, "{lines}");
    }
}

#[test]
fn of_an_answer_that_names_several_codecs_the_first_is_spoken_and_the_others_may_come() {
    let answer = offer("m=audio 5 RTP/AVP 9 98 0 18\r\na=rtpmap:98 opus/48000/2\r\n");
    let agreed = Local { codecs: Codec::ALL.to_vec(), ..local() }.agreed(&answer).unwrap();
    assert_eq!((agreed.codec, agreed.send_pt, agreed.recv_pt), (Codec::G722, 9, 9));
    let also: Vec<_> =
        agreed.also.iter().map(|voice| (voice.codec, voice.send_pt, voice.recv_pt)).collect();
    assert_eq!(also, [(Codec::Opus, 98, 111), (Codec::Pcmu, 0, 0)]);
}

#[test]
fn an_answer_with_numbers_of_its_own_is_obeyed() {
    let answer = offer(
        "m=audio 5 RTP/AVP 98 97\r\na=rtpmap:98 PCMA/8000\r\na=rtpmap:97 telephone-event/8000\r\n",
    );
    let agreed = local().agreed(&answer).unwrap();
    assert_eq!((agreed.codec, agreed.send_pt, agreed.recv_pt), (Codec::Pcma, 98, 8));
    assert_eq!((agreed.send_event_pt, agreed.recv_event_pt), (Some(97), Some(101)));
    let without = offer("m=audio 5 RTP/AVP 0\r\n");
    let agreed = local().agreed(&without).unwrap();
    assert_eq!((agreed.send_event_pt, agreed.recv_event_pt), (None, None));
    let refused = offer("m=audio 0 RTP/AVP 0\r\n");
    assert_eq!(local().agreed(&refused).unwrap_err(), SdpError::NoCommonMedia);
}

#[test]
fn ipv6_is_spoken() {
    let local = Local { ip: "2001:db8::7".parse().unwrap(), ..local() };
    let session = parse(&local.offer()).unwrap();
    let (_, agreed) = local.answer(&session).unwrap();
    assert_eq!(agreed.remote, "[2001:db8::7]:30000".parse::<SocketAddr>().unwrap());
}

/// Lines as phones write them, and nearly so.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "m=(audio|video|AUDIO|text) [0-9]{1,5} (RTP/AVP|RTP/SAVP|udptl|rtp/avp)( [0-9]{1,3}){1,4}",
        "a=(sendrecv|sendonly|recvonly|inactive)",
        "a=rtpmap:[0-9]{1,3} (PCMU|pcma|telephone-event|opus)/(8000|48000)(/[12])?",
        "a=(ptime|maxptime):[0-9]{1,4}",
        "c=IN IP4 (192.0.2.9|0.0.0.0|224.0.0.1|host)",
        "c=IN IP6 (::|2001:db8::9)",
        "t=[0-9]{1,3} [0-9]{1,3}",
        "[a-z]=\\PC{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn an_answer_fits_its_offer(lines in proptest::collection::vec(line(), 0..20)) {
        let text = format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n{}\r\n\
            m=audio 9 RTP/AVP 8\r\nc=IN IP4 192.0.2.9\r\n", lines.join("\r\n"));
        let Ok(offer) = parse(text.as_bytes()) else { return Ok(()) };
        let Ok((bytes, agreed)) = local().answer(&offer) else { return Ok(()) };
        let answer = parse(&bytes).unwrap();
        prop_assert_eq!(answer.media.len(), offer.media.len());
        prop_assert_eq!(answer.time, offer.time);
        prop_assert_eq!(answer.media.iter().filter(|media| media.port != 0).count(), 1);
        for (ours, theirs) in answer.media.iter().zip(&offer.media) {
            prop_assert_eq!((&ours.kind, &ours.protocol), (&theirs.kind, &theirs.protocol));
            prop_assert!(ours.port == 0 || theirs.port != 0);
            prop_assert!(ours.formats.iter().all(|format| theirs.formats.contains(format)));
        }
        // And so does our next offer (RFC 3264 §8).
        let later = Local { before: Some(agreed.clone()), ..local() }.offer();
        let later = parse(&later).unwrap();
        prop_assert_eq!(later.media.len(), offer.media.len());
        for (later, answered) in later.media.iter().zip(&answer.media) {
            prop_assert_eq!((&later.kind, later.port), (&answered.kind, answered.port));
            prop_assert_eq!(later.protocol.to_ascii_uppercase(), answered.protocol.to_ascii_uppercase());
            prop_assert_eq!(&later.mid, &answered.mid);
        }
        prop_assert!((10..=60).contains(&agreed.ptime_ms) && agreed.send_pt < 128);
        prop_assert!(agreed.remote.port() != 0);
    }
}

#[test]
fn encryption_is_what_both_sides_want_of_it() {
    use Sealing::{Accepts, Off, Offers, Required};
    let key = "inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm";
    let crypto = format!("a=crypto:7 AES_CM_128_HMAC_SHA1_80 {key}\r\n");
    let plain = "m=audio 5 RTP/AVP 0\r\n".to_owned();
    let extra = format!("{plain}{crypto}");
    let must = format!("m=audio 5 RTP/SAVP 0\r\n{crypto}");
    let unknown =
        "m=audio 5 RTP/SAVP 0\r\na=crypto:1 F8_128_HMAC_SHA1_80 inline:eA==\r\n".to_owned();
    // Offer, ours, sealed; none: refused.
    let table = [
        (&plain, Off, Some(false)),
        (&plain, Accepts, Some(false)),
        (&plain, Offers, Some(false)),
        (&plain, Required, None),
        (&extra, Off, Some(false)),
        (&extra, Accepts, Some(true)),
        (&extra, Required, Some(true)),
        (&must, Off, None),
        (&must, Accepts, Some(true)),
        (&must, Offers, Some(true)),
        (&must, Required, Some(true)),
        (&unknown, Accepts, None),
    ];
    for (lines, sealing, want) in table {
        let local = Local { sealing, ..local() };
        let answer = local.answer(&offer(lines));
        let sealed = answer.as_ref().ok().map(|(_, agreed)| agreed.protection != Protection::Plain);
        assert_eq!(sealed, want, "{lines} {sealing:?}");
        assert_eq!(local.could_answer(&offer(lines)), want.is_some(), "{lines} {sealing:?}");
        let text = answer.map(|(bytes, _)| String::from_utf8(bytes).unwrap()).unwrap_or_default();
        let said = text.contains("a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:");
        assert_eq!(said, want == Some(true), "{text}");
    }
    // Ours, what the peer answers to it, sealed.
    for (sealing, answer, want) in [
        (Accepts, &plain, Some(false)),
        (Offers, &plain, Some(false)),
        (Required, &plain, None),
        (Off, &extra, Some(false)),
    ] {
        let agreed = Local { sealing, ..local() }.agreed(&offer(answer));
        let sealed = agreed.ok().map(|agreed| agreed.protection != Protection::Plain);
        assert_eq!(sealed, want, "{sealing:?} {answer}");
    }
}

#[test]
fn both_sides_of_an_encrypted_stream_end_up_with_the_same_two_keys() {
    for sealing in [Sealing::Offers, Sealing::Required] {
        let caller = Local { sealing, ..local() };
        let keys = Some(OwnKeys::draw(&mut crate::base::Rng::from_number(2)));
        let callee = Local { keys, ..local() };
        let (answer, theirs) = callee.answer(&parse(&caller.offer()).unwrap()).unwrap();
        let ours = caller.agreed(&parse(&answer).unwrap()).unwrap();
        let (Protection::Sealed(ours), Protection::Sealed(theirs)) =
            (ours.protection, theirs.protection)
        else {
            panic!("plain")
        };
        assert!(ours.ours == theirs.theirs && ours.theirs == theirs.ours);
        assert_eq!(ours.ours.suite(), crate::srtp::Suite::Aes128Gcm);
        // Said again, it is said the same.
        assert_eq!(caller.offer(), caller.clone().offer());
    }
}

#[test]
fn a_browsers_offer_is_answered_as_it_must_be() {
    let text = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111 9 0 8 110 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
        a=ice-ufrag:h6vY\r\na=ice-pwd:xxxxxxxxxxxxxxxxxxxxxx\r\na=setup:actpass\r\na=mid:0\r\na=rtcp-mux\r\n\
        a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n\
        a=rtpmap:111 opus/48000/2\r\na=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\na=sendrecv\r\n";
    let offer = parse(text.as_bytes()).unwrap();
    for sealing in [Sealing::Accepts, Sealing::Offers, Sealing::Required, Sealing::Dtls] {
        let local = Local { sealing, ..local() };
        assert!(local.could_answer(&offer));
        let (answer, agreed) = local.answer(&offer).unwrap();
        let text = String::from_utf8(answer).unwrap();
        for line in [
            "a=ice-lite",
            "a=group:BUNDLE 0",
            "m=audio 30000 UDP/TLS/RTP/SAVPF 0 126",
            "a=mid:0",
            "a=rtcp-mux",
            "a=setup:passive",
            "a=candidate:1 1 UDP 2130706431 192.0.2.7 30000 typ host",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        assert!(text.contains("a=fingerprint:sha-256 ") && text.contains("a=ice-pwd:"));
        let Protection::Dtls(dtls) = &agreed.protection else { panic!("{agreed:?}") };
        assert_eq!((dtls.role, dtls.fingerprints.len()), (Role::Server, 1));
        assert!(dtls.ice.is_some() && agreed.direction == Direction::SendRecv);
        assert!(!agreed.remote.ip().is_unspecified(), "it is no hold");
    }
    for local in
        [Local { sealing: Sealing::Off, ..local() }, Local { fingerprint: None, ..local() }]
    {
        assert_eq!(local.answer(&offer).unwrap_err(), SdpError::NoCommonMedia);
        assert!(!local.could_answer(&offer));
    }
    let bare = parse(text.replace("a=fingerprint:sha-256", "a=fingerprint:sha-1").as_bytes());
    assert!(!local().could_answer(&bare.unwrap()), "no fingerprint that proves anything");
}

#[test]
fn a_browser_that_offers_video_too_is_answered_for_its_voice() {
    let transport = |mid: u8| {
        format!(
            "c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:h6vY\r\n\
             a=ice-pwd:xxxxxxxxxxxxxxxxxxxxxx\r\na=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:\
             09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n\
             a=setup:actpass\r\na=mid:{mid}\r\na=sendrecv\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
        )
    };
    // As browsers list it: each of some twenty codecs with what may be fed back, and its repeats.
    let numbers: Vec<u8> = (35..=46).chain(96..=106).collect();
    let mut video = format!(
        "m=video 9 UDP/TLS/RTP/SAVPF{}\r\n",
        numbers.iter().fold(String::new(), |all, pt| format!("{all} {pt}"),)
    );
    video.push_str(&transport(1));
    for pt in numbers {
        for line in ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"] {
            video.push_str(&format!("a=rtcp-fb:{pt} {line}\r\n"));
        }
        video.push_str(&format!("a=rtpmap:{pt} VP8/90000\r\na=fmtp:{pt} profile-id=0\r\n"));
    }
    assert!(video.matches("a=").count() > 128);
    let head = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n";
    let audio = format!(
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 126\r\n{}a=rtpmap:111 opus/48000/2\r\n\
         a=rtpmap:126 telephone-event/8000\r\n",
        transport(0)
    );
    for media in [format!("{audio}{video}"), format!("{video}{audio}")] {
        let offer = parse(format!("{head}{media}").as_bytes()).unwrap();
        assert!(local().could_answer(&offer));
        let (answer, agreed) = local().answer(&offer).unwrap();
        let text = String::from_utf8(answer).unwrap();
        assert!(text.contains("m=audio 30000 ") && text.contains("m=video 0 "), "{text}");
        assert!(text.contains("a=group:BUNDLE 0\r\n") && agreed.codec == Codec::Pcmu);
    }
}

#[test]
fn a_browser_that_begins_ice_anew_leaves_each_side_its_role() {
    let ours = Local { sealing: Sealing::Dtls, ..local() };
    let browser = |keys: u64| {
        let keys = Some(OwnKeys::draw(&mut crate::base::Rng::from_number(keys)));
        Local { sealing: Sealing::Dtls, keys, ..local() }
    };
    // It lets us begin the handshake.
    let (answer, _) = browser(2).answer(&parse(&ours.offer()).unwrap()).unwrap();
    let agreed = ours.agreed(&parse(&answer).unwrap()).unwrap();
    let role = |agreed: &Agreed| match &agreed.protection {
        Protection::Dtls(dtls) => Some(dtls.role),
        Protection::Plain | Protection::Sealed(_) => None,
    };
    assert_eq!(role(&agreed), Some(Role::Client));
    let ours = Local { mux: true, before: Some(agreed), ..ours };
    // Its own offer later would let us choose.
    let [same, anew] = [2, 3].map(|keys| parse(&browser(keys).offer()).unwrap());
    assert!(!ours.restarts(&same) && ours.restarts(&anew));
    for offer in [same, anew] {
        let (_, agreed) = ours.answer(&offer).unwrap();
        assert_eq!(role(&agreed), Some(Role::Client));
    }
    let text = String::from_utf8(ours.offer()).unwrap();
    let said = ["UDP/TLS/RTP/SAVPF", "a=mid:0", "a=rtcp-mux", "a=fingerprint:", "a=ice-pwd:"];
    assert!(said.iter().all(|said| text.contains(said)), "{text}");
}

#[test]
fn what_we_offer_a_browser_leads_to_one_handshake() {
    let ours = Local { sealing: Sealing::Dtls, ..local() };
    let offer = ours.offer();
    let keys = Some(OwnKeys::draw(&mut crate::base::Rng::from_number(2)));
    let browser = Local { keys, ..local() };
    let (answer, theirs) = browser.answer(&parse(&offer).unwrap()).unwrap();
    // A browser that answers begins the handshake; the desk, as it is here, lets the other begin.
    let answer = String::from_utf8(answer).unwrap().replace("setup:passive", "setup:active");
    let agreed = ours.agreed(&parse(answer.as_bytes()).unwrap()).unwrap();
    let (Protection::Dtls(ours), Protection::Dtls(theirs)) =
        (&agreed.protection, &theirs.protection)
    else {
        panic!("{agreed:?}")
    };
    assert_eq!(ours.role, Role::Server);
    let (ours, theirs) = (ours.ice.as_ref().unwrap(), theirs.ice.as_ref().unwrap());
    assert_eq!((&ours.ours, &ours.theirs), (&theirs.theirs, &theirs.ours));
    let plain = parse(b"v=0\r\nm=audio 5 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n").unwrap();
    assert!(browser.agreed(&plain).is_ok());
    assert!(Local { sealing: Sealing::Dtls, ..local() }.agreed(&plain).is_err());
}

#[test]
fn reports_go_where_the_other_side_wants_them() {
    let apart = |text: &str| Control::Apart(text.parse().unwrap());
    let table = [
        ("nothing said: the next port", "", apart("192.0.2.1:5005")),
        ("another port (RFC 3605)", "a=rtcp:53020\r\n", apart("192.0.2.1:53020")),
        ("another place", "a=rtcp:53020 IN IP4 198.51.100.9\r\n", apart("198.51.100.9:53020")),
        ("a group", "a=rtcp:53020 IN IP4 224.2.1.1\r\n", apart("192.0.2.1:53020")),
        ("a name", "a=rtcp:53020 IN IP4 phone.example\r\n", apart("192.0.2.1:53020")),
        ("IPv6 to an IPv4 leg", "a=rtcp:53020 IN IP6 2001:db8::1\r\n", apart("192.0.2.1:53020")),
        ("nonsense", "a=rtcp:70000\r\n", apart("192.0.2.1:5005")),
        ("no port", "a=rtcp:0\r\n", apart("192.0.2.1:5005")),
        ("on the same (RFC 5761)", "a=rtcp-mux\r\n", Control::Shared),
        ("both said: on the same", "a=rtcp:53020\r\na=rtcp-mux\r\n", Control::Shared),
    ];
    for (case, line, want) in table {
        let offer = offer(&format!("m=audio 5004 RTP/AVP 0\r\n{line}"));
        let (answer, agreed) = local().answer(&offer).unwrap();
        assert_eq!(agreed.control, want, "{case}");
        let says = String::from_utf8(answer).unwrap().contains("a=rtcp-mux\r\n");
        assert_eq!(says, want == Control::Shared, "{case}");
        // As an answer to an offer of ours: agreed to only when it was offered (RFC 5761 §5.1.1).
        let offering = |mux| Local { mux, ..local() };
        assert_eq!(offering(true).agreed(&offer).unwrap().control, want, "{case}");
        let plain = offering(false).agreed(&offer).unwrap().control;
        assert!(matches!(plain, Control::Apart(_)), "{case}");
    }
    let last = offer("m=audio 65535 RTP/AVP 0\r\n");
    assert_eq!(local().answer(&last).unwrap().1.control, Control::Nowhere, "there is no next port");
    let text = |mux| String::from_utf8(Local { mux, ..local() }.offer()).unwrap();
    assert!(text(true).contains("a=rtcp-mux\r\n") && !text(false).contains("rtcp"));
}
