//! What is kept of a password: the forms of mosquitto_passwd and of PostgreSQL.
//!
//! ```text
//!   $6$SALT$HASH                                 SHA-512 of password and salt; mosquitto_passwd before 2.0
//!   $7$ITERATIONS$SALT$HASH                      PBKDF2 with HMAC-SHA-512; mosquitto_passwd since 2.0, luxwire passwd
//!   SCRAM-SHA-256$ITERATIONS:SALT$STORED:SERVER  RFC 5803 as PostgreSQL writes it; luxwire passwd --scram
//! ```

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use luxwire_broker::ScramCredential;
use sha2::{Digest as _, Sha512};
use std::{fmt, hint::black_box, num::NonZeroU32};

/// Recognises one password.
#[derive(Clone)]
pub(super) enum Hash {
    /// Fast to try out, and only read for the sake of old files.
    Sha512 {
        salt: Vec<u8>,
        hash: [u8; 64],
    },
    Pbkdf2 {
        iterations: NonZeroU32,
        salt: Vec<u8>,
        hash: [u8; 64],
    },
    /// The only one that also serves those who do not want to say their password.
    Scram(ScramCredential),
}

impl Hash {
    /// `None` if this is none of the forms.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("$6$") {
            let (salt, hash) = rest.split_once('$')?;
            return Some(Self::Sha512 { salt: decode_salt(salt)?, hash: decode(hash)? });
        }
        if let Some(rest) = text.strip_prefix("$7$") {
            let (iterations, rest) = rest.split_once('$')?;
            let (salt, hash) = rest.split_once('$')?;
            let iterations = parse_iterations(iterations)?;
            return Some(Self::Pbkdf2 { iterations, salt: decode_salt(salt)?, hash: decode(hash)? });
        }
        let (head, keys) = text.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
        let (iterations, salt) = head.split_once(':')?;
        let (stored_key, server_key) = keys.split_once(':')?;
        Some(Self::Scram(ScramCredential {
            salt: decode_salt(salt)?,
            iterations: parse_iterations(iterations)?,
            stored_key: decode(stored_key)?,
            server_key: decode(server_key)?,
        }))
    }

    /// With PBKDF2. The salt is random, and as long as the one salt that Mosquitto takes.
    pub(super) fn of(password: &str, salt: [u8; 12]) -> Self {
        let hash = pbkdf2(password.as_bytes(), &salt, ITERATIONS);
        Self::Pbkdf2 { iterations: ITERATIONS, salt: salt.to_vec(), hash }
    }

    /// The same for those who sign in by SCRAM.
    pub(super) fn scram_of(password: &str, salt: [u8; 16]) -> Self {
        Self::Scram(ScramCredential::of(password, salt.to_vec(), SCRAM_ITERATIONS))
    }

    /// Takes as long for a wrong password as for the right one.
    pub(super) fn is_of(&self, password: &[u8]) -> bool {
        match self {
            Self::Sha512 { salt, hash } => {
                is_same(&Sha512::new().chain_update(password).chain_update(salt).finalize(), hash)
            }
            Self::Pbkdf2 { iterations, salt, hash } => is_same(&pbkdf2(password, salt, *iterations), hash),
            Self::Scram(credential) => {
                // What is no text is nobody's password here; it is hashed all the same.
                let text = String::from_utf8_lossy(password);
                let found = ScramCredential::of(&text, credential.salt.clone(), credential.iterations);
                let is_same = is_same(&found.stored_key, &credential.stored_key);
                is_same && text.as_bytes() == password
            }
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base64 = |bytes: &[u8]| BASE64.encode(bytes);
        match self {
            Self::Sha512 { salt, hash } => write!(f, "$6${}${}", base64(salt), base64(hash)),
            Self::Pbkdf2 { iterations, salt, hash } => {
                write!(f, "$7${iterations}${}${}", base64(salt), base64(hash))
            }
            Self::Scram(ScramCredential { salt, iterations, stored_key, server_key }) => {
                let keys = format_args!("{}:{}", base64(stored_key), base64(server_key)).to_string();
                write!(f, "SCRAM-SHA-256${iterations}:{}${keys}", base64(salt))
            }
        }
    }
}

/// Never shown by accident.
impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha512 { .. } => "Sha512",
            Self::Pbkdf2 { .. } => "Pbkdf2",
            Self::Scram(_) => "Scram",
        })
    }
}

/// Looks at everything, wherever they differ.
pub(super) fn is_same(a: &[u8], b: &[u8]) -> bool {
    let difference = a.iter().zip(b).fold(0, |difference, (a, b)| black_box(difference | (a ^ b)));
    a.len() == b.len() && difference == 0
}

