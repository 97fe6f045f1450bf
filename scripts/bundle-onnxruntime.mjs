// @ts-check
/*
 * Puts ONNX Runtime's binding into dist/onnxruntime, which the package carries. As a dependency, onnxruntime-node would
 * run an install script that fetches CUDA libraries from a NuGet host on every Linux x64: hundreds of megabytes, or no
 * installation at all where that host is out of reach. Its own switches count in the user's project only.
 */
import { copyFileSync, cpSync, linkSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Left out: what Direct3D needs, under licences of its own and 60 MB; those who want it name a whole package
 * (PERMAFROST_ONNXRUNTIME). CUDA's libraries, where a developer fetched them. A second copy of macOS's library under a
 * name that nothing asks for: the binding and the library itself say libonnxruntime.1.dylib.
 */
const LEFT_OUT = /^(DirectML|dxcompiler|dxil)\.dll$|_providers_|^libonnxruntime\.\d+\.\d+\.\d+\.dylib$/;

/**
 * A second name for the same bytes where the file system can, as the libraries take 150 MB.
 * @param {string} from
 * @param {string} to
 */
function link(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

/**
 * Makes `to` a package like onnxruntime-node, without scripts: `require` of the folder gives its API.
 * @param {string} from the installed package
 * @param {string} to
 */
export function bundleOnnxRuntime(from, to) {
  rmSync(to, { recursive: true, force: true });
  const { name, version, license, main, repository } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
  const native = /** @type {string[]} */ (readdirSync(join(from, 'bin'), { recursive: true }))
    .filter((path) => /\.(node|dll|dylib|so(\.\d+)*)$/.test(path))
    .filter((path) => !LEFT_OUT.test(path.replace(/^.*[\\/]/, '')));
  for (const path of native) link(join(from, 'bin', path), join(to, 'bin', path));
  // Its own copy of the API beside it: the API keeps a list of backends, and another onnxruntime-node in the user's
  // process enters the same names.
  mkdirSync(join(to, 'dist'), { recursive: true });
  for (const file of readdirSync(join(from, 'dist')).filter((path) => path.endsWith('.js'))) {
    const text = readFileSync(join(from, 'dist', file), 'utf8');
    writeFileSync(join(to, 'dist', file), text.replaceAll('require("onnxruntime-common")', 'require("../common")'));
  }
  const api = createRequire(join(process.cwd(), from, 'package.json')).resolve('onnxruntime-common');
  for (const file of readdirSync(dirname(api)).filter((path) => path.endsWith('.js')))
    cpSync(join(dirname(api), file), join(to, 'common', file));
  for (const file of ['LICENSE', 'ThirdPartyNotices.txt']) cpSync(join('data/onnxruntime', file), join(to, file));
  writeFileSync(join(to, 'package.json'), JSON.stringify({ name, version, license, main, repository }, null, 2));
}

/** What a page needs to compute without a GPU, under names whose types every web server knows. */
const WEB_FILES = {
  'ort.wasm.min.mjs': 'ort.js',
  'ort-wasm-simd-threaded.mjs': 'ort-wasm.js',
  'ort-wasm-simd-threaded.wasm': 'ort.wasm',
};

/**
 * Puts what of onnxruntime-web a page needs into `to`: 14 MB of its 140, so that the package carries it and nobody has
 * to install it.
 * @param {string} from the installed package
 * @param {string} to
 */
export function bundleOnnxRuntimeWeb(from, to) {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  // The map that the first one names stays behind.
  for (const [file, name] of Object.entries(WEB_FILES)) {
    const bytes = readFileSync(join(from, 'dist', file));
    writeFileSync(
      join(to, name),
      name.endsWith('.js') ? bytes.toString().replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n') : bytes,
    );
  }
  for (const file of ['LICENSE', 'ThirdPartyNotices.txt'])
    cpSync(join('data/onnxruntime', file), join(to, `${file.replace(/\.txt$/, '')}.txt`));
}
