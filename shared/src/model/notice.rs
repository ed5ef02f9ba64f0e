//! What a person should be told although they did not ask.

use crate::{
    model::{Intensity, IntensityError, LightId},
    mqtt::ReasonCode,
};
use alloc::string::String;
use core::fmt;

/// Something happened otherwise than expected. `Display` is the sentence for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The light is not where the person put it.
    Differs {
        /// Which light.
        light: LightId,
        /// What was wanted.
        desired: Intensity,
        /// Where it is.
        reported: Intensity,
    },
    /// The broker refused what the person wanted.
    Refused {
        /// Which light.
        light: LightId,
        /// Why.
        reason: ReasonCode,
    },
    /// The connection was away for so long that the wish was given up.
    NotSent {
        /// Which light.
        light: LightId,
    },
    /// Somebody published what is no level. Said once per light until a valid level comes.
    Ignored {
        /// Which light.
        light: LightId,
        /// The first characters of what was published.
        payload: String,
        /// What is wrong with it.
        error: IntensityError,
    },
    /// There are more lights than a page shows. Said once.
    TooManyLights {
        /// How many it shows.
        shown: usize,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs { light, reported, .. } if reported.is_off() => {
                write!(f, "{} is off", light.display_name())
            }
            Self::Differs { light, reported, .. } => write!(f, "{} is at {reported} %", light.display_name()),
            Self::Refused { light, reason: ReasonCode::NotAuthorized } => {
                write!(f, "You may not change {}", light.display_name())
            }
            Self::Refused { light, reason } => {
                write!(f, "{} was not changed: the broker refused it ({reason:?})", light.display_name())
            }
            Self::NotSent { light } => {
                write!(f, "{} was not changed: the connection was away for too long", light.display_name())
            }
            Self::Ignored { light, payload, error } => {
                write!(f, "Ignored {payload:?} for {}: {error}", light.display_name())
            }
            Self::TooManyLights { shown } => write!(f, "Only the first {shown} lights are shown"),
        }
    }
}
