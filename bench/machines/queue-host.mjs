// @ts-check
// Some workers on a queue in one process, for queue.mjs: node queue-host.mjs URL PLAN WORKERS. It says when each unit
// ends, and what its own process took.
import { dist } from '../store/dist.mjs';

const { worker } = await dist('workflows/machines/queue/worker.js');
const [url = '', plan = '', count = '1'] = process.argv.slice(2);
const entry = new URL('./sleeping-network.mjs', import.meta.url);
const onUnit = (/** @type {{ outcome: string }} */ { outcome }) => process.send?.({ outcome, at: Date.now() });

await Promise.all(Array.from({ length: Number(count) }, () => worker(url, { plan }, { onUnit }, entry)));
process.disconnect();
