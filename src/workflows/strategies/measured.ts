/** How often the memory is looked at, in milliseconds. */
const EVERY_MS = 50;

/** What some work gave, its seconds, and the most bytes that the process was seen to hold meanwhile. */
export interface Measured<T> {
  readonly value: T;
  readonly seconds: number;
  /** Resident memory of the whole process, its threads included: what earlier work left in it counts too. */
  readonly peakBytes: number;
}

/** Does the work and measures it. Rejects as the work does. */
export async function measured<T>(work: () => Promise<T>): Promise<Measured<T>> {
  let peakBytes = 0;
  const look = (): void => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  };
  look();
  const timer = setInterval(look, EVERY_MS);
  const started = performance.now();
  try {
    const value = await work();
    return { value, seconds: (performance.now() - started) / 1000, peakBytes: (look(), peakBytes) };
  } finally {
    clearInterval(timer);
  }
}
