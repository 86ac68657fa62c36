//! Walks a history's chain from its first entry to its last and says where it does not hold.
//!
//! After a break it goes on from the hash that is written there, so that one change is told once and
//! not at every entry behind it. Knows neither file nor words for people.

use super::chain::{self, Hash, Unsealable};
use crate::base::Wall;
use serde_json::{Map, Value};

/// Breaks that are kept with all they say; the rest is counted.
pub const MOST_BREAKS: usize = 100;

/// An entry as it lies in a store or an exported file, however damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its place.
    pub seq: i64,
    /// When.
    pub at: Wall,
    /// The version of its shape.
    pub v: i64,
    /// The fact, or why it cannot be read.
    pub body: Result<Map<String, Value>, Unsealable>,
    /// Under which call the store has filed it; none when this comes from no store.
    pub filed_under: Option<Option<String>>,
    /// Its hash; whatever length it has.
    pub hash: Option<Vec<u8>>,
    /// What hides its texts.
    pub salt: Option<Vec<u8>>,
    /// The hash of the entry before it, when that was left out.
    pub before: Option<Hash>,
}

/// A place in the history and the hash that was told of it at another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Which entry.
    pub seq: i64,
    /// Its hash.
    pub hash: Hash,
}

/// One place where the chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// At which entry; none when the line is no entry.
    pub seq: Option<i64>,
    /// In which line of the file.
    pub line: Option<u64>,
    /// What is wrong.
    pub what: Damage,
}

/// What is wrong at a break. Hashes stand as they were found: they may have any length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The entry is not the one that was written.
    Changed {
        /// The hash beside it.
        found: String,
        /// The one that it has.
        due: Hash,
    },
    /// Entries before it are gone (or were never there, and it was changed).
    Missing {
        /// The first of them.
        from: i64,
        /// The last.
        to: i64,
        /// The hash beside the entry that follows.
        found: String,
        /// The one that it has without them.
        due: Hash,
    },
    /// It stands behind a later one.
    OutOfOrder {
        /// Behind which.
        after: i64,
    },
    /// It is there twice.
    Doubled,
    /// No hash stands beside it.
    NoHash {
        /// The one that is due.
        due: Option<Hash>,
    },
    /// It has no form that could be hashed.
    Unsealable(Unsealable),
    /// A salt stands beside it that hides nothing.
    SaltUndue,
    /// The store has filed it under another call than its own.
    FiledWrong {
        /// Under which.
        found: Option<String>,
        /// Its own.
        due: Option<String>,
    },
    /// Its hash is not the one that was told of it at another time.
    NotAnchored {
        /// The hash beside it.
        found: String,
        /// The one that was told.
        due: Hash,
    },
    /// An entry whose hash was told at another time is not there; the history may end too early.
    AnchorMissing {
        /// The last that is there.
        last: i64,
    },
    /// The line is no entry.
    NoEntry(super::LineError),
}

/// A walk along a chain.
#[derive(Debug)]
pub struct Proof {
    before: Hash,
    anchors: Vec<Anchor>,
    proved: Proved,
}

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proved {
    /// Entries that were seen.
    pub entries: u64,
    /// The first.
    pub first: Option<(i64, Wall)>,
    /// The last, and the hash beside it.
    pub last: Option<(i64, Wall, Option<Hash>)>,
    /// Places that the store never filled: entries lost while the disk was away.
    pub holes: u64,
    /// Where entries were left out of an exported part.
    pub left_out: u64,
    /// Texts of persons that were erased.
    pub erased: u64,
    /// The first breaks in order, at most [`MOST_BREAKS`].
    pub breaks: Vec<Break>,
    /// How many there are.
    pub broken: u64,
}

impl Proof {
    /// Of a history that is for `kind`; these hashes of it are known.
    #[must_use]
    pub fn new(kind: &str, anchors: Vec<Anchor>) -> Self {
        Self { before: Hash::first(kind), anchors, proved: Proved::default() }
    }

    /// What was found so far.
    #[must_use]
    pub fn so_far(&self) -> &Proved {
        &self.proved
    }

    /// A line that is no entry.
    pub fn no_entry(&mut self, line: u64, why: super::LineError) {
        self.broken(None, Some(line), Damage::NoEntry(why));
    }

