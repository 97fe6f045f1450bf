import { few, PermafrostError } from '../../../core/errors.ts';
import { plural } from '../../../core/words.ts';
import { POOLINGS } from '../../../core/sample.ts';
import { DECODER } from '../../../extract/image/formats/decoder.ts';
import { imageSource } from '../../../extract/source/open.ts';
import { isRootThere } from '../../../extract/source/place.ts';
import { stageClock, type StageClock } from '../../../extract/stage-clock.ts';
import { fingerprintOf } from '../../../store/format/fingerprint.ts';
import type { StoreDraft } from '../../../store/format/manifest.ts';
import { reportMigration } from '../../store-version.ts';
import { writeManifest } from '../../../store/format/manifest-file.ts';
import type { StoredSample } from '../../../store/format/shard.ts';
import { storeFiles } from '../../../store/read/file.ts';
import { storedList } from '../../../store/read/samples.ts';
import { setsWriter, type WantedDraft } from '../../../store/write/sets-writer.ts';
import { unitRows } from '../../../store/write/shard-rows.ts';
import { openForWriting, setFor } from '../../../store/write/store.ts';
import { requireAgreement } from '../../network/calibration.ts';
import { requireLayerProgram } from '../../../extract/graph/program-graph.ts';
import type { Extractor } from '../../network/extractor.ts';
import { openTail } from '../../network/tail.ts';
import type { Work } from '../../work.ts';
import { VERSION } from '../../version.ts';
import type { ExtractOptions } from '../options.ts';
import { pass } from '../pass.ts';
import { keepTimes, rememberedTimes } from '../remembered-images.ts';
import { lackingIn } from './tuned-coverings.ts';
import { keepLayers, settingsOfMaps, type TunedFeatures } from './tuned-features.ts';
import { tunedFromMaps } from './tuned-from-maps.ts';
import { pickSamples, positionsWithFailures } from '../../../extract/dataset/units.ts';

/** What was done for the features of a tuned network. */
export interface TunedExtraction {
  readonly set: WantedDraft;
  readonly images: number;
  /** Images whose features were made of stored activations, without reading them. */
  readonly fromMaps: number;
  /** Images that were read, and went through the whole network. */
  readonly decoded: number;
  readonly unread: number;
}

/** Throws IMAGE_UNREADABLE where an image that the store lists cannot be had any more as it was. */
function requireAll(store: StoreDraft, lacking: readonly StoredSample[]): void {
  if (lacking.length === 0) return;
  const names = few(lacking.map(({ path }) => JSON.stringify(path)));
  throw new PermafrostError(
    'IMAGE_UNREADABLE',
    `${plural(lacking.length, 'image')} that ${store.path} lists cannot be read any more as they were: ${names}. What was extracted is kept. Bring the list up to date with "permafrost extract ${store.manifest.dataset.root} --store ${store.path}", then run this command again.`,
  );
}

/** Images of the list that the store has no activations of go through the whole network. */
async function throughAll(
  store: StoreDraft,
  into: WantedDraft,
  samples: readonly StoredSample[],
  { extractor, options, clock }: { extractor: Extractor; options: ExtractOptions; clock: StageClock },
  work: Work,
): Promise<{ readonly decoded: number; readonly unread: number }> {
  const { path, manifest } = store;
  const { root } = manifest.dataset;
  const shardBytes = options.shardMegabytes * 2 ** 20;
  const positions = positionsWithFailures(samples, manifest.dataset.failures);
  const listed = { size: unitRows(extractor.sets, shardBytes), positions };
  const expectedRows = Math.min(samples.length, listed.size);
  const writer = await setsWriter({ store, wanted: [into], expectedRows, shardBytes, decoder: DECODER, goesOn: true });
  const isLacking = ({ sha256 }: StoredSample): boolean => !writer.isKnown(sha256);
  const { samples: asked, units } = pickSamples(samples, listed, isLacking);
  if (asked.length === 0) {
    await writer.seal();
    return { decoded: 0, unread: 0 };
  }
  if (!isRootThere(root))
    throw new PermafrostError(
      'DATASET_NOT_FOUND',
      `${path} has no activations of ${plural(asked.length, 'image')} for the tuned layers to read, and the data set is not at ${root}. Put it there, or give it: permafrost extract DATASET --store ${path} --backbone-file FILE.`,
    );
  const times = await rememberedTimes(path, root, options.verify, work);
  const dataset = { root, samples: asked, hasSplits: true, warnings: [], failures: [] };
  const source = await imageSource(root);
  const pictures = { dataset, units, source, extractor, writer, times, options, clock };
  const found = await pass(pictures, work).finally(() => source.close());
  await keepTimes(times, work);
  requireAll(store, samples.filter(isLacking));
  return { decoded: found.extracted, unread: found.unread };
}

