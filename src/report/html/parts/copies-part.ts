import type { CheckResult } from '../../../results/check-result.ts';
import { copyGroups, MOST_CARDS, MOST_OF_GROUP } from '../../../results/copy-groups.ts';
import type { ReportData } from '../../../results/report-data.ts';
import { evidence, notLookedFor } from '../../copies.ts';
import { plural } from '../../format.ts';
import { html, type Markup, type Content } from '../markup.ts';
import { count, firstOf, percent } from '../numbers.ts';
import { groupCard, imageIndex } from '../pictures.ts';

/** Groups that are named in a list that opens. */
const MOST_NAMES = 500;
const MOST_SMALL = 30;

interface Group {
  readonly paths: readonly string[];
  readonly words: Content;
}

/** The first of a group's paths, and how many more there are, in words. */
function firstPaths(paths: readonly string[]): { readonly paths: readonly string[]; readonly more: Content } {
  const left = paths.length - MOST_OF_GROUP;
  return { paths: paths.slice(0, MOST_OF_GROUP), more: left > 0 && ` and ${count(left)} more of them` };
}

function groupsPart(data: ReportData, title: string, groups: readonly Group[]): Content {
  if (groups.length === 0) return null;
  const at = imageIndex(data);
  const named = groups.slice(MOST_CARDS, MOST_CARDS + MOST_NAMES);
  const unnamed = groups.length - MOST_CARDS - named.length;
  return html`<h3>${title}: ${count(groups.length)}</h3>
    <ul class="cards">
      ${groups.slice(0, MOST_CARDS).map((group) => {
        const { paths, more } = firstPaths(group.paths);
        return groupCard(
          data,
          [group.words, more],
          paths.map((path) => {
            const { label, split } = data.images[at(path)]!;
            return { image: at(path), words: html`<span>${label} (${split})</span>` };
          }),
        );
      })}
    </ul>
    ${
      named.length > 0 &&
      html`<details>
        <summary>${count(groups.length - MOST_CARDS)} more, by name</summary>
        <ul>
          ${named.map((group) => {
            const { paths, more } = firstPaths(group.paths);
            return html`<li><span class="path">${paths.join('  ')}</span>${more} ${group.words}</li>`;
          })}
        </ul>
        ${unnamed > 0 && html`<p>And ${count(unnamed)} more: "permafrost check" names all.</p>`}
      </details>`
    }`;
}

function smallPart({ check: { smallClasses, smallClass } }: ReportData): Content {
  if (smallClasses.length === 0) return null;
  const { shown, rest } = firstOf(smallClasses, MOST_SMALL);
  return html`<h3>Classes too small to judge: ${count(smallClasses.length)}</h3>
    <p>Fewer than ${count(smallClass)} images in val and test together:</p>
    <ul>
      ${shown.map(({ label, train, held }) => html`<li>${label}: ${train} in train, ${held} held out</li>`)}
    </ul>
    <p>${rest}</p>`;
}

/** What stands under each heading. */
function groupsOf(check: CheckResult): Record<'leaks' | 'exact' | 'near' | 'alike', Group[]> {
  const { leaks, exact, near, alike } = copyGroups(check);
  return {
    leaks: leaks.map(({ paths, leak }) => ({
      paths,
      words: [
        leak.kind === 'exact' ? 'equal files' : `copies, ${evidence(leak)}`,
        !leak.sameLabel && html`, <b>under another label</b>`,
      ],
    })),
    exact: exact.map(({ paths }) => ({ paths, words: 'equal files' })),
    near: near.map(({ paths, pair }) => ({ paths, words: evidence(pair) })),
    alike: alike.map(({ paths, cosine }) => ({ paths, words: `cosine of the maps ${cosine.toFixed(3)}` })),
  };
}

/** Copies of one image, those that lie in train and are validated on at once, and what they do to the accuracy. */
export function copiesPart(data: ReportData): Markup {
  const { exact, near, nearMissing, alike, alikeMissing, leakedImages, accuracy, threshold } = data.check;
  const gaps = notLookedFor(data.check);
  const groups = groupsOf(data.check);
  const difference =
    accuracy !== null &&
    leakedImages > 0 &&
    html`<p>
      Accuracy of a ${accuracy.head} head on the validated images:
      <strong>${percent(accuracy.all.accuracy)}</strong> of all ${accuracy.all.images},
      <strong>${percent(accuracy.clean.accuracy)}</strong> of the ${accuracy.clean.images} without a copy in train.
    </p>`;
  return html`<p>
      ${plural(exact.length, 'group')} of equal files; ${plural(near.length, 'pair')} of other copies (one picture
      encoded again, smaller, grey, mirrored, cut, with a border or the like); ${plural(alike.length, 'pair')} alike and
      no copies (cosine of the whole maps ${threshold} or more: the same scene, perhaps);
      ${plural(leakedImages, 'validated image')} with a copy in train.
    </p>
    ${gaps.length > 0 && html`<p>Copies may have been missed: ${gaps.join('; ')}.</p>`}
    ${nearMissing !== null && html`<p>${nearMissing}</p>`} ${alikeMissing !== null && html`<p>${alikeMissing}</p>`}
    ${difference} ${groupsPart(data, 'In train and held out at once', groups.leaks)}
    ${groupsPart(data, 'Other equal files', groups.exact)} ${groupsPart(data, 'Other copies', groups.near)}
    ${groupsPart(data, 'Alike, and no copies', groups.alike)} ${smallPart(data)}`;
}
