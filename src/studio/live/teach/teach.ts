import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { sha256Hex } from '../../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import type { Listener } from '../../../core/listener.ts';
import { matrix } from '../../../core/matrix.ts';
import type { HeadAnswer, Saved, TaughtImage, TeachState } from '../../api/studio-data.ts';
import { syncFolder, writeFileAtomic } from '../../../store/format/atomic-file.ts';
import { openJournal, withoutUndone, type Journal } from '../../../store/format/journal.ts';
import {
  clearTaught,
  journalPath,
  STUDIO_FOLDER,
  taughtFolders,
  taughtImagePath,
  teachSchema,
  type TaughtFolder,
  type TeachEvent,
} from '../../../store/format/studio-files.ts';
import { answersOf } from '../../../workflows/classifier/answers-of.ts';
import { trainedContents } from '../../../store/read/heads/trained-contents.ts';
import { saveHead } from '../../../workflows/train/files/head-files.ts';
import { sanitizeName, MOST_NAME } from '../sanitize-name.ts';
import { shownClasses } from '../heads.ts';
import type { LiveNetwork } from '../network.ts';
import type { Snapshot } from '../snapshot.ts';
import { saveTaughtDataset } from './save-taught-dataset.ts';
import { taughtFeatures } from './taught-features.ts';
import { fitTaught, type FittedTaught, type TaughtRow } from './taught-head.ts';
import { taughtProbes } from './taught-probes.ts';
import { mutex, savings } from '../../../core/mutex.ts';

/** Classes that are taught in the studio; every change is on the disk before it is answered. */
export interface LiveTeach {
  /** Classes, and the head that is fitted to them now. */
  state(snapshot: Snapshot): Promise<TeachState>;
  addClass(name: string): Promise<void>;
  renameClass(id: number, name: string): Promise<void>;
  removeClass(id: number): Promise<void>;
  /** Runs the image through the network and keeps it. Throws OPTION_INVALID, IMAGE_UNDECODABLE. */
  addImage(
    id: number,
    image: { readonly bytes: Uint8Array; readonly name: string; readonly take?: string },
    snapshot: Snapshot,
  ): Promise<TaughtImage>;
  removeImage(id: number): Promise<void>;
  undo(): Promise<void>;
  /** Forgets everything, the images too. */
  clear(): Promise<void>;
  /** What the taught head says of an image, which is not kept. Throws FIT_INVALID while there is no head. */
  ask(bytes: Uint8Array, snapshot: Snapshot): Promise<HeadAnswer>;
  /** The bytes of a taught image. Throws IMAGE_UNREADABLE. */
  image(sha256: string): Promise<Uint8Array>;
  saveHead(name: string, snapshot: Snapshot): Promise<Saved>;
  /** Into a new folder below `folder`. */
  saveDataset(name: string, folder: string): Promise<Saved>;
}

