//! How one light's slider and switch behave.
//!
//! The person's hand leads while it moves and until the broker has said the same; after that, and always otherwise, the
//! topic leads. Wishes go out only for what a person does: nothing is ever published in answer to a message.
//!
//! ```text
//!            input                     release, switch, set
//!   Idle ─────────────► Dragging ───────────────────────────► Settling
//!    ▲                     ▲                input                 │
//!    │                     └──────────────────────────────────────┤
//!    └────────────────────────────────────────────────────────────┘
//!        the wish came back, or it did not within two seconds after it was acknowledged
//! ```
//!
//! The topic carries wishes and facts alike, so what we publish comes back. A value that equals one we published and
//! have not seen yet is such an echo and moves nothing; only the echo of the final value ends Settling.

use crate::{
    model::{Intensity, Throttle, throttle},
    mqtt::QoS,
    time::Instant,
};
use alloc::collections::VecDeque;
use core::time::Duration;

/// How long after release the wish is shown while its echo does not come.
pub const SETTLE: Duration = Duration::from_secs(2);

/// A key that was pressed this long ago, and not again since, was the last of its kind.
pub const KEY_PAUSE: Duration = Duration::from_millis(250);

/// After a late acknowledgement, how long the echo may still take.
const ECHO_AFTER_ACKNOWLEDGEMENT: Duration = Duration::from_secs(1);

/// At ten a second these are several seconds' worth; a broker that is further behind has dropped the rest.
const ECHOES_MAX: usize = 64;

/// The controls of one light.
#[derive(Clone, Debug)]
pub struct Control {
    reported: Option<Intensity>,
    last_on: Option<Intensity>,
    phase: Phase,
    pressed: bool,
    online: bool,
    throttle: Throttle<Intensity>,
    /// What was published and has not come back, oldest first.
    echoes: VecDeque<Intensity>,
    /// The final value was not yet acknowledged: until it is, the topic cannot be expected to say it.
    unacknowledged: bool,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Idle,
    Dragging { desired: Intensity, final_at: Option<Instant> },
    Settling { desired: Intensity, until: Instant, echoed: bool },
}

/// What is to be published because a person wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// On the way somewhere: worth sending now or never.
    Passing(Intensity),
    /// Where the person stopped: must arrive.
    Final(Intensity),
}

/// The topic says something else than the person wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Differs {
    /// What was wanted.
    pub desired: Intensity,
    /// What the topic says.
    pub reported: Intensity,
}

impl Wish {
    /// The level.
    pub const fn intensity(self) -> Intensity {
        match self {
            Self::Passing(intensity) | Self::Final(intensity) => intensity,
        }
    }

    /// How hard to try.
    pub const fn qos(self) -> QoS {
        match self {
            Self::Passing(_) => QoS::AtMostOnce,
            Self::Final(_) => QoS::AtLeastOnce,
        }
    }
}

impl Control {
    /// Controls of a light of which nothing is known yet. `online` says whether passing wishes can go out.
    pub fn new(online: bool) -> Self {
        Self {
            reported: None,
            last_on: None,
            phase: Phase::Idle,
            pressed: false,
            online,
            throttle: Throttle::new(throttle::INTERVAL),
            echoes: VecDeque::new(),
            unacknowledged: false,
        }
    }

    /// What the slider shows; `None` while nothing is known.
    pub fn displayed(&self) -> Option<Intensity> {
        match self.phase {
            Phase::Idle | Phase::Settling { echoed: true, .. } => self.reported,
            Phase::Dragging { desired, .. } | Phase::Settling { desired, echoed: false, .. } => Some(desired),
        }
    }

    /// What the topic says.
    pub fn reported(&self) -> Option<Intensity> {
        self.reported
    }

    /// Whether the person's hand is on it.
    pub fn is_dragging(&self) -> bool {
        matches!(self.phase, Phase::Dragging { .. })
    }

