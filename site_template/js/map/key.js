/** The legend of a map's colours: what each one is. An entry that is pointed at or held makes its points stand out. */

import { make } from '../dom.js';

/** @typedef {import('./coloring.js').Entry} Entry */

export class Key {
  /** @param {() => void} onChange of what stands out */
  constructor(onChange) {
    this.onChange = onChange;
    /** @type {Entry | null} */
    this.pointed = null;
    /** @type {Entry | null} */
    this.held = null;
    this.list = make('div', { className: 'entries', role: 'group', ariaLabel: 'Colours' });
    this.note = make('p', { className: 'note' });
    this.element = make('div', { className: 'key' }, this.list, this.note);
  }

  /** The entry whose points stand out. */
  get chosen() {
    return this.pointed ?? this.held;
  }

  /** @param {Entry[]} entries @param {string} note */
  show(entries, note) {
    [this.pointed, this.held] = [null, null];
    this.list.replaceChildren(...entries.map((entry) => this.button(entry)));
    this.list.hidden = entries.length === 0;
    this.tell(note);
  }

  /** @param {string} note */
  tell(note) {
    if (note !== this.note.textContent) this.note.textContent = note;
    this.note.hidden = note === '';
  }

  /** @param {Entry} entry */
  button(entry) {
    const swatch = make('i');
    swatch.style.background = entry.color;
    const button = make('button', { type: 'button' }, swatch, entry.text);
    button.setAttribute('aria-pressed', 'false');
    button.addEventListener('click', () => this.hold(this.held === entry ? null : entry));
    // A tap holds; only what can leave points.
    const point = (/** @type {Entry | null} */ next) => this.point(next);
    button.addEventListener('pointerenter', ({ pointerType }) => pointerType !== 'touch' && point(entry));
    button.addEventListener('pointerleave', ({ pointerType }) => pointerType !== 'touch' && point(null));
    button.addEventListener('focus', () => button.matches(':focus-visible') && point(entry));
    button.addEventListener('blur', () => point(null));
    return button;
  }

  /** @param {Entry | null} entry */
  point(entry) {
    if (this.pointed === entry) return;
    this.pointed = entry;
    this.onChange();
  }

  /** Make one stand out until it is let go. @param {Entry | null} entry */
  hold(entry) {
    [this.held, this.pointed] = [entry, null];
    for (const button of this.list.children) button.setAttribute('aria-pressed', String(button.textContent === entry?.text));
    this.onChange();
  }
}
