//! Those who speak to Philips Hue hubs, as they tell of themselves. What they tell is kept as it came.
use std::time::Duration;

use luxwire_shared::{
    client::{Message, Token},
    model::hue,
    time::Instant,
};

/// A house has one service, and while somebody tries things out two. What else claims to be one is not listened to.
const SERVICES_MAX: usize = 8;

/// Hundreds of hubs fit; a status that is longer is none.
const STATUS_BYTES_MAX: usize = 64 * 1024;

/// A service that has to be started first is there within this.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of the services.
#[derive(Debug, Default)]
pub(crate) struct HueServices {
    asked: Option<Token>,
    /// Until then a service may still come.
    missing_at: Option<Instant>,
    was_missing: bool,
    /// By the service's name, in its order.
    statuses: Vec<(String, String)>,
    news: bool,
}

impl HueServices {
    /// They are followed from now on, by this subscription.
    pub(super) fn follow(&mut self, token: Token) {
        self.asked = Some(token);
        self.news = true;
    }

    /// The connection came or went: what is known counts only while it stands.
    pub(super) fn turned(&mut self) {
        self.news = true;
    }

    pub(super) const fn is_followed(&self) -> bool {
        self.asked.is_some()
    }

    pub(super) fn is_asked_by(&self, token: Token) -> bool {
        self.asked == Some(token)
    }

    /// The broker lets us follow them, or does not.
    pub(super) fn answered(&mut self, granted: bool, now: Instant) {
        self.missing_at = Some(if granted { now + PATIENCE } else { now });
        self.news = true;
    }

    /// Takes a message that is a service's.
    pub(super) fn hears(&mut self, message: &Message) -> bool {
        let Some(service) = hue::service(&message.topic) else { return false };
        let status = std::str::from_utf8(&message.payload).unwrap_or_default();
        self.statuses.retain(|(name, _)| name != service);
        if !status.is_empty() && status.len() <= STATUS_BYTES_MAX && self.statuses.len() < SERVICES_MAX {
            let at = self.statuses.iter().take_while(|(name, _)| name.as_str() < service).count();
            self.statuses.insert(at, (service.into(), status.into()));
        }
        self.news = true;
        true
    }

    /// The service to be asked: its name and what it said last. One that says it is gone stands back.
    pub(crate) fn online(&self) -> Option<(&str, &str)> {
        let is_online = |(_, status): &&(String, String)| !status.contains(r#""state":"offline""#);
        let (service, status) = self.statuses.iter().find(is_online)?;
        Some((service, status))
    }

    /// Whether there has been time enough for one to answer.
    pub(crate) fn is_missing(&self, now: Instant) -> bool {
        self.missing_at.is_some_and(|at| now >= at)
    }

    /// Whether something is known that was not before; true once.
    pub(crate) fn take_news(&mut self, now: Instant) -> bool {
        let missing = self.is_missing(now);
        let turned = std::mem::replace(&mut self.was_missing, missing) != missing;
        std::mem::take(&mut self.news) || turned
    }

    pub(super) fn next_deadline(&self, now: Instant) -> Option<Instant> {
        self.missing_at.filter(|at| *at > now)
    }
}
