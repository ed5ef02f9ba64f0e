//! Colours between the ways in which a hub speaks of them: CIE xy, mired, hue and saturation, and sRGB for the page.
//!
//! Good enough to look right and to agree with itself; not a model of a particular bulb.

/// A colour without its brightness, in the CIE 1931 diagram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Xy {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// What bulbs of gamut C can show: red, green and blue.
pub(crate) const GAMUT_C: [Xy; 3] =
    [Xy { x: 0.6915, y: 0.3083 }, Xy { x: 0.17, y: 0.7 }, Xy { x: 0.1532, y: 0.0475 }];

/// The coldest and the warmest white of a bulb, in mired (a million by kelvin).
pub(crate) const MIREK: (u16, u16) = (153, 500);

impl Xy {
    /// The white of a colour temperature, on the Planckian locus (Kim and others, 2002; good for 1667 to 25000 kelvin).
    pub(crate) fn of_mirek(mirek: u16) -> Self {
        let t = 1e6 / f64::from(mirek.max(1));
        let x = if t <= 4000.0 {
            -0.266_123_9e9 / t.powi(3) - 0.234_358_9e6 / t.powi(2) + 0.877_695_6e3 / t + 0.179_910
        } else {
            -3.025_846_9e9 / t.powi(3) + 2.107_037_9e6 / t.powi(2) + 0.222_634_7e3 / t + 0.240_390
        };
        let y = if t <= 2222.0 {
            -1.106_381_4 * x.powi(3) - 1.348_110_2 * x.powi(2) + 2.185_558_32 * x - 0.202_196_83
        } else if t <= 4000.0 {
            -0.954_947_6 * x.powi(3) - 1.374_185_93 * x.powi(2) + 2.091_370_15 * x - 0.167_488_67
        } else {
            3.081_758 * x.powi(3) - 5.873_386_7 * x.powi(2) + 3.751_129_97 * x - 0.370_014_83
        };
        Self { x, y }.rounded()
    }

    /// The colour temperature that comes nearest (McCamy, 1992), within what a bulb can show.
    pub(crate) fn mirek(self) -> u16 {
        let n = (self.x - 0.3320) / (0.1858 - self.y).min(-1e-6);
        let kelvin = 449.0 * n.powi(3) + 3525.0 * n.powi(2) + 6823.3 * n + 5520.33;
        // Colours far from any white give nonsense here, which the bounds make harmless.
        let mirek = (1e6 / kelvin.max(1.0)).round();
        mirek.clamp(f64::from(MIREK.0), f64::from(MIREK.1)) as u16
    }

    /// From v1's hue (0 to 65535, red at both ends) and saturation (0 to 254).
    pub(crate) fn of_hue_sat(hue: u16, sat: u8) -> Self {
        let (sector, s) = (f64::from(hue) / 65536.0 * 6.0, f64::from(sat.min(254)) / 254.0);
        let channel = |offset: f64| {
            let distance = (sector - offset).rem_euclid(6.0);
            let full = (distance - 3.0).abs().clamp(1.0, 2.0) - 1.0;
            linear(1.0 - s * (1.0 - full))
        };
        let [r, g, b] = [channel(0.0), channel(2.0), channel(4.0)];
        let x = 0.4124 * r + 0.3576 * g + 0.1805 * b;
        let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        let z = 0.0193 * r + 0.1192 * g + 0.9505 * b;
        let sum = (x + y + z).max(1e-9);
        Self { x: x / sum, y: y / sum }.within_gamut()
    }

    /// To v1's hue and saturation.
    pub(crate) fn hue_sat(self) -> (u16, u8) {
        let [r, g, b] = self.rgb().map(|channel| f64::from(channel) / 255.0);
        let (max, min) = (r.max(g).max(b), r.min(g).min(b));
        let spread = max - min;
        if spread < 1e-9 {
            return (0, 0);
        }
        let sector = if max == r {
            ((g - b) / spread).rem_euclid(6.0)
        } else if max == g {
            (b - r) / spread + 2.0
        } else {
            (r - g) / spread + 4.0
        };
        ((sector / 6.0 * 65535.0).round() as u16, (spread / max * 254.0).round() as u8)
    }

