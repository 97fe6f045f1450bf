// The report's own script: fills pictures in, opens confusion cells, moves over the map. Everything from the data set
// becomes text or an attribute here, never markup.

/**
 * @typedef {{ signs: [number, number][], groups: Record<string, number> }} Colouring
 * @typedef {[path: string, label: number, split: number, predicted?: number, probability?: number]} Image
 * @typedef {{ images: Image[], labels: string[], classes: number[], splits: string[], isSample: boolean, neighbors:
 *   Record<string, [number, number][]>, thumbnails: Record<string, string>, colourings: Record<string, Colouring> }}
 *   PageData
 */

const PAGE = 24;

/** @type {(id: string) => HTMLElement | null} */
const byId = (id) => document.getElementById(id);

/** @type {PageData} */
const data = JSON.parse(byId('data')?.textContent ?? '{}');

/** @type {(image: number) => Image} */
const imageAt = (image) => /** @type {Image} */ (data.images[image]);

/**
 * An element with a class and content.
 * @param {string} name @param {string} className @param {(Node | string)[]} content
 */
function element(name, className, ...content) {
  const made = document.createElement(name);
  if (className !== '') made.className = className;
  made.append(...content);
  return made;
}

/** @param {number} image */
function picture(image) {
  const bytes = data.thumbnails[image];
  if (bytes === undefined) return element('span', 'no-picture', 'no picture');
  const made = document.createElement('img');
  made.src = `data:image/webp;base64,${bytes}`;
  made.alt = imageAt(image)[0];
  made.width = 96;
  made.height = 96;
  return made;
}

/** What an image is, and what it is taken for. @param {number} image */
function wordsFor(image) {
  const [, label, split, predicted, probability = 0] = imageAt(image);
  const is = `is ${data.labels[label]} (${data.splits[split]})`;
  return predicted === undefined
    ? is
    : `${is}, taken for ${data.labels[predicted]} (${(100 * probability).toFixed(1)} %)`;
}

/** @param {number} image */
function card(image) {
  const words = element('div', '', element('b', 'path', imageAt(image)[0]), element('span', '', wordsFor(image)));
  const made = element('li', 'card', element('div', 'main', picture(image), words));
  const near = data.neighbors[image] ?? [];
  if (near.length > 0) {
    const list = near.map(([other, distance]) => {
      const [path, label] = imageAt(other);
      const said = element('span', '', `${data.labels[label]}, ${distance.toFixed(4)}`);
      return element('li', '', picture(other), element('span', 'path', path), said);
    });
    made.append(element('p', 'small', 'Nearest training images'), element('ul', 'beside', ...list));
  }
  return made;
}

function fillPictures() {
  for (const place of document.querySelectorAll('img[data-image]')) {
    const image = /** @type {HTMLImageElement} */ (place);
    image.src = `data:image/webp;base64,${data.thumbnails[Number(image.dataset.image)]}`;
  }
}

function openCells() {
  const [section, title, list, more, back] = ['cell', 'cell-title', 'cell-images', 'cell-more', 'cell-back'].map(byId);
  if (!section || !title || !list || !more || !back) return;
  /** @type {number[]} */
  let waiting = [];
  /** @type {HTMLElement | null} */
  let opened = null;

  const showMore = () => {
    const first = list.childElementCount;
    list.append(...waiting.splice(0, PAGE).map(card));
    more.hidden = waiting.length === 0;
    more.textContent = `Show more (${waiting.length} left)`;
    return list.children[first];
  };

  /** @param {HTMLElement} cell */
  const open = (cell) => {
    const truth = data.classes[Number(cell.dataset.truth)] ?? -1;
    const predicted = data.classes[Number(cell.dataset.predicted)] ?? -1;
    waiting = [...data.images.keys()]
      .filter((image) => imageAt(image)[1] === truth && imageAt(image)[3] === predicted)
      .sort((a, b) => (imageAt(b)[4] ?? 0) - (imageAt(a)[4] ?? 0));
    const said = truth === predicted ? 'recognised' : `taken for ${data.labels[predicted]}`;
    title.textContent = `${data.labels[truth]}, ${said}: ${waiting.length}${data.isSample ? ' in this page' : ''} (the surest first)`;
    opened?.removeAttribute('aria-expanded');
    cell.setAttribute('aria-expanded', 'true');
    opened = cell;
    list.replaceChildren();
    section.hidden = false;
    showMore();
    title.focus();
  };

  document.addEventListener('click', ({ target }) => {
    const cell = /** @type {Element} */ (target).closest('button.cell');
    if (cell instanceof HTMLElement) open(cell);
  });
  more.addEventListener('click', () => {
    const first = showMore();
    if (first instanceof HTMLElement) {
      first.tabIndex = -1;
      first.focus();
    }
  });
  back.addEventListener('click', () => {
    section.hidden = true;
    opened?.removeAttribute('aria-expanded');
    opened?.focus();
  });
}

