//! Lights, as all clients of Luxwire understand them: their topics, their levels, and how a page behaves that shows and
//! sets them.
//!
//! Pure data and arithmetic. It publishes nothing and knows no client: [`Home`] says what is to be published and is told
//! what came in. Time is an argument, so that every behaviour is tested in virtual time.

pub mod age;
mod control;
mod fade;
mod home;
pub mod hue;
mod intensity;
mod light;
mod lightness;
mod notice;
mod outbox;
pub mod reading;
mod throttle;
pub mod topics;

pub use control::{Control, KEY_PAUSE, SETTLE, Wish};
pub use fade::{Fade, STEP as FADE_STEP};
pub use home::{AddError, Home, LIGHTS_MAX, Outgoing};
pub use intensity::{Intensity, IntensityError};
pub use light::{Availability, LightView};
pub use lightness::Resolution;
pub use notice::Notice;
pub use outbox::{KEPT, Ticket};
pub use throttle::{INTERVAL, Throttle};
pub use topics::{LightId, LightIdError, LightTopic};
