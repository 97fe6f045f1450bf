import { createRequire } from 'node:module';
import { cruise, type ICruiseResult, type IForbiddenRuleType } from 'dependency-cruiser';
import { describe, expect, it } from 'vitest';
import { temporaryFolders, writeTree } from './support/folders.ts';

const { forbidden } = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as {
  readonly forbidden: readonly IForbiddenRuleType[];
};
const folder = temporaryFolders();

/** For each rule an import that it forbids: the file that imports, below src/, and what it names. */
const BREACHES: Readonly<Record<string, readonly [from: string, to: string]>> = {
  'no-circular': ['core/a.ts', './a.ts'],
  'not-resolvable': ['core/a.ts', './nowhere.ts'],
  'core-imports-nothing': ['core/a.ts', '../store/b.ts'],
  'pillars-never-meet': ['store/a.ts', '../extract/b.ts'],
  'results-are-types-of-what-is-below': ['results/a.ts', '../workflows/b.ts'],
  'the-report-is-pure': ['report/a.ts', '../workflows/b.ts'],
  'workflows-look-down': ['workflows/a.ts', '../report/b.ts'],
  'nothing-imports-the-top': ['workflows/a.ts', '../cli/b.ts'],
  'what-lies-in-no-room-is-for-users': ['workflows/a.ts', '../b.ts'],
  'only-the-command-line-and-the-library-start-the-studio': ['report/a.ts', '../studio/b.ts'],
  'only-the-command-line-and-the-library-serve': ['report/a.ts', '../serve/b.ts'],
  'the-service-asks-a-classifier': ['serve/a.ts', '../store/b.ts'],
  'http-knows-only-the-core': ['http/a.ts', '../results/b.ts'],
  'the-server-asks-what-is-live': ['studio/server/a.ts', '../../store/b.ts'],
  'the-page-runs-in-a-browser': ['studio/page/a.ts', '../../workflows/b.ts'],
  'the-exported-page-runs-in-a-browser': ['workflows/export/web/page/a.ts', '../../../b.ts'],
  'hono-is-for-servers': ['workflows/a.ts', 'hono'],
  'preact-is-the-page-s': ['report/a.ts', 'preact'],
  'store-format-looks-down': ['store/format/a.ts', '../read/b.ts'],
  'store-read-looks-down': ['store/read/a.ts', '../write/b.ts'],
  'store-write-looks-down': ['store/write/a.ts', '../care/b.ts'],
  'classify-linalg-looks-down': ['classify/linalg/a.ts', '../solvers/b.ts'],
  'classify-evaluate-looks-down': ['classify/evaluate/a.ts', '../neighbors/b.ts'],
  'classify-copies-looks-down': ['classify/copies/a.ts', '../evaluate/b.ts'],
  'classify-solvers-looks-down': ['classify/solvers/a.ts', '../neighbors/b.ts'],
  'classify-covariance-looks-down': ['classify/covariance/a.ts', '../solvers/b.ts'],
  'classify-neighbors-looks-down': ['classify/neighbors/a.ts', '../solvers/b.ts'],
  'classify-network-looks-down': ['classify/network/a.ts', '../heads/b.ts'],
  'classify-kernels-looks-down': ['classify/kernels/a.ts', '../heads/b.ts'],
  'classify-heads-looks-down': ['classify/heads/a.ts', '../novelty/b.ts'],
  'classify-out-of-fold-looks-down': ['classify/out-of-fold/a.ts', '../cross-validation/b.ts'],
  'classify-cross-validation-looks-down': ['classify/cross-validation/a.ts', '../novelty/b.ts'],
  'classify-novelty-looks-down': ['classify/novelty/a.ts', '../onnx/b.ts'],
  'extract-isolated-looks-down': ['extract/isolated/a.ts', '../archives/b.ts'],
  'extract-archives-looks-down': ['extract/archives/a.ts', '../source/b.ts'],
  'extract-source-looks-down': ['extract/source/a.ts', '../image/b.ts'],
  'extract-contracts-looks-down': ['extract/contracts/a.ts', '../image/b.ts'],
  'extract-onnx-looks-down': ['extract/onnx/a.ts', '../engines/b.ts'],
  'extract-image-looks-down': ['extract/image/a.ts', '../dataset/b.ts'],
  'extract-backbones-looks-down': ['extract/backbones/a.ts', '../image/b.ts'],
  'extract-dataset-looks-down': ['extract/dataset/a.ts', '../engines/b.ts'],
  'extract-weights-looks-down': ['extract/weights/a.ts', '../graph/b.ts'],
  'extract-graph-looks-down': ['extract/graph/a.ts', '../weights/b.ts'],
  'workflows-network-looks-down': ['workflows/network/a.ts', '../train/b.ts'],
  'workflows-train-looks-down': ['workflows/train/a.ts', '../sweep/b.ts'],
  'workflows-engines-looks-down': ['workflows/engines/a.ts', '../train/b.ts'],
  'workflows-backbone-looks-down': ['workflows/backbone/a.ts', '../extract/b.ts'],
  'workflows-extract-looks-down': ['workflows/extract/a.ts', '../search/b.ts'],
  'workflows-sweep-looks-down': ['workflows/sweep/a.ts', '../run/b.ts'],
  'workflows-search-looks-down': ['workflows/search/a.ts', '../sweep/b.ts'],
  'workflows-check-looks-down': ['workflows/check/a.ts', '../care/b.ts'],
  'workflows-finetune-looks-down': ['workflows/finetune/a.ts', '../run/b.ts'],
  'workflows-export-looks-down': ['workflows/export/a.ts', '../report/b.ts'],
  'workflows-machines-looks-down': ['workflows/machines/a.ts', '../finetune/b.ts'],
  'workflows-strategies-looks-down': ['workflows/strategies/a.ts', '../run/b.ts'],
  'workflows-run-looks-down': ['workflows/run/a.ts', '../care/b.ts'],
  'workflows-care-looks-down': ['workflows/care/a.ts', '../report/b.ts'],
  'workflows-classifier-looks-down': ['workflows/classifier/a.ts', '../predict/b.ts'],
  'workflows-predict-looks-down': ['workflows/predict/a.ts', '../report/b.ts'],
  'workflows-report-looks-down': ['workflows/report/a.ts', '../predict/b.ts'],
  'studio-api-looks-down': ['studio/api/a.ts', '../live/b.ts'],
  'studio-live-looks-down': ['studio/live/a.ts', '../server/b.ts'],
  'studio-page-looks-down': ['studio/page/a.ts', '../live/b.ts'],
};