    /// The next entry; `line` is where it stands in a file.
    pub fn link(&mut self, link: &Link, line: Option<u64>) {
        let seq = link.seq;
        let last = self.proved.last.map(|(seq, ..)| seq);
        self.proved.entries += 1;
        match last {
            Some(last) if seq == last => return self.broken(Some(seq), line, Damage::Doubled),
            Some(after) if seq < after => {
                return self.broken(Some(seq), line, Damage::OutOfOrder { after });
            }
            _ => {}
        }
        let next = last.unwrap_or(0).saturating_add(1);
        // A part may leave out what is not its own, but not contradict what stands beside.
        let left_out = link.before.filter(|_| seq != next || last.is_none());
        if left_out.is_some_and(|before| before != self.before) {
            self.proved.left_out += 1;
        }
        let before = left_out.unwrap_or(self.before);
        let (damage, due) = judge(link, before, next);
        if damage.is_none() && left_out.is_none() {
            self.proved.holes += u64::try_from(seq.saturating_sub(next)).unwrap_or(0);
        }
        let hash = link.hash.clone().and_then(|it| it.try_into().ok()).map(Hash);
        let fits = link.before.is_none_or(|told| told == before);
        for damage in damage.into_iter().chain(beside(link)) {
            self.broken(Some(seq), line, damage);
        }
        if !fits && let Some(due) = due {
            let found = link.before.map_or_else(String::new, |told| told.to_string());
            self.broken(Some(seq), line, Damage::Changed { found, due });
        }
        for anchor in self.anchors.extract_if(.., |anchor| anchor.seq == seq).collect::<Vec<_>>() {
            if hash != Some(anchor.hash) {
                let what = Damage::NotAnchored { found: shown(link), due: anchor.hash };
                self.broken(Some(seq), line, what);
            }
        }
        if let Ok(body) = &link.body {
            let erased = chain::texts(body).filter(|(_, text)| chain::is_erased(text)).count();
            self.proved.erased += u64::try_from(erased).unwrap_or(u64::MAX);
        }
        self.before = hash.or(due).unwrap_or(before);
        self.proved.first.get_or_insert((seq, link.at));
        self.proved.last = Some((seq, link.at, hash));
    }

    /// What was found, when no more entries come.
    #[must_use]
    pub fn finish(mut self) -> Proved {
        let last = self.proved.last.map_or(0, |(seq, ..)| seq);
        for anchor in std::mem::take(&mut self.anchors) {
            self.broken(Some(anchor.seq), None, Damage::AnchorMissing { last });
        }
        self.proved
    }

    fn broken(&mut self, seq: Option<i64>, line: Option<u64>, what: Damage) {
        self.proved.broken += 1;
        if self.proved.breaks.len() < MOST_BREAKS {
            self.proved.breaks.push(Break { seq, line, what });
        }
    }
}

/// What is wrong with the entry's hash, and the one that is due behind `before`. `next` is the place
/// that follows the last entry's.
fn judge(link: &Link, before: Hash, next: i64) -> (Option<Damage>, Option<Hash>) {
    let sealed = link
        .body
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|body| chain::seal(link.seq, link.at, link.v, body, link.salt.as_deref()));
    let due = match sealed {
        Ok(sealed) => before.then(&sealed),
        Err(why) => return (Some(Damage::Unsealable(why)), None),
    };
    let damage = match &link.hash {
        None => Some(Damage::NoHash { due: Some(due) }),
        Some(found) if found.as_slice() == due.0.as_slice() => None,
        Some(_) if link.seq > next && link.before.is_none() => {
            let to = link.seq.saturating_sub(1);
            Some(Damage::Missing { from: next, to, found: shown(link), due })
        }
        Some(_) => Some(Damage::Changed { found: shown(link), due }),
    };
    (damage, Some(due))
}

/// What is wrong with what stands beside the entry and is not in its hash.
fn beside(link: &Link) -> impl Iterator<Item = Damage> + '_ {
    let body = link.body.as_ref().ok();
    let undue = body.is_some_and(|body| link.salt.is_some() && !chain::is_private(body));
    let filed = link.filed_under.as_ref().zip(body).and_then(|(found, body)| {
        let due = body.get("call").and_then(Value::as_str);
        let wrong = found.as_deref() != due;
        wrong.then(|| Damage::FiledWrong { found: found.clone(), due: due.map(str::to_owned) })
    });
    undue.then_some(Damage::SaltUndue).into_iter().chain(filed)
}

