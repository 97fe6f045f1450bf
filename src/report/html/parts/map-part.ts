import { present, type FeatureMap, type ReportData } from '../../../results/report-data.ts';
import { SPLITS } from '../../../core/sample.ts';
import { plural } from '../../format.ts';
import { html, type Markup } from '../markup.ts';
import { count } from '../numbers.ts';
import { linearScale } from '../scale.ts';
import { inlineSign, signOf, SIGNS, type Sign } from '../shapes.ts';

const [WIDTH, HEIGHT, EDGE] = [720, 520, 14];

/** A way to colour the map: its groups, and which of them each image is in. */
export interface Colouring {
  readonly key: string;
  readonly title: string;
  readonly groups: readonly { readonly name: string; readonly sign: Sign }[];
  readonly groupOf: (image: number) => number;
}

/** By class, by split and, where a head has judged, by whether it is right. */
export function colourings(data: ReportData): Colouring[] {
  const { images, judgement, store } = data;
  const labels = store.classes.map(({ label }) => label);
  const number = new Map(labels.map((label, i) => [label, i]));
  const byPlace = (names: readonly string[]) => names.map((name, i) => ({ name, sign: signOf(i) }));
  const all: Colouring[] = [
    { key: 'class', title: 'class', groups: byPlace(labels), groupOf: (i) => number.get(images[i]!.label)! },
    { key: 'split', title: 'split', groups: byPlace(SPLITS), groupOf: (i) => SPLITS.indexOf(images[i]!.split) },
  ];
  if (present(judgement)) {
    const judged = new Map(judgement.judged.map((entry) => [entry.image, entry.predicted]));
    all.push({
      key: 'right',
      title: 'right or wrong',
      groups: [
        { name: 'right', sign: { c: 0, s: 0 } },
        { name: 'wrong', sign: { c: 3, s: 4 } },
        { name: 'not judged', sign: { c: 7, s: 0 } },
      ],
      groupOf: (i) => (judged.has(i) ? Number(judged.get(i) !== images[i]!.label) : 2),
    });
  }
  return all;
}

const MOST_LEGEND = 60;

function legend({ key, groups }: Colouring, shown: boolean): Markup {
  const more = groups.length - MOST_LEGEND;
  return html`<ul class="legend" data-colouring="${key}" ${!shown && html` hidden`}>
    ${groups
      .slice(0, MOST_LEGEND)
      .map(
        ({ name, sign }) => html`<li>${inlineSign(sign)} ${name}</li>`,
      )}${more > 0 && html`<li>and ${count(more)} more</li>`}${
      groups.length > SIGNS && html`<li>(above ${SIGNS} groups signs come again)</li>`
    }
  </ul>`;
}

function points({ images, x, y }: FeatureMap, colouring: Colouring): Markup[] {
  const bounds = (values: readonly number[]): [number, number] => [
    values.reduce((least, value) => Math.min(least, value), Infinity),
    values.reduce((most, value) => Math.max(most, value), -Infinity),
  ];
  const across = linearScale(bounds(x), [EDGE, WIDTH - EDGE]);
  const up = linearScale(bounds(y), [HEIGHT - EDGE, EDGE]);
  return images.map((image, i) => {
    const { c, s } = colouring.groups[colouring.groupOf(image)]!.sign;
    return html`<use href="#s${s}" class="c${c}" x="${across.at(x[i]!)}" y="${up.at(y[i]!)}" data-at="${image}" />`;
  });
}

/** The map of the features, coloured in the way that is chosen; hover or arrow keys show the image of a point. */
export function mapPart(data: ReportData): Markup {
  const { map } = data;
  if (!present(map)) return html`<p>${map.missing}</p>`;
  const ways = colourings(data);
  const left =
    map.leftOut > 0 && ` ${count(map.leftOut)} others are left out: a sample drawn by the seed ${map.seed} is shown.`;
  return html`<p>
      ${plural(map.images.length, 'image')} by UMAP (${map.nNeighbors} exact neighbours, cosine of average-pooled
      features, seed ${map.seed}).${left} Near on the map is alike for the network; distances between far groups mean
      little. Hover over a point, or focus the map and use the arrow keys.
    </p>
    <fieldset class="ways">
      <legend>Colour by</legend>
      ${ways.map(
        ({ key, title }, i) =>
          html`<label
            ><input type="radio" name="colouring" value="${key}" ${i === 0 && html` checked`} /> ${title}</label
          > `,
      )}
    </fieldset>
    ${ways.map((way, i) => legend(way, i === 0))}
    <div class="map">
      <svg
        id="map"
        class="plot"
        role="application"
        tabindex="0"
        aria-label="Map of the features. Arrow keys go from image to image."
        aria-describedby="map-said"
        viewBox="0 0 ${WIDTH} ${HEIGHT}"
        width="${WIDTH}"
        height="${HEIGHT}"
      >
        ${points(map, ways[0]!)}
        <circle id="map-mark" r="9" cx="-20" cy="-20" />
      </svg>
      <div id="map-shown" class="shown"><p id="map-said" aria-live="polite">No image chosen.</p></div>
    </div>`;
}
