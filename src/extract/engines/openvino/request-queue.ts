import { PermafrostError } from '../../../core/errors.ts';
import type { Handle } from './c-api.ts';
import type { OpenVino } from './runtime.ts';

/** What the requests of a compiled model must take and give: bytes of the one image, and the names of the outputs. */
export interface RequestLayout {
  readonly imageBytes: number;
  readonly outputs: readonly string[];
}

/** Infers one image, copied when its inference starts; `take` must copy the outputs, which are OpenVINO's. */
export type InferImage = (image: Uint8Array, take: (outputs: readonly Float32Array[]) => void) => Promise<void>;

export interface RequestQueue {
  readonly infer: InferImage;
  /** Values of each output for one image, in the order of the layout. */
  readonly widths: readonly number[];
  /** Frees the requests; nothing may be in flight. */
  free(): void;
}

/** A request with views of its own tensors, whose memory stays in place for as long as it lives. */
interface Slot {
  readonly request: Handle;
  readonly tensors: readonly Handle[];
  readonly input: Uint8Array;
  readonly outputs: readonly Float32Array[];
}

interface Job {
  readonly image: Uint8Array;
  readonly take: (outputs: readonly Float32Array[]) => void;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

function freeSlot(openVino: OpenVino, { request, tensors }: Pick<Slot, 'request' | 'tensors'>): void {
  for (const tensor of tensors) openVino.freeTensor(tensor);
  openVino.freeRequest(request);
}

function makeSlot(openVino: OpenVino, compiled: Handle, { imageBytes, outputs }: RequestLayout): Slot {
  const request = openVino.createRequest(compiled);
  const tensors: Handle[] = [];
  try {
    tensors.push(openVino.inputTensor(request));
    for (const name of outputs) tensors.push(openVino.namedTensor(request, name));
    const [input, ...results] = tensors.map((tensor) => openVino.tensorMemory(tensor));
    if (input!.byteLength !== imageBytes) {
      throw new PermafrostError(
        'ENGINE_FAILED',
        `OpenVINO's input takes ${input!.byteLength} bytes an image, expected ${imageBytes}: its release does not fit permafrost's graph.`,
      );
    }
    return {
      request,
      tensors,
      input: new Uint8Array(input!),
      outputs: results.map((memory) => new Float32Array(memory)),
    };
  } catch (error) {
    freeSlot(openVino, { request, tensors });
    throw error;
  }
}

/**
 * Keeps `size` requests of a compiled model of one image filled, first come, first served. OpenVINO queues the started
 * ones, so its streams go on while JavaScript is busy; one wait at a time occupies a single thread of libuv's pool.
 */
export function requestQueue(openVino: OpenVino, compiled: Handle, layout: RequestLayout, size: number): RequestQueue {
  const slots: Slot[] = [];
  try {
    while (slots.length < size) slots.push(makeSlot(openVino, compiled, layout));
  } catch (error) {
    for (const slot of slots) freeSlot(openVino, slot);
    throw error;
  }
  const idle = [...slots];
  const jobs: Job[] = [];
  const started: { slot: Slot; job: Job }[] = [];
  let collecting = false;

  function startJobs(): void {
    while (idle.length > 0 && jobs.length > 0) {
      const slot = idle.pop()!;
      const job = jobs.shift()!;
      try {
        slot.input.set(job.image);
        openVino.start(slot.request);
        started.push({ slot, job });
      } catch (error) {
        idle.push(slot);
        job.failed(error);
      }
    }
  }

  async function collect(): Promise<void> {
    collecting = true;
    for (let oldest = started.shift(); oldest !== undefined; oldest = started.shift()) {
      const { slot, job } = oldest;
      try {
        await openVino.wait(slot.request);
        job.take(slot.outputs);
        job.done();
      } catch (error) {
        job.failed(error);
      }
      idle.push(slot);
      startJobs();
    }
    collecting = false;
  }

  return {
    widths: slots[0]!.outputs.map(({ length }) => length),
    infer: (image, take) =>
      new Promise((done, failed) => {
        jobs.push({ image, take, done, failed });
        startJobs();
        if (!collecting) void collect();
      }),
    free() {
      for (const slot of slots) freeSlot(openVino, slot);
    },
  };
}
