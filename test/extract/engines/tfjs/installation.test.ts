import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { buildObstacle, checkSha256 } from '../../../../src/extract/engines/tfjs/build-binding.ts';
import { tfjsInstallation } from '../../../../src/extract/engines/tfjs/installation.ts';
import { findPackage, TFJS_VERSION } from '../../../../src/extract/engines/tfjs/packages.ts';
import { rejection, textWith } from '../../../support/errors.ts';
import { temporaryFolders, writeTree } from '../../../support/folders.ts';
import { tfjsMissing } from './tfjs-missing.ts';

const makeFolder = temporaryFolders();
const ADDED = `tfjs-${TFJS_VERSION}`;

/** An empty cache folder. A tfjs beside permafrost would be found first: these tests say what happens without one. */
function emptyCache(): string {
  const cache = makeFolder();
  vi.stubEnv('PERMAFROST_CACHE', cache);
  return cache;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the installation of tfjs', () => {
  const missing = tfjsMissing('node-gpu');
  const whole = findPackage('node-gpu');
  // Nothing can be tried without a cache folder of one's own where tfjs lies beside permafrost.
  const beside = whole?.origin === 'found';

  it.skipIf(beside)('is not there in an empty cache folder, and removing it again is harmless', async () => {
    emptyCache();
    const nothing = { installed: false, version: null, path: null, origin: null, problem: 'not installed' };
    expect(await tfjsInstallation.status()).toEqual(nothing);
    await tfjsInstallation.remove();
    expect(await tfjsInstallation.status()).toEqual(nothing);
  });

  it.skipIf(beside)('removes what it added and nothing beside it', async () => {
    const cache = emptyCache();
    writeTree(cache, { [`${ADDED}/node_modules/x`]: '', 'tfjs-0.1/x': '', 'openvino/x': '' });
    await tfjsInstallation.remove();
    expect(readdirSync(cache).sort()).toEqual(['openvino', 'tfjs-0.1']);
  });

  it.skipIf(beside)('says what to do where there is no npm, and leaves nothing half done', async () => {
    const cache = emptyCache();
    vi.stubEnv('PATH', makeFolder());
    const error = await rejection(tfjsInstallation.add({}), 'ENGINE_UNAVAILABLE');
    expect(error.message).toMatch(/npm could not fetch @tensorflow\/tfjs-node-gpu.*there is no program "npm"/);
    expect(readdirSync(cache)).toEqual([]);
  });

  it.skipIf(beside)('ends with INTERRUPTED when aborted in the middle, and leaves nothing', async () => {
    const cache = emptyCache();
    const controller = new AbortController();
    const adding = tfjsInstallation.add({
      signal: controller.signal,
      listener: { note: () => setTimeout(() => controller.abort(), 300) },
    });
    await rejection(adding, 'INTERRUPTED');
    expect(readdirSync(cache)).toEqual([]);
  });

  describe.skipIf(missing ?? beside)(
    missing === undefined ? 'where it was added' : `where it was added [skipped: ${missing}]`,
    () => {
      it('tells versions and place as the library itself does, and has nothing to do a second time', async () => {
        const found = await tfjsInstallation.status();
        expect(found).toEqual({
          installed: true,
          version: textWith(/^4\.22\.0 \(@tensorflow\/tfjs-node-gpu, TensorFlow 2\.\d+\.\d+\)$/),
          path: whole!.folder,
          origin: 'added',
          problem: null,
        });
        const notes: string[] = [];
        vi.stubEnv('PATH', makeFolder());
        const again = await tfjsInstallation.add({ listener: { note: (text) => notes.push(text) } });
        expect(again).toEqual(found);
        expect(notes).toEqual([]);
      });

      it('brought the packages that are pinned, and left no build behind', () => {
        const pinned = JSON.parse(
          readFileSync(new URL('../../../../data/engine-tfjs/package-lock.json', import.meta.url), 'utf8'),
        ) as { packages: Record<string, { integrity?: string }> };
        const root = resolve(whole!.folder, '..', '..');
        const brought = JSON.parse(readFileSync(join(root, '.package-lock.json'), 'utf8')) as typeof pinned;
        const digests = ({ packages }: typeof pinned) =>
          Object.entries(packages).flatMap(([path, { integrity }]) => (path === '' ? [] : [[path, integrity]]));
        expect(digests(brought)).toEqual(digests(pinned));
        expect(digests(pinned).every(([, integrity]) => integrity?.startsWith('sha512-'))).toBe(true);
        for (const name of ['build', 'wheel', 'deps/include']) {
          expect(existsSync(join(whole!.folder, name))).toBe(false);
        }
      });

      it('is not installed, and says so, where the library does not load', async () => {
        const cache = emptyCache();
        const packages = join(cache, ADDED, 'node_modules');
        const binding = whole!.binding!.replace(whole!.folder, '');
        writeTree(packages, {
          '@tensorflow/tfjs-node-gpu/package.json': readFileSync(join(whole!.folder, 'package.json')),
          [`@tensorflow/tfjs-node-gpu${binding}`]: 'not a library',
        });
        symlinkSync(resolve(whole!.folder, '..', '..', '@mapbox'), join(packages, '@mapbox'));
        expect(await tfjsInstallation.status()).toMatchObject({
          installed: false,
          origin: 'added',
          problem: textWith('@tensorflow/tfjs-node-gpu does not work'),
        });
      });
    },
  );
});

describe('building the library of tfjs', () => {
  it.skipIf(process.platform !== 'linux' || process.arch !== 'x64')(
    'names all that is missing and how to get it, before anything is fetched',
    async () => {
      expect(await buildObstacle({ PATH: makeFolder() })).toMatch(
        /python3 with pip, make, a C\+\+ compiler.*apt install python3-pip make g\+\+/,
      );
    },
  );

  it('refuses a file whose SHA-256 is not the pinned one', async () => {
    const file = join(makeFolder(), 'wheel');
    writeFileSync(file, 'abc');
    const right = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    await checkSha256(file, right);
    writeFileSync(file, 'abd');
    const error = await rejection(checkSha256(file, right), 'ENGINE_UNAVAILABLE');
    expect(error.message).toContain(`expected ${right}`);
  });
});
