import type { RowSource } from '../core/row-source.ts';

/** Sources of one width after each other, such as images and their views; each keeps its blocks. */
export function stackedSource(looks: readonly RowSource[]): RowSource {
  const [first, ...others] = looks;
  if (others.length === 0) return first!;
  const starts = [0];
  const blocks: { readonly look: RowSource; readonly block: number }[] = [];
  for (const look of looks) {
    for (let block = 0; block + 1 < look.starts.length; block++) {
      blocks.push({ look, block });
      starts.push(starts.at(-1)! + look.starts[block + 1]! - look.starts[block]!);
    }
  }
  return {
    rows: starts.at(-1)!,
    cols: first!.cols,
    starts,
    read: (at) => blocks[at]!.look.read(blocks[at]!.block),
  };
}
