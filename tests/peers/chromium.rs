//! A browser as a phone: JsSIP in Debian's Chromium, whose microphone is a file. It registers over WebSocket,
//! shows its way by ICE, agrees on keys by DTLS, and both sides hear each other.

use crate::support::desk::{Desk, Setup, password};
use crate::support::ear::Ear;
use crate::support::process::{Dir, Process};
use crate::support::softphone::By;
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, poll, rest, s};
use crate::talk::{Voices, agent};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What the page has sent back.
#[derive(Default)]
struct Told {
    lines: Vec<String>,
    heard: Vec<i16>,
}

struct Browser {
    _process: Process,
    _dir: Dir,
    told: Arc<Mutex<Told>>,
}

impl Browser {
    /// Opens the page: it registers at `url` as `user`, calls `call` when that is not empty, and answers
    /// whatever comes.
    fn open(desk: &Desk, url: &str, user: &str, call: &str, voice: &Sound) -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jssip");
        let dir = Dir::new(&format!("chromium-{user}"));
        let (bundle, wav) = (dir.file("phone.js"), dir.file("voice.wav"));
        let made = std::process::Command::new(here.join("node_modules/.bin/esbuild"))
            .args(["browser.mjs", "--bundle", "--format=iife", "--log-level=error"])
            .arg(format!("--outfile={}", bundle.display()))
            .current_dir(&here)
            .status();
        assert!(
            made.is_ok_and(|made| made.success()),
            "esbuild is not installed: (cd tests/jssip && npm ci --ignore-scripts), as scripts/test does"
        );
        voice.write(&wav);
        let told = Arc::new(Mutex::new(Told::default()));
        let pages = TcpListener::bind("127.0.0.1:0").unwrap();
        let page = pages.local_addr().unwrap();
        let (script, into) = (std::fs::read(&bundle).unwrap(), Arc::clone(&told));
        std::thread::spawn(move || {
            for stream in pages.incoming().flatten() {
                let (script, into) = (script.clone(), Arc::clone(&into));
                std::thread::spawn(move || serve(stream, &script, &into));
            }
        });
        let password = password(user);
        let home = dir.path().display();
        let argv = [
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--autoplay-policy=no-user-gesture-required",
            // The desk's certificate is of an authority of the test's own.
            "--ignore-certificate-errors",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            "--allow-loopback-in-peer-connection",
            &format!("--use-file-for-fake-audio-capture={}", wav.display()),
            &format!("--user-data-dir={home}/profile"),
            &format!("http://{page}/#url={url}&user={user}&password={password}&call={call}"),
        ];
        let argv = argv.map(str::to_owned);
        let log = desk.dir().file(&format!("chromium-{user}.log"));
        let process = Process::start("chromium", &argv, dir.path(), log);
        let browser = Self { _process: process, _dir: dir, told };
        browser.says("registered");
        browser
    }

    #[track_caller]
    fn says(&self, line: &str) {
        let said = || self.told.lock().unwrap().lines.clone();
        let found = poll(s(30), || said().iter().any(|had| had == line).then_some(()));
        assert!(found.is_some(), "no {line:?}: {:?}", said());
    }

    /// Waits until what it has heard holds this voice.
    #[track_caller]
    fn hears(&self, voice: &Sound) {
        let heard = || Sound(self.told.lock().unwrap().heard.clone());
        let found = poll(s(20), || {
            let heard = heard();
            (heard.ms() > 1500)
                .then(|| last(&heard))
                .and_then(|piece| voice.holds(&piece).map(|_| ()))
        });
        let heard = heard();
        assert!(found.is_some(), "{} ms heard, {:?}", heard.ms(), voice.find(&last(&heard)));
    }
}

/// A piece from shortly before the end.
fn last(heard: &Sound) -> Sound {
    heard.part(usize::try_from(heard.ms() - 1000).unwrap_or(0), 700)
}

