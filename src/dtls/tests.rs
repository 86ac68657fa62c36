//! Both sides of a handshake over a way that loses, repeats and overtakes, under virtual time.

use super::*;
use crate::base::{Mono, Rng};
use crate::srtp::{Keys, Suite};
use std::time::{Duration, Instant};

struct Side {
    handshake: Handshake,
    keys: Option<Keys>,
    failed: Option<Failure>,
}

/// Takes what one side says; returns what goes on the way.
fn said(side: &mut Side, out: &mut Vec<Output>) -> Vec<Vec<u8>> {
    let mut sent = Vec::new();
    for output in out.drain(..) {
        match output {
            Output::Send(datagram) => sent.push(datagram),
            Output::Keys(keys) => assert_eq!(side.keys.replace(*keys), None, "once"),
            Output::Failed(failure) => assert_eq!(side.failed.replace(failure), None, "once"),
            Output::Closed => panic!("nobody closed"),
        }
    }
    sent
}

struct World {
    now: Mono,
    sides: [Side; 2],
    /// When it arrives, where, what.
    way: Vec<(Mono, usize, Vec<u8>)>,
}

impl World {
    fn new(
        expected: [Vec<Fingerprint>; 2],
        identities: [&Identity; 2],
        suites: [&[Suite]; 2],
    ) -> Self {
        let mut way = Vec::new();
        let [one, two] = expected;
        let mut sides = Vec::new();
        for (at, (role, expected)) in
            [(Role::Client, one), (Role::Server, two)].into_iter().enumerate()
        {
            let mut out = Vec::new();
            let handshake =
                Handshake::begin(identities[at], role, expected, suites[at], Mono(5), &mut out);
            let mut side = Side { handshake, keys: None, failed: None };
            way.extend(said(&mut side, &mut out).into_iter().map(|sent| (Mono(5), 1 - at, sent)));
            sides.push(side);
        }
        let sides = sides.try_into().ok().unwrap();
        Self { now: Mono(5), sides, way }
    }

    fn step(&mut self, mut fate: impl FnMut() -> Fate) -> bool {
        let arrives = self.way.iter().map(|(at, ..)| *at).min();
        let due = self.sides.iter().filter_map(|side| side.handshake.deadline()).min();
        let Some(next) = arrives.into_iter().chain(due).min() else { return false };
        self.now = self.now.max(next);
        let mut out = Vec::new();
        let mut new = Vec::new();
        if let Some(at) = self.way.iter().position(|(at, ..)| *at <= self.now) {
            let (_, to, bytes) = self.way.remove(at);
            self.sides[to].handshake.datagram(&bytes, self.now, &mut out);
            new.extend(said(&mut self.sides[to], &mut out).into_iter().map(|sent| (1 - to, sent)));
        } else {
            for (at, side) in self.sides.iter_mut().enumerate() {
                side.handshake.tick(self.now, &mut out);
                new.extend(said(side, &mut out).into_iter().map(|sent| (1 - at, sent)));
            }
        }
        for (to, bytes) in new {
            let Fate { copies, delay_ms } = fate();
            for copy in 0..copies {
                let delay = Duration::from_millis(delay_ms * (copy + 1));
                self.way.push((self.now + delay, to, bytes.clone()));
            }
        }
        true
    }

    fn run(&mut self, mut fate: impl FnMut() -> Fate) {
        let mut steps = 0;
        while self.step(&mut fate) {
            steps += 1;
            assert!(steps < 5000, "it ends");
        }
    }
}

struct Fate {
    copies: u64,
    delay_ms: u64,
}

const SOUND: Fate = Fate { copies: 1, delay_ms: 1 };
const ALL: [Suite; 4] = [Suite::Aes128Gcm, Suite::Aes256Gcm, Suite::Aes128Cm80, Suite::Aes128Cm32];

fn two() -> [Identity; 2] {
    [0, 1].map(|_| Identity::new(Instant::now()).unwrap())
}

fn right(identities: &[Identity; 2]) -> [Vec<Fingerprint>; 2] {
    [1, 0].map(|at| vec![identities[at].fingerprint().clone()])
}

fn assert_same_keys(world: &World) {
    let [client, server] = world.sides.each_ref().map(|side| side.keys.as_ref());
    let (client, server) = (client.expect("client's keys"), server.expect("server's keys"));
    assert_eq!((&client.ours, &client.theirs), (&server.theirs, &server.ours));
    assert_ne!(client.ours, client.theirs);
}

#[test]
fn both_sides_get_the_same_keys_for_each_suite() {
    let identities = two();
    for suite in ALL {
        let mut world = World::new(right(&identities), identities.each_ref(), [&[suite], &ALL]);
        world.run(|| SOUND);
        assert_same_keys(&world);
        assert_eq!(world.sides[0].keys.as_ref().unwrap().ours.suite(), suite);
        assert!(world.now < Mono::ZERO + Duration::from_secs(1));
    }
}

