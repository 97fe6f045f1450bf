import type { CheckResult } from '../results/check-result.ts';
import { evidence, notLookedFor } from './copies.ts';
import { plural, ratio } from './format.ts';

import { left, right, textTable } from './text-table.ts';

/** Pairs and groups shown; the rest is counted. */
const MOST = 20;

/** Files of a group that are named; the rest is counted. */
const MOST_NAMES = 8;

const quoted = (path: string): string => JSON.stringify(path);

function named(paths: readonly string[]): string {
  const rest = paths.length - MOST_NAMES;
  return [...paths.slice(0, MOST_NAMES).map(quoted), ...(rest > 0 ? [`and ${rest} more`] : [])].join('  ');
}

function listed(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  const rest = lines.length > MOST ? [`and ${lines.length - MOST} more (all of them with --json)`] : [];
  return [`\n${title}`, ...lines.slice(0, MOST).map((line) => `  ${line}`), ...rest.map((r) => `  ${r}`), ''].join(
    '\n',
  );
}

function accuracyLine(result: CheckResult): string {
  const { accuracy, leakedImages } = result;
  if (accuracy === null) return '';
  const share = ({ accuracy: value, interval: [low, high], images }: NonNullable<typeof accuracy>['all']): string =>
    images === 0
      ? 'no images are left'
      : `${ratio(value)} (${ratio(low)} .. ${ratio(high)}) on ${plural(images, 'image')}`;
  const gaps = notLookedFor(result);
  const unsure = gaps.length === 0 ? '' : `, as far as was looked: ${gaps.join('; ')}`;
  const told =
    leakedImages === 0
      ? gaps.length === 0
        ? '; no leak inflates it'
        : `; no leak was found${unsure}`
      : `; without the ${leakedImages} that are in train too: ${share(accuracy.clean)}${unsure}`;
  return `\nAccuracy of ${accuracy.head} on pooled features: ${share(accuracy.all)}${told}.\n`;
}

function copiesText(result: CheckResult): string {
  const { exact, near, nearLeftOut, nearMissing, alike, alikeMissing, threshold, leaks } = result;
  return [
    listed('Equal files:', exact.map(named)),
    listed(
      'Copies that are not equal files:',
      near.map((pair) => `${quoted(pair.a)}  ${quoted(pair.b)}  (${evidence(pair)})`),
    ),
    nearLeftOut === 0
      ? ''
      : `\n${plural(nearLeftOut, 'further pair')} that may be copies ${nearLeftOut === 1 ? 'was' : 'were'} not compared: too many.\n`,
    nearMissing === null ? '' : `\n${nearMissing}\n`,
    listed(
      `Alike, and no copies (cosine of the maps >= ${threshold}; no leaks, look at them):`,
      alike.map(({ a, b, cosine }) => `${cosine.toFixed(4)}  ${quoted(a)}  ${quoted(b)}`),
    ),
    alikeMissing === null ? '' : `\n${alikeMissing}\n`,
    listed(
      'In train and held out at once:',
      leaks.map(
        (leak) =>
          `${quoted(leak.held)}  is ${leak.kind === 'exact' ? 'equal to' : `a copy (${evidence(leak)}) of`}  ${quoted(leak.train)}${leak.sameLabel ? '' : '  UNDER ANOTHER LABEL'}`,
      ),
    ),
  ].join('');
}

/** How many labels are wrong, and how many of them are told. */
function errorsText({ labelErrors, suspects }: CheckResult): string {
  const about =
    labelErrors === 0
      ? 'No label error is suspected'
      : `About ${plural(labelErrors, 'label')} may be wrong (confident learning)`;
  if (suspects.length < labelErrors) return `${about}, the first ${suspects.length} are shown (--suspects)`;
  const more = suspects.length - labelErrors;
  return more === 0 ? about : `${about}, ${plural(more, 'further image')} less likely so`;
}

export function checkText(result: CheckResult): string {
  const { store, images, compared, exact, near, alike, leakedImages, labelErrors, suspects, smallClasses, smallClass } =
    result;
  const head = `${store}: ${plural(images, 'image')}; ${plural(exact.length, 'group')} of equal files, ${plural(near.length, 'pair')} of other copies, ${plural(alike.length, 'pair')} alike, ${plural(leakedImages, 'validated image')} with a copy in train, about ${plural(labelErrors, 'label')} wrong.\n`;
  const table =
    suspects.length === 0
      ? `\n${errorsText(result)}.\n`
      : `\n${errorsText(result)}; the most suspect first, look before you change anything:\n${textTable(
          [...left('image', 'is', 'more like'), ...right('probability')],
          suspects.map(({ path, label, suggested, probability }) => [
            quoted(path),
            label,
            suggested,
            probability.toFixed(3),
          ]),
        )}`;
  const small =
    smallClasses.length === 0
      ? ''
      : listed(
          `Too small to judge (fewer than ${smallClass} images in val and test):`,
          smallClasses.map(({ label, train, held }) => `${label}: ${train} train, ${held} held out`),
        );
  const sampled =
    compared === images
      ? ''
      : `Compared by their features: ${compared} of them (--images); equal files are looked for among all.\n`;
  return [head, sampled, copiesText(result), accuracyLine(result), table, small].join('');
}
