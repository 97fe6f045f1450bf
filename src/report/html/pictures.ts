import type { ReportData } from '../../results/report-data.ts';
import { html, type Markup, type Content } from './markup.ts';

/** The place of an image's thumbnail, which the page's script fills in, so that each picture is kept once. */
export function picture({ images, thumbnails }: ReportData, image: number): Markup {
  const { path } = images[image]!;
  return thumbnails.data.has(image)
    ? html`<img data-image="${image}" alt="${path}" width="96" height="96" />`
    : html`<span class="no-picture">no picture</span>`;
}

/** An image that stands beside another one, with words about it. */
export interface NearImage {
  readonly image: number;
  readonly words: Content;
}

const besides = (data: ReportData, images: readonly NearImage[]): Markup =>
  html`<ul class="beside">
    ${images.map(
      ({ image, words }) =>
        html`<li>${picture(data, image)}<span class="path">${data.images[image]!.path}</span>${words}</li>`,
    )}
  </ul>`;

/** A card: an image, words about it, and the training images that are nearest to it. */
export function card(data: ReportData, image: number, words: Content, neighbors: readonly NearImage[] = []): Markup {
  return html`<li class="card">
    <div class="main">
      ${picture(data, image)}
      <div><b class="path">${data.images[image]!.path}</b>${words}</div>
    </div>
    ${
      neighbors.length > 0 &&
      html`<p class="small">Nearest training images</p>
        ${besides(data, neighbors)}`
    }
  </li>`;
}

/** A card of images that belong together, with words above them. */
export function groupCard(data: ReportData, words: Content, images: readonly NearImage[]): Markup {
  return html`<li class="card">
    <div>${words}</div>
    ${besides(data, images)}
  </li>`;
}

/** The number of the image with a path. */
export function imageIndex({ images }: ReportData): (path: string) => number {
  const numbers = new Map(images.map(({ path }, i) => [path, i]));
  return (path) => numbers.get(path)!;
}
