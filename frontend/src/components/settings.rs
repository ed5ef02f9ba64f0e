//! The settings dialog: the house's Philips Hue hubs, and how to add one.
//!
//! It shows what a Hue service says and hands over what the person asks for. Who that service is, and how it is spoken
//! to, is the caller's business. What there is to see at which moment is decided by [`Panel::of`]; the elements themselves
//! stay, so that nobody loses the place or what was typed when a status comes in.
use leptos::{ev, html, prelude::*};
use web_sys::HtmlElement;

/// What is known of Hue.
#[derive(Debug, Default)]
pub(crate) enum Hue {
    /// Not asked yet, not answered yet, or no connection to ask over.
    #[default]
    Looking,
    /// Nobody who speaks to hubs has answered.
    Missing,
    /// What the service says.
    Online(HueStatus),
}

/// What a Hue service says of itself.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(crate) struct HueStatus {
    /// The hubs that it knows and has a key for.
    pub(crate) hubs: Vec<Hub>,
    /// It looks for hubs on its network.
    pub(crate) searching: bool,
    /// What it found, of which some may be among `hubs`.
    pub(crate) found: Vec<Found>,
    /// The hub whose button is to be pressed, or was.
    pub(crate) pairing: Option<Pairing>,
}

/// A hub that is paired.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Hub {
    /// What identifies it.
    pub(crate) id: String,
    /// What it calls itself.
    pub(crate) name: String,
    /// How it stands, in words.
    pub(crate) state: String,
    /// Whether all is well with it.
    pub(crate) is_well: bool,
}

/// A hub that was found on the network.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Found {
    /// What it calls itself.
    pub(crate) name: String,
    /// Its address.
    pub(crate) host: String,
}

/// How pairing with one hub goes.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Pairing {
    /// Its address.
    pub(crate) host: String,
    /// Where it stands.
    pub(crate) stage: Stage,
    /// How it went, in the service's words.
    pub(crate) message: String,
    /// How many seconds are left to press the button.
    pub(crate) seconds_left: Option<u32>,
}

/// Where pairing stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The person is to press the hub's button.
    #[default]
    PressButton,
    /// It is done.
    Paired,
    /// It is over without a key.
    Failed,
}

/// What a person asks a Hue service for.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Look for hubs.
    Search,
    /// Pair with the hub at this address.
    Pair(String),
    /// Give pairing up.
    Cancel,
    /// Forget the hub with this identifier, and its key.
    Forget(String),
}

/// What there is to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Panel {
    /// The most important thing.
    title: &'static str,
    /// What belongs to it.
    words: String,
    /// Hubs, as HTML: a list of a few lines that changes as a whole.
    list: String,
    /// Nobody speaks to hubs, and this is how to start somebody.
    is_missing: bool,
    /// There are hubs, or could be: one may be added.
    may_add: bool,
    /// An address may be given.
    may_pair: bool,
    /// The hub's button is to be pressed.
    is_waiting: bool,
    /// How long there is left to do it.
    countdown: String,
    /// It was not.
    may_try_again: bool,
    /// The hub that it is about.
    host: String,
    /// What the button is called that leads back.
    back: Option<&'static str>,
}

impl Panel {
    fn of(hue: &Hue, adding: bool) -> Self {
        let status = match hue {
            Hue::Looking => return Self { words: "Asking the broker…".into(), ..Self::default() },
            Hue::Missing => {
                let words =
                    "No Hue service is running at this broker. Start one on any computer of the house:"
                        .into();
                return Self { words, is_missing: true, ..Self::default() };
            }
            Hue::Online(status) => status,
        };
        match &status.pairing {
            _ if !adding => Self::paired(status),
            Some(pairing) => Self::pairing(pairing),
            None => Self::search(status),
        }
    }

