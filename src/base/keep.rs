//! The state of a fold as bytes, so that a start can go on from it instead of from the first entry.
//!
//! Each type writes all that it is and reads the same again. A struct is listed field by field
//! ([`kept!`](crate::base::kept)): one that is forgotten does not compile. The forms are known to one build
//! of the program only, and nobody else reads them: no names, no versions. What pages and the API show is
//! another form of the same things and changes for other reasons, which is why it is not used here.

use super::{
    AdHoc, AgentId, BoxId, CallId, CallbackId, EntryId, GroupId, Language, MenuId, Number, Private,
    PromptId, SurveyId, TargetId, TrunkId, Wall,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What can be kept.
pub trait Keep: Sized {
    /// Writes it behind what is there.
    fn keep(&self, out: &mut Vec<u8>);

    /// Reads what [`Keep::keep`] wrote; none when that is not what stands there.
    fn found(from: &mut Kept<'_>) -> Option<Self>;
}

/// Bytes that are read from their beginning on.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a>(&'a [u8]);

impl<'a> Kept<'a> {
    /// Reads these.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next so many; none when there are fewer.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// How many are left.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.0.len()
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            number |= bits.checked_shl(shift).filter(|it| it >> shift == bits)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// How many elements follow; each has a byte at least, so no more than there are bytes.
    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|count| *count <= self.left())
    }
}

/// Seven bits a byte, the lowest first.
fn number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or(0));
}

fn count(of: usize, out: &mut Vec<u8>) {
    number(u64::try_from(of).unwrap_or(u64::MAX), out);
}

/// As JSON: for what is read from JSON anyway and is here seldom.
pub fn keep_json(value: &impl Serialize, out: &mut Vec<u8>) {
    // What cannot be written reads back as nothing, and the snapshot is not used.
    serde_json::to_vec(value).unwrap_or_default().keep(out);
}

/// What [`keep_json`] wrote.
pub fn found_json<T: DeserializeOwned>(from: &mut Kept<'_>) -> Option<T> {
    let count = from.count()?;
    serde_json::from_slice(from.take(count)?).ok()
}

/// Says how a type is kept: `struct` by all its fields, `enum` (of bare variants, `Copy`) by all of
/// them, `newtype` by what is in it, `json` as in the history.
macro_rules! kept {
    (struct $name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::base::Keep for $name {
            fn keep(&self, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $($crate::base::Keep::keep($field, out);)*
            }

            fn found(from: &mut $crate::base::Kept<'_>) -> Option<Self> {
                Some(Self { $($field: $crate::base::Keep::found(from)?),* })
            }
        }
    };
    (enum $name:ident { $($variant:ident),* $(,)? }) => {
        impl $crate::base::Keep for $name {
            fn keep(&self, out: &mut Vec<u8>) {
                match self { $(Self::$variant => {})* } // all of them
                let place = [$(Self::$variant),*].iter().position(|it| it == self);
                out.push(place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX));
            }

            fn found(from: &mut $crate::base::Kept<'_>) -> Option<Self> {
                let place: u8 = $crate::base::Keep::found(from)?;
                [$(Self::$variant),*].get(usize::from(place)).copied()
            }
        }
    };
    (newtype $name:ident) => {
        impl $crate::base::Keep for $name {
            fn keep(&self, out: &mut Vec<u8>) {
                $crate::base::Keep::keep(&self.0, out);
            }

            fn found(from: &mut $crate::base::Kept<'_>) -> Option<Self> {
                Some(Self($crate::base::Keep::found(from)?))
            }
        }
    };
    (json $($name:ty),* $(,)?) => {$(
        impl $crate::base::Keep for $name {
            fn keep(&self, out: &mut Vec<u8>) {
                $crate::base::keep_json(self, out);
            }

            fn found(from: &mut $crate::base::Kept<'_>) -> Option<Self> {
                $crate::base::found_json(from)
            }
        }
    )*};
}
pub(crate) use kept;

