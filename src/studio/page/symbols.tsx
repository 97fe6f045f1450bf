import { signPaths } from '../../report/html/shapes.ts';

/** The shapes of groups, once in a page, for `use` elements to draw. */
export function Symbols() {
  return (
    <svg class="hidden" width="0" height="0" aria-hidden="true">
      <defs>
        {signPaths(48).map((path, i) => (
          <path key={i} id={`s${i}`} d={path} />
        ))}
      </defs>
    </svg>
  );
}
