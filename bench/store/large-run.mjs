// @ts-check
// Does the whole way from a folder of images to its report stay within its memory when there are many images?
//   npm run build && node bench/store/large-run.mjs [--images 10000,100000] [--most-mib 954] [--folder FOLDER]
// Makes so many JPEG files of 64 x 64 pixels, each another, from the carried pictures in ten classes with Train/ and
// Val/, and freezes a network of two convolutions, which costs next to nothing, so that all the rest is seen. Then each
// command in a process of its own, its peak memory seen from outside: run, run again (which must extract nothing),
// train, check, neighbors, predict of all images, report, export, verify, gc. Ends with 1 where one needs more than
// --most-mib or counts other images than there are. --folder keeps the images for the next time.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { machineFacts, writeReport } from '../machine.mjs';
import { measure } from '../measure.mjs';
import { dist } from './dist.mjs';

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '10000,100000' },
    // 1 GB.
    'most-mib': { type: 'string', default: '954' },
    folder: { type: 'string' },
  },
});
const counts = values.images.split(',').map(Number);
if (counts.some((count) => !(count >= 1000))) throw new Error('--images takes numbers of at least 1000, with commas');
const most = Number(values['most-mib']);
const root = (/** @type {string} */ path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const { random } = await dist('core/random.js');
const { encodeOnnx } = await dist('core/onnx-model.js');
const { sha256Hex } = await dist('core/digest.js');

const CLASSES = 10;
const SIDE = 64;

/** Pictures that files are made of, a list for each class. @returns {Promise<Buffer[][]>} */
async function sources() {
  const folder = root('data/rendered/emoji/train');
  const classes = readdirSync(folder).sort().slice(0, CLASSES);
  return Promise.all(
    classes.map((name) =>
      Promise.all(
        readdirSync(join(folder, name))
          .sort()
          .slice(0, 12)
          .map((file) =>
            sharp(join(folder, name, file))
              .flatten({ background: '#fff' })
              .resize(2 * SIDE, 2 * SIDE, { fit: 'fill' })
              .raw()
              .toBuffer(),
          ),
      ),
    ),
  );
}

/**
 * Writes image after image: a crop of a picture of its class over a ground of its own, so that no two look alike.
 * @param {string} folder
 * @param {number} images
 */
async function makeImages(folder, images) {
  const pictures = await sources();
  const { length } = pictures;
  const generator = random(1);
  for (let c = 0; c < length; c++)
    for (const split of ['Train', 'Val']) mkdirSync(join(folder, split, `class-${c}`), { recursive: true });
  /** @param {number} i */
  const one = async (i) => {
    const of = pictures[i % length] ?? [];
    const picture = of[generator.below(of.length)] ?? Buffer.alloc(0);
    const ground = Buffer.from(Array.from({ length: 8 * 8 * 3 }, () => generator.below(256)));
    const [left, top] = [generator.below(SIDE), generator.below(SIDE)];
    const crop = await sharp(picture, { raw: { width: 2 * SIDE, height: 2 * SIDE, channels: 3 } })
      .extract({ left, top, width: SIDE, height: SIDE })
      .ensureAlpha(0.5)
      .png()
      .toBuffer();
    const bytes = await sharp(ground, { raw: { width: 8, height: 8, channels: 3 } })
      .resize(SIDE, SIDE, { kernel: 'cubic' })
      .composite([{ input: crop }])
      .jpeg({ quality: 85 })
      .toBuffer();
    const split = i % 7 === 0 ? 'Val' : 'Train';
    writeFileSync(join(folder, split, `class-${i % length}`, `${String(i).padStart(7, '0')}.jpg`), bytes);
  };
  for (let from = 0; from < images; from += 256)
    await Promise.all(Array.from({ length: Math.min(256, images - from) }, (_, k) => one(from + k)));
}

/** A network of 32 x 32 pixels to 32 numbers with a description beside it. @param {string} folder */
function makeNetwork(folder) {
  const generator = random(2);
  /** @param {string} name @param {number[]} shape @param {number} inputs */
  const tensor = (name, shape, inputs) => ({
    name,
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => generator.normal() / Math.sqrt(inputs)),
  });
  const strided = { pads: [1, 1, 1, 1], strides: [2, 2] };
  const bytes = encodeOnnx({
    name: 'two-convolutions',
    nodes: [
      { op: 'Conv', inputs: ['image', 'w1'], outputs: ['c1'], attributes: strided },
      { op: 'Relu', inputs: ['c1'], outputs: ['r1'], attributes: {} },
      { op: 'Conv', inputs: ['r1', 'w2'], outputs: ['c2'], attributes: strided },
      { op: 'Relu', inputs: ['c2'], outputs: ['r2'], attributes: {} },
      { op: 'GlobalAveragePool', inputs: ['r2'], outputs: ['gap'], attributes: {} },
      { op: 'Flatten', inputs: ['gap'], outputs: ['features'], attributes: { axis: 1 } },
    ],
    initializers: [tensor('w1', [16, 3, 3, 3], 27), tensor('w2', [32, 16, 3, 3], 144)],
    inputs: [{ name: 'image', type: 'float32', shape: ['batch', 3, 32, 32] }],
    outputs: [{ name: 'features', type: 'float32', shape: ['batch', 32] }],
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'two.onnx'), bytes);
  const contract = { size: 32, geometry: 'squash', kernel: 'bilinear', orientation: 'exif', iccProfile: 'ignore' };
  const arithmetic = { alpha: 'white', channelOrder: 'RGB', mean: [127, 127, 127], scale: 1 / 64 };
  const graph = { file: 'two.onnx', sha256: sha256Hex(bytes), input: 'image', layout: 'NCHW', dtype: 'float32' };
  const description = {
    permafrost: 'backbone/1',
    name: 'two-convolutions',
    graph,
    contract: { ...contract, ...arithmetic },
    cuts: {},
  };
  writeFileSync(join(folder, 'backbone.json'), JSON.stringify(description));
  return join(folder, 'two.onnx');
}

