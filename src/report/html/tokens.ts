/**
 * The colours of the report and the studio, in light and dark. Those of groups are from Okabe and Ito
 * (jfly.uni-koeln.de/color, told apart by colour-blind people), always with a shape, a number or a word.
 */
export const TOKENS = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #55606b; --paper: #ffffff; --line: #d4d9de; --panel: #f5f7f9; --accent: #0072b2; --hot: #d55e00; --link: #005a8d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebee; --soft: #a9b3bd; --paper: #14181c; --line: #39424b; --panel: #1d2329; --accent: #56b4e9; --hot: #e8833a; --link: #8ccbf2; } }
.c0 { fill: #0072b2; } .c1 { fill: #e69f00; } .c2 { fill: #009e73; } .c3 { fill: #d55e00; } .c4 { fill: #56b4e9; } .c5 { fill: #cc79a7; } .c6 { fill: #f0e442; } .c7 { fill: var(--line); }
use { stroke: var(--ink); stroke-width: .5; stroke-opacity: .7; }
`;