export async function liveTeach(store: string, network: LiveNetwork, listener: Listener = {}): Promise<LiveTeach> {
  let events: Journal<TeachEvent>;
  // Changes come one after the other, so that each sees those before it.
  const exclusive = mutex();
  const saving = savings();
  let fitted: { readonly key: string; readonly result: ReturnType<typeof fitTaught> } | undefined;

  async function open(): Promise<void> {
    events = await openJournal(journalPath(store, 'teach.jsonl'), teachSchema, (text) => listener.note?.(text));
    await mkdir(join(store, STUDIO_FOLDER, 'images'), { recursive: true });
    await syncFolder(join(store, STUDIO_FOLDER));
  }
  await open();
  const features = await taughtFeatures(store, network, listener, exclusive);

  const classes = (): TaughtFolder[] => taughtFolders(events.entries);
  /** Larger than every id so far, undone ones included. */
  const nextId = (): number =>
    1 + events.entries.reduce((most, event) => Math.max(most, 'id' in event ? event.id : 0), 0);
  function named(id: number): TaughtFolder {
    const found = classes().find((one) => one.id === id);
    if (found === undefined)
      throw new PermafrostError('OPTION_INVALID', `There is no class ${id} any more. Load the page again.`);
    return found;
  }
  function freeName(text: string, except?: number): string {
    const name = sanitizeName(text);
    // On some systems two folders cannot differ in case alone.
    const twin = classes().find((one) => one.id !== except && one.name.toLowerCase() === name.toLowerCase());
    if (twin !== undefined)
      throw new PermafrostError('OPTION_INVALID', `There is a class ${JSON.stringify(twin.name)} already.`);
    return name;
  }
  async function image(sha256: string): Promise<Uint8Array> {
    try {
      if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error('it is no name of an image');
      return await readFile(taughtImagePath(store, sha256));
    } catch (cause) {
      throw new PermafrostError('IMAGE_UNREADABLE', `The taught image ${sha256}: ${reasonOf(cause)}`, { cause });
    }
  }
  async function fit(snapshot: Snapshot): ReturnType<typeof fitTaught> {
    const all = classes().flatMap((one) => one.images.map((picture) => ({ label: one.name, ...picture })));
    const X = matrix(all.length, snapshot.set.widths.avg);
    for (const [i, { sha256 }] of all.entries())
      X.data.set(await features.of(sha256, snapshot, () => image(sha256)), i * X.cols);
    const rows = all.map(({ label, id, sha256, take }): TaughtRow => ({
      label,
      key: String(id),
      group: take === undefined ? sha256 : `take ${take}`,
    }));
    return fitTaught({ X, rows });
  }
  function current(snapshot: Snapshot): ReturnType<typeof fitTaught> {
    const key = `${snapshot.set.fingerprint}/${events.entries.length}`;
    if (fitted?.key === key) return fitted.result;
    const result = fit(snapshot);
    fitted = { key, result };
    result.catch(() => (fitted = undefined));
    return result;
  }
  async function head(snapshot: Snapshot): Promise<FittedTaught> {
    const found = await current(snapshot);
    if ('missing' in found) throw new PermafrostError('FIT_INVALID', found.missing);
    return found;
  }

  return {
    image,
    async state(snapshot) {
      const found = await current(snapshot);
      return {
        classes: classes().map(({ id, name, images }) => ({
          id,
          name,
          images: images.map((picture) => ({ id: picture.id, name: picture.name, sha256: picture.sha256 })),
        })),
        canUndo: withoutUndone(events.entries).length > 0,
        head: 'missing' in found ? found : found.facts,
      };
    },
    addClass: (text) =>
      exclusive(async () => {
        await events.append({ do: 'add-class', id: nextId(), name: freeName(text) });
      }),
    renameClass: (id, text) =>
      exclusive(async () => {
        named(id);
        await events.append({ do: 'rename-class', id, name: freeName(text, id) });
      }),
    removeClass: (id) =>
      exclusive(async () => {
        named(id);
        await events.append({ do: 'remove-class', id });
      }),
    async addImage(id, { bytes, name, take }, snapshot) {
      const sha256 = sha256Hex(bytes);
      await features.of(sha256, snapshot, () => Promise.resolve(bytes));
      return exclusive(async () => {
        named(id);
        const path = taughtImagePath(store, sha256);
        if (!existsSync(path)) await writeFileAtomic(path, [bytes]);
        const image = { id: nextId(), name: [...basename(name)].slice(-MOST_NAME).join('') || 'image', sha256 };
        await events.append({ do: 'add-image', class: id, ...image, ...(take !== undefined && { take }) });
        return image;
      });
    },
    removeImage: (id) =>
      exclusive(async () => {
        if (!classes().some(({ images }) => images.some((picture) => picture.id === id)))
          throw new PermafrostError('OPTION_INVALID', `There is no image ${id} any more. Load the page again.`);
        await events.append({ do: 'remove-image', id });
      }),
    undo: () =>
      exclusive(async () => {
        if (withoutUndone(events.entries).length > 0) await events.append({ do: 'undo' });
      }),
    clear: () =>
      exclusive(async () => {
        await clearTaught(store);
        fitted = undefined;
        await open();
        await features.forget();
      }),
    async ask(bytes, snapshot) {
      const found = await head(snapshot);
      const part = { cut: snapshot.features.name, pooling: 'avg' } as const;
      const X = (await network.extract(bytes, snapshot, [part])).featuresIn(part);
      const [answer] = await answersOf(found, X);
      return {
        head: 'taught',
        name: found.head.name,
        pooling: 'avg',
        classes: shownClasses(answer!),
        unknown: null,
        unusual: null,
        trainedOn: classes().some(({ images }) => images.some((picture) => picture.sha256 === sha256Hex(bytes))),
        problem: null,
      };
    },
    async saveHead(name, snapshot) {
      const path = join(store, 'heads', `taught-${sanitizeName(name)}.safetensors`);
      return await saving(`${path}/${snapshot.name}/${events.entries.length}`, async () => {
        // As they are now: what the head is fitted to.
        const folders = classes();
        const contents = trainedContents(folders.flatMap(({ images }) => images.map(({ sha256 }) => sha256)));
        const found = await head(snapshot);
        if (existsSync(path))
          throw new PermafrostError('OPTION_INVALID', `${path} is there already. Take another name.`);
        const { settings, widths } = snapshot.set;
        const parts = [{ cut: settings.cut, pooling: 'avg' as const, width: widths.avg }];
        const result = { trained: found.facts.images };
        const taught = { image, features: (of: string) => features.of(of, snapshot, () => image(of)) };
        const probes = await taughtProbes(folders, taught, settings.contract, found);
        // Its training images lie in the studio's folder.
        await saveHead(path, { ...found, parts, result, contents, probes }, snapshot.set, join(store, STUDIO_FOLDER));
        return { path, command: `npx permafrost predict ${JSON.stringify(path)} IMAGE` };
      });
    },
    async saveDataset(name, folder) {
      const path = join(folder, sanitizeName(name));
      return await saving(`${path}/${events.entries.length}`, async () => {
        await saveTaughtDataset(classes(), image, path);
        return { path, command: `npx permafrost run ${JSON.stringify(path)}` };
      });
    },
  };
}