/** @param {string} text @returns {any} */
const parsed = (text) => JSON.parse(text);

const scratch = mkdtempSync(join(tmpdir(), 'permafrost-large-'));
const images = values.folder ?? scratch;
let isGood = true;
const results = [];
try {
  for (const count of counts) {
    const dataset = join(images, `images-${count}`);
    if (!existsSync(join(dataset, 'Train'))) await makeImages(dataset, count);
    const backbone = makeNetwork(join(scratch, 'network'));
    const store = join(scratch, `store-${count}`);
    const out = (/** @type {string} */ name) => join(scratch, `${count}-${name}`);
    const some = join(dataset, 'Val', 'class-0', '0000000.jpg');
    /**
     * The command, and what it must count in its JSON.
     * @type {[string, string[], (json: any) => unknown, unknown][]}
     */
    const commands = [
      ['run', ['run', dataset, '--store', store, '--backbone', backbone], (r) => r.extracted, count],
      ['run again', ['run', dataset, '--store', store, '--backbone', backbone], (r) => r.extracted, 0],
      ['train', ['train', store, '--head', 'logistic'], (r) => r.trained + r.validated, count],
      ['check', ['check', store], (r) => r.images, count],
      ['neighbors', ['neighbors', store, some], (r) => r.queries.length, 1],
      ['predict', ['predict', store, dataset, '--csv', out('answers.csv')], (r) => r.counts.answered, count],
      ['report', ['report', store], (r) => r.ofImages, count],
      ['export', ['export', store, '--parquet', out('features.parquet')], (r) => r.images, count],
      ['verify', ['verify', store], (r) => r.ok, true],
      ['gc', ['gc', store], (r) => r.droppedRows, 0],
    ];
    for (const [name, args, see, expected] of commands) {
      const { usage, stdout } = measure('python3', [
        process.execPath,
        root('dist/cli/main.js'),
        ...args,
        '--json',
        '--quiet',
      ]);
      const seen = see(parsed(stdout));
      const isRight = seen === expected && usage.peakRssMiB <= most;
      isGood &&= isRight;
      results.push({ images: count, command: name, ...usage, seen, expected });
      console.log(
        `${String(count).padStart(7)}  ${name.padEnd(10)} ${usage.wallSeconds.toFixed(1).padStart(7)} s  ${usage.peakRssMiB.toFixed(0).padStart(5)} MiB${isRight ? '' : `  WRONG: saw ${JSON.stringify(seen)}, expected ${JSON.stringify(expected)}, at most ${most} MiB`}`,
      );
    }
  }
  console.log(writeReport('large-run', { most, results, facts: machineFacts() }));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = isGood ? 0 : 1;
