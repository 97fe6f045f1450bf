import type { Listener } from '../core/listener.ts';

/** Reports counted work; `worked` units take the time, the others (reused, failed) cost next to nothing. */
export function progressMeter(stage: string, total: number, listener: Listener = {}, unit?: string) {
  const started = performance.now();
  let done = 0;
  let workedOn = 0;
  return {
    advance(units: number, worked: number): void {
      done += units;
      workedOn += worked;
      const seconds = (performance.now() - started) / 1000;
      const perSecond = workedOn === 0 ? 0 : workedOn / seconds;
      listener.progress?.({ stage, done, total, perSecond, ...(unit !== undefined && { unit }) });
    },
  };
}
