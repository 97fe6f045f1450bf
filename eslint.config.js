import stylistic from '@stylistic/eslint-plugin';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'node_modules/',
      'data/',
      'docs/examples/',
      '**/*.permafrost/',
      '.tmp/',
      'bench/results/',
      '**/.venv/',
      '.dependency-cruiser.cjs',
    ],
  },
  ...tseslint.configs.recommendedTypeChecked,
  {
    plugins: { '@stylistic': stylistic },
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] } } },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      // Prettier breaks code; messages may be as long as they are.
      '@stylistic/max-len': ['error', { code: 1000, comments: 120, ignoreUrls: true }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      'prefer-const': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  { files: ['bench/**', 'test/**'], rules: { 'no-console': 'off' } },
  // Benches, scripts, and what tests start as processes, are plain JavaScript, run as they lie; tsc checks their types
  // (@ts-check, JSDoc).
  {
    files: [
      'bench/**/*.mjs',
      'scripts/**/*.mjs',
      'test/**/*.mjs',
      'src/report/html/client.js',
      'src/serve/page/client.js',
    ],
    ...tseslint.configs.disableTypeChecked,
  },
);
