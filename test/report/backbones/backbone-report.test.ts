import { describe, expect, it } from 'vitest';
import { contractInWords } from '../../../src/report/backbones/contract-in-words.ts';
import { backboneText } from '../../../src/report/backbones/backbone-report.ts';
import { backbonesText } from '../../../src/report/backbones/backbones-report.ts';
import type { BackboneResult, CheckedContract } from '../../../src/results/backbone-results.ts';
import { CONTRACTS } from '../../../src/extract/contract.ts';

const contract = CONTRACTS.vgg16;
const network: BackboneResult = {
  name: 'net',
  kind: 'graph',
  file: 'net.onnx',
  digest: 'ab'.repeat(32),
  opsets: { 'ai.onnx': 17 },
  licence: null,
  source: null,
  input: { name: 'image', dtype: 'float32', shape: ['batch', 3, '', ''], layout: 'NCHW', batch: 1 },
  outputs: [{ name: 'logits', dtype: 'float32', shape: ['batch', 5] }],
  cuts: [
    {
      name: 'block',
      alias: 'last',
      axes: 'NCHW',
      height: 7,
      width: 7,
      channels: 64,
      prefix: null,
      depth: 3,
      poolings: [
        { pooling: 'flatten', width: 3136, byDefault: false },
        { pooling: 'avg', width: 64, byDefault: true },
      ],
    },
  ],
  defaultCut: 'last:avg',
  contract,
  contractFrom: 'the preset x',
  contractMissing: null,
  notes: ['A batch of one is baked in.'],
  written: null,
  check: null,
};

describe('what is said of a contract', () => {
  it('is all that is done to a picture', () => {
    expect(contractInWords(contract)).toBe(
      'turned as EXIF says; transparent parts on white; shorter side to 224 (bilinear), the middle 224 x 224 cut out; BGR; (pixel - (103.939, 116.779, 123.68)) * (1)',
    );
    const other = {
      ...contract,
      geometry: 'contain-pad',
      pad: [1, 2, 3],
      antialias: false,
      mean: [0, 0, 0],
      orientation: 'ignore',
      alpha: 'drop',
    } as const;
    expect(contractInWords(other)).toBe(
      'not turned; colours under transparency kept; longer side to 224 (bilinear without antialiasing), on RGB 1, 2, 3 to 224 x 224; BGR; pixels 0 to 255 as they are',
    );
    expect(contractInWords({ ...contract, geometry: 'squash', resize: 256 })).toContain(
      'squashed to 256 x 256 (bilinear), the middle 224 x 224 cut out',
    );
  });
});

describe('what is said of a network', () => {
  it('is its input, its cuts by the numbers of their poolings, where the contract is from, and the remarks', () => {
    const text = backboneText(network);
    expect(text).toContain('image float32 (batch, 3, ?, ?), NCHW, 1 image at a time');
    expect(text).toMatch(/^block +NCHW +64 x 7 x 7 +64: avg\*; 3136: flatten +also last, default$/m);
    expect(text).toMatch(/^from +the preset x$/m);
    expect(text).toContain('\nA batch of one is baked in.\n');
  });

  it('is what is missing where nothing says the contract', () => {
    const text = backboneText({ ...network, contract: null, contractFrom: null, contractMissing: 'Nothing says how.' });
    expect(text).toMatch(/^contract +none$/m);
    expect(text).toContain('\nNothing says how.\n');
  });

  it('is the verdict on its contract, with what decided', () => {
    const figures = { accuracy: 0.5, alignment: 0.1, ownClasses: null };
    const stated: CheckedContract = {
      what: 'stated',
      kind: 'arithmetic',
      contract,
      figures,
      interval: [0.4, 0.6],
      pValues: null,
      told: null,
      decidedBy: [],
    };
    const better: CheckedContract = {
      ...stated,
      what: 'RGB instead of BGR',
      figures: { ...figures, accuracy: 0.9 },
      pValues: { accuracy: 0.0001, alignment: 0.2 },
      told: 'better',
      decidedBy: ['accuracy'],
    };
    const check = {
      dataset: 'flowers',
      images: 100,
      classes: 2,
      part: { cut: 'block', pooling: 'avg' },
      stated,
      others: [better],
      verdict: 'beaten',
      sentence: 'It looks wrong.',
      notTried: ['Cropped or squashed was not tried: all of these images are square.'],
    } as const;
    const text = backboneText({ ...network, check });
    expect(text).toMatch(/^RGB instead of BGR +0\.900 +0\.40 \.\. 0\.60 +0\.100 +- +better by 5-NN \(p <0\.001\)$/m);
    expect(text).toContain('Cropped or squashed was not tried');
    expect(text).toMatch(/\nIt looks wrong\.\n$/);
  });
});

describe('what is said of networks that are there', () => {
  it('is what they need, and of others how they are had', () => {
    const text = backbonesText({
      action: 'list',
      added: null,
      present: [
        {
          name: 'vgg19',
          kind: 'layers',
          origin: 'in the box',
          file: null,
          digest: null,
          licence: null,
          needs: 'weights',
        },
      ],
      known: [
        {
          name: 'resnet50',
          describe: 'ResNet-50',
          source: 'https://example.org/resnet50-11ad3fa6.pth',
          licence: 'BSD-3-Clause',
          sha256: '11ad3fa6',
          file: 'resnet50-11ad3fa6.pth',
          megabytes: 98,
          contract,
          width: 2048,
          commands: ['pip install torch', 'python -c "export"'],
        },
      ],
    });
    expect(text).toMatch(/^vgg19 +in the box +- +- +weights$/m);
    expect(text).toContain('of resnet50-11ad3fa6.pth: begins with 11ad3fa6, as far as its name proves it; compared');
    expect(text).toContain('\n    pip install torch\n    python -c "export"\n');
  });
});