#[test]
fn a_certificate_that_is_not_in_the_sdp_is_not_believed_by_either_side() {
    let identities = two();
    for wrong in [0, 1] {
        let mut expected = right(&identities);
        expected[wrong] = vec![Fingerprint::of(b"another's")];
        let mut world = World::new(expected, identities.each_ref(), [&ALL, &ALL]);
        world.run(|| SOUND);
        assert_eq!(world.sides[wrong].failed, Some(Failure::Fingerprint), "side {wrong}");
        assert_eq!(world.sides[wrong].keys, None);
        assert_eq!(world.sides[1 - wrong].keys, None, "the other is told, and hears nothing");
    }
    // One of several is enough (RFC 8122 §5).
    let mut expected = right(&identities);
    expected[0].insert(0, Fingerprint::of(b"another's"));
    let mut world = World::new(expected, identities.each_ref(), [&ALL, &ALL]);
    world.run(|| SOUND);
    assert_same_keys(&world);
}

#[test]
fn without_a_suite_in_common_there_are_no_keys() {
    let identities = two();
    let suites: [&[Suite]; 2] = [&[Suite::Aes128Gcm], &[Suite::Aes128Cm80]];
    let mut world = World::new(right(&identities), identities.each_ref(), suites);
    world.run(|| SOUND);
    assert_eq!(world.sides[1].failed, Some(Failure::NoSuite));
    assert!(world.sides.iter().all(|side| side.keys.is_none()));
    // What has no number in DTLS cannot be asked for.
    let mut out = Vec::new();
    let none = [Suite::Aes256Cm80];
    let made = Handshake::begin(&identities[0], Role::Client, vec![], &none, Mono(0), &mut out);
    assert_eq!((out, made.deadline()), (vec![Output::Failed(Failure::NoSuite)], None));
}

#[test]
fn who_never_answers_is_given_up_after_ten_seconds() {
    let identities = two();
    let mut world = World::new(right(&identities), identities.each_ref(), [&ALL, &ALL]);
    world.way.clear();
    let mut hellos = 0;
    world.run(|| {
        hellos += 1;
        Fate { copies: 0, delay_ms: 0 }
    });
    assert!((5..10).contains(&hellos), "the hello is said again each second: {hellos}");
    for side in &world.sides {
        assert_eq!((side.failed, side.keys.is_none()), (Some(Failure::Late), true));
    }
    assert_eq!(world.now, Mono(5) + MOST_TIME);
}

#[test]
fn lost_repeated_and_overtaken_flights_come_through() {
    let identities = two();
    let mut done = 0;
    for seed in 0..200 {
        let mut rng = Rng::from_number(seed);
        let mut world = World::new(right(&identities), identities.each_ref(), [&ALL, &ALL]);
        let mut lost = 0;
        world.run(|| {
            let delay_ms = 1 + rng.below(300);
            match rng.below(5) {
                0 if lost < 3 => {
                    lost += 1;
                    Fate { copies: 0, delay_ms }
                }
                1 => Fate { copies: 2, delay_ms },
                _ => Fate { copies: 1, delay_ms },
            }
        });
        if world.sides.iter().all(|side| side.keys.is_some()) {
            assert_same_keys(&world);
            done += 1;
        } else {
            eprintln!("seed {seed}: {:?}", world.sides.each_ref().map(|side| side.failed));
        }
    }
    assert_eq!(done, 200);
}

#[test]
fn what_is_garbage_is_passed_over_and_the_handshake_goes_on() {
    let identities = two();
    let mut world = World::new(right(&identities), identities.each_ref(), [&ALL, &ALL]);
    let mut rng = Rng::from_number(3);
    let mut out = Vec::new();
    for _ in 0..50 {
        let mut noise: Vec<u8> = (0..rng.below(200)).map(|_| rng.bits().to_le_bytes()[0]).collect();
        if let Some(first) = noise.first_mut() {
            *first = 20 + *first % 44;
        }
        for side in &mut world.sides {
            side.handshake.datagram(&noise, Mono(6), &mut out);
        }
    }
    assert_eq!(out, vec![]);
    world.run(|| SOUND);
    assert_same_keys(&world);
}

#[test]
fn a_goodbye_ends_the_association_on_the_other_side() {
    let identities = two();
    let mut world = World::new(right(&identities), identities.each_ref(), [&ALL, &ALL]);
    world.run(|| SOUND);
    let (mut out, mut heard) = (Vec::new(), Vec::new());
    world.sides[0].handshake.close(world.now, &mut out);
    let [Output::Send(goodbye)] = &out[..] else { panic!("{out:?}") };
    // A forged one, in clear, does nothing.
    let forged = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 1, 0];
    world.sides[1].handshake.datagram(&forged, world.now, &mut heard);
    assert_eq!(heard, vec![]);
    world.sides[1].handshake.datagram(goodbye, world.now, &mut heard);
    assert!(heard.contains(&Output::Closed), "{heard:?}");
    heard.clear();
    world.sides[1].handshake.datagram(goodbye, world.now, &mut heard);
    world.sides[0].handshake.datagram(goodbye, world.now, &mut heard);
    assert_eq!(heard, vec![]);
}

#[test]
fn what_is_dtls_is_told_by_its_first_byte() {
    for (first, want) in
        [(0, false), (19, false), (20, true), (22, true), (63, true), (64, false), (0x80, false)]
    {
        assert_eq!(is_dtls(&[first, 0]), want, "{first}");
    }
    assert!(!is_dtls(&[]));
}

#[test]
fn a_handshake_may_be_passed_between_threads_and_an_identity_shared() {
    const fn passed<T: Send>() {}
    const fn shared<T: Send + Sync>() {}
    passed::<Handshake>();
    shared::<Identity>();
}
