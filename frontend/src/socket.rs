//! The page's WebSocket: opens one, sends bytes, and tells what happens to it.
//!
//! The only module that touches a `WebSocket`. It knows that MQTT over WebSocket is binary and that its subprotocol is
//! called `mqtt`, and nothing else about MQTT: what to send, and when to open another, is the caller's business.
use bytes::Bytes;
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{BinaryType, CloseEvent, Event, MessageEvent, WebSocket};

/// An open or opening WebSocket. Dropping it closes it, and nothing is told of it from then on.
pub(crate) struct Socket {
    web_socket: WebSocket,
    _on_open: Closure<dyn FnMut(Event)>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

/// What happens to a [`Socket`], in this order: at most one `Opened`, then bytes, then one `Closed`.
pub(crate) enum SocketEvent {
    /// Bytes may be sent.
    Opened,
    /// The other side sent these. Where they begin and end says nothing about packets.
    Received(Bytes),
    /// It could not be opened, or it is gone.
    Closed,
}

impl Socket {
    /// Starts to open a WebSocket to `url`; `None` if the browser calls the address impossible.
    pub(crate) fn open(url: &str, tell: impl Fn(SocketEvent) + Clone + 'static) -> Option<Self> {
        let web_socket = WebSocket::new_with_str(url, "mqtt").ok()?;
        web_socket.set_binary_type(BinaryType::Arraybuffer);

        let on_open = Closure::<dyn FnMut(Event)>::new({
            let tell = tell.clone();
            move |_| tell(SocketEvent::Opened)
        });
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new({
            let tell = tell.clone();
            move |message: MessageEvent| match message.data().dyn_into::<ArrayBuffer>() {
                Ok(buffer) => tell(SocketEvent::Received(Uint8Array::new(&buffer).to_vec().into())),
                // [MQTT-6.0.0-1] MQTT travels in binary frames; text is the end of the connection.
                Err(_text) => tell(SocketEvent::Closed),
            }
        });
        let on_close = Closure::<dyn FnMut(CloseEvent)>::new(move |_| tell(SocketEvent::Closed));
        web_socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        web_socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        web_socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Some(Self { web_socket, _on_open: on_open, _on_message: on_message, _on_close: on_close })
    }

    /// Sends one binary frame. Bytes for a socket that is no longer open go nowhere; `Closed` has told or will tell.
    pub(crate) fn send(&self, bytes: &[u8]) {
        let _ = self.web_socket.send_with_u8_array(bytes);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.web_socket.set_onopen(None);
        self.web_socket.set_onmessage(None);
        self.web_socket.set_onclose(None);
        let _ = self.web_socket.close();
    }
}
