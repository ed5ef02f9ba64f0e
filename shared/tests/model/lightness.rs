//! The curve from intensity to PWM counts: the published table, an exact reference, and the vectors that firmware and
//! Arduino sketches are held to as well.

use luxwire_shared::model::{Intensity, Resolution};

/// Share of the period by the CIE's formula, in floating point: an implementation of its own.
fn share(intensity: Intensity) -> f64 {
    let lightness = f64::from(intensity.hundredths()) / 100.0;
    if lightness <= 8.0 { lightness / 903.3 } else { ((lightness + 16.0) / 116.0).powi(3) }
}

fn every_intensity() -> impl Iterator<Item = Intensity> {
    (0..=10_000).map(|hundredths| Intensity::from_hundredths(hundredths).unwrap())
}

#[test]
fn whole_percentages_give_the_published_counts() {
    let rows = [
        (1, [1, 1, 5]), // 8 bits: the nearest count is 0, and a light that is on is on for at least one
        (5, [1, 6, 23]),
        (10, [3, 12, 46]),
        (25, [11, 45, 181]),
        (50, [47, 188, 754]),
        (75, [123, 494, 1977]),
        (100, [255, 1023, 4095]),
    ];
    for (percent, counts) in rows {
        let resolutions = [Resolution::BITS_8, Resolution::BITS_10, Resolution::BITS_12];
        let intensity = Intensity::from_percent(percent).unwrap();
        assert_eq!(resolutions.map(|resolution| resolution.duty(intensity)), counts, "{percent} %");
    }
}

#[test]
fn every_intensity_is_rounded_to_the_nearest_count() {
    let tops = [8, 10, 12, 16].map(|bits| Resolution::from_bits(bits).unwrap().top());
    for top in tops.into_iter().chain([1, 2, 1000, 6250, 49_999]) {
        let resolution = Resolution::from_top(top).unwrap();
        for intensity in every_intensity() {
            let nearest = (share(intensity) * f64::from(top)).round();
            let expected = if intensity.is_off() { 0.0 } else { nearest.max(1.0) };
            assert_eq!(f64::from(resolution.duty(intensity)), expected, "{intensity} % of {top}");
        }
    }
}

#[test]
fn more_intensity_is_never_less_light() {
    for top in [1, 255, 1023, 4095, 50_000, u16::MAX] {
        let resolution = Resolution::from_top(top).unwrap();
        let duties: Vec<_> = every_intensity().map(|intensity| resolution.duty(intensity)).collect();
        assert!(duties.is_sorted(), "of {top}");
        assert_eq!((duties.first(), duties.last()), (Some(&0), Some(&top)));
        assert!(duties[1..].iter().all(|duty| *duty >= 1), "of {top}");
    }
}

#[test]
fn the_vectors_hold() {
    let mut rows = include_str!("../model_vectors/lightness.csv").lines();
    assert_eq!(rows.next(), Some("intensity,bits,duty"));
    let mut count = 0;
    for row in rows {
        let [intensity, bits, duty] = row.split(',').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let resolution = Resolution::from_bits(bits.parse().unwrap()).unwrap();
        assert_eq!(resolution.duty(intensity.parse().unwrap()), duty.parse::<u16>().unwrap(), "{row}");
        count += 1;
    }
    assert!(count > 100, "{count} vectors");
}

#[test]
fn a_resolution_has_one_to_sixteen_bits_and_at_least_one_count() {
    assert_eq!(Resolution::from_bits(0), None);
    assert_eq!(Resolution::from_bits(17), None);
    assert_eq!(Resolution::from_bits(16).map(Resolution::top), Some(u16::MAX));
    assert_eq!(Resolution::from_bits(1).map(Resolution::top), Some(1));
    assert_eq!(Resolution::from_top(0), None);
}
