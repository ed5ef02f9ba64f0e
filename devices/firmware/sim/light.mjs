//! What a knob should say and how long an LED should be on, from the published descriptions and not from our code:
//! the steps in `shared/src/model/reading.rs` and the CIE's curve.

/** Whole percent of a knob that rests at so many of 4095 counts. */
export function percent(raw) {
  const band = Math.floor(4095 / 256);
  const margin = 2 * band;
  if (raw <= margin) return 0;
  if (raw >= 4095 - margin) return 100;
  const span = 4095 - 2 * margin;
  return Math.min(99, Math.max(1, Math.round(((raw - margin) / span) * 100)));
}

/** The share of time for which the LED is on at so many percent: CIE 1976 lightness, in 4095ths, at least one if on. */
export function duty(percent) {
  const share = percent <= 8 ? percent / 903.3 : ((percent + 16) / 116) ** 3;
  const counts = Math.round(share * 4095);
  return (percent > 0 ? Math.max(1, counts) : 0) / 4095;
}
