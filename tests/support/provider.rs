//! An identity provider that nobody here wrote: panva's oidc-provider in Debian's node (tests/oidc).

use super::process::{Dir, Process};
use super::tls::Authority;
use std::path::PathBuf;
use std::process::Command;

/// How often it is begun.
const STARTS: u32 = 3;

/// It runs until this is dropped. Any user comes in there with any password.
pub struct Provider {
    _process: Process,
    dir: Dir,
    /// What it calls itself.
    pub issuer: String,
}

impl Provider {
    /// What one at this port calls itself.
    pub fn issuer(port: u16, by_tls: bool) -> String {
        format!("http{}://localhost:{port}", if by_tls { "s" } else { "" })
    }

    /// Starts it for a desk to whose way back browsers are sent, with a certificate if somebody signs one.
    #[track_caller]
    pub fn start(port: u16, back: &str, authority: Option<&Authority>) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oidc");
        let dir = Dir::new("provider");
        let issuer = Self::issuer(port, authority.is_some());
        let script = folder.join("provider.mjs").display().to_string();
        let mut argv = vec!["node".into(), script, issuer.clone(), port.to_string(), back.into()];
        if let Some(authority) = authority {
            authority.sign_for(&["localhost"]).write(&dir, "provider");
            argv.push(dir.file("provider.pem").display().to_string());
            argv.push(dir.file("provider.key").display().to_string());
        }
        // It once came up as far as its first words and no further, for a minute and a half, on a machine where others of
        // its kind did: what it may need is waited for, and what hangs is begun anew.
        let mut tries = 0..STARTS;
        let process = tries.find_map(|number| {
            let log = dir.file(&format!("provider-{number}.log"));
            let process = Process::start("provider", &argv, &folder, log.clone());
            let heard = || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("listening"));
            super::poll(super::COMES_UP / STARTS, || heard().then_some(())).map(|()| process)
        });
        let process = process.expect("the identity provider listens");
        Self { _process: process, dir, issuer }
    }

    /// How it is to misbehave from now on; `none`: not at all.
    #[track_caller]
    pub fn misbehave(&self, how: &str) {
        let out = Command::new("curl")
            .args(["-sSk", "--max-time", "5", &format!("{}/fault?kind={how}", self.issuer)])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stdout), how, "{:?}", self.dir.path());
    }
}
