import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findPackage } from '../../../../src/extract/engines/tfjs/packages.ts';
import { textWith } from '../../../support/errors.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import { tfjsMissing } from './tfjs-missing.ts';

const DIST = fileURLToPath(new URL('../../../../dist', import.meta.url));
const makeFolder = temporaryFolders();

/** permafrost as it is built, alone in a folder that has no packages yet. */
function permafrostAlone(): string {
  const root = makeFolder();
  cpSync(DIST, join(root, 'permafrost', 'dist'), { recursive: true });
  return root;
}

/** Puts packages that are installed here into `root`, as a package manager that links does. */
function link(root: string, names: readonly string[]): void {
  const scope = join(root, 'node_modules', '@tensorflow');
  mkdirSync(scope, { recursive: true });
  const installed = resolve(findPackage('node-gpu')!.folder, '..');
  for (const name of names) symlinkSync(join(installed, name), join(scope, name));
}

/**
 * What a process says that makes an engine there and runs a tiny network on it; an error is said by its code and
 * message.
 */
function engineIn(
  root: string,
  options: Readonly<Record<string, unknown>> = {},
  before = '',
): { readonly [fact: string]: unknown; readonly stderr: string } {
  const table = pathToFileURL(join(root, 'permafrost', 'dist', 'extract', 'engines', 'index.js')).href;
  const script = `
    ${before}
    const { createEngine } = await import(${JSON.stringify(table)});
    const backbone = { name: 'tiny', layers: [{ kind: 'conv', name: 'a', inputs: 3, filters: 1 }, { kind: 'maxPool', name: 'b' }] };
    const tensors = new Map([
      ['a/kernel', { shape: [3, 3, 3, 1], data: new Float32Array(27).fill(1) }],
      ['a/bias', { shape: [1], data: new Float32Array([5]) }],
    ]);
    const contract = { size: 4, channelOrder: 'BGR', mean: [1, 1, 1], scale: 0.5 };
    const outputs = [{ cut: 'b', pooling: 'max' }];
    try {
      const engine = await createEngine('tfjs', ${JSON.stringify(options)});
      const { name, device, precision, version, notes } = engine;
      const loaded = await engine.load({ backbone, weights: { tensors, digest: '' }, contract, outputs });
      const [features] = await loaded.run(new Uint8Array(48).fill(3), 1);
      await loaded.dispose();
      console.log(JSON.stringify({ name, device, precision, version, notes, features: [...features.data] }));
    } catch (error) {
      console.log(JSON.stringify({ code: error.code, message: error.message }));
    }`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, PERMAFROST_CACHE: join(root, 'cache') },
  });
  return { ...(JSON.parse(stdout) as Record<string, unknown>), stderr };
}

/** 27 products of (3 - 1) * 0.5 and 1, and the bias. */
const FEATURES = [32];

