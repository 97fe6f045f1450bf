import type { Question, Told, WebAnswer, WebModel } from './model.ts';

export type { WebAnswer, WebModel } from './model.ts';

/** A head that answers in this browser: nothing is sent anywhere. */
export interface WebClassifier {
  readonly model: WebModel;
  /** Threads that it computes with: one, unless the page is isolated from those of other origins. */
  readonly threads: number;
  /**
   * What the head says of an image file, of pixels, or of what an element shows. Rejects with an Error where the
   * browser cannot decode it.
   */
  predict(image: Blob | ImageBitmapSource): Promise<WebAnswer>;
  close(): void;
}

/** Not in place below: the build would take it for a file of its own. */
const WORKER = './worker.js';

/** Loads the head that lies beside this file; `onProgress` hears of the bytes that are there. Rejects with an Error. */
export async function openClassifier(onProgress?: (loaded: number, total: number) => void): Promise<WebClassifier> {
  const worker = new Worker(new URL(WORKER, import.meta.url), { type: 'module' });
  const waiting = new Map<number, PromiseWithResolvers<WebAnswer>>();
  const opened = Promise.withResolvers<Told & { kind: 'opened' }>();
  worker.addEventListener('message', ({ data: told }: MessageEvent<Told>) => {
    if (told.kind === 'loading') onProgress?.(told.loaded, told.total);
    else if (told.kind === 'opened') opened.resolve(told);
    else if (told.kind === 'unopened') opened.reject(new Error(told.message));
    else {
      const asked = waiting.get(told.id);
      waiting.delete(told.id);
      if (told.kind === 'answer') asked?.resolve(told.answer);
      else asked?.reject(new Error(told.message));
    }
  });
  worker.addEventListener('error', ({ message }) => opened.reject(new Error(message || 'worker.js cannot be loaded')));
  const ask = (question: Question, owned: Transferable[] = []): void => worker.postMessage(question, owned);
  ask({ kind: 'open' });
  const { model, threads } = await opened.promise;
  let asked = 0;
  return {
    model,
    threads,
    async predict(image) {
      const given = image instanceof Blob ? image : await createImageBitmap(image, { premultiplyAlpha: 'none' });
      const id = asked++;
      const answer = Promise.withResolvers<WebAnswer>();
      waiting.set(id, answer);
      ask({ kind: 'predict', id, image: given }, given instanceof Blob ? [] : [given]);
      return answer.promise;
    },
    close: () => worker.terminate(),
  };
}
