import type { EngineFacts } from './extract-result.ts';
import type { Failure, Split } from '../core/sample.ts';

/** What `plan` wrote. */
export interface PlanResult {
  readonly store: string;
  /** Names the run, and the folder of the plan in the store. */
  readonly run: string;
  /** The folder of the plan, which every machine must see. */
  readonly plan: string;
  /** Its address in S3, where it was put there: every machine must see that alone. */
  readonly shared?: string;
  readonly dataset: string;
  readonly images: number;
  /** Files of the data set that cannot even be opened by their names. */
  readonly failed: readonly Failure[];
  readonly units: number;
  /** Images of a unit; the last one may have fewer. */
  readonly unitSize: number;
  readonly parts: number;
  /** Units that are finished already: the same was planned before. */
  readonly finished: number;
  /** Different contents that the store holds: units read such files, and do not extract them. */
  readonly known: number;
  readonly engine: EngineFacts;
  /** The cuts with their poolings, the deepest first, as --cut takes them. */
  readonly cut: string;
  readonly contract: string;
  /** Of a network that is an ONNX file: what it is called, and where the file was here. */
  readonly network?: { readonly name: string; readonly file: string };
  readonly warnings: readonly string[];
}

/** What the extraction of one part did. */
export interface PartResult {
  readonly plan: string;
  readonly run: string;
  /** 1 to `parts`. */
  readonly part: number;
  readonly parts: number;
  /** Units of the part: made + there + lostRaces. */
  readonly units: number;
  readonly made: number;
  /** Units that were finished before. */
  readonly there: number;
  /** Units that another machine finished first; what was made of them here is dropped. */
  readonly lostRaces: number;
  /** Images of the part, and those of the units that were made now. */
  readonly images: number;
  readonly extracted: number;
  /** Those of the units made now whose features the store has: they were read alone. */
  readonly known: number;
  /** Images of the units made now that gave no features; `merge` lists them. */
  readonly failures: number;
  readonly seconds: number;
}

/** Units that one machine made, or makes. */
export interface MachineState {
  readonly host: string;
  readonly processor: string;
  readonly units: number;
  readonly images: number;
  /** Over the units that it finished. */
  readonly imagesPerSecond: number;
}

/** A unit that was begun and is not finished. */
export interface UnitState {
  readonly unit: number;
  readonly host: string;
  /** Images that are done, over all passes, of how many; null where it does not say. */
  readonly done: number | null;
  readonly of: number | null;
  /** Seconds since its worker last told anything. */
  readonly silentSeconds: number;
}

/** How far a run is. */
export interface PartsResult {
  readonly store: string;
  readonly run: string;
  readonly plan: string;
  readonly units: number;
  readonly finished: number;
  readonly images: number;
  readonly finishedImages: number;
  /** Images that gave no features so far, over all passes. */
  readonly failures: number;
  readonly underWay: readonly UnitState[];
  /** Units whose worker has been silent for a minute, and which nobody else has begun: it is taken to be dead. */
  readonly dead: readonly UnitState[];
  /** Units that are neither finished nor under way, as ranges: `0,7,12-15`. */
  readonly missing: string;
  /** The indices of the parts, from 0 on, that have such units: what an array job is to run again. */
  readonly missingParts: string;
  /** Images a second of all units under way together; 0 where none is. */
  readonly imagesPerSecond: number;
  readonly machines: readonly MachineState[];
  /** Kinds of processors that took part: equal bytes are promised for one kind alone. */
  readonly processors: readonly string[];
}

/** What `merge` made of a run. */
export interface MergeResult {
  readonly store: string;
  readonly run: string;
  readonly dataset: string;
  readonly units: number;
  /** Units that are not there, with --allow-missing; and their images, which the store does not list. */
  readonly missingUnits: number;
  readonly missingImages: number;
  readonly images: number;
  /** Different contents that the run brought into the store, of its images. */
  readonly added: number;
  /** Different contents that the store had before; and those of them that units extracted all the same. */
  readonly there: number;
  readonly thereExtracted: number;
  /** Contents that several units extracted, as copies of one file lie in them; one of each is kept. */
  readonly copies: number;
  /** Images of views that were dropped, as these images are held out. */
  readonly heldOutViews: number;
  /** Shards that were taken as they are, and those that were written anew without rows that are known. */
  readonly linkedShards: number;
  readonly rewrittenShards: number;
  readonly failed: readonly Failure[];
  readonly splits: Readonly<Partial<Record<Split, number>>>;
  readonly classes: readonly string[];
  readonly cut: string;
  readonly engine: EngineFacts;
  /** Kinds of processors that took part: equal bytes are promised for one kind alone. */
  readonly processors: readonly string[];
  readonly warnings: readonly string[];
  /** Whether plan and units are still in the store. */
  readonly keptParts: boolean;
  readonly seconds: number;
}
