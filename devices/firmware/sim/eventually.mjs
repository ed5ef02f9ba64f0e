//! Waits for a fact. Tests wait for nothing else.

/** How long a fact may take: far more than on any machine that is not stuck. `mutants.mjs` has less of it. */
export const PATIENCE_MS = Number(process.env.LUXWIRE_PATIENCE_MS ?? 30_000);

/** Gives what `fact` gives once it is something; after `within` ms fails and says what was waited for. */
export async function eventually(fact, what, within = PATIENCE_MS) {
  const end = performance.now() + within;
  for (;;) {
    const found = fact();
    if (found) return found;
    if (performance.now() > end) throw new Error(`waited ${within} ms in vain until ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}
