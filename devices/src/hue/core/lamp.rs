//! One light of a hub between its two sides: what the hub says, what somebody wants, what is on its way.
//!
//! ```text
//!            wish              sent               answered             HOLD later
//!   Settled ──────► Wishing ─────────► Flying ──────────────► Holding ────────────► Settled
//!                      ▲  newer wish      │ too much, away       │ wish
//!                      └──────────────────┴──────────────────────┘
//! ```
//!
//! Only a settled lamp tells MQTT what the hub says: before that, what the hub says may be older than the wish.

use super::topic::Topic;
use crate::hue::{
    level::Power,
    limits::{HOLD, HOLD_FADE_MAX, TRANSITION_ALONE, TRANSITION_STEP},
    resource::{Abilities, Change, Kind, Report, Resource, Tone},
};
use luxwire_shared::{model::Intensity, time::Instant};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Lamp {
    pub(super) resource: Resource,
    pub(super) topic: Topic,
    pub(super) wish: Option<Wish>,
    pub(super) flying: Option<Wish>,
    /// What it is to become: everything wanted since it was last settled.
    target: Option<Change>,
    hold_until: Option<Instant>,
    sent_at: Option<Instant>,
    answered_at: Option<Instant>,
}

/// What somebody wants.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) change: Change,
    /// Who waits longest goes first.
    pub(super) since: Instant,
    pub(super) attempts: u32,
}

/// What Home Assistant is shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown {
    pub(crate) power: Power,
    pub(crate) tone: Option<Tone>,
    pub(crate) abilities: Abilities,
}

impl Lamp {
    pub(super) fn new(resource: Resource, remembered: Option<Intensity>) -> Self {
        Self {
            resource,
            topic: Topic::new(remembered),
            wish: None,
            flying: None,
            target: None,
            hold_until: None,
            sent_at: None,
            answered_at: None,
        }
    }

    pub(super) fn power(&self) -> Option<Power> {
        self.resource.report.power(self.resource.abilities)
    }

    pub(super) fn is_reachable(&self) -> bool {
        self.resource.report.reachable != Some(false)
    }

    pub(super) fn is_settled(&self) -> bool {
        self.wish.is_none() && self.flying.is_none() && self.hold_until.is_none()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let hold = self.hold_until.filter(|_| self.wish.is_none() && self.flying.is_none());
        hold.into_iter().chain(self.topic.deadline()).min()
    }

    /// Ends the hold if it is time; says whether it did.
    pub(super) fn tick(&mut self, now: Instant) -> bool {
        let over = self.hold_until.is_some_and(|until| until <= now);
        if over && self.wish.is_none() && self.flying.is_none() {
            self.hold_until = None;
            self.target = None;
            return true;
        }
        false
    }

    /// The hub says something; `asked_at` is when it was asked, if it was.
    pub(super) fn hear(&mut self, mut report: Report, asked_at: Option<Instant>) {
        let changed_since = |asked: Instant| {
            self.flying.is_some()
                || self.answered_at.max(self.sent_at).is_some_and(|answered| answered >= asked)
        };
        if asked_at.is_some_and(changed_since) {
            // It was asked before it was told.
            (report.on, report.level, report.tone) = (None, None, None);
        }
        self.resource.report.merge(report);
        if !self.is_settled()
            && let Some(power) = self.power()
        {
            self.topic.adopt(power);
        }
    }

    /// The hub was read again.
    pub(super) fn update(&mut self, resource: Resource, asked_at: Instant) {
        let Resource { key, key_v1, kind, name, model, maker, abilities, report } = resource;
        // Some hubs leave out what is off; what a light could do once it can still do.
        let known = self.resource.abilities;
        let abilities = Abilities {
            dims: abilities.dims || known.dims,
            warmth: abilities.warmth.or(known.warmth),
            colour: abilities.colour || known.colour,
        };
        let report_now = std::mem::take(&mut self.resource.report);
        self.resource = Resource { key, key_v1, kind, name, model, maker, abilities, report: report_now };
        self.hear(report, Some(asked_at));
    }