    fn paired(status: &HueStatus) -> Self {
        let words = match status.hubs.is_empty() {
            true => "The lights of a hub stand among all others once it is added.".into(),
            false => String::new(),
        };
        let list = status.hubs.iter().map(|Hub { id, name, state, is_well }| {
            let (id, name, state) = (escaped(id), escaped(name), escaped(state));
            let trouble = if *is_well { "" } else { " trouble" };
            format!(
                r#"<li><span><strong>{name}</strong><span class="state{trouble}">{state}</span></span><button class="button" type="button" data-forget="{id}" aria-label="Forget {name}">Forget</button></li>"#
            )
        });
        Self { words, list: list.collect(), may_add: true, ..Self::default() }
    }

    fn search(status: &HueStatus) -> Self {
        let words = match (status.searching, status.found.is_empty()) {
            (_, false) => "Which one?",
            (true, true) => "Looking for hubs on this network…",
            (false, true) => {
                "No hub answers on this network. Its address stands in the Hue app, in the hub’s network settings."
            }
        };
        let list = status.found.iter().map(|Found { name, host }| {
            let (name, host) = (escaped(name), escaped(host));
            format!(
                r#"<li><button class="button" type="button" data-pair="{host}">{name} ({host})</button></li>"#
            )
        });
        Self {
            words: words.into(),
            list: list.collect(),
            may_pair: true,
            back: Some("Back"),
            ..Self::default()
        }
    }

    fn pairing(pairing: &Pairing) -> Self {
        let is_waiting = pairing.stage == Stage::PressButton;
        let (title, back) = match pairing.stage {
            Stage::PressButton => ("Press the round button on the hub", "Cancel"),
            Stage::Paired => ("Paired", "Done"),
            Stage::Failed => ("That did not work", "Back"),
        };
        let may_try_again = pairing.stage == Stage::Failed;
        let seconds = pairing.seconds_left.filter(|_| is_waiting);
        Self {
            title,
            words: if is_waiting {
                format!("The hub at {} waits for it.", pairing.host)
            } else {
                pairing.message.clone()
            },
            is_waiting,
            countdown: seconds.map(|seconds| format!("{seconds} s left")).unwrap_or_default(),
            may_try_again,
            host: pairing.host.clone(),
            back: Some(back),
            ..Self::default()
        }
    }
}

