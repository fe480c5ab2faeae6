/** Which of many elements are near the view, and which are in it. */

/** How far beyond the view an element is near: a screen up and down. */
const NEAR = '100% 0%';

/**
 * Keep up two sets as the page scrolls.
 * @template {{element: Element}} T
 * @param {T[]} items
 * @param {{comes: (item: T) => void, goes: (item: T) => void, appears: (item: T) => void}} on comes and goes: near the view; appears: in it
 * @param {AbortSignal} signal
 * @returns {{near: Set<T>, seen: Set<T>}}
 */
export function watchView(items, { comes, goes, appears }, signal) {
  const byElement = new Map(items.map((item) => [item.element, item]));
  const near = follow(byElement, { rootMargin: NEAR }, comes, goes, signal);
  const seen = follow(byElement, {}, appears, () => {}, signal);
  return { near, seen };
}

/**
 * @template T
 * @param {Map<Element, T>} items @param {IntersectionObserverInit} options @param {(item: T) => void} enters @param {(item: T) => void} leaves @param {AbortSignal} signal
 */
function follow(items, options, enters, leaves, signal) {
  const inside = /** @type {Set<T>} */ (new Set());
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const item = /** @type {T} */ (items.get(target));
      if (isIntersecting === inside.has(item)) continue;
      if (isIntersecting) inside.add(item);
      else inside.delete(item);
      (isIntersecting ? enters : leaves)(item);
    }
  }, options);
  for (const element of items.keys()) observer.observe(element);
  signal.addEventListener('abort', () => observer.disconnect());
  return inside;
}