    /// Somebody wants this.
    pub(super) fn want(&mut self, change: Change, now: Instant) {
        self.hold(change.transition, now);
        self.target.get_or_insert_default().merge(change.clone());
        match &mut self.wish {
            Some(wish) => wish.change.merge(change),
            None => self.wish = Some(Wish { change, since: now, attempts: 0 }),
        }
    }

    /// What is to be sent for the wish, which is on its way from here; `None` if nothing is left to be changed.
    pub(super) fn send(&mut self, now: Instant) -> Option<Change> {
        let wish = self.wish.take()?;
        let change = self.compose(&wish.change, now)?;
        self.flying = Some(wish);
        self.sent_at = Some(now);
        Some(change)
    }

    /// The hub took what was sent.
    pub(super) fn accepted(&mut self, now: Instant) {
        let Some(wish) = self.landed(now) else { return };
        self.resource.report.accept(&wish.change);
        if let Some(power) = self.power() {
            self.topic.adopt(power);
        }
    }

    /// The hub did not take it, and never will; gives the wish back to those who want to try again.
    pub(super) fn landed(&mut self, now: Instant) -> Option<Wish> {
        let wish = self.flying.take();
        self.answered_at = Some(now);
        self.hold(wish.as_ref().and_then(|wish| wish.change.transition), now);
        wish
    }

    /// It is to be tried again, unless something newer is wanted meanwhile.
    pub(super) fn retry(&mut self, mut wish: Wish) {
        if let Some(newer) = self.wish.take() {
            wish.change.merge(newer.change);
        }
        self.wish = Some(wish);
    }

    /// What it becomes, or what it is.
    pub(super) fn shown(&self) -> Option<Shown> {
        let mut report = self.resource.report.clone();
        if let Some(target) = &self.target {
            report.accept(target);
        }
        let abilities = self.resource.abilities;
        Some(Shown { power: report.power(abilities)?, tone: report.tone, abilities })
    }

    fn hold(&mut self, transition: Option<Duration>, now: Instant) {
        let until = now + HOLD + transition.unwrap_or_default().min(HOLD_FADE_MAX);
        self.hold_until = self.hold_until.max(Some(until));
    }

    /// Only what is different from what the hub says, and the transition.
    fn compose(&self, wish: &Change, now: Instant) -> Option<Change> {
        let Report { on, level, tone, .. } = &self.resource.report;
        if wish.on == Some(false) {
            // Without an explicit fade: some hubs come back at their lowest level after one.
            return Some(Change { on: Some(false), transition: wish.transition, ..Change::default() });
        }
        let abilities = self.resource.abilities;
        let turns_on = wish.on == Some(true) && *on != Some(true);
        let intensity = wish.intensity.filter(|_| abilities.dims);
        let brings =
            |intensity: &Intensity| turns_on || level.map(Power::On) != Some(Power::from(*intensity));
        let mut change = Change {
            on: turns_on.then_some(true),
            intensity: intensity.filter(brings),
            tone: wish.tone.filter(|wanted| turns_on || tone.as_ref() != Some(wanted)),
            transition: None,
        };
        if change == Change::default() {
            // The hub should be there already. If it is not, because its news are late, this makes it so.
            change.intensity = intensity;
            change.on = wish.on.filter(|_| intensity.is_none());
        }
        if change == Change::default() {
            return None;
        }
        let fades = change.intensity.is_some() || change.tone.is_some();
        change.transition = wish.transition.or_else(|| fades.then(|| self.transition(now)));
        Some(change)
    }

    /// As long as the next step is away while somebody moves a slider, so that steps join.
    fn transition(&self, now: Instant) -> Duration {
        let longest = match self.resource.kind {
            Kind::Light => TRANSITION_ALONE,
            Kind::Room | Kind::Zone => Duration::from_secs(1),
        };
        let since = self.sent_at.map(|sent| now.since(sent)).filter(|since| *since < HOLD);
        let Some(since) = since else { return TRANSITION_ALONE };
        let steps = (since.as_millis() / TRANSITION_STEP.as_millis()).clamp(1, longest.as_millis() / 100);
        TRANSITION_STEP * u32::try_from(steps).unwrap_or(1)
    }
}
