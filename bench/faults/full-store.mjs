// @ts-check
// A store that has everything: features of two cuts, heads with tables of answers, a ledger of sweeps, an index, maps,
// labels, journals, a report, file times, sketches, failures, a plan with a finished unit, a fine-tuning that was
// interrupted, and a set with changed layers and a calibration.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dist, DIST } from '../store/dist.mjs';

const MAIN = fileURLToPath(new URL('cli/main.js', DIST));
const SETTINGS = ['--engine', 'onnxruntime', '--precision', 'fp32'];

/** Runs a command to its end. @param {readonly string[]} args */
export async function command(args) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => (stderr += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  // 3: done, with an image that could not be read.
  if (code !== 0 && code !== 3) throw new Error(`permafrost ${args.join(' ')} ended with ${code}: ${stderr}`);
}

/**
 * Makes it at `store`, of the images in `dataset` (with Train and Val), which get a picture that cannot be read.
 * @param {string} dataset @param {string} store @param {string} image
 */
export async function makeFullStore(dataset, store, image) {
  writeFileSync(join(dataset, 'Train', 'across', 'broken.png'), 'no picture');
  const cuts = ['--cut', 'block1_pool:avg+max,block2_pool:avg'];
  await command(['run', dataset, '--store', store, ...cuts, ...SETTINGS, '--quiet']);
  const grid = ['--head', 'centroid,ridge', '--pca', '0', '--folds', '2', '--workers', '1', '--save'];
  await command(['sweep', store, ...grid, '--quiet']);
  await command(['neighbors', store, image, '--index', 'hnsw', '--quiet']);
  await command(['check', store, '--quiet']);
  await studio(store, readFileSync(image));
  await plan(dataset, store);
  await ofTunedNetworks(store);
  await command(['report', store, '--quiet']);
}

/** What a person does in the studio. @param {string} store @param {Uint8Array} image */
async function studio(store, image) {
  const child = spawn(process.execPath, [MAIN, 'studio', store, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const { address } = await new Promise((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ more) => {
      text += more;
      if (text.trimEnd().endsWith('}')) resolve(JSON.parse(text));
    });
    child.once('exit', (code) => reject(new Error(`the studio ended with ${code}`)));
  });
  const { origin, searchParams } = new URL(address);
  /**
   * @param {string} method @param {string} path @param {Uint8Array | object} [body]
   * @returns {Promise<any>}
   */
  const ask = async (method, path, body) => {
    const text = body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body);
    const answer = await fetch(origin + path, {
      method,
      headers: { authorization: `Bearer ${searchParams.get('token')}` },
      ...(text !== undefined && { body: typeof text === 'string' ? text : Buffer.from(text) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  try {
    const { classes } = await ask('POST', '/api/teach/classes', { name: 'stripes' });
    await ask('POST', `/api/teach/classes/${classes[0].id}/images?name=a.png`, image);
    await ask('POST', '/api/teach/classes', { name: 'none' });
    const { rows } = await ask('GET', '/api/images');
    await ask('POST', '/api/review/decisions', { path: rows[0].path, label: 'down' });
    await ask('POST', '/api/review/decisions', { path: rows[1].path, label: 'down' });
    await ask('POST', '/api/review/save');
    await ask('POST', '/api/teach/save', { as: 'dataset', name: 'mine' }).catch(() => undefined);
    for (const query of ['', '?features=block1_pool']) {
      for (let tries = 0; tries < 600; tries++) {
        if ((await ask('GET', `/api/map${query}`)).state !== 'drawing') break;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    await ended;
  }
}

/** A plan beside what is there, with a finished unit. @param {string} dataset @param {string} store */
async function plan(dataset, store) {
  const apart = `${store}-planned`;
  await command([
    'plan',
    dataset,
    '--store',
    apart,
    '--cut',
    'block1_pool:avg',
    '--parts',
    '2',
    ...SETTINGS,
    '--quiet',
  ]);
  const { runsIn } = await dist('workflows/machines/runs.js');
  const [run] = await runsIn(apart);
  await command(['extract', '--plan', join(apart, 'parts', run), '--part', '1/2', '--quiet']);
  cpSync(join(apart, 'parts'), join(store, 'parts'), { recursive: true });
}

/** Files of tuned networks, which are not trained here. @param {string} store */
async function ofTunedNetworks(store) {
  const { readManifest, writeManifest } = await dist('store/format/manifest-file.js');
  const { fingerprintOf } = await dist('store/format/fingerprint.js');
  const { writeLayers } = await dist('store/read/layers-file.js');
  const { writeCalibration } = await dist('store/read/calibration-file.js');
  const { calibrationDigest } = await dist('core/calibration.js');
  const { writeState, stateFileOf } = await dist('workflows/finetune/state-file.js');
  const manifest = await readManifest(store);
  const [first] = manifest.sets;
  const calibration = { method: 'maximum', images: [], ranges: { input: { min: 0, max: 1 } } };
  const kernel = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const settings = { ...first.settings, calibration: calibrationDigest(calibration), dtype: 'float32' };
  manifest.sets.push({
    ...first,
    settings,
    fingerprint: fingerprintOf(settings),
    quantization: {
      calibration: await writeCalibration(store, calibration),
      cosine: { images: 1, min: 1, mean: 1 },
    },
    tuned: { base: settings.weights, layers: await writeLayers(store, new Map([['block5_conv3/kernel', kernel]])) },
    shards: [],
  });
  await writeManifest({ path: store, manifest });
  mkdirSync(join(store, 'finetune'), { recursive: true });
  const arrays = new Map([['head/kernel', Float32Array.of(1e-7, 2)]]);
  const fit = { arrays, first: arrays, second: arrays, steps: 3 };
  const id = '0123456789abcdef';
  await writeState(stateFileOf(store, id), id, { trials: [], refit: [], fit });
}
