//! The task that drives the links: it waits for their sockets, gives each that is ready its turn, and then writes to all
//! that got something.

use super::{Shard, State, edge::Allowance, link::Over};
use crate::limits;
use luxwire_broker::LinkId;
use std::{
    future::poll_fn,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll},
};
use tokio::task::yield_now;

/// Never ends.
pub(super) async fn run(shard: Shard) {
    // All links are read into it, one after the other: what a packet needs beyond its turn is copied.
    let mut buffer = vec![0; limits::READ_BUFFER];
    loop {
        poll_fn(|cx| shard.0.borrow_mut().poll_turn(cx)).await;
        let has_more = {
            let mut state = shard.0.borrow_mut();
            state.turn(&mut buffer);
            state.edge.has_work()
        };
        if has_more {
            // Whoever sends without end keeps neither HTTP nor the timers waiting.
            yield_now().await;
        }
    }
}

impl State {
    /// Waits until a link is ready or something is to be written.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { edge, sockets, .. } = self;
        sockets.note_changes(cx, edge);
        let has_work = edge.has_work();
        // What becomes ready in a turn need not wake it.
        edge.driver = (!has_work).then(|| cx.waker().clone());
        if has_work { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Each link that is ready has its turn, unless the ones before set so much in motion that it is time to write first. Then
    /// each link that got something is written to.
    ///
    /// Those who send little come first, and what they send while this goes on does not wait for all that came in bulk.
    fn turn(&mut self, buffer: &mut [u8]) {
        // Who becomes ready now is served in the next turn.
        let (little, bulk) = (self.edge.ready.little.len(), self.edge.ready.bulk.len());
        self.serve_little(little, Allowance::of_turn(self.edge.work), buffer);
        // As much for the others, so that they do not wait either, however many send little.
        let allowance = Allowance::of_turn(self.edge.work);
        let mut looked = self.edge.effort();
        for _ in 0..bulk {
            if self.edge.is_spent(allowance) {
                break;
            }
            let Some(id) = self.edge.ready.bulk.pop_front() else { break };
            self.serve_contained(id, allowance, buffer);
            self.serve_newcomers_if_due(&mut looked, buffer);
        }
        if self.tidy.is_worth_it(self.edge.bytes()) {
            self.tidy.note(self.edge.clock.instant(), self.edge.bytes());
        }
        let mut dirty = mem::take(&mut self.edge.dirty);
        for id in dirty.drain(..) {
            self.edge.write(id);
            self.serve_newcomers_if_due(&mut looked, buffer);
        }
        if self.edge.dirty.is_empty() {
            // For its room.
            self.edge.dirty = dirty;
        }
        self.tell_of_drained();
    }

    /// In the midst of a turn, when much was done since the sockets were looked at. What is said to few is written at once.
    fn serve_newcomers_if_due(&mut self, looked: &mut u64, buffer: &mut [u8]) {
        let Self { edge, sockets, .. } = self;
        if edge.effort() - *looked <= limits::WORK_PER_LOOK {
            return;
        }
        sockets.look(edge);
        let dirty = edge.dirty.len();
        self.serve_little(limits::NEWCOMERS, Allowance::of_newcomers(self.edge.work), buffer);
        if self.edge.dirty.len() - dirty <= limits::NEWCOMERS {
            for id in self.edge.dirty.split_off(dirty) {
                self.edge.write(id);
            }
        }
        *looked = self.edge.effort();
    }

    /// So many of those who send little have their turn.
    fn serve_little(&mut self, links: usize, allowance: Allowance, buffer: &mut [u8]) {
        for _ in 0..links {
            if self.edge.is_spent(allowance) {
                break;
            }
            let Some(id) = self.edge.ready.little.pop_front() else { break };
            self.serve_contained(id, allowance, buffer);
        }
    }

    /// A mistake of ours that one client's bytes bring to light ends that client's link and nobody else's: the rest of the
    /// house keeps its lights. The panic itself is logged by the hook that [`crate::log`] sets.
    fn serve_contained(&mut self, id: LinkId, allowance: Allowance, buffer: &mut [u8]) {
        if catch_unwind(AssertUnwindSafe(|| self.serve(id, allowance, buffer))).is_ok() {
            return;
        }
        if self.edge.links.get(id).is_some_and(|link| link.over.is_none()) {
            self.edge.end(id, Over::Panicked);
        } else {
            // While it was ended.
            self.forget(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        NewLink, Room,
        edge::{WORK_BYTES, WORK_OF_WRITE},
    };
    use super::*;
    use crate::{auth::Files, clock::Clock, config::Config, descriptors};
    use std::{
        io::{Read as _, Write as _},
        net::{TcpListener, TcpStream},
        sync::Arc,
        time::Duration,
    };
    use tokio::task::{JoinSet, LocalSet};

    /// A shard whose turns are taken one by one, and its clients.
    struct House {
        shard: Shard,
        listener: TcpListener,
        room: Arc<Room>,
        buffer: Vec<u8>,
    }

    impl House {
        fn with(test: impl FnOnce(Self)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let tasks = LocalSet::new();
            tasks.block_on(&runtime, async { test(Self::new()) });
        }

        fn new() -> Self {
            let config = Config::default();
            let auth = Files::read(&config.auth).unwrap();
            let broker = luxwire_broker::Config {
                limits: config.limits.for_broker(),
                hash_seed: 0,
                mechanisms: Vec::new(),
                passwords: true,
                permissions: None,
                sys_interval: config.sys.interval(),
            };
            let sign_in = Arc::new(auth.sign_in(config.auth.anonymous).unwrap());
            let clock = Clock::start();
            // The tasks end at once: turns are taken here.
            let mut tasks = JoinSet::new();
            let shard = Shard::start(&mut tasks, &config, broker, sign_in, clock).unwrap();
            Self {
                shard,
                listener: TcpListener::bind(("127.0.0.1", 0)).unwrap(),
                room: Arc::new(Room::new("test", 10_000, clock)),
                buffer: vec![0; limits::READ_BUFFER],
            }
        }

        /// A client that says CONNECT, and what follows it.
        fn client(&mut self, follows: &[u8]) -> TcpStream {
            let mut client = TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
            let (socket, peer) = self.listener.accept().unwrap();
            socket.set_nonblocking(true).unwrap();
            let place = self.room.enter(peer).unwrap();
            let socket = mio::net::TcpStream::from_std(socket);
            self.shard.open(NewLink { socket, peer, websocket: None, place });
            client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            client.write_all(b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0").unwrap();
            client.write_all(follows).unwrap();
            self.take_turn();
            client.read_exact(&mut [0; 4]).expect("a CONNACK");
            client
        }

        fn subscriber(&mut self) -> TcpStream {
            let mut client = self.client(b"\x82\x06\0\x01\0\x01t\0");
            client.read_exact(&mut [0; 5]).expect("a SUBACK");
            client
        }

        /// A client that is known for sending so many messages.
        fn sends_much(&mut self, payload: u8, messages: usize, subscriber: &mut TcpStream) -> TcpStream {
            let mut client = self.client(b"");
            client.write_all(&message(payload).repeat(messages)).unwrap();
            self.take_turn();
            assert_eq!(payloads(subscriber, messages), vec![payload; messages]);
            client
        }

        /// What came by now is seen when the turn begins.
        fn take_turn(&mut self) {
            self.look();
            self.turn();
        }

        fn look(&self) {
            let mut state = self.shard.0.borrow_mut();
            let State { edge, sockets, .. } = &mut *state;
            sockets.look(edge);
        }

        fn turn(&mut self) {
            self.shard.0.borrow_mut().turn(&mut self.buffer);
        }
    }

    /// QoS 0, with a payload of one byte.
    fn message(payload: u8) -> [u8; 6] {
        [0x30, 4, 0, 1, b't', payload]
    }

    fn payloads(subscriber: &mut TcpStream, messages: usize) -> Vec<u8> {
        let mut bytes = vec![0; 6 * messages];
        subscriber.read_exact(&mut bytes).unwrap();
        bytes.chunks(6).map(|message| message[5]).collect()
    }

    /// More than is done without a look at the sockets.
    const MUCH: usize = limits::WORK_PER_LOOK as usize + 1;

    #[test]
    fn a_single_message_goes_before_those_that_came_in_bulk() {
        House::with(|mut house| {
            let mut subscriber = house.subscriber();
            let mut bulk = house.sends_much(b'a', MUCH, &mut subscriber);
            let mut single = house.client(b"");
            bulk.write_all(&message(b'a').repeat(MUCH)).unwrap();
            house.look();
            single.write_all(&message(b'!')).unwrap();
            house.take_turn();
            let received = payloads(&mut subscriber, MUCH + 1);
            assert_eq!(received[0], b'!');
        });
    }

    #[test]
    fn a_single_message_that_comes_in_the_midst_of_a_turn_does_not_wait_for_its_end() {
        House::with(|mut house| {
            let mut subscriber = house.subscriber();
            let mut one = house.sends_much(b'a', MUCH, &mut subscriber);
            let mut other = house.sends_much(b'b', MUCH, &mut subscriber);
            let mut single = house.client(b"");
            one.write_all(&message(b'a').repeat(MUCH)).unwrap();
            other.write_all(&message(b'b').repeat(MUCH)).unwrap();
            house.look();
            // Nobody has seen this when the turn begins.
            single.write_all(&message(b'!')).unwrap();
            house.turn();
            let received = payloads(&mut subscriber, 2 * MUCH + 1);
            assert_eq!(received.iter().position(|payload| *payload == b'!'), Some(MUCH));
        });
    }

    #[test]
    fn a_single_message_does_not_wait_until_thousands_are_written_to() {
        // A connection has two ends here.
        let subscribers = limits::WORK_PER_LOOK / WORK_OF_WRITE + 1;
        descriptors::raise_limit(2 * subscribers as u32 + 100);
        House::with(|mut house| {
            let all: Vec<_> = (0..subscribers).map(|_| house.subscriber()).collect();
            let mut follower = house.client(b"\x82\x06\0\x01\0\x01s\0");
            follower.read_exact(&mut [0; 5]).expect("a SUBACK");
            let mut to_all = house.client(b"");
            let mut single = house.client(b"");
            to_all.write_all(&message(b'a')).unwrap();
            house.look();
            single.write_all(b"\x30\x04\0\x01s!").unwrap();
            house.turn();
            assert_eq!(payloads(&mut follower, 1), *b"!");
            drop(all);
        });
    }

    #[test]
    fn who_sends_in_bulk_has_a_turn_however_many_send_little() {
        House::with(|mut house| {
            let mut first = house.subscriber();
            let mut bulk = house.sends_much(b'a', MUCH, &mut first);
            let others: Vec<_> = (1..SUBSCRIBERS).map(|_| house.subscriber()).collect();
            let mut single = house.client(b"");
            bulk.write_all(&message(b'a').repeat(MUCH)).unwrap();
            // From somebody of whom nobody knows that it is much: all that may be set in motion.
            let singles = limits::WORK_PER_TURN as usize / SUBSCRIBERS;
            single.write_all(&message(b'!').repeat(singles)).unwrap();
            house.take_turn();
            let received = payloads(&mut first, singles + MUCH);
            assert_eq!(received.iter().filter(|payload| **payload == b'a').count(), MUCH);
            drop(others);
        });
    }

    const SUBSCRIBERS: usize = 10;

    #[test]
    fn a_turn_is_long_enough_when_much_was_read_even_if_nobody_follows() {
        House::with(|mut house| {
            // What one read brings is at least this.
            let bytes = message(b'a').repeat(4_000);
            let clients = usize::try_from(limits::WORK_PER_TURN * WORK_BYTES).unwrap() / bytes.len() + 2;
            let clients: Vec<_> = (0..clients).map(|_| house.client(b"")).collect();
            for mut client in &clients {
                client.write_all(&bytes).unwrap();
            }
            house.take_turn();
            assert!(house.shard.0.borrow().edge.has_work());
            house.take_turn();
            assert!(!house.shard.0.borrow().edge.has_work());
        });
    }
}
