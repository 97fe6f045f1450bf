import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../src/core/errors.ts';
import { fingerprintOf } from '../../../src/store/format/fingerprint.ts';
import type { ManifestDraft } from '../../../src/store/format/manifest.ts';
import { readManifest, writeManifest } from '../../../src/store/format/manifest-file.ts';
import { sealJson } from '../../../src/store/format/sealed-json.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { storedRow } from '../../support/stored-rows.ts';
import { fillStore } from '../../support/stores.ts';

const folder = temporaryFolders();

/** A manifest as permafrost 0.1.0 wrote it. It must stay readable: edit it never. */
const OF_0_1_0 = `{"format":"permafrost-store","version":1,"permafrost":"0.1.0",
"dataset":{"root":"/pictures/ants","fingerprint":"e584f7dd7c341a40",
 "samples":{"name":"samples-0123456789abcdef.arrow","bytes":1234,"sha256":"${'ab'.repeat(32)}"},
 "failures":[{"path":"Train/ants/broken.jpg","code":"IMAGE_UNDECODABLE","reason":"VipsJpeg: premature end"}]},
"sets":[{"fingerprint":"e584f7dd7c341a40",
 "settings":{"backbone":"vgg16","weights":"${'7f'.repeat(32)}","cut":"block5_pool","contract":{"name":"vgg16","size":224,
  "geometry":"cover-crop","kernel":"bilinear","orientation":"exif","iccProfile":"ignore","alpha":"white","channelOrder":"BGR",
  "mean":[103.939,116.779,123.68],"scale":1},"dtype":"float16","engineClass":"onnxruntime/cpu/fp32"},
 "engine":{"name":"onnxruntime","device":"cpu","precision":"fp32","version":"1.30.0"},
 "widths":{"flatten":25088,"avg":512,"max":512},
 "shards":[{"rows":20,"files":{
  "rows":{"name":"block5_pool-e584f7dd7c341a40-00000-rows.arrow","bytes":1,"sha256":"${'00'.repeat(32)}"},
  "flatten":{"name":"block5_pool-e584f7dd7c341a40-00000-flatten.arrow","bytes":2,"sha256":"${'11'.repeat(32)}"},
  "avg":{"name":"block5_pool-e584f7dd7c341a40-00000-avg.arrow","bytes":3,"sha256":"${'22'.repeat(32)}"},
  "max":{"name":"block5_pool-e584f7dd7c341a40-00000-max.arrow","bytes":4,"sha256":"${'33'.repeat(32)}"}}}]}]}`;

/** The same with its digest, as it lay on the disk. */
const SEALED = OF_0_1_0.replace(/\}$/, ',"digest":"3b96872530e777ca80f8b8d814d9d90e33b733cf47371debcba7fcb514278c26"}');

/** A folder with this manifest. */
function storeWith(text: string): string {
  const store = folder();
  writeFileSync(join(store, 'manifest.json'), text);
  return store;
}

async function refusal(text: string, code: ErrorCode): Promise<string> {
  const store = storeWith(text);
  const { message } = await rejection(readManifest(store), code);
  expect(message).toContain(store);
  return message;
}

/** Version 1 as it lies on the disk. */
const good = (): Record<string, unknown> => JSON.parse(OF_0_1_0) as Record<string, unknown>;

/** The same in the words of the newest version. */
function lifted(version: number): ManifestDraft {
  const { dataset, ...manifest } = good();
  const { fingerprint, ...rest } = dataset as ManifestDraft['dataset'] & { fingerprint: string };
  const sets = [{ fingerprint, poolings: ['flatten', 'avg', 'max'] }];
  return { ...manifest, version, dataset: { ...rest, sets } } as ManifestDraft;
}

