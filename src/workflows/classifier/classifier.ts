import { readFile } from 'node:fs/promises';
import { sha256Hex } from '../../core/digest.ts';
import { resolveOptions } from '../../core/options.ts';
import type { ClassifierFacts } from '../../results/answer-results.ts';
import { headParts } from '../../store/read/heads/head-file.ts';
import { partsText } from '../../store/read/stored-parts.ts';
import { headFileOf } from '../run/best-head.ts';
import { openHead, type OpenedHead } from '../train/files/head-files.ts';
import { judgeOfHead } from '../train/files/judge-of-head.ts';
import { withRuleAt } from '../train/rule-at-rate.ts';
import { layersOfHead } from '../train/files/tuned-files.ts';
import { VERSION } from '../version.ts';
import type { Work } from '../work.ts';
import { imageSquares } from './image-squares.ts';
import { liveClassifier, type Classifier } from './live-classifier.ts';
import { liveNetworks, type LiveNetworks } from './live-networks.ts';
import { CLASSIFIER_OPTIONS, type ClassifierOptions } from './options.ts';
import { sharedNetworks, type OpenExtractor } from './shared-networks.ts';
import { trainingSearch } from './training-search.ts';

export type { ImageInput, RgbPixels } from './image-squares.ts';
export type { AnswerOptions, Classifier } from './live-classifier.ts';
export type { ClassifierOptions } from './options.ts';

/**
 * Loads a head with the network that it was trained on. `headOrStore`: a head file that permafrost wrote, or a store,
 * whose best head it is. An engine of another class than that of its features may answer where it was compared with
 * theirs. Throws HEAD_CORRUPT, STORE_NOT_FOUND, OPTION_INVALID; ENGINE_UNAVAILABLE where their class is not to be had
 * and no other may stand in; ENGINE_DISAGREES; FINGERPRINT_MISMATCH, naming the field, for other weights;
 * WEIGHTS_NOT_FOUND, BACKBONE_NOT_FOUND, ENGINE_FAILED.
 */
export async function openClassifier(
  headOrStore: string,
  given: Partial<ClassifierOptions> = {},
  work: Work = {},
): Promise<Classifier> {
  const [one] = await openClassifiers([headOrStore], given, work);
  return one!;
}

/**
 * As openClassifier, of several heads, in their order. Heads that read the same network down to the same cut share it:
 * it is in memory once, images that are asked about at the same time go through it together, and an image that several
 * of them are asked about at the same time goes through it once. Where one cannot be opened, none stays open.
 */
export async function openClassifiers(
  headsOrStores: readonly string[],
  given: Partial<ClassifierOptions> = {},
  work: Work = {},
): Promise<Classifier[]> {
  const options = resolveOptions('openClassifier', CLASSIFIER_OPTIONS, given);
  const heads: NamedHead[] = [];
  for (const headOrStore of headsOrStores) {
    const file = await headFileOf(headOrStore, work.listener);
    heads.push({ file, head: withRuleAt(await openHead(file), options.reject) });
  }
  const open = sharedNetworks(heads.map(({ head }) => head.document));
  const opened: Classifier[] = [];
  try {
    for (const one of heads) opened.push(await openOne(one, options, open, work));
    return opened;
  } catch (error) {
    for (const classifier of opened) await classifier.close();
    throw error;
  }
}

interface NamedHead {
  readonly file: string;
  readonly head: OpenedHead;
}

async function openOne(
  { file, head }: NamedHead,
  options: ClassifierOptions,
  open: OpenExtractor,
  work: Work,
): Promise<Classifier> {
  const tuned = await layersOfHead(head, options.backboneFile);
  const networks = await liveNetworks(head.document, tuned, options, judgeOfHead(head), work.listener, open);
  try {
    await networks.load();
    const facts = factsOf(file, sha256Hex(await readFile(file)), head, networks);
    const images = await imageSquares(networks.contracts, options.maxMegapixels * 1e6);
    return liveClassifier({ facts, head, networks, images, search: () => trainingSearch(head, options.memory, work) });
  } catch (error) {
    await networks.dispose();
    throw error;
  }
}

function factsOf(file: string, digest: string, { document, head, reject }: OpenedHead, networks: LiveNetworks) {
  const { settings } = document;
  const { backbone, contract, engine, others, agreement } = networks;
  return {
    file,
    digest,
    head: head.name,
    classes: head.classes,
    backbone,
    cut: settings.cut,
    pooling: partsText(settings.cut, headParts(document)),
    contract,
    engine,
    others,
    agreement: agreement ?? null,
    unknown: reject === undefined ? null : { measure: reject.measure, threshold: reject.threshold, rate: reject.rate },
    permafrost: VERSION,
  } satisfies ClassifierFacts;
}
