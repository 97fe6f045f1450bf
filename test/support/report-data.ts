import type { FeatureMap, Judgement, ReportData } from '../../src/results/report-data.ts';
import type { InspectResult } from '../../src/results/store-results.ts';
import { FACTS, headResult, runResult } from './results.ts';

/** Names that would be markup, leave their attribute or forge a line if a page took them as they are. */
export const HOSTILE = [
  'val/ants/<script>alert(1)</script>.jpg',
  'val/ants/" onerror="alert(1)\' x=\'.jpg',
  'val/bees/</script><img src=x onerror=alert(1)>.jpg',
  'train/ants/🐜 & 🐝<!--.jpg',
  'train/bees/two\nlines\u202egnp.jpg',
] as const;

/** A hostile label. */
export const LABEL = 'ants <b>&</b>';

const judgement: Judgement = {
  head: { name: 'logistic', pooling: 'avg', normalize: 'l2', params: { C: 10 } },
  file: '/data/Ants.permafrost/heads/best.safetensors',
  split: 'val',
  validated: 3,
  accuracy: 1 / 3,
  interval: [0.06, 0.79],
  classes: [
    { label: LABEL, precision: 0.5, recall: 0.5, f1: 0.5, support: 2 },
    { label: 'bees', precision: 0, recall: 0, f1: 0, support: 1 },
  ],
  confusion: [
    [1, 1],
    [1, 0],
  ],
  calibration: {
    bins: [{ low: 0.8, high: 0.9, images: 3, confidence: 0.85, accuracy: 1 / 3, interval: [0.06, 0.79] }],
    error: 0.5167,
    noise: { mean: 0.12, most: 0.3 },
  },
  judged: [
    { image: 0, predicted: LABEL, probability: 0.8, neighbors: [{ image: 3, distance: 0.1 }] },
    { image: 1, predicted: 'bees', probability: 0.9, neighbors: [{ image: 4, distance: 0.25 }] },
    { image: 2, predicted: LABEL, probability: 0.85, neighbors: [{ image: 3, distance: 0.5 }] },
  ],
  mistakes: [1, 2],
  unknown: [2],
  caution: null,
};

const map: FeatureMap = {
  images: [0, 1, 2, 3, 4],
  x: [0, 1, 2, 3, 4],
  y: [4, 3, 2, 1, 0],
  nNeighbors: 4,
  seed: 1,
  leftOut: 0,
};

const store: InspectResult = {
  store: '/data/Ants.permafrost',
  version: 1,
  dataset: '/pictures/Ants <1>',
  images: 5,
  classes: [
    { label: LABEL, splits: { train: 1, val: 2 } },
    { label: 'bees', splits: { train: 1, val: 1 } },
  ],
  failed: [{ path: 'val/ants/<i>.jpg', code: 'IMAGE_UNDECODABLE', reason: 'Not "a" <picture>.' }],
  sets: [
    {
      fingerprint: '0123456789abcdef',
      current: true,
      primary: true,
      backbone: 'vgg16',
      weights: 'ab'.repeat(32),
      cut: 'block5_pool',
      contract: { name: 'vgg16', size: 224, mean: [103.939, 116.779, 123.68] },
      contractId: 'vgg16-0123abcd',
      dtype: 'float16',
      engine: FACTS,
      cosineToFp32: null,
      tuned: null,
      widths: { flatten: 25088, avg: 512, max: 512 },
      poolings: { flatten: 5, avg: 5, max: 5 },
      rows: 5,
      shards: 1,
      bytes: 2048,
    },
  ],
  bytes: 4096,
};

/** What a report shows of five images with hostile names. */
export function reportData(given: Partial<ReportData> = {}): ReportData {
  return {
    permafrost: '0.0.0',
    store,
    images: [
      { path: HOSTILE[0], label: LABEL, split: 'val' },
      { path: HOSTILE[1], label: LABEL, split: 'val' },
      { path: HOSTILE[2], label: 'bees', split: 'val' },
      { path: HOSTILE[3], label: LABEL, split: 'train' },
      { path: HOSTILE[4], label: 'bees', split: 'train' },
    ],
    relabelled: null,
    sizes: { width: [100, 200, 300], height: [90, 90, 90] },
    run: runResult({ heads: [headResult({ learningCurve: { loss: [2, 1], accuracy: [0.5, 1] } })] }),
    judgement,
    check: {
      store: '/data/Ants.permafrost',
      images: 5,
      compared: 5,
      exact: [[HOSTILE[0], HOSTILE[3]]],
      near: [{ a: HOSTILE[1], b: HOSTILE[2], cosine: 0.9, correlation: 0.98, mirrored: true }],
      nearLeftOut: 0,
      nearMissing: null,
      unread: 0,
      alike: [{ a: HOSTILE[0], b: HOSTILE[2], cosine: 0.8 }],
      alikeMissing: null,
      threshold: 0.75,
      leaks: [
        {
          train: HOSTILE[3],
          held: HOSTILE[0],
          split: 'val',
          kind: 'exact',
          cosine: 1,
          correlation: 1,
          mirrored: false,
          sameLabel: true,
        },
      ],
      leakedImages: 1,
      accuracy: {
        head: 'logistic',
        all: { images: 3, accuracy: 1 / 3, interval: [0.06, 0.79] },
        clean: { images: 2, accuracy: 0, interval: [0, 0.66] },
      },
      labelErrors: 1,
      suspects: [{ path: HOSTILE[2], label: 'bees', suggested: LABEL, probability: 0.9, margin: -0.8 }],
      smallClasses: [{ label: LABEL, train: 1, held: 2 }],
      smallClass: 10,
    },
    map,
    thumbnails: { data: new Map([[0, 'UklGRg==']]), overBudget: 3, unavailable: 1, problem: 'ENOENT <x>' },
    ...given,
  };
}