/// Some ten milliseconds: nothing for whoever knows the password, and two hundred times the work that a line of
/// mosquitto_passwd is for whoever tries out a stolen file.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(20_000).expect("not zero");

/// What RFC 7677 wants at least, and PostgreSQL takes: here it is the client, perhaps a small one, that calculates.
const SCRAM_ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("not zero");

/// A line that asks for more would keep a processor busy for seconds whenever somebody tries it.
const ITERATIONS_MAX: u32 = 5_000_000;

/// Longer than any that programs make.
const SALT_MAX: usize = 256;

fn parse_iterations(text: &str) -> Option<NonZeroU32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|iterations: &NonZeroU32| digits && iterations.get() <= ITERATIONS_MAX)
}

fn decode_salt(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok().filter(|salt| (1..=SALT_MAX).contains(&salt.len()))
}

fn decode<const LEN: usize>(text: &str) -> Option<[u8; LEN]> {
    BASE64.decode(text).ok()?.try_into().ok()
}

fn pbkdf2(password: &[u8], salt: &[u8], iterations: NonZeroU32) -> [u8; 64] {
    pbkdf2::pbkdf2_hmac_array::<Sha512, 64>(password, salt, iterations.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by mosquitto_passwd 2.0.11, the password being "secret", and the first by `-H sha512`.
    const SHA512: &str = "$6$AFUtS/CaiPqYULEt$NvQ12dBR7e8aAdFLuQhHI60uiUyzNSkB1vC53WhI4GkX2Y1z4jKiRyadir1jdLjpKKr77XuBW5PF7Jl9TFRHvg==";
    const PBKDF2: &str = "$7$101$N+5LYMCwLRYAXyfu$A3cO5ZzI53ktm8BiAjtwEbe/wzTWYThD3tHmJsC4Pjis5drsgHnbJ12BGq/bUb9STcBSzqoFeFLYnusDFniq6A==";
    // Section 3 of RFC 7677, the password being "pencil".
    const SCRAM: &str = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

    #[test]
    fn each_form_recognises_its_password_and_no_other() {
        for (text, password) in [(SHA512, "secret"), (PBKDF2, "secret"), (SCRAM, "pencil")] {
            let hash = Hash::parse(text).expect("a hash");
            assert_eq!(hash.to_string(), text);
            assert!(hash.is_of(password.as_bytes()), "{text}");
            for wrong in ["", "Secret", "secret ", "secre", "pencil ", text] {
                assert!(!hash.is_of(wrong.as_bytes()), "{text} {wrong}");
            }
            assert!(!hash.is_of(b"\xff"), "{text}");
        }
    }

    #[test]
    fn what_is_made_here_is_read_here() {
        for (hash, begin) in [
            (Hash::of("pässword", [7; 12]), "$7$20000$"),
            (Hash::scram_of("pässword", [7; 16]), "SCRAM-SHA-256$4096:"),
        ] {
            let text = hash.to_string();
            assert!(text.starts_with(begin), "{text}");
            let read = Hash::parse(&text).expect("a hash");
            assert!(read.is_of("pässword".as_bytes()) && !read.is_of("pa\u{308}ssword".as_bytes()));
            // No secret in a log.
            assert!(!format!("{read:?}").contains(&text[9..]));
        }
    }

    #[test]
    fn whatever_is_cut_or_changed_is_refused() {
        for text in [SHA512, PBKDF2, SCRAM] {
            for end in 0..text.len() {
                assert!(Hash::parse(&text[..end]).is_none(), "{}", &text[..end]);
            }
            for wrong in [format!("{text}$"), format!("{text}A"), format!(" {text}"), format!("{text} ")] {
                assert!(Hash::parse(&wrong).is_none(), "{wrong}");
            }
        }
        for wrong in [
            "secret",
            "",
            "$1$abc$def",
            "$7$0$c2FsdA==$",
            "$7$+101$c2FsdA==$",
            "$6$$",
            "SCRAM-SHA-1$4096:c2FsdA==$a:b",
        ] {
            assert!(Hash::parse(wrong).is_none(), "{wrong}");
        }
        for iterations in ["0", "-1", "+101", "5000001", "4294967296", "1e3", " 101", ""] {
            let text = PBKDF2.replacen("$101$", &format!("${iterations}$"), 1);
            assert!(text != PBKDF2 && Hash::parse(&text).is_none(), "{text}");
        }
    }
}
