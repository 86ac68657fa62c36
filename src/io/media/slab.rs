//! Things in numbered slots, found in constant time; a slot's next tenant has another [`Token`], so a
//! packet or a timer meant for the last one finds nobody.

/// A slot and its tenancy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    slot: u32,
    tenancy: u32,
}

impl Token {
    /// As one number, for the kernel to hand back. Never [`u64::MAX`]: tenancy has 31 bits.
    pub(super) fn to_bits(self) -> u64 {
        (u64::from(self.tenancy) << 32) | u64::from(self.slot)
    }

    /// The reverse.
    pub(super) fn from_bits(bits: u64) -> Self {
        let low = |bits: u64| u32::try_from(bits & 0xffff_ffff).unwrap_or(0);
        Self { slot: low(bits), tenancy: low(bits >> 32) }
    }
}

#[derive(Debug)]
struct Slot<T> {
    tenancy: u32,
    tenant: Option<T>,
}

/// The slots. Grows to the most tenants that there ever were at once.
#[derive(Debug)]
pub(super) struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    pub(super) fn insert(&mut self, tenant: T) -> Token {
        if let Some(slot) = self.free.pop()
            && let Some(place) = usize::try_from(slot).ok().and_then(|at| self.slots.get_mut(at))
        {
            place.tenancy = place.tenancy.wrapping_add(1) & 0x7fff_ffff;
            place.tenant = Some(tenant);
            return Token { slot, tenancy: place.tenancy };
        }
        // Legs have ports, of which there are fewer than 2^16 an address: the number never saturates.
        let slot = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(Slot { tenancy: 0, tenant: Some(tenant) });
        Token { slot, tenancy: 0 }
    }

    pub(super) fn get_mut(&mut self, token: Token) -> Option<&mut T> {
        let place = self.slots.get_mut(usize::try_from(token.slot).ok()?)?;
        if place.tenancy == token.tenancy { place.tenant.as_mut() } else { None }
    }

    pub(super) fn remove(&mut self, token: Token) -> Option<T> {
        let place = self.slots.get_mut(usize::try_from(token.slot).ok()?)?;
        if place.tenancy != token.tenancy {
            return None;
        }
        let tenant = place.tenant.take()?;
        self.free.push(token.slot);
        Some(tenant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_token_finds_nobody() {
        let mut slab = Slab::new();
        let (a, b) = (slab.insert('a'), slab.insert('b'));
        assert_eq!(slab.remove(a), Some('a'));
        let c = slab.insert('c');
        assert_eq!(c.slot, a.slot);
        assert_eq!(slab.get_mut(a), None);
        assert_eq!(slab.remove(a), None);
        assert_eq!(slab.get_mut(b).copied(), Some('b'));
        assert_eq!(slab.get_mut(c).copied(), Some('c'));
        assert_eq!(Token::from_bits(c.to_bits()), c);
    }
}
