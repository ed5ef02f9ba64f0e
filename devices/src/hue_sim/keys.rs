//! The link button and the keys that applications get while it counts as pressed.

use super::{date::iso, limits};
use luxwire_shared::time::{Instant, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What an application got when it was paired.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Key {
    /// v1's user name, v2's application key.
    pub(crate) key: String,
    /// What the application calls itself.
    pub(crate) device_type: String,
    pub(crate) created: String,
    /// For entertainment areas, which this hub does not have; clients ask for it all the same.
    pub(crate) client_key: String,
}

/// Why an application got no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoKey {
    NotPressed,
    TooMany,
}

/// All keys, and the button.
#[derive(Debug)]
pub(crate) struct Keys {
    keys: Vec<Key>,
    pressed_until: Option<Instant>,
    seed: [u8; 32],
    drawn: u64,
}

impl Keys {
    /// `seed` must be random: keys are drawn from it.
    pub(crate) fn new(keys: Vec<Key>, seed: [u8; 32]) -> Self {
        Self { keys, pressed_until: None, seed, drawn: 0 }
    }

    pub(crate) fn all(&self) -> &[Key] {
        &self.keys
    }

    pub(crate) fn knows(&self, key: &str) -> bool {
        self.keys.iter().any(|known| known.key == key)
    }

    pub(crate) fn press(&mut self, now: Instant) {
        self.pressed_until = Some(now + limits::BUTTON);
    }

    /// Until when the button counts as pressed, if it does.
    pub(crate) fn pressed_until(&self, now: Instant) -> Option<Instant> {
        self.pressed_until.filter(|until| *until > now)
    }

    /// Gives out a key, if somebody pressed the button.
    pub(crate) fn pair(&mut self, now: Instant, wall: Timestamp, device_type: &str) -> Result<Key, NoKey> {
        if self.pressed_until(now).is_none() {
            return Err(NoKey::NotPressed);
        }
        if self.keys.len() >= limits::KEYS {
            return Err(NoKey::TooMany);
        }
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-A";
        let letters = |digest: [u8; 32]| digest.map(|byte| char::from(ALPHABET[usize::from(byte % 64)]));
        let text: String = letters(self.draw()).into_iter().chain(letters(self.draw())).take(40).collect();
        let client_key = self.draw()[..16].iter().map(|byte| format!("{byte:02X}")).collect();
        let key = Key { key: text, device_type: device_type.into(), created: iso(wall), client_key };
        self.keys.push(key.clone());
        Ok(key)
    }

    fn draw(&mut self) -> [u8; 32] {
        self.drawn += 1;
        Sha256::new().chain_update(self.seed).chain_update(self.drawn.to_be_bytes()).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Timestamp = Timestamp::from_unix_millis(0);

    #[test]
    fn the_button_counts_for_thirty_seconds() {
        let mut keys = Keys::new(Vec::new(), [7; 32]);
        assert_eq!(keys.pair(Instant::START, WALL, "app"), Err(NoKey::NotPressed));
        keys.press(Instant::from_millis(1_000));
        let key = keys.pair(Instant::from_millis(30_999), WALL, "app").unwrap();
        assert!(keys.knows(&key.key) && key.key.len() == 40 && key.client_key.len() == 32);
        assert_eq!(keys.pair(Instant::from_millis(31_000), WALL, "app"), Err(NoKey::NotPressed));
    }

    #[test]
    fn no_two_keys_are_alike_and_there_is_a_last_one() {
        let mut keys = Keys::new(Vec::new(), [7; 32]);
        keys.press(Instant::START);
        for _ in 0..limits::KEYS {
            keys.pair(Instant::START, WALL, "app").unwrap();
        }
        let different: std::collections::BTreeSet<_> = keys.all().iter().map(|key| &key.key).collect();
        assert_eq!(different.len(), limits::KEYS);
        assert_eq!(keys.pair(Instant::START, WALL, "app"), Err(NoKey::TooMany));
    }
}
