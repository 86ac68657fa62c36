//! The site's store: PostgreSQL of Debian's package beside the desk, killed, cut off, frozen, refused, and
//! asked the same as the desk's own store.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod cut;
#[path = "../support/folder.rs"]
mod folder;
mod kill;
mod month;
mod same;

use folder::store as write;
use madoguchi::io::store::Kind;
use madoguchi::io::store::site::{Address, Copying, Followed, Host, SitePhase, SiteState, Tls};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use support::eventually;
use support::postgres::Postgres;
use support::s;
use support::tls::Authority;

/// Follows a store's file without a desk, up to an entry.
pub struct Follower {
    copying: Copying,
    last: Arc<AtomicU64>,
}

impl Follower {
    pub fn start(file: &Path, last: u64, address: Address) -> Self {
        let last = Arc::new(AtomicU64::new(last));
        let followed = Followed {
            file: file.to_owned(),
            kind: Kind::Service,
            desk: "窓口".to_owned(),
            timezone: "Asia/Tokyo".to_owned(),
        };
        let committed = Arc::clone(&last);
        let committed = Arc::new(move || committed.load(Ordering::Relaxed));
        Self { copying: Copying::start(followed, address, committed).unwrap(), last }
    }

    pub fn state(&self) -> SiteState {
        self.copying.state()
    }

    pub fn up_to(&self, last: u64) {
        self.last.store(last, Ordering::Relaxed);
    }

    #[track_caller]
    pub fn level(&self, within: Duration) {
        eventually("all is copied", within, || {
            self.state().phase == SitePhase::Level && self.state().behind == 0
        });
    }
}

/// The way to it, by this port.
pub fn address(server: &Postgres, port: u16) -> Address {
    Address {
        host: Host::Network("127.0.0.1".to_owned(), port),
        database: "site".to_owned(),
        user: "madoguchi".to_owned(),
        password_file: Some(server.password_file()),
        tls: Tls::Off,
    }
}

/// Every entry as both stores have it, to the byte.
#[track_caller]
pub fn same_entries(file: &Path, server: &Postgres) {
    let theirs = server.sql(
        "SELECT count(*) || ' ' || md5(string_agg(concat_ws('|', seq, at_ms, coalesce(call, '-'), v, body, \
         encode(hash, 'hex'), coalesce(encode(salt, 'hex'), '-')), E'\\n' ORDER BY seq)) FROM entry",
    );
    let program = "import hashlib, sqlite3, sys\n\
        rows = sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True).execute('SELECT seq, at_ms, call, v, body, hash, salt FROM entry ORDER BY seq').fetchall()\n\
        text = '\\n'.join('|'.join([str(a), str(b), c or '-', str(d), e, f.hex(), g.hex() if g else '-']) for a, b, c, d, e, f, g in rows)\n\
        print(len(rows), hashlib.md5(text.encode()).hexdigest())";
    let out =
        std::process::Command::new("python3").args(["-c", program]).arg(file).output().unwrap();
    assert!(out.status.success(), "{out:?}");
    assert_eq!(theirs, String::from_utf8(out.stdout).unwrap().trim(), "the two stores differ");
}

#[test]
fn the_way_to_it_is_encrypted_and_another_server_is_not_believed() {
    let dir = support::process::Dir::new("site-tls");
    let authority = Authority::new();
    let server = Postgres::secure(&authority);
    authority.write(&dir.file("ca.pem"));
    Authority::new().write(&dir.file("other.pem"));
    let file = dir.file("desk.db");
    let last = write(&file, month::history(9_500, &Default::default(), 20));
    let to = |host: &str, authorities: &str| {
        let host = Host::Network(host.to_owned(), server.port);
        Address { host, tls: Tls::Verified(Some(dir.file(authorities))), ..address(&server, 0) }
    };
    // Signed by somebody else, and for another name.
    for address in [to("127.0.0.1", "other.pem"), to("localhost", "ca.pem")] {
        let follower = Follower::start(&file, last, address);
        eventually("it is refused", s(10), || follower.state().failures > 0);
        assert_eq!(follower.state().copied, 0);
    }
    let follower = Follower::start(&file, last, to("127.0.0.1", "ca.pem"));
    follower.level(s(30));
    assert_eq!(server.sql("SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND application_name = 'madoguchi'"), "1");
    same_entries(&file, &server);
}

#[test]
fn a_server_of_this_machine_is_reached_by_its_socket() {
    let dir = support::process::Dir::new("site-socket");
    let server = Postgres::start();
    let file = dir.file("desk.db");
    let last = write(&file, month::history(9_700, &Default::default(), 20));
    let host = Host::Socket(server.directory(), server.port);
    let follower = Follower::start(&file, last, Address { host, ..address(&server, 0) });
    follower.level(s(30));
    same_entries(&file, &server);
}

#[test]
fn what_cannot_be_used_is_said_and_mended_without_a_restart() {
    let dir = support::process::Dir::new("site");
    let server = Postgres::start();
    let file = dir.file("desk.db");
    let last = write(&file, month::history(9_000, &Default::default(), 20));

    // A wrong password, then the right one.
    let secret = dir.write("secret", "wrong");
    let mut to = address(&server, server.port);
    to.password_file = Some(secret.clone());
    let follower = Follower::start(&file, last, to);
    let refused = || match follower.state().phase {
        SitePhase::Refused { why } => Some(why),
        _ => None,
    };
    eventually("refused", s(10), || refused().is_some());
    assert!(refused().unwrap().contains("password authentication failed"), "{:?}", refused());
    std::fs::copy(server.password_file(), &secret).unwrap();
    follower.level(s(30));
    same_entries(&file, &server);
    drop(follower);

    // A newer program's tables are left alone.
    server.sql("INSERT INTO _sqlx_migrations SELECT 99, description, installed_on, success, checksum, execution_time FROM _sqlx_migrations LIMIT 1");
    let follower = Follower::start(&file, last, address(&server, server.port));
    eventually(
        "refused",
        s(10),
        || matches!(follower.state().phase, SitePhase::Refused { why } if why.contains("version 99")),
    );
    server.sql("DELETE FROM _sqlx_migrations WHERE version = 99");
    follower.level(s(30));
    drop(follower);
}
