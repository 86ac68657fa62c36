//! A transfer after asking (取次転送) by Linphone: REFER with Replaces.

use crate::linphone::phone;
use crate::support::desk::Desk;
use crate::support::sound::Sound;
use crate::support::{eventually, s};

#[test]
fn linphone_joins_its_caller_with_the_colleague_it_asked() {
    let desk = Desk::start("desk.toml");
    let voices = [Sound::voice(81, 60), Sound::voice(82, 60), Sound::voice(83, 60)];
    let [his, hers, others] = &voices;
    let first = phone(&desk, "6001", "udp", hers, true);
    let second = phone(&desk, "6002", "udp", others, true);
    let caller = phone(&desk, "6003", "udp", his, false);
    desk.agent_is("6001", "idle");

    caller.call("0312340020");
    caller.hears(hers, s(10));
    // She holds him, asks her colleague, and joins the two.
    first.tell("pause");
    first.wait("to LinphoneCallPaused", 1, s(8));
    first.call("6002");
    second.hears(hers, s(10));
    first.tell("transfer 1 --to-call 2");
    first.wait("to LinphoneCallEnd", 2, s(8));
    caller.hears(others, s(10));
    second.hears(his, s(10));
    desk.agent_is("6001", "idle");
    // Her display shows him now, not the colleague who asked; his shows her, not the desk's number.
    for (phone, who) in [(&second, "6003"), (&caller, "6002")] {
        let told = format!("P-Asserted-Identity: <sip:{who}@127.0.0.1>");
        eventually("a new name on the display", s(5), || phone.log().contains(&told));
    }

    caller.tell("terminate");
    second.wait("to LinphoneCallEnd", 1, s(8));
    eventually("both calls are over", s(5), || desk.calls().iter().all(|c| c["state"] == "ended"));
    let calls = desk.calls();
    let of = |caller: &str| {
        calls.iter().find(|c| c["caller"]["number"]["known"] == caller).expect("its call").clone()
    };
    let (call, asked) = (of("6003"), of("6001"));
    assert_eq!(call["outcome"], "answered");
    let who: Vec<&str> = call["talks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|talk| talk["agent"].as_str())
        .collect();
    assert_eq!(who, ["6001", "6002"], "{call}");
    assert_eq!(asked["cause"]["cause"], "transferred", "{asked}");
    desk.at_rest(s(5));
}
