import type { CheckResult } from '../results/check-result.ts';
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

function accuracyLine({ accuracy, leakedImages }: CheckResult): string {
  if (accuracy === null) return '';
  const share = ({ accuracy: value, interval: [low, high], images }: NonNullable<typeof accuracy>['all']): string =>
    images === 0
      ? 'no images are left'
      : `${ratio(value)} (${ratio(low)} .. ${ratio(high)}) on ${plural(images, 'image')}`;
  if (leakedImages === 0)
    return `\nAccuracy of ${accuracy.head} on pooled features: ${share(accuracy.all)}; no leak inflates it.\n`;
  return `\nAccuracy of ${accuracy.head} on pooled features: ${share(accuracy.all)}; without the ${leakedImages} that are in train too: ${share(accuracy.clean)}.\n`;
}

export function checkText(result: CheckResult): string {
  const { store, images, compared, exact, near, nearLeftOut, nearMissing, threshold } = result;
  const { leaks, leakedImages, suspects, smallClasses, smallClass } = result;
  const head = `${store}: ${plural(images, 'image')}; ${plural(exact.length, 'group')} of equal files, ${plural(near.length, 'pair')} of near duplicates (cosine >= ${threshold}), ${plural(leakedImages, 'validated image')} with a copy in train, ${plural(suspects.length, 'suspected label error')} shown.\n`;
  const table =
    suspects.length === 0
      ? ''
      : `\nLabels that the other images contradict, the most suspect first (look before you change anything):\n${textTable(
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
  return [
    head,
    sampled,
    listed('Equal files:', exact.map(named)),
    listed(
      'Near duplicates:',
      near.map(({ a, b, cosine }) => `${cosine.toFixed(4)}  ${quoted(a)}  ${quoted(b)}`),
    ),
    nearLeftOut === 0
      ? ''
      : `\n${plural(nearLeftOut, 'further pair')} with alike pooled features ${nearLeftOut === 1 ? 'was' : 'were'} not compared: too many.\n`,
    nearMissing === null ? '' : `\n${nearMissing}\n`,
    listed(
      'In train and held out at once:',
      leaks.map(
        ({ train, held, kind, sameLabel }) =>
          `${quoted(held)}  is ${kind === 'exact' ? 'equal to' : 'nearly'}  ${quoted(train)}${sameLabel ? '' : '  UNDER ANOTHER LABEL'}`,
      ),
    ),
    accuracyLine(result),
    table,
    small,
  ].join('');
}
