//! Sockets and time for the shared client: opens what it wants opened, writes what it wants written, hands over what is
//! read. What is said is the business of `conversation.rs`.

use crate::{
    Board,
    board::seed,
    clock::{board_time, now},
    conversation::Conversation,
    knob::{Knob, TURNED},
    limits, say,
    sign::{self, Sign},
};
use alloc::{collections::VecDeque, vec};
use bytes::{Buf as _, Bytes};
use core::future::pending;
use embassy_futures::{
    join::join,
    select::{Either, Either4, select, select4},
};
use embassy_net::{IpEndpoint, Stack, dns::DnsQueryType, tcp::TcpSocket};
use embassy_time::{Duration, Timer};
use luxwire_board_settings::{Broker, Settings};
use luxwire_shared::client::Action;

/// Serves the lights of the settings for ever.
pub async fn serve(board: Board, settings: &Settings, stack: Stack<'static>) -> ! {
    let Board { knob, lamp } = board;
    let conversation = Conversation::new(settings, lamp, seed(settings.mac));
    let watched: Option<Knob> = settings.roles.dimmer().is_some().then_some(knob);
    let (_, never) = join(
        async {
            if let Some(knob) = watched {
                knob.watch().await;
            }
        },
        talk(conversation, &settings.broker, stack),
    )
    .await;
    never
}

async fn talk(mut conversation: Conversation, broker: &Broker, stack: Stack<'static>) -> ! {
    let (mut received, mut sent) = (vec![0; limits::SOCKET_BUFFER], vec![0; limits::SOCKET_BUFFER]);
    let mut socket = TcpSocket::new(stack, &mut received, &mut sent);
    // Each packet is small and meant to arrive at once.
    socket.set_nagle_enabled(false);
    let mut transport = Transport { socket, is_open: false, unwritten: VecDeque::new() };
    loop {
        conversation.attend();
        match conversation.client.poll_action() {
            Some(Action::Open) => transport.open(&mut conversation, broker, stack).await,
            Some(Action::Write(bytes)) => transport.unwritten.push_back(bytes),
            Some(Action::Close) => transport.close().await,
            None => transport.next(&mut conversation).await,
        }
    }
}

/// The one socket, used again for each connection.
struct Transport<'a> {
    socket: TcpSocket<'a>,
    /// Whether the client believes that it is; the socket may know better.
    is_open: bool,
    unwritten: VecDeque<Bytes>,
}

impl Transport<'_> {
    /// Waits for the first of: bytes to read, room to write, a turn of the knob, the client's next deadline.
    async fn next(&mut self, conversation: &mut Conversation) {
        let Self { socket, is_open, unwritten } = self;
        let deadline = conversation.client.next_deadline();
        let mut buffer = [0; limits::READ];
        let (mut reader, mut writer) = socket.split();
        let read = async {
            match is_open {
                true => reader.read(&mut buffer).await,
                false => pending().await,
            }
        };
        let write = async {
            match unwritten.front() {
                Some(bytes) if *is_open => writer.write(bytes).await,
                Some(_) | None => pending().await,
            }
        };
        let alarm = async {
            match deadline {
                Some(deadline) => Timer::at(board_time(deadline)).await,
                None => pending().await,
            }
        };
        match select4(read, write, TURNED.wait(), alarm).await {
            // The end, or a reset.
            Either4::First(Ok(0) | Err(_)) | Either4::Second(Err(_)) => {
                self.forget();
                conversation.client.transport_closed(now());
            }
            Either4::First(Ok(len)) => {
                let bytes = buffer.get(..len).unwrap_or_default();
                conversation.client.receive(Bytes::copy_from_slice(bytes), now());
            }
            Either4::Second(Ok(len)) => self.written(len),
            Either4::Third(publish) => conversation.turned(publish),
            Either4::Fourth(()) => conversation.client.tick(now()),
        }
    }

    /// Opens, or tells the client that it cannot be opened; gives up at the client's deadline.
    async fn open(&mut self, conversation: &mut Conversation, broker: &Broker, stack: Stack<'static>) {
        self.forget();
        let deadline = conversation.client.next_deadline().unwrap_or_else(now);
        let connected = connect(&mut self.socket, broker, stack);
        match select(connected, Timer::at(board_time(deadline))).await {
            Either::First(true) => {
                self.is_open = true;
                conversation.client.transport_opened(now());
            }
            Either::First(false) => conversation.client.transport_closed(now()),
            Either::Second(()) => conversation.client.tick(now()),
        }
    }

    /// Lets the last words go out, but not for long.
    async fn close(&mut self) {
        if self.is_open {
            let last_words = async {
                while let Some(bytes) = self.unwritten.front() {
                    let Ok(len) = self.socket.write(bytes).await else { return };
                    self.written(len);
                }
                self.socket.close();
                let _ = self.socket.flush().await;
            };
            select(last_words, Timer::after(GOODBYE)).await;
        }
        self.forget();
    }

    fn written(&mut self, len: usize) {
        if let Some(bytes) = self.unwritten.front_mut() {
            bytes.advance(len.min(bytes.len()));
            if bytes.is_empty() {
                self.unwritten.pop_front();
            }
        }
    }

    fn forget(&mut self) {
        self.is_open = false;
        self.unwritten.clear();
        self.socket.abort();
    }
}

/// Whether the broker took the connection; what kept it is said.
async fn connect(socket: &mut TcpSocket<'_>, broker: &Broker, stack: Stack<'static>) -> bool {
    sign::show(Sign::Searching);
    if !stack.is_config_up() {
        let what = if stack.is_link_up() { "an address" } else { "the network" };
        say!("waiting for {what}");
        stack.wait_config_up().await;
    }
    let host = broker.host.as_str();
    let address = match stack.dns_query(host, DnsQueryType::A).await {
        Ok(addresses) => addresses.first().copied(),
        Err(_) => None,
    };
    let (Some(address), Some(config)) = (address, stack.config_v4()) else {
        say!("the network does not know {host}");
        return false;
    };
    say!("connecting to {host}, port {}, from {}", broker.port, config.address);
    socket.connect(IpEndpoint::new(address, broker.port)).await.is_ok()
}

const GOODBYE: Duration = Duration::from_millis(500);
