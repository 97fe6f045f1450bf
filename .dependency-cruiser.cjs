// The direction of imports (docs/architecture.md):
// core <- {extract, store, classify} <- results <- {workflows, report} <- {studio, serve, index.ts} <- cli.
// core <- http <- {studio, serve}.
const onlyImporter = (name, file, packages) => ({
  name: `${name}-has-one-importer`,
  comment: `Each native or heavy package has one importing file: ${file} alone imports ${name}.`,
  severity: 'error',
  from: { path: '^src/', pathNot: `^src/${file}$` },
  to: { path: packages ?? `node_modules/${name}/` },
});

/**
 * The floors of a room, the lowest first: a folder imports from lower floors, not from its own floor's other folders,
 * nor from higher ones. Files that lie in the room itself are for all of its folders.
 */
const floors = (room, ...levels) =>
  levels.flatMap((folders, level) =>
    folders.flatMap((folder) => {
      const others = [...folders.filter((other) => other !== folder), ...levels.slice(level + 1).flat()];
      return others.length === 0
        ? []
        : [
            {
              name: `${room}-${folder}-looks-down`,
              severity: 'error',
              from: { path: `^src/${room}/${folder}/` },
              to: { path: `^src/${room}/(${others.join('|')})/` },
            },
          ];
    }),
  );

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'not-resolvable',
      comment: 'The packages of tfjs are optional peers, which need not be installed.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^@tensorflow/' },
    },
    {
      name: 'core-imports-nothing',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { path: '^src/', pathNot: '^src/core/' },
    },
    {
      name: 'pillars-never-meet',
      severity: 'error',
      from: { path: '^src/(extract|store|classify)/' },
      to: { path: '^src/', pathNot: ['^src/core/', '^src/$1/'] },
    },
    {
      name: 'results-are-types-of-what-is-below',
      severity: 'error',
      from: { path: '^src/results/' },
      to: { path: '^src/', pathNot: '^src/(core|extract|store|classify|results)/' },
    },
    {
      name: 'the-report-is-pure',
      comment: 'It turns results into text and pages; of the pillars it may use what results are made of, as types.',
      severity: 'error',
      from: { path: '^src/report/' },
      to: { path: '^src/', pathNot: '^src/(core|results|report)/' },
    },
    {
      name: 'workflows-look-down',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: { path: '^src/(cli|studio|serve|report)/' },
    },
    {
      name: 'nothing-imports-the-top',
      severity: 'error',
      from: { path: '^src/(?!cli/)' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'what-lies-in-no-room-is-for-users',
      comment: 'index.ts and solvers.ts are the library; only the command line uses write-report.ts too.',
      severity: 'error',
      from: { path: '^src/(?!cli/)[^/]+/' },
      to: { path: '^src/[^/]+$' },
    },
    {
      name: 'only-the-command-line-and-the-library-start-the-studio',
      severity: 'error',
      from: { path: '^src/(?!cli/|studio/|index\\.ts$)' },
      to: { path: '^src/studio/' },
    },
    {
      name: 'only-the-command-line-and-the-library-serve',
      severity: 'error',
      from: { path: '^src/(?!cli/|serve/|index\\.ts$)' },
      to: { path: '^src/serve/' },
    },
    {
      name: 'the-service-asks-a-classifier',
      comment: 'It knows no features and no stores; its page has the colours of the report.',
      severity: 'error',
      from: { path: '^src/serve/' },
      to: { path: '^src/', pathNot: '^src/(core|http|results|workflows|report/html/tokens\\.ts$|serve)' },
    },
    {
      name: 'http-knows-only-the-core',
      severity: 'error',
      from: { path: '^src/http/' },
      to: { path: '^src/', pathNot: '^src/(core|http)/' },
    },
    {
      name: 'the-server-asks-what-is-live',
      severity: 'error',
      from: { path: '^src/studio/server/' },
      to: { path: '^src/(cli|extract|store|classify)/' },
    },
    {
      name: 'the-page-runs-in-a-browser',
      comment: 'It shares the API and its types with the server, and shapes with the report.',
      severity: 'error',
      from: { path: '^src/studio/page/' },
      to: {
        path: '^src/',
        pathNot: '^src/((core|results|report/html|studio/page|studio/api)/|report/printable\\.ts$)',
      },
    },
    {
      name: 'the-exported-page-runs-in-a-browser',
      comment: 'It shares what is told to it of a head, and the resize of pixels, which needs no Node.',
      severity: 'error',
      from: { path: '^src/workflows/export/web/page/' },
      to: {
        path: '^src/',
        pathNot:
          '^src/(workflows/export/web/(page/|web-model\\.ts$)|core/contract\\.ts$|extract/image/(resample|geometry)\\.ts$)',
      },
    },
    ...floors('store', ['format'], ['read'], ['write'], ['care']),
    ...floors(
      'classify',
      ['linalg'],
      ['evaluate', 'copies'],
      ['solvers', 'neighbors', 'covariance'],
      ['network', 'kernels'],
      ['out-of-fold'],
      ['heads'],
      ['cross-validation'],
      ['novelty'],
      ['onnx'],
    ),
    ...floors(
      'extract',
      ['isolated'],
      ['archives', 'contracts'],
      ['source'],
      ['image', 'backbones'],
      ['onnx'],
      ['dataset', 'weights', 'graph'],
      ['engines'],
    ),
    ...floors(
      'workflows',
      ['network'],
      ['train', 'engines', 'backbone'],
      ['extract', 'sweep', 'search', 'check'],
      ['finetune', 'machines'],
      ['strategies'],
      ['run', 'care'],
      ['classifier'],
      ['predict', 'report', 'export'],
    ),
    ...floors('studio', ['api'], ['live', 'page'], ['server']),
    {
      name: 'hono-is-for-servers',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(studio|serve|http)/' },
      to: { path: 'node_modules/(hono|@hono)/' },
    },
    {
      name: 'preact-is-the-page-s',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/studio/page/' },
      to: { path: 'node_modules/preact/' },
    },
    onlyImporter('onnxruntime-node', 'core/onnxruntime\\.ts'),
    onlyImporter('koffi', 'extract/engines/openvino/c-api\\.ts'),
    onlyImporter('protobufjs', 'core/onnx-model\\.ts'),
    onlyImporter('@aws-sdk/client-s3', 'extract/source/s3/s3-client\\.ts'),
    onlyImporter('sharp', 'extract/image/sharp\\.ts'),
    onlyImporter('h5wasm', 'extract/weights/keras-h5\\.ts'),
    onlyImporter(
      'hyparquet',
      'core/table/parquet-packages\\.ts',
      '(^|node_modules/)hyparquet(-compressors|-writer)?(/|$)',
    ),
    onlyImporter('apache-arrow', 'store/format/arrow-file\\.ts'),
    onlyImporter('hnswlib-node', 'classify/neighbors/hnsw-graph\\.ts'),
    onlyImporter('tfjs', 'extract/engines/tfjs/runtime\\.ts', '(^|node_modules/)@tensorflow/'),
    onlyImporter('ml-logistic-regression', 'classify/heads/ml-logistic\\.ts'),
    onlyImporter('umap-js', 'classify/neighbors/umap\\.ts'),
    onlyImporter('d3-scale', 'report/html/scale\\.ts', 'node_modules/(@types/)?d3-scale/'),
    onlyImporter('d3-shape', 'report/html/shapes\\.ts', 'node_modules/(@types/)?d3-shape/'),
    onlyImporter('bullmq', 'workflows/machines/queue/packages\\.ts'),
    onlyImporter('ioredis', 'workflows/machines/queue/packages\\.ts'),
    onlyImporter('commander', 'cli/program\\.ts'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
