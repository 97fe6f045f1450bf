import { sha256Base64 } from '../../core/digest.ts';
import { present, type Judgement, type ReportData } from '../../results/report-data.ts';
import { plural } from '../format.ts';
import { calibrationPart } from './parts/calibration-part.ts';
import { classesPart } from './parts/classes-part.ts';
import { confusionPart } from './parts/confusion-part.ts';
import { copiesPart } from './parts/copies-part.ts';
import { costPart } from './parts/cost-part.ts';
import { cutsPart } from './parts/cuts-part.ts';
import { datasetPart } from './parts/dataset-part.ts';
import { headsPart } from './parts/heads-part.ts';
import { learningPart } from './parts/learning-part.ts';
import { mapPart } from './parts/map-part.ts';
import { embeddedJson, html, trusted, type Markup, type Content } from './markup.ts';
import { mistakesPart } from './parts/mistakes-part.ts';
import { count, percent } from './numbers.ts';
import { pageData } from './page-data.ts';
import { provenancePart } from './parts/provenance-part.ts';
import { symbolDefinitions } from './shapes.ts';
import { STYLE } from './style.ts';
import { strategiesPart } from './parts/strategies-part.ts';
import { suspectsPart } from './parts/suspects-part.ts';
import { unknownPart } from './parts/unknown-part.ts';
import { viewsPart } from './parts/views-part.ts';

/** What the page needs beside the data. */
export interface PageOptions {
  /** The page's own script, the text of client.js. */
  readonly script: string;
  /** The command that repeats the run; null where none is known. */
  readonly command: string | null;
}

interface Section {
  readonly id: string;
  readonly title: string;
  readonly content: Content;
}

const lastName = (path: string): string =>
  path
    .split(/[\\/]/)
    .filter((part) => part !== '')
    .at(-1) ?? path;

function sections(data: ReportData, { command }: PageOptions): Section[] {
  const { judgement } = data;
  const best = (title: string, part: (judged: Judgement) => Content): Section => ({
    id: title.toLowerCase().replaceAll(' ', '-'),
    title,
    content: present(judgement) ? part(judgement) : html`<p>${judgement.missing}</p>`,
  });
  /** Of what not every run has: nothing where it is not there. */
  const where = (id: string, title: string, content: Markup | null): Section[] =>
    content === null ? [] : [{ id, title, content }];
  return [
    { id: 'data-set', title: 'Data set', content: datasetPart(data) },
    { id: 'heads', title: 'Heads', content: headsPart(data) },
    ...where('cuts', 'Cuts', cutsPart(data)),
    ...where('views', 'Views', viewsPart(data)),
    ...where('strategies', 'The four strategies', strategiesPart(data)),
    best('Confusion', (judged) => [
      judged.caution !== null && html`<p class="notice">${judged.caution}</p>`,
      html`<p>
        Of the best head, ${judged.head.name} on ${judged.head.pooling}: accuracy
        <strong>${percent(judged.accuracy)}</strong> (95 % interval ${percent(judged.interval[0])} to
        ${percent(judged.interval[1])}) on ${plural(judged.validated, 'image')} of ${judged.split}.
      </p>`,
      confusionPart(judged),
    ]),
    best('Classes', classesPart),
    best('Calibration', calibrationPart),
    { id: 'unknown', title: 'Unknown', content: unknownPart(data) },
    ...where('learning', 'Learning', learningPart(data)),
    best('Surest mistakes', (judged) => mistakesPart(data, judged)),
    { id: 'labels', title: 'Suspected label errors', content: suspectsPart(data) },
    { id: 'copies', title: 'Duplicates and leaks', content: copiesPart(data) },
    { id: 'map-of-features', title: 'Map', content: mapPart(data) },
    { id: 'cost', title: 'Cost', content: costPart(data) },
    { id: 'repeat', title: 'Made with', content: provenancePart(data, command) },
  ];
}