fn shown(link: &Link) -> String {
    link.hash.as_deref().map(crate::base::hex).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: [u8; 16] = [9; 16];

    /// Seven entries with their hashes; the third and the sixth have a caller's number.
    fn history() -> Vec<Link> {
        let mut before = Hash::first("service");
        let made = |seq: i64| {
            let text = if seq % 3 == 0 {
                format!(
                    r#"{{"of":"placed","call":"c{seq}","event":{{"kind":"dialled","number":"0{seq}"}}}}"#
                )
            } else {
                format!(r#"{{"of":"agent","agent":"200{seq}","event":{{"kind":"idle"}}}}"#)
            };
            let body = chain::body(&text);
            let salt = (seq % 3 == 0).then(|| SALT.to_vec());
            let sealed =
                chain::seal(seq, Wall(seq * 10), 1, body.as_ref().unwrap(), salt.as_deref());
            before = before.then(&sealed.unwrap());
            let call =
                body.as_ref().unwrap().get("call").and_then(Value::as_str).map(str::to_owned);
            Link {
                seq,
                at: Wall(seq * 10),
                v: 1,
                body,
                filed_under: Some(call),
                hash: Some(before.0.to_vec()),
                salt,
                before: None,
            }
        };
        (1..=7).map(made).collect()
    }

    fn walk(links: &[Link], anchors: Vec<Anchor>) -> Proved {
        let mut proof = Proof::new("service", anchors);
        for link in links {
            proof.link(link, None);
        }
        proof.finish()
    }

    fn hash(link: &Link) -> Hash {
        Hash(link.hash.clone().unwrap().try_into().unwrap())
    }

    #[test]
    fn a_whole_history_is_whole() {
        let links = history();
        let proved = walk(&links, vec![Anchor { seq: 4, hash: hash(&links[3]) }]);
        let due = Proved {
            entries: 7,
            first: Some((1, Wall(10))),
            last: Some((7, Wall(70), Some(hash(&links[6])))),
            ..Proved::default()
        };
        assert_eq!(proved, due);
        assert_eq!(walk(&[], vec![]), Proved::default());
        // Of the other kind, not one is the history's first.
        let mut other = Proof::new("demonstration", vec![]);
        other.link(&links[0], None);
        assert_eq!(other.finish().broken, 1);
    }

    fn put(link: &mut Link, field: &str, value: &str) {
        link.body.as_mut().unwrap().insert(field.to_owned(), value.into());
    }

    #[test]
    fn every_damage_is_told_where_it_is() {
        type Deed = fn(&mut Vec<Link>);
        type Told = &'static [(i64, &'static str)];
        // What was done, and at which entries what is told.
        let table: &[(&str, Deed, Told)] = &[
            ("a body changed", |it| put(&mut it[3], "agent", "9"), &[(4, "Changed")]),
            ("a time changed", |it| it[3].at = Wall(41), &[(4, "Changed")]),
            ("a version changed", |it| it[3].v = 2, &[(4, "Changed")]),
            (
                "a hash changed",
                |it| it[3].hash = Some(vec![1; 32]),
                &[(4, "Changed"), (5, "Changed")],
            ),
            ("a hash cut", |it| it[3].hash.as_mut().unwrap().truncate(31), &[(4, "Changed")]),
            ("a hash gone", |it| it[3].hash = None, &[(4, "NoHash")]),
            ("a salt changed", |it| it[2].salt = Some(vec![8; 16]), &[(3, "Changed")]),
            ("a salt gone", |it| it[2].salt = None, &[(3, "Unsealable")]),
            ("a salt too much", |it| it[3].salt = Some(vec![8; 16]), &[(4, "SaltUndue")]),
            ("one gone", |it| drop(it.remove(3)), &[(5, "Missing")]),
            ("the first gone", |it| drop(it.remove(0)), &[(2, "Missing")]),
            ("two doubled", |it| it.insert(4, it[3].clone()), &[(4, "Doubled")]),
            ("two swapped", |it| it.swap(3, 4), &[(5, "Missing"), (4, "OutOfOrder")]),
            (
                "two bodies swapped",
                |it| {
                    let other = it[4].body.clone();
                    it[4].body = std::mem::replace(&mut it[3].body, other);
                },
                &[(4, "Changed"), (5, "Changed")],
            ),
            (
                "one put between",
                |it| {
                    let mut more = it[3].clone();
                    more.body = chain::body(r#"{"of":"desk"}"#);
                    it.insert(3, more);
                    (0_i64..).zip(it.iter_mut()).for_each(|(n, link)| link.seq = n + 1);
                },
                // From there on, all have another place.
                &[(4, "Changed"), (5, "Changed"), (6, "Changed"), (7, "Changed"), (8, "Changed")],
            ),
            ("filed elsewhere", |it| it[2].filed_under = Some(None), &[(3, "FiledWrong")]),
            ("broken", |it| it[3].body = chain::body("{"), &[(4, "Unsealable")]),
            ("a contradiction", |it| it[3].before = Some(Hash([1; 32])), &[(4, "Changed")]),
        ];
        for (what, deed, due) in table {
            let mut links = history();
            deed(&mut links);
            let proved = walk(&links, vec![]);
            let told: Vec<(i64, String)> = proved
                .breaks
                .iter()
                .map(|it| {
                    let name = format!("{:?}", it.what);
                    (it.seq.unwrap(), name.split([' ', '(']).next().unwrap().to_owned())
                })
                .collect();
            let due: Vec<(i64, String)> =
                due.iter().map(|(seq, name)| (*seq, (*name).to_owned())).collect();
            assert_eq!(told, due, "{what}");
            assert_eq!(proved.broken, u64::try_from(due.len()).unwrap(), "{what}");
        }
    }

    #[test]
    fn what_was_never_written_is_a_hole_and_no_break() {
        let mut links = history();
        links.retain(|link| link.seq != 4);
        let mut before = Hash::first("service");
        for link in &mut links {
            let body = link.body.as_ref().unwrap();
            let sealed = chain::seal(link.seq, link.at, link.v, body, link.salt.as_deref());
            before = before.then(&sealed.unwrap());
            link.hash = Some(before.0.to_vec());
        }
        let proved = walk(&links, vec![]);
        assert_eq!((proved.broken, proved.holes, proved.entries), (0, 1, 6));
    }

    #[test]
    fn a_part_is_checked_by_the_hashes_that_stand_before_it() {
        let links = history();
        let part = |seqs: &[usize]| -> Vec<Link> {
            let with = |seq: &usize| {
                let mut link = links[*seq - 1].clone();
                link.before = (*seq > 1).then(|| hash(&links[*seq - 2]));
                link
            };
            seqs.iter().map(with).collect()
        };
        let proved = walk(&part(&[2, 3, 6]), vec![]);
        assert_eq!((proved.broken, proved.left_out, proved.holes), (0, 2, 0), "{proved:?}");
        let mut changed = part(&[2, 3, 6]);
        changed[2].at = Wall(0);
        assert_eq!(walk(&changed, vec![]).breaks[0].seq, Some(6));
        let mut gone = part(&[2, 3, 6]);
        gone[2].before = None;
        assert!(matches!(
            walk(&gone, vec![]).breaks[0].what,
            Damage::Missing { from: 4, to: 5, .. }
        ));
    }

    #[test]
    fn a_history_that_was_cut_is_seen_by_what_was_told_before() {
        let links = history();
        let told = |seq: i64, link: usize| vec![Anchor { seq, hash: hash(&links[link]) }];
        assert_eq!(walk(&links[..5], vec![]).broken, 0, "the chain alone cannot tell");
        let proved = walk(&links[..5], told(7, 6));
        assert_eq!((proved.broken, proved.breaks[0].seq), (1, Some(7)));
        assert_eq!(proved.breaks[0].what, Damage::AnchorMissing { last: 5 });
        let proved = walk(&links, told(6, 6));
        assert!(matches!(
            proved.breaks[..],
            [Break { seq: Some(6), what: Damage::NotAnchored { .. }, .. }]
        ));
    }

    #[test]
    fn erased_texts_are_counted_and_no_break() {
        let mut links = history();
        for link in &mut links {
            let erased = chain::erase(link.body.as_mut().unwrap(), link.salt.take().as_deref());
            assert!(erased.is_ok());
        }
        let proved = walk(&links, vec![]);
        assert_eq!((proved.broken, proved.erased), (0, 2));
    }
}
