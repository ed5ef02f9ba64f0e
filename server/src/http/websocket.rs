//! The WebSocket handshake: `GET /mqtt`, and an upgrade on `/`. RFC 6455 section 4.2, MQTT section 6.
//!
//! What comes after it is the business of the link, which gets the bare socket: HTTP has no part in it any more.

use super::{Peer, Problem, origin::Origins};
use crate::shard::{Door, NewLink, Place};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hyper::upgrade::{self, OnUpgrade};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::{net::TcpStream, spawn};
use tracing::debug;
use tungstenite::handshake::derive_accept_key;

/// The subprotocols that we speak. `mqttv3.1` is what clients of the first days say; the packets are the same.
const SUBPROTOCOLS: [&str; 2] = ["mqtt", "mqttv3.1"];

/// `GET /mqtt`.
pub(super) async fn mqtt(
    State(door): State<Door>,
    State(origins): State<Arc<Origins>>,
    request: Request,
) -> Response {
    handshake(&door, &origins, request).unwrap_or_else(|refusal| *refusal)
}

/// Whether a request wants to become a WebSocket.
pub(super) fn is_asked_for(headers: &HeaderMap) -> bool {
    has_word(headers, header::UPGRADE, "websocket")
}

/// Answers the handshake and hands the connection over once the answer is out.
pub(super) fn handshake(
    door: &Door,
    origins: &Origins,
    mut request: Request,
) -> Result<Response, Box<Response>> {
    let headers = request.headers();
    let can_upgrade = request.method() == Method::GET && request.version() >= Version::HTTP_11;
    if !can_upgrade || !is_asked_for(headers) || !has_word(headers, header::CONNECTION, "upgrade") {
        return Err(refuse(
            StatusCode::UPGRADE_REQUIRED,
            "this path speaks MQTT over WebSocket; upgrade to websocket",
        ));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != WEBSOCKET_VERSION) {
        return Err(refuse(StatusCode::UPGRADE_REQUIRED, "this server speaks version 13 of WebSocket"));
    }
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| is_key(key)) else {
        return Err(refuse(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key must be 16 bytes in base64"));
    };
    origins.check(headers).map_err(|why| refuse(StatusCode::FORBIDDEN, &why))?;
    let subprotocol = subprotocol(headers)
        .map_err(|()| refuse(StatusCode::BAD_REQUEST, "this server speaks the WebSocket subprotocol mqtt"))?;
    let Some(peer) = request.extensions().get::<Peer>().copied() else {
        return Err(refuse(StatusCode::INTERNAL_SERVER_ERROR, "the connection has no address"));
    };
    let Some(place) = door.enter(peer.0) else {
        return Err(refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many MQTT connections are open; try again later",
        ));
    };

    let mut answer = HeaderMap::new();
    answer.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    answer.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes())).expect("base64 is visible ASCII");
    answer.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(subprotocol) = subprotocol {
        // [MQTT-6.0.0-4], 3.1.1: [MQTT-6.0.0-4]
        answer.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
    }
    spawn(hand_over(upgrade::on(&mut request), peer, place, door.clone()));
    Ok((StatusCode::SWITCHING_PROTOCOLS, answer).into_response())
}

/// hyper gives the socket back, with what came behind the handshake.
async fn hand_over(upgraded: OnUpgrade, peer: Peer, place: Place, door: Door) {
    let upgraded = match upgraded.await {
        Ok(upgraded) => upgraded,
        Err(error) => return debug!(peer = %peer.0, %error, "connection gone during the WebSocket handshake"),
    };
    let parts = upgraded
        .downcast::<TokioIo<TcpStream>>()
        .expect("every HTTP connection is served on a TokioIo<TcpStream>, by crate::listen::http");
    let socket = match parts.io.into_inner().into_std() {
        Ok(socket) => mio::net::TcpStream::from_std(socket),
        Err(error) => return debug!(peer = %peer.0, %error, "connection gone behind the WebSocket handshake"),
    };
    let new = NewLink { socket, peer: peer.0, websocket: Some(parts.read_buf), place };
    // An error says that the program stops, and the connection with it.
    let _ = door.open(new).await;
}

/// The first of the client's subprotocols that we speak; `Err` if it offers only others.
///
/// A client that offers none is let in without one: tools for trying things out often cannot offer any, and a browser
/// that offers `mqtt` never comes here. Whoever names another protocol would only misunderstand us. [MQTT-6.0.0-3]
/// 3.1.1: [MQTT-6.0.0-3]
fn subprotocol(headers: &HeaderMap) -> Result<Option<&'static str>, ()> {
    let mut offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().peekable();
    if offered.peek().is_none() {
        return Ok(None);
    }
    offered
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
        .find_map(|name| SUBPROTOCOLS.into_iter().find(|ours| *ours == name.trim()))
        .map(Some)
        .ok_or(())
}

fn refuse(status: StatusCode, detail: &str) -> Box<Response> {
    let mut response = Problem::new(status, detail).into_response();
    if status == StatusCode::UPGRADE_REQUIRED {
        let headers = response.headers_mut();
        // The two belong together: RFC 9110, section 7.8.
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static(WEBSOCKET_VERSION));
    }
    Box::new(response)
}

fn is_key(key: &HeaderValue) -> bool {
    BASE64.decode(key.as_bytes()).is_ok_and(|bytes| bytes.len() == 16)
}

fn has_word(headers: &HeaderMap, name: header::HeaderName, word: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(word))
}

const WEBSOCKET_VERSION: &str = "13";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_subprotocol_that_we_speak_is_taken() {
        let check = |offered: &[&'static str], taken: Result<Option<&str>, ()>| {
            let mut headers = HeaderMap::new();
            for list in offered {
                headers.append(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(list));
            }
            assert_eq!(subprotocol(&headers), taken, "{offered:?}");
        };
        check(&[], Ok(None));
        check(&["mqtt"], Ok(Some("mqtt")));
        check(&["mqttv3.1, mqtt"], Ok(Some("mqttv3.1")));
        check(&["chat, mqtt"], Ok(Some("mqtt")));
        check(&["chat", "mqtt"], Ok(Some("mqtt")));
        check(&["chat"], Err(()));
        check(&["MQTT"], Err(()));
        check(&[""], Err(()));
    }
}
