/** Which of many points is near a place, lies in a direction, or inside an outline. No DOM. */

/** So many points share a cell of the grid, on average. */
const SHARED = 2;

/** Points in a square of 0 to 1, in a grid of cells: only those near a place are looked at. */
export class Spots {
  /** @param {Float32Array} x @param {Float32Array} y */
  constructor(x, y) {
    this.x = x;
    this.y = y;
    this.side = Math.max(1, Math.floor(Math.sqrt(x.length / SHARED)));
    /** The points cell by cell, and where those of each cell begin. */
    this.starts = new Uint32Array(this.side ** 2 + 1);
    this.points = new Uint32Array(x.length);
    const cells = Uint32Array.from(x, (value, point) => this.cellOf(value) + this.side * this.cellOf(y[point]));
    for (const cell of cells) this.starts[cell + 1]++;
    for (let cell = 0; cell < this.side ** 2; cell++) this.starts[cell + 1] += this.starts[cell];
    const next = this.starts.slice();
    cells.forEach((cell, point) => (this.points[next[cell]++] = point));
  }

  /** Along one axis. @param {number} value */
  cellOf(value) {
    return Math.min(this.side - 1, Math.max(0, Math.floor(value * this.side)));
  }

  /** The point nearest to a place, at most a radius away: of several just as near the first; -1 where there is none. @param {number} x @param {number} y @param {number} radius */
  nearest(x, y, radius) {
    let [best, least] = [-1, radius ** 2];
    const [left, right, top, bottom] = [x - radius, x + radius, y - radius, y + radius].map((value) => this.cellOf(value));
    for (let row = top; row <= bottom; row++) {
      for (let i = this.starts[row * this.side + left]; i < this.starts[row * this.side + right + 1]; i++) {
        const point = this.points[i];
        const away = (this.x[point] - x) ** 2 + (this.y[point] - y) ** 2;
        if (away < least || (away === least && (best < 0 || point < best))) [best, least] = [point, away];
      }
    }
    return best;
  }

  /**
   * The next point from one of them in a direction: the nearest within 45 degrees of it, those further off the line counting as further away;
   * -1 where there is none.
   * @param {number} from @param {number} right -1, 0 or 1 @param {number} down
   */
  towards(from, right, down) {
    let [best, least] = [-1, Infinity];
    for (let point = 0; point < this.x.length; point++) {
      const [dx, dy] = [this.x[point] - this.x[from], this.y[point] - this.y[from]];
      const [along, across] = [dx * right + dy * down, Math.abs(dx * down) + Math.abs(dy * right)];
      if (along > 0 && across <= along && along + across < least) [best, least] = [point, along + across];
    }
    return best;
  }
}

/**
 * Which points lie inside an outline, closed by a line from its last corner to its first; where it crosses itself, as the even-odd rule says.
 * @param {Float32Array} x @param {Float32Array} y @param {[number, number][]} outline
 * @returns {Uint8Array} 1 for those inside
 */
export function inside(x, y, outline) {
  const [xs, ys] = [outline.map(([one]) => one), outline.map(([, one]) => one)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  return Uint8Array.from(x, (px, point) => {
    const py = y[point];
    if (px < left || px > right || py < top || py > bottom) return 0;
    let within = 0;
    for (let i = 0, j = outline.length - 1; i < outline.length; j = i++) {
      if (ys[i] > py !== ys[j] > py && px < ((xs[j] - xs[i]) * (py - ys[i])) / (ys[j] - ys[i]) + xs[i]) within ^= 1;
    }
    return within;
  });
}

/** The corners of a box between two of them. @param {[number, number]} a @param {[number, number]} b @returns {[number, number][]} */
export function box([ax, ay], [bx, by]) {
  return [[ax, ay], [bx, ay], [bx, by], [ax, by]];
}
