import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadOpenVino } from '../../../../src/extract/engines/openvino/runtime.ts';
import { addedOpenVinoFolder, locateOpenVino } from '../../../../src/extract/engines/openvino/locate.ts';
import { requireKnownVersion, versionOfBuild } from '../../../../src/extract/engines/openvino/versions.ts';
import { temporaryFolders, writeTree } from '../../../support/folders.ts';

const newFolder = temporaryFolders();
const LIBRARY = 'libopenvino_c.so.2640';

describe('the places of OpenVINO', () => {
  it('are what permafrost added, then a virtual environment, then the Python on the PATH', () => {
    const [cache, environment, python] = [newFolder(), newFolder(), newFolder()];
    const env = { PERMAFROST_CACHE: cache, VIRTUAL_ENV: environment, PATH: join(python, 'bin') };
    const libs = 'lib/python3.12/site-packages/openvino/libs';
    writeTree(addedOpenVinoFolder(env), { [LIBRARY]: '' });
    writeTree(environment, { [`${libs}/${LIBRARY}`]: '' });
    writeTree(python, { [`${libs}/${LIBRARY}`]: '', 'bin/python3': '' });
    expect(
      locateOpenVino(env)
        .map(({ folder, origin }) => [folder, origin])
        .slice(0, 3),
    ).toEqual([
      [addedOpenVinoFolder(env), 'added'],
      [join(environment, libs), 'found'],
      [join(python, libs), 'found'],
    ]);
  });

  it('are OPENVINO_LIB_DIR alone where that is set, even when nothing is there', () => {
    const env = { PERMAFROST_CACHE: newFolder(), OPENVINO_LIB_DIR: newFolder() };
    writeTree(addedOpenVinoFolder(env), { [LIBRARY]: '' });
    expect(locateOpenVino(env)).toEqual([]);
    writeTree(env.OPENVINO_LIB_DIR, { [LIBRARY]: '', 'libopenvino.so.2640': '' });
    expect(locateOpenVino(env)).toEqual([
      {
        folder: env.OPENVINO_LIB_DIR,
        library: join(env.OPENVINO_LIB_DIR, LIBRARY),
        origin: 'found',
        how: 'OPENVINO_LIB_DIR',
      },
    ]);
  });

  it('may hold a library that does not load: the error says which, why, and what to do', async () => {
    const path = join(writeTree(newFolder(), { [LIBRARY]: 'no library' }), LIBRARY);
    const refused = loadOpenVino(path);
    await expect(refused).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    await expect(refused).rejects.toThrow(new RegExp(`${LIBRARY} does not load: .+engines add openvino`));
  });
});

describe('the version of OpenVINO', () => {
  it('is read from its build', () => {
    expect(versionOfBuild('2026.4.0-22959-99c81491cc3-releases/2026/4')).toBe('2026.4.0');
  });

  it.each(['2024.5.0-1-x', '2027.0.0-1-x', '2023.3.0', 'of no stated version'])(
    'is refused where it is not known: %s',
    (build) => {
      expect(() => requireKnownVersion(build, '/lib')).toThrow(/knows 2024.6 to 2026.4/);
    },
  );

  it.each(['2024.6.0-1-x', '2025.0.0-1-x', '2026.4.0-1-x', '2026.4.1-1-x'])('is taken: %s', (build) => {
    expect(() => requireKnownVersion(build, '/lib')).not.toThrow();
  });
});
