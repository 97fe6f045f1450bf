import type { WebAnswer, WebModel } from './model.ts';

/** Classes that are shown of an answer. */
const SHOWN = 5;

/** An element with attributes and content. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string>>,
  ...content: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function bar([label, probability]: readonly [string, number]): HTMLTableRowElement {
  const filled = element('div', { class: 'bar' });
  // Not as an attribute: the page's policy forbids styles in the markup.
  filled.style.width = `${100 * probability}%`;
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, label),
    element('td', {}, filled),
    element('td', {}, percent(probability)),
  );
}

/** An answer in words and bars: the best guess first, then whether the image is unusual. */
export function answerElement(answer: WebAnswer, { unusual }: WebModel): HTMLElement {
  const likeliest = Object.entries(answer.probabilities).sort(([, a], [, b]) => b - a);
  const parts: HTMLElement[] = [element('h2', {}, answer.label)];
  if (answer.unusual && unusual !== null) {
    const known = `${percent(1 - unusual.rate)} of images of its classes`;
    const measured = `${unusual.measure} ${answer.novelty!.toPrecision(3)}; ${known} stay below ${unusual.threshold.toPrecision(3)}`;
    parts.push(
      element(
        'p',
        { class: 'notice' },
        `Unusual: it is unlike the images that this classifier was trained on (${measured}).`,
      ),
    );
  }
  parts.push(element('table', {}, element('tbody', {}, ...likeliest.slice(0, SHOWN).map(bar))));
  const rest = likeliest.length - SHOWN;
  if (rest > 0) parts.push(element('p', { class: 'small' }, `and ${rest} more ${rest === 1 ? 'class' : 'classes'}`));
  return element('div', { class: 'answer' }, ...parts);
}
