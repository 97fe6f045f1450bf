// Takes the pictures that classes.json names out of Iconify's packages, one file a style, with version and licence.
//   npm install --no-save @iconify-json/twemoji@1.2.5 @iconify-json/noto@1.2.9 @iconify-json/fluent-emoji-flat@1.2.6
//   node data/emoji/take-pictures.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { classes } = JSON.parse(readFileSync(new URL('classes.json', import.meta.url), 'utf8'));
const names = Object.values(classes).flatMap(({ emoji }) => emoji);

for (const [style, packageName] of [
  ['twemoji', '@iconify-json/twemoji'],
  ['noto', '@iconify-json/noto'],
  ['fluent', '@iconify-json/fluent-emoji-flat'],
]) {
  const { version, license } = require(`${packageName}/package.json`);
  const { width, height, icons } = require(`${packageName}/icons.json`);
  const head = JSON.stringify({ package: packageName, version, license, width, height }).slice(0, -1);
  const lines = names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(icons[name])}`);
  writeFileSync(new URL(`${style}.json`, import.meta.url), `${head},"icons":{\n${lines.join(',\n')}\n}}\n`);
}
