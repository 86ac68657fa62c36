//! From facts to lines: one function for each thing that is looked at.

use super::facts::{
    Address, Answer, Certificate, Clock, Descriptors, Facts, Held, Listener, PlanFolder, Room,
    Running, SecretFile, Sound, TrunkAsked, What, Whose, Zone,
};
use super::words::{Line, Mark, both};
use crate::dialplan::Finding;
use std::net::IpAddr;

/// Seconds that the history may be ahead of the clock: its time and the file's are taken at different instants.
const AHEAD_S: i64 = 2;
/// Days before a certificate's end from which somebody should look.
const EXPIRES_DAYS: i64 = 30;
/// Years after which the built-in table of zones is old.
const OLD_TABLE: i32 = 2;
/// Findings that are told one by one; the rest is left to `check`.
const MOST_FINDINGS: usize = 20;

/// All lines, in the order of the list in docs/OPERATING.md.
#[must_use]
pub fn judge(facts: &Facts) -> Vec<Line> {
    let mut lines = configuration(&facts.findings);
    lines.extend(facts.running.iter().map(running));
    let runs = facts.running.as_ref().is_some_and(|running| *running != Running::No);
    lines.extend(facts.listeners.iter().map(|it| listener(it, runs)));
    lines.extend(facts.sound.iter().map(sound));
    lines.extend(facts.addresses.iter().map(address));
    lines.extend(facts.descriptors.iter().map(descriptors));
    lines.extend(facts.certificates.iter().map(certificate));
    lines.extend(facts.trunks.iter().map(trunk));
    lines.extend(facts.rooms.iter().map(room));
    lines.extend(facts.secrets.iter().map(secret));
    lines.extend(facts.plan_folder.as_ref().map(plan_folder));
    lines.push(synchronised(&facts.clock));
    lines.extend(jump(&facts.clock));
    lines.extend(facts.zone.iter().map(zone));
    lines
}

/// The worst mark of some lines.
#[must_use]
pub fn worst(lines: &[Line]) -> Mark {
    lines.iter().map(|line| line.mark).max().unwrap_or(Mark::Ok)
}

fn configuration(findings: &[Finding]) -> Vec<Line> {
    if findings.is_empty() {
        return vec![Line::ok(
            "configuration",
            both("読めて、調べを通る", "it is read and passes check"),
        )];
    }
    let line = |finding: &Finding| {
        let mark = if finding.is_error() { Mark::Wrong } else { Mark::Look };
        let place =
            finding.place.as_ref().map_or(String::new(), |place| format!(":{}", place.line));
        let (found, due) = (&finding.message.found, &finding.message.due);
        let file = &finding.file;
        Line::not(
            mark,
            "configuration",
            both(format!("{file}{place}: {}", found.ja), format!("{file}{place}: {}", found.en)),
            due.clone(),
            both(
                "madoguchi check で行と直し方を見る",
                "madoguchi check shows the line and what is due",
            ),
        )
    };
    findings.iter().take(MOST_FINDINGS).map(line).collect()
}

fn running(running: &Running) -> Line {
    const TOPIC: &str = "desk";
    let due = || both("/healthz が 200 を返す", "/healthz answers 200");
    match running {
        Running::Well => Line::ok(TOPIC, both("動いていて、健全", "it runs and is well")),
        Running::No => Line::not(
            Mark::Look,
            TOPIC,
            both("動いていない", "it does not run"),
            due(),
            both("systemctl start madoguchi", "systemctl start madoguchi"),
        ),
        Running::Ill(status) => Line::not(
            Mark::Wrong,
            TOPIC,
            both(
                format!("動いているが、/healthz が {status} を返す"),
                format!("it runs, and /healthz answers {status}"),
            ),
            due(),
            both(
                "/healthz の reasons と journalctl -u madoguchi を見る。対処は madoguchi runbook",
                "see reasons in /healthz and journalctl -u madoguchi; madoguchi runbook says what to do",
            ),
        ),
        Running::Strange(why) => Line::not(
            Mark::Wrong,
            TOPIC,
            both(
                format!("画面のアドレスの相手に尋ねられない: {}", why.ja),
                format!("who listens at the pages' address cannot be asked: {}", why.en),
            ),
            due(),
            both(
                "別のプログラムなら止めるか [http] listen を変える。証明書を替えた後なら systemctl reload madoguchi",
                "another program: stop it or change [http] listen; after a new certificate: systemctl reload madoguchi",
            ),
        ),
    }
}

