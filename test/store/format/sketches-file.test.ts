import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SKETCH_BYTES } from '../../../src/core/sketch.ts';
import { CONTRACTS } from '../../../src/extract/contract.ts';
import {
  readSketches,
  SKETCHES_NAME,
  sketchesProblem,
  writeSketches,
} from '../../../src/store/format/sketches-file.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { sha256Hex } from '../../../src/core/digest.ts';

const folder = temporaryFolders();
const sketches = new Map(
  ['b', 'a', 'c'].map((name, i) => [
    sha256Hex(name),
    Uint8Array.from({ length: SKETCH_BYTES }, (_, j) => (i * 91 + j * 7) % 256),
  ]),
);

describe('the sketches of a store', () => {
  it('come back as they were written, in one order whatever the order they were made in', async () => {
    const store = folder();
    expect(await readSketches(store, CONTRACTS.vgg16)).toEqual(new Map());
    await writeSketches(store, CONTRACTS.vgg16, sketches);
    const bytes = readFileSync(join(store, SKETCHES_NAME));
    const found = await readSketches(store, CONTRACTS.vgg16);
    expect([...found.keys()]).toEqual([...sketches.keys()].sort());
    for (const [sha256, sketch] of sketches) expect(found.get(sha256)).toEqual(sketch);
    await writeSketches(store, CONTRACTS.vgg16, new Map([...sketches].reverse()));
    expect(readFileSync(join(store, SKETCHES_NAME)).equals(bytes)).toBe(true);
  });

  it('of another contract are of other pixels', async () => {
    const store = folder();
    await writeSketches(store, CONTRACTS.vgg16, sketches);
    expect((await readSketches(store, CONTRACTS.keras)).size).toBe(0);
  });

  it('are refused where any byte is another one', async () => {
    const store = folder();
    await writeSketches(store, CONTRACTS.vgg16, sketches);
    const path = join(store, SKETCHES_NAME);
    const whole = readFileSync(path);
    expect(await sketchesProblem(store)).toBeUndefined();
    for (let at = 0; at < whole.length; at += 97) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 1;
      writeFileSync(path, bytes);
      expect([at, (await sketchesProblem(store))?.code]).toEqual([at, 'STORE_CORRUPT']);
    }
    writeFileSync(path, whole.subarray(0, whole.length - 1));
    await expect(readSketches(store, CONTRACTS.vgg16)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });
});