function moveOverMap() {
  const map = /** @type {SVGSVGElement | null} */ (/** @type {unknown} */ (byId('map')));
  const [shown, said, mark] = ['map-shown', 'map-said', 'map-mark'].map(byId);
  if (!map || !shown || !said || !mark) return;
  const uses = [...map.querySelectorAll('use')];
  const points = uses.map((use) => ({
    use,
    image: Number(use.dataset.at),
    x: Number(use.getAttribute('x')),
    y: Number(use.getAttribute('y')),
  }));
  let current = -1;

  /** @param {number} at */
  const choose = (at) => {
    const point = points[at];
    if (point === undefined || at === current) return;
    current = at;
    mark.setAttribute('cx', String(point.x));
    mark.setAttribute('cy', String(point.y));
    said.textContent = `${imageAt(point.image)[0]}: ${wordsFor(point.image)}`;
    shown.replaceChildren(picture(point.image), said);
  };

  /** The point that costs least; -1 where none is finite. @param {(point: { x: number, y: number }) => number} cost */
  const cheapest = (cost) => {
    let [best, least] = [-1, Infinity];
    points.forEach((point, i) => {
      const price = cost(point);
      if (price < least) [best, least] = [i, price];
    });
    return best;
  };

  map.addEventListener('pointermove', ({ clientX, clientY }) => {
    const matrix = map.getScreenCTM();
    if (matrix === null) return;
    const at = new DOMPoint(clientX, clientY).matrixTransform(matrix.inverse());
    choose(cheapest(({ x, y }) => (Math.hypot(x - at.x, y - at.y) < 14 ? Math.hypot(x - at.x, y - at.y) : Infinity)));
  });
  map.addEventListener('focus', () => {
    if (current === -1) choose(0);
  });
  map.addEventListener('keydown', (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const from = points[current];
    if (way === undefined || from === undefined) return;
    event.preventDefault();
    const [dx = 0, dy = 0] = way;
    // Ahead counts once, aside twice; what lies behind or on the spot does not count.
    choose(
      cheapest(({ x, y }) => {
        const ahead = (x - from.x) * dx + (y - from.y) * dy;
        const aside = Math.abs((x - from.x) * dy) + Math.abs((y - from.y) * dx);
        return ahead > 0 ? ahead + 2 * aside : Infinity;
      }),
    );
  });

  document.addEventListener('change', ({ target }) => {
    if (!(target instanceof HTMLInputElement) || target.name !== 'colouring') return;
    const colouring = data.colourings[target.value];
    if (colouring === undefined) return;
    for (const { use, image } of points) {
      const [c, s] = colouring.signs[colouring.groups[image] ?? 0] ?? [0, 0];
      use.setAttribute('class', `c${c}`);
      use.setAttribute('href', `#s${s}`);
    }
    for (const legend of document.querySelectorAll('.legend'))
      if (legend instanceof HTMLElement) legend.hidden = legend.dataset.colouring !== target.value;
  });
}

fillPictures();
openCells();
moveOverMap();
