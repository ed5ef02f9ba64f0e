//! The task of a local link: it hears the client, and sees the link to its end.

use super::{FromBroker, Mailbox, NewLocalLink, Published, ToBroker};
use crate::{
    limits,
    shard::{Place, Shard, State, link::Over},
};
use luxwire_broker::{CloseReason, Input, LinkId, Setting};
use luxwire_shared::mqtt::{Packet, PublishTopic, ReasonCode};
use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{sync::mpsc, task::spawn_local, time::timeout};
use tracing::{debug, error, info};

impl Shard {
    /// Takes a client in, unless the program stops; then its mailbox is over at once.
    pub(in crate::shard) fn open_local(
        &self,
        mut new: NewLocalLink,
        from_client: mpsc::Receiver<ToBroker>,
        mailbox: Arc<Mailbox>,
    ) {
        let mut nonce = [0; 16];
        if let Err(error) = getrandom::fill(&mut nonce) {
            error!(%error, "the system gives no randomness; a connection is refused");
            return mailbox.end();
        }
        let mut state = self.0.borrow_mut();
        if state.stopping.is_some() {
            return mailbox.end();
        }
        let link = state.edge.links.number();
        state.edge.locals.insert(link, &new, mailbox);
        let now = state.edge.clock.now();
        state
            .tell(now, Input::Open { link, visitor: new.visitor.clone(), nonce: u128::from_ne_bytes(nonce) });
        let place = new.place.take();
        state.tell(now, Input::Packet { link, packet: Packet::Connect(new.connect) });
        state.set_timer();
        spawn_local(run(self.clone(), link, from_client, place));
    }
}

/// Serves the link until it is over, and forgets it when its reader has what was left.
pub(in crate::shard) async fn run(
    shard: Shard,
    id: LinkId,
    mut from_client: mpsc::Receiver<ToBroker>,
    place: Option<Place>,
) {
    if contain_panic(pin!(serve(&shard, id, &mut from_client))).await.is_err() {
        shard.0.borrow_mut().edge.locals.end(id, Over::Panicked);
    }
    if shard.0.borrow_mut().close_local(id) {
        // Past this time nobody reads.
        let gone = async { while from_client.recv().await.is_some() {} };
        let _ = timeout(limits::LAST_WORDS_WITHIN, gone).await;
    }
    shard.0.borrow_mut().forget_local(id);
    drop(place);
}

async fn serve(shard: &Shard, id: LinkId, from_client: &mut mpsc::Receiver<ToBroker>) {
    loop {
        let keep_alive = shard.0.borrow().edge.locals.get(id).and_then(|local| local.keep_alive);
        let word = poll_fn(|cx| poll_word(&mut shard.0.borrow_mut(), id, from_client, cx));
        // The client is in this process: whether it is still there is never in doubt, and it need not say so.
        match timeout(keep_alive.unwrap_or(Duration::MAX), word).await {
            Ok(Some(word)) => shard.0.borrow_mut().hear(id, word),
            Ok(None) => return,
            Err(_) => shard.0.borrow_mut().ping(id),
        }
    }
}

/// What the client says next; `None` when the link is over or the client is gone.
fn poll_word(
    state: &mut State,
    id: LinkId,
    from_client: &mut mpsc::Receiver<ToBroker>,
    cx: &mut Context<'_>,
) -> Poll<Option<ToBroker>> {
    let Some(local) = state.edge.locals.get_mut(id).filter(|local| local.over.is_none()) else {
        return Poll::Ready(None);
    };
    if !local.task.as_ref().is_some_and(|task| task.will_wake(cx.waker())) {
        local.task = Some(cx.waker().clone());
    }
    from_client.poll_recv(cx)
}

