import { readFileSync } from 'node:fs';

/** SIGHUP in the mask of ignored signals (proc(5), status). */
const HANGUP_BIT = 1n;

/**
 * Whether a closed terminal is to end this process: not where `nohup` or the like has it ignored, which Node does not
 * tell. Linux says it; elsewhere `nohup` leaves no stream on the terminal.
 */
function endsWithTerminal(): boolean {
  try {
    const [, mask] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (mask !== undefined) return (BigInt(`0x${mask}`) & HANGUP_BIT) === 0n;
  } catch {
    // no Linux, or /proc is not mounted
  }
  return [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
}

/**
 * A controller that the first Ctrl-C, SIGTERM or closed terminal aborts, so that the work ends cleanly. Another Ctrl-C
 * or SIGTERM calls `end`; a terminal that closes sends its signal more than once, which hurries nobody.
 */
export function interruptible(end: () => void): AbortController {
  const controller = new AbortController();
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (asked) end();
      asked = true;
      controller.abort();
    });
  }
  if (endsWithTerminal()) process.on('SIGHUP', () => controller.abort());
  return controller;
}
