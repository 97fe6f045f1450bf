// A process of its own, started by keras-h5-process.ts: it reads one weights file, and can be ended at any time.
import { PermafrostError } from '../../core/errors.ts';
import { NO_BYTES } from '../isolated/parcels.ts';
import { serveTasks } from '../isolated/serve-tasks.ts';
import { expectedTensors } from './fit-weights.ts';
import type { H5Answer, H5Job } from './keras-h5-process.ts';
import { openKerasH5 } from './keras-h5.ts';

async function read({ path, backbone }: H5Job): Promise<H5Answer> {
  try {
    const file = await openKerasH5(path, backbone);
    const shapes = new Map(expectedTensors(backbone).map(({ name, shape }) => [name, shape.join()]));
    return {
      tensors: [...file.tensors].map(([name, tensor]) => {
        const { dtype, shape } = tensor;
        const isWanted = dtype === 'F32' && shapes.get(name) === shape.join();
        return [name, { dtype, shape, ...(isWanted && { data: tensor.read() }) }] as const;
      }),
      notes: file.notes,
    };
  } catch (error) {
    if (!(error instanceof PermafrostError)) throw error;
    return { code: error.code, message: error.message };
  }
}

serveTasks(async (job: H5Job) => ({ content: await read(job), bytes: NO_BYTES }));