const ONE_IMPORTER = '-has-one-importer';

async function broken(from: string, to: string): Promise<string[]> {
  const root = folder();
  const target = to.startsWith('.') ? new URL(to, `file:///src/${from}`).pathname.slice(1) : undefined;
  writeTree(root, {
    ...(target === undefined || to.includes('nowhere') ? {} : { [target]: 'export {};\n' }),
    ...(target === undefined && {
      [`node_modules/${to}/package.json`]: JSON.stringify({ name: to, main: 'index.js' }),
      [`node_modules/${to}/index.js`]: 'module.exports = {};\n',
    }),
    [`src/${from}`]: `import '${to}';\n`,
    'tsconfig.json': '{ "compilerOptions": { "module": "nodenext", "moduleResolution": "nodenext" } }',
  });
  const { output } = await cruise(['src'], {
    baseDir: root,
    validate: true,
    ruleSet: { forbidden: [...forbidden] },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  });
  return (output as ICruiseResult).summary.violations.map(({ rule }) => rule.name);
}

describe('each rule for imports can fail', () => {
  const [importers, directions] = [true, false].map((isImporter) =>
    forbidden.filter(({ name }) => name!.endsWith(ONE_IMPORTER) === isImporter),
  ) as [IForbiddenRuleType[], IForbiddenRuleType[]];

  it('has a breach for each rule that forbids something', () => {
    const expected = directions.map(({ name }) => name!);
    expect(Object.keys(BREACHES).sort()).toEqual(expected.sort());
  });

  it.each(Object.entries(BREACHES))('%s', async (name, [from, to]) => {
    expect(await broken(from, to)).toContain(name);
  });

  it.each(importers.map(({ name }) => name!))('%s', async (name) => {
    const asked = name.slice(0, -ONE_IMPORTER.length);
    expect(await broken('core/elsewhere.ts', asked === 'tfjs' ? '@tensorflow/tfjs' : asked)).toContain(name);
  });
});
