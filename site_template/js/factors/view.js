/** Which factors a figure shows just now: all of them, or one alone. No DOM. */

/**
 * @typedef {import('../factors.js').Factors} Factors
 * @typedef {import('../patches.js').Patch} Patch
 * @typedef {import('../state.js').State} State
 */

export class FactorView {
  /** @param {State} state */
  constructor(state) {
    this.state = state;
    /** The set shown, once it is here. @type {Factors | null} */
    this.loaded = null;
    /** The factor whose chip is pointed at or has the focus, and the one that is held. @type {number | null} */
    this.pointed = null;
    /** @type {number | null} */
    this.held = null;
    /** Whether the cursor is on a map of factors. */
    this.onMap = false;
  }

  /** The weights that can be shown: those of the present layer. */
  get factors() {
    return this.loaded?.layer === this.state.layer ? this.loaded : null;
  }

  /** Show another set, or none. @param {Factors | null} loaded */
  use(loaded) {
    this.loaded = loaded;
    [this.pointed, this.held] = [null, null];
  }

  /** The factor shown alone, null for all: that of the chip, else the one held, else the strongest of the patch under the cursor on a map of factors. */
  get alone() {
    const { factors, state } = this;
    if (!factors) return null;
    const chosen = this.pointed ?? this.held;
    if (chosen !== null) return chosen;
    const at = this.onMap && state.selection ? state.cursor : null;
    return at && factors.has(at.image) ? factors.strongest(at) : null;
  }

  /** The patch whose mixture is told: the one under the cursor, else the selected one. @returns {Patch | null} */
  get told() {
    const patch = this.state.cursor ?? this.state.selection;
    return patch && this.factors?.has(patch.image) ? patch : null;
  }

  /** The shares of the factors in that patch; null without one. */
  get shares() {
    return this.told && (this.factors?.shares(this.told) ?? null);
  }

  /** The weight on a patch of the factor that is shown alone, null where none is. @param {Patch | null} patch */
  weight(patch) {
    const { alone, factors } = this;
    return patch && factors?.has(patch.image) && alone !== null ? factors.weightsOf(patch)[alone] : null;
  }
}

/** What a factor is called. @param {number} factor */
export function factorName(factor) {
  return `factor ${factor + 1}`;
}

/** A share of a whole, in per cent. @param {number} share */
export function formatShare(share) {
  return `${Math.round(100 * share)}\u2009%`;
}
