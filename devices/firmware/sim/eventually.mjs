//! Waits for a fact. Tests wait for nothing else.

/** Gives what `fact` gives once it is something; after `within` ms fails and says what was waited for. */
export async function eventually(fact, what, within = 30_000) {
  const end = performance.now() + within;
  for (;;) {
    const found = fact();
    if (found) return found;
    if (performance.now() > end) throw new Error(`waited ${within} ms in vain until ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}
