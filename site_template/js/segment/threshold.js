/** Where scores are parted into foreground and background: Otsu's value, and how well each threshold agrees with masks that are known. exporter/segment.py has the same. No DOM. */

import { upsampled } from './mask.js';

/**
 * @typedef {import('./cells.js').Bitmap} Bitmap
 * @typedef {{low: number, high: number}} Span of scores
 */

/** Thresholds between the least and the greatest score; there is one more. */
export const LEVELS = 256;

/** @param {Iterable<Float32Array>} scores @returns {Span} */
export function spanOf(scores) {
  let [low, high] = [Infinity, -Infinity];
  for (const values of scores) {
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? { low, high } : { low: 0, high: 1 };
}

/** The threshold of a level. @param {Span} span @param {number} level 0 to LEVELS */
export function thresholdAt({ low, high }, level) {
  return low + (level * (high - low)) / LEVELS;
}

/** The level nearest to a threshold. @param {Span} span @param {number} threshold */
export function levelOf({ low, high }, threshold) {
  return high > low ? Math.min(LEVELS, Math.max(0, Math.round(((threshold - low) / (high - low)) * LEVELS))) : 0;
}

/** How many scores lie from each level to the next. @param {Iterable<Float32Array>} scores @param {Span} span */
export function histogram(scores, { low, high }) {
  const counts = new Float64Array(LEVELS);
  const scale = high > low ? LEVELS / (high - low) : 0;
  for (const values of scores) for (const value of values) counts[Math.min(LEVELS - 1, Math.floor((value - low) * scale))]++;
  return counts;
}

/** The level that best parts scores in two: of greatest variance between the classes (Otsu, 1979), the first of equals. @param {Float64Array} counts a histogram */
export function otsuLevel(counts) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const whole = counts.reduce((sum, count, i) => sum + count * i, 0);
  let [best, greatest, below, sum] = [0, 0, 0, 0];
  for (let i = 0; i < LEVELS - 1; i++) {
    below += counts[i];
    sum += counts[i] * i;
    const above = total - below;
    const between = below * above > 0 ? (sum * total - below * whole) ** 2 / (below * above) : 0;
    if (between > greatest) [best, greatest] = [i + 1, between];
  }
  return best;
}

/** Pixels of an image by the level up to which they are foreground: of the truth, and all. */
export class Agreement {
  /** @param {Float32Array} scores @param {[number, number]} grid @param {Bitmap} truth of the size of the image @param {Span} span @param {boolean} smooth */
  constructor(scores, grid, truth, span, smooth) {
    const inside = new Float64Array(LEVELS + 2);
    const all = new Float64Array(LEVELS + 2);
    const reached = levelsOf(span);
    upsampled(scores, grid, truth.rows, truth.cols, smooth, (values, row) => {
      for (let col = 0, at = row * truth.cols; col < values.length; col++, at++) {
        const level = reached(values[col]);
        all[level]++;
        if (truth.values[at]) inside[level]++;
      }
    });
    /** Of each level, and of what lies below all, the pixels at or above it. */
    this.inside = fromAbove(inside);
    this.all = fromAbove(all);
  }

  /** Intersection over union of the mask at a level with the truth; 1 where both are empty. @param {number} level */
  iou(level) {
    const union = this.all[level + 1] + this.inside[0] - this.inside[level + 1];
    return union > 0 ? this.inside[level + 1] / union : 1;
  }
}

/** Finds the number of levels that a score reaches, just as it would be compared with each of their thresholds. @param {Span} span @returns {(score: number) => number} */
function levelsOf(span) {
  const thresholds = Float64Array.from({ length: LEVELS + 1 }, (_, level) => thresholdAt(span, level));
  const scale = span.high > span.low ? LEVELS / (span.high - span.low) : 0;
  return (score) => {
    let reached = Math.max(0, Math.min(LEVELS + 1, Math.floor((score - span.low) * scale) + 1));
    if (reached <= LEVELS && score >= thresholds[reached]) reached++;
    else if (reached > 0 && score < thresholds[reached - 1]) reached--;
    return reached;
  };
}

/** @param {Float64Array} counts */
function fromAbove(counts) {
  for (let i = counts.length - 2; i >= 0; i--) counts[i] += counts[i + 1];
  return counts;
}

/** The mean IoU of images at every level, null where there are none. @param {Agreement[]} agreements @returns {Float64Array | null} LEVELS + 1 */
export function iouCurve(agreements) {
  if (!agreements.length) return null;
  return Float64Array.from({ length: LEVELS + 1 }, (_, level) => agreements.reduce((sum, one) => sum + one.iou(level), 0) / agreements.length);
}

/** The first of the best levels of a curve. @param {Float64Array} curve */
export function bestLevel(curve) {
  return curve.reduce((best, value, level) => (value > curve[best] ? level : best), 0);
}
