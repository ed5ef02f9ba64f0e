//! SCRAM-SHA-256 (RFC 5802, RFC 7677): client and server show each other that both know a password, which neither says,
//! and of which the server keeps no more than is needed to recognise it.
//!
//! Channels are not bound: MQTT has no way to say of which kind the channel is. User names are compared byte by byte.

use crate::auth::{Exchange, Mechanism, Step};
use alloc::{
    borrow::ToOwned as _,
    boxed::Box,
    collections::BTreeMap,
    format,
    string::{String, ToString as _},
    vec::Vec,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use core::{fmt, num::NonZeroU32};
use hmac::{Hmac, Mac as _};
use luxwire_shared::mqtt::Text;
use sha2::{Digest as _, Sha256};

/// The mechanism `SCRAM-SHA-256` with those who may come.
pub struct ScramSha256 {
    users: BTreeMap<String, ScramCredential>,
    /// Makes salts for users that do not exist, always the same for the same name, so that nobody learns who exists.
    decoy: [u8; 32],
}

/// What the server keeps of a user's password.
#[derive(Clone)]
pub struct ScramCredential {
    /// As random as it is long.
    pub salt: Vec<u8>,
    /// How often the password is hashed; RFC 7677 wants 4096 at least.
    pub iterations: NonZeroU32,
    /// Recognises the client.
    pub stored_key: [u8; 32],
    /// Shows the client that we know it.
    pub server_key: [u8; 32],
}

impl ScramCredential {
    /// What to keep of this password, in the form that `SASLprep` gives it.
    pub fn of(password: &str, salt: Vec<u8>, iterations: NonZeroU32) -> Self {
        let mut salted = [0; 32];
        // Fails only for output of more than 2^32 blocks.
        let _ = pbkdf2::pbkdf2::<Hmac<Sha256>>(password.as_bytes(), &salt, iterations.get(), &mut salted);
        let stored_key = Sha256::digest(hmac(&salted, b"Client Key")).into();
        Self { salt, iterations, stored_key, server_key: hmac(&salted, b"Server Key") }
    }
}

impl ScramSha256 {
    /// For these users. `decoy` is random and stays the same for as long as the users do.
    pub fn new(users: BTreeMap<String, ScramCredential>, decoy: [u8; 32]) -> Self {
        Self { users, decoy }
    }

    /// `client-first-message`: `n,,n=user,r=nonce`.
    fn first(&self, our_nonce: &str, data: &[u8]) -> Option<(String, ClientFinal)> {
        let message = str::from_utf8(data).ok()?;
        let (binding, rest) = message.split_once(',')?;
        // `y` is a client that could bind the channel and has seen that we do not offer it.
        if !matches!(binding, "n" | "y") {
            return None;
        }
        let (authorization, bare) = rest.split_once(',')?;
        let mut attributes = bare.split(',');
        // An extension that we must understand, `m=`, would stand before the name, and is refused like anything else.
        let name = attributes.next()?.strip_prefix("n=")?;
        let their_nonce = attributes.next()?.strip_prefix("r=")?;
        let printable = |byte: u8| matches!(byte, 0x21..=0x2B | 0x2D..=0x7E);
        if their_nonce.is_empty() || their_nonce.len() > NONCE_MAX || !their_nonce.bytes().all(printable) {
            return None;
        }
        let user = unescape(name).filter(|user| !user.is_empty())?;
        // Whoever wants to act for another cannot.
        if !authorization.is_empty() && unescape(authorization.strip_prefix("a=")?)? != user {
            return None;
        }
        let known = self.users.get(&user).cloned();
        let credential = known.clone().unwrap_or_else(|| self.decoy(&user));
        let nonce = format!("{their_nonce}{our_nonce}");
        let server_first =
            format!("r={nonce},s={},i={}", BASE64.encode(&credential.salt), credential.iterations);
        let awaited = ClientFinal {
            user: known.map(|_| user),
            credential,
            nonce,
            header: message[..message.len() - bare.len()].to_owned(),
            so_far: format!("{bare},{server_first}"),
        };
        Some((server_first, awaited))
    }

    /// Looks like a user's, and no password leads to it.
    fn decoy(&self, user: &str) -> ScramCredential {
        let salt = hmac(&self.decoy, user.as_bytes());
        let iterations = self.users.values().map(|user| user.iterations).max().unwrap_or(ITERATIONS);
        let salt_len = self.users.values().next().map_or(16, |user| user.salt.len().min(salt.len()));
        ScramCredential {
            salt: salt[..salt_len].to_vec(),
            iterations,
            stored_key: hmac(&self.decoy, &salt),
            server_key: self.decoy,
        }
    }
}

impl Mechanism for ScramSha256 {
    fn name(&self) -> &str {
        "SCRAM-SHA-256"
    }

    fn begin(&self, nonce: u128, data: &[u8]) -> Step {
        match self.first(&BASE64.encode(nonce.to_be_bytes()), data) {
            Some((question, awaited)) => Step::Ask { data: question.into(), exchange: Box::new(awaited) },
            None => Step::Refuse,
        }
    }
}

/// Waits for `client-final-message`.
struct ClientFinal {
    /// `None` for one that does not exist.
    user: Option<String>,
    credential: ScramCredential,
    nonce: String,
    /// The beginning of the client's first message, which it repeats.
    header: String,
    /// What is signed, without the client's last message.
    so_far: String,
}

impl ClientFinal {
    /// `c=header,r=nonce,p=proof`; gives the user and `server-final-message`.
    fn check(self, data: &[u8]) -> Option<(Text, String)> {
        let message = str::from_utf8(data).ok()?;
        let (without_proof, proof) = message.rsplit_once(",p=")?;
        let mut attributes = without_proof.split(',');
        let header = BASE64.decode(attributes.next()?.strip_prefix("c=")?).ok()?;
        let nonce = attributes.next()?.strip_prefix("r=")?;
        if header != self.header.as_bytes() || nonce != self.nonce {
            return None;
        }
        let proof: [u8; 32] = BASE64.decode(proof).ok()?.try_into().ok()?;
        let signed = format!("{},{without_proof}", self.so_far);
        let signature = hmac(&self.credential.stored_key, signed.as_bytes());
        let mut client_key = proof;
        client_key.iter_mut().zip(signature).for_each(|(byte, with)| *byte ^= with);
        let stored_key: [u8; 32] = Sha256::digest(client_key).into();
        if !is_same(&stored_key, &self.credential.stored_key) {
            return None;
        }
        let user = Text::try_from(self.user?.as_str()).ok()?;
        let signature = hmac(&self.credential.server_key, signed.as_bytes());
        Some((user, format!("v={}", BASE64.encode(signature))))
    }
}

impl Exchange for ClientFinal {
    fn go_on(self: Box<Self>, data: &[u8]) -> Step {
        match self.check(data) {
            Some((user, data)) => Step::Accept { user, data: data.into() },
            None => Step::Refuse,
        }
    }
}

/// No password and nothing made from one is ever shown.
impl fmt::Debug for ScramSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramSha256").field("users", &self.users.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ScramCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramCredential").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientFinal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientFinal").field("user", &self.user).finish_non_exhaustive()
    }
}

