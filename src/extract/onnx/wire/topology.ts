import type { WireNode } from '../../backbones/onnx-file.ts';
import type { Fail } from './wire.ts';

/** Each node's place by the tensors that it writes. Fails where two write one, or one is given already. */
export function producers(
  nodes: readonly WireNode[],
  given: ReadonlySet<string>,
  fail: Fail,
): ReadonlyMap<string, number> {
  const writers = new Map<string, number>();
  nodes.forEach(({ op, outputs }, place) => {
    for (const name of outputs) {
      if (name === '') continue;
      if (writers.has(name) || given.has(name))
        fail(`the tensor "${name}" that ${op} writes, though it is there already`);
      writers.set(name, place);
    }
  });
  return writers;
}

/** All tensors that a node needs. */
export const readBy = ({ inputs, outer }: WireNode): readonly string[] => [...inputs, ...outer];

/**
 * The nodes so that each stands behind those that it reads, otherwise as in the file. Fails where they lead in a
 * circle.
 */
export function inOrder(nodes: readonly WireNode[], given: ReadonlySet<string>, fail: Fail): readonly WireNode[] {
  const writers = producers(nodes, given, fail);
  const sources = nodes.map((node) => [
    ...new Set(readBy(node).flatMap((name) => (name === '' ? [] : (writers.get(name) ?? [])))),
  ]);
  if (sources.every((before, place) => before.every((source) => source < place))) return nodes;
  const readers = nodes.map((): number[] => []);
  sources.forEach((before, place) => before.forEach((source) => readers[source]!.push(place)));
  const waiting = sources.map(({ length }) => length);
  const ready = waiting.flatMap((count, place) => (count === 0 ? [place] : []));
  for (let next = 0; next < ready.length; next++) {
    for (const reader of readers[ready[next]!]!) if (--waiting[reader]! === 0) ready.push(reader);
  }
  if (ready.length < nodes.length) {
    const { op, outputs } = nodes[waiting.findIndex((count) => count > 0)]!;
    fail(`nodes that lead in a circle, through ${op} with the output "${outputs[0] ?? ''}"`);
  }
  return ready.map((place) => nodes[place]!);
}
