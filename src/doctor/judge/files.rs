//! What lies on the disk: certificates, room, secrets, the plan's folder; and how many files may be open.

use crate::doctor::facts::{
    Certificate, Descriptors, PlanFolder, Room, SecretFile, StoreFile, What, Whose,
};
use crate::doctor::words::{Line, Mark, both};

/// Days before a certificate's end from which somebody should look.
const EXPIRES_DAYS: i64 = 30;
pub(super) fn certificate(it: &Certificate) -> Line {
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

pub(super) fn room(it: &Room) -> Line {
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

/// A line only where something is wrong: the daemon's user cannot open what is another's, however much room there is.
pub(super) fn store_file(it: &StoreFile) -> Option<Line> {
    let StoreFile { file, owner, due_owner } = it;
    if *due_owner == 0 || owner == due_owner {
        return None;
    }
    Some(Line::not(
        Mark::Wrong,
        "history",
        both(
            format!("{file} の持ち主は {owner}、窓口を動かすのは {due_owner}。窓口は起動できない"),
            format!(
                "{file} is owned by {owner}, and the desk runs as {due_owner}: it cannot start"
            ),
        ),
        both("窓口の利用者のファイル", "a file of the daemon's user"),
        both(format!("chown {due_owner} {file}"), format!("chown {due_owner} {file}")),
    ))
}

pub(super) fn secret(it: &SecretFile) -> Line {
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
    // As the reading judges it: the mask of an access list stands where the group's bits else do (acl(5)).
    let open = if it.is_handed { 0o037 } else { 0o077 };
    if mode & open != 0 {
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
        Some(due_owner) if due_owner != owner && !it.is_handed => Line::not(
            Mark::Wrong,
            TOPIC,
            both(
                format!("{file} の持ち主は {owner}、窓口を動かすのは {due_owner}"),
                format!("{file} is owned by {owner}, and the desk runs as {due_owner}"),
            ),
            due(),
            both(format!("chown {due_owner} {file}"), format!("chown {due_owner} {file}")),
        ),
        Some(_) if it.is_handed => Line::ok(
            TOPIC,
            both(
                format!("{file} は systemd が窓口に渡す"),
                format!("{file} is handed over by systemd"),
            ),
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

pub(super) fn plan_folder(it: &PlanFolder) -> Line {
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

pub(super) fn descriptors(it: &Descriptors) -> Line {
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
