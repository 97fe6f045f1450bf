import { execFileSync } from 'node:child_process';

/** Builds dist/ once before the tests, because the command-line tests spawn the built program. */
export default function buildOnce(): void {
  const node = (...args: string[]): void =>
    void execFileSync(process.execPath, args, { stdio: 'inherit', env: { ...process.env, NODE_ENV: '' } });
  node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json');
  node('node_modules/vite/bin/vite.js', 'build', '--config', 'vite.studio.config.ts', '--logLevel', 'warn');
}
