//! How alike two rows of samples are, wherever one is laid over the other.
//!
//! Owns the arithmetic alone; what a sound is and which likeness is enough stands in `tests/support/sound.rs`.

use realfft::RealFftPlanner;

/// Likeness of `b` laid over `a` from `at` on (normalised cross-correlation, -1 to 1), and over how many
/// samples; none when those that both hold are fewer than `least`, or silent.
pub fn at(a: &[f64], b: &[f64], at: i64, least: usize) -> Option<(f64, usize)> {
    let (from, to) = common(a, b, at, least)?;
    let a = &a[from..to];
    let begin = usize::try_from(from as i64 - at).unwrap();
    let b = &b[begin..begin + a.len()];
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    (aa > 0.0 && bb > 0.0).then(|| (ab / (aa * bb).sqrt(), a.len()))
}

/// [`at`] for every place where at least `least` samples are common, the best `count` first: by way of the
/// Fourier transform, since place by place a minute of voice takes seconds, in which a call goes on.
pub fn best(a: &[f64], b: &[f64], least: usize, count: usize) -> Vec<(f64, i64)> {
    if a.is_empty() || b.is_empty() {
        return Vec::new();
    }
    let size = (a.len() + b.len()).next_power_of_two();
    let products = correlated(a, b, size);
    let (squares_a, squares_b) = (sums_of_squares(a), sums_of_squares(b));
    let mut places: Vec<(f64, i64)> = (-(b.len() as i64)..=a.len() as i64)
        .filter_map(|at| {
            let (from, to) = common(a, b, at, least)?;
            let begin = usize::try_from(from as i64 - at).unwrap();
            let aa = squares_a[to] - squares_a[from];
            let bb = squares_b[begin + to - from] - squares_b[begin];
            // What the running sums lose to rounding is below one step of a 16-bit sample.
            (aa > 1.0 && bb > 1.0).then(|| {
                let ab = products[usize::try_from(at.rem_euclid(size as i64)).unwrap()];
                (ab / (aa * bb).sqrt(), at)
            })
        })
        .collect();
    let better = |a: &(f64, i64), b: &(f64, i64)| b.0.total_cmp(&a.0);
    if count < places.len() {
        places.select_nth_unstable_by(count, better);
        places.truncate(count);
    }
    places.sort_by(better);
    places
}

/// From where to where in `a` the two lie over each other.
fn common(a: &[f64], b: &[f64], at: i64, least: usize) -> Option<(usize, usize)> {
    let from = usize::try_from(at.max(0)).ok()?;
    let to = usize::try_from((at + b.len() as i64).min(a.len() as i64)).ok()?;
    (to > from && to - from >= least).then_some((from, to))
}

/// The sum of products for each place, at index `at` modulo `size`.
fn correlated(a: &[f64], b: &[f64], size: usize) -> Vec<f64> {
    let mut planner = RealFftPlanner::<f64>::new();
    let (there, back) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
    let spectrum = |samples: &[f64]| {
        let mut padded = samples.to_vec();
        padded.resize(size, 0.0);
        let mut out = there.make_output_vec();
        there.process(&mut padded, &mut out).expect("the lengths are the plan's own");
        out
    };
    let mut product: Vec<_> =
        spectrum(a).into_iter().zip(spectrum(b)).map(|(x, y)| x * y.conj()).collect();
    let mut sums = back.make_output_vec();
    // The ends are real but for rounding, and the plan refuses anything else.
    let last = product.len() - 1;
    (product[0].im, product[last].im) = (0.0, 0.0);
    back.process(&mut product, &mut sums).expect("the lengths are the plan's own");
    sums.iter().map(|sum| sum / size as f64).collect()
}

/// The sum of the squares of all samples before each place.
fn sums_of_squares(samples: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    std::iter::once(0.0)
        .chain(samples.iter().map(|sample| {
            sum += sample * sample;
            sum
        }))
        .collect()
}
