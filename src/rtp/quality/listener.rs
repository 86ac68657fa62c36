//! What a listener would say of a leg's sound: the E-model (ITU-T G.107) on its scale of narrow-band
//! telephony, with impairments by ITU-T G.113 appendix I. An estimate for comparing calls, not a measurement.

use crate::sdp::Codec;

/// The rating with all else at its default (G.107 §7.7, table 2).
const BEST_RATING: f64 = 93.2;
/// Below it a delay is not noticed, milliseconds (G.107 §7.4).
const UNNOTICED_MS: f64 = 100.0;

/// What a codec itself costs, and how well it bears loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impairment {
    /// Ie.
    pub equipment: f64,
    /// Bpl, for loss by chance.
    pub robustness: f64,
}

/// Of a codec. G.711 with packets made up for when lost: G.113 table I.4 (0 and 25.1; phones do so, and so
/// do we where we decode). For G.722 and Opus the Recommendation has no values on the narrow-band scale:
/// they count as G.711, so that a fine codec is never told as worse than it; Opus bears loss somewhat
/// better by its repeats, which is left out.
#[must_use]
pub const fn impairment(codec: Codec) -> Impairment {
    match codec {
        Codec::Pcmu | Codec::Pcma | Codec::G722 | Codec::Opus => {
            Impairment { equipment: 0.0, robustness: 25.1 }
        }
    }
}

/// The rating R, 0 to 93.2. `loss` in percent, `one_way_ms` from mouth to ear.
#[must_use]
pub fn rating(codec: Impairment, loss: f64, one_way_ms: f64) -> f64 {
    let loss = loss.clamp(0.0, 100.0);
    // G.107 §7.5, with BurstR = 1: loss by chance.
    let lossy = codec.equipment + (95.0 - codec.equipment) * loss / (loss + codec.robustness);
    (BEST_RATING - delay_impairment(one_way_ms) - lossy).clamp(0.0, BEST_RATING)
}

/// Idd of G.107 §7.4: what a delay alone costs, echo being cancelled.
fn delay_impairment(one_way_ms: f64) -> f64 {
    if one_way_ms <= UNNOTICED_MS {
        return 0.0;
    }
    let x = (one_way_ms / UNNOTICED_MS).log2();
    let term = |x: f64| (1.0 + x.powi(6)).powf(1.0 / 6.0);
    25.0 * (term(x) - 3.0 * term(x / 3.0) + 2.0)
}

/// The mean opinion score of a rating, 1.0 to 4.5 (G.107 annex B).
#[must_use]
pub fn opinion(rating: f64) -> f64 {
    if rating <= 0.0 {
        1.0
    } else if rating >= 100.0 {
        4.5
    } else {
        let mos = 1.0 + 0.035 * rating + rating * (rating - 60.0) * (100.0 - rating) * 7e-6;
        // The formula dips a little below 1 near 0.
        mos.max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, want: f64, by: f64) -> bool {
        (got - want).abs() <= by
    }

    #[test]
    fn opinions_are_the_published_ones() {
        // G.107 table B.1 and the default of its annex: R = 93.2 is 4.41.
        let table = [
            (0.0, 1.0),
            (50.0, 2.58),
            (60.0, 3.10),
            (70.0, 3.60),
            (80.0, 4.03),
            (90.0, 4.34),
            (93.2, 4.41),
            (100.0, 4.5),
        ];
        for (rating, mos) in table {
            assert!(near(opinion(rating), mos, 0.01), "{rating}: {}", opinion(rating));
        }
    }

    #[test]
    fn loss_costs_what_the_recommendation_says() {
        // Ie,eff = Ie + (95 - Ie) * Ppl / (Ppl + Bpl), by hand.
        let concealed = Impairment { equipment: 0.0, robustness: 25.1 };
        let bare = Impairment { equipment: 0.0, robustness: 4.3 };
        let g729 = Impairment { equipment: 11.0, robustness: 19.0 };
        let table = [
            ("none", concealed, 0.0, 93.2),
            ("1 %", concealed, 1.0, 93.2 - 95.0 / 26.1),
            ("5 %", concealed, 5.0, 93.2 - 475.0 / 30.1),
            ("20 %", concealed, 20.0, 93.2 - 1900.0 / 45.1),
            ("1 % that nobody makes up for", bare, 1.0, 93.2 - 95.0 / 5.3),
            ("G.729A, whose rating is known as 82", g729, 0.0, 82.2),
            ("all of it", concealed, 100.0, 93.2 - 9500.0 / 125.1),
            ("more than all", concealed, 400.0, 93.2 - 9500.0 / 125.1),
        ];
        for (case, codec, loss, want) in table {
            assert!(
                near(rating(codec, loss, 0.0), want, 1e-9),
                "{case}: {}",
                rating(codec, loss, 0.0)
            );
        }
    }

    #[test]
    fn delay_costs_what_the_recommendation_says() {
        // Idd alone, from the formula of G.107 §7.4: G.131 and G.114 draw the same curve (400 ms lead to
        // a rating of about 70).
        let rated = |ms| rating(impairment(Codec::Pcmu), 0.0, ms);
        assert!(near(rated(100.0), 93.2, 1e-9));
        assert!(rated(150.0) > 92.0, "{}", rated(150.0));
        assert!(near(rated(400.0), 69.0, 2.0), "{}", rated(400.0));
        let falls =
            (10..100).all(|tens| rated(f64::from(tens * 10)) >= rated(f64::from(tens * 10 + 10)));
        assert!(falls);
    }
}
