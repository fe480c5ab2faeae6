/** Which part of a long element is in view. */

/**
 * Tell, at first and whenever it may have changed, from where to where an element is in view, in pixels from its top (negative and beyond its
 * height too). An observer of each of a thousand tiles would take longer, at every frame, than all else that a hover does.
 * @param {HTMLElement} element @param {(top: number, bottom: number) => void} onChange @param {AbortSignal} signal
 * @returns {() => void} tells at once
 */
export function followView(element, onChange, signal) {
  const tell = () => {
    const { top } = element.getBoundingClientRect();
    onChange(-top, innerHeight - top);
  };
  // A scroll does not bubble, nor does it leave a shadow root; and what stands before the element may change its height.
  for (let node = /** @type {Node | undefined} */ (element); node; ) {
    const root = node.getRootNode();
    root.addEventListener('scroll', tell, { capture: true, passive: true, signal });
    node = root instanceof ShadowRoot ? root.host : undefined;
  }
  addEventListener('resize', tell, { signal });
  const resize = new ResizeObserver(tell);
  for (const one of [element, document.body]) resize.observe(one);
  signal.addEventListener('abort', () => resize.disconnect());
  return tell;
}
