// Preloaded into a process (--import): a thousand times as much time passes as by the clock.
const now = performance.now.bind(performance);
performance.now = () => now() * 1000;
