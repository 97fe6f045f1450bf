// An Electron app that says what is on a dropped image:
//   npm install electron permafrost
//   npx electron main.mjs HEAD-OR-STORE
// Not run in Electron yet: the tests run what answers pages (classifier.mjs) in plain Node.
import { fileURLToPath } from 'node:url';
import { app, BrowserWindow, ipcMain } from 'electron';
import { answerPages } from './classifier.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

await app.whenReady();
const close = await answerPages(ipcMain, process.argv.at(-1));
const window = new BrowserWindow({ webPreferences: { preload: here('preload.cjs') } });
await window.loadFile(here('index.html'));

app.on('window-all-closed', async () => {
  await close();
  app.quit();
});
