//! Keys and the table they look up. Keys come from hashing the wire's words under a secret, or are
//! our own random tokens, so nobody outside can aim two at one place; the table is never iterated,
//! so its order cannot show.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{BuildHasher, Hasher};

/// Turns the words of a message into a key that cannot be foreseen without the secret.
#[derive(Clone, Copy, Debug)]
pub struct Keyer {
    secret: [u64; 2],
}

impl Keyer {
    /// A keyer of its own secret.
    pub fn new(rng: &mut crate::base::Rng) -> Self {
        Self { secret: [rng.bits(), rng.bits()] }
    }

    /// `SipHash` of `parts`, each closed by its length so that no two lists run together. Of a million
    /// live keys, a new one meets another by chance once in 10¹³.
    #[must_use]
    pub fn key(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.secret[0]);
        hasher.write_u64(self.secret[1]);
        for part in parts {
            hasher.write(part);
            hasher.write_usize(part.len());
        }
        hasher.finish()
    }
}

/// A table by keys that are spread already.
#[derive(Debug)]
pub struct Index<V> {
    map: HashMap<u64, V, Spread>,
}

impl<V> Default for Index<V> {
    fn default() -> Self {
        Self { map: HashMap::with_hasher(Spread) }
    }
}

impl<V> Index<V> {
    /// What is under `key`.
    #[must_use]
    pub fn get(&self, key: u64) -> Option<&V> {
        self.map.get(&key)
    }

    /// What is under `key`, to change it.
    pub fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        self.map.get_mut(&key)
    }

    /// Whether anything is under `key`.
    #[must_use]
    pub fn contains(&self, key: u64) -> bool {
        self.map.contains_key(&key)
    }

    /// Puts `value` under `key`, returning what it displaced.
    pub fn insert(&mut self, key: u64, value: V) -> Option<V> {
        self.map.insert(key, value)
    }

    /// Takes what is under `key`. After a peak the memory goes back.
    pub fn remove(&mut self, key: u64) -> Option<V> {
        let value = self.map.remove(&key);
        let held = self.map.len();
        if self.map.capacity() > 1_024 && held < self.map.capacity() / 8 {
            self.map.shrink_to(held.saturating_mul(2));
        }
        value
    }

    /// Entries held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether nothing is held.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }
}

/// The key is its own hash, mixed once so that counting keys (leg ids) spread as well.
#[derive(Clone, Copy, Debug, Default)]
struct Spread;

impl BuildHasher for Spread {
    type Hasher = Itself;

    fn build_hasher(&self) -> Itself {
        Itself(0)
    }
}

struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, key: u64) {
        // Fibonacci hashing: the odd number nearest 2⁶⁴ divided by the golden ratio.
        self.0 = (self.0 ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together_and_secrets_differ() {
        let mut rng = crate::base::Rng::from_number(1);
        let (one, two) = (Keyer::new(&mut rng), Keyer::new(&mut rng));
        assert_ne!(one.key(&[b"ab", b"c"]), one.key(&[b"a", b"bc"]));
        assert_ne!(one.key(&[b"ab"]), two.key(&[b"ab"]));
        assert_eq!(one.key(&[b"ab"]), one.key(&[b"ab"]));
    }

    #[test]
    fn a_peak_is_given_back() {
        let mut index = Index::default();
        for key in 0..100_000 {
            index.insert(key, key);
        }
        for key in 0..100_000 {
            assert_eq!(index.remove(key), Some(key));
        }
        assert!(index.is_empty());
        assert!(index.map.capacity() <= 2_048, "{}", index.map.capacity());
    }
}
