import { dirname, relative, resolve, sep } from 'node:path';
import { PermafrostError } from '../core/errors.ts';
import { loadHead } from '../classify/heads/index.ts';
import type { HeadState } from '../classify/head.ts';
import { loadNormalizer, normalizerState } from '../classify/normalize.ts';
import type { FeatureSet } from '../store/manifest.ts';
import { readCalibration } from '../store/calibration-file.ts';
import { readHead, writeHead, type HeadDocument } from '../store/head-file.ts';
import type { TrainedHead } from './evaluate.ts';
import { VERSION } from './version.ts';

type Tensors = HeadState['tensors'];

const prefixed = (prefix: string, tensors: Tensors): [string, ReturnType<Tensors['get']> & object][] =>
  [...tensors].map(([name, tensor]) => [`${prefix}/${name}`, tensor]);

const stripped = (prefix: string, tensors: Tensors): Tensors =>
  new Map(
    [...tensors].flatMap(([name, tensor]) =>
      name.startsWith(`${prefix}/`) ? [[name.slice(prefix.length + 1), tensor] as const] : [],
    ),
  );

/** Writes a trained head with its normaliser, the settings of the set that it was trained on and the way to its store. Throws STORE_WRITE. */
export async function saveHead(
  file: string,
  { head, normalizer, result }: TrainedHead,
  { settings, quantization }: Pick<FeatureSet, 'settings' | 'quantization'>,
  store: string,
): Promise<void> {
  const before = normalizerState(normalizer);
  const { contract } = settings;
  const document: HeadDocument = {
    permafrost: VERSION,
    name: head.name,
    params: head.params,
    classes: [...head.classes],
    settings: { ...settings, contract: { ...contract, mean: [...contract.mean] } },
    ...(quantization && {
      calibration: await readCalibration(store, quantization.calibration, settings.calibration),
    }),
    pooling: result.pooling,
    width: head.features,
    head: head.state.json,
    normalizer: before.json,
    trained: {
      images: result.trained,
      store: relative(dirname(resolve(file)), resolve(store))
        .split(sep)
        .join('/'),
    },
  };
  await writeHead(
    file,
    document,
    new Map([...prefixed('head', head.state.tensors), ...prefixed('normalizer', before.tensors)]),
  );
}

export interface OpenedHead extends Pick<TrainedHead, 'head' | 'normalizer'> {
  readonly document: HeadDocument;
  /** The store that it was trained on, absolute; it may have gone. */
  readonly store: string;
}

/** Reads a head file back into a head that predicts the same. Throws HEAD_CORRUPT. */
export async function openHead(file: string): Promise<OpenedHead> {
  const { document, tensors } = await readHead(file);
  const head = await loadHead(document.name, { json: document.head, tensors: stripped('head', tensors) });
  const normalizer = loadNormalizer({ json: document.normalizer, tensors: stripped('normalizer', tensors) });
  if (head.features !== document.width) {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `${file}: the head takes ${head.features} features, its document says ${document.width}.`,
    );
  }
  return { document, head, normalizer, store: resolve(dirname(file), document.trained.store) };
}
