//! The dialog that adds a light: one field, the name.
//!
//! What names are good is decided by whoever is asked on submit. The dialog itself is the browser's: it keeps the focus
//! inside, closes on Escape and gives the focus back.
use leptos::{ev, html, prelude::*};

/// A modal dialog, open while `open` is.
#[component]
pub(crate) fn AddLight(
    /// Whether the dialog is to be seen. Set to false here when the person closes it.
    open: RwSignal<bool>,
    /// The topic that a light of this name would have; `None` if it cannot have one.
    topic: Callback<String, Option<String>>,
    /// Adds a light of this name, or says why not.
    on_add: Callback<String, Result<(), String>>,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let field = NodeRef::<html::Input>::new();
    let (name, set_name) = signal(String::new());
    let (fault, set_fault) = signal(None::<String>);

    Effect::new(move || {
        let Some(dialog) = dialog.get() else { return };
        if open.get() && !dialog.open() {
            set_name.set(String::new());
            set_fault.set(None);
            let _ = dialog.show_modal();
        } else if !open.get() && dialog.open() {
            dialog.close();
        }
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        match on_add.run(name.get_untracked()) {
            Ok(()) => open.set(false),
            Err(why) => {
                set_fault.set(Some(why));
                if let Some(field) = field.get_untracked() {
                    let _ = field.focus();
                }
            }
        }
    };
    let hint = move || match topic.run(name.get()) {
        Some(topic) => view! { "Its topic will be " <code>{topic}</code> }.into_any(),
        None => "For instance “Desk” or “Kitchen counter”".into_any(),
    };

    view! {
        <dialog
            class="dialog"
            node_ref=dialog
            aria-labelledby="add-light-title"
            on:close=move |_| open.set(false)
        >
            <form on:submit=submit>
                <h2 id="add-light-title">"Add a light"</h2>
                <div class="field">
                    <label for="add-light-name">"Name"</label>
                    <input
                        id="add-light-name"
                        node_ref=field
                        type="text"
                        autocomplete="off"
                        autofocus
                        maxlength="128"
                        aria-describedby="add-light-hint add-light-fault"
                        aria-invalid=move || fault.get().is_some().to_string()
                        prop:value=name
                        on:input=move |event| {
                            set_name.set(event_target_value(&event));
                            set_fault.set(None);
                        }
                    />
                    <p id="add-light-hint" class="hint">{hint}</p>
                    <div id="add-light-fault" class="fault">
                        {move || fault.get().map(|fault| view! { <p role="alert">{fault}</p> })}
                    </div>
                </div>
                <div class="actions">
                    <button class="button" type="button" on:click=move |_| open.set(false)>"Cancel"</button>
                    <button class="button main" type="submit">"Add"</button>
                </div>
            </form>
        </dialog>
    }
}
