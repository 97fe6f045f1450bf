import { matrix, row, type Matrix } from '../../core/matrix.ts';
import type { Executable } from '../../extract/engines/engine.ts';
import { BATCH, IN_NETWORK } from './network-batches.ts';

interface Waiting {
  readonly images: readonly Uint8Array[];
  readonly give: (outputs: readonly Matrix[]) => void;
  readonly refuse: (error: unknown) => void;
}

/** The different ones of some images, and which of them each is. */
function different(images: readonly Uint8Array[]): { readonly unique: readonly Uint8Array[]; readonly of: number[] } {
  const unique: Uint8Array[] = [];
  const of = images.map((image) => {
    const known = unique.findIndex((one) => Buffer.compare(one, image) === 0);
    return known === -1 ? unique.push(image) - 1 : known;
  });
  return { unique, of };
}

/** Images behind each other. */
function packed(images: readonly Uint8Array[]): Uint8Array {
  if (images.length === 1) return images[0]!;
  const pixels = new Uint8Array(images.length * images[0]!.length);
  for (const [i, image] of images.entries()) pixels.set(image, i * image.length);
  return pixels;
}

function picked(output: Matrix, rows: readonly number[]): Matrix {
  const found = matrix(rows.length, output.cols);
  for (const [i, at] of rows.entries()) found.data.set(row(output, at), i * output.cols);
  return found;
}

/**
 * Runs of one network that several heads ask for, each image of `imageBytes`: what waits while the network is busy goes
 * through it together, and an image that several ask about at the same time goes through it once. Throws as `run`.
 */
export function sharedRuns(run: Executable['run'], imageBytes: number): Executable['run'] {
  const waiting: Waiting[] = [];
  let running = 0;

  const isFull = (): boolean => waiting.reduce((sum, { images }) => sum + images.length, 0) >= BATCH;
  function next(): Waiting[] {
    let [calls, images] = [0, 0];
    while (calls < waiting.length && (calls === 0 || images + waiting[calls]!.images.length <= BATCH))
      images += waiting[calls++]!.images.length;
    return waiting.splice(0, calls);
  }
  async function runOne(calls: readonly Waiting[]): Promise<void> {
    try {
      const { unique, of } = different(calls.flatMap(({ images }) => images));
      const outputs = await run(packed(unique), unique.length);
      let from = 0;
      for (const { images, give } of calls) {
        const rows = of.slice(from, from + images.length);
        give(outputs.map((output) => picked(output, rows)));
        from += images.length;
      }
    } catch (error) {
      for (const { refuse } of calls) refuse(error);
    }
  }
  function start(): void {
    while (waiting.length > 0 && running < (isFull() ? IN_NETWORK : 1)) {
      running++;
      void runOne(next()).finally(() => {
        running--;
        start();
      });
    }
  }
  return (pixels, count) =>
    new Promise((give, refuse) => {
      const images = Array.from({ length: count }, (_, i) => pixels.subarray(i * imageBytes, (i + 1) * imageBytes));
      waiting.push({ images, give, refuse });
      start();
    });
}
