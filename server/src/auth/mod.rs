//! Who may come: what `auth.*` says, and the checking of passwords on threads of their own.
//!
//! What somebody who has come may do is the broker's business; here its rules are only read ([`acl`]).

mod acl;
mod hash;
mod passwd;
mod passwords;

pub(crate) use passwd::passwd;

use crate::{
    config::{self, Anonymous},
    limits,
};
use anyhow::anyhow;
use hash::is_same;
use luxwire_broker::{Mechanism, Permissions, Refusal, ScramSha256, Verdict, Visitor};
use luxwire_shared::mqtt::Text;
use passwords::Passwords;
use sha2::{Digest as _, Sha256};
use std::{
    fmt::{self, Write as _},
    fs, io,
    net::SocketAddr,
    path::Path,
    rc::Rc,
    sync::Arc,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};
use tracing::warn;

/// The user as whom the server's own bridge, recorder and demo sign in, and in whose name HTTP asks the recorder. Nobody
/// else has its password, which is another at each start, and no rule applies to it.
pub(crate) const OWN_USER: &str = "luxwire";

/// What the files of `auth.*` say.
#[derive(Debug)]
pub(crate) struct Files {
    passwords: Option<Passwords>,
    permissions: Option<Permissions>,
}

/// Who of those on other machines is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FromElsewhere {
    Everybody,
    Users,
    Nobody,
}

/// Tells who may come.
#[derive(Debug)]
pub(crate) struct SignIn {
    anonymous: Anonymous,
    passwords: Option<Arc<Passwords>>,
    own_password: String,
    /// Room for passwords that are being checked.
    at_once: Arc<Semaphore>,
    /// Room for those that wait as well.
    in_all: Arc<Semaphore>,
}

impl Files {
    /// Reads them. Whatever is wrong with one of them, its setting is named: a server that starts without the rules that
    /// somebody wrote for it is worse than none.
    pub(crate) fn read(config: &config::Auth) -> anyhow::Result<Self> {
        let passwords =
            config.passwords.as_deref().map(|path| read("auth.passwords", path, Passwords::parse));
        let permissions = config.acl.as_deref().map(|path| read("auth.acl", path, acl::parse));
        let refusal = match config.refusal {
            config::Refusal::NotAuthorized => Refusal::NotAuthorized,
            config::Refusal::Unspecified => Refusal::Unspecified,
        };
        let permissions = permissions.transpose()?.map(|permissions| Permissions {
            unrestricted: Text::try_from(OWN_USER).ok(),
            refusal,
            ..permissions
        });
        let files = Self { passwords: passwords.transpose()?, permissions };
        for user in files.strangers() {
            warn!(user, "auth.acl has rules for a user who is not in auth.passwords and so never comes");
        }
        Ok(files)
    }

    /// Users with rules and without a password.
    fn strangers(&self) -> impl Iterator<Item = &str> {
        let users = self.permissions.iter().flat_map(|permissions| permissions.users.keys());
        let has_password = |user: &str| self.passwords.as_ref().is_some_and(|known| known.has(user));
        users.map(Text::as_str).filter(move |user| !has_password(user))
    }

    /// The ways of signing in that are exchanges.
    pub(crate) fn mechanisms(&self) -> anyhow::Result<Vec<Rc<dyn Mechanism>>> {
        let users = self.passwords.as_ref().map(Passwords::scram).unwrap_or_default();
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let mut decoy = [0; 32];
        getrandom::fill(&mut decoy).map_err(|error| anyhow!("the system gives no randomness: {error}"))?;
        Ok(vec![Rc::new(ScramSha256::new(users, decoy))])
    }

    /// What the broker goes by.
    pub(crate) fn permissions(&self) -> Option<Permissions> {
        self.permissions.clone()
    }

    /// What tells who may come.
    pub(crate) fn sign_in(self, anonymous: Anonymous) -> anyhow::Result<SignIn> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| anyhow!("the system gives no randomness: {error}"))?;
        let own_password = secret.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        Ok(SignIn {
            anonymous,
            passwords: self.passwords.map(Arc::new),
            own_password,
            at_once: Arc::new(Semaphore::new(limits::PASSWORD_CHECKS)),
            in_all: Arc::new(Semaphore::new(limits::PASSWORD_CHECKS + limits::PASSWORD_CHECKS_WAITING)),
        })
    }
}

impl SignIn {
    /// Whether somebody who comes from there must say who it is.
    pub(crate) fn visitor(&self, peer: SocketAddr) -> Visitor {
        // An IPv4 client of a listener for both is written as an IPv6 address.
        let is_loopback = peer.ip().to_canonical().is_loopback();
        match self.anonymous {
            Anonymous::Everywhere => Visitor::Anybody,
            Anonymous::Loopback if is_loopback => Visitor::Anybody,
            Anonymous::Loopback | Anonymous::Nowhere => Visitor::Stranger,
        }
    }

    /// Who of those on other machines is let in.
    pub(crate) fn admits_from_elsewhere(&self) -> FromElsewhere {
        match (self.anonymous, &self.passwords) {
            (Anonymous::Everywhere, _) => FromElsewhere::Everybody,
            (Anonymous::Loopback | Anonymous::Nowhere, Some(_)) => FromElsewhere::Users,
            (Anonymous::Loopback | Anonymous::Nowhere, None) => FromElsewhere::Nobody,
        }
    }

    /// The password of [`OWN_USER`].
    pub(crate) fn own_password(&self) -> &str {
        &self.own_password
    }

