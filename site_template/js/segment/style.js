/** What only the figure `segment` needs. */

export const style = `
.segment { display: flex; flex-direction: column; gap: 14px; }
.given { display: grid; grid-template-columns: minmax(0, 1fr) 320px; grid-template-rows: auto 1fr; gap: 12px 28px; }
.given .examples { grid-row: 2; }
.given .painting { grid-column: 1 / -1; }
.given .scoring { grid-column: 2; flex-direction: column; align-items: flex-start; gap: 12px; }
.tools { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 14px; font-size: 14px; }
.tools .layers span { padding: 3px 11px; }
.tools .clear:disabled { color: var(--quiet); opacity: 0.6; cursor: default; }
.saving { display: flex; flex-wrap: wrap; align-items: center; gap: 7px; }
.saving select { max-width: 11em; }
.examples { display: flex; flex-wrap: wrap; align-content: flex-start; gap: 12px 16px; min-width: 0; }
.example { min-width: 0; max-width: 100%; margin: 0; font-size: 13px; }
.example figcaption { display: flex; align-items: center; flex-wrap: wrap; gap: 4px 8px; margin-top: 6px; color: var(--quiet); font-variant-numeric: tabular-nums; }
.example figcaption b { color: light-dark(#1b1b1d, #ececee); font-weight: 600; }
.example .clear { padding: 1px 8px; font-size: 12px; }
.of-example { cursor: cell; touch-action: pinch-zoom; }
.tile.of-example img { filter: none; }
.of-example .map { image-rendering: pixelated; }
.tile.of-masks.mapped img, .tile.of-masks.scored.mapped img { filter: none; }
.tile.of-masks.scored.mapped img { filter: grayscale(1) brightness(0.84); }
.of-masks:not(.scored) .map { image-rendering: auto; }
.iou { position: absolute; right: 6px; top: 6px; padding: 0 7px; border-radius: 3px; background: rgb(0 0 0 / 0.72); color: #fff; font: 600 12px/20px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.iou:empty { display: none; }
.of-masks:not(.pinned) .selected, .of-example .selected { display: none; }
.compared { display: flex; flex-direction: column; gap: 5px; }
.compared select { max-width: 13em; }
.keys { display: flex; flex-wrap: wrap; gap: 3px 14px; color: var(--quiet); font-size: 13px; }
.compared:not(:has(input:checked)) .keys { visibility: hidden; }
.keys i { display: inline-block; width: 12px; height: 12px; margin-right: 6px; border-radius: 2px; vertical-align: -1px; }
.foot:has(.threshold) { flex-wrap: wrap; }
.threshold { flex: 0 0 100%; display: grid; grid-template-columns: minmax(0, 1fr) 250px; gap: 6px 24px; align-items: center; }
.plot { position: relative; height: 52px; margin: 0 8px; }
.plot svg { display: block; width: 100%; height: 100%; overflow: visible; }
.plot path { vector-effect: non-scaling-stroke; fill: none; }
.plot .bars { fill: var(--selection); stroke: none; }
.plot .below { fill: light-dark(#c9c9ce, #4a4b52); }
.plot .curve { stroke: var(--accent); stroke-width: 2px; }
.plot .line { stroke: currentColor; stroke-width: 1.5px; }
.plot .axis { position: absolute; right: 0; top: -2px; padding: 0 4px; border-radius: 3px; background: color-mix(in srgb, var(--overlay-background, Canvas) 75%, transparent); color: var(--accent); font-size: 12px; line-height: 1.3; }
.threshold input { display: block; width: 100%; margin: 2px 0 0; }
.ends { display: flex; justify-content: space-between; margin: 0 8px; font-size: 12px; line-height: 1.3; font-variant-numeric: tabular-nums; }
.told { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 8px; font-variant-numeric: tabular-nums; }
.told .said { flex: 0 0 100%; }
.told b { color: light-dark(#1b1b1d, #ececee); font-weight: 600; }
.told .clear { padding: 1px 8px; font-size: 13px; }
@container (max-width: 839px) {
  .given { grid-template-columns: minmax(0, 1fr); }
  .given .scoring { grid-column: 1; flex-direction: row; align-items: center; gap: 8px 14px; }
}
@container (max-width: 599px) {
  .foot:has(.threshold) .note, .compared:not(:has(input:checked)) .keys { display: none; }
  .threshold { grid-template-columns: minmax(0, 1fr); gap: 4px; }
  .plot { height: 34px; }
  .ends { display: none; }
  .told { gap: 4px 8px; }
  .told { flex-wrap: nowrap; line-height: 1.25; }
  .told .said { flex: 1 1 0; }
  .told .clear { flex: none; }
}
`;