    /// Whether the topic leads.
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle)
    }

    /// Whether a final wish has not been acknowledged yet.
    pub fn is_unacknowledged(&self) -> bool {
        self.unacknowledged
    }

    /// The level that switching on goes back to; `None` if the light was never seen on.
    pub fn last_on(&self) -> Option<Intensity> {
        self.last_on
    }

    /// Remembers a level for switching on, from an earlier run of the page; no newer one is replaced.
    pub fn recall(&mut self, last_on: Intensity) {
        if !last_on.is_off() && self.last_on.is_none() {
            self.last_on = Some(last_on);
        }
    }

    /// A finger or mouse button goes down on the slider (`pointerdown`). Until [`Control::release`], pauses end nothing.
    pub fn press(&mut self) {
        self.pressed = true;
        if let Phase::Dragging { final_at, .. } = &mut self.phase {
            *final_at = None;
        }
    }

    /// The slider moves (`input`), by pointer, key or otherwise. Without [`Control::press`] the value is final
    /// [`KEY_PAUSE`] after the last move, so that a key that repeats is limited like a finger.
    pub fn input(&mut self, value: Intensity, now: Instant) -> Option<Wish> {
        let final_at = (!self.pressed).then(|| now + KEY_PAUSE);
        self.phase = Phase::Dragging { desired: value, final_at };
        self.unacknowledged = false;
        if !self.online {
            return None;
        }
        let passing = self.throttle.offer(value, now)?;
        Some(self.pass(passing))
    }

    /// The hand leaves the slider: `pointerup`, `pointercancel`, `keyup`, `blur`, a hidden tab. Final if it moved.
    pub fn release(&mut self, now: Instant) -> Option<Wish> {
        self.pressed = false;
        match self.phase {
            Phase::Dragging { desired, .. } => Some(self.settle(desired, now)),
            Phase::Idle | Phase::Settling { .. } => None,
        }
    }

    /// The slider says that it changed (`change`). Final after a pointer, whose release may have been missed; keys fire
    /// it at every press, and there the pause decides.
    pub fn change(&mut self, now: Instant) -> Option<Wish> {
        if self.pressed { self.release(now) } else { None }
    }

    /// The person chooses one value without a slider: a number box, a scene.
    pub fn set(&mut self, value: Intensity, now: Instant) -> Wish {
        self.settle(value, now)
    }

    /// The switch. On goes back to the last level that was not off, or to 100 %; on when on, or off when off, changes
    /// nothing.
    pub fn switch(&mut self, on: bool, now: Instant) -> Option<Wish> {
        let level = self.displayed();
        if level.is_some_and(|level| level.is_off() != on) {
            return None;
        }
        let value = if on { self.last_on.unwrap_or(Intensity::FULL) } else { Intensity::OFF };
        if let Some(level) = level.filter(|level| !level.is_off()) {
            self.last_on = Some(level);
        }
        Some(self.settle(value, now))
    }

    /// The topic says `value`. Gives a word for the person if it contradicts a wish that had come through.
    pub fn message(&mut self, value: Intensity, now: Instant) -> Option<Differs> {
        self.reported = Some(value);
        let last_echo = self.is_last_echo(value);
        match self.phase {
            Phase::Idle => {
                self.remember_on(value);
                None
            }
            Phase::Dragging { .. } => None,
            Phase::Settling { desired, until, echoed } => {
                let echoed = echoed || last_echo || (self.echoes.is_empty() && value.is_near(desired));
                self.phase = Phase::Settling { desired, until, echoed };
                if !echoed {
                    return None;
                }
                self.remember_on(value);
                if now >= until && !self.unacknowledged {
                    self.phase = Phase::Idle;
                }
                self.contradicted(desired)
            }
        }
    }

    /// The final wish arrived at the broker.
    pub fn acknowledged(&mut self, now: Instant) {
        self.unacknowledged = false;
        if let Phase::Settling { until, .. } = &mut self.phase {
            *until = (*until).max(now + ECHO_AFTER_ACKNOWLEDGEMENT);
        }
    }

    /// The topic says nothing any more.
    pub fn cleared(&mut self) {
        self.reported = None;
    }

    /// The wish will not come true: it was refused, or given up. The topic leads again.
    pub fn given_up(&mut self) {
        if self.unacknowledged {
            self.unacknowledged = false;
            self.echoes.pop_back();
        }
        self.throttle.clear();
        self.phase = Phase::Idle;
    }

    /// Wishes can go out again. A hand that is still on the slider is followed at once.
    pub fn connected(&mut self, now: Instant) -> Option<Wish> {
        self.online = true;
        self.throttle.clear();
        match self.phase {
            Phase::Dragging { desired, .. } => {
                let passing = self.throttle.offer(desired, now)?;
                Some(self.pass(passing))
            }
            Phase::Idle | Phase::Settling { .. } => None,
        }
    }

    /// Nothing comes in or goes out. What was on its way at QoS 0 will not come back.
    pub fn disconnected(&mut self) {
        self.online = false;
        self.throttle.clear();
        let final_wish = self.echoes.pop_back().filter(|_| self.unacknowledged);
        self.echoes.clear();
        self.echoes.extend(final_wish);
        if let Phase::Settling { desired, echoed: false, .. } = self.phase
            && !self.unacknowledged
        {
            // The broker has it, and only the echo was lost.
            self.reported = Some(desired);
            self.phase = Phase::Idle;
        }
    }

    /// Time passes: see [`Control::next_deadline`].
    pub fn tick(&mut self, now: Instant) -> (Option<Wish>, Option<Differs>) {
        match self.phase {
            Phase::Idle => (None, None),
            Phase::Dragging { desired, final_at: Some(at) } if now >= at => {
                (Some(self.settle(desired, now)), None)
            }
            Phase::Dragging { .. } => {
                let passing = self.throttle.tick(now);
                (passing.map(|value| self.pass(value)), None)
            }
            Phase::Settling { until, .. } if self.unacknowledged || now < until => (None, None),
            Phase::Settling { desired, echoed, .. } => {
                self.phase = Phase::Idle;
                self.echoes.clear();
                (None, if echoed { None } else { self.contradicted(desired) })
            }
        }
    }

    /// When [`Control::tick`] has something to do next.
    pub fn next_deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Idle => None,
            Phase::Dragging { final_at, .. } => {
                [final_at, self.throttle.next_deadline()].into_iter().flatten().min()
            }
            Phase::Settling { until, .. } => (!self.unacknowledged).then_some(until),
        }
    }

    fn pass(&mut self, value: Intensity) -> Wish {
        self.expect_echo(value);
        Wish::Passing(value)
    }

    /// The final value goes out always, also if the last passing value was the same: that one may have been lost.
    fn settle(&mut self, desired: Intensity, now: Instant) -> Wish {
        self.remember_on(desired);
        self.throttle.passed(desired, now);
        self.expect_echo(desired);
        self.unacknowledged = true;
        self.phase = Phase::Settling { desired, until: now + SETTLE, echoed: false };
        Wish::Final(desired)
    }

    fn contradicted(&mut self, desired: Intensity) -> Option<Differs> {
        let reported = self.reported.filter(|reported| !reported.is_near(desired))?;
        self.phase = Phase::Idle;
        self.remember_on(reported);
        Some(Differs { desired, reported })
    }

    fn expect_echo(&mut self, value: Intensity) {
        if self.echoes.len() == ECHOES_MAX {
            self.echoes.pop_front();
        }
        self.echoes.push_back(value);
    }

    /// Takes `value` as the echo of the oldest wish that it can be. What was published before that one was dropped on
    /// the way. Says whether nothing is left to come back.
    fn is_last_echo(&mut self, value: Intensity) -> bool {
        let Some(at) = self.echoes.iter().position(|echo| *echo == value) else { return false };
        self.echoes.drain(..=at);
        self.echoes.is_empty()
    }

    fn remember_on(&mut self, value: Intensity) {
        if !value.is_off() {
            self.last_on = Some(value);
        }
    }
}
