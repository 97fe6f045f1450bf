// The direction of imports (docs/architecture.md): core <- {extract, store, classify, report} <- workflows <- {index.ts, cli, studio}.
const onlyImporter = (name, file, packages) => ({
  name: `${name}-has-one-importer`,
  comment: `Each native or heavy package has one importing file: ${file} alone imports ${name}.`,
  severity: 'error',
  from: { path: '^src/', pathNot: `^src/${file}$` },
  to: { path: packages ?? `node_modules/${name}/` },
});

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
      from: { path: '^src/(extract|store|classify|report)/' },
      to: { path: '^src/', pathNot: ['^src/core/', '^src/$1/'] },
    },
    {
      name: 'workflows-look-down',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: { path: '^src/(cli|studio|report)/|^src/index\\.ts$' },
    },
    {
      name: 'nothing-imports-the-top',
      severity: 'error',
      from: { path: '^src/(?!cli/)' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'the-studio-asks-workflows',
      severity: 'error',
      from: { path: '^src/studio/' },
      to: { path: '^src/(cli|extract|store|classify)/|^src/index\\.ts$' },
    },
    {
      name: 'only-the-command-line-starts-the-studio',
      severity: 'error',
      from: { path: '^src/(?!cli/|studio/)' },
      to: { path: '^src/studio/' },
    },
    {
      name: 'the-page-runs-in-a-browser',
      comment: 'It shares the API and its types with the server, and shapes with the report.',
      severity: 'error',
      from: { path: '^src/studio/page/' },
      to: { path: '^src/', pathNot: '^src/(core|report/html|studio/page)/|^src/studio/api\\.ts$' },
    },
    {
      name: 'hono-is-the-studio-s',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/studio/' },
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
    onlyImporter('sharp', 'extract/sharp\\.ts'),
    onlyImporter('h5wasm', 'extract/weights/keras-h5\\.ts'),
    onlyImporter('apache-arrow', 'store/shard\\.ts'),
    onlyImporter('hnswlib-node', 'classify/neighbors/hnsw-graph\\.ts'),
    onlyImporter('tfjs', 'extract/engines/tfjs/runtime\\.ts', '(^|node_modules/)@tensorflow/'),
    onlyImporter('ml-logistic-regression', 'classify/heads/ml-logistic\\.ts'),
    onlyImporter('umap-js', 'classify/umap\\.ts'),
    onlyImporter('d3-scale', 'report/html/scale\\.ts', 'node_modules/(@types/)?d3-scale/'),
    onlyImporter('d3-shape', 'report/html/shapes\\.ts', 'node_modules/(@types/)?d3-shape/'),
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
