//! What stands in a removed light's place for as long as it can be brought back.
use leptos::{html, prelude::*};

/// Says that the light was removed, and offers to undo it.
#[component]
pub(crate) fn RemovedCard(
    /// The light's name.
    name: String,
    /// The person wants it back.
    on_undo: Callback<()>,
) -> impl IntoView {
    // The button that had the focus is gone with the light.
    let undo = NodeRef::<html::Button>::new();
    Effect::new(move || {
        if let Some(undo) = undo.get() {
            let _ = undo.focus();
        }
    });
    view! {
        <div class="removed">
            <p><strong>{name.clone()}</strong>" is removed."</p>
            <button
                class="button"
                type="button"
                node_ref=undo
                aria-label=format!("Undo removing {name}")
                on:click=move |_| on_undo.run(())
            >"Undo"</button>
        </div>
    }
}
