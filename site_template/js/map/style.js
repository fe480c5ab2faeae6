/** How a map and what stands beside it look. */

export const style = `
.map-pickers { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; margin-bottom: 14px; font-size: 14px; }
.map { display: grid; grid-template-columns: minmax(0, 500px) minmax(0, 1fr); gap: 28px; align-items: start; }
.map .side { position: sticky; top: 12px; display: flex; flex-direction: column; gap: 12px; }
.scatter { position: relative; width: min(100%, max(300px, 100vh - 430px)); border-radius: 4px; background: light-dark(#f4f4f2, #1b1c1f); }
.surface { position: relative; aspect-ratio: 1; overflow: hidden; border-radius: 4px; cursor: crosshair; user-select: none; -webkit-user-select: none; -webkit-touch-callout: none; touch-action: manipulation; }
[data-tool=lasso] .surface, [data-tool=box] .surface, .zoomed .surface { touch-action: pinch-zoom; }
.zoomed:not([data-tool=lasso], [data-tool=box]) .surface:active { cursor: grabbing; }
.surface:focus { outline: none; }
.surface:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.surface > * { position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none; }
.ring circle { fill: none; stroke: light-dark(#fff, #141517); stroke-width: 5; }
.ring circle + circle { stroke: currentColor; stroke-width: 2; }
.ring.selected circle { stroke: #16130a; stroke-width: 6; }
.ring.selected circle + circle { stroke: var(--selection); stroke-width: 3; }
.ring.near circle + circle { stroke-dasharray: 3 3; }
.outline { fill: color-mix(in srgb, var(--accent) 9%, transparent); stroke: var(--accent); stroke-width: 1.5; stroke-linejoin: round; }
.thumbs img { position: absolute; left: 0; top: 0; border-radius: 2px; outline: 2.5px solid; }
.thumbs .faint { opacity: 0.22; }
.surface .thumbs { isolation: isolate; }
.thumbs .chosen { z-index: 1; box-shadow: 0 0 0 5.5px #16130a, 0 0 0 8px var(--selection); }
.thumbs .looked { z-index: 2; box-shadow: 0 0 0 5px light-dark(#1b1b1d, #ececee); }
.scatter .zoom { position: absolute; display: flex; gap: 4px; }
.zoom.right { right: 6px; }
.zoom.left { left: 6px; }
.zoom.top { top: 6px; }
.zoom.bottom { bottom: 6px; }
.scatter .zoom button { min-width: 28px; height: 26px; padding: 0 7px; border: 1px solid var(--rule); border-radius: 5px; background: light-dark(rgb(255 255 255 / 0.85), rgb(31 32 36 / 0.85)); font-size: 13px; line-height: 1; cursor: pointer; }
.scatter .zoom button:focus-visible, .key button:focus-visible, .probe .leads:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.scatter .message { position: absolute; inset: 0; display: grid; place-content: center; padding: 20px; color: var(--quiet); font-size: 14px; text-align: center; pointer-events: none; }
.scatter .message .missing { pointer-events: auto; text-align: left; }
.scatter:has(.message:not([hidden])) .zoom { display: none; }
.key { min-width: 0; font-size: 13px; line-height: 1.35; }
.key .entries { display: flex; flex-wrap: wrap; gap: 3px 4px; max-height: 84px; overflow: auto; }
.key .entries[hidden] { display: none; }
.key button { display: inline-flex; align-items: center; gap: 6px; max-width: 100%; padding: 2px 7px 2px 5px; border: 1px solid transparent; border-radius: 5px; background: none; font-size: 13px; text-align: left; overflow-wrap: anywhere; cursor: pointer; }
.key button:hover { background: color-mix(in srgb, currentColor 9%, transparent); }
.key button[aria-pressed=true] { border-color: currentColor; }
.key i { flex: none; width: 11px; height: 11px; border-radius: 50%; box-shadow: inset 0 0 0 1.5px rgb(0 0 0 / 0.35); }
.key .note, .made { margin: 0; color: var(--quiet); font-size: 13px; line-height: 1.4; text-wrap: pretty; }
.key .entries:not([hidden]) + .note { margin-top: 4px; }
.probe { display: flex; align-items: center; gap: 14px; min-height: 92px; font-size: 14px; line-height: 1.4; font-variant-numeric: tabular-nums; }
.probe .leads { flex: none; display: flex; gap: 8px; padding: 0; border: 0; border-radius: 3px; background: none; cursor: pointer; }
.probe .cut { width: 92px; height: 92px; }
.probe .what { min-width: 0; margin: 0; color: var(--quiet); overflow-wrap: anywhere; }
.probe .what b { margin-right: 7px; color: light-dark(#1b1b1d, #ececee); font-weight: 600; }
.probe .what small { font-size: 12px; }
.probe .what span { display: block; }
.region { display: flex; align-items: center; justify-content: space-between; gap: 12px; min-height: 44px; margin: 0 0 12px; color: var(--quiet); font-size: 14px; line-height: 1.4; font-variant-numeric: tabular-nums; text-wrap: pretty; }
.region b { color: light-dark(#1b1b1d, #ececee); font-weight: 600; }
.region .clear { flex: none; }
.tile.in-region .map { image-rendering: pixelated; }
.tile .tally { position: absolute; right: 6px; top: 6px; padding: 0 7px; border-radius: 3px; background: rgb(0 0 0 / 0.8); color: #fff; font: 650 12px/20px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.tile.pointed { box-shadow: 0 0 0 3px var(--selection), 0 0 0 5px #16130a; }
@container (max-width: 899px) {
  .map { display: flex; flex-direction: column; align-items: stretch; gap: 12px; }
  .map .side { display: contents; }
  .scatter { position: sticky; top: 8px; z-index: 3; width: min(100%, 46vh); margin-inline: auto; box-shadow: 0 0 0 8px var(--overlay-background, Canvas); }
  .map > :last-child { order: 1; }
  .map .made { order: 2; }
  .region { margin: 0 0 10px; }
}
@container (max-width: 599px) {
  .map-pickers { gap: 8px; margin-bottom: 12px; }
  .probe { gap: 10px; font-size: 13px; }
  .key .entries { max-height: 86px; }
  .key button { padding: 5px 8px 5px 6px; }
  .scatter .zoom button { min-width: 34px; height: 32px; }
}
`;
