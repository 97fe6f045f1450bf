import { answerElement, element } from './answer.ts';
import { watch } from './camera.ts';
import { openClassifier, type WebClassifier } from './classifier.ts';

/** Answers that the page keeps: each holds its picture. */
const KEPT = 100;

function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}
const [state, take, answers, about] = ['state', 'take', 'answers', 'about'].map((id) => byId(id)) as [
  HTMLElement,
  HTMLElement,
  HTMLElement,
  HTMLElement,
];
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

function remove(entry: Element): void {
  const picture = entry.querySelector('img');
  if (picture !== null) URL.revokeObjectURL(picture.src);
  entry.remove();
}

async function classify(classifier: WebClassifier, file: Blob & { readonly name?: string }): Promise<void> {
  const name = file.name ?? 'pasted image';
  const place = element('p', {}, 'Looking…');
  const entry = element('li', {}, element('img', { src: URL.createObjectURL(file), alt: name }), place);
  answers.prepend(entry);
  while (answers.childElementCount > KEPT) remove(answers.lastElementChild!);
  try {
    place.replaceWith(answerElement(await classifier.predict(file), classifier.model));
  } catch (error) {
    entry.querySelector('img')!.remove();
    place.replaceWith(element('p', { class: 'notice' }, `${name} is not read: ${reasonOf(error)}.`));
  }
}

function takeFiles(classifier: WebClassifier): void {
  const input = byId<HTMLInputElement>('files');
  const all = (files: Iterable<File>): void => {
    for (const file of files) void classify(classifier, file);
  };
  byId('choose').addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    all(input.files ?? []);
    input.value = '';
  });
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    take.classList.add('over');
  });
  document.addEventListener('dragleave', () => take.classList.remove('over'));
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    take.classList.remove('over');
    const files = event.dataTransfer?.files ?? [];
    if (files.length > 0) all(files);
    else state.textContent = 'What was dropped is no file: save the image and drop the file.';
  });
  document.addEventListener('paste', (event) => {
    const files = event.clipboardData?.files ?? [];
    if (files.length > 0) all(files);
    else state.textContent = 'The clipboard holds no image.';
  });
}

function takeCamera(classifier: WebClassifier): void {
  const [button, video, live] = [byId('camera'), byId<HTMLVideoElement>('video'), byId('live')];
  let watching: AbortController | undefined;
  const show = (on: boolean): void => {
    button.setAttribute('aria-pressed', String(on));
    button.textContent = on ? 'Stop the camera' : 'Use the camera';
    video.hidden = live.hidden = !on;
    live.replaceChildren();
  };
  button.addEventListener('click', () => {
    if (watching !== undefined) {
      watching.abort();
      return;
    }
    watching = new AbortController();
    show(true);
    watch(classifier, video, (answer) => live.replaceChildren(answerElement(answer, classifier.model)), watching.signal)
      .catch((error: unknown) => (state.textContent = `The camera cannot be used: ${reasonOf(error)}.`))
      .finally(() => {
        watching = undefined;
        show(false);
      });
  });
}

/** Keeps all files in the browser, so that the page opens without a network; gives the sentence that says so. */
async function keepOffline(): Promise<string> {
  if (!isSecureContext) return `It is kept for use without a network where it is opened by https.`;
  try {
    await navigator.serviceWorker.register('./service-worker.js');
    await navigator.serviceWorker.ready;
    return 'This page now opens without a network too.';
  } catch (error) {
    return `This page is not kept for use without a network: ${reasonOf(error)}.`;
  }
}

try {
  const classifier = await openClassifier((loaded, total) => {
    state.textContent = `Loading the classifier: ${megabytes(loaded)} of ${megabytes(total)} MB`;
  });
  const { title, classes, head, backbone, contracts, permafrost } = classifier.model;
  document.title = title;
  byId('title').textContent = title;
  takeFiles(classifier);
  takeCamera(classifier);
  for (const id of ['choose', 'camera']) byId<HTMLButtonElement>(id).disabled = false;
  const ready = `Ready. It tells ${classes.length} classes apart${classes.length <= 20 ? `: ${classes.join(', ')}` : ''}.`;
  state.textContent = ready;
  about.textContent = `Head ${head} on ${backbone}, preprocessing ${[...new Set(contracts.map(({ name }) => name))].join(' + ')}. Made by permafrost ${permafrost}.`;
  about.append(` ${await keepOffline()}`);
} catch (error) {
  state.className = 'notice';
  state.textContent = `The classifier cannot be loaded: ${reasonOf(error)}.`;
}
