// Whether `permafrost backbone NETWORK --check` finds contracts that are wrong, each of them stated in turn, and
// lets the right one be. Tall pictures are those of the data set stretched to three times their height
// ("stretched"), or with grey of twice their height under them ("top"): what a centre crop loses and a squashed
// square keeps.
//
//   npm run build && node bench/backbones/wrong-contracts.mjs DATASET NETWORK [NETWORK.onnx=RIGHT_CONTRACT.json ...]
//
// Prints a line a case: what was stated, the verdict, what was named instead and by which figure, seconds.
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import sharp from 'sharp';
import { backbone, scanDataset } from '../../dist/index.js';

const [dataset, ...networks] = process.argv.slice(2);
if (networks.length === 0) throw new Error('usage: wrong-contracts.mjs DATASET NETWORK[=CONTRACT] ...');
const folder = mkdtempSync(join(tmpdir(), 'permafrost-wrong-contracts-'));

const three = (scale) => (typeof scale === 'number' ? [scale, scale, scale] : scale);

/** Contracts that people state by mistake for one that is right. */
function mistakes(right) {
  const { mean, scale, channelOrder } = right;
  const of = (means, deviations, order = 'RGB') => ({
    channelOrder: order,
    mean: means.map((m) => m * 255),
    scale: deviations.map((s) => 1 / 255 / s),
  });
  return {
    right: {},
    'rescale missing': { mean: mean.map((m) => m / 255), scale: three(scale).map((s) => s * 255) },
    'rescaled twice': { mean: mean.map((m) => m * 255), scale: three(scale).map((s) => s / 255) },
    [channelOrder === 'RGB' ? 'BGR for RGB' : 'RGB for BGR']: {
      channelOrder: channelOrder === 'RGB' ? 'BGR' : 'RGB',
      mean: mean.toReversed(),
      scale: three(scale).toReversed(),
    },
    'mean and deviation of ImageNet': of([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    'mean and deviation of CLIP': of([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]),
    '-1 to 1': of([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
    'Caffe (BGR less means)': { channelOrder: 'BGR', mean: [103.939, 116.779, 123.68], scale: 1 },
    '0 to 1': { channelOrder: 'RGB', mean: [0, 0, 0], scale: 1 / 255 },
    '0 to 255': { channelOrder: 'RGB', mean: [0, 0, 0], scale: 1 },
  };
}

/** The training pictures of a data set made tall. */
async function madeTall(how) {
  const root = join(folder, how);
  const { root: from, samples } = await scanDataset(dataset);
  for (const { path, label, split } of samples) {
    if (split !== 'train') continue;
    const out = join(root, 'train', label, `${basename(path)}.png`);
    mkdirSync(dirname(out), { recursive: true });
    const picture = sharp(join(from, path)).rotate().resize(200, 200, { fit: 'fill' });
    if (how === 'stretched')
      await sharp(await picture.png().toBuffer())
        .resize(200, 600, { fit: 'fill' })
        .toFile(out);
    else await picture.extend({ bottom: 400, background: '#808080' }).toFile(out);
  }
  return root;
}

async function tell(network, stated, contract, where) {
  const file = join(folder, 'contract.json');
  writeFileSync(file, JSON.stringify({ ...contract, name: undefined }));
  const began = performance.now();
  const { check } = await backbone(network, { contract: file, check: where });
  const [first] = check.others;
  const figures = ({ accuracy, alignment, ownClasses }) =>
    `${accuracy.toFixed(2)} / ${alignment.toFixed(2)} / ${ownClasses?.toFixed(1) ?? '-'}`;
  const better = check.others.find(({ told }) => told === 'better');
  const instead = better ? `${better.what} (by ${better.decidedBy[0]})` : '-';
  console.log(
    `| ${basename(network)} | ${basename(where)} | ${stated} | ${figures(check.stated.figures)} | ${check.verdict} | ${instead} | ${figures((better ?? first).figures)} | ${((performance.now() - began) / 1000).toFixed(0)} s |`,
  );
}

try {
  console.log('| network | data set | stated | figures | verdict | named instead | its figures | time |');
  console.log('|---|---|---|---|---|---|---|---|');
  const tall = { stretched: await madeTall('stretched'), top: await madeTall('top') };
  for (const given of networks) {
    const [network, named = ''] = given.split('=');
    const { contract: right } = await backbone(network, { contract: named });
    for (const [stated, change] of Object.entries(mistakes(right)))
      await tell(network, stated, { ...right, ...change }, dataset);
    for (const where of Object.values(tall)) {
      await tell(network, 'cropped', right, where);
      await tell(network, 'squashed', { ...right, resize: undefined, geometry: 'squash' }, where);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
