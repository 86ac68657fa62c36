//! What reaches the desk and what it reaches: ports, addresses, trunks.

use crate::doctor::facts::{Address, Answer, Held, Listener, Sound, TrunkAsked};
use crate::doctor::words::{Line, Mark, both};
use std::net::IpAddr;
pub(super) fn listener(listener: &Listener, runs: bool) -> Line {
    const TOPIC: &str = "port";
    let name = &listener.name;
    let due = || both("空いているか、この窓口のもの", "free, or this desk's own");
    match (&listener.held, runs) {
        (Held::Free, false) => {
            Line::ok(TOPIC, both(format!("{name} は空いている"), format!("{name} is free")))
        }
        (Held::Ours, _) => Line::ok(
            TOPIC,
            both(format!("{name} はこの窓口のもの"), format!("{name} is the desk's own")),
        ),
        (Held::Free, true) => Line::not(
            Mark::Look,
            TOPIC,
            both(
                format!("窓口は動いているが、{name} で待ち受けていない"),
                format!("the desk runs and does not listen on {name}"),
            ),
            due(),
            both(
                "設定を変えた後なら systemctl restart madoguchi",
                "after a change of the configuration: systemctl restart madoguchi",
            ),
        ),
        (Held::Unknown, true) => Line::ok(
            TOPIC,
            both(
                format!("{name} は使われている（窓口は動いている）"),
                format!("{name} is in use, and the desk runs"),
            ),
        ),
        (Held::Unknown, false) => Line::not(
            Mark::Wrong,
            TOPIC,
            both(
                format!("{name} は使われている。窓口は動いていない"),
                format!("{name} is in use, and the desk does not run"),
            ),
            due(),
            both(
                "root で madoguchi doctor を動かすと、だれのものか分かる",
                "madoguchi doctor as root tells whose it is",
            ),
        ),
        (Held::By(other), _) => Line::not(
            Mark::Wrong,
            TOPIC,
            both(format!("{name} は {other} が使っている"), format!("{name} is held by {other}")),
            due(),
            both(
                format!("{other} を止めるか、listen を変える"),
                format!("stop {other}, or change listen"),
            ),
        ),
        (Held::NotHere, _) => Line::not(
            Mark::Wrong,
            TOPIC,
            both(
                format!("{name} のアドレスはこの機器のものではない"),
                format!("the address of {name} is not this machine's"),
            ),
            both("この機器のアドレス（ip addr）", "an address of this machine (ip addr)"),
            both(
                "listen を直す。NAT の外側のアドレスは advertise に書く",
                "change listen; an address outside a NAT goes into advertise",
            ),
        ),
        (Held::Refused(why), _) => Line::not(
            Mark::Wrong,
            TOPIC,
            both(
                format!("{name} で待ち受けられない: {why}"),
                format!("{name} cannot be listened on: {why}"),
            ),
            due(),
            both("1024 より小さいポートには特権が要る", "ports below 1024 need privileges"),
        ),
    }
}

pub(super) fn sound(sound: &Sound) -> Line {
    const TOPIC: &str = "sound";
    let ports = sound.ports;
    match sound.taken {
        None => Line::ok(
            TOPIC,
            both(
                format!("音声のポート {ports} 個は窓口のもの"),
                format!("{ports} ports for sound are the desk's"),
            ),
        ),
        Some(0) => Line::ok(
            TOPIC,
            both(
                format!("音声のポート {ports} 個は空いている"),
                format!("{ports} ports for sound are free"),
            ),
        ),
        Some(taken) => Line::not(
            Mark::Look,
            TOPIC,
            both(
                format!("音声のポート {ports} 個のうち {taken} 個が使われている"),
                format!("{taken} of {ports} ports for sound are in use"),
            ),
            both("ほかのプログラムと重ならない", "no other program among them"),
            both(
                "ss -ulnp で見て、[media] ports を変える",
                "see ss -ulnp, and change [media] ports",
            ),
        ),
    }
}