/// The longest nonce of a client: theirs are some twenty to forty bytes, and ours repeats it.
const NONCE_MAX: usize = 256;

/// What RFC 7677 wants at least.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("not zero");

fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Takes the same time wherever they differ.
fn is_same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// A name in which `,` is `=2C` and `=` is `=3D`.
fn unescape(name: &str) -> Option<String> {
    let mut pieces = name.split('=');
    let mut plain = pieces.next()?.to_string();
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2)?;
        plain.push(match code {
            "2C" => ',',
            "3D" => '=',
            _ => return None,
        });
        plain.push_str(rest);
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Section 3 of RFC 7677.
    #[test]
    fn the_example_of_the_standard() {
        let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").expect("base64");
        let credential = ScramCredential::of("pencil", salt, ITERATIONS);
        let scram = ScramSha256::new(BTreeMap::from([("user".to_owned(), credential)]), [0; 32]);
        let (question, exchange) = scram
            .first("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
            .expect("well formed");
        assert_eq!(
            question,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        let answer = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                       p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        let (user, last) = exchange.check(answer).expect("the right password");
        assert_eq!(user.as_str(), "user");
        assert_eq!(last, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn names_with_commas_and_equals_signs_are_escaped() {
        assert_eq!(unescape("a=2Cb=3D").as_deref(), Some("a,b="));
        for wrong in ["=", "a=2", "=2c", "=é", "=41"] {
            assert_eq!(unescape(wrong), None, "{wrong}");
        }
    }
}
