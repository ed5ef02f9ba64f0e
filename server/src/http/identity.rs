//! Who asks over HTTP: somebody who signs in with each request (RFC 7617, `Basic`), or nobody in particular.
//!
//! There are no tokens: `Bearer` is refused. What whoever it is may do is the broker's business.

use super::{Peer, Problem, Web};
use crate::{
    auth::{OWN_USER, SignIn},
    shard::{NotPermitted, Reader},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use luxwire_broker::{Verdict, Visitor};
use luxwire_shared::mqtt::Text;
use std::sync::Arc;

/// Whoever sent a request; every request to the interface carries it.
#[derive(Clone, Debug)]
pub(super) struct Identity(Option<Text>);

impl Identity {
    /// The server itself, on behalf of somebody whose rights were looked at.
    pub(super) fn own() -> Self {
        Self(Text::try_from(OWN_USER).ok())
    }

    /// As the broker is told it of a client.
    pub(super) fn visitor(self) -> Visitor {
        self.0.map_or(Visitor::Anybody, Visitor::User)
    }

    /// As the broker is told it of whoever reads values.
    pub(super) fn reader(self) -> Reader {
        self.0
    }
}

/// Finds out who asks, and refuses whom it cannot find out about and has to.
pub(super) async fn check(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let Some(peer) = request.extensions().get::<Peer>().copied() else {
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "nobody knows where this comes from")
            .into_response();
    };
    match identify(&web.sign_in, peer, request.headers()).await {
        Ok(identity) => {
            request.extensions_mut().insert(identity);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn identify(sign_in: &Arc<SignIn>, Peer(peer): Peer, headers: &HeaderMap) -> Result<Identity, Problem> {
    let nobody = || match sign_in.visitor(peer) {
        Visitor::Anybody => Ok(Identity(None)),
        Visitor::User(_) | Visitor::Stranger => Err(unauthorized("whoever comes from there must sign in")),
    };
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let Some(credentials) = given.next() else { return nobody() };
    let (user, password) = basic(credentials).filter(|_| given.next().is_none()).ok_or_else(|| {
        unauthorized("the Authorization header is none that is understood here, which is Basic")
    })?;
    match sign_in.check(user.clone(), Some(password)).await {
        Verdict::Right => Ok(Identity(Text::try_from(user.as_str()).ok())),
        // As over MQTT, where names mean nothing as long as nobody has a password.
        Verdict::NoMatter => nobody(),
        Verdict::Wrong => Err(unauthorized("name or password is wrong")),
        Verdict::Busy => {
            let detail = "too many want to sign in at once; try again later";
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).with(header::RETRY_AFTER, "5"))
        }
    }
}

/// The password may have colons, the name has none.
fn basic(credentials: &HeaderValue) -> Option<(String, Vec<u8>)> {
    let (scheme, encoded) = credentials.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let mut user = BASE64.decode(encoded.trim_matches(' ')).ok()?;
    let colon = user.iter().position(|byte| *byte == b':')?;
    let password = user.split_off(colon + 1);
    user.pop();
    Some((String::from_utf8(user).ok()?, password))
}

/// 401 with how to sign in.
pub(super) fn unauthorized(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, detail)
        .with(header::WWW_AUTHENTICATE, "Basic realm=\"Luxwire\", charset=\"UTF-8\"")
}

/// 403, whatever it was about.
pub(super) fn forbidden() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "this is not permitted")
}

impl From<NotPermitted> for Problem {
    fn from(_: NotPermitted) -> Self {
        forbidden()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_a_name_and_a_password() {
        let check = |header: &str, expected: Option<(&str, &[u8])>| {
            let found = basic(&HeaderValue::from_str(header).expect("a header"));
            let expected = expected.map(|(user, password)| (user.to_owned(), password.to_vec()));
            assert_eq!(found, expected, "{header}");
        };
        let encoded = |bytes: &[u8]| BASE64.encode(bytes);
        check(&format!("Basic {}", encoded(b"anna:secret")), Some(("anna", b"secret")));
        check(&format!("bAsIc  {} ", encoded(b"anna:a:b:")), Some(("anna", b"a:b:")));
        check(
            &format!("Basic {}", encoded("änna:\u{20ac}".as_bytes())),
            Some(("änna", "\u{20ac}".as_bytes())),
        );
        check(&format!("Basic {}", encoded(b":")), Some(("", b"")));
        check(&format!("Basic {}", encoded(b"anna:\xff")), Some(("anna", b"\xff")));
        check(&format!("Basic {}", encoded(b"\xff:secret")), None);
        check(&format!("Basic {}", encoded(b"anna")), None);
        check(&format!("Bearer {}", encoded(b"anna:secret")), None);
        for broken in ["Basic", "Basic ", "Basic YW5u", "Basic =", "Basic YW5uYTpzZWNyZXQ", "", "anna:secret"]
        {
            check(broken, None);
        }
    }
}
