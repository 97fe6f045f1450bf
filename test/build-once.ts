import { execFileSync } from 'node:child_process';

/** Builds dist/ once before the tests, because the command-line tests spawn the built program. */
export default function buildOnce(): void {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    stdio: 'inherit',
  });
}