macro_rules! whole_numbers {
    ($($name:ty),*) => {$(
        impl Keep for $name {
            fn keep(&self, out: &mut Vec<u8>) {
                number(u64::try_from(*self).unwrap_or(u64::MAX), out);
            }

            fn found(from: &mut Kept<'_>) -> Option<Self> {
                from.number()?.try_into().ok()
            }
        }
    )*};
}

whole_numbers!(u16, u32, u64, usize);
kept!(newtype AgentId);
kept!(newtype BoxId);
kept!(newtype CallbackId);
kept!(newtype SurveyId);
kept!(newtype TargetId);
kept!(newtype EntryId);
kept!(newtype GroupId);
kept!(newtype MenuId);
kept!(newtype Number);
kept!(newtype PromptId);
kept!(newtype TrunkId);
kept!(newtype Wall);
kept!(json AdHoc, Language, serde_json::Value);

impl Keep for u8 {
    fn keep(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        from.take(1)?.first().copied()
    }
}

impl Keep for bool {
    fn keep(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        match u8::found(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Keep for i64 {
    fn keep(&self, out: &mut Vec<u8>) {
        // Small numbers of either sign are short.
        number(((*self << 1) ^ (*self >> 63)).cast_unsigned(), out);
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        let folded = from.number()?;
        Some((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
    }
}

impl Keep for i32 {
    fn keep(&self, out: &mut Vec<u8>) {
        i64::from(*self).keep(out);
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        i64::found(from)?.try_into().ok()
    }
}

impl Keep for f64 {
    fn keep(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bits().to_le_bytes());
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        let bits = from.take(8)?.try_into().ok()?;
        Some(Self::from_bits(u64::from_le_bytes(bits)))
    }
}

impl Keep for Duration {
    fn keep(&self, out: &mut Vec<u8>) {
        (self.as_secs(), self.subsec_nanos()).keep(out);
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        let (seconds, nanos) = <(u64, u32)>::found(from)?;
        (nanos < 1_000_000_000).then(|| Self::new(seconds, nanos))
    }
}

impl Keep for CallId {
    fn keep(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_bytes());
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        let bytes = from.take(16)?.try_into().ok()?;
        Some(Self(uuid::Uuid::from_bytes(bytes)))
    }
}

fn text<'a>(from: &mut Kept<'a>) -> Option<&'a str> {
    let count = from.count()?;
    std::str::from_utf8(from.take(count)?).ok()
}

impl Keep for String {
    fn keep(&self, out: &mut Vec<u8>) {
        count(self.len(), out);
        out.extend_from_slice(self.as_bytes());
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        text(from).map(str::to_owned)
    }
}

impl Keep for Arc<str> {
    fn keep(&self, out: &mut Vec<u8>) {
        count(self.len(), out);
        out.extend_from_slice(self.as_bytes());
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        text(from).map(Self::from)
    }
}

impl<T: Keep> Keep for Private<T> {
    fn keep(&self, out: &mut Vec<u8>) {
        self.reveal().keep(out);
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        T::found(from).map(Self::new)
    }
}

impl<T: Keep> Keep for Option<T> {
    fn keep(&self, out: &mut Vec<u8>) {
        self.is_some().keep(out);
        if let Some(value) = self {
            value.keep(out);
        }
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        if bool::found(from)? { T::found(from).map(Some) } else { Some(None) }
    }
}

fn all<'a, T: Keep + 'a>(items: impl ExactSizeIterator<Item = &'a T>, out: &mut Vec<u8>) {
    count(items.len(), out);
    for item in items {
        item.keep(out);
    }
}

fn found_all<T: Keep, C: FromIterator<T>>(from: &mut Kept<'_>) -> Option<C> {
    let count = from.count()?;
    (0..count).map(|_| T::found(from)).collect()
}

impl<T: Keep> Keep for Vec<T> {
    fn keep(&self, out: &mut Vec<u8>) {
        all(self.iter(), out);
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        let count = from.count()?;
        // Room at once, but no more than the bytes could fill.
        let mut items = Self::with_capacity(count.min(from.left() / size_of::<T>().max(1) + 16));
        for _ in 0..count {
            items.push(T::found(from)?);
        }
        Some(items)
    }
}

impl<T: Keep> Keep for VecDeque<T> {
    fn keep(&self, out: &mut Vec<u8>) {
        all(self.iter(), out);
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        Vec::found(from).map(Self::from)
    }
}

impl<T: Keep + Ord> Keep for BTreeSet<T> {
    fn keep(&self, out: &mut Vec<u8>) {
        all(self.iter(), out);
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        found_all(from)
    }
}

impl<K: Keep + Ord, V: Keep> Keep for BTreeMap<K, V> {
    fn keep(&self, out: &mut Vec<u8>) {
        count(self.len(), out);
        for (key, value) in self {
            key.keep(out);
            value.keep(out);
        }
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        found_all(from)
    }
}

impl<A: Keep, B: Keep> Keep for (A, B) {
    fn keep(&self, out: &mut Vec<u8>) {
        self.0.keep(out);
        self.1.keep(out);
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        Some((A::found(from)?, B::found(from)?))
    }
}

impl<T: Keep + Copy + Default, const N: usize> Keep for [T; N] {
    fn keep(&self, out: &mut Vec<u8>) {
        for item in self {
            item.keep(out);
        }
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        let mut items = [T::default(); N];
        for item in &mut items {
            *item = T::found(from)?;
        }
        Some(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Debug;

    fn round<T: Keep + PartialEq + Debug>(value: &T) {
        let mut bytes = Vec::new();
        value.keep(&mut bytes);
        let mut from = Kept::new(&bytes);
        assert_eq!(T::found(&mut from).as_ref(), Some(value));
        assert_eq!(from.left(), 0, "{value:?}");
        for cut in 0..bytes.len() {
            // Never a panic; something shorter may be read from a part, but not the same from less.
            let mut from = Kept::new(&bytes[..cut]);
            assert!(T::found(&mut from).is_none(), "{value:?} from {cut} of {} bytes", bytes.len());
        }
    }

    #[test]
    fn the_ends_of_each_type_come_back() {
        for number in [0, 1, 0x7f, 0x80, u64::MAX - 1, u64::MAX] {
            round(&number);
        }
        for number in [0, 1, -1, 63, -64, 64, i64::MIN, i64::MAX] {
            round(&number);
        }
        round(&u16::MAX);
        round(&i32::MIN);
        round(&(f64::MIN_POSITIVE, -0.1_f64));
        round(&Duration::new(u64::MAX, 999_999_999));
        round(&Some(Private::new("0312345678".to_owned())));
        round(&BTreeMap::from([(None, Wall(-1)), (Some(Number::from("7000")), Wall(1))]));
        round(&CallId(uuid::Uuid::max()));
        round(&[7_u64; 11]);
        round(&serde_json::json!({"a": [1, null, "b"]}));
    }

    #[test]
    fn what_was_not_written_so_is_nothing() {
        assert_eq!(u64::found(&mut Kept::new(&[0xff; 10])), None, "more than 64 bits");
        assert_eq!(u64::found(&mut Kept::new(&[0xff; 30])), None);
        assert_eq!(u16::found(&mut Kept::new(&[0xff, 0xff, 0x04])), None, "65,536 and more");
        assert_eq!(bool::found(&mut Kept::new(&[2])), None);
        assert_eq!(String::found(&mut Kept::new(&[2, 0xff, 0xff])), None);
        // A length that would take all memory is none.
        let mut long = vec![0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        long.extend([0; 40]);
        assert_eq!(Vec::<u64>::found(&mut Kept::new(&long)), None);
    }

    proptest! {
        #[test]
        fn all_that_is_kept_comes_back(
            map in prop::collection::btree_map(any::<i64>(), prop::option::of(".*"), 0..5),
            list in prop::collection::vec((any::<u32>(), any::<bool>()), 0..5),
        ) {
            round(&map);
            round(&list);
            round(&VecDeque::from(list));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = BTreeMap::<String, Vec<(u64, i32)>>::found(&mut Kept::new(&bytes));
            let _ = Option::<serde_json::Value>::found(&mut Kept::new(&bytes));
        }
    }
}
