//! The bar: a native range input over its whole area, drawn by what lies beneath it.
//!
//! It tells what the hand does and shows the level it is given. How often that is published, and who leads, is decided
//! elsewhere.
use crate::scroll_guard::ScrollGuard;
use leptos::{ev, html, prelude::*};

/// What a person's hand does to the slider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hand {
    /// A finger or a mouse button goes down on it.
    Press,
    /// It moves to so many percent: by pointer, key or assistive technology.
    Move(u8),
    /// The browser calls the movement finished. For keys that is every press.
    Change,
    /// The hand leaves it, or cannot be seen any longer.
    Release,
}

/// A slider from 1 to 100 %.
#[component]
pub(crate) fn IntensitySlider(
    /// What a screen reader calls it.
    name: String,
    /// The percentage to show; while the light is off, the one that it would come back to.
    #[prop(into)]
    level: Signal<u8>,
    /// Whether the light is on.
    #[prop(into)]
    on: Signal<bool>,
    /// What the light says, while that is not the level shown.
    #[prop(into)]
    reported: Signal<Option<u8>>,
    /// Hears of every movement.
    on_hand: Callback<Hand>,
) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let guard = StoredValue::new(ScrollGuard::default());
    let meant = move |value: Option<u8>| {
        if let Some(value) = value {
            on_hand.run(Hand::Move(value));
        }
    };
    let press = move |event: ev::PointerEvent| {
        if event.pointer_type() == "touch" {
            guard.update_value(|guard| guard.down(event.client_x()));
        }
        on_hand.run(Hand::Press);
    };
    let moves = move |event: ev::PointerEvent| {
        meant(guard.try_update_value(|guard| guard.moved(event.client_x())).flatten());
    };
    let inputs = move |_| {
        let value = input.get_untracked().and_then(|input| input.value().parse().ok());
        meant(value.and_then(|value| guard.try_update_value(|guard| guard.input(value)).flatten()));
    };
    let release = move || {
        meant(guard.try_update_value(ScrollGuard::up).flatten());
        on_hand.run(Hand::Release);
    };
    let cancel = move |_| {
        let scrolls = guard.try_update_value(ScrollGuard::cancel).unwrap_or_default();
        if let Some(input) = input.get_untracked().filter(|_| scrolls) {
            input.set_value(&level.get_untracked().to_string());
        }
        on_hand.run(Hand::Release);
    };
    // A tab that is hidden may never hear of the finger's release.
    let hidden = window_event_listener(ev::visibilitychange, move |_| release());
    on_cleanup(move || hidden.remove());

    let value_text = move || if on.get() { format!("{} percent", level.get()) } else { "Off".into() };
    view! {
        <div class="bar">
            <span class="halo" style:--level=move || level.get().to_string()></span>
            <span class="track">
                <span
                    class="fill"
                    style:--level=move || level.get().to_string()
                    style:transform=move || left_out(level.get())
                ></span>
            </span>
            <span
                class="reported"
                hidden=move || reported.get().is_none()
                style:--reported=move || reported.get().map(|level| level.to_string())
            ></span>
            <input
                node_ref=input
                type="range"
                min="1"
                max="100"
                step="1"
                autocomplete="off"
                aria-label=name
                aria-valuetext=value_text
                prop:value=move || level.get().to_string()
                on:pointerdown=press
                on:pointermove=moves
                on:input=inputs
                on:change=move |_| on_hand.run(Hand::Change)
                on:pointerup=move |_| release()
                on:pointercancel=cancel
                on:lostpointercapture=move |_| release()
                on:keyup=move |_| release()
                on:blur=move |_| release()
            />
        </div>
    }
}

/// How far the fill, which is as long as the bar, is moved out of it.
fn left_out(level: u8) -> String {
    format!("translateX(calc((100% - var(--thumb)) * {out} / -99))", out = 100_u8.saturating_sub(level))
}
