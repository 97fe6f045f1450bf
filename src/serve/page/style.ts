/** How the page to try the service looks; the colours are those of the report. */
export const STYLE = `
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
main { max-width: 56rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
a { color: var(--link); }
input, select, button { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--soft); border-radius: 4px; padding: .3rem .5rem; }
button { background: var(--accent); border-color: var(--accent); color: var(--paper); cursor: pointer; }
input[type=number] { width: 5rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 4px; padding: .75rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
summary { cursor: pointer; padding: .25rem 0; }
#facts { color: var(--soft); margin: 0; }
#problem:not(:empty) { border-left: 4px solid var(--hot); padding: .25rem .75rem; background: var(--panel); }
.row { display: flex; flex-wrap: wrap; gap: .75rem 1.25rem; margin-bottom: .75rem; }
#access { margin: 1rem 0; display: flex; gap: .75rem; align-items: end; flex-wrap: wrap; }
#drop { display: block; border: 2px dashed var(--soft); border-radius: 8px; padding: 1.5rem 1rem; background: var(--panel); }
#drop.over { border-color: var(--accent); }
#drop input { max-width: 100%; margin-top: .5rem; display: block; border: 0; background: none; }
.answer { display: flex; gap: 1rem; padding: 1rem 0; border-bottom: 1px solid var(--line); flex-wrap: wrap; }
.answer img { width: 9rem; height: 9rem; object-fit: contain; background: var(--panel); border-radius: 4px; }
.answer > div { flex: 1 1 16rem; min-width: 0; }
.answer h3 { margin: 0; font-size: 1.1rem; overflow-wrap: anywhere; }
.answer p { margin: .1rem 0; color: var(--soft); overflow-wrap: anywhere; }
.bar { display: grid; grid-template-columns: minmax(6rem, 12rem) 1fr 4rem; gap: .5rem; align-items: center; }
.bar span { overflow-wrap: anywhere; }
.bar span:last-child { text-align: right; font-variant-numeric: tabular-nums; }
.bar progress { width: 100%; height: .7rem; appearance: none; border: 0; background: var(--line); border-radius: 3px; }
.bar progress::-webkit-progress-bar { background: var(--line); border-radius: 3px; }
.bar progress::-webkit-progress-value { background: var(--accent); border-radius: 3px; }
.bar progress::-moz-progress-bar { background: var(--accent); border-radius: 3px; }
.route { border-bottom: 1px solid var(--line); }
.route code { font-size: .95rem; }
table { border-collapse: collapse; margin: .25rem 0 .75rem; }
td { padding: .15rem 1rem .15rem 0; vertical-align: top; }
`;
