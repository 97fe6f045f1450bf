import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Contract } from '../../../src/core/contract.ts';
import { CONTRACTS } from '../../../src/extract/contract.ts';
import { presetContract } from '../../../src/extract/contracts/presets.ts';
import type { Remark } from '../../../src/extract/image/remarks.ts';
import { remarksInWords } from '../../../src/workflows/extract/remarks.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { paint, texture, toSharp, type Picture } from '../../support/pictures.ts';

const folder = temporaryFolders();
const FAST = { cut: 'block1_pool:avg', engine: 'onnxruntime' } as const;

/** A white shape of its own on transparent ground whose hidden colour is black. */
const whiteShape = (seed: number): Picture =>
  paint(48, 48, (x, y) => ((x - 24) ** 2 + (y - 24) ** 2 < (8 + seed) ** 2 ? [255, 255, 255, 255] : [0, 0, 0, 0]));

async function dataset(pictures: Readonly<Record<string, Picture>>): Promise<string> {
  const root = join(folder(), 'data');
  for (const [name, picture] of Object.entries(pictures)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), await toSharp(picture).png().toBuffer());
  }
  return root;
}

const shapes = Object.fromEntries(
  ['a', 'b'].flatMap((label, c) => [0, 1, 2].map((i) => [`${label}/${i}.png`, whiteShape(3 * c + i)] as const)),
);

describe('the way on', () => {
  const contents = new Map([['a.png', 'digest']]);
  const told = (contract: Contract, remark: Remark): string =>
    remarksInWords(contract, [{ path: 'a.png' }], contents, new Map([['digest', remark]])).warnings.join();
  const veiled: Remark = { oneColour: [255, 255, 255], hasAlpha: true, isClipped: false };
  const clipped: Remark = { isClipped: true, hasAlpha: false };
  const ofAnother = presetContract('imagenet', 224);

  it('is the other named contract of VGG, and never that for another network', () => {
    expect(told(CONTRACTS.vgg16, veiled)).toContain('Extract with --contract keras, which');
    expect(told(CONTRACTS.keras, clipped)).toContain('The contract vgg16 takes');
    expect(told(ofAnother, veiled)).toContain('Extract with a contract that says "alpha": "drop", which');
    expect(told({ ...ofAnother, alpha: 'drop' }, clipped)).toContain('A contract that says "alpha": "white" takes');
  });
});

describe('pictures of one colour', () => {
  it('are counted and named, with the cause and the way on where white shapes vanish on white', async () => {
    const root = await dataset({ ...shapes, 'a/photo.png': texture(64, 64, 1), 'b/photo.png': texture(64, 64, 2) });
    const notes: string[] = [];
    const result = await extract(
      root,
      { ...FAST, store: join(folder(), 'store') },
      { listener: { note: (text) => void notes.push(text) } },
    );
    expect(result.oneColour).toEqual(Object.keys(shapes).map((path) => ({ path, rgb: [255, 255, 255] })));
    const [told] = result.warnings.filter((warning) => warning.includes('one colour'));
    expect(told).toMatch(
      /^6 images are one colour under the contract vgg16, and nothing can be learned of them: a\/0\.png \(white\)/,
    );
    expect(told).toMatch(/They have transparent parts.*white paper.*--contract keras/);
    expect(notes).toContain(told);
  });

  it('are no such pictures under the contract that the warning names', async () => {
    const root = await dataset(shapes);
    const { oneColour, warnings } = await extract(root, { ...FAST, contract: 'keras', store: join(folder(), 'store') });
    expect(oneColour).toBeUndefined();
    expect(warnings.join()).not.toContain('one colour');
  });

  it('that hide nothing are told without a way on', async () => {
    const blank = paint(32, 32, () => [12, 200, 7]);
    const root = await dataset({ 'a/0.png': blank, 'a/1.png': texture(64, 64, 1), 'b/0.png': texture(64, 64, 2) });
    const { oneColour, warnings } = await extract(root, { ...FAST, store: join(folder(), 'store') });
    expect(oneColour).toEqual([{ path: 'a/0.png', rgb: [12, 200, 7] }]);
    expect(warnings.join()).toMatch(/1 image is one colour .*a\/0\.png \(RGB 12 200 7\)\.(?! They)/);
  });
});

describe('grey of 16 bits under the contract keras', () => {
  it('is told to be cut off, as Keras cuts it off', async () => {
    const root = join(folder(), 'data');
    for (const [i, label] of ['a', 'b'].entries()) {
      mkdirSync(join(root, label), { recursive: true });
      const levels = Uint16Array.from({ length: 64 * 64 }, (_, p) => (p * (i + 1)) % 60_000);
      const { default: sharp } = await import('sharp');
      const grey = sharp(levels, { raw: { width: 64, height: 64, channels: 1 } }).toColourspace('grey16');
      writeFileSync(join(root, label, '0.png'), await grey.png().toBuffer());
    }
    const told = async (contract: 'keras' | 'vgg16'): Promise<string> =>
      (await extract(root, { ...FAST, contract, store: join(folder(), contract) })).warnings.join();
    expect(await told('keras')).toMatch(/2 images of 16-bit grey are cut off at 255 .* as Keras and Pillow read them/);
    expect(await told('vgg16')).not.toContain('16-bit');
  });
});