describe('the choice of a package of tfjs', () => {
  it('says what to run where none is installed', () => {
    const alone = permafrostAlone();
    expect(engineIn(alone)).toMatchObject({
      code: 'PACKAGE_MISSING',
      message: textWith(
        /tfjs-node-gpu is not installed\. @tensorflow\/tfjs-node is not installed\. .*run "npx permafrost engines add tfjs"/,
      ),
    });
    expect(engineIn(alone, { package: 'node' })).toMatchObject({
      code: 'PACKAGE_MISSING',
      message: textWith(/run "npm install @tensorflow\/tfjs-node@4\.22\.0"/),
    });
    expect(engineIn(alone, { package: 'wasm' })).toMatchObject({
      code: 'PACKAGE_MISSING',
      message: textWith('run "npm install @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0"'),
    });
  });

  it('refuses options that it does not know before it looks for a package', () => {
    const alone = permafrostAlone();
    for (const options of [{ package: 'gpu' }, { device: 'webgpu' }, { precision: 'bf16' }, { pakage: 'node' }]) {
      expect(engineIn(alone, options)).toMatchObject({ code: 'OPTION_INVALID' });
    }
  });

  const missing = tfjsMissing('node-gpu') ?? tfjsMissing('wasm');
  describe.skipIf(missing)(missing ? `[skipped: ${missing}]` : 'with the packages that are installed here', () => {
    it('takes -gpu where it is beside permafrost, though links lead to it', () => {
      const root = permafrostAlone();
      link(root, ['tfjs-node-gpu', 'tfjs', 'tfjs-backend-wasm']);
      expect(engineIn(root)).toMatchObject({
        version: textWith('@tensorflow/tfjs-node-gpu, TensorFlow'),
        features: FEATURES,
      });
    });

    it('falls back to WebAssembly, saying why not the others, and says nothing of them where it was chosen', () => {
      const root = permafrostAlone();
      link(root, ['tfjs', 'tfjs-backend-wasm']);
      const chosen = engineIn(root, { package: 'wasm' });
      expect(chosen).toMatchObject({ version: textWith('tfjs-backend-wasm'), features: FEATURES });
      expect(chosen.notes).toEqual([textWith('one thread')]);
      const automatic = engineIn(root);
      expect(automatic).toMatchObject({ version: textWith('tfjs-backend-wasm'), features: FEATURES });
      expect(automatic.notes).toEqual([
        'tfjs runs on @tensorflow/tfjs-backend-wasm. @tensorflow/tfjs-node-gpu is not installed. @tensorflow/tfjs-node is not installed.',
        textWith('one thread'),
      ]);
    });

    it('passes over a package whose native library was not built or is broken, with the reason, and never half loads it', () => {
      for (const [library, reason] of [
        [null, 'its native library was not built when it was installed'],
        ['not a library', 'file too short|invalid ELF header|not a valid|slice is not valid'],
      ] as const) {
        const root = permafrostAlone();
        link(root, ['tfjs', 'tfjs-backend-wasm']);
        const broken = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
        const whole = findPackage('node-gpu')!;
        cpSync(whole.folder, broken, {
          recursive: true,
          filter: (path) => !path.includes(join('tfjs-node-gpu', 'deps')) && path !== whole.binding,
        });
        if (library !== null) {
          const binding = whole.binding!.replace(whole.folder, broken);
          mkdirSync(dirname(binding), { recursive: true });
          cpSync(join(broken, 'package.json'), binding);
        }
        symlinkSync(join(whole.folder, '..', '..', '@mapbox'), join(root, 'node_modules', '@mapbox'));
        const found = engineIn(root);
        expect(found).toMatchObject({ version: textWith('tfjs-backend-wasm'), features: FEATURES });
        expect((found.notes as string[])[0]).toMatch(new RegExp(`tfjs-node-gpu.*(${reason})`));
        expect(found.stderr).not.toContain('already registered');
        expect(engineIn(root, { package: 'node-gpu' })).toMatchObject({
          code: 'PACKAGE_MISSING',
          message: textWith(new RegExp(reason)),
        });
        rmSync(broken, { recursive: true });
      }
    });

    it('takes what was added to the cache folder where nothing is beside permafrost', () => {
      const root = permafrostAlone();
      const added = join(root, 'cache', 'tfjs-4.22.0');
      mkdirSync(added, { recursive: true });
      const { folder } = findPackage('node-gpu')!;
      symlinkSync(join(folder, '..', '..'), join(added, 'node_modules'));
      expect(engineIn(root)).toMatchObject({ version: textWith('tfjs-node-gpu'), features: FEATURES });
    });

    it('does not look in the current folder', () => {
      const root = permafrostAlone();
      const elsewhere = makeFolder();
      link(elsewhere, ['tfjs-node-gpu', 'tfjs', 'tfjs-backend-wasm']);
      expect(engineIn(root, {}, `process.chdir(${JSON.stringify(elsewhere)});`)).toMatchObject({
        code: 'PACKAGE_MISSING',
      });
    });

    it('runs where Node has no util.isNullOrUndefined (24 and later), warns of nothing (22), and leaves Node as it was', () => {
      const root = permafrostAlone();
      link(root, ['tfjs-node-gpu', 'tfjs']);
      const withoutIt = `
        import util from 'node:util';
        delete util.isNullOrUndefined;
        process.on('exit', () => console.error('left: ' + typeof util.isNullOrUndefined));`;
      const found = engineIn(root, {}, withoutIt);
      expect(found).toMatchObject({ version: textWith('tfjs-node-gpu'), features: FEATURES });
      expect(found.stderr.trim()).toBe('left: undefined');
      // The package by itself fails there: the shim is what makes the difference.
      const binding = JSON.stringify(findPackage('node-gpu')!.folder);
      const bare = `delete require('util').isNullOrUndefined; const tf = require(${binding}); tf.relu(tf.ones([1]));`;
      expect(() => execFileSync(process.execPath, ['-e', bare], { stdio: 'pipe' })).toThrow(
        /isNullOrUndefined\) is not a function/,
      );
      expect(engineIn(root).stderr).toBe('');
    });
  });
});
