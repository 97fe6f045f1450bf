import { describe, expect, it } from 'vitest';
import type { PredictResult, Strangeness } from '../../../src/results/answer-results.ts';
import type { DoctorResult } from '../../../src/results/engine-results.ts';
import type { InspectResult } from '../../../src/results/store-results.ts';
import { doctorText, inspectText, neighborsText, predictText } from '../../../src/report/answers/answer-report.ts';
import { FACTS, neighbor, ODD_NAME, ODD_SHOWN } from '../../support/results.ts';

const OBEYED = /[\u0000-\u0009\u000b-\u001f\u202e]/;

type Prediction = PredictResult['predictions'][number];

const prediction = (given: Partial<Prediction> = {}): Prediction => ({
  path: 'a.jpg',
  label: 'ants',
  unknown: false,
  guess: 'ants',
  probability: 0.98765,
  strangeness: null,
  probabilities: { ants: 0.98765, bees: 0.01235 },
  neighbors: [],
  ...given,
});

describe('the report of predictions', () => {
  const result = { head: 'knn', contract: 'vgg16', engine: FACTS, failed: [] };

  it('has a line an image, its nearest training images below it, and the failures', () => {
    const text = predictText({
      ...result,
      predictions: [
        prediction({
          neighbors: [neighbor(), neighbor({ distance: 1, path: 'Train/bees/2.jpg', label: 'bees' })],
        }),
        prediction({ path: 'b.jpg', label: 'bees', guess: 'bees', probability: 1 }),
      ],
      failed: [{ path: 'c.jpg', code: 'IMAGE_UNREADABLE', reason: 'It is not there.' }],
    });
    expect(text).toBe(
      `a.jpg: ants (0.9877)
    0.1250  ants  Train/ants/1.jpg
    1.0000  bees  Train/bees/2.jpg
b.jpg: bees (1.0000)

1 image failed:
  "c.jpg"  IMAGE_UNREADABLE: It is not there.
`,
    );
  });

  const textOf = (strangeness: Partial<Strangeness>, answer: Partial<Prediction> = {}): string => {
    const strange = { measure: 'mean-distance', value: 0.643219, threshold: 0.5159, rate: 0.05, lessStrange: 0.9899 };
    const one = prediction({ unknown: true, strangeness: { ...strange, ...strangeness }, ...answer });
    return predictText({ ...result, predictions: [one] });
  };

  it('says the best guess first, and then that the image is unusual, and how much', () => {
    expect(textOf({})).toBe(
      'a.jpg: ants (0.9877); unusual: farther off than 98.9 % of the training images (mean-distance 0.6432, unknown above 0.5159)\n',
    );
    expect(textOf({ lessStrange: 1 })).toContain('farther off than every training image (mean');
    expect(textOf({ lessStrange: 0.9999 })).toContain('than 99.9 % of the training images');
    expect(textOf({ measure: 'energy', value: -2.5, threshold: -3, lessStrange: 0.97 })).toContain(
      'unusual: less like any known class than 97 % of the training images (energy -2.5, unknown above -3)',
    );
  });

  it('says no more of the training images than a head of an older version tells', () => {
    expect(textOf({ lessStrange: null })).toBe(
      'a.jpg: ants (0.9877); unusual: mean-distance 0.6432, unknown above 0.5159\n',
    );
  });

  it('says the guess too of an answer that an older version wrote, whose label is "unknown"', () => {
    expect(textOf({}, { label: 'unknown' })).toMatch(/^a\.jpg: ants \(0\.9877\); unusual: /);
  });

  it('says nothing of an image that is not above the threshold', () => {
    expect(textOf({}, { unknown: false })).toBe('a.jpg: ants (0.9877)\n');
  });

  it('says a class that is called unknown as any other', () => {
    const odd = prediction({ label: 'unknown', guess: 'unknown' });
    expect(predictText({ ...result, predictions: [odd] })).toBe('a.jpg: unknown (0.9877)\n');
  });

  it('of none is nothing', () => expect(predictText({ ...result, predictions: [] })).toBe(''));

  it('hands no name to the terminal that it would obey', () => {
    const odd = { path: ODD_NAME, label: ODD_NAME, guess: ODD_NAME };
    const text = predictText({
      ...result,
      predictions: [prediction({ ...odd, neighbors: [neighbor(odd)] })],
    });
    expect(text).not.toMatch(OBEYED);
    expect(text.split('\n')).toHaveLength(3);
    expect(text).toContain(`${ODD_SHOWN}: ${ODD_SHOWN} (0.9877)\n`);
  });
});

describe('the report of neighbours', () => {
  it('names image, distance and features, then the neighbours', () => {
    const queries = [
      { path: 'a.jpg', neighbors: [neighbor({ distance: 0 })] },
      { path: ODD_NAME, neighbors: [] },
    ];
    expect(neighborsText({ store: '/s', pooling: 'avg', metric: 'cosine', index: 'exact', queries, failed: [] })).toBe(
      `a.jpg (cosine distance on avg features)
    0.0000  ants  Train/ants/1.jpg
${ODD_SHOWN} (cosine distance on avg features)
`,
    );
  });
});

