import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DoctorResult } from '../src/results/engine-results.ts';
import type { RunResult } from '../src/results/head-result.ts';
import { temporaryFolders } from './support/folders.ts';
import { checkedDocuments } from './support/json-documents.ts';
import { filesBelow, install, output, pack, type Packed } from './support/packed.ts';

const folder = temporaryFolders();
const root = fileURLToPath(new URL('../', import.meta.url));
const MINUTES = 60_000;

/** Runs the installed command in its project. */
async function permafrost(project: string, ...args: string[]): Promise<string> {
  const stdout = await output(join(project, 'node_modules/.bin/permafrost'), args, project);
  if (args.includes('--json')) checkedDocuments(args[0]!, stdout);
  return stdout;
}

const doctor = async (project: string): Promise<Record<string, boolean>> => {
  const { packages } = JSON.parse(await permafrost(project, 'doctor', '--json')) as DoctorResult;
  return Object.fromEntries(packages.map(({ name, works }) => [name, works]));
};

describe.skipIf(process.platform === 'win32')('the package', { timeout: 15 * MINUTES }, () => {
  let packed: Packed;
  let project: string;

  beforeAll(async () => {
    packed = await pack(folder());
  }, 5 * MINUTES);

  it('holds the program, its data, ONNX Runtime and the documents, and nothing that was made on this machine', () => {
    const paths = packed.files.map(({ path }) => path);
    const kinds = [...new Set(paths.map((path) => path.split('/').slice(0, 2).join('/')))].sort();
    expect(kinds.filter((kind) => !/^(dist|docs)\//.test(kind))).toEqual([
      'LICENSE',
      'README.md',
      'data/backbones',
      'data/emoji',
      'data/engine-tfjs',
      'data/weights',
      'package.json',
    ]);
    const strange =
      /\.map$|\.tsx$|(?<!\.d)\.ts$|\.(png|jpe?g|arrow|tgz|log)$|(^|\/)\.(?!\w+\.md)|rendered|node_modules/;
    expect(paths.filter((path) => strange.test(path))).toEqual([]);
  });

  it('is as large as docs/install.md says', () => {
    const text = readFileSync(join(root, 'docs/install.md'), 'utf8');
    const [, size, unpacked] = /tarball has (\d+) MB, (\d+) MB unpacked/.exec(text)!;
    expect(Math.abs(packed.size / 1e6 - Number(size))).toBeLessThan(6);
    expect(Math.abs(packed.unpackedSize / 1e6 - Number(unpacked))).toBeLessThan(12);
  });

  it('brings ONNX Runtime for each platform, with its licences and no install script', () => {
    const native = packed.files.map(({ path }) => path).filter((path) => path.startsWith('dist/onnxruntime/bin/'));
    const platforms = [...new Set(native.map((path) => path.split('/').slice(4, 6).join(' ')))].sort();
    expect(platforms).toEqual(['darwin arm64', 'linux arm64', 'linux x64', 'win32 arm64', 'win32 x64']);
    expect(native.filter((path) => path.endsWith('onnxruntime_binding.node'))).toHaveLength(5);
    const manifest = JSON.parse(readFileSync(join(root, 'dist/onnxruntime/package.json'), 'utf8')) as object;
    expect(manifest).not.toHaveProperty('scripts');
    for (const name of ['LICENSE', 'ThirdPartyNotices.txt'])
      expect(packed.files.map(({ path }) => path)).toContain(`dist/onnxruntime/${name}`);
  });

  it('installs in an empty project, with install scripts, where no host but the registry is in reach', async () => {
    project = folder();
    await install(project, packed.tarball, ['npm']);
    expect(await permafrost(project, '--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(await doctor(project)).toMatchObject({ 'onnxruntime-node': true, sharp: true, koffi: true });
  });

  it('holds no path of the machine that packed it', () => {
    const texts = filesBelow(join(project, 'node_modules/permafrost')).filter((path) =>
      /\.(js|json|ts|html|css)$/.test(path),
    );
    expect(texts.length).toBeGreaterThan(500);
    const own = [root, homedir()].filter((path) => path.length > 5);
    expect(texts.filter((path) => own.some((name) => readFileSync(path, 'utf8').includes(name)))).toEqual([]);
  });

  it('is a library with types that compile strictly, and its package.json may be read', async () => {
    writeFileSync(
      join(project, 'use.mts'),
      `import { createEngine, openStore, vgg16 } from 'permafrost';
import own from 'permafrost/package.json' with { type: 'json' };
const engine = await createEngine('onnxruntime', {});
const name: string = engine.name;
console.log(name, own.version, typeof openStore, vgg16.name);\n`,
    );
    const strict = '--strict --skipLibCheck false --module nodenext --target es2023 --resolveJsonModule --types node';
    const roots = ['--typeRoots', join(root, 'node_modules/@types')];
    await output(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), ...strict.split(' '), ...roots, 'use.mts'],
      project,
    );
    expect(await output(process.execPath, ['use.mjs'], project)).toMatch(
      /^onnxruntime \d+\.\d+\.\d+ function vgg16\n$/,
    );
  });

  it('runs demo without development dependencies, in the current folder, and writes nothing into itself', async () => {
    const before = filesBelow(join(project, 'node_modules'));
    const flags = ['--engine', 'onnxruntime', '--precision', 'int8', '--no-report', '--json'];
    const { extracted, failed, heads, store } = JSON.parse(await permafrost(project, 'demo', ...flags)) as RunResult;
    expect({ extracted, failed }).toEqual({ extracted: 600, failed: [] });
    expect(heads[0]!.accuracy).toBeGreaterThan(0.8);
    expect(store.endsWith(join(project, 'permafrost-demo/emoji.permafrost'))).toBe(true);
    expect(filesBelow(join(project, 'permafrost-demo/emoji')).filter((path) => path.endsWith('.png'))).toHaveLength(
      600,
    );
    expect(filesBelow(join(project, 'node_modules'))).toEqual(before);
  });

  it('installs by npm 10 without install scripts; what is missing then says what to do, and the rest works', async () => {
    const other = folder();
    await install(other, packed.tarball, ['npx', '-y', 'npm@10', '--ignore-scripts']);
    expect(await doctor(other)).toEqual({ 'onnxruntime-node': true, sharp: true, koffi: true, 'hnswlib-node': false });
    const said = await permafrost(other, 'doctor');
    expect(said).toMatch(/hnswlib-node does not load: .*optional and compiled.*C\+\+ compiler/);
  });
});
