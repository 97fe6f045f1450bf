import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What Python is called, in the order of trying; Windows has no python3. */
export const PYTHONS: readonly string[] =
  process.platform === 'win32' ? ['python', 'py'] : ['python3', 'python'];

const TIMEOUT_MS = 10_000;

/** Finds the package without importing it, which would take a second. */
const FIND_OPENVINO = `
import importlib.util, os
spec = importlib.util.find_spec("openvino")
for folder in (spec.submodule_search_locations or []) if spec else []:
    print(os.path.join(folder, "libs"))
    break
`;

/**
 * The libs folder of the pip package openvino of the Python on PATH, or undefined where there is no Python, no such package, or no
 * answer within ten seconds.
 */
export async function pipOpenVino(pythons: readonly string[] = PYTHONS): Promise<string | undefined> {
  for (const python of pythons) {
    try {
      const { stdout } = await promisify(execFile)(python, ['-c', FIND_OPENVINO], { timeout: TIMEOUT_MS });
      return stdout.trim() || undefined;
    } catch {
      // No such program, or it fails or hangs: the next name may do, and none means that pip has nothing to offer.
      continue;
    }
  }
  return undefined;
}