/// Addresses that nobody outside a site is reached by (RFC 1918, RFC 6598, RFC 4193, link-local).
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private() || ip.is_link_local() || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

pub(super) fn address(address: &Address) -> Line {
    const TOPIC: &str = "address";
    let Address { key, ip, here, public_trunk } = *address;
    let due = || both("電話機と回線から届くアドレス", "an address that phones and trunks reach");
    if ip.is_loopback() {
        return Line::not(
            Mark::Look,
            TOPIC,
            both(
                format!("{key} の {ip} にはこの機器からしか届かない"),
                format!("{key}: {ip} is reached from this machine alone"),
            ),
            due(),
            both(
                "電話機から見えるこの機器のアドレスにする",
                "an address of this machine that phones see",
            ),
        );
    }
    if public_trunk && is_private(ip) {
        return Line::not(
            Mark::Look,
            TOPIC,
            both(
                format!("{key} の {ip} は内部のアドレスで、回線は外のアドレスから来る"),
                format!("{key}: {ip} is a private address, and a trunk comes from a public one"),
            ),
            due(),
            both(
                "外から見えるアドレスを [sip] advertise に書き、ルーターで SIP と音声のポートを通す",
                "the outer address in [sip] advertise, and SIP's and sound's ports let through by the router",
            ),
        );
    }
    if here {
        return Line::ok(
            TOPIC,
            both(
                format!("{key} の {ip} はこの機器のもの"),
                format!("{key}: {ip} is this machine's"),
            ),
        );
    }
    Line::not(
        Mark::Look,
        TOPIC,
        both(
            format!("{key} の {ip} はこの機器のものではない（NAT の外側）"),
            format!("{key}: {ip} is not this machine's: outside a NAT"),
        ),
        both(
            "ルーターがそのアドレスの SIP と音声のポートをこの機器に渡す",
            "the router hands SIP's and sound's ports of it to this machine",
        ),
        both("外の電話機から一度かけて確かめる", "make one call from a phone outside"),
    )
}

pub(super) fn trunk(it: &TrunkAsked) -> Line {
    const TOPIC: &str = "trunk";
    let (name, server) = (&it.name, &it.server);
    let due = || both("OPTIONS に答える", "it answers OPTIONS");
    let mend = || {
        both(
            "アドレス、経路、ファイアウォールを見る。窓口のポートにしか答えない事業者もある（動いている窓口の /metrics を見る）",
            "look at address, routes and firewall; some carriers answer the desk's own port alone (see /metrics of the running desk)",
        )
    };
    match &it.answer {
        Answer::Status(status @ 500..) => Line::not(
            Mark::Look,
            TOPIC,
            both(
                format!("{name}（{server}）の答えは {status}"),
                format!("{name} ({server}) answers {status}"),
            ),
            due(),
            both("事業者に尋ねる", "ask the carrier"),
        ),
        Answer::Status(status) => Line::ok(
            TOPIC,
            both(
                format!("{name}（{server}）は答える（{status}）"),
                format!("{name} ({server}) answers ({status})"),
            ),
        ),
        Answer::Silent => Line::not(
            Mark::Wrong,
            TOPIC,
            both(
                format!("{name}（{server}）は答えない"),
                format!("{name} ({server}) does not answer"),
            ),
            due(),
            mend(),
        ),
        Answer::Failed(why) => Line::not(
            Mark::Wrong,
            TOPIC,
            both(
                format!("{name}（{server}）に尋ねられない: {why}"),
                format!("{name} ({server}) cannot be asked: {why}"),
            ),
            due(),
            mend(),
        ),
        Answer::ByTls => Line::not(
            Mark::Look,
            TOPIC,
            both(
                format!("{name}（{server}）は TLS なので尋ねていない"),
                format!("{name} ({server}) is reached by TLS and was not asked"),
            ),
            due(),
            both("動いている窓口の /metrics を見る", "see /metrics of the running desk"),
        ),
    }
}
