/** Shorthands for elements: building them, whether a reader is near, how a failure leaves them. */

/** An element with properties and children. @template {keyof HTMLElementTagNameMap} T @param {T} tag @param {Record<string, unknown>} [properties] @param {...(Node | string)} children @returns {HTMLElementTagNameMap[T]} */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  Object.assign(element, properties);
  element.append(...children);
  return element;
}

/** A picture that a canvas which is to be saved may hold, also one from another host: fetched with CORS. @param {string} url @param {Record<string, unknown>} [properties] */
export function pictureOf(url, properties) {
  const picture = make('img', { draggable: false, decoding: 'async', ...properties });
  if (!url.startsWith('data:')) picture.crossOrigin = 'anonymous';
  return picture;
}

/** A labelled list, in groups where options have any. @param {string} label @param {{value: string, text: string, group?: string}[]} options @param {string} value @param {(value: string) => void} onChange */
export function choice(label, options, value, onChange) {
  const select = make('select');
  for (const { group, ...option } of options) {
    const last = /** @type {HTMLOptGroupElement | null} */ (select.lastElementChild);
    if (group === undefined) select.append(make('option', option));
    else if (last?.label === group) last.append(make('option', option));
    else select.append(make('optgroup', { label: group }, make('option', option)));
  }
  select.value = value;
  select.addEventListener('change', () => onChange(select.value));
  return { element: make('label', { className: 'choice' }, make('span', { textContent: label }), select), select };
}

/**
 * One of a few, as segments side by side: radio buttons by their looks.
 * @param {string} label @param {{value: string, text: string, small: string}[]} options @param {string} value @param {(value: string) => void} onChange
 */
export function segments(label, options, value, onChange) {
  const radios = options.map((option) => make('input', { type: 'radio', name: label, value: option.value }));
  for (const radio of radios) radio.addEventListener('change', () => onChange(radio.value));
  const labels = options.map(({ text, small }, i) => make('label', {}, radios[i], make('span', {}, text, ' ', make('small', { textContent: small }))));
  const element = make('fieldset', { className: 'layers' }, make('legend', { textContent: label }), ...labels);
  const set = (/** @type {string} */ chosen) => radios.forEach((radio) => (radio.checked = radio.value === chosen));
  set(value);
  return { element, set };
}

/** Whether an element is in view, or at most a screen away. @param {Element} element */
export function isNear(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return top < 2 * innerHeight && bottom > -innerHeight;
}

/** Do something once an element is near. @param {Element} element @param {() => void} action @param {AbortSignal} signal */
export function whenNear(element, action, signal) {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    action();
  }, { rootMargin: '100% 0%' });
  observer.observe(element);
  signal.addEventListener('abort', () => observer.disconnect());
}

/**
 * Do something after what has changed was painted, however often it is asked for: not again before `pause` milliseconds have passed.
 * @param {() => void} action @param {number} pause @param {AbortSignal} signal @returns {() => void} asks for it
 */
export function afterPaint(action, pause, signal) {
  let [waiting, last] = [false, -Infinity];
  const act = () => {
    [waiting, last] = [false, performance.now()];
    if (!signal.aborted) action();
  };
  return () => {
    // A task that a frame's callback begins comes after the frame.
    if (!waiting) requestAnimationFrame(() => setTimeout(act, last + pause - performance.now()));
    waiting = true;
  };
}

/** Tell the page of a failure. @param {HTMLElement} element @param {unknown} error */
export function announceError(element, error) {
  element.dispatchEvent(new CustomEvent('overlay-error', { detail: error, bubbles: true, composed: true }));
}
