//! How many calls a trunk carries at once.

/// The channels of a trunk (回線数). What is not said is not bounded here; the carrier bounds it all the
/// same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Channels {
    /// Calls of both directions together.
    pub all: Option<u32>,
    /// Calls that it brings.
    pub inward: Option<u32>,
    /// Calls that we place by it.
    pub outward: Option<u32>,
}

impl Channels {
    /// Whether one more call that the trunk brings fits beside `inward` and `outward` ones.
    #[must_use]
    pub fn take_in(&self, inward: u32, outward: u32) -> bool {
        below(inward, self.inward) && below(inward.saturating_add(outward), self.all)
    }

    /// Whether one more call that we place fits beside `inward` and `outward` ones.
    #[must_use]
    pub fn take_out(&self, inward: u32, outward: u32) -> bool {
        below(outward, self.outward) && below(inward.saturating_add(outward), self.all)
    }
}

fn below(used: u32, most: Option<u32>) -> bool {
    most.is_none_or(|most| used < most)
}

#[cfg(test)]
mod tests {
    use super::Channels;

    #[test]
    fn channels_are_bounded_by_direction_and_together() {
        let unbounded = Channels::default();
        assert!(unbounded.take_in(1_000, 1_000) && unbounded.take_out(1_000, 1_000));
        let channels = Channels { all: Some(3), inward: Some(2), outward: None };
        let table = [((0, 0), true, true), ((2, 0), false, true), ((1, 2), false, false)];
        for ((inward, outward), takes_in, takes_out) in table {
            assert_eq!(channels.take_in(inward, outward), takes_in);
            assert_eq!(channels.take_out(inward, outward), takes_out);
        }
    }
}