const INSPECTED: InspectResult = {
  store: '/data/Ants.permafrost',
  version: 1,
  dataset: '/pictures/Ants',
  images: 3,
  classes: [
    { label: 'ants', splits: { train: 1, val: 1 } },
    { label: 'bees', splits: { train: 1 } },
  ],
  failed: [],
  sets: [
    {
      fingerprint: '0123456789abcdef',
      current: true,
      primary: true,
      backbone: 'vgg16',
      weights: 'abcd',
      cut: 'block5_pool',
      contract: { name: 'vgg16', size: 224 },
      contractId: 'vgg16-0123abcd',
      dtype: 'float16',
      engine: FACTS,
      cosineToFp32: null,
      tuned: null,
      widths: { flatten: 25088, avg: 512, max: 512 },
      poolings: { flatten: 3, avg: 3, max: 2 },
      rows: 3,
      shards: 1,
      bytes: 160_000,
    },
  ],
  bytes: 162_048,
};

describe('the report of a store', () => {
  it('tells data set, classes by split, and each set of features', () => {
    expect(inspectText(INSPECTED)).toBe(
      `store     /data/Ants.permafrost (version 1, 158.3 KiB)
data set  /pictures/Ants: 3 images, 2 classes

class  train  val
-----  -----  ---
ants       1    1
bees       1    0

current set  0123456789abcdef
  backbone   vgg16, weights abcd
  cut        block5_pool: flatten 25088, avg 512, max 512 (2 rows) numbers an image; maps in float16
  contract   vgg16-0123abcd {"name":"vgg16","size":224}
  engine     onnxruntime 1.30.0, cpu, fp32
  content    3 rows in 1 shard, 156.3 KiB
`,
    );
  });

  it('stands a store in which no extraction was completed', () => {
    const text = inspectText({ ...INSPECTED, dataset: '', images: 0, classes: [], sets: [], bytes: 0 });
    expect(text).toBe(
      `store     /data/Ants.permafrost (version 1, 0 B)
data set  none: no extraction was completed
`,
    );
  });

  it('hands no name to the terminal that it would obey', () => {
    const text = inspectText({
      ...INSPECTED,
      store: ODD_NAME,
      dataset: ODD_NAME,
      classes: [{ label: ODD_NAME, splits: { test: 3 } }],
      failed: [{ path: ODD_NAME, code: 'IMAGE_UNREADABLE', reason: ODD_NAME }],
    });
    expect(text).not.toMatch(OBEYED);
    expect(text).toMatch(/\nclass +test\n/);
  });
});

const HEALTHY: DoctorResult = {
  permafrost: '0.1.0',
  node: 'v20.12.0',
  platform: 'linux x64',
  cpu: { model: 'A Processor', cores: 1, memoryGiB: 3.84, bf16: null },
  packages: [
    { name: 'sharp', version: '0.35.0', works: true, needed: 'decoding images', problem: null },
    {
      name: 'hnswlib-node',
      version: null,
      works: false,
      needed: 'knn-hnsw alone',
      problem: 'no compiler\nwas found',
    },
  ],
  weights: { backbone: 'vgg16', ok: true, digest: 'abcd', problem: null },
  engine: {
    ...FACTS,
    why: 'it is the fastest that is usable',
    faster: ['openvino: npx permafrost engines add openvino'],
  },
  engines: [
    {
      engine: 'onnxruntime',
      device: 'cpu',
      precision: 'fp32',
      version: '1.30.0',
      chosen: true,
      speed: 1,
      agreement: null,
      problem: null,
    },
    {
      engine: 'openvino',
      device: 'cpu',
      precision: 'fp32',
      version: '2026.4.0',
      chosen: false,
      speed: 1.8,
      agreement: { cosine: 0.9999993, expected: 0.9999 },
      problem: null,
    },
    {
      engine: 'openvino',
      device: 'cpu',
      precision: 'bf16',
      version: null,
      chosen: false,
      speed: 2.1,
      agreement: null,
      problem: 'OpenVINO was not found',
    },
  ],
};

describe('the report of the doctor', () => {
  it('tells what works, what would be used and why, and what is wrong', () => {
    expect(doctorText(HEALTHY)).toBe(
      `permafrost  0.1.0
node        v20.12.0 on linux x64
processor   A Processor, 1 core, 3.8 GiB memory, no units for bf16
weights     vgg16, verified, digest abcd
engine      onnxruntime 1.30.0 on cpu, fp32: it is the fastest that is usable
faster      openvino: npx permafrost engines add openvino

engine       device  precision  expected speed  state
-----------  ------  ---------  --------------  ----------------------------------------------------------
onnxruntime  cpu     fp32                1.0 x  chosen by auto (1.30.0)
openvino     cpu     fp32                1.8 x  usable (2026.4.0; cosine to onnxruntime 0.999999, checked)
openvino     cpu     bf16                2.1 x  not usable, see below

package       version  works  needed for
------------  -------  -----  ---------------
sharp         0.35.0   yes    decoding images
hnswlib-node  -        NO     knn-hnsw alone

openvino: OpenVINO was not found
hnswlib-node: no compiler\\nwas found
`,
    );
  });

  it('shouts where weights or engine are not usable', () => {
    const text = doctorText({
      ...HEALTHY,
      packages: [],
      weights: { backbone: 'vgg16', ok: false, digest: null, problem: 'a byte was flipped' },
      engine: null,
    });
    expect(text).toContain('weights     NOT USABLE: a byte was flipped\n');
    expect(text).toContain('engine      NONE\n');
  });
});
