//! The page as a whole: which component stands where, and which part of the house it shows.
use leptos::prelude::*;
use luxwire_shared::model::{LightId, LightTopic};

use crate::{
    card::{Card, Place},
    components::{AddLight, Connection, ConnectionLine, Hand, LightCard, NoLights, RemovedCard, Settings},
    house::House,
    words,
};

/// The page.
#[component]
pub(crate) fn App(
    /// What it shows.
    house: House,
    /// Whether the picture can be shown. The button and the section are found by `start.mjs`, which loads it.
    has_picture: bool,
) -> impl IntoView {
    let editing = RwSignal::new(false);
    let adding = RwSignal::new(false);
    let setting = RwSignal::new(false);
    let lights = Memo::new(move |_| house.count.get().lights);
    let is_online = Memo::new(move |_| house.connection.with(|now| *now == Connection::Online));
    let is_empty = Memo::new(move |_| house.row.with(Vec::is_empty));

    Effect::new(move || document().set_title(&words::title(trouble(&house.connection.get()))));
    let edit = move |_| {
        editing.update(|editing| *editing = !*editing);
        if !editing.get_untracked() {
            house.forget_removed();
        }
    };
    let set = move |_| {
        house.look_for_hue();
        setting.set(true);
    };
    let headline = move || {
        let count = house.count.get();
        words::house(count.on, count.lights, is_online.get())
    };

    view! {
        <div class="page" class:unconnected=move || !is_online.get()>
            <header class="top">
                <div>
                    <div class="brand">
                        <h1>"Luxwire"</h1>
                        <ConnectionLine connection=house.connection lights/>
                    </div>
                    <p class="house">{headline}</p>
                </div>
                <div class="actions">
                    <button class="button" type="button" id="picture-button" hidden=!has_picture>"The picture"</button>
                    <button class="button" type="button" on:click=set>"Settings"</button>
                    <button
                        class="button"
                        type="button"
                        hidden=is_empty
                        aria-pressed=move || editing.get().to_string()
                        on:click=edit
                    >"Edit"</button>
                    <button class="button" type="button" hidden=is_empty on:click=move |_| adding.set(true)>"Add a light"</button>
                </div>
            </header>
            <main>
                <section id="picture" aria-label="The picture" hidden></section>
                <Show when=move || is_empty.get() && house.is_complete.get()>
                    <NoLights on_add=Callback::new(move |()| adding.set(true))/>
                </Show>
                <div class="lights">
                    <For each=move || house.row.get() key=Clone::clone let:place>
                        {match place {
                            Place::Light(id) => light(house, id, editing).into_any(),
                            Place::Removed(id) => removed(house, id).into_any(),
                        }}
                    </For>
                </div>
                <p class="too-many" hidden=move || !house.has_too_many.get()>
                    "There are more lights than this page shows."
                </p>
            </main>
        </div>
        <AddLight
            open=adding
            topic=Callback::new(|name: String| topic(&name))
            on_add=Callback::new(move |name: String| house.add(&name))
        />
        <Settings open=setting hue=house.hue on_ask=Callback::new(move |ask| house.ask_hue(ask))/>
    }
}

fn light(house: House, id: LightId, editing: RwSignal<bool>) -> impl IntoView {
    let card = house.card(&id)?;
    let part = |part: fn(&Card) -> u8| {
        let card = card.clone();
        Memo::new(move |_| card.with(part))
    };
    let statement = |statement: fn(&Card) -> bool| {
        let card = card.clone();
        Memo::new(move |_| card.with(statement))
    };
    let reported = Memo::new({
        let card = card.clone();
        move |_| card.with(|card| card.reported)
    });
    let when = Memo::new({
        let card = card.clone();
        move |_| card.with(|card| card.when.clone())
    });
    let notice = Memo::new({
        let card = card.clone();
        move |_| card.with(|card| card.notice.clone())
    });
    let (on_hand, on_switch, on_remove) = {
        let (hand, switch, remove) = (id.clone(), id.clone(), id.clone());
        (
            Callback::new(move |what: Hand| house.hand(&hand, what)),
            Callback::new(move |on: bool| house.switch(&switch, on)),
            Callback::new(move |()| house.remove(&remove)),
        )
    };
    Some(view! {
        <LightCard
            name=id.display_name()
            focused=house.take_added(&id)
            level=part(|card| card.level)
            on=statement(|card| card.on)
            gone=statement(|card| card.gone)
            held=statement(|card| card.held)
            reported
            when
            notice
            editing
            on_hand
            on_switch
            on_remove
        />
    })
}

fn removed(house: House, id: LightId) -> impl IntoView {
    let name = house.removed_name(&id);
    view! { <RemovedCard name on_undo=Callback::new(move |()| house.undo(&id))/> }
}

/// What stands in the title while the page is not what it should be.
fn trouble(connection: &Connection) -> Option<&'static str> {
    match connection {
        Connection::Connecting | Connection::Online => None,
        Connection::Reconnecting(_) => Some("Reconnecting"),
        Connection::Refused(_) => Some("Refused"),
    }
}

fn topic(name: &str) -> Option<String> {
    let id = LightId::try_from(name.trim()).ok()?;
    Some(LightTopic::Intensity(id).name().to_string())
}
