//! Encrypted sound (SRTP with keys in the description): baresip and Linphone, with each other's kind and
//! with callers who have none.

use crate::linphone::phone_with;
use crate::support::desk::{Desk, Setup};
use crate::support::s;
use crate::support::softphone::By;
use crate::support::sound::Sound;
use crate::talk::{Voices, agent, talk};

fn desk(rule: &str) -> Desk {
    let more = format!("[[accounts.rules]]\naccounts = \"*\"\nencryption = \"{rule}\"\n");
    Desk::with(&Setup { more: &more, ..Setup::default() })
}

/// The agent's trace, in which it says how the last call was.
fn says(agent: &crate::support::softphone::Softphone, what: &str) -> bool {
    agent.trace().contains(what)
}

#[test]
fn a_caller_without_encryption_talks_with_a_baresip_that_insists_on_it() {
    let desk = desk("required");
    let voices = Voices::new(201);
    let agent = agent(&desk, &voices, &By { encryption: "srtp-mand", ..By::default() });
    talk(&desk, &voices, &agent, desk.caller("0312340020"));
    assert!(says(&agent, "RTP/SAVP") && says(&agent, "a=crypto:"), "{}", agent.trace());
}

#[test]
fn a_baresip_that_would_encrypt_does_and_one_that_cannot_talks_plainly() {
    for (encryption, sealed) in [("srtp", true), ("", false)] {
        let desk = desk("preferred");
        let voices = Voices::new(203);
        let agent = agent(&desk, &voices, &By { encryption, ..By::default() });
        talk(&desk, &voices, &agent, desk.caller("0312340020"));
        let keys = agent.trace().matches("a=crypto:").count();
        // Three that we offer, and one that it answers.
        assert_eq!(keys >= 4, sealed, "{encryption}: {}", agent.trace());
    }
}

#[test]
fn an_agent_whose_phone_cannot_encrypt_is_not_talked_to_where_it_is_required() {
    let desk = desk("required");
    let voices = Voices::new(205);
    let agent = agent(&desk, &voices, &By::default());
    let caller = desk.caller("0312340020").set("MEDIA", desk.ports.port()).set("STAY", 500).start();
    crate::support::eventually("the agent's phone refuses", s(5), || says(&agent, "SIP/2.0 488"));
    drop(caller);
}

#[test]
fn linphone_and_linphone_encrypt_both_halves_of_a_call() {
    let desk = desk("required");
    let (his, hers) = (Sound::voice(207, 30), Sound::voice(208, 30));
    let agent = phone_with(&desk, "6001", "udp", &hers, true, "srtp");
    desk.agent_is("6001", "idle");
    let caller = phone_with(&desk, "6002", "udp", &his, false, "srtp");
    caller.call("0312340020");
    agent.wait("LinphoneCallStreamsRunning", 1, s(20));
    caller.hears(&hers, s(20));
    agent.hears(&his, s(20));
    // A re-INVITE goes on under the same keys.
    agent.tell("pause");
    agent.wait("LinphoneCallPaused", 1, s(10));
    agent.tell("resume");
    caller.hears(&hers, s(20));
    agent.hears(&his, s(20));
    caller.tell("terminate");
    agent.wait("to LinphoneCallEnd", 1, s(20));
    assert_eq!(desk.outcome("6002"), "answered");
    assert!(agent.log().contains("RTP/SAVP"), "encrypted on the agent's side");
}

#[test]
fn baresip_agrees_on_its_keys_by_dtls() {
    let desk = desk("dtls");
    let voices = Voices::new(209);
    let agent = agent(&desk, &voices, &By { encryption: "dtls_srtp", ..By::default() });
    talk(&desk, &voices, &agent, desk.caller("0312340020"));
    assert!(
        says(&agent, "a=fingerprint:") && says(&agent, "UDP/TLS/RTP/SAVP"),
        "{}",
        agent.trace()
    );
}

#[test]
fn linphone_and_linphone_agree_on_their_keys_by_dtls() {
    let desk = desk("dtls");
    let (his, hers) = (Sound::voice(211, 30), Sound::voice(212, 30));
    let agent = phone_with(&desk, "6001", "udp", &hers, true, "dtls");
    desk.agent_is("6001", "idle");
    let caller = phone_with(&desk, "6002", "udp", &his, false, "dtls");
    caller.call("0312340020");
    agent.wait("LinphoneCallStreamsRunning", 1, s(20));
    caller.hears(&hers, s(20));
    agent.hears(&his, s(20));
    caller.tell("terminate");
    agent.wait("to LinphoneCallEnd", 1, s(20));
    assert_eq!(desk.outcome("6002"), "answered");
    assert!(agent.log().contains("UDP/TLS/RTP/SAVP"), "by DTLS on the agent's side");
}
