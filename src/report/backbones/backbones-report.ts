import type { BackbonesResult, KnownBackbone, PresentBackbone } from '../../results/backbone-results.ts';
import { contractInWords } from './contract-in-words.ts';
import { printable } from '../printable.ts';
import { left, textFields, textTable } from '../text-table.ts';

function presentRow({ name, origin, licence, digest, needs }: PresentBackbone): string[] {
  return [name, origin, licence ?? '-', digest === null ? '-' : `${digest.slice(0, 16)}…`, needs ?? ''];
}

function digestText({ sha256, file }: KnownBackbone): string {
  if (sha256 === null) return `of ${file}: not known`;
  return `of ${file}: ${sha256.length === 64 ? sha256 : `begins with ${sha256}`}`;
}

function knownText(known: KnownBackbone): string {
  const { name, describe, source, licence, megabytes, width, contract, commands } = known;
  const fields = textFields([
    ['  source', source],
    ['  licence', licence],
    ['  SHA-256', digestText(known)],
    ['  size', `${megabytes === null ? '?' : `${megabytes} MB`}, ${width ?? '?'} features`],
    ['  contract', contractInWords(contract)],
  ]);
  return `\n${name}: ${describe}\n${fields}${commands.map((line) => `    ${printable(line)}\n`).join('')}`;
}

/** The networks that are there, and what to do about others, for a terminal. */
export function backbonesText({ added, present, known }: BackbonesResult): string {
  const done =
    added === null
      ? ''
      : `Added: ${printable(added.name)} (SHA-256 ${added.digest}). Take it with --backbone ${printable(added.name)}.\n\n`;
  const table = textTable(left('name', 'origin', 'licence', 'SHA-256', 'needs'), present.map(presentRow));
  const others =
    known.length === 0
      ? ''
      : `\nWell-known networks that can be added: two commands make the ONNX file, then\n"permafrost backbones add FILE.onnx --name NAME" (or --backbone FILE.onnx where it lies).\n${known.map(knownText).join('')}`;
  return done + table + others;
}