    /// As a screen shows it at full brightness.
    pub(crate) fn rgb(self) -> [u8; 3] {
        let y = self.y.max(1e-6);
        let (x, z) = (self.x / y, (1.0 - self.x - self.y).max(0.0) / y);
        let linear = [
            3.2406 * x - 1.5372 - 0.4986 * z,
            -0.9689 * x + 1.8758 + 0.0415 * z,
            0.0557 * x - 0.2040 + 1.0570 * z,
        ]
        .map(|channel| channel.max(0.0));
        let brightest = linear.iter().copied().fold(1e-9, f64::max);
        linear.map(|channel| (encoded(channel / brightest) * 255.0).round() as u8)
    }

    /// The nearest colour that a bulb of gamut C can show.
    pub(crate) fn within_gamut(self) -> Self {
        let [red, green, blue] = GAMUT_C;
        let edges = [(red, green), (green, blue), (blue, red)];
        let left_of = |(a, b): (Xy, Xy)| (b.x - a.x) * (self.y - a.y) - (b.y - a.y) * (self.x - a.x) >= 0.0;
        if edges.iter().all(|edge| left_of(*edge)) {
            return self.rounded();
        }
        let nearest = edges.map(|(a, b)| {
            let (dx, dy) = (b.x - a.x, b.y - a.y);
            let along = ((self.x - a.x) * dx + (self.y - a.y) * dy) / (dx * dx + dy * dy);
            let along = along.clamp(0.0, 1.0);
            Xy { x: a.x + along * dx, y: a.y + along * dy }
        });
        let far = |point: &Xy| (point.x - self.x).powi(2) + (point.y - self.y).powi(2);
        let [first, second, third] = nearest;
        let nearer = if far(&second) < far(&first) { second } else { first };
        if far(&third) < far(&nearer) { third.rounded() } else { nearer.rounded() }
    }

    /// Four decimals, as hubs write it.
    fn rounded(self) -> Self {
        let round = |value: f64| (value * 1e4).round() / 1e4;
        Self { x: round(self.x), y: round(self.y) }
    }
}

/// sRGB's curve, from the encoded to the physical value.
fn linear(value: f64) -> f64 {
    if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

fn encoded(value: f64) -> f64 {
    if value <= 0.003_130_8 { value * 12.92 } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_white_keeps_its_temperature() {
        for mirek in [153, 200, 250, 300, 366, 400, 454, 500] {
            let back = Xy::of_mirek(mirek).mirek();
            assert!(back.abs_diff(mirek) <= 6, "{mirek} mired came back as {back}");
        }
    }

    #[test]
    fn warm_white_looks_warmer_than_cold_white() {
        let ([warm_r, _, warm_b], [cold_r, _, cold_b]) = (Xy::of_mirek(454).rgb(), Xy::of_mirek(153).rgb());
        assert!(warm_r == 255 && warm_b < 140, "{warm_r} {warm_b}");
        assert!(cold_b > 240 && cold_r > 200, "{cold_r} {cold_b}");
    }

    #[test]
    fn the_named_hues_are_where_the_documentation_has_them() {
        let check = |hue: u16, [r, g, b]: [bool; 3]| {
            let shown = Xy::of_hue_sat(hue, 254).rgb();
            let strong = shown.map(|channel| channel > 200);
            assert_eq!(strong, [r, g, b], "hue {hue} looks like {shown:?}");
        };
        check(0, [true, false, false]);
        check(65_535, [true, false, false]);
        check(21_845, [false, true, false]);
        check(43_690, [false, false, true]);
    }

    #[test]
    fn hue_and_saturation_survive_the_way_through_xy() {
        for hue in [1000, 10_000, 30_000, 50_000, 60_000] {
            let (back, sat) = Xy::of_hue_sat(hue, 150).hue_sat();
            assert!(back.abs_diff(hue) < 900, "hue {hue} came back as {back}");
            assert!(sat.abs_diff(150) < 8, "saturation 150 came back as {sat}");
        }
    }

    #[test]
    fn what_no_bulb_can_show_becomes_the_nearest_that_it_can() {
        assert_eq!(Xy { x: 0.3127, y: 0.329 }.within_gamut(), Xy { x: 0.3127, y: 0.329 });
        assert_eq!(Xy { x: 1.0, y: 0.0 }.within_gamut(), GAMUT_C[0]);
        assert_eq!(Xy { x: 0.0, y: 1.0 }.within_gamut(), GAMUT_C[1]);
        assert_eq!(Xy { x: 0.0, y: 0.0 }.within_gamut(), GAMUT_C[2]);
    }
}
