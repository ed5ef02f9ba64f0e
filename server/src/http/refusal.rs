//! What the broker says to a client it refuses, in the words of HTTP.

use super::{
    Problem,
    identity::{forbidden, unauthorized},
};
use axum::http::{StatusCode, header};
use luxwire_shared::mqtt::ReasonCode;

/// The problem that a failure of MQTT is.
pub(super) fn problem(reason: ReasonCode) -> Problem {
    let (status, detail) = match reason {
        // The second is what the first becomes with `auth.refusal`.
        ReasonCode::NotAuthorized | ReasonCode::Unspecified => return forbidden(),
        ReasonCode::BadUserNameOrPassword | ReasonCode::BadAuthenticationMethod => {
            return unauthorized("name or password is wrong");
        }
        ReasonCode::Banned => (StatusCode::FORBIDDEN, "this client is shut out"),
        ReasonCode::TopicNameInvalid => (
            StatusCode::BAD_REQUEST,
            "the broker does not take this topic: those below $SYS are its own, and it alone sets them",
        ),
        ReasonCode::TopicFilterInvalid => (
            StatusCode::BAD_REQUEST,
            "the broker does not take this filter: it is too long or has too many levels",
        ),
        ReasonCode::QoSNotSupported => {
            (StatusCode::BAD_REQUEST, "this broker is set to offer a lower qos (limits.qos)")
        }
        ReasonCode::RetainNotSupported => (
            StatusCode::BAD_REQUEST,
            "this broker is set to keep no values (limits.retain); publish with ?retain=false",
        ),
        ReasonCode::SharedSubscriptionsNotSupported => {
            (StatusCode::BAD_REQUEST, "this broker has no shared subscriptions")
        }
        ReasonCode::PayloadFormatInvalid => {
            (StatusCode::BAD_REQUEST, "the body is not what its Content-Type says")
        }
        ReasonCode::PacketTooLarge => {
            (StatusCode::PAYLOAD_TOO_LARGE, "the message is larger than limits.packet_size")
        }
        ReasonCode::QuotaExceeded => {
            (StatusCode::INSUFFICIENT_STORAGE, "the broker has no room for one more; remove some first")
        }
        ReasonCode::MessageRateTooHigh | ReasonCode::ConnectionRateExceeded | ReasonCode::ServerBusy => {
            return Problem::new(StatusCode::TOO_MANY_REQUESTS, "too much at once; try again later")
                .with(header::RETRY_AFTER, "1");
        }
        ReasonCode::ServerShuttingDown | ReasonCode::ServerUnavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping")
        }
        ReasonCode::AdministrativeAction => {
            (StatusCode::SERVICE_UNAVAILABLE, "somebody in charge ended the connection to the broker")
        }
        other => {
            let detail = format!("the broker refused it for a reason that HTTP has no word for: {other:?}");
            return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail);
        }
    };
    Problem::new(status, detail)
}
