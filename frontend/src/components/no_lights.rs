//! The first visit: there is no light yet, and this is how to get one.
use leptos::prelude::*;

/// What stands in the place of the lights while there are none.
#[component]
pub(crate) fn NoLights(
    /// The person wants to add a light here.
    on_add: Callback<()>,
) -> impl IntoView {
    view! {
        <section class="no-lights">
            <h2>"No lights yet"</h2>
            <p>"A light is here as soon as anybody says how bright it is. Add one yourself:"</p>
            <button class="button main" type="button" on:click=move |_| on_add.run(())>"Add a light"</button>
            <p>"Or let any MQTT client say it, for instance Mosquitto’s:"</p>
            <code>"mosquitto_pub -t lights/desk/intensity -r -m 40"</code>
        </section>
    }
}
