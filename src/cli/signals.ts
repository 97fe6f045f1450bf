import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';

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
  // Without a terminal none can close: so it is under `nohup`, of which Node forgets that it has the signal ignored.
  const terminals = [0, 1, 2].filter(isatty);
  process.on('exit', () => leaveGone(terminals));
  process.on('SIGHUP', () => {
    if (terminals.length > 0) controller.abort();
  });
  return controller;
}

/** Closes what led to a terminal that is gone: Node would set it back at its end, and abort as it cannot. */
function leaveGone(terminals: readonly number[]): void {
  for (const fd of terminals) if (!isatty(fd)) closeSync(fd);
}