impl State {
    fn hear(&mut self, id: LinkId, word: ToBroker) {
        let now = self.edge.clock.now();
        match word {
            ToBroker::Packet(packet) => {
                if let (Packet::Subscribe(_), Some(local)) = (&packet, self.edge.locals.get_mut(id)) {
                    local.replaying = true;
                }
                self.tell(now, Input::Packet { link: id, packet });
            }
            ToBroker::Publish(publish) => {
                let (publish, condition) = *publish;
                let topic = publish.topic.clone();
                let setting = |state: &Self| -> Option<Setting> {
                    let (PublishTopic::Name(topic) | PublishTopic::NameAndAlias(topic, _)) = &topic else {
                        return None;
                    };
                    state.broker.retained_setting(topic)
                };
                if let PublishTopic::Name(topic) | PublishTopic::NameAndAlias(topic, _) = &topic
                    && self.broker.client(id).is_some_and(|client| !client.may_publish(topic))
                    && let Some(local) = self.edge.locals.get(id)
                {
                    // Whoever may not set a value does not learn by conditions what it is.
                    return local.mailbox.push(FromBroker::Refused(ReasonCode::NotAuthorized));
                }
                let before = setting(self);
                let condition_held = condition.holds(before);
                if condition_held {
                    self.tell(now, Input::Packet { link: id, packet: Packet::Publish(publish) });
                }
                let published = Published { condition_held, before, after: setting(self) };
                if let Some(local) = self.edge.locals.get(id) {
                    local.mailbox.push(FromBroker::Published(published));
                }
            }
            ToBroker::Drained => {
                if let Some(local) = self.edge.locals.get_mut(id) {
                    local.awaits_drain = false;
                }
                self.tell(now, Input::Drained { link: id });
            }
        }
        // A replay that pauses asks to be told of the drain; one that does not is over.
        if let Some(local) = self.edge.locals.get_mut(id)
            && local.replaying
            && !local.awaits_drain
        {
            local.replaying = false;
            local.mailbox.push(FromBroker::KeptAreSent);
        }
        self.set_timer();
    }

    fn ping(&mut self, id: LinkId) {
        let Some(local) = self.edge.locals.get_mut(id) else { return };
        local.pings += 1;
        let now = self.edge.clock.now();
        self.tell(now, Input::Packet { link: id, packet: Packet::Pingreq });
        self.set_timer();
    }

    /// Tells broker and reader that the link is over; says whether the reader may still take what waits.
    fn close_local(&mut self, id: LinkId) -> bool {
        let Some(local) = self.edge.locals.get_mut(id) else { return false };
        let over = local.over.get_or_insert(Over::ByPeer).clone();
        local.mailbox.end();
        let now = self.edge.clock.now();
        self.tell(now, Input::Closed { link: id, cause: over.cause() });
        self.set_timer();
        over.can_say_goodbye()
    }

    fn forget_local(&mut self, id: LinkId) {
        let Some(local) = self.edge.locals.remove(id) else { return };
        let (peer, client, dropped) = (local.peer, &local.client, local.dropped());
        let over = local.over.as_ref().unwrap_or(&Over::ByPeer);
        let reason = over.reason();
        let is_usual = matches!(over, Over::ByPeer | Over::Asked(CloseReason::Disconnected(_)));
        match client {
            Some(client) if local.stays() || !is_usual => {
                info!(%peer, ?client, reason, dropped, "disconnected")
            }
            Some(client) => debug!(%peer, ?client, reason, dropped, "disconnected"),
            None => info!(%peer, reason, "not connected"),
        }
        self.wake_if_stopped();
    }
}

/// A mistake of ours that one client brings to light ends that client's link and nobody else's, as with a
/// [link over a socket](super::super::driver).
fn contain_panic(mut future: impl Future<Output = ()> + Unpin) -> impl Future<Output = Result<(), ()>> {
    poll_fn(move |cx| {
        catch_unwind(AssertUnwindSafe(|| Pin::new(&mut future).poll(cx)))
            .map_or(Poll::Ready(Err(())), |poll| poll.map(Ok))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::task::yield_now;

    #[tokio::test]
    async fn a_panic_ends_its_future_and_nothing_else() {
        assert_eq!(contain_panic(pin!(yield_now())).await, Ok(()));
        let panics = pin!(async {
            yield_now().await;
            panic!("on purpose");
        });
        assert_eq!(contain_panic(panics).await, Err(()));
    }
}
