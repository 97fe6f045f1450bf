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
  const hasTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
  process.on('SIGHUP', () => {
    if (hasTerminal) controller.abort();
  });
  return controller;
}
