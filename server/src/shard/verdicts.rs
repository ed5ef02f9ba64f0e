//! Passwords of clients that connect: they are looked at on other threads, while everybody else is served.
//!
//! A link whose password is being looked at is not read from. There is one question at most for each link, so that the
//! links' number bounds the questions; how many are worked at is [`SignIn`]'s business.

use super::{Shard, State, edge::Edge};
use crate::auth::SignIn;
use luxwire_broker::{Input, LinkId, Verdict};
use luxwire_shared::mqtt::Text;
use std::sync::Arc;
use tokio::{select, sync::mpsc, task::JoinSet};

/// Where what is to be looked at goes.
#[derive(Debug)]
pub(super) struct Checks(mpsc::UnboundedSender<Check>);

/// One name and one password.
pub(super) struct Check {
    link: LinkId,
    user: String,
    password: Option<Vec<u8>>,
}

impl Checks {
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Check>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }
}

impl Edge {
    pub(super) fn check_password(&mut self, id: LinkId, user: &Text, password: Option<&[u8]>) {
        if let Some(verdict) = self.sign_in.at_once(user, password) {
            return self.verdicts.push((id, verdict));
        }
        if let Some(link) = self.links.get_mut(id) {
            link.awaits_verdict = true;
        }
        let check =
            Check { link: id, user: user.as_str().to_owned(), password: password.map(<[u8]>::to_vec) };
        if self.checks.0.send(check).is_err() {
            // Only when everything ends.
            self.verdicts.push((id, Verdict::Busy));
        }
    }
}

impl State {
    fn password_checked(&mut self, id: LinkId, verdict: Verdict) {
        if let Some(link) = self.edge.links.get_mut(id) {
            link.awaits_verdict = false;
            // What the client said behind its CONNECT, perhaps.
            link.left_off = true;
        }
        let now = self.edge.clock.now();
        self.tell(now, Input::PasswordChecked { link: id, verdict });
        self.edge.becomes_ready(id);
        self.set_timer();
    }
}

/// Never ends by itself.
pub(super) async fn run(shard: Shard, sign_in: Arc<SignIn>, mut wanted: mpsc::UnboundedReceiver<Check>) {
    let mut under_way = JoinSet::new();
    loop {
        select! {
            Some(Check { link, user, password }) = wanted.recv() => {
                let sign_in = Arc::clone(&sign_in);
                under_way.spawn_local(async move { (link, sign_in.check(user, password).await) });
            }
            Some(done) = under_way.join_next() => {
                // One that panicked said so in the log; its link ends when CONNECT has taken too long.
                if let Ok((link, verdict)) = done {
                    shard.0.borrow_mut().password_checked(link, verdict);
                }
            }
            else => return,
        }
    }
}