    /// The verdict, where it needs no calculation.
    pub(crate) fn at_once(&self, user: &str, password: Option<&[u8]>) -> Option<Verdict> {
        let is_own = user == OWN_USER && password.is_some_and(|given| self.is_own_password(given));
        match (&self.passwords, password) {
            _ if is_own => Some(Verdict::Right),
            (None, _) => Some(Verdict::NoMatter),
            (Some(_), None) => Some(Verdict::Wrong),
            (Some(_), Some(_)) if user == OWN_USER => Some(Verdict::Wrong),
            (Some(_), Some(_)) => None,
        }
    }

    /// Hashes first, so that the comparison has equal lengths.
    fn is_own_password(&self, given: &[u8]) -> bool {
        is_same(&Sha256::digest(given), &Sha256::digest(self.own_password.as_bytes()))
    }

    /// The verdict, calculated on another thread. No more than so many wait for theirs at once.
    pub(crate) async fn check(&self, user: String, password: Option<Vec<u8>>) -> Verdict {
        if let Some(verdict) = self.at_once(&user, password.as_deref()) {
            return verdict;
        }
        let (Some(passwords), Some(password)) = (self.passwords.clone(), password) else {
            return Verdict::Wrong;
        };
        let Ok(_place) = self.in_all.try_acquire() else { return Verdict::Busy };
        let Ok(at_once) = Arc::clone(&self.at_once).acquire_owned().await else { return Verdict::Busy };
        let check = move || {
            // Held until the calculation ends, even if whoever wanted to know has gone.
            let _at_once: OwnedSemaphorePermit = at_once;
            passwords.check(&user, &password)
        };
        match spawn_blocking(check).await {
            Ok(true) => Verdict::Right,
            Ok(false) | Err(_) => Verdict::Wrong,
        }
    }
}

/// What is wrong with a file, and where.
#[derive(Debug, PartialEq, Eq)]
struct LineError {
    line: usize,
    why: String,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// Reads a file that a setting names.
fn read<T>(
    setting: &str,
    path: &Path,
    parse: impl FnOnce(&str) -> Result<T, LineError>,
) -> anyhow::Result<T> {
    let failed = |why: &dyn fmt::Display| anyhow!("{setting}: {}: {why}", path.display());
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => failed(&"there is no such file"),
        _ => failed(&format_args!("cannot be read: {error}")),
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        failed(&LineError { line, why: "is not UTF-8".to_owned() })
    })?;
    parse(&text).map_err(|error| failed(&error))
}

/// The lines of a file, counted from 1, however they end. What stands behind the last line break is a line if there is
/// anything.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn sign_in(anonymous: Anonymous, passwords: Option<&str>) -> SignIn {
        let passwords = passwords.map(|text| Passwords::parse(text).expect("a password file"));
        Files { passwords, permissions: None }.sign_in(anonymous).expect("randomness")
    }

    #[test]
    fn who_comes_from_this_machine_need_not_sign_in() {
        let from = |ip: std::net::IpAddr| SocketAddr::new(ip, 1);
        let here = [
            Ipv4Addr::LOCALHOST.into(),
            Ipv4Addr::new(127, 9, 9, 9).into(),
            Ipv6Addr::LOCALHOST.into(),
            Ipv4Addr::LOCALHOST.to_ipv6_mapped().into(),
        ];
        let elsewhere = [
            Ipv4Addr::new(192, 168, 1, 2).into(),
            Ipv4Addr::new(192, 168, 1, 2).to_ipv6_mapped().into(),
            "fe80::1".parse().expect("an address"),
            Ipv4Addr::UNSPECIFIED.into(),
        ];
        for (anonymous, expected_here, expected_elsewhere) in [
            (Anonymous::Everywhere, Visitor::Anybody, Visitor::Anybody),
            (Anonymous::Loopback, Visitor::Anybody, Visitor::Stranger),
            (Anonymous::Nowhere, Visitor::Stranger, Visitor::Stranger),
        ] {
            let sign_in = sign_in(anonymous, None);
            for ip in here {
                assert_eq!(sign_in.visitor(from(ip)), expected_here, "{anonymous:?} {ip}");
            }
            for ip in elsewhere {
                assert_eq!(sign_in.visitor(from(ip)), expected_elsewhere, "{anonymous:?} {ip}");
            }
        }
    }

    #[tokio::test]
    async fn the_servers_own_user_needs_its_password() {
        for passwords in [None, Some("")] {
            let sign_in = sign_in(Anonymous::Nowhere, passwords);
            let own = sign_in.own_password().as_bytes().to_vec();
            assert_eq!(sign_in.check(OWN_USER.to_owned(), Some(own.clone())).await, Verdict::Right);
            for wrong in [None, Some(Vec::new()), Some(own[1..].to_vec())] {
                let verdict = sign_in.check(OWN_USER.to_owned(), wrong).await;
                assert_ne!(verdict, Verdict::Right);
            }
            assert_ne!(sign_in.check("anna".to_owned(), Some(own)).await, Verdict::Right);
        }
    }

    #[tokio::test]
    async fn no_more_than_so_many_wait() {
        let sign_in = sign_in(Anonymous::Nowhere, Some(""));
        let places = sign_in.in_all.available_permits();
        let others = sign_in.in_all.try_acquire_many(u32::try_from(places).expect("a few")).expect("free");
        assert_eq!(sign_in.check("anna".to_owned(), Some(b"x".to_vec())).await, Verdict::Busy);
        drop(others);
        assert_eq!(sign_in.check("anna".to_owned(), Some(b"x".to_vec())).await, Verdict::Wrong);
    }
}
