import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const page = (name: string): string => fileURLToPath(new URL(`src/workflows/export/web/page/${name}`, import.meta.url));

// The page that `export --web` copies, built beside the code that copies it (src/workflows/export/web/page-files.ts).
export default defineConfig({
  root: 'src/workflows/export/web/page',
  base: './',
  publicDir: false,
  build: {
    outDir: '../../../../../dist/workflows/export/web/page',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    // The page's policy allows no data: styles or scripts.
    assetsInlineLimit: 0,
    // Whoever is given the folder may read and change it; names without digests, for other pages import classifier.js.
    minify: false,
    rollupOptions: {
      input: ['index.html', 'classifier.ts', 'worker.ts', 'service-worker.ts'].map(page),
      preserveEntrySignatures: 'strict',
      output: {
        entryFileNames: ({ name }) => `${name === 'index' ? 'main' : name}.js`,
        chunkFileNames: '[name].js',
        assetFileNames: ({ names }) => (names[0]?.endsWith('.css') === true ? 'style.css' : '[name][extname]'),
      },
    },
  },
});
