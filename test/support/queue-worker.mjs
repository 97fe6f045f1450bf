// @ts-check
// A worker on a queue, as the command starts one, with a network that sleeps: URL and options in, notes on stderr.
import { worker } from '../../dist/workflows/machines/queue/worker.js';

const [url, options, entry] = process.argv.slice(2);
const stopping = new AbortController();
process.on('SIGTERM', () => stopping.abort());
/** @param {string} text */
const note = (text) => void process.stderr.write(`${text}\n`);
try {
  const result = await worker(
    /** @type {string} */ (url),
    JSON.parse(/** @type {string} */ (options)),
    { signal: stopping.signal, listener: { note } },
    new URL(/** @type {string} */ (entry)),
  );
  process.stdout.write(`${JSON.stringify(result)}\n`);
} catch (error) {
  const { code, message } = /** @type {{ code?: string, message: string }} */ (error);
  process.stdout.write(`${JSON.stringify({ code: code ?? null, message })}\n`);
  process.exitCode = 1;
}
