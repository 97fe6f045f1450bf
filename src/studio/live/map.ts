import { fork } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import * as z from 'zod';
import { reasonOf } from '../../core/errors.ts';
import { present, type OrReason } from '../../results/report-data.ts';
import type { MapAnswer, MapPlace } from '../api/studio-data.ts';
import { writeSealed } from '../../store/format/seal-beside.ts';
import { removeUnfinished } from '../../store/format/temporary-files.ts';
import { sealJson, unseal } from '../../store/format/sealed-json.ts';
import { mapSample } from '../../workflows/report/map.ts';
import type { MapDrawn, MapJob } from './draw-map.ts';
import { cardOf, type Snapshot } from './snapshot.ts';

/** Most images on the map; of more, a sample. */
const MOST = 2000;
const SEED = 1;
/** Maps that are kept in memory: of the cuts that were looked at last. */
const KEPT = 4;

/** Where the last map is kept, below the store: a file for each cut that is not the primary one. */
function fileOf({ networks, features }: Snapshot): string {
  const isPrimary = features === networks[0]!.sets[0];
  return join('studio', isPrimary ? 'map.json' : `map-${features.set.fingerprint}.json`);
}

/** Places by row. */
export type MapPlaces = ReadonlyMap<number, MapPlace>;

export interface LiveMap {
  /** Where the drawing stands; the first call for a snapshot begins it. */
  answer(snapshot: Snapshot): MapAnswer;
  /** Empty until it is drawn. */
  places(snapshot: Snapshot): MapPlaces;
  /** Ends a drawing under way. */
  dispose(): void;
}

const numbers = z.array(z.number()).readonly();
const schema = z.strictObject({
  snapshot: z.string(),
  seed: z.number(),
  images: z.array(z.number().int().nonnegative()).readonly(),
  x: numbers,
  y: numbers,
  nNeighbors: z.number(),
});
type Drawn = z.infer<typeof schema>;

/** The map on disk where it is that of the snapshot; a file that is gone, damaged or older is drawn again. */
async function kept(snapshot: Snapshot): Promise<Drawn | undefined> {
  const { store, name, samples } = snapshot;
  try {
    const drawn = schema.parse(unseal(JSON.parse(await readFile(join(store.path, fileOf(snapshot)), 'utf8'))));
    const fits = drawn.snapshot === name && drawn.seed === SEED && drawn.images.every((i) => i < samples.length);
    return fits ? drawn : undefined;
  } catch {
    return undefined;
  }
}

const ENTRY = new URL(`./draw-map${extname(import.meta.url)}`, import.meta.url);

export function liveMap(listener: { note?(text: string): void } = {}): LiveMap {
  const stop = new AbortController();
  /** By the names of snapshots, the last looked at at the end. */
  const maps = new Map<string, Known>();

  async function draw(snapshot: Snapshot): Promise<OrReason<Drawn>> {
    const { samples } = snapshot;
    const sample = mapSample(samples.length, MOST, SEED);
    if (!present(sample)) return sample;
    const X = await (await snapshot.rows()).rows(sample.images);
    const drawn = await new Promise<MapDrawn>((resolve, reject) => {
      const child = fork(ENTRY, { serialization: 'advanced', execArgv: [], signal: stop.signal });
      child.once('message', (message) => resolve(message as MapDrawn));
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`its process ended with ${code ?? signal}`)));
      child.send({ X, sample, seed: SEED } satisfies MapJob);
    });
    if ('problem' in drawn) return { missing: drawn.problem };
    return { snapshot: snapshot.name, seed: SEED, images: sample.images, ...drawn };
  }
  const shown = (snapshot: Snapshot, { images, x, y, nNeighbors }: Drawn): Known => ({
    places: new Map(images.map((row, i) => [row, { x: x[i]!, y: y[i]! }])),
    answer: {
      state: 'ready',
      snapshot: snapshot.name,
      points: images.map((row, i) => ({ ...cardOf(snapshot, row), x: x[i]!, y: y[i]! })),
      leftOut: snapshot.samples.length - images.length,
      nNeighbors,
    },
  });
  async function begin(snapshot: Snapshot, known: Known): Promise<void> {
    const stored = await kept(snapshot);
    const drawn = stored ?? (await draw(snapshot));
    Object.assign(known, present(drawn) ? shown(snapshot, drawn) : missing(drawn.missing));
    if (stored !== undefined || !present(drawn)) return;
    const file = join(snapshot.store.path, fileOf(snapshot));
    await mkdir(dirname(file), { recursive: true });
    await removeUnfinished(file);
    await writeSealed(file, [new TextEncoder().encode(sealJson(drawn))]);
  }
  function forSnapshot(snapshot: Snapshot): Known {
    const before = maps.get(snapshot.name);
    const known: Known = before ?? { answer: { state: 'drawing' }, places: new Map() };
    maps.delete(snapshot.name);
    maps.set(snapshot.name, known);
    if (maps.size > KEPT) maps.delete(maps.keys().next().value!);
    if (before !== undefined) return known;
    begin(snapshot, known).catch((error: unknown) => {
      if (stop.signal.aborted) return;
      if (known.answer.state === 'drawing') Object.assign(known, missing(`It could not be drawn: ${reasonOf(error)}`));
      else listener.note?.(`The map is not kept: ${reasonOf(error)}`);
    });
    return known;
  }

  return {
    answer: (snapshot) => forSnapshot(snapshot).answer,
    places: (snapshot) => forSnapshot(snapshot).places,
    dispose: () => stop.abort(),
  };
}

/** A map, or where its drawing stands; replaced as a whole when that changes. */
interface Known {
  answer: MapAnswer;
  places: MapPlaces;
}

const missing = (reason: string): Known => ({ answer: { state: 'missing', reason }, places: new Map() });
