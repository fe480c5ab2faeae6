/** The style of the list of channels. */

export const style = `
.channels { display: grid; grid-template-columns: minmax(0, 430px) minmax(0, 1fr); gap: 28px; align-items: start; }
.channel-list { position: sticky; top: 8px; display: flex; flex-direction: column; gap: 10px; max-height: calc(100dvh - 76px); padding: 2px; overflow: hidden auto; scrollbar-width: thin; scrollbar-color: var(--rule) transparent; font-size: 13px; }
.channel-list > * { flex: none; }
.channel-list.none > :not(.troubles) { visibility: hidden; }
.channel-list p { margin: 0; text-wrap: pretty; overflow-wrap: anywhere; }
.channel-list .about { height: 4.6em; overflow: hidden; }
.channel-list .about span b { display: inline-block; max-width: 15em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; vertical-align: bottom; }
.channel-list .made { color: var(--quiet); }
.troubles { display: flex; flex-direction: column; gap: 8px; }
.troubles:empty { display: none; }
.rows { display: flex; flex-direction: column; gap: 4px; }
.row { display: flex; align-items: center; gap: 8px; min-width: 0; border-radius: 7px; }
.channel { flex: none; display: grid; grid-template-columns: 2.2em 72px 3.9em; align-items: center; gap: 8px; padding: 9px 8px; border: 1px solid transparent; border-radius: 7px; background: none; font-size: 13px; text-align: left;
  font-variant-numeric: tabular-nums; white-space: nowrap; cursor: pointer; }
.channel b { font-weight: 600; text-align: right; }
.channel .track { position: relative; height: 10px; background: linear-gradient(var(--rule), var(--rule)) 0 / 1px 100% no-repeat; }
.channel .track i { position: absolute; inset: 0; background: light-dark(#b3611c, #ee9a45); transform-origin: left; }
.channel .track i.low { background: light-dark(#2b6cb0, #5aa5ea); }
.compared .track { background-position: 50%; }
.compared .track i { left: 50%; }
.channel .part { color: var(--quiet); text-align: right; }
.row.shown .channel { background: color-mix(in srgb, currentColor 10%, transparent); }
.channel[aria-pressed=true] { border-color: currentColor; box-shadow: 0 0 0 1px currentColor; }
.channel:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.row .strip { display: flex; flex: 1; flex-wrap: wrap; gap: 4px; min-width: 0; height: 38px; overflow: hidden; }
.row .strip .cut { width: 38px; height: 38px; }
.row .strip .number { display: none; }
.ask { display: flex; align-items: center; gap: 14px; }
.toggle.more { display: inline-block; }
.ask input { width: 5.2em; padding: 3px 4px; border: 1px solid var(--rule); border-radius: 5px; background: light-dark(#fff, #1f2024); color: light-dark(#1b1b1d, #ececee); }
.ask input[aria-invalid=true] { border-color: light-dark(#b3261e, #ff8a80); outline: 1px solid light-dark(#b3261e, #ff8a80); }
@container (max-width: 899px) {
  .channels { display: flex; flex-direction: column; align-items: stretch; gap: 10px; }
  .channel-list { display: contents; }
  .channel-list > * { font-size: 13px; }
  .channels .gallery { order: 1; margin: 8px 0; }
  .channel-list .made { order: 2; }
  .channel-list .about { height: 3.1em; }
  .rows { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 370px), 1fr)); gap: 4px 20px; }
}
@container (max-width: 599px) {
  .channel-list .about { height: 6.1em; }
  .channel { grid-template-columns: 2.2em 64px 3.9em; padding: 9px 6px; }
}
`;
