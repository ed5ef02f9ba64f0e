//! The stream of events from the server. It tells what comes, and that the line broke; when to try again is decided by
//! whoever holds it.

use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Event, EventSource, MessageEvent};

use crate::event;

/// Where our server tells of its broker.
const ADDRESS: &str = "/api/v1/picture";

/// An open or opening stream. Dropping it closes it.
pub(crate) struct Stream {
    source: EventSource,
    _on_event: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(Event)>,
}

impl Stream {
    /// Opens a stream. `hear` is called with the name and the data of each event, `lose` when there are no more.
    pub(crate) fn open(
        hear: impl Fn(&str, &str) + 'static,
        lose: impl Fn() + 'static,
    ) -> Result<Self, JsValue> {
        let source = EventSource::new(ADDRESS)?;
        let on_event = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(data) = event.data().as_string() {
                hear(&event.type_(), &data);
            }
        });
        // A browser would open it again by itself, but not after every kind of failure and not soon.
        let on_error = Closure::<dyn FnMut(Event)>::new(move |_| lose());
        for name in event::NAMES {
            source.add_event_listener_with_callback(name, on_event.as_ref().unchecked_ref())?;
        }
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self { source, _on_event: on_event, _on_error: on_error })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.set_onerror(None);
        self.source.close();
    }
}
