import { TOKENS } from './tokens.ts';

export const STYLE = `${TOKENS}* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
p, li { overflow-wrap: anywhere; }
header, main, footer { max-width: 1180px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 24px; }
h1 { font-size: 1.7rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 0 0 8px; }
h3 { font-size: 1rem; margin: 16px 0 8px; }
main > section { padding: 22px 0 10px; border-top: 1px solid var(--line); }
a { color: var(--link); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 0; margin: 12px 0 20px; }
.summary { font-size: 1.05rem; margin: 6px 0; }
.notice { background: var(--panel); border-left: 4px solid var(--hot); padding: 8px 12px; }
.small, .axis, caption, figcaption { color: var(--soft); font-size: .85rem; }
.path { font-family: ui-monospace, monospace; font-size: .85em; overflow-wrap: anywhere; }
.out { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.hidden { position: absolute; }
[hidden] { display: none !important; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 0 0 12px; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
pre { background: var(--panel); padding: 10px 12px; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
.scroll { overflow: auto; max-height: 75vh; position: relative; }
table { border-collapse: collapse; font-size: .92rem; }
caption { text-align: left; padding: 4px 0; white-space: nowrap; }
.together { white-space: nowrap; }
th, td { padding: 3px 10px 3px 0; text-align: left; vertical-align: middle; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 600; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td svg + span { font-variant-numeric: tabular-nums; }
button { font: inherit; color: var(--ink); background: var(--panel); border: 1px solid var(--soft); border-radius: 4px; padding: 2px 10px; cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.confusion td, .confusion thead th { text-align: center; padding: 2px; }
.confusion tbody th { padding-right: 10px; }
.confusion td { border: 1px solid var(--line); min-width: 3.2rem; }
.cell { width: 100%; background: none; border-color: transparent; padding: 4px; font-variant-numeric: tabular-nums; }
.cell:hover { border-color: var(--ink); }
.cell[aria-expanded="true"] { border: 2px solid var(--ink); font-weight: 700; }
.zero { color: var(--soft); }
.right { --shade: #56b4e9; } .wrong { --shade: #e69f00; }
.shade1 { background: color-mix(in srgb, var(--shade) 12%, var(--paper)); } .shade2 { background: color-mix(in srgb, var(--shade) 22%, var(--paper)); }
.shade3 { background: color-mix(in srgb, var(--shade) 32%, var(--paper)); } .shade4 { background: color-mix(in srgb, var(--shade) 42%, var(--paper)); }
.shade5 { background: color-mix(in srgb, var(--shade) 52%, var(--paper)); }
.pair { display: flex; flex-wrap: wrap; gap: 16px 32px; align-items: flex-start; }
figure { margin: 0 0 12px; }
svg { max-width: 100%; }
.plot { height: auto; }
.interval, .bar { max-width: none; }
.axis text { fill: var(--soft); font-size: 12px; }
.grid path { stroke: var(--line); } .frame { stroke: var(--soft); fill: none; }
.guide { stroke: var(--soft); stroke-dasharray: 4 3; fill: none; }
.span { stroke: var(--accent); stroke-width: 2.5; } .dot { fill: var(--accent); stroke: var(--paper); }
.line { fill: none; stroke-width: 2.2; } .l0 { stroke: var(--accent); } .l1 { stroke: var(--hot); stroke-dasharray: 6 3; }
.track { fill: none; stroke: var(--line); }
.interval, .bar, .sign { vertical-align: middle; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 16px; padding: 0; margin: 6px 0; max-height: 9rem; overflow: auto; }
.ways { border: 0; padding: 0; margin: 0; } .ways legend { float: left; padding: 0 12px 0 0; } .ways label { margin-right: 14px; }
.map { display: flex; flex-wrap: wrap; gap: 20px; align-items: flex-start; }
#map { border: 1px solid var(--line); background: var(--panel); flex: 1 1 480px; max-width: 720px; min-width: 0; cursor: crosshair; }
#map-mark { fill: none; stroke: var(--ink); stroke-width: 2.5; }
.shown { flex: 1 1 220px; min-height: 130px; }
.shown img { width: 160px; height: 160px; }
.cards { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 345px), 1fr)); gap: 14px; }
.card { border: 1px solid var(--line); border-radius: 6px; padding: 10px; break-inside: avoid; }
.main { display: flex; gap: 12px; } .main > div { min-width: 0; display: flex; flex-direction: column; }
.card p { margin: 8px 0 4px; }
.beside { list-style: none; padding: 0; margin: 0; display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 8px; font-size: .8rem; line-height: 1.3; }
.beside li { display: flex; flex-direction: column; }
img { background: var(--panel); border-radius: 4px; object-fit: cover; flex: none; color: var(--soft); font-size: .7rem; overflow: hidden; }
.beside img { width: 100%; max-width: 96px; height: auto; aspect-ratio: 1; }
.no-picture { display: inline-flex; align-items: center; justify-content: center; width: 96px; max-width: 100%; aspect-ratio: 1; flex: none; border: 1px dashed var(--soft); border-radius: 4px; color: var(--soft); font-size: .75rem; }
footer { padding: 20px; color: var(--soft); font-size: .85rem; border-top: 1px solid var(--line); }
@media (max-width: 520px) { dl { grid-template-columns: 1fr; } dt { margin-top: 6px; } header, main, footer { padding-left: 12px; padding-right: 12px; } }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --paper: #fff; --line: #bbb; --panel: #fff; --accent: #0072b2; --hot: #d55e00; --link: #000; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  nav, .ways, #cell p, .shown, noscript { display: none; }
  .scroll { max-height: none; overflow: visible; }
  figure, tr, .plot { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .cards { grid-template-columns: repeat(3, 1fr); }
  html { font-size: 10px; } body { font-size: 1rem; } main > section { padding: 10px 0; }
  thead th { white-space: normal; } th, td { padding-right: 6px; } .interval { width: 110px; }
}
`;