/// As text in HTML, and within quotation marks.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A modal dialog, open while `open` is.
#[component]
pub(crate) fn Settings(
    /// Whether the dialog is to be seen. Set to false here when the person closes it.
    open: RwSignal<bool>,
    /// What is known of Hue.
    hue: RwSignal<Hue>,
    /// Asks for something.
    on_ask: Callback<Ask>,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let field = NodeRef::<html::Input>::new();
    let adding = RwSignal::new(false);
    let panel = Memo::new(move |_| hue.with(|hue| Panel::of(hue, adding.get())));
    let hides = move |part: fn(&Panel) -> bool| Memo::new(move |_| !panel.with(part));
    let list = Memo::new(move |_| panel.with(|panel| panel.list.clone()));

    Effect::new(move || {
        let Some(dialog) = dialog.get() else { return };
        if open.get() && !dialog.open() {
            let _ = dialog.show_modal();
        } else if !open.get() && dialog.open() {
            dialog.close();
        }
    });
    let back = move || {
        if adding.get_untracked() {
            adding.set(false);
            on_ask.run(Ask::Cancel);
        }
    };
    let close = move || {
        back();
        open.set(false);
    };
    // One listener for every button of the dialog: each says what it is for.
    let click = move |event: ev::MouseEvent| {
        let said = event_target::<HtmlElement>(&event).dataset();
        if let Some(host) = said.get("pair") {
            on_ask.run(Ask::Pair(host));
        } else if let Some(id) = said.get("forget") {
            on_ask.run(Ask::Forget(id));
        }
        match said.get("do").as_deref() {
            Some("add") => {
                adding.set(true);
                on_ask.run(Ask::Search);
            }
            Some("again") => {
                on_ask.run(Ask::Pair(panel.with_untracked(|panel| panel.host.clone())));
            }
            Some("back") => back(),
            Some("close") => close(),
            _ => {}
        }
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let host = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        if !host.trim().is_empty() {
            on_ask.run(Ask::Pair(host.trim().into()));
        }
    };
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="settings-title" on:close=move |_| close() on:click=click>
            <div class="panel">
                <h2 id="settings-title">"Settings"</h2>
                <h3>"Philips Hue"</h3>
                <div class="press" hidden=hides(|panel| panel.is_waiting)><p aria-hidden="true">{move || panel.with(|panel| panel.countdown.clone())}</p></div>
                <div role="status">
                    <strong>{move || panel.with(|panel| panel.title)}</strong>
                    <p>{move || panel.with(|panel| panel.words.clone())}</p>
                </div>
                <code hidden=hides(|panel| panel.is_missing)>"luxwire hue"</code>
                <ul class="hubs" inner_html=list></ul>
                <form on:submit=submit hidden=hides(|panel| panel.may_pair)>
                    <div class="field">
                        <label for="hub-address">"Or its address"</label>
                        <input id="hub-address" node_ref=field type="text" autocomplete="off" maxlength="255" placeholder="192.168.1.20"/>
                    </div>
                    <button class="button main" type="submit">"Pair"</button>
                </form>
                <div class="actions">
                    <button class="button main" type="button" data-do="add" hidden=hides(|panel| panel.may_add)>"Add a Hue hub"</button>
                    <button class="button" type="button" data-do="again" hidden=hides(|panel| panel.may_try_again)>"Try again"</button>
                    <button class="button" type="button" data-do="back" hidden=hides(|panel| panel.back.is_some())>
                        {move || panel.with(|panel| panel.back)}
                    </button>
                    <button class="button" type="button" data-do="close">"Close"</button>
                </div>
            </div>
        </dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn online(status: HueStatus) -> Hue {
        Hue::Online(status)
    }

    #[test]
    fn what_a_stranger_calls_a_hub_is_text() {
        let hub = Hub { id: "\"><script>".into(), name: "<b>&".into(), state: "\"".into(), is_well: true };
        let panel = Panel::of(&online(HueStatus { hubs: vec![hub], ..HueStatus::default() }), false);
        assert!(panel.list.contains("<strong>&lt;b>&amp;</strong>"), "{}", panel.list);
        assert!(panel.list.contains(r#"data-forget="&quot;>&lt;script>""#), "{}", panel.list);
        assert!(!panel.list.contains("<script"), "{}", panel.list);
    }

    #[test]
    fn a_hub_is_looked_for_found_and_waited_for() {
        let searching = HueStatus { searching: true, ..HueStatus::default() };
        let panel = Panel::of(&online(searching.clone()), true);
        assert_eq!((panel.words.as_str(), panel.may_pair), ("Looking for hubs on this network…", true));

        let found = Found { name: "Hall".into(), host: "10.0.0.2".into() };
        let panel = Panel::of(&online(HueStatus { found: vec![found], ..searching.clone() }), true);
        assert!(panel.list.contains(r#"data-pair="10.0.0.2">Hall (10.0.0.2)"#), "{}", panel.list);

        let pairing =
            |stage| HueStatus { pairing: Some(Pairing { stage, ..Pairing::default() }), ..searching.clone() };
        let panel = Panel::of(&online(pairing(Stage::PressButton)), true);
        assert_eq!((panel.is_waiting, panel.may_pair, panel.back), (true, false, Some("Cancel")));
        let panel = Panel::of(&online(pairing(Stage::Failed)), true);
        assert_eq!((panel.is_waiting, panel.may_try_again), (false, true));
        let panel = Panel::of(&online(pairing(Stage::Paired)), true);
        assert_eq!((panel.title, panel.back), ("Paired", Some("Done")));
    }

    #[test]
    fn another_page_that_pairs_does_not_take_over_this_one() {
        let pairing = Some(Pairing::default());
        let panel = Panel::of(&online(HueStatus { pairing, ..HueStatus::default() }), false);
        assert_eq!((panel.may_add, panel.is_waiting), (true, false));
    }

    #[test]
    fn where_nobody_speaks_to_hubs_it_says_how_to_start_somebody() {
        assert!(Panel::of(&Hue::Missing, false).is_missing);
        assert_eq!(Panel::of(&Hue::Looking, true).words, "Asking the broker…");
    }
}
