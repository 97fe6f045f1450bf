import type { ServeResult } from '../../results/serve-result.ts';
import { printable } from '../printable.ts';

/** What `serve` prints when it is ready: its address, its heads, and how to ask it. */
export function servedText({ url, heads }: ServeResult): string {
  const lines = heads.map(
    ({ name, head, backbone, classes, contract, engine }) =>
      `  ${printable(name)}: ${head} on ${backbone}, ${classes.length} classes, contract ${contract}, ${engine.name} ${engine.precision} on ${engine.device}`,
  );
  return [
    `Ready at ${url} (a page to try it)`,
    ...lines,
    `  curl -F image=@photo.jpg ${url}/predict`,
    'Ctrl-C ends it.',
    '',
  ].join('\n');
}
