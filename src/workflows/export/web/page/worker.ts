import type * as Runtime from 'onnxruntime-web';
import type { Question, Told, WebAnswer, WebModel } from './model.ts';
import { pixelsOf } from './pixels.ts';
import { shrunk } from './shrink.ts';

/** Half the processors, for other pages; more than four gain little on one image. */
const THREADS = Math.min(4, Math.ceil(navigator.hardwareConcurrency / 2));

const beside = (name: string): string => new URL(name, import.meta.url).href;
const tell = (told: Told): void => self.postMessage(told);
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function fetched(name: string): Promise<Response> {
  const answer = await fetch(beside(name));
  if (!answer.ok) throw new Error(`${name} cannot be loaded: the server says ${answer.status} ${answer.statusText}`);
  return answer;
}

/** The bytes of the model, while the page is told how many are there. */
async function modelBytes({ file, bytes }: WebModel): Promise<Uint8Array> {
  const answer = await fetched(file);
  const model = new Uint8Array(bytes);
  let loaded = 0;
  const reader = answer.body!.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (loaded + part.value.length > bytes) break;
    model.set(part.value, loaded);
    loaded += part.value.length;
    tell({ kind: 'loading', loaded, total: bytes });
  }
  if (loaded !== bytes) throw new Error(`${file} should have ${bytes} bytes: the files here are of different exports`);
  return model;
}

interface Opened {
  readonly model: WebModel;
  readonly runtime: typeof Runtime;
  readonly session: Runtime.InferenceSession;
}

async function open(): Promise<Opened> {
  const model = (await (await fetched('model.json')).json()) as WebModel;
  const runtime = (await import(/* @vite-ignore */ beside('runtime/ort.js'))) as typeof Runtime;
  const threads = self.crossOriginIsolated ? THREADS : 1;
  runtime.env.wasm.numThreads = threads;
  runtime.env.wasm.wasmPaths = { mjs: beside('runtime/ort-wasm.js'), wasm: beside('runtime/ort.wasm') };
  const session = await runtime.InferenceSession.create(await modelBytes(model), { executionProviders: ['wasm'] });
  tell({ kind: 'opened', model, threads });
  return { model, runtime, session };
}

async function answer({ model, runtime, session }: Opened, image: Blob | ImageBitmap): Promise<WebAnswer> {
  const { contracts } = model;
  const pixels = await pixelsOf(image, contracts[0]);
  const started = performance.now();
  const { data, width, height } = contracts.length === 1 ? shrunk(pixels, contracts[0]) : pixels;
  const input = new runtime.Tensor('uint8', data, [1, height, width, 3]);
  const outputs = await session.run({ [session.inputNames[0]!]: input });
  const probabilities = outputs['probabilities']!.data as Float32Array;
  const best = probabilities.indexOf(Math.max(...probabilities));
  const novelty = outputs['novelty']?.data[0] as number | undefined;
  return {
    label: model.classes[best]!,
    probability: probabilities[best]!,
    probabilities: Object.fromEntries(model.classes.map((label, i) => [label, probabilities[i]!])),
    unusual: outputs['unknown']?.data[0] === 1,
    novelty: novelty ?? null,
    milliseconds: performance.now() - started,
  };
}

let opened: Promise<Opened> | undefined;
/** One image after the other: the runtime runs one at a time. */
let last: Promise<void> = Promise.resolve();

async function reply(question: Question & { kind: 'predict' }): Promise<void> {
  const { id, image } = question;
  try {
    tell({ kind: 'answer', id, answer: await answer(await opened!, image) });
  } catch (error) {
    tell({ kind: 'problem', id, message: reasonOf(error) });
  }
}

self.addEventListener('message', ({ data: question }: MessageEvent<Question>) => {
  if (question.kind === 'open') {
    opened = open();
    opened.catch((error: unknown) => tell({ kind: 'unopened', message: reasonOf(error) }));
  } else last = last.then(() => reply(question));
});
