import { execFileSync } from 'node:child_process';

/** Brings dist/ up to date before the tests, because the command-line tests spawn the built program. */
export default function buildOnce(): void {
  execFileSync(process.execPath, ['scripts/build.mjs', '--if-stale'], {
    stdio: 'inherit',
    env: { ...process.env, NODE_ENV: '' },
  });
}
