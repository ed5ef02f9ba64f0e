//! The settings dialog: the house's Philips Hue hubs, and how to add one.
//!
//! It shows what a Hue service says and hands over what the person asks for. Who that service is, and how it is spoken
//! to, is the caller's business.
use leptos::{ev, html, prelude::*};

/// What is known of Hue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Hue {
    /// Not asked yet, or not answered yet.
    #[default]
    Looking,
    /// Nobody who speaks to hubs has answered.
    Missing,
    /// What the service says.
    Online(HueStatus),
}

/// What a Hue service says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// What it calls itself.
    pub(crate) name: String,
    /// Its address.
    pub(crate) host: String,
}

/// How pairing with one hub goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// A modal dialog, open while `open` is.
#[component]
pub(crate) fn Settings(
    /// Whether the dialog is to be seen. Set to false here when the person closes it.
    open: RwSignal<bool>,
    /// What is known of Hue.
    #[prop(into)]
    hue: Signal<Hue>,
    /// Asks for something.
    on_ask: Callback<Ask>,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let adding = RwSignal::new(false);
    Effect::new(move || {
        let Some(dialog) = dialog.get() else { return };
        if open.get() && !dialog.open() {
            let _ = dialog.show_modal();
        } else if !open.get() && dialog.open() {
            dialog.close();
        }
    });
    let ask = move |what| on_ask.run(what);
    let close = move || {
        if adding.get_untracked() {
            adding.set(false);
            ask(Ask::Cancel);
        }
        open.set(false);
    };
    let add = move |_| {
        adding.set(true);
        ask(Ask::Search);
    };
    let content = move || match hue.get() {
        Hue::Looking => view! { <p class="hint">"Asking…"</p> }.into_any(),
        Hue::Missing => view! {
            <p>"No Hue service is running at this broker. Start one on any computer of the house:"</p>
            <code>"luxwire hue"</code>
        }
        .into_any(),
        Hue::Online(status) if adding.get() => search(status, adding, on_ask).into_any(),
        Hue::Online(status) => {
            let is_empty = status.hubs.is_empty();
            let hubs = status.hubs.into_iter().map(|hub| paired(hub, on_ask)).collect_view();
            view! {
                <ul class="hubs">{hubs}</ul>
                <p class="hint" hidden=!is_empty>"The lights of a hub stand among all others once it is added."</p>
                <button class="button main" type="button" on:click=add>"Add a Hue hub"</button>
            }
            .into_any()
        }
    };
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="settings-title" on:close=move |_| close()>
            <div class="panel">
                <h2 id="settings-title">"Settings"</h2>
                <section class="panel" aria-labelledby="hue-title">
                    <h3 id="hue-title">"Philips Hue"</h3>
                    {content}
                </section>
                <div class="actions">
                    <button class="button" type="button" on:click=move |_| close()>"Close"</button>
                </div>
            </div>
        </dialog>
    }
}

fn paired(hub: Hub, on_ask: Callback<Ask>) -> impl IntoView {
    let Hub { id, name, state, is_well } = hub;
    let label = format!("Forget {name}");
    let forget = move |_| on_ask.run(Ask::Forget(id.clone()));
    view! {
        <li>
            <span><strong>{name}</strong><span class="state" class:trouble=!is_well>{state}</span></span>
            <button class="button" type="button" aria-label=label on:click=forget>"Forget"</button>
        </li>
    }
}

/// Finding a hub and pressing its button.
fn search(status: HueStatus, adding: RwSignal<bool>, on_ask: Callback<Ask>) -> impl IntoView {
    let back = move |_| {
        adding.set(false);
        on_ask.run(Ask::Cancel);
    };
    if let Some(pairing) = status.pairing {
        return pairing_view(pairing, adding, on_ask).into_any();
    }
    let words = match (status.searching, status.found.len()) {
        (true, 0) => "Looking for hubs on this network…",
        (false, 0) => {
            "No hub answers on this network. Its address stands in the Hue app, under the hub’s network settings."
        }
        _ => "Which one?",
    };
    let found = status.found.into_iter().map(|Found { name, host }| {
        let label = format!("{name} ({host})");
        let pair = move |_| on_ask.run(Ask::Pair(host.clone()));
        view! { <li><button class="button" type="button" on:click=pair>{label}</button></li> }
    });
    let found = found.collect_view();
    let field = NodeRef::<html::Input>::new();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let host = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        if !host.trim().is_empty() {
            on_ask.run(Ask::Pair(host.trim().into()));
        }
    };
    view! {
        <p role="status">{words}</p>
        <ul class="hubs">{found}</ul>
        <form on:submit=submit>
            <div class="field">
                <label for="hub-address">"Or its address"</label>
                <input id="hub-address" node_ref=field type="text" autocomplete="off" maxlength="255" placeholder="192.168.1.20"/>
            </div>
            <div class="actions">
                <button class="button" type="button" on:click=back>"Back"</button>
                <button class="button main" type="submit">"Pair"</button>
            </div>
        </form>
    }
    .into_any()
}

fn pairing_view(pairing: Pairing, adding: RwSignal<bool>, on_ask: Callback<Ask>) -> impl IntoView {
    let Pairing { host, stage, message, seconds_left } = pairing;
    let title = match stage {
        Stage::PressButton => "Press the round button on the hub",
        Stage::Paired => "Paired",
        Stage::Failed => "That did not work",
    };
    let left =
        seconds_left.filter(|_| stage == Stage::PressButton).map(|seconds| format!("{seconds} s left"));
    let again = move |_| on_ask.run(Ask::Pair(host.clone()));
    let back = move |_| {
        adding.set(false);
        on_ask.run(Ask::Cancel);
    };
    view! {
        <div class="press" class:waiting=stage == Stage::PressButton>
            <div role="status"><strong>{title}</strong><p>{message}</p></div>
            <p class="hint" aria-hidden="true">{left}</p>
        </div>
        <div class="actions">
            <button class="button" type="button" hidden=stage != Stage::Failed on:click=again>"Try again"</button>
            <button class="button main" type="button" on:click=back>
                {if stage == Stage::PressButton { "Cancel" } else { "Done" }}
            </button>
        </div>
    }
}
