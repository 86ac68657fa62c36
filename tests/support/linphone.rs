//! Linphone (Debian: linphone-cli) as a person's softphone: registered, driven by what a person would
//! type, its voice a file, its ears another file.

use super::ports::Block;
use super::process::{Dir, Process};
use super::sound::Sound;
use super::{poll, s};
use std::cell::RefCell;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ChildStdin;
use std::time::Duration;

/// How a Linphone is set up.
pub struct Setup<'a> {
    /// Its account.
    pub user: &'a str,
    /// The account's password.
    pub password: &'a str,
    /// The desk's address for this transport.
    pub desk: SocketAddr,
    /// `udp`, `tcp` or `tls`.
    pub transport: &'a str,
    /// With TLS: the certificate that it trusts.
    pub trusts: Option<&'a Path>,
    /// What it says.
    pub voice: &'a Sound,
    /// Picks up by itself.
    pub answers: bool,
    /// Its encryption of sound: `none`, or `srtp` and no call without.
    pub encryption: &'a str,
}

/// A running linphonec.
pub struct Linphone {
    process: Process,
    keyboard: RefCell<ChildStdin>,
    dir: Dir,
    desk: SocketAddr,
}

impl Linphone {
    /// Starts it and waits until it is registered.
    #[track_caller]
    pub fn start(ports: &Block, setup: &Setup) -> Self {
        let Setup { user, password, desk, transport, .. } = setup;
        let dir = Dir::new(&format!("linphone-{user}"));
        // Without this folder it opens no socket and says nothing of it.
        std::fs::create_dir_all(dir.file(".local/share/linphone")).unwrap();
        setup.voice.write(&dir.file("voice.wav"));
        let (port, tls_port, rtp) = (ports.port(), ports.port(), ports.port());
        let encryption = setup.encryption;
        let mandatory = u8::from(encryption != "none");
        let trusts = setup.trusts.map_or_else(String::new, |file| {
            format!("root_ca={}\nverify_server_certs=1\nverify_server_cn=0\n", file.display())
        });
        dir.write(
            "linphonerc",
            &format!(
                "[sip]\nbind_address=127.0.0.1\nsip_port={port}\nsip_tcp_port={port}\nsip_tls_port={tls_port}\n\
                 guess_hostname=0\ncontact=sip:{user}@127.0.0.1\ndefault_proxy=0\nuse_ipv6=0\n\
                 media_encryption={encryption}\nmedia_encryption_mandatory={mandatory}\n\
                 {trusts}[net]\nfirewall_policy=0\n[rtp]\naudio_rtp_port={rtp}\n[sound]\nechocancellation=0\n\
                 [auth_info_0]\nusername={user}\npasswd={password}\nrealm=desk.example\ndomain=127.0.0.1\n\
                 [proxy_0]\nreg_proxy=<sip:{desk};transport={transport}>\nreg_identity=sip:{user}@{desk}\n\
                 reg_expires=600\nreg_sendregister=1\npublish=0\n[video]\nenabled=0\n"
            ),
        );
        let home = format!("HOME={}", dir.path().display());
        let path = |name: &str| dir.file(name).display().to_string();
        let (log, config) = (path("linphone.log"), path("linphonerc"));
        let (voice, heard) = (path("voice.wav"), path("heard.wav"));
        let mut argv: Vec<String> =
            ["env", &home, "linphonec", "-d", "6", "-l", &log, "-c", &config]
                .map(str::to_owned)
                .to_vec();
        if setup.answers {
            argv.push("-a".to_owned());
        }
        let (process, keyboard) =
            Process::fed("linphonec", &argv, dir.path(), dir.file("screen.log"));
        let phone = Self { process, keyboard: RefCell::new(keyboard), dir, desk: *desk };
        phone.wait("LinphoneRegistrationOk", 1, super::COMES_UP);
        phone.tell("soundcard use files");
        phone.tell(&format!("play {voice}"));
        phone.tell(&format!("record {heard}"));
        phone
    }

    /// Types a line: `call`, `answer`, `pause`, `resume`, `terminate`, or a key to be pressed.
    #[track_caller]
    pub fn tell(&self, line: &str) {
        let mut keyboard = self.keyboard.borrow_mut();
        writeln!(keyboard, "{line}").and_then(|()| keyboard.flush()).expect("it still listens");
    }

    /// Calls a number at the desk.
    #[track_caller]
    pub fn call(&self, number: &str) {
        self.tell(&format!("call sip:{number}@{}", self.desk));
    }

    /// Its own log with every SIP message.
    pub fn log(&self) -> String {
        let log = std::fs::read(self.dir.file("linphone.log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Waits until its log names `what` for the `times`th time.
    #[track_caller]
    pub fn wait(&self, what: &str, times: usize, within: Duration) {
        let found = poll(within, || (self.log().matches(what).count() >= times).then_some(()));
        assert!(
            found.is_some(),
            "no {what} ({times} times) within {within:?} in {}",
            self.dir.path().display()
        );
    }

    /// What it has heard so far.
    pub fn heard(&self) -> Sound {
        // Read past its head: how long it is, is written at the end.
        let bytes = std::fs::read(self.dir.file("heard.wav")).unwrap_or_default();
        let samples = bytes.get(44..).unwrap_or_default().chunks_exact(2);
        Sound(samples.map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect())
    }

    /// Waits until the last second that it heard is of this sound.
    #[track_caller]
    pub fn hears(&self, sound: &Sound, within: Duration) {
        let heard = poll(within, || {
            let heard = self.heard();
            let from = usize::try_from(heard.ms()).unwrap().checked_sub(1000)?;
            // In pieces, since a busy machine leaves out a packet now and then.
            let pieces = [0, 250, 500, 750].map(|at| heard.part(from + at, 250));
            let alike = |piece: &&Sound| piece.loudness() > 300.0 && sound.holds(piece).is_some();
            (pieces.iter().filter(alike).count() >= 2).then_some(())
        });
        let found = || self.heard().find(&sound.part(0, 1000));
        assert!(heard.is_some(), "not heard within {within:?}; nearest {:?}", found());
    }

    /// Unregisters and ends.
    #[track_caller]
    pub fn quit(mut self) -> String {
        self.tell("quit");
        let _ = self.process.wait(s(10));
        self.log()
    }
}
