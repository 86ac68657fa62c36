//! What is heard where a phone says that nobody speaks: noise as loud as its own (RFC 3389), so that the
//! line does not sound dead. Of its colour, which few phones tell, nothing is kept.

/// The loudest that is believed, dB below the loudest sample: a line that hums more is no comfort.
const LOUDEST_DBOV: u8 = 30;

/// The noise of one voice.
#[derive(Clone, Debug, Default)]
pub(super) struct Noise {
    /// Half the width of what is drawn, in steps of a sample; 0: silence.
    reach: u16,
    state: u32,
}

impl Noise {
    /// A phone's first byte: how far below the loudest its noise is, dB (RFC 3389 §3.1).
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 32768 · 10^-1.5 · √3, which is 1795"
    )]
    pub fn is_at(&mut self, level_dbov: u8) {
        let level = f64::from((level_dbov & 0x7f).max(LOUDEST_DBOV));
        // Evenly drawn samples are as loud as their reach by the root of three.
        self.reach = (32_768.0 * 10.0_f64.powf(-level / 20.0) * 3.0_f64.sqrt()) as u16;
    }

    /// Silence again, until a phone says otherwise.
    pub const fn ends(&mut self) {
        self.reach = 0;
    }

    /// Whether there is any.
    pub const fn is_on(&self) -> bool {
        self.reach > 0
    }

    /// Fills `sound`.
    pub fn fill(&mut self, sound: &mut [i16]) {
        let width = u64::from(self.reach).saturating_mul(2).saturating_add(1);
        for sample in sound {
            // The numbers of Numerical Recipes: quick, and no ear hears their pattern.
            self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let drawn = u64::from(self.state).saturating_mul(width) >> 32;
            let drawn = i32::try_from(drawn).unwrap_or(0).saturating_sub(i32::from(self.reach));
            *sample = i16::try_from(drawn).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_loud_as_the_phone_says() {
        for (said, dbov) in [(30, 30.0), (50, 50.0), (70, 70.0), (0, 30.0), (0x80 | 60, 60.0)] {
            let mut noise = Noise::default();
            noise.is_at(said);
            let mut sound = vec![0; 80_000];
            noise.fill(&mut sound);
            let power = sound.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / 80_000.0;
            let level = -10.0 * (power / 32_768.0_f64.powi(2)).log10();
            assert!((level - dbov).abs() < 1.0, "{said}: {level}");
            let mean = sound.iter().map(|s| f64::from(*s)).sum::<f64>() / 80_000.0;
            assert!(mean.abs() < 20.0, "{mean}");
        }
        let (mut noise, mut sound) = (Noise::default(), [7; 80]);
        noise.fill(&mut sound);
        assert_eq!(sound, [0; 80]);
    }
}