describe('a manifest', () => {
  it('of permafrost 0.1.0 is readable, every field of it', async () => {
    expect(await readManifest(storeWith(SEALED))).toEqual(lifted(1));
  });

  it('of version 1 is written in version 2, with all that it said', async () => {
    const store = storeWith(SEALED);
    const manifest = await readManifest(store);
    await writeManifest({ path: store, manifest });
    expect(manifest.version).toBe(2);
    expect(await readManifest(store)).toEqual(lifted(2));
  });

  it('of version 2 may leave out poolings, that of version 1 may not', async () => {
    const manifest = lifted(2);
    delete manifest.sets[0]!.shards[0]!.files.flatten;
    expect(await readManifest(storeWith(sealJson(manifest)))).toEqual(manifest);
    const { files } = (good().sets as ManifestDraft['sets'])[0]!.shards[0]!;
    delete files.flatten;
    const old = { ...good(), sets: [{ ...lifted(1).sets[0]!, shards: [{ rows: 20, files }] }] };
    expect(await refusal(sealJson(old), 'STORE_CORRUPT')).toContain('sets.0.shards.0.files.flatten: ');
  });

  it('is refused when anything in it was changed, its version too', async () => {
    expect(await refusal(SEALED.replace('"rows":20', '"rows":21'), 'STORE_CORRUPT')).toContain('its digest is not');
    expect(await refusal(SEALED.replace('"version":1,', '"version":3,'), 'STORE_CORRUPT')).toContain(
      'its digest is not',
    );
    expect(await refusal(OF_0_1_0, 'STORE_CORRUPT')).toContain('its digest is not');
  });

  it('of a version to come is told from a damaged one, whether that version seals its manifest or not', async () => {
    await refusal(JSON.stringify({ ...good(), version: 6 }), 'STORE_VERSION');
    await refusal(sealJson({ ...good(), version: 6 }), 'STORE_VERSION');
  });

  it('comes back as it was written, whatever the names in it', async () => {
    const store = join(folder(), 'store');
    const { manifest } = await fillStore(store, [storedRow('a'), storedRow('b', { split: 'val' })]);
    manifest.dataset.root = '/pictures/ “odd”\n\u001b[31m';
    manifest.dataset.failures.push({
      path: '__proto__\0',
      code: 'IMAGE_UNREADABLE',
      reason: 'ünreadable 🐝',
    });
    await writeManifest({ path: store, manifest });
    expect(await readManifest(store)).toEqual(manifest);
  });

  it('holds every field of a contract, and refuses values that no contract has', async () => {
    const withContract = (more: object): ManifestDraft => {
      const manifest = lifted(2);
      const [set] = manifest.sets as [ManifestDraft['sets'][number]];
      const settings = { ...set.settings, contract: { ...set.settings.contract, ...more } };
      const fingerprint = fingerprintOf(settings);
      manifest.sets = [{ ...set, settings, fingerprint }];
      manifest.dataset.sets[0]!.fingerprint = fingerprint;
      return manifest;
    };
    const other = {
      geometry: 'contain-pad',
      resize: 256,
      crop: 'floor',
      pad: [1, 2, 3],
      antialias: false,
      scale: [1, 2, 3],
    };
    const manifest = withContract(other);
    const store = folder();
    await writeManifest({ path: store, manifest });
    expect(await readManifest(store)).toEqual(manifest);
    for (const [key, value] of [
      ['crop', 'round'],
      ['antialias', true],
      ['scale', [1, 2]],
      ['pad', [1]],
      ['sharpen', 1],
    ] as const)
      expect(await refusal(sealJson(withContract({ [key]: value })), 'STORE_CORRUPT')).toContain('settings.contract');
  });

  it('that is missing, or whose folder is, means that there is no store', async () => {
    const empty = folder();
    writeFileSync(join(empty, 'file'), '');
    for (const store of [empty, join(empty, 'nowhere'), join(empty, 'file')]) {
      const { message } = await rejection(readManifest(store), 'STORE_NOT_FOUND');
      expect(message).toBe(
        `${store} is no store: manifest.json is not there. Give a folder that "permafrost extract" or "permafrost run" made.`,
      );
    }
    mkdirSync(join(empty, 'manifest.json'));
    const { message } = await rejection(readManifest(empty), 'STORE_NOT_FOUND');
    expect(message).toMatch(/manifest\.json cannot be read \(EISDIR/);
  });

  it.each(['', '{', OF_0_1_0.slice(0, -1), `${OF_0_1_0}}`])('that is no JSON is refused: case %#', async (text) => {
    expect(await refusal(text, 'STORE_CORRUPT')).toMatch(
      /manifest\.json is damaged: it is no JSON \(.*permafrost repair/,
    );
  });

  it.each([
    ['another program', '{"name": "My web page", "version": "1.0"}'],
    ['no object', '[1, 2]'],
    ['null', 'null'],
    ['a number', '3'],
    ['another format', JSON.stringify({ ...good(), format: 'permafrost-head' })],
  ])('of %s means that there is no store', async (_, text) => {
    expect(await refusal(text, 'STORE_NOT_FOUND')).toMatch(/does not say "format": "permafrost-store"/);
  });

  it.each([0, 6, '1', null])('of version %j is refused, with all versions named', async (version) => {
    const message = await refusal(sealJson({ ...good(), version }), 'STORE_VERSION');
    expect(message).toContain(
      `has store version ${JSON.stringify(version)}; this permafrost reads versions 1, 2, 3, 4, 5.`,
    );
  });

  it.each([1, 2])(
    'of version %i with any field missing or of another type is refused, the field named',
    async (version) => {
      const whole = version === 1 ? good : () => lifted(2) as unknown as Record<string, unknown>;
      /** Each path to a value in `value`, as a list of keys. */
      const pathsIn = (value: unknown): string[][] =>
        value !== null && typeof value === 'object'
          ? Object.entries(value).flatMap(([key, inner]) => [[key], ...pathsIn(inner).map((path) => [key, ...path])])
          : [];
      const paths = pathsIn(whole()).filter(([first]) => first !== 'format');
      expect(paths.length).toBeGreaterThan(50);
      const files = ['flatten', 'avg', 'max'].map((pooling) => `sets.0.shards.0.files.${pooling}`);
      const optional = ['dataset.samples', ...(version === 1 ? [] : files)];
      for (const path of paths) {
        for (const damage of ['missing', 'of another type']) {
          const name = path.join('.');
          const inList = /^\d+$/.test(path.at(-1)!);
          if (damage === 'missing' && (inList || optional.includes(name) || name === 'version')) continue;
          if (damage === 'of another type' && name === 'version') continue; // STORE_VERSION, above
          const manifest = whole();
          const parent = path.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, manifest);
          if (damage === 'missing') delete parent[path.at(-1)!];
          else parent[path.at(-1)!] = true;
          expect(await refusal(sealJson(manifest), 'STORE_CORRUPT')).toContain(`is damaged: ${name}: `);
        }
      }
    },
  );

  it('with a field that it does not know is refused: it may change what the others mean', async () => {
    const message = await refusal(sealJson({ ...good(), compression: 'zstd' }), 'STORE_CORRUPT');
    expect(message).toMatch(/is damaged.*compression/);
  });

  it.each([
    '../outside.arrow',
    '..',
    '.',
    '',
    'a/b.arrow',
    'a\\b.arrow',
    '/etc/x.arrow',
    'C:x.arrow',
    '.hidden.arrow',
    'x.arrow\n',
    'x\0.arrow',
    'manifest.json',
    'results.json',
  ])('that names the file %j is refused: no name leads out of the store, nor to its other files', async (name) => {
    for (const place of ['samples', 'shard']) {
      const manifest = lifted(2);
      if (place === 'samples') manifest.dataset.samples!.name = name;
      else manifest.sets[0]!.shards[0]!.files.avg!.name = name;
      const field = place === 'samples' ? 'dataset.samples.name' : 'sets.0.shards.0.files.avg.name';
      expect(await refusal(sealJson(manifest), 'STORE_CORRUPT')).toContain(`is damaged: ${field}: `);
    }
  });

  it('whose settings were edited is refused: its features are not of those settings', async () => {
    const manifest = lifted(2);
    manifest.sets[0]!.settings.contract.channelOrder = 'RGB';
    const message = await refusal(sealJson(manifest), 'STORE_CORRUPT');
    expect(message).toContain(
      `is damaged: sets.0.fingerprint: e584f7dd7c341a40 is not that of its settings, ${fingerprintOf(manifest.sets[0]!.settings)}`,
    );
  });

  it('that cannot be written leaves the old one', async () => {
    const store = storeWith(SEALED);
    const next = { ...lifted(2), permafrost: '9' };
    await rejection(writeManifest({ path: join(store, 'nowhere'), manifest: next }), 'STORE_WRITE');
    await writeManifest({ path: store, manifest: next });
    expect(readFileSync(join(store, 'manifest.json'), 'utf8')).toContain('"permafrost": "9"');
  });
});
