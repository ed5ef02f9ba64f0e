//! The colours of the canvas: those of the page's tokens, as the browser computes them for the scheme of the moment.

use web_sys::{Element, Window};

/// What the canvas is drawn with, as CSS colours.
#[derive(Debug, Default)]
pub(crate) struct Palette {
    pub(crate) ink: String,
    pub(crate) soft: String,
    pub(crate) line: String,
    pub(crate) paper: String,
    /// A message that carries no light.
    pub(crate) plain: Rgb,
    /// A value from the broker's shelf.
    pub(crate) kept: Rgb,
    ember: Rgb,
    bulb: Rgb,
}

/// A colour in parts of 255.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rgb(pub(crate) [f64; 3]);

impl Palette {
    /// Reads the colours off elements that have them as theirs: tokens themselves are not computed.
    pub(crate) fn read(window: &Window, probes: &Element) -> Self {
        let children = probes.children();
        let color = |at: u32| {
            let probe = children.item(at)?;
            window.get_computed_style(&probe).ok()??.get_property_value("color").ok()
        };
        let text = |at: u32| color(at).unwrap_or_else(|| "gray".into());
        let rgb = |at: u32| color(at).and_then(|text| Rgb::parse(&text)).unwrap_or(Rgb([160.0; 3]));
        Self {
            ink: text(0),
            soft: text(1),
            line: text(2),
            paper: text(3),
            plain: rgb(4),
            kept: rgb(5),
            ember: rgb(6),
            bulb: rgb(7),
        }
    }

    /// The light of a lamp at so many percent.
    pub(crate) fn light(&self, percent: u8) -> Rgb {
        let part = f64::from(percent.min(100)) / 100.0;
        let mix = |at: fn(&Rgb) -> f64| at(&self.ember) + (at(&self.bulb) - at(&self.ember)) * part;
        Rgb([mix(|rgb| rgb.0[0]), mix(|rgb| rgb.0[1]), mix(|rgb| rgb.0[2])])
    }
}

/// Elements whose colours are those of the palette, in its order.
pub(crate) const PROBES: &str = r#"<span class="picture-probes" hidden><i class="ink"></i><i class="soft"></i><i class="line"></i><i class="paper"></i><i class="plain"></i><i class="kept"></i><i class="ember"></i><i class="bulb"></i></span>"#;

impl Rgb {
    /// Reads `rgb(243, 236, 225)` and `rgb(243 236 225 / 0.5)`.
    fn parse(text: &str) -> Option<Self> {
        let inner =
            text.trim().strip_prefix("rgb")?.trim_start_matches('a').strip_prefix('(')?.strip_suffix(')')?;
        let mut parts = inner.split([',', ' ', '/']).filter(|part| !part.is_empty()).map(str::parse::<u8>);
        Some(Self([parts.next()?.ok()?.into(), parts.next()?.ok()?.into(), parts.next()?.ok()?.into()]))
    }

    /// As CSS, at an opacity.
    pub(crate) fn css(self, opacity: f64) -> String {
        let [red, green, blue] = self.0.map(|part| part.max(0.0).min(255.0) as u8);
        format!("rgb({red} {green} {blue}/{}%)", (opacity.max(0.0).min(1.0) * 100.0).round() as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_as_browsers_compute_them() {
        let check = |text: &str, expected: Option<[f64; 3]>| {
            assert_eq!(Rgb::parse(text), expected.map(Rgb), "{text}")
        };
        check("rgb(243, 236, 225)", Some([243.0, 236.0, 225.0]));
        check("rgba(0, 1, 2, 0.5)", Some([0.0, 1.0, 2.0]));
        check("rgb(9 8 7 / 0.5)", Some([9.0, 8.0, 7.0]));
        check("oklab(1 0 0)", None);
        check("", None);
    }

    #[test]
    fn a_lamp_goes_from_ember_to_bulb() {
        let palette = Palette {
            ember: Rgb([200.0, 100.0, 0.0]),
            bulb: Rgb([250.0, 200.0, 100.0]),
            ..Palette::default()
        };
        assert_eq!(palette.light(0), palette.ember);
        assert_eq!(palette.light(50), Rgb([225.0, 150.0, 50.0]));
        assert_eq!(palette.light(255), palette.bulb);
        assert_eq!(palette.bulb.css(0.5), "rgb(250 200 100/50%)");
    }
}
