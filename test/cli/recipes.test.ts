import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { parseArguments } from '../../src/cli/program.ts';

const folder = new URL('../../docs/recipes/', import.meta.url);
const page = readFileSync(new URL('../../docs/recipes.md', import.meta.url), 'utf8');
const files = readdirSync(folder);
const ending = (name: string): string[] => files.filter((file) => file.endsWith(name));
const text = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

/** All texts in a parsed document. */
const textsIn = (value: unknown): string[] =>
  typeof value === 'string' ? [value] : typeof value === 'object' && value ? Object.values(value).flatMap(textsIn) : [];

/** The documents of a file of YAML; throws where it is none. */
function documentsOf(name: string): unknown[] {
  return parseAllDocuments(text(name)).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as unknown;
  });
}

/** What a shell would run of a file, or what it tells people to run. */
function scriptOf(name: string): string {
  if (name.endsWith('.json')) return textsIn(JSON.parse(text(name))).join('\n');
  // Comments of YAML and of a shell hold commands too.
  const comments = text(name).replaceAll(/^# ?/gm, '');
  return name.endsWith('.yaml') ? [comments, ...documentsOf(name).flatMap(textsIn)].join('\n') : comments;
}

/** The arguments of each call of permafrost, variables of the shell replaced by something. */
function callsIn(script: string): string[][] {
  const plain = script
    .replaceAll('\\\n', ' ')
    .replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')
    .replaceAll(/\$\{[^}]*\}|\$\(\([^)]*\)\)|\$\w+/g, '1');
  return [...plain.matchAll(/(?:^|[\s'"])permafrost ((?:[a-z]+) [^\n;&|#'`]*)/g)]
    .map(([, line]) => line!.split(/ {2,}\(| {3,}/)[0]!)
    .filter((line) => COMMANDS.some(({ name }) => line.startsWith(`${name} `)))
    .map((line) => line.split(/\s+/).map((word) => word.replaceAll(/["']/g, '')).filter((word) => word !== ''));
}

describe('the recipes', () => {
  it.each(ending('.sh'))('%s is a script that bash reads', (name) => {
    execFileSync('bash', ['-n', fileURLToPath(new URL(name, folder))], { stdio: 'pipe' });
  });

  it.each(files)('%s calls permafrost with flags that there are', (name) => {
    const calls = callsIn(scriptOf(name));
    for (const call of calls) {
      const request = parseArguments(call, COMMANDS, '0.0.0');
      expect({ call, request }).toMatchObject({ request: { kind: 'run' } });
    }
    if (/\.(sh|service)$|kubernetes|definition/.test(name)) expect(calls.length).toBeGreaterThan(0);
  });

  it('of the page call permafrost with flags that there are', () => {
    const blocks = [...page.matchAll(/```\w*\n([^]*?)```/g)].map(([, block]) => block!);
    const calls = callsIn(blocks.join('\n'));
    expect(calls.length).toBeGreaterThan(3);
    for (const call of calls) expect(parseArguments(call, COMMANDS, '0.0.0')).toMatchObject({ kind: 'run' });
  });

  it('are those that the page explains, and no other', () => {
    const named = [...page.matchAll(/\]\(recipes\/([\w.-]+)\)/g)].map(([, name]) => name!);
    expect([...new Set(named)].sort()).toEqual(files.sort());
  });

  it('for Kubernetes are jobs: as many completions as parts, each part with failures of its own', () => {
    const jobs = documentsOf('kubernetes.yaml') as { kind: string; spec: Record<string, unknown> }[];
    expect(jobs.map(({ kind }) => kind)).toEqual(['Job', 'Job', 'Job']);
    const [plan, extract] = jobs;
    const [, parts] = /--parts (\d+)/.exec(textsIn(plan).join('\n'))!;
    expect(extract!.spec).toMatchObject({ completionMode: 'Indexed', completions: Number(parts) });
    expect(extract!.spec.backoffLimitPerIndex).toBeGreaterThan(0);
    // Kubernetes refuses backoffLimitPerIndex with any other.
    expect(extract!.spec).toMatchObject({ template: { spec: { restartPolicy: 'Never' } } });
  });

  it('for AWS Batch are an array of a size that it takes', () => {
    const { arrayProperties } = JSON.parse(text('aws-batch-array.json')) as { arrayProperties: { size: number } };
    expect(arrayProperties.size).toBeGreaterThanOrEqual(2);
    expect(arrayProperties.size).toBeLessThanOrEqual(10_000);
    const { retryStrategy } = JSON.parse(text('aws-batch-definition.json')) as {
      retryStrategy: { attempts: number; evaluateOnExit: unknown[] };
    };
    expect(retryStrategy.attempts).toBeLessThanOrEqual(10);
    expect(retryStrategy.evaluateOnExit.length).toBeLessThanOrEqual(5);
  });
});
