// The script of the page to try the service. What comes from images, heads and answers becomes text, never markup.

/**
 * @typedef {{ label: string, probability: number, unknown: boolean, top: { label: string, probability: number }[],
 *   strangeness: { measure: string, value: number, threshold: number } | null,
 *   neighbors: { path: string, label: string, distance: number }[] }} Answer
 * @typedef {{ name: string, head: string, classes: string[], backbone: string, contract: string }} Head
 * @typedef {{ name: string, in: string, description?: string, schema: { type?: string, default?: unknown } }} Parameter
 * @typedef {{ summary: string, parameters?: Parameter[], responses: Record<string, { description: string }> }} Route
 */

/** @type {(id: string) => HTMLElement} */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @type {(id: string) => HTMLInputElement} */
const input = (id) => /** @type {HTMLInputElement} */ (byId(id));

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

const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`;

let token = '';

/** @param {string} problem */
const say = (problem) => (byId('problem').textContent = problem);

/**
 * Asks the service with the token, if there is one; gives its JSON. Throws its sentence.
 * @param {string} address @param {RequestInit} [init]
 */
async function ask(address, init = {}) {
  const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(address, { ...init, headers }).catch(() => {
    throw new Error('The service does not answer. Is it still running?');
  });
  const document = await answer.json();
  byId('raw').textContent = `${answer.status}\n${JSON.stringify(document, null, 1)}`;
  if (answer.status === 401) byId('access').hidden = false;
  if (document.error !== undefined) throw new Error(`${document.error.message} [${document.error.code}]`);
  return document;
}

async function showHeads() {
  /** @type {{ heads: Head[] }} */
  const { heads } = await ask('/heads');
  byId('access').hidden = true;
  byId('head').replaceChildren(...heads.map(({ name }) => element('option', '', name)));
  const [first] = heads;
  if (first === undefined) return;
  const count = heads.length === 1 ? '' : ` and ${heads.length - 1} more`;
  byId('facts').textContent =
    `${first.name}${count}: ${first.head} on ${first.backbone}, ${first.classes.length} classes, contract ${first.contract}`;
}

/** What is asked of one image or many. */
function address() {
  const query = new URLSearchParams();
  for (const id of ['head', 'top', 'neighbors']) query.set(id, input(id).value);
  return `/predict?${query}`;
}

function showCurl() {
  const secret = token === '' ? '' : ' -H "Authorization: Bearer TOKEN"';
  byId('curl').textContent = `curl -F image=@photo.jpg${secret} "${location.origin}${address()}"`;
}

/** @param {Answer} answer */
function words({ unknown, strangeness }) {
  if (strangeness === null) return '';
  const { measure, value, threshold } = strangeness;
  return `${unknown ? 'unknown' : 'as usual'}: ${measure} ${value.toPrecision(3)}, unknown above ${threshold.toPrecision(3)}`;
}

/** @param {{ label: string, probability: number }} one */
function bar({ label, probability }) {
  const progress = document.createElement('progress');
  progress.value = probability;
  progress.setAttribute('aria-label', label);
  return element('div', 'bar', element('span', '', label), progress, element('span', '', percent(probability)));
}

/**
 * @param {File} file
 * @param {Answer & { name: string, error?: { code: string, message: string } }} answer
 */
function shown(file, answer) {
  const picture = document.createElement('img');
  picture.alt = '';
  picture.src = URL.createObjectURL(file);
  picture.addEventListener('load', () => URL.revokeObjectURL(picture.src));
  const parts =
    answer.error === undefined
      ? [
          element('h3', '', `${answer.label}, ${percent(answer.probability)}`),
          element('p', '', `${file.name}. ${words(answer)}`),
          ...answer.top.map(bar),
          ...answer.neighbors.map(({ label, path, distance }) =>
            element('p', '', `${distance.toFixed(3)} ${label}: ${path}`),
          ),
        ]
      : [element('h3', '', file.name), element('p', '', `${answer.error.message} [${answer.error.code}]`)];
  return element('div', 'answer', picture, element('div', '', ...parts));
}

/** @param {readonly File[]} files */
async function predict(files) {
  if (files.length === 0) return;
  const form = new FormData();
  for (const file of files) form.append('image', file);
  say('');
  byId('answers').replaceChildren(element('p', '', 'Asking …'));
  try {
    const { answers } = await ask(address(), { method: 'POST', body: form });
    byId('answers').replaceChildren(...files.map((file, i) => shown(file, answers[i])));
  } catch (error) {
    byId('answers').replaceChildren();
    say(/** @type {Error} */ (error).message);
  }
}

/** @param {string} path @param {string} method @param {Route} route */
function routeShown(path, method, { summary, parameters = [], responses }) {
  const rows = [
    ...parameters.map(({ name, in: where, description = '', schema }) => [
      `${name} (${where})`,
      `${description}${schema.default === undefined ? '' : ` Default: ${schema.default}.`}`,
    ]),
    ...Object.entries(responses).map(([status, { description }]) => [status, description]),
  ];
  const table = element(
    'table',
    '',
    ...rows.map(([name = '', text = '']) => element('tr', '', element('td', '', name), element('td', '', text))),
  );
  const title = element('summary', '', element('code', '', `${method.toUpperCase()} ${path}`), ` ${summary}`);
  return element('details', 'route', title, table);
}

async function showRoutes() {
  /** @type {{ paths: Record<string, Record<string, Route>> }} */
  const { paths } = await (await fetch('/openapi.json')).json();
  for (const [path, methods] of Object.entries(paths))
    for (const [method, route] of Object.entries(methods)) byId('routes').append(routeShown(path, method, route));
}

const chosen = (/** @type {FileList | undefined | null} */ list) => predict([...(list ?? [])]);

input('files').addEventListener('change', () => chosen(input('files').files));
const drop = byId('drop');
for (const name of ['dragover', 'dragleave', 'drop'])
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle('over', name === 'dragover');
  });
drop.addEventListener('drop', (event) => chosen(event.dataTransfer?.files));
document.addEventListener('paste', (event) => chosen(event.clipboardData?.files));
for (const id of ['head', 'top', 'neighbors']) byId(id).addEventListener('change', showCurl);
byId('access').addEventListener('submit', (event) => {
  event.preventDefault();
  token = input('token').value;
  say('');
  start();
});

function start() {
  showHeads().then(showCurl, (/** @type {Error} */ error) => say(error.message));
}
start();
showRoutes().catch((/** @type {Error} */ error) => say(error.message));
