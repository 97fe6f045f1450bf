import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { progressText, terminalListener, type Terminal } from '../../src/cli/progress-line.ts';
import type { Progress } from '../../src/core/listener.ts';
import { ODD_NAME, ODD_SHOWN } from '../support/results.ts';

const state = (done: number, given: Partial<Progress> = {}): Progress => ({
  stage: 'extracting',
  done,
  total: 240,
  perSecond: 12.34,
  ...given,
});

describe('the text of progress', () => {
  it.each([
    [state(0, { perSecond: 0 }), 'extracting [........................] 0/240'],
    [state(60), 'extracting [######..................] 60/240  12.3 images/s  15 s left'],
    [state(239), 'extracting [########################] 239/240  12.3 images/s  1 s left'],
    [state(240), 'extracting [########################] 240/240  12.3 images/s  0 s left'],
    [state(60, { perSecond: 2 }), 'extracting [######..................] 60/240  2.0 images/s  2 min left'],
    [state(60, { perSecond: 0.01 }), 'extracting [######..................] 60/240  0.0 images/s  300 min left'],
    [state(0, { total: 0 }), 'extracting [########################] 0/0  12.3 images/s  0 s left'],
    [state(3, { stage: 'training knn', total: 8, perSecond: 0 }), 'training knn [#########...............] 3/8'],
  ])('of %j is %j', (progress, text) => expect(progressText(progress)).toBe(text));
});

/** A terminal that keeps what it was sent. */
function screen(given: Partial<Terminal> = {}): Terminal & { readonly sent: string[] } {
  const sent: string[] = [];
  return { isTTY: true, columns: 100, ...given, sent, write: (text) => sent.push(text) };
}

describe('progress on a terminal', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'], now: 1_000_000 }));
  afterEach(() => void vi.useRealTimers());

  it('overwrites one line, ten times a second at most, and shows the end always', () => {
    const terminal = screen();
    const on = terminalListener(terminal, false);
    vi.advanceTimersByTime(1000);
    on.progress(state(1));
    vi.advanceTimersByTime(99);
    on.progress(state(2));
    vi.advanceTimersByTime(1);
    on.progress(state(3));
    on.progress(state(240));
    expect(terminal.sent).toEqual([1, 3, 240].map((done) => `\r${progressText(state(done))}\u001b[K`));
  });

  it('makes way for a remark, and for the result', () => {
    const terminal = screen();
    const on = terminalListener(terminal, false);
    on.clear();
    on.note('one');
    vi.advanceTimersByTime(1000);
    on.progress(state(1));
    on.note('two');
    on.note('three');
    on.progress(state(240));
    on.clear();
    on.clear();
    const line = (done: number): string => `\r${progressText(state(done))}\u001b[K`;
    expect(terminal.sent).toEqual(['one\n', line(1), '\r\u001b[K', 'two\n', 'three\n', line(240), '\r\u001b[K']);
  });

  it.each([
    [40, 39],
    [undefined, 79],
    [0, 79], // a pseudo-terminal that was told no size
    [200, 94],
  ])('of %s columns keeps to its line', (columns, length) => {
    const terminal = screen({ columns });
    const long = state(240, { stage: 'a stage with a name of some length' });
    terminalListener(terminal, false).progress(long);
    expect(progressText(long)).toHaveLength(94);
    expect(terminal.sent).toEqual([`\r${progressText(long).slice(0, length)}\u001b[K`]);
  });

  it('is only for terminals; remarks go to files and pipes too', () => {
    for (const isTTY of [false, undefined]) {
      const pipe = screen({ isTTY });
      const on = terminalListener(pipe, false);
      on.progress(state(1));
      on.note('Engine: onnxruntime.');
      on.progress(state(240));
      on.clear();
      expect(pipe.sent).toEqual(['Engine: onnxruntime.\n']);
    }
  });

  it('is silent with --quiet, remarks and all', () => {
    const terminal = screen();
    const on = terminalListener(terminal, true);
    on.note('one');
    on.progress(state(1));
    on.progress(state(240));
    on.clear();
    expect(terminal.sent).toEqual([]);
  });

  it('hands no name to the terminal that it would obey', () => {
    const terminal = screen();
    terminalListener(terminal, false).note(`The store held ${ODD_NAME}.`);
    expect(terminal.sent).toEqual([`The store held ${ODD_SHOWN}.\n`]);
  });
});
