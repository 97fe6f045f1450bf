import { chmod, copyFile, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { sha256Hex } from '../../../core/digest.ts';
import { PermafrostError } from '../../../core/errors.ts';
import { resolveOptions, without } from '../../../core/options.ts';
import { stageFolder } from '../../../extract/engines/staged-folder.ts';
import type { ExportOnnxResult, ExportWebResult } from '../../../results/export-result.ts';
import { headNetworks } from '../../../store/read/heads/head-file.ts';
import { openHead } from '../../train/files/head-files.ts';
import { VERSION } from '../../version.ts';
import type { Work } from '../../work.ts';
import { exportOnnx } from '../onnx.ts';
import { EXPORT_WEB_OPTIONS, type ExportWebOptions } from './options.ts';
import { MODEL_JSON, requireOwnFolder, WEB_FORMAT } from './own-folder.ts';
import { packageFiles, type PackageFile } from './page-files.ts';
import type { WebModel } from './web-model.ts';

const SERVICE_WORKER = 'service-worker.js';
/** Classes that a title names. */
const NAMED = 4;

function titleOf(classes: readonly string[]): string {
  if (classes.length <= NAMED) return classes.join(', ');
  return `${classes.slice(0, NAMED - 1).join(', ')} and ${classes.length - NAMED + 1} more`;
}

/** What the page has to know of the head in `headFile`. */
async function webModel(
  headFile: string,
  title: string,
  file: string,
  { bytes, sha256 }: ExportOnnxResult,
): Promise<WebModel> {
  const { head, document, reject } = await openHead(headFile);
  const networks = headNetworks(document);
  const [first, ...others] = networks;
  return {
    format: WEB_FORMAT,
    version: 1,
    title: title === '' ? titleOf(head.classes) : title,
    file,
    bytes,
    sha256,
    classes: head.classes,
    head: head.name,
    backbone: networks.map(({ settings, network }) => network?.name ?? settings.backbone).join(' + '),
    contracts: [first.settings.contract, ...others.map(({ settings }) => settings.contract)],
    unusual: reject === undefined ? null : { measure: reject.measure, threshold: reject.threshold, rate: reject.rate },
    permafrost: VERSION,
  };
}

async function copy(files: readonly PackageFile[], folder: string): Promise<void> {
  for (const { from, name } of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await copyFile(from, join(folder, name));
  }
}

/** Writes in front of the service worker which files it keeps, and a digest of them all: another export is another. */
async function writeServiceWorker(folder: string, names: readonly string[]): Promise<void> {
  const script = join(folder, SERVICE_WORKER);
  const text = await readFile(script, 'utf8');
  const digests: string[] = [];
  for (const name of names) digests.push(`${name} ${sha256Hex(await readFile(join(folder, name)))}`);
  const exported = { digest: sha256Hex(digests.join('\n')).slice(0, 16), files: names };
  await writeFile(script, `const EXPORTED = ${JSON.stringify(exported)};\n${text}`);
}

async function sizeOf(folder: string, names: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const name of names) bytes += (await stat(join(folder, name))).size;
  return bytes;
}

/**
 * Writes a folder that any web server can serve: a page that classifies images in the browser, the head as an ONNX
 * file, checked as exportOnnx does it, and what runs it. It is there whole or not at all; a folder that an export wrote
 * before is replaced. Throws what exportOnnx throws; STORE_WRITE for a folder that holds something else;
 * PACKAGE_MISSING.
 */
export async function exportWeb(
  headFile: string,
  given: Partial<ExportWebOptions>,
  work: Work = {},
): Promise<ExportWebResult> {
  const options = resolveOptions('export --web', EXPORT_WEB_OPTIONS, given);
  if (options.web === '')
    throw new PermafrostError('OPTION_INVALID', 'export: no folder is named. Give --web DIR, such as site.');
  const folder = resolve(options.web);
  await requireOwnFolder(folder);
  const { page, runtime } = await packageFiles();
  let result: ExportWebResult | undefined;
  const fill = async (staging: string): Promise<void> => {
    const draft = join(staging, 'model.onnx');
    const onnx = await exportOnnx(headFile, { ...without(options, 'web', 'title'), onnx: draft }, work);
    // Named by its digest: the classes in model.json never meet the model of another export, whatever is cached.
    const file = `model-${onnx.sha256.slice(0, 8)}.onnx`;
    await rename(draft, join(staging, file));
    const model = await webModel(headFile, options.title, file, onnx);
    await writeFile(join(staging, MODEL_JSON), `${JSON.stringify(model, null, 1)}\n`);
    await copy([...page, ...runtime], staging);
    const licences = runtime.filter(({ name }) => name.endsWith('.txt'));
    // Licences go along, but no page loads them.
    const loaded = [...page, ...runtime]
      .filter((one) => one.name !== SERVICE_WORKER && !licences.includes(one))
      .map(({ name }) => name);
    await writeServiceWorker(staging, [...loaded, MODEL_JSON, file]);
    const download = [...loaded, MODEL_JSON, file, SERVICE_WORKER];
    result = {
      folder,
      title: model.title,
      bytes: await sizeOf(staging, download),
      runtimeBytes: await sizeOf(
        staging,
        loaded.filter((name) => name.startsWith('runtime/')),
      ),
      files: download.length + licences.length,
      unusual: model.unusual,
      model: { ...onnx, file: join(folder, file) },
    };
    // The staging folder is this user's alone; a web server is another.
    await chmod(staging, 0o777 & ~process.umask());
  };
  const advice = 'Make room or give permission, or name another folder.';
  await stageFolder(folder, fill, 'STORE_WRITE', advice);
  return result!;
}
