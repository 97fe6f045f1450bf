import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath, pathToFileURL } from 'node:url';

const SCRIPT = fileURLToPath(new URL('./fuzzed-reader.mjs', import.meta.url));
const DIST = pathToFileURL(fileURLToPath(new URL('../../dist', import.meta.url))).href;

export interface Fuzzing {
  readonly reader: string;
  /** The intact file. Its damaged copies lie beside it, under `context.name` or the name "damaged". */
  readonly file: string;
  readonly cases: number;
  readonly seed?: number;
  readonly context?: Readonly<Record<string, unknown>>;
  /** Milliseconds that one case may take. */
  readonly caseMs?: number;
}

/** What a reader made of one damaged file. */
export interface FuzzCase {
  /** Number and kind of the damage, enough to repeat it. */
  readonly damage: string;
  /** "ok" with the digest of what was read, an error code, "broke: ..." for any other error, "hung" or "died". */
  readonly outcome: string;
}

/** Cases of `fuzzing` in a process that is ended when one of them hangs; then the rest goes on in another. */
export async function fuzz({ caseMs = 20_000, seed = 1, ...fuzzing }: Fuzzing): Promise<FuzzCase[]> {
  const found: FuzzCase[] = [];
  for (let from = 0; from < fuzzing.cases; from = found.length) {
    const orders = JSON.stringify({ dist: DIST, ...fuzzing, seed, from, cases: fuzzing.cases - from });
    const child = spawn(process.execPath, ['--max-old-space-size=1024', SCRIPT, orders], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [text, stderr, hung] = ['', '', false];
    const arm = (): NodeJS.Timeout =>
      setTimeout(() => {
        hung = true;
        child.kill('SIGKILL');
      }, caseMs);
    let timer = arm();
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      clearTimeout(timer);
      timer = arm();
    });
    child.stderr.setEncoding('utf8').on('data', (more: string) => (stderr += more));
    await once(child, 'close');
    clearTimeout(timer);
    const lines = text.split('\n').filter((line) => line !== '');
    for (let i = 0; i < lines.length; i += 2) {
      const end = lines[i + 1];
      const outcome = end?.replace(/^\d+ /, '') ?? (hung ? 'hung' : `died: ${stderr.slice(-300)}`);
      found.push({ damage: lines[i]!, outcome });
    }
    if (lines.length === 0) throw new Error(`The reader's process did not begin: ${stderr}`);
  }
  return found;
}
