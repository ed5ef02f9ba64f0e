//! One light: its name, since when it is as it is, how bright, and the controls.
use crate::components::{Hand, IntensitySlider, PowerSwitch};
use leptos::{html, prelude::*};
use std::sync::atomic::{AtomicUsize, Ordering};
use wasm_bindgen::JsCast;

/// Since when a light is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct When {
    /// For people: "set 3 minutes ago".
    pub(crate) words: String,
    /// For machines: RFC 3339, if the time is known.
    pub(crate) datetime: Option<String>,
}

/// Something that a person should know although nobody asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// A few words that follow the light's name.
    pub(crate) words: String,
    /// Whether it is about what the person just wanted.
    pub(crate) urgent: bool,
}

/// A card that its own lamp lights.
#[component]
pub(crate) fn LightCard(
    /// Its name.
    name: String,
    /// Whether its slider takes the focus when it appears.
    focused: bool,
    /// The percentage to show; while the light is off, the one that it would come back to.
    #[prop(into)]
    level: Signal<u8>,
    /// Whether it is on.
    #[prop(into)]
    on: Signal<bool>,
    /// What the light says, while that is not what is shown.
    #[prop(into)]
    reported: Signal<Option<u8>>,
    /// Whether its lamp is out of reach.
    #[prop(into)]
    gone: Signal<bool>,
    /// Whether a hand is on its slider.
    #[prop(into)]
    held: Signal<bool>,
    /// Since when it is as it is.
    #[prop(into)]
    when: Signal<When>,
    /// What is to be said instead of that, for a while.
    #[prop(into)]
    notice: Signal<Option<Word>>,
    /// Whether it may be removed here.
    #[prop(into)]
    editing: Signal<bool>,
    /// Hears what the hand does to the slider.
    on_hand: Callback<Hand>,
    /// Hears what the switch is to become.
    on_switch: Callback<bool>,
    /// The person wants it gone.
    on_remove: Callback<()>,
) -> impl IntoView {
    let heading_id = format!("light-{}", CARDS.fetch_add(1, Ordering::Relaxed));
    let article = NodeRef::<html::Article>::new();
    Effect::new(move || {
        if let Some(article) = article.get().filter(|_| focused) {
            // After the dialog that added the light has given the focus back to its button.
            request_animation_frame(move || focus_slider(&article));
        }
    });
    let strength = Memo::new(move |_| if on.get() { (level.get() + 10) / 20 * 20 } else { 0 });
    let remove_label = format!("Remove {name}");
    view! {
        <article
            node_ref=article
            class="light"
            class:on=on
            class:off=move || !on.get()
            class:gone=gone
            class:held=held
            class:editing=editing
            aria-labelledby=heading_id.clone()
            style:--strength=move || strength.get().to_string()
        >
            <span class="shine" style:--level=move || level.get().to_string()></span>
            <div class="title">
                <h2 class="name" id=heading_id.clone() title=name.clone()>{name.clone()}</h2>
                {move || match notice.get() {
                    Some(notice) => view! {
                        <p class="when notice" role=notice.urgent.then_some("alert") title=notice.words.clone()>
                            {notice.words.clone()}
                        </p>
                    }
                    .into_any(),
                    None => view! {
                        <p class="when">
                            <time datetime=move || when.get().datetime>{move || when.get().words}</time>
                        </p>
                    }
                    .into_any(),
                }}
            </div>
            <PowerSwitch name=name.clone() on on_switch/>
            <p class="value">
                {move || if on.get() { level.get().to_string() } else { "Off".into() }}
                <span class="unit">{move || on.get().then_some("%")}</span>
            </p>
            <Show when=move || editing.get()>
                <button
                    class="button remove"
                    type="button"
                    aria-label=remove_label.clone()
                    on:click=move |_| on_remove.run(())
                >
                    "Remove"
                </button>
            </Show>
            <IntensitySlider name level on reported on_hand/>
        </article>
    }
}

/// Numbers the cards, for identifiers that are unique in the page: a light's own may hold any character.
static CARDS: AtomicUsize = AtomicUsize::new(0);

fn focus_slider(article: &web_sys::HtmlElement) {
    let slider = article.query_selector("input[type=range]").ok().flatten();
    if let Some(slider) = slider.and_then(|slider| slider.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = slider.focus();
    }
}
