// @ts-check
// A plan whose units are all there, of any number of images, written by the real writers: what is in the features does
// not matter here. Nothing of it is held but one unit.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { dist } from '../store/dist.mjs';
import { rowOf, settingsFor } from '../store/generated-store.mjs';

const { random } = await dist('core/random.js');
const { canonicalJson, sha256Hex } = await dist('core/digest.js');
const { vgg16 } = await dist('extract/backbones/vgg.js');
const { DECODER } = await dist('extract/image/formats/decoder.js');
const { loadWeights } = await dist('extract/weights/load-weights.js');
const { fingerprintOf } = await dist('store/format/fingerprint.js');
const { STORE_VERSION } = await dist('store/format/manifest.js');
const { commitDataset, openForWriting, setFor } = await dist('store/write/store.js');
const { unitRows } = await dist('store/write/shard-rows.js');
const { featureWriter } = await dist('store/write/writer.js');
const { EXTRACT_DEFAULTS } = await dist('workflows/extract/options.js');
const { newPlan, planFolder, writePlan } = await dist('workflows/machines/plan-file.js');
const { describeLists, writeLists } = await dist('workflows/machines/unit-lists.js');
const { unitFolder } = await dist('workflows/machines/unit-folder.js');
const { writeUnitReport } = await dist('workflows/machines/unit-report.js');
const { VERSION } = await dist('workflows/version.js');

const ENGINE = { name: 'onnxruntime', device: 'cpu', precision: 'fp32', version: '0.0.0' };
/** Options of an extraction that a plan does not carry. */
const NOT_PLANNED = ['store', 'labels', 'verify', 'backboneFile', 'engine', 'device', 'precision', 'threads'];
const POOLINGS = /** @type {const} */ (['avg']);

/** The i-th image in the order of the listing. @param {number} i */
function imageOf(i) {
  const row = rowOf(i);
  // Paths ascend with i, as in a listing; the class changes each 50,000 images.
  const label = `class-${String(Math.floor(i / 50_000)).padStart(4, '0')}`;
  return {
    ...row,
    label,
    split: i % 7 === 0 ? 'val' : 'train',
    path: `${label}/picture-${String(i).padStart(9, '0')}.jpg`,
  };
}

/**
 * Writes plan and units of `images` images with rows of `width` numbers into a store that is not there yet.
 * @param {string} store @param {number} images @param {number} width
 * @returns {Promise<{ units: number, size: number }>}
 */
export async function generatedRun(store, images, width) {
  const { digest } = await loadWeights({ backbone: vgg16 });
  const settings = settingsFor(digest);
  const widths = { flatten: width, avg: width, max: width };
  const size = unitRows([{ settings, widths, poolings: POOLINGS }]);
  const units = Math.ceil(images / size);
  const listing = {
    unitSize: size,
    samples: {
      length: images,
      slice: (/** @type {number} */ from, /** @type {number} */ to) =>
        Array.from({ length: Math.min(to, images) - from }, (_, i) => imageOf(from + i)),
    },
  };
  const options = Object.fromEntries(Object.entries(EXTRACT_DEFAULTS).filter(([key]) => !NOT_PLANNED.includes(key)));
  const lists = describeLists(listing);
  const run = sha256Hex(canonicalJson({ lists, settings })).slice(0, 16);
  const path = planFolder(store, run);
  mkdirSync(path, { recursive: true });
  await openForWriting(store, VERSION);
  await writeLists(path, listing);
  const plan = newPlan({
    run,
    permafrost: VERSION,
    store: STORE_VERSION,
    decoder: DECODER,
    parts: 16,
    dataset: { root: join(store, '..', 'pictures'), images, hasSplits: true, failures: [] },
    engine: ENGINE,
    sets: [{ fingerprint: fingerprintOf(settings), settings, widths, poolings: POOLINGS }],
    options,
    units: { size, count: units },
    lists,
    // Merging asks no network.
    probe: {
      image: 'none',
      sha256: '0'.repeat(64),
      file: { name: 'probe.safetensors', bytes: 0, sha256: '0'.repeat(64) },
      leastCosine: 1,
    },
  });
  await writePlan({ path, plan });

  const source = random(1);
  const values = Float32Array.from({ length: size * width }, () => source.uniform());
  for (let unit = 0; unit < units; unit++) {
    const first = unit * size;
    const rows = Array.from({ length: Math.min(size, images - first) }, (_, i) => imageOf(first + i));
    const folder = unitFolder(path, unit);
    mkdirSync(folder);
    const draft = await openForWriting(folder, VERSION);
    const set = setFor(draft.manifest, { settings, engine: ENGINE, widths });
    const writer = featureWriter({
      store: draft,
      set,
      poolings: POOLINGS,
      expectedRows: rows.length,
      decoder: DECODER,
    });
    for (const [i] of rows.entries()) values[i * width] = first + i;
    const data = values.subarray(0, rows.length * width);
    const features = /** @type {any} */ (new Map([['avg', { data, rows: rows.length, cols: width }]]));
    await writer.append({ rows, features });
    await writer.seal();
    const sets = [{ set, poolings: POOLINGS }];
    await commitDataset(draft, { root: 'pictures', sets, samples: rows, failures: [], split: { by: 'dataset' } });
    await writeUnitReport(folder, {
      run,
      unit,
      permafrost: VERSION,
      images: rows.length,
      extracted: rows.length,
      failures: [0],
      remarks: [],
      seconds: 1,
      threads: 1,
      engine: ENGINE,
    });
  }
  return { units, size };
}
