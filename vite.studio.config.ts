import { defineConfig } from 'vite';

// The studio's page, built beside the compiled server that serves it (src/studio/page-files.ts).
export default defineConfig({
  root: 'src/studio/page',
  publicDir: false,
  // The page is below a path that is another one each time.
  base: './',
  build: {
    outDir: '../../../dist/studio/page',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    // The page's policy allows no data: styles or scripts.
    assetsInlineLimit: 0,
  },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
});