/// One request of the page's.
fn serve(mut stream: TcpStream, script: &[u8], told: &Mutex<Told>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let page =
        b"<!doctype html><meta charset=utf-8><title>phone</title><script src=/phone.js></script>";
    let (kind, answer): (_, &[u8]) = match first.split(' ').nth(1)? {
        "/said" => {
            told.lock().unwrap().lines.push(String::from_utf8_lossy(&body).into_owned());
            ("text/plain", b"")
        }
        "/heard" => {
            let samples = body.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
            told.lock().unwrap().heard.extend(samples);
            ("text/plain", b"")
        }
        "/phone.js" => ("text/javascript", script),
        _ => ("text/html", page),
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(answer).ok()
}

/// A desk at which this account's phone is a browser.
fn desk(browser: &str) -> Desk {
    let more = format!("[[accounts.rules]]\naccounts = \"{browser}\"\nencryption = \"dtls\"\n");
    Desk::with(&Setup { secure: true, more: &more, ..Setup::default() })
}

#[test]
fn a_browser_calls_the_desk_and_talks_with_an_agent_at_a_softphone() {
    let desk = desk("6002");
    let voices = Voices::new(301);
    let softphone = agent(&desk, &voices, &By::default());
    let his = Sound::voice(303, 30);
    let url = format!("wss://{}/", desk.secure[2]);
    let browser = Browser::open(&desk, &url, "6002", "0312340020", &his);
    browser.says("confirmed");
    browser.says("connection connected");
    browser.hears(voices.hers());
    // Our reports, as the browser understands them: the way there and back, nothing lost, and what we send.
    for stats in ["stats trip", "stats lost", "stats sends"] {
        browser.says(stats);
    }
    // A browser reports every 2.5 to 7.5 s, and the way there and back is known from its first report after
    // ours.
    rest(9_000);
    softphone.tell("hangup", "");
    browser.says("ended remote");
    let heard = poll(s(5), || softphone.heard().last().cloned().filter(|heard| heard.ms() > 1500));
    let heard = heard.expect("a recording of what the agent heard");
    let pieces = (0..12).map(|n| heard.part(n * 350, 600));
    let found = pieces.filter(|piece| piece.loudness() > 300.0 && his.holds(piece).is_some());
    assert!(found.count() >= 1, "the agent hears the browser's microphone");
    assert_eq!(desk.outcome("6002"), "answered");
    let told = || {
        let call = desk.call_of("6002")?;
        let legs = call["sound"].as_array()?.clone();
        legs.into_iter().find(|leg| leg["side"] == "caller" && leg["measured"]["last"] == true)
    };
    let browsers = poll(s(3), told).expect("how the browser's leg sounded");
    assert!(browsers["measured"]["round_trip_ms"].is_u64(), "{browsers:#}");
    assert_eq!(browsers["faults"].as_array().map(Vec::len), Some(0), "{browsers:#}");
    desk.at_rest(s(5));
}

#[test]
fn a_browser_takes_a_desk_call_as_an_agent_and_both_hear_each_other() {
    let desk = desk("6001");
    let (his, hers) = (Sound::voice(305, 30), Sound::voice(306, 30));
    let url = format!("wss://{}/", desk.secure[2]);
    let browser = Browser::open(&desk, &url, "6001", "", &hers);
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 9000).start();
    let port: u16 = caller.wait(1, "answered", s(20)).parse().unwrap();
    browser.says("rung");
    ear.say(&his, Law::Mu, port);
    browser.says("confirmed");
    browser.says("connection connected");
    browser.hears(&his);
    eventually("the caller hears the browser's microphone", s(10), || {
        let heard = ear.heard();
        heard.ms() > 2000 && hers.holds(&last(&heard)).is_some()
    });
    let caller = caller.done();
    assert!(caller.calls[&1].has("hung_up"), "{:?}", caller.calls);
    browser.says("ended remote");
    assert_eq!(desk.outcome("031234561"), "answered");
    desk.at_rest(s(5));
}