/**
 * Brings the features of a tuned network into a locked store, of all images that it lists: of stored activations by the
 * tail alone, of others through the whole network. They stand beside the primary sets of the data set. Disposes
 * `extractor`. Throws STORE_EMPTY, DATASET_NOT_FOUND, IMAGE_UNREADABLE, INTERRUPTED, and what reading and writing
 * throw.
 */
export async function tunedIntoStore(
  path: string,
  network: TunedFeatures,
  { extractor, options, clock = stageClock() }: { extractor: Extractor; options: ExtractOptions; clock?: StageClock },
  work: Work,
): Promise<TunedExtraction> {
  try {
    const store = await openForWriting(path, VERSION);
    const { manifest } = store;
    const samples = [...(await storedList(storeFiles(path), manifest).samples())];
    const [{ settings, poolings, widths }] = extractor.sets;
    const before = manifest.version;
    const set = setFor(manifest, { settings, widths, engine: extractor.engine });
    await keepLayers(path, set, network.tuned);
    const { root } = manifest.dataset;
    const dataset = { root, samples, hasSplits: true, warnings: [], failures: [] };
    const mapSettings = settingsOfMaps(network);
    const maps = mapSettings && manifest.sets.find((one) => one.fingerprint === fingerprintOf(mapSettings));
    if (maps?.quantization !== undefined) set.quantization ??= maps.quantization;
    const { seed, threads, minCosine } = options;
    await requireAgreement({ dataset, store, seed, threads, work }, extractor, [set], minCosine);
    const into = { set, poolings };
    let fromMaps = 0;
    if (maps !== undefined && (await lackingIn(store, into, samples)) > 0) {
      const { backbone, weights } = requireLayerProgram(extractor.program, 'A tuned network');
      const tail = await openTail(backbone, weights, settings.tail!, settings.contract.size, poolings);
      try {
        const needed = new Set(samples.map(({ sha256 }) => sha256));
        const shardBytes = options.shardMegabytes * 2 ** 20;
        fromMaps = await tunedFromMaps({ store, maps, into, tail, needed, options: { shardBytes } }, work);
      } finally {
        await tail.dispose();
      }
    }
    const { decoded, unread } = await throughAll(store, into, samples, { extractor, options, clock }, work);
    if (!manifest.dataset.sets.some(({ fingerprint }) => fingerprint === set.fingerprint)) {
      const { tuned = [] } = manifest.dataset;
      const held = tuned.find(({ fingerprint }) => fingerprint === set.fingerprint)?.poolings ?? [];
      const covering = POOLINGS.filter((pooling) => poolings.includes(pooling) || held.includes(pooling));
      const others = tuned.filter(({ fingerprint }) => fingerprint !== set.fingerprint);
      manifest.dataset.tuned = [...others, { fingerprint: set.fingerprint, poolings: covering }];
    }
    await writeManifest(store);
    reportMigration(before, manifest, work.listener);
    return { set: into, images: samples.length, fromMaps, decoded, unread };
  } finally {
    await extractor.executable.dispose();
  }
}
