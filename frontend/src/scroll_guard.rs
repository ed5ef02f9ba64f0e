//! Tells a finger that scrolls the page from one that slides the bar.
//!
//! A range input jumps to where a finger lands, before anybody knows where the finger is going. On a phone the bars fill
//! the width, so every other scroll would change a light. Values are therefore held back until the finger has moved
//! sideways or has left; a finger that the browser takes for scrolling (`pointercancel`) changes nothing.
//!
//! A mouse or a key has nothing to do with this.

/// Watches one finger.
#[derive(Debug, Default)]
pub(crate) enum ScrollGuard {
    /// Values pass.
    #[default]
    Open,
    /// A finger landed here, and the slider went to `value` with it.
    Undecided { x: i32, value: Option<u8> },
}

/// From here on a finger slides. Browsers take up to 15 px to find out that it scrolls, but first move is what counts:
/// whoever scrolls drifts sideways by less.
const SLIDES_PX: u32 = 6;

impl ScrollGuard {
    /// A finger lands.
    pub(crate) fn down(&mut self, x: i32) {
        *self = Self::Undecided { x, value: None };
    }

    /// The slider says `value`; gives it back if it is meant.
    pub(crate) fn input(&mut self, value: u8) -> Option<u8> {
        match self {
            Self::Open => Some(value),
            Self::Undecided { value: held, .. } => {
                *held = Some(value);
                None
            }
        }
    }

    /// The finger moves; gives the value that was held back, once it is meant.
    pub(crate) fn moved(&mut self, to_x: i32) -> Option<u8> {
        match self {
            Self::Undecided { x, .. } if x.abs_diff(to_x) >= SLIDES_PX => self.up(),
            Self::Open | Self::Undecided { .. } => None,
        }
    }

    /// The finger leaves: it has tapped, or slid. Gives the value that was held back.
    pub(crate) fn up(&mut self) -> Option<u8> {
        match std::mem::take(self) {
            Self::Open => None,
            Self::Undecided { value, .. } => value,
        }
    }

    /// The browser scrolls with this finger. Says whether the slider is to go back to where it was.
    pub(crate) fn cancel(&mut self) -> bool {
        matches!(std::mem::take(self), Self::Undecided { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::ScrollGuard;

    #[test]
    fn a_mouse_or_a_key_is_not_held_back() {
        assert_eq!(ScrollGuard::default().input(40), Some(40));
    }

    #[test]
    fn a_finger_that_scrolls_changes_nothing() {
        let mut guard = ScrollGuard::default();
        guard.down(100);
        assert_eq!(guard.input(29), None);
        assert_eq!(guard.moved(103), None);
        assert!(guard.cancel(), "the slider goes back");
        assert_eq!(guard.up(), None);
    }

    #[test]
    fn a_finger_that_slides_is_followed_from_where_it_landed() {
        let mut guard = ScrollGuard::default();
        guard.down(100);
        assert_eq!(guard.input(29), None);
        assert_eq!(guard.moved(92), Some(29));
        assert_eq!(guard.input(27), Some(27));
        assert!(!guard.cancel(), "what was set stays set");
    }

    #[test]
    fn a_tap_counts_when_the_finger_leaves() {
        let mut guard = ScrollGuard::default();
        guard.down(100);
        assert_eq!(guard.input(29), None);
        assert_eq!(guard.up(), Some(29));
    }

    #[test]
    fn a_tap_on_the_present_value_changes_nothing() {
        let mut guard = ScrollGuard::default();
        guard.down(100);
        assert_eq!(guard.up(), None);
    }
}
