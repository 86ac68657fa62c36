//! A PostgreSQL of the test's own, from Debian's package: on a loopback port, with the password that
//! [`Postgres::lines`] hands to the desk, killed and started again at will.

use super::http;
use super::poll;
use super::ports::Block;
use super::process::{Dir, Process};
use super::tls::Authority;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

const PASSWORD: &str = "secret-of-the-site-0123456789";

/// A server.
pub struct Postgres {
    dir: Dir,
    /// Where it listens.
    pub port: u16,
    process: Process,
    _ports: Block,
}

/// Where the package keeps the server's programs.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("postgresql is installed");
    let mut bins: Vec<PathBuf> = versions.map(|it| it.unwrap().path().join("bin")).collect();
    bins.retain(|bin| bin.join("initdb").exists());
    bins.sort();
    bins.pop().expect("a server of PostgreSQL is installed")
}

/// PostgreSQL refuses to run as root: then it runs as the package's own user.
fn as_its_user(program: &str) -> Vec<String> {
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut argv: Vec<String> = Vec::new();
    if root {
        let user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"];
        argv.extend(user.map(str::to_owned));
        argv.extend(["--pdeathsig", "KILL"].map(str::to_owned));
    }
    argv.push(programs().join(program).display().to_string());
    argv
}

fn run(argv: &[String]) -> Output {
    let out = Command::new(&argv[0]).args(&argv[1..]).current_dir("/").output().unwrap();
    assert!(out.status.success(), "{argv:?}: {out:?}");
    out
}

impl Postgres {
    /// Starts one with an empty database `site`.
    pub fn start() -> Self {
        Self::with(None)
    }

    /// The same, reached by TLS with a certificate for `127.0.0.1` that this authority signs.
    pub fn secure(authority: &Authority) -> Self {
        Self::with(Some(authority))
    }

    fn with(authority: Option<&Authority>) -> Self {
        let ports = Block::take();
        let port = ports.port();
        let dir = Dir::new("postgres");
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let password = dir.write("password", PASSWORD);
        let data = dir.file("data").display().to_string();
        let mut argv = as_its_user("initdb");
        argv.extend(
            ["-D", &data, "-U", "madoguchi", "-E", "UTF8", "--locale=C", "-N"].map(str::to_owned),
        );
        argv.extend(["-A", "scram-sha-256", "--pwfile"].map(str::to_owned));
        argv.push(password.display().to_string());
        run(&argv);
        if let Some(authority) = authority {
            let signed = authority.sign();
            for (name, text) in [("server.crt", &signed.certificate), ("server.key", &signed.key)] {
                // Made by its own user, or the server would not read its key.
                let mut argv = as_its_user("postgres");
                argv.pop();
                argv.extend(
                    ["sh", "-c", "umask 077; cat > \"$0\"", &format!("{data}/{name}")]
                        .map(str::to_owned),
                );
                let mut child = Command::new(&argv[0])
                    .args(&argv[1..])
                    .stdin(std::process::Stdio::piped())
                    .spawn()
                    .unwrap();
                std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes())
                    .unwrap();
                assert!(child.wait().unwrap().success());
            }
        }
        let process = Self::launch(&dir, port, authority.is_some());
        let server = Self { dir, port, process, _ports: ports };
        server.wait();
        server.sql_in("postgres", "CREATE DATABASE site");
        server
    }

    fn launch(dir: &Dir, port: u16, tls: bool) -> Process {
        let mut argv = as_its_user("postgres");
        argv.extend(["-D".to_owned(), dir.file("data").display().to_string()]);
        for setting in [
            format!("port={port}"),
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", dir.path().display()),
            // What a killed process has handed to the system is there all the same.
            "fsync=off".to_owned(),
            format!("ssl={}", if tls { "on" } else { "off" }),
        ] {
            argv.extend(["-c".to_owned(), setting]);
        }
        Process::start("postgres", &argv, std::path::Path::new("/"), dir.file("server.log"))
    }

    fn wait(&self) {
        let there = poll(super::COMES_UP, || {
            let out = self.psql("site", "SELECT 1");
            let out = if out.status.success() { out } else { self.psql("postgres", "SELECT 1") };
            out.status.success().then_some(())
        });
        assert!(there.is_some(), "no answer: {}", self.process.printed());
    }

    /// `kill -9` of all of its processes at once.
    pub fn kill(&mut self) {
        let children = ["-9", "-P", &self.process.pid().to_string()];
        let _ = Command::new("pkill").args(children).status();
        self.process.kill();
    }

    /// Starts it again on the same data.
    pub fn again(&mut self) {
        let tls = self.dir.file("data/server.key").exists();
        for _ in 0..50 {
            self.process = Self::launch(&self.dir, self.port, tls);
            // What is left of the killed one keeps the data for a moment longer.
            let up = poll(super::COMES_UP, || {
                if self.process.ended().is_some() {
                    return Some(false);
                }
                self.psql("site", "SELECT 1").status.success().then_some(true)
            });
            if up == Some(true) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("it does not come back: {}", self.process.printed());
    }

    /// Stops its processes, as a machine that hangs: connections stay open and nobody answers.
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        let children = [signal, "-P", &self.process.pid().to_string()];
        let _ = Command::new("pkill").args(children).status();
        self.process.signal(&signal[1..]);
    }

    /// Where its socket is.
    pub fn directory(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    /// What stands in madoguchi.toml: by this port, which may be that of a relay before it.
    pub fn lines(&self, port: u16) -> String {
        format!(
            "[store.site]\nhost = \"127.0.0.1\"\nport = {port}\ndatabase = \"site\"\nuser = \"madoguchi\"\n\
             password_file = \"{}\"\n",
            self.password_file().display()
        )
    }

    /// A file with the password, for the desk alone.
    pub fn password_file(&self) -> PathBuf {
        let path = self.dir.write("password-of-the-desk", PASSWORD);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn psql(&self, database: &str, text: &str) -> Output {
        Command::new(programs().join("psql"))
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-U",
                "madoguchi",
                "-d",
                database,
            ])
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text])
            .env("PGPASSWORD", PASSWORD)
            .env("PGOPTIONS", "-c search_path=madoguchi")
            .output()
            .expect("psql runs")
    }

    fn sql_in(&self, database: &str, text: &str) -> String {
        let out = self.psql(database, text);
        assert!(out.status.success(), "{text}: {out:?}");
        String::from_utf8(out.stdout).unwrap().trim_end().to_owned()
    }

    /// What `psql` answers, columns with `|` between them.
    #[track_caller]
    pub fn sql(&self, text: &str) -> String {
        self.sql_in("site", text)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Also those that were frozen, which notice no end of their parent.
        self.kill();
    }
}

/// Where the copying stands, as the health page says it.
pub fn site_state(desk: std::net::SocketAddr) -> String {
    let health = http::request(desk, "GET", "/healthz", None, "").unwrap();
    let health: serde_json::Value = serde_json::from_str(&health.body).unwrap();
    health["site_store"].as_str().unwrap_or_default().to_owned()
}
