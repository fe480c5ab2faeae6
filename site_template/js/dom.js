/** Two shorthands for building elements. */

/** An element with properties and children. @template {keyof HTMLElementTagNameMap} T @param {T} tag @param {Record<string, unknown>} [properties] @param {...(Node | string)} children @returns {HTMLElementTagNameMap[T]} */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  Object.assign(element, properties);
  element.append(...children);
  return element;
}

/** A labelled list. @param {string} label @param {{value: string, text: string}[]} options @param {string} value @param {(value: string) => void} onChange */
export function choice(label, options, value, onChange) {
  const select = make('select', {}, ...options.map((option) => make('option', option)));
  select.value = value;
  select.addEventListener('change', () => onChange(select.value));
  return { element: make('label', { className: 'choice' }, make('span', { textContent: label }), select), select };
}
