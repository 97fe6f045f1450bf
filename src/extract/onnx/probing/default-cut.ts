import type { GraphCut } from '../../backbones/backbone.ts';
import type { OnnxFile } from '../../backbones/onnx-file.ts';
import { beforeLastProduct } from '../sensible-cuts.ts';

/** Outputs that are called features are meant to be such, even where they come of a product with weights. */
export const CALLED_FEATURES = /feat|embed|hidden|repr/i;

/**
 * The cut where none is asked for: of the outputs, in the file's order, the first of tokens, a map, or a vector that is
 * no logits; else what goes into the product that gives the logits. `undefined` where no output was measured.
 */
export function defaultCutOf(
  file: OnnxFile,
  cuts: ReadonlyMap<string, GraphCut>,
  computed: ReadonlySet<string>,
): { readonly cut: string; readonly why?: string } | undefined {
  let beforeLogits: { readonly cut: string; readonly why: string } | undefined;
  let first: string | undefined;
  for (const { name } of file.outputs) {
    const cut = cuts.get(name);
    if (cut === undefined) continue;
    first ??= name;
    const isVector = cut.shape.height * cut.shape.width === 1 && cut.axes !== 'tokens';
    if (!isVector || CALLED_FEATURES.test(name)) return { cut: name };
    const before = beforeLastProduct(file, name, computed);
    if (before === undefined) return { cut: name };
    if (cuts.has(before))
      beforeLogits ??= { cut: before, why: `what goes into the last product before the output "${name}"` };
  }
  return beforeLogits ?? (first === undefined ? undefined : { cut: first });
}