fn listener(listener: &Listener, runs: bool) -> Line {
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

fn sound(sound: &Sound) -> Line {
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

fn address(address: &Address) -> Line {
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

fn descriptors(it: &Descriptors) -> Line {
    const TOPIC: &str = "descriptors";
    let (limit, needed) = (it.limit, it.needed);
    let whose = match it.whose {
        Whose::Daemon => both("動いている窓口", "the running desk"),
        Whose::Unit => both("ユニット", "the unit"),
        Whose::Shell => both("このシェル", "this shell"),
    };
    let found = both(
        format!("{}が開けるファイルは {limit}、要るのは最大 {needed}", whose.ja),
        format!("{} may open {limit} files, and at most {needed} are needed", whose.en),
    );
    if limit >= needed {
        return Line::ok(TOPIC, found);
    }
    let mark = if it.whose == Whose::Shell { Mark::Look } else { Mark::Wrong };
    Line::not(
        mark,
        TOPIC,
        found,
        both(format!("{needed} 以上"), format!("{needed} or more")),
        both(
            format!(
                "LimitNOFILE={needed}（systemctl edit madoguchi）、または [limits] calls を減らす"
            ),
            format!("LimitNOFILE={needed} (systemctl edit madoguchi), or fewer [limits] calls"),
        ),
    )
}

fn certificate(it: &Certificate) -> Line {
    const TOPIC: &str = "certificate";
    let file = &it.file;
    let due = || {
        both(
            format!("{EXPIRES_DAYS} 日より先まで有効"),
            format!("valid for more than {EXPIRES_DAYS} days"),
        )
    };
    let mend = || {
        both(
            "新しい証明書を同じファイルに置き、systemctl reload madoguchi",
            "put the new one into the same file, and systemctl reload madoguchi",
        )
    };
    match it.days_left {
        Some(days) if days < 0 => Line::not(
            Mark::Wrong,
            TOPIC,
            both(format!("{file} の期限が切れている"), format!("{file} is over")),
            due(),
            mend(),
        ),
        Some(days) if days < EXPIRES_DAYS => Line::not(
            Mark::Look,
            TOPIC,
            both(format!("{file} はあと {days} 日で切れる"), format!("{file} ends in {days} days")),
            due(),
            mend(),
        ),
        Some(days) => Line::ok(
            TOPIC,
            both(
                format!("{file} は鍵と合い、あと {days} 日有効"),
                format!("{file} fits its key and is valid for {days} days"),
            ),
        ),
        None => Line::not(
            Mark::Look,
            TOPIC,
            both(format!("{file} の期限が読めない"), format!("the end of {file} cannot be read")),
            due(),
            mend(),
        ),
    }
}

fn trunk(it: &TrunkAsked) -> Line {
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

fn room(it: &Room) -> Line {
    let topic = match it.what {
        What::Store => "history",
        What::Recordings => "recordings",
    };
    let folder = &it.folder;
    let mib = |bytes: u64| bytes / (1 << 20);
    let due = || {
        both(format!("{} MiB より多い", mib(it.least)), format!("more than {} MiB", mib(it.least)))
    };
    let mend = || match it.what {
        What::Store => both(
            "ディスクを空けるか広げる。録音を先に移す",
            "free or enlarge the disk; move recordings first",
        ),
        What::Recordings => both(
            "ディスクを空けるか、[recording] keep_days を短くする。足りない間は録音しない",
            "free the disk, or a shorter [recording] keep_days; nothing is recorded meanwhile",
        ),
    };
    match &it.free {
        Ok(free) => {
            let found = both(
                format!("{folder} の空きは {} MiB", mib(*free)),
                format!("{folder} has {} MiB free", mib(*free)),
            );
            if *free < it.least {
                Line::not(Mark::Wrong, topic, found, due(), mend())
            } else if *free < it.least.saturating_mul(2) {
                Line::not(Mark::Look, topic, found, due(), mend())
            } else {
                Line::ok(topic, found)
            }
        }
        Err(why) => Line::not(
            Mark::Wrong,
            topic,
            both(
                format!("{folder} の空きが分からない: {why}"),
                format!("the room in {folder} cannot be told: {why}"),
            ),
            due(),
            both(
                "フォルダーを作り、窓口の利用者のものにする",
                "make the folder, and give it to the daemon's user",
            ),
        ),
    }
}

fn secret(it: &SecretFile) -> Line {
    const TOPIC: &str = "secret";
    let file = &it.file;
    let due = || {
        both(
            "持ち主だけが読み書きできる、窓口の利用者のファイル",
            "a file of the daemon's user that its owner alone reads",
        )
    };
    let Some((mode, owner)) = it.found else {
        if it.is_made {
            return Line::ok(
                TOPIC,
                both(
                    format!("{file} は最初の起動で作られる"),
                    format!("{file} is made by the first start"),
                ),
            );
        }
        return Line::not(
            Mark::Wrong,
            TOPIC,
            both(format!("{file} がない"), format!("{file} is not there")),
            due(),
            both("作るか、設定から外す", "make it, or take it out of the configuration"),
        );
    };
    let mode = mode & 0o7777;
    if mode & 0o077 != 0 {
        return Line::not(
            Mark::Wrong,
            TOPIC,
            both(
                format!("{file} をほかの利用者が読める（{mode:o}）"),
                format!("others may read {file} ({mode:o})"),
            ),
            due(),
            both(format!("chmod 600 {file}"), format!("chmod 600 {file}")),
        );
    }
    match it.due_owner {
        Some(due_owner) if due_owner != owner => Line::not(
            Mark::Wrong,
            TOPIC,
            both(
                format!("{file} の持ち主は {owner}、窓口を動かすのは {due_owner}"),
                format!("{file} is owned by {owner}, and the desk runs as {due_owner}"),
            ),
            due(),
            both(format!("chown {due_owner} {file}"), format!("chown {due_owner} {file}")),
        ),
        Some(_) | None => Line::ok(
            TOPIC,
            both(
                format!("{file} は持ち主だけが読める"),
                format!("{file} is read by its owner alone"),
            ),
        ),
    }
}

fn plan_folder(it: &PlanFolder) -> Line {
    const TOPIC: &str = "plan";
    let PlanFolder { folder, mode, owner, due_owner } = it;
    // As path_resolution(7) asks: the owner by the first digit; groups are not looked at.
    let written = *due_owner == 0 || mode & if owner == due_owner { 0o200 } else { 0o002 } != 0;
    if written {
        return Line::ok(
            TOPIC,
            both(
                format!("ページからプランを有効にできる（{folder}）"),
                format!("a page can put a plan in force ({folder})"),
            ),
        );
    }
    Line::not(
        Mark::Look,
        TOPIC,
        both(
            format!(
                "ページからプランを有効にできない。{folder} の持ち主は {owner}、窓口を動かすのは {due_owner}"
            ),
            format!(
                "no page can put a plan in force: {folder} is owned by {owner}, and the desk runs as {due_owner}"
            ),
        ),
        both(
            "窓口の利用者が書けるフォルダー（前のプランを横に残す）",
            "a folder that the daemon's user can write, where the plan before is kept",
        ),
        both(format!("chown {due_owner} {folder}"), format!("chown {due_owner} {folder}")),
    )
}

fn synchronised(clock: &Clock) -> Line {
    const TOPIC: &str = "clock";
    let due = || both("NTP で合わせられている", "it is set by NTP");
    let mend =
        || both("timedatectl set-ntp true（または chrony）", "timedatectl set-ntp true, or chrony");
    match clock.synchronised {
        Some(true) => Line::ok(TOPIC, both("時計は NTP で合っている", "the clock is set by NTP")),
        Some(false) => Line::not(
            Mark::Wrong,
            TOPIC,
            both("時計は合わせられていない", "the clock is not set by NTP"),
            due(),
            mend(),
        ),
        None => Line::not(
            Mark::Look,
            TOPIC,
            both(
                "時計が合わせられているか分からない",
                "whether the clock is set by NTP cannot be told",
            ),
            due(),
            mend(),
        ),
    }
}

fn jump(clock: &Clock) -> Option<Line> {
    let ahead = clock.written_s?.saturating_sub(clock.now_s);
    if ahead <= AHEAD_S {
        return Some(Line::ok(
            "clock",
            both("履歴は今より前に書かれている", "the history was written before now"),
        ));
    }
    Some(Line::not(
        Mark::Wrong,
        "clock",
        both(
            format!("履歴は今より {ahead} 秒先に書かれている: 時計が戻された"),
            format!("the history was written {ahead} s after now: the clock was set back"),
        ),
        both("時計は進むだけ", "a clock that only goes on"),
        both(
            "時計を合わせる（timedatectl）。呼の時刻はその時の時計のまま残る",
            "set the clock right (timedatectl); calls keep the times of the clock of then",
        ),
    ))
}

fn zone(it: &Zone) -> Line {
    const TOPIC: &str = "zone";
    let Zone { plan, table, year, .. } = it;
    let machine = it.machine.as_deref().unwrap_or("?");
    let found = both(
        format!("計画は {plan}、機器は {machine}、内蔵の時差表は {table}"),
        format!(
            "the plan is in {plan}, the machine in {machine}, the built-in table of zones is {table}"
        ),
    );
    let edition: Option<i32> = table.get(..4).and_then(|year| year.parse().ok());
    match edition {
        Some(edition) if year.saturating_sub(edition) < OLD_TABLE => Line::ok(TOPIC, found),
        Some(_) | None => Line::not(
            Mark::Look,
            TOPIC,
            found,
            both(
                format!("{OLD_TABLE} 年より新しい時差表"),
                format!("a table of less than {OLD_TABLE} years"),
            ),
            both("新しい版の madoguchi を入れる", "install a newer madoguchi"),
        ),
    }
}
