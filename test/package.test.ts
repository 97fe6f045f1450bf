import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../', import.meta.url);
const json = (name: string): unknown => JSON.parse(readFileSync(new URL(name, root), 'utf8'));

describe('npm ci', () => {
  // It would fetch CUDA libraries from a host that need not be in reach, and fail the whole installation.
  it('leaves the install script of onnxruntime-node alone, in npm 10 as in npm 11', () => {
    const { allowScripts } = json('package.json') as { allowScripts: Record<string, boolean> };
    expect(allowScripts['onnxruntime-node']).toBe(false);
    const { packages } = json('package-lock.json') as { packages: Record<string, object> };
    const locked = packages['node_modules/onnxruntime-node'];
    // npm 10 knows no allowScripts. It runs scripts of packages of which the lock file says that they have some.
    expect(locked, 'remove the line again after an update of onnxruntime-node').not.toHaveProperty('hasInstallScript');
  });

  it('builds, and the first npx of a clone does not build again', () => {
    const built = new URL('dist/index.js', root);
    const { mtimeMs } = statSync(built);
    const { scripts } = json('package.json') as { scripts: Record<string, string> };
    expect(scripts.prepare).toBe('node scripts/build.mjs --if-stale');
    execFileSync(process.execPath, ['scripts/build.mjs', '--if-stale'], { cwd: root });
    expect(statSync(built).mtimeMs).toBe(mtimeMs);
  });
});
