//! The pictograms: line drawings of 24 by 24, in the colour of the words around them.

use crate::kind::Kind;

macro_rules! icon {
    ($content:literal) => {
        concat!(
            r#"<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">"#,
            $content,
            "</svg>"
        )
    };
}

/// The drawing of a kind, as SVG.
pub(crate) fn of(kind: Kind) -> &'static str {
    match kind {
        // A window with a slider in it.
        Kind::ThisPage | Kind::Page => icon!(
            r#"<rect x="3" y="4.5" width="18" height="15" rx="3"/><path d="M3 9h18M7 14.2h10"/><circle cx="13.5" cy="14.2" r="1.7" fill="currentColor"/>"#
        ),
        // A knob.
        Kind::Dimmer => icon!(
            r#"<circle cx="12" cy="12.5" r="5.5"/><path d="M12 12.5 15 9.2M4.6 17.5a9 9 0 1 1 14.8 0"/>"#
        ),
        // A bulb.
        Kind::Lamp => icon!(
            r#"<path class="glass" d="M9 16.5c0-1.5-.6-2.3-1.5-3.3a6 6 0 1 1 9 0c-.9 1-1.5 1.8-1.5 3.3z"/><path d="M9.5 19.3h5M10.5 21.7h3"/>"#
        ),
        // A hub with its round button.
        Kind::HueBridge => icon!(
            r#"<rect x="4" y="4" width="16" height="16" rx="4.5"/><circle cx="12" cy="12" r="3.6"/><path d="M12 12h.01"/>"#
        ),
        // A notebook.
        Kind::Recorder => icon!(
            r#"<rect x="5.5" y="3.5" width="13.5" height="17" rx="2.5"/><path d="M3.5 7.5h4M3.5 12h4M3.5 16.5h4M11 8.5h4.5M11 12h4.5M11 15.5h2.5"/>"#
        ),
        // Two arrows, there and back.
        Kind::Http => icon!(r#"<path d="M4 9h15M15.5 5.5 19 9l-3.5 3.5M20 15.5H5M8.5 12 5 15.5 8.5 19"/>"#),
        // A prompt.
        Kind::Command => icon!(
            r#"<rect x="3" y="4.5" width="18" height="15" rx="3"/><path d="m7 9.5 3 2.5-3 2.5M12.5 15h4.5"/>"#
        ),
        // A chip.
        Kind::Other => icon!(
            r#"<rect x="6.5" y="6.5" width="11" height="11" rx="2.5"/><path d="M9.5 3.5v3M14.5 3.5v3M9.5 17.5v3M14.5 17.5v3M3.5 9.5h3M3.5 14.5h3M17.5 9.5h3M17.5 14.5h3"/>"#
        ),
    }
}

/// The broker: a shelf on which values stand.
pub(crate) const BROKER: &str = icon!(
    r#"<path d="M3.5 20.5h17M3.5 12.3h17M4.5 12.3v8.2M19.5 12.3v8.2"/><rect x="6.5" y="6.5" width="4.5" height="5.8" rx="1"/><rect x="13" y="8" width="4" height="4.3" rx="1"/><rect x="9.5" y="15.5" width="5" height="5" rx="1"/>"#
);
