//! What the broker, the page and the devices share.
