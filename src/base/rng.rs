//! One random source: a `ChaCha` stream, seeded by the operating system in the daemon and by a number
//! in the simulator, so that tags and nonces cannot be guessed and every simulated run repeats.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

/// A cryptographically strong, reproducible stream (RFC 3261 §19.3 asks for 32 random bits in a
/// tag; everything we hand out carries at least 64).
#[derive(Clone, Debug)]
pub struct Rng(ChaCha12Rng);

impl Rng {
    /// The daemon's source: 32 bytes from the operating system, drawn by the caller.
    #[must_use]
    pub fn from_key(key: [u8; 32]) -> Self {
        Self(ChaCha12Rng::from_seed(key))
    }

    /// The simulator's source: the same number gives the same stream on every machine.
    #[must_use]
    pub fn from_number(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `0..bound`; 0 when `bound` is 0. The bias is below 2⁻³² for the small bounds used here.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.bits()).wrapping_mul(u128::from(bound));
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// 64 random bits as 16 lower-case hex digits, for tags, branches and nonces.
    pub fn token(&mut self) -> String {
        format!("{:016x}", self.bits())
    }

    /// A new stream that does not disturb this one's later draws by how much it is used.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        let mut key = [0; 32];
        self.0.fill_bytes(&mut key);
        Self::from_key(key)
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn below_stays_below_and_a_seed_repeats() {
        let (mut one, mut two) = (Rng::from_number(7), Rng::from_number(7));
        for bound in 1..2000 {
            let drawn = one.below(bound);
            assert!(drawn < bound);
            assert_eq!(drawn, two.below(bound));
        }
        assert_eq!(one.below(0), 0);
    }
}
