import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EnginesResult } from '../../src/results/engine-results.ts';
import { addedOpenVinoFolder, locateOpenVino } from '../../src/extract/engines/openvino/locate.ts';
import { WHEELS } from '../../src/extract/engines/openvino/wheels.ts';
import { document, permafrost, type Finished } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';

const newFolder = temporaryFolders();
const wheel = WHEELS[`${process.platform}-${process.arch}`];
const onPath = (command: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, command)));
const canAdd = wheel !== undefined && onPath('python3');
const wasAdded = locateOpenVino()[0]?.origin === 'added';

/** A wheel of the right name and platform that is not the pinned one. */
function forgedWheel(folder: string): void {
  const script = `
import sys, zipfile
name = 'openvino-2026.4.0.dist-info'
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('openvino/libs/libopenvino_c.so.2640', 'forged')
    wheel.writestr(f'{name}/METADATA', 'Metadata-Version: 2.1\\nName: openvino\\nVersion: 2026.4.0\\n')
    wheel.writestr(f'{name}/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: cp311-cp311-${wheel!.platform}\\n')
    wheel.writestr(f'{name}/RECORD', '')`;
  const file = join(folder, `openvino-2026.4.0-cp311-cp311-${wheel!.platform}.whl`);
  execFileSync('python3', ['-c', script, file]);
}

async function addInto(cache: string, env: Readonly<Record<string, string>>): Promise<Finished> {
  return permafrost(['engines', 'add', 'openvino'], {
    env: { PERMAFROST_CACHE: cache, OPENVINO_LIB_DIR: '', ...env },
  });
}

describe('engines', () => {
  it('lists what can be added, as text and as JSON', async () => {
    const { code, stdout } = await permafrost(['engines', 'list']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^onnxruntime +yes/m);
    expect(stdout).toMatch(/^openvino +(yes|no)/m);
    const json = document<EnginesResult>(await permafrost(['engines', 'list', '--json']));
    expect(json).toMatchObject({ action: 'list', engine: null });
    expect(json.engines.map(({ engine }) => engine)).toContain('openvino');
  });

  it.each([
    [['ad', 'openvino'], /did you mean "add"/],
    [['add', 'openvin'], /did you mean "openvino"/],
    [['add'], /needs a name: .*openvino/],
    [['list', 'openvino'], /takes no name/],
  ])('%j is a usage error', async (args, hint) => {
    const { code, stderr } = await permafrost(['engines', ...args]);
    expect(code).toBe(2);
    expect(stderr).toMatch(hint);
  });

  it('says where OPENVINO_LIB_DIR points when nothing is there, instead of using another', async () => {
    const env = { OPENVINO_LIB_DIR: newFolder() };
    const json = document<EnginesResult>(await permafrost(['engines', 'list', '--json'], { env }));
    const openvino = json.engines.find(({ engine }) => engine === 'openvino');
    expect(openvino).toMatchObject({ installed: false, path: null });
    expect(openvino?.problem).toContain(`OPENVINO_LIB_DIR is ${env.OPENVINO_LIB_DIR}`);
  });
});

describe.skipIf(wheel === undefined)('engines add openvino', () => {
  it('says that pip is needed where there is no Python, and leaves nothing behind', async () => {
    const cache = newFolder();
    const { code, stderr } = await addInto(cache, { PATH: newFolder() });
    expect(code).toBe(1);
    expect(stderr).toMatch(/no python3 on the PATH.*OPENVINO_LIB_DIR.*\[ENGINE_UNAVAILABLE\]/s);
    expect(readdirSync(cache)).toEqual([]);
  });

  it.skipIf(!canAdd)("tells pip's own reason where no registry has the wheel, and leaves nothing behind", async () => {
    const cache = newFolder();
    const { code, stderr } = await addInto(cache, { PIP_NO_INDEX: '1', PIP_FIND_LINKS: newFolder() });
    expect(code).toBe(1);
    expect(stderr).toMatch(/failed: ERROR: No matching distribution found for openvino==.*\[ENGINE_UNAVAILABLE\]/s);
    expect(readdirSync(cache)).toEqual([]);
  });

  it.skipIf(!canAdd)('refuses a wheel with another SHA-256 and leaves nothing behind', async () => {
    const [cache, links] = [newFolder(), newFolder()];
    forgedWheel(links);
    const { code, stderr } = await addInto(cache, { PIP_NO_INDEX: '1', PIP_FIND_LINKS: links });
    expect(code).toBe(1);
    expect(stderr).toMatch(/with SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}.*\[ENGINE_UNAVAILABLE\]/s);
    expect(readdirSync(cache)).toEqual([]);
  });

  it('says so where the cache folder cannot be written', async () => {
    const { code, stderr } = await addInto('/dev/null/cache', {});
    expect(code).toBe(1);
    expect(stderr).toMatch(/could not be written.*PERMAFROST_CACHE.*\[ENGINE_UNAVAILABLE\]/s);
  });

  // Fetches 59 MB: only where it was fetched before, by CI or by the user.
  it.skipIf(!wasAdded)(
    'fetches, verifies and unpacks it, does nothing the second time, and remove takes it away',
    async () => {
      const cache = newFolder();
      const env = { PERMAFROST_CACHE: cache, OPENVINO_LIB_DIR: '', PIP_NO_CACHE_DIR: '1' };
      const added = document<EnginesResult>(await permafrost(['engines', 'add', 'openvino', '--json'], { env }));
      const state = added.engines.find(({ engine }) => engine === 'openvino')!;
      expect(state).toMatchObject({ installed: true, version: '2026.4.0', origin: 'added', problem: null });
      expect(state.path).toBe(addedOpenVinoFolder(env));
      expect(readdirSync(cache)).toHaveLength(1);
      expect(readdirSync(state.path!).some((name) => /gpu|npu|tensorflow/.test(name))).toBe(false);
      const again = await permafrost(['engines', 'add', 'openvino'], { env });
      expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' });
      expect((await permafrost(['engines', 'remove', 'openvino'], { env })).code).toBe(0);
      expect(readdirSync(cache)).toEqual([]);
    },
  );
});
