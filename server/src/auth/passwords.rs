//! Password files as mosquitto_passwd writes them: `USER:HASH`, a line each.
//!
//! A line that makes no sense is an error, never skipped: it may be the half of a file that somebody relied on.

use super::{LineError, OWN_USER, hash::Hash, lines};
use luxwire_broker::ScramCredential;
use luxwire_shared::mqtt::Text;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Who has which password.
#[derive(Clone, Debug, Default)]
pub(super) struct Passwords(BTreeMap<String, Hash>);

impl Passwords {
    pub(super) fn parse(text: &str) -> Result<Self, LineError> {
        let mut users = BTreeMap::new();
        for (line, text) in lines(text) {
            // What stands in the line is not repeated: it may be a password.
            let wrong = |why: String| LineError { line, why };
            let (user, hash) = text.split_once(':').ok_or_else(|| {
                wrong(match text {
                    "" => "is empty; remove it".to_owned(),
                    _ => "is not USER:HASH".to_owned(),
                })
            })?;
            check_user(user).map_err(|why| wrong(why.to_owned()))?;
            let hash = Hash::parse(hash).ok_or_else(|| {
                wrong(format!(
                    "what stands behind {user:?} is no hash of a password, or not all of it; \
                    make it anew with: luxwire passwd FILE {user}"
                ))
            })?;
            if users.insert(user.to_owned(), hash).is_some() {
                return Err(wrong(format!("{user:?} is there already")));
            }
        }
        Ok(Self(users))
    }

    /// What is written into a file.
    pub(super) fn to_text(&self) -> String {
        self.0.iter().map(|(user, hash)| format!("{user}:{hash}\n")).collect()
    }

    /// Says whether the user is new.
    pub(super) fn set(&mut self, user: &str, hash: Hash) -> bool {
        self.0.insert(user.to_owned(), hash).is_none()
    }

    /// Says whether there was one.
    pub(super) fn remove(&mut self, user: &str) -> bool {
        self.0.remove(user).is_some()
    }

    pub(super) fn has(&self, user: &str) -> bool {
        self.0.contains_key(user)
    }

    /// Takes its time. For a user who does not exist it calculates as well, so that the time tells nobody who does.
    pub(super) fn check(&self, user: &str, password: &[u8]) -> bool {
        match self.0.get(user) {
            Some(hash) => hash.is_of(password),
            None => {
                if let Some(decoy) = self.decoy(user) {
                    decoy.is_of(password);
                }
                false
            }
        }
    }

    /// Always the same for the same name, since files may hold hashes of different cost.
    fn decoy(&self, user: &str) -> Option<&Hash> {
        let number =
            Sha256::digest(user).iter().fold(0, |number: usize, byte| number << 8 ^ usize::from(*byte));
        self.0.values().nth(number.checked_rem(self.0.len())?)
    }

    /// Those who can sign in without saying their password.
    pub(super) fn scram(&self) -> BTreeMap<String, ScramCredential> {
        let users = self.0.iter().filter_map(|(user, hash)| match hash {
            Hash::Scram(credential) => Some((user.clone(), credential.clone())),
            Hash::Sha512 { .. } | Hash::Pbkdf2 { .. } => None,
        });
        users.collect()
    }
}

/// Why nobody can have this name.
pub(super) fn check_user(user: &str) -> Result<(), &'static str> {
    if user.is_empty() {
        Err("there is no user name before the colon")
    } else if user == OWN_USER {
        Err("the name luxwire is the server's own; choose another")
    } else if user.contains(':') || user.chars().any(char::is_control) || Text::try_from(user).is_err() {
        Err("a user name has no colon and no control characters, and at most 65,535 bytes")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$6$AFUtS/CaiPqYULEt$NvQ12dBR7e8aAdFLuQhHI60uiUyzNSkB1vC53WhI4GkX2Y1z4jKiRyadir1jdLjpKKr77XuBW5PF7Jl9TFRHvg==";

    #[test]
    fn a_file_of_mosquitto_passwd_is_read() {
        let text = format!("anna:{HASH}\nbert k:{HASH}\r\nc,=d:{HASH}");
        let passwords = Passwords::parse(&text).expect("a good file");
        for user in ["anna", "bert k", "c,=d"] {
            assert!(passwords.check(user, b"secret") && !passwords.check(user, b"Secret"), "{user}");
        }
        for user in ["", "bert", "bert k\r", "dora", OWN_USER] {
            assert!(!passwords.check(user, b"secret"), "{user}");
        }
        assert!(passwords.scram().is_empty());
        let again = Passwords::parse(&passwords.to_text()).expect("a good file");
        assert_eq!(again.to_text(), passwords.to_text());
        assert!(!Passwords::parse("").expect("nobody").check("anna", b""));
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named() {
        let good = format!("anna:{HASH}\n");
        for (bad, words) in [
            ("\n", "is empty"),
            ("\r\n", "is empty"),
            ("   \n", "is not USER:HASH"),
            ("bert\n", "is not USER:HASH"),
            ("bert:\n", "no hash"),
            ("bert:hunter2\n", "luxwire passwd FILE bert"),
            ("# a comment\n", "is not USER:HASH"),
            (&format!("bert:{HASH}:x\n"), "no hash"),
            (&format!("bert:{HASH} \n"), "no hash"),
            (&format!(":{HASH}\n"), "no user name"),
            (&format!("luxwire:{HASH}\n"), "the server's own"),
            (&format!("b\u{1b}[2J:{HASH}\n"), "no control characters"),
            (&format!("b\0:{HASH}\n"), "no control characters"),
            (&good, "is there already"),
        ] {
            for rest in ["", &format!("carl:{HASH}\n")] {
                let error = Passwords::parse(&format!("{good}{bad}{rest}")).expect_err(bad);
                assert_eq!(error.line, 2, "{bad}");
                assert!(error.why.contains(words), "{bad}: {error}");
                assert!(!error.why.contains("hunter2") && !error.why.contains('\u{1b}'), "{error}");
            }
        }
        assert_eq!(Passwords::parse("\n").expect_err("empty").line, 1);
    }
}
