#!/usr/bin/env node
import { fewOpenFiles } from './open-files.ts';

try {
  await import('./command-line.ts');
} catch (error) {
  // The program itself is some hundred files, which Node opens many at a time.
  const few = fewOpenFiles(error);
  if (few === undefined) throw error;
  process.stderr.write(`permafrost: ${few} [PACKAGE_MISSING]\n`);
  process.exitCode = 1;
}
