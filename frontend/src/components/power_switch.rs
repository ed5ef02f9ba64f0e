//! The switch of one light. What "on" goes back to is not its business.
use leptos::prelude::*;

/// An on/off switch.
#[component]
pub(crate) fn PowerSwitch(
    /// The light's name; a screen reader hears "NAME on".
    name: String,
    /// Whether the light is on.
    #[prop(into)]
    on: Signal<bool>,
    /// Hears what the person wants.
    on_switch: Callback<bool>,
) -> impl IntoView {
    view! {
        <input
            class="switch"
            type="checkbox"
            role="switch"
            autocomplete="off"
            aria-label=format!("{name} on")
            prop:checked=on
            on:change=move |event| on_switch.run(event_target_checked(&event))
        />
    }
}
