import type { BackbonesResult, KnownBackbone, PresentBackbone } from '../../results/backbone-results.ts';
import { contractInWords } from './contract-in-words.ts';
import { printable } from '../printable.ts';
import { left, textFields, textTable } from '../text-table.ts';

function presentRow({ name, origin, licence, digest, needs }: PresentBackbone): string[] {
  return [name, origin, licence ?? '-', digest === null ? '-' : `${digest.slice(0, 16)}…`, needs ?? ''];
}

/** What the digest of the weights is, and who compares it when they are fetched. */
function digestText({ sha256, file }: KnownBackbone): string {
  if (sha256 === null) return `UNVERIFIED: nothing says what that of ${file} must be, and nobody compares it`;
  if (sha256.length === 64) return `of ${file}: ${sha256}; compared when it is fetched`;
  return `of ${file}: begins with ${sha256}, as far as its name proves it; compared when it is fetched`;
}

/** What is said once of the digests of all that can be added. */
const ABOUT_DIGESTS = `
The digests are of the weights that the commands fetch. The ONNX file that they make has another one with each version
of the exporter, so none is known before: "permafrost backbones add" prints it. Keep the file and that digest; with
--sha256 the same file is verified on another machine.
`;

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
      : `Added: ${printable(added.name)}. Take it with --backbone ${printable(added.name)}.\nSHA-256 ${added.digest}, ${
          added.verified
            ? 'as it had to be.'
            : 'UNVERIFIED: nothing said what it had to be. Keep it: with --sha256 this very file is verified elsewhere.'
        }\n\n`;
  const table = textTable(left('name', 'origin', 'licence', 'SHA-256', 'needs'), present.map(presentRow));
  const others =
    known.length === 0
      ? ''
      : `\nWell-known networks that can be added: two commands make the ONNX file, then\n"permafrost backbones add FILE.onnx --name NAME" (or --backbone FILE.onnx where it lies).\n${ABOUT_DIGESTS}${known.map(knownText).join('')}`;
  return done + table + others;
}
