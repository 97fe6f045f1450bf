// A process that gives damaged files to a reader of the built program. Argument: JSON with dist (URL of the build),
// reader, file (what is damaged), context, from, cases, seed. Writes one line a case before the case and one after it,
// so that who watches sees which one hangs.
// Prints: "N began: what was done to the bytes", then "N ok DIGEST" (what was read), "N CODE" (a PermafrostError) or "N
// broke: message".
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';

const { dist, reader, file, context, from, cases, seed } = JSON.parse(process.argv[2]);
const load = (path) => import(`${dist}/${path}`);
const { random } = await load('core/random.js');
const { PermafrostError } = await load('core/errors.js');

const digestOf = (value) => {
  const hash = createHash('sha256');
  const plain = (_key, inner) =>
    inner instanceof Map
      ? [...inner]
      : ArrayBuffer.isView(inner)
        ? createHash('sha256')
            .update(new Uint8Array(inner.buffer, inner.byteOffset, inner.byteLength))
            .digest('hex')
        : typeof inner === 'bigint'
          ? String(inner)
          : inner;
  return hash.update(JSON.stringify(value, plain)).digest('hex').slice(0, 16);
};

/** Each takes the path of the damaged file and gives what it read. */
const READERS = {
  async manifest(path) {
    return (await load('store/format/manifest-file.js')).readManifest(dirname(path));
  },
  /** Samples, rows and features of a store in which `path` is one file. */
  async store(path) {
    const { openStore } = await load('store/open.js');
    const { setRows } = await load('store/read/shards.js');
    const store = await openStore(dirname(path));
    const rows = [];
    for (const set of store.manifest.sets) for await (const row of setRows(store.path, set)) rows.push(row);
    const features = [];
    for (const parts of ['flatten', 'avg', 'max'])
      for (const split of ['train', 'val'])
        features.push((await store.rows({ parts, splits: [split], memory: 'matrix' })).matrix);
    return [rows, await store.samples(), features];
  },
  /** A list or a shard's file as its reader takes it once its digest was compared. */
  async arrow(path) {
    const { decodeArrow, arrowMetadata } = await load('store/format/arrow-file.js');
    const bytes = readFileSync(path);
    const read = [[...arrowMetadata(bytes, path)]];
    for (const batch of decodeArrow(bytes, path))
      read.push([batch.texts('sha256'), Array.from(batch.numbers('width')), batch.features]);
    return read;
  },
  async seals(path) {
    return (await load('store/write/shard-files.js')).setsFromSeals(dirname(path));
  },
  async calibration(path) {
    const { readCalibration } = await load('store/read/calibration-file.js');
    return readCalibration(dirname(path), context.entry, context.digest);
  },
  async 'file-times'(path) {
    return (await load('store/format/file-times-file.js')).readFileTimes(dirname(path));
  },
  async sketches(path) {
    const { readSketches } = await load('store/format/sketches-file.js');
    return [...(await readSketches(dirname(path), context.contract))];
  },
  async head(path) {
    return (await load('store/read/heads/head-file.js')).readHead(path);
  },
  async weights(path) {
    const { loadWeights } = await load('extract/weights/load-weights.js');
    const { tensors, notes } = await loadWeights({ backbone: context.backbone, file: path });
    return [[...tensors], notes];
  },
  async onnx(path) {
    const { readOnnxFile } = await load('extract/onnx/read-onnx.js');
    const { measureCuts } = await load('extract/onnx/probing/measure-cuts.js');
    const arithmetic = { channelOrder: 'RGB', mean: [0, 0, 0], scale: 1 / 255 };
    return measureCuts(await readOnnxFile(path), { contract: { name: 'fuzz', size: context.size, ...arithmetic } });
  },
  async tar(path) {
    const { withLocalFile } = await load('extract/archives/byte-file.js');
    const { tarIndex } = await load('extract/archives/tar-index.js');
    const { remarks, ...index } = await withLocalFile(path, (opened) => tarIndex(opened));
    return [index, remarks.length];
  },
  /** All that is read of a Parquet file of images; `context.mostMs` for each part. */
  async parquet(path) {
    const { withLocalFile } = await load('extract/archives/byte-file.js');
    const { imagesInGroup, openParquet, rowFacts } = await load('extract/archives/parquet-file.js');
    const limits = { mostMs: context.mostMs };
    return withLocalFile(path, async (opened) => {
      const parquet = await openParquet(opened, limits);
      const facts = await rowFacts(opened, parquet, limits);
      const images = [];
      for (const group of parquet.groups) images.push(await imagesInGroup(opened, parquet, group, limits));
      return [facts, images];
    });
  },
  async list(path) {
    return (await load('extract/dataset/dataset-manifest.js')).readManifestFile(path);
  },
};

/** Some damage: what was done, and the bytes after it. */
function damaged(bytes, generator) {
  const at = generator.below(bytes.length);
  const length = 1 + generator.below(Math.min(64, bytes.length - at));
  switch (generator.below(6)) {
    case 0: {
      const copy = Buffer.from(bytes);
      copy[at] ^= 1 + generator.below(255);
      return [`byte ${at} changed`, copy];
    }
    case 1: {
      const copy = Buffer.from(bytes);
      for (let i = 0; i < 4; i++) copy[generator.below(bytes.length)] = [0, 1, 0x7f, 0x80, 0xff][generator.below(5)];
      return ['four bytes set to extremes', copy];
    }
    case 2:
      return [`cut at ${at}`, bytes.subarray(0, at)];
    case 3:
      return [`${length} bytes gone at ${at}`, Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])];
    case 4: {
      const more = Buffer.from(Array.from({ length }, () => generator.below(256)));
      return [`${length} bytes put in at ${at}`, Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)])];
    }
    default:
      return [`${length} bytes at ${at} twice`, Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)])];
  }
}

const whole = readFileSync(file);
// A header is where most of the structure is: half of the cases are put there.
for (let number = from; number < from + cases; number++) {
  const generator = random(seed + number);
  const head = generator.below(2) === 0 ? Math.min(whole.length, 4096) : whole.length;
  // The first case is the file as it is: what must be read from it.
  const [what, part] =
    number === 0 ? ['nothing', whole.subarray(0, head)] : damaged(whole.subarray(0, head), generator);
  const bytes = Buffer.concat([part, what.startsWith('cut') ? Buffer.alloc(0) : whole.subarray(head)]);
  // A name of its own: HDF5 takes a file that it has not quite closed for the one that it knows.
  const path = join(dirname(file), context?.name ?? `damaged-${number}${extname(file)}`);
  writeSync(1, `${number} began: ${what}\n`);
  writeFileSync(path, bytes);
  let told;
  try {
    told = `ok ${digestOf(await READERS[reader](path))}`;
  } catch (error) {
    told =
      error instanceof PermafrostError ? error.code : `broke: ${String(error?.stack ?? error).replaceAll('\n', ' | ')}`;
  }
  if (context?.name === undefined) rmSync(path);
  writeSync(1, `${number} ${told}\n`);
}
