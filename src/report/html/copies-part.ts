import type { ReportData } from '../../core/report-data.ts';
import { plural } from '../format.ts';
import { html, type Markup, type Part } from './markup.ts';
import { count, firstOf, percent } from './numbers.ts';
import { groupCard, imageIndex } from './pictures.ts';

/** Groups that are shown as pictures, and as names in a list that opens. */
const [MOST_CARDS, MOST_NAMES] = [12, 500];
const MOST_SMALL = 30;
/** Images of a group that are shown, and names in a list. */
const MOST_OF_GROUP = 12;

interface Group {
  readonly paths: readonly string[];
  readonly words: Part;
}

function groupsPart(data: ReportData, title: string, groups: readonly Group[]): Part {
  if (groups.length === 0) return null;
  const at = imageIndex(data);
  const named = groups.slice(MOST_CARDS, MOST_CARDS + MOST_NAMES);
  const unnamed = groups.length - MOST_CARDS - named.length;
  const more = (paths: readonly string[]): Part =>
    paths.length > MOST_OF_GROUP && ` and ${count(paths.length - MOST_OF_GROUP)} more of them`;
  return html`<h3>${title}: ${count(groups.length)}</h3>
    <ul class="cards">
      ${groups.slice(0, MOST_CARDS).map(({ paths, words }) =>
        groupCard(
          data,
          [words, more(paths)],
          paths.slice(0, MOST_OF_GROUP).map((path) => {
            const { label, split } = data.images[at(path)]!;
            return { image: at(path), words: html`<span>${label} (${split})</span>` };
          }),
        ),
      )}
    </ul>
    ${
      named.length > 0 &&
      html`<details>
        <summary>${count(groups.length - MOST_CARDS)} more, by name</summary>
        <ul>
          ${named.map(({ paths, words }) => html`<li><span class="path">${paths.slice(0, MOST_OF_GROUP).join('  ')}</span>${more(paths)} ${words}</li>`)}
        </ul>
        ${unnamed > 0 && html`<p>And ${count(unnamed)} more: "permafrost check" names all.</p>`}
      </details>`
    }`;
}

function smallPart({ check: { smallClasses, smallClass } }: ReportData): Part {
  if (smallClasses.length === 0) return null;
  const { shown, rest } = firstOf(smallClasses, MOST_SMALL);
  return html`<h3>Classes too small to judge: ${count(smallClasses.length)}</h3>
    <p>Fewer than ${count(smallClass)} images in val and test together:</p>
    <ul>
      ${shown.map(({ label, train, held }) => html`<li>${label}: ${train} in train, ${held} held out</li>`)}
    </ul>
    <p>${rest}</p>`;
}

/** Copies of one image, those that lie in train and are validated on at once, and what they do to the accuracy. */
export function copiesPart(data: ReportData): Markup {
  const { exact, near, nearMissing, leaks, leakedImages, accuracy, threshold } = data.check;
  const key = (paths: readonly string[]): string => JSON.stringify([...paths].sort());
  const leaked = new Set(leaks.map(({ train, held }) => key([train, held])));
  const others = (groups: readonly Group[]): Group[] => groups.filter(({ paths }) => !leaked.has(key(paths)));
  const difference =
    accuracy !== null &&
    leakedImages > 0 &&
    html`<p>
      Accuracy of a ${accuracy.head} head on the validated images:
      <strong>${percent(accuracy.all.accuracy)}</strong> of all ${accuracy.all.images},
      <strong>${percent(accuracy.clean.accuracy)}</strong> of the ${accuracy.clean.images} without a copy in
      train.
    </p>`;
  const leakGroups = leaks.map(({ held, train, kind, sameLabel, cosine }): Group => ({
    paths: [held, train],
    words: [
      kind === 'exact' ? 'equal files' : `near duplicates, cosine ${cosine.toFixed(3)}`,
      !sameLabel && html`, <b>under another label</b>`,
    ],
  }));
  const nearGroups = near.map(({ a, b, cosine }): Group => ({
    paths: [a, b],
    words: `cosine ${cosine.toFixed(3)}`,
  }));
  return html`<p>
      ${plural(exact.length, 'group')} of equal files; ${plural(near.length, 'pair')} of near duplicates
      (cosine of the whole maps ${threshold} or more); ${plural(leakedImages, 'validated image')} with a copy
      in train.
    </p>
    ${nearMissing !== null && html`<p>${nearMissing}</p>`} ${difference}
    ${groupsPart(data, 'In train and held out at once', leakGroups)}
    ${groupsPart(data, 'Other equal files', others(exact.map((paths) => ({ paths, words: 'equal files' }))))}
    ${groupsPart(data, 'Other near duplicates', others(nearGroups))} ${smallPart(data)}`;
}
