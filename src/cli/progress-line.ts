import type { Listener, Progress } from '../core/listener.ts';
import { printable } from '../report/printable.ts';

const BAR = 24;

/** One line of progress: bar, counts, pace and the time left. */
export function progressText({ stage, done, total, perSecond, unit = 'images' }: Progress): string {
  const share = total === 0 ? 1 : done / total;
  const filled = Math.round(share * BAR);
  const bar = `${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}`;
  const left = perSecond > 0 ? (total - done) / perSecond : 0;
  const pace =
    perSecond > 0
      ? `  ${perSecond.toFixed(1)} ${unit}/s  ${left < 90 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} min`} left`
      : '';
  return `${stage} [${bar}] ${done}/${total}${pace}`;
}

export interface Terminal {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** Writes remarks, and on a terminal one line of progress that overwrites itself at most ten times a second. */
export function terminalListener(terminal: Terminal, quiet: boolean): Required<Listener> & { clear(): void } {
  let shown = false;
  let last = 0;
  const clear = (): void => {
    if (shown) terminal.write('\r\u001b[K');
    shown = false;
  };
  return {
    clear,
    note(text) {
      if (quiet) return;
      clear();
      terminal.write(`${printable(text)}\n`);
    },
    progress(state) {
      if (quiet || terminal.isTTY !== true) return;
      const now = performance.now();
      if (now - last < 100 && state.done < state.total) return;
      last = now;
      terminal.write(`\r${progressText(state).slice(0, (terminal.columns || 80) - 1)}\u001b[K`);
      shown = true;
    },
  };
}
