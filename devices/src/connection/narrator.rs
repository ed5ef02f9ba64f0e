//! Says what happens to a connection, in sentences for the person who started the device.
//!
//! One sentence per change: a broker that stays away is mentioned once, and again only when the reason is another.

use super::Connection;
use luxwire_shared::{
    client::{Cause, Event},
    mqtt::ReasonCode,
};
use std::{fmt::Write as _, time::Duration};
use tracing::{info, warn};

/// Tells connection events as sentences, through `tracing`.
#[derive(Debug, Default)]
pub struct Narrator {
    /// Why the broker is away, as it was told last.
    told: Option<String>,
}

impl Narrator {
    /// A narrator that has told nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells this event, if it is news about the connection.
    pub fn tell(&mut self, connection: &Connection, event: &Event) {
        match event {
            Event::Connected { .. } => {
                self.told = None;
                info!("connected to {}", connection.address());
            }
            Event::Lost { cause, retry_at } => {
                let why = why(connection, *cause);
                if self.told.as_ref() != Some(&why) {
                    let pause = seconds(retry_at.since(connection.now()));
                    warn!(
                        "waiting for {}: {why}; next try in {pause}, then with longer pauses",
                        connection.address()
                    );
                    self.told = Some(why);
                }
            }
            Event::Refused { reason, explanation, retry_at } => {
                let mut sentence = format!("{} refuses us: {}", connection.address(), mend(*reason));
                if let Some(explanation) = explanation {
                    let _ = write!(sentence, " ({:?})", explanation.as_str());
                }
                match retry_at {
                    Some(at) => warn!("{sentence}; next try in {}", seconds(at.since(connection.now()))),
                    None => warn!("{sentence}; not trying again"),
                }
                self.told = None;
            }
            Event::Subscribed { answers, .. } => {
                for (filter, reason) in answers.iter().filter(|(_, reason)| reason.is_failure()) {
                    warn!("the broker does not let us follow {filter}: {}", mend(*reason));
                }
            }
            Event::Acknowledged { reason, .. } if reason.is_failure() => {
                warn!("the broker refuses what we published: {}", mend(*reason));
            }
            Event::Message(_)
            | Event::Acknowledged { .. }
            | Event::Unsent(_)
            | Event::Unsubscribed { .. } => {}
        }
    }
}

fn why(connection: &Connection, cause: Cause) -> String {
    match (cause, connection.failure()) {
        (Cause::Closed, Some(failure)) => match failure.raw_os_error() {
            // Without "(os error 111)", which helps nobody.
            Some(_) => words(&format!("{:?}", failure.kind())),
            None => failure.to_string(),
        },
        (Cause::Server(reason), _) => mend(reason),
        (cause, _) => cause.to_string(),
    }
}

/// What a person can do about it, where that is known.
fn mend(reason: ReasonCode) -> String {
    let mend = match reason {
        ReasonCode::BadUserNameOrPassword => "user name or password is wrong: --user, --password",
        ReasonCode::NotAuthorized => "not authorized: --user and --password, or the broker's permissions",
        ReasonCode::UnsupportedProtocolVersion => "it does not speak this version of MQTT: --protocol 3.1.1",
        ReasonCode::ClientIdentifierNotValid => "it does not like our client identifier: --client-id",
        ReasonCode::SessionTakenOver => "another client has come under our name: --client-id",
        other => return words(&format!("{other:?}")),
    };
    mend.to_owned()
}

/// `ServerShuttingDown` as `server shutting down`.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f32())
}