function picturesNote({ thumbnails, store }: ReportData): Content {
  const { data, overBudget, unavailable, problem } = thumbnails;
  if (data.size === store.images) return null;
  return html`<p>
    Pictures of ${count(data.size)} of ${count(store.images)} images are in this
    page.${
      overBudget > 0 &&
      ` ${count(overBudget)} are left out to keep it small (--max-thumbnails), or because nothing here shows them.`
    }${unavailable > 0 && html` ${count(unavailable)} could not be shown: their files are gone, changed or do not decode (first: <span class="path">${problem}</span>).`}
  </p>`;
}

/** The summary under the title: what there is, and how good the best head is. */
function summary({ store, judgement, run }: ReportData): Markup {
  const test = present(run) ? run.heads[0]?.test : undefined;
  const classes = plural(store.classes.length, 'class', 'classes');
  return html`<p class="summary">
    ${plural(store.images, 'image')}, ${classes}.
    ${
      present(judgement) &&
      html`Best head: ${judgement.head.name} on ${judgement.head.pooling},
        <strong>${percent(judgement.accuracy)}</strong> right (95 % interval ${percent(judgement.interval[0])} to
        ${percent(judgement.interval[1])} on ${plural(judgement.validated, `${judgement.split} image`)}).`
    }
    ${
      test !== undefined &&
      present(test) &&
      html`On Test, which had no part in the choice: <strong>${percent(test.accuracy)}</strong> (95 % interval
        ${percent(test.interval[0])} to ${percent(test.interval[1])} on ${plural(test.images, 'image')}).`
    }
  </p>`;
}

/** What the page is about where not every image is in it, or where other labels than the store's count. */
function sampleNote({ store, images, check, judgement, relabelled }: ReportData): Content {
  const sampled =
    images.length < store.images &&
    html`<p class="notice">
      This page shows ${count(images.length)} of ${count(store.images)} images: those whose SHA-256 is lowest, the
      surest mistakes and some copies.
      ${present(judgement) && `The figures of the heads, the confusion, classes and calibration are of all ${count(judgement.validated)} validated images;`}
      Pictures, nearest images, the map and what is called unknown are of those shown; suspected label errors and copies
      that are not equal files of ${count(check.compared)}; equal files were looked for among all.
    </p>`;
  const listed =
    relabelled !== null &&
    html`<p class="notice">
      Labels are those of a list: ${plural(relabelled, 'image')} under another label or split than in the store. The
      table of heads is of the last run, under the labels of that time.
    </p>`;
  return [sampled, listed];
}

/** A raw text element, its content to the byte: the policy names the content's digest. */
const wrapped = (start: string, content: string): Markup =>
  trusted(`${start}${content}${start.startsWith('<style') ? '</style>' : '</script>'}`);

/**
 * A report as one HTML page without other files or network. Its policy lets nothing run or load but its own style,
 * script and pictures. Equal data give equal bytes.
 */
export function htmlReport(data: ReportData, options: PageOptions): string {
  const title = `${lastName(data.store.dataset)}: permafrost report`;
  const parts = sections(data, options);
  const policy = [
    "default-src 'none'",
    'img-src data:',
    `style-src 'sha256-${sha256Base64(STYLE)}'`,
    `script-src 'sha256-${sha256Base64(options.script)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        ${wrapped('<style>', STYLE)}
      </head>
      <body>
        ${symbolDefinitions(48)}
        <header>
          <h1>${lastName(data.store.dataset)}</h1>
          ${summary(data)} ${sampleNote(data)}
          <nav aria-label="Parts of the report">
            <ul>
              ${parts.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>`)}
            </ul>
          </nav>
          <noscript
            ><p class="notice">
              Pictures, confusion cells and the map's details need this page's own script.
            </p></noscript
          >
        </header>
        <main>
          ${parts.map(
            ({ id, title: name, content }) =>
              html`<section id="${id}" aria-labelledby="${id}-title">
                <h2 id="${id}-title">${name}</h2>
                ${content}
              </section> `,
          )}
        </main>
        <footer>
          ${picturesNote(data)}
          <p>permafrost ${data.permafrost}. This page is one file and loads nothing.</p>
        </footer>
        ${wrapped('<script type="application/json" id="data">', embeddedJson(pageData(data)).text)}
        ${wrapped('<script type="module">', options.script)}
      </body>
    </html> `.text;
}
