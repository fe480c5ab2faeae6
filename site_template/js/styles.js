/** The style of a figure. Text takes its colour from the page around it; light and dark follow the page's `color-scheme`. */

const CSS = `
:host { display: block; container-type: inline-size; --accent: light-dark(#b4530a, #ffab5e); --rule: color-mix(in srgb, currentColor 16%, transparent);
  --quiet: color-mix(in srgb, currentColor 68%, transparent); --selection: #ffd60a; font: 400 15px/1.5 system-ui, sans-serif; }
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.figure { display: flex; flex-direction: column; gap: 12px; }
.controls, .settings, .pickers { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; }
.controls { font-size: 14px; }
.choice { display: inline-flex; align-items: center; gap: 7px; color: var(--quiet); white-space: nowrap; }
select, button, input { font: inherit; accent-color: var(--accent); }
select, button { color: inherit; }
.choice select { max-width: 15em; padding: 3px 4px; border: 1px solid var(--rule); border-radius: 5px; background: light-dark(#fff, #1f2024); color: light-dark(#1b1b1d, #ececee); }
.choice input[type=range] { width: 60px; }
.layers { display: inline-flex; margin: 0; padding: 0; border: 1px solid var(--rule); border-radius: 7px; overflow: hidden; }
.layers legend { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.layers label { position: relative; }
.layers input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.layers span { display: block; padding: 5px 12px; white-space: nowrap; color: var(--quiet); }
.layers small { font-size: 12px; font-variant-numeric: tabular-nums; }
.layers input:checked + span { background: light-dark(#1b1b1d, #ececee); color: light-dark(#fff, #141517); }
.layers input:focus-visible + span { outline: 2px solid var(--accent); outline-offset: -3px; border-radius: 6px; }
.toggle, .clear { padding: 3px 11px; border: 1px solid var(--rule); border-radius: 5px; background: none; cursor: pointer; }
.toggle { display: none; }
.legend { display: flex; align-items: center; gap: 8px; font-variant-numeric: tabular-nums; white-space: nowrap; }
.legend .ramp { position: relative; width: 150px; height: 9px; border-radius: 2px; }
.legend .ramp i { position: absolute; top: -4px; bottom: -4px; width: 2px; margin-left: -1px; background: currentColor; }
.panels { display: grid; grid-auto-rows: auto; justify-content: center; }
.panel { display: grid; grid-template-rows: subgrid; grid-row: span 4; margin: 0; padding-bottom: 24px; font-size: 14px; line-height: 1.4; }
.panel figcaption { display: contents; }
.panel .title { margin-top: 7px; overflow-wrap: anywhere; }
.panel .title b { font-weight: 600; }
.panel .about { color: var(--quiet); font-size: 13px; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.panel .legend { margin-top: 5px; color: var(--quiet); font-size: 13px; }
.panel .about span { display: block; }
.panel .ramp { flex: 1; width: auto; }
.gallery, .pair { display: flex; flex-wrap: wrap; align-items: flex-start; }
.pair { flex-wrap: nowrap; gap: 16px; }
.pair .tile { flex: 1 1 0; min-width: 0; }
.pickers { margin-bottom: 12px; font-size: 14px; }
.tile { position: relative; overflow: hidden; container-type: size; border-radius: 3px; background: light-dark(#eee, #26272b); cursor: crosshair; user-select: none; -webkit-user-select: none; -webkit-touch-callout: none; touch-action: manipulation; }
.tile > * { pointer-events: none; }
.tile:focus { outline: none; }
.tile:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.tile.source { touch-action: pinch-zoom; }
.tile img, .tile canvas { position: absolute; inset: 0; display: block; width: 100%; height: 100%; }
.tile img { object-fit: fill; color: inherit; font-size: 13px; }
.tile.no-picture img { inset: 8px; width: auto; }
.tile.mapped img { filter: grayscale(1) brightness(0.84); }
.tile.mapped.spotlight img { filter: none; }
.map { image-rendering: pixelated; }
.map.smooth { image-rendering: auto; }
.tile .name { position: absolute; left: 0; right: 0; bottom: 0; padding: 18px 8px 4px; overflow: hidden; color: #fff; font-size: 13px; line-height: 1.3; text-overflow: ellipsis; white-space: nowrap;
  background: linear-gradient(transparent, rgb(0 0 0 / 0.55)); }
.tile .badges { position: absolute; left: 6px; top: 6px; display: flex; flex-wrap: wrap; gap: 4px; max-width: calc(100% - 12px); }
.badges span { max-width: 100%; padding: 0 7px; overflow: hidden; border-radius: 3px; background: rgb(0 0 0 / 0.72); color: #fff; font: 600 12px/20px system-ui, sans-serif; text-overflow: ellipsis; white-space: nowrap; }
.badges span:empty { display: none; }
.mark { position: absolute; left: 0; top: 0; visibility: hidden; contain: layout size; min-width: 11px; min-height: 11px; border-radius: 2px; }
.best, .cursor { will-change: transform; }
.selected { border: 3px solid var(--selection); box-shadow: 0 0 0 2px #16130a, inset 0 0 0 1.5px #16130a; }
.pinned .selected { box-shadow: 0 0 0 2px #16130a, inset 0 0 0 1.5px #16130a, 0 0 0 5px #fff, 0 0 0 6.5px #16130a; }
.fine.selected { border-width: 2px; box-shadow: 0 0 0 1.5px #16130a; }
.tile .name small { margin-right: 7px; font-size: 11px; opacity: 0.8; }
.best { border: 2px solid #fff; box-shadow: 0 0 0 1.5px rgb(0 0 0 / 0.75), inset 0 0 0 1px rgb(0 0 0 / 0.5); }
.cursor { border: 2px dashed #fff; box-shadow: 0 0 0 1.5px rgb(0 0 0 / 0.75); z-index: 1; }
.value { position: absolute; top: calc(100% + 5px); left: 50%; padding: 0 6px; border-radius: 3px; background: rgb(0 0 0 / 0.8); color: #fff; font: 650 12px/18px system-ui, sans-serif; font-variant-numeric: tabular-nums;
  /* Under the middle of the patch, as far as the image reaches. */
  transform: translateX(calc(max(0px, 23px - var(--x) * 100cqw) - max(0px, 23px - (1 - var(--x)) * 100cqw) - 50%)); }
.above .value { top: auto; bottom: calc(100% + 5px); }
.foot { position: relative; display: flex; align-items: center; justify-content: space-between; gap: 6px 24px; min-height: 52px; padding: 6px 0; color: var(--quiet); font-size: 14px; }
.foot.sticks { position: sticky; bottom: 0; z-index: 3; background: var(--overlay-background); box-shadow: -5px 0 var(--overlay-background), 5px 0 var(--overlay-background); }
.arriving { position: absolute; right: 0; bottom: 100%; display: flex; align-items: center; gap: 8px; padding: 3px 9px; border-radius: 5px 5px 0 0; background: light-dark(#f1f1f2, #26272b); font-size: 12px; line-height: 1.4;
  font-variant-numeric: tabular-nums; }
.arriving progress { width: 90px; height: 6px; accent-color: var(--accent); }
.closest { display: flex; flex: 0 0 100%; flex-wrap: wrap; gap: 10px; height: 76px; overflow: hidden; }
.strip.none { visibility: hidden; }
.foot:has(.closest) { flex-wrap: wrap; }
.closest ~ .readout { flex: 1; }
.strip button { flex: none; display: block; padding: 0; border: 0; border-radius: 3px; background: none; color: inherit; font-size: 12px; line-height: 18px; text-align: center; cursor: pointer; }
.strip button:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.cut { position: relative; display: block; flex: none; overflow: hidden; border-radius: 3px; background: light-dark(#eee, #26272b); }
.strip .cut { width: 56px; height: 56px; }
.cut > * { position: absolute; left: 0; top: 0; max-width: none; }
.cut i { border: 2px solid #fff; border-radius: 2px; box-shadow: 0 0 0 1px rgb(0 0 0 / 0.75); }
.strip .number { display: block; margin-top: 2px; font-variant-numeric: tabular-nums; }
.readout { display: flex; align-items: center; gap: 12px; min-width: 0; margin: 0; font-variant-numeric: tabular-nums; }
.readout .text { line-height: 1.35; text-wrap: pretty; }
.readout b { color: light-dark(#1b1b1d, #ececee); font-weight: 600; }
.error, .gaps, .missing { margin: 0; padding: 14px 16px; border-left: 3px solid light-dark(#b3261e, #ff8a80); background: light-dark(#fdf1ef, #2b1a19); color: light-dark(#5c1a15, #ffd9d5); overflow-wrap: anywhere; }
.loading .body, .figure:not(.loading) .waiting .place { opacity: 0.5; }
.failed .body, .failed .foot, .failed .gaps { display: none; }
@container (max-width: 599px) {
  .settings { display: none; width: 100%; }
  .settings.open { display: flex; }
  .toggle { display: inline-block; }
  .controls { gap: 8px 10px; }
  .choice { min-height: 28px; }
  .closest { flex: none; gap: 8px; }
  .foot:has(.closest) .closest-words { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .layers span { padding: 5px 9px; }
  .pair { gap: 8px; }
  .gallery > .source { position: sticky; z-index: 2; box-shadow: 0 0 0 3px var(--overlay-background, Canvas); }
  .foot, .foot:has(.closest) { flex-flow: column-reverse nowrap; align-items: stretch; gap: 4px; padding: 8px 0; font-size: 13px; }
  .readout { min-height: 38px; justify-content: space-between; }
  .legend .ramp { flex: 1; }
  .panel { padding-bottom: 18px; font-size: 13px; }
  .panel .about, .panel .legend { font-size: 12px; }
  .panel .legend { gap: 6px; }
  .tile .name { font-size: 12px; }
}
`;

/** @type {Map<string, CSSStyleSheet>} */
const sheets = new Map();

/** One style sheet for all figures, or what one adds to it; adopted, because a host page's style-src may forbid a <style>. @param {string} [css] */
export function sheet(css = CSS) {
  const made = sheets.get(css) ?? new CSSStyleSheet();
  if (!sheets.has(css)) made.replaceSync(css);
  sheets.set(css, made);
  return made;
}
