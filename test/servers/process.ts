import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A TCP port on the loopback address that nothing listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** User and group that it runs as; those of this process where they are absent. */
  readonly uid?: number;
  readonly gid?: number;
  /** Settles once it serves; asked again and again until it does not reject. */
  readonly isReady: () => Promise<unknown>;
  /** Milliseconds that it may take until then. */
  readonly withinMs?: number;
}

/** A server that this process started in the foreground. */
export interface ServerProcess {
  readonly pid: number;
  /** What it said on stdout and stderr. */
  readonly output: () => string;
  /** Sends a signal and waits for the end. What has ended already is left alone. */
  readonly end: (signal?: NodeJS.Signals) => Promise<void>;
}

const running = new Set<ChildProcess>();
// Test processes that end early must not leave servers behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

/** Starts a program and waits until it serves. Throws with its output where it ends or takes too long. */
export async function startServer(
  program: string,
  args: readonly string[],
  { env, cwd, uid, gid, isReady, withinMs = 20_000 }: StartOptions,
): Promise<ServerProcess> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  });
  await once(child, 'spawn');
  running.add(child);
  child.once('exit', () => running.delete(child));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-10_000)));
  }
  const server: ServerProcess = {
    pid: child.pid!,
    output: () => output,
    async end(signal = 'SIGTERM') {
      if (hasEnded(child)) return;
      const over = once(child, 'exit');
      child.kill(signal);
      // A paused process takes no other signal than this; a deaf one is not waited for.
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await over;
      clearTimeout(timer);
    },
  };
  for (const deadline = performance.now() + withinMs; ; await sleep(30)) {
    if (hasEnded(child)) throw new Error(`${program} ended at once: ${output}`);
    try {
      await isReady();
      return server;
    } catch (cause) {
      if (performance.now() < deadline) continue;
      await server.end('SIGKILL');
      throw new Error(`${program} did not serve within ${withinMs} ms: ${output}`, { cause });
    }
  }
}
