// @ts-check
// What do the rules of the lease cost a large run whose workers are killed now and then? Simulated, not run.
//   node bench/machines/simulate.mjs [--seconds 95] [--lease 60] [--check 15] [--replace 125] [--seeds 5]
// What is simulated, by discrete events:
//   - A unit takes --seconds, 10 % more or less. Workers are equally fast and take the next unit at once.
//   - A worker is killed after a time with an exponential distribution, and one that replaces it begins --replace seconds
//     later: a new machine, and the network loaded. Its unit is lost whole.
//   - A lost unit goes back when its lease has ended (--lease seconds after it was renewed last, which is done each half
//     lease) and the check for such units, each --check seconds, has come by twice: what BullMQ does.
//   - All begin at once, and the run ends with its last unit.
// What is not: listing, merging, disks, the network between machines, the queue's own time, machines that differ.
// Efficiency is the work of all units over the time of all workers. Prints the median over the seeds, and the extremes.
import { parseArgs } from 'node:util';
import { median } from '../median.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '95' },
    lease: { type: 'string', default: '60' },
    check: { type: 'string', default: '15' },
    replace: { type: 'string', default: '125' },
    seeds: { type: 'string', default: '5' },
  },
});
const [seconds, lease, check, replace, seeds] = [
  Number(values.seconds),
  Number(values.lease),
  Number(values.check),
  Number(values.replace),
  Number(values.seeds),
];
if (![seconds, lease, check, replace, seeds].every((value) => value > 0)) throw new Error('Numbers above 0, please.');

/** Uniform in [0, 1): mulberry32. @param {number} seed */
function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Something that will happen: a worker is done with its unit, is killed over it, begins anew; or a unit goes back.
 * @typedef {{ at: number, kind: 'done' | 'killed' | 'begins' | 'back', worker: number }} Happening
 */

/** The next of what will happen comes first: a binary heap. */
class Agenda {
  /** @type {Happening[]} */
  #heap = [];

  /** @param {Happening} happening */
  add(happening) {
    const heap = this.#heap;
    let i = heap.push(happening) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (at(heap, parent).at <= happening.at) break;
      heap[i] = at(heap, parent);
      i = parent;
    }
    heap[i] = happening;
  }

  next() {
    const heap = this.#heap;
    const first = at(heap, 0);
    const last = /** @type {Happening} */ (heap.pop());
    if (heap.length === 0) return first;
    let i = 0;
    for (let child = 1; child < heap.length; child = 2 * i + 1) {
      if (child + 1 < heap.length && at(heap, child + 1).at < at(heap, child).at) child++;
      if (last.at <= at(heap, child).at) break;
      heap[i] = at(heap, child);
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

/** @param {readonly Happening[]} heap @param {number} i */
const at = (heap, i) => /** @type {Happening} */ (heap[i]);

/**
 * One run to its end.
 * @param {{ workers: number, units: number, hoursBetweenKills: number, seed: number }} run
 */
function simulate({ workers, units, hoursBetweenKills, seed }) {
  const random = uniform(seed);
  const agenda = new Agenda();
  const lifetime = () => (hoursBetweenKills === Infinity ? Infinity : -Math.log(1 - random()) * hoursBetweenKills * 3600);
  const killedAt = Float64Array.from({ length: workers }, lifetime);
  /** @type {number[]} */
  const idle = [];
  let [waiting, done, started, kills, now] = [units, 0, 0, 0, 0];

  /** @param {number} worker */
  const takeUnit = (worker) => {
    if (waiting === 0) {
      idle.push(worker);
      return;
    }
    waiting--;
    started++;
    // Killed while it had nothing to do: it was replaced, and nothing was lost.
    if (Number(killedAt[worker]) < now) killedAt[worker] = now + lifetime();
    const end = Number(killedAt[worker]);
    const finished = now + seconds * (0.9 + 0.2 * random());
    agenda.add(finished < end ? { at: finished, kind: 'done', worker } : { at: end, kind: 'killed', worker });
  };
  for (let worker = 0; worker < workers; worker++) takeUnit(worker);
  while (done < units) {
    const { at: time, kind, worker } = agenda.next();
    now = time;
    if (kind === 'done') {
      done++;
      takeUnit(worker);
    } else if (kind === 'killed') {
      kills++;
      const left = lease - random() * (lease / 2);
      agenda.add({ at: now + left + check * (1 + random()), kind: 'back', worker });
      agenda.add({ at: now + replace, kind: 'begins', worker });
    } else if (kind === 'begins') {
      killedAt[worker] = now + lifetime();
      takeUnit(worker);
    } else {
      waiting++;
      const other = idle.pop();
      if (other !== undefined) takeUnit(other);
    }
  }
  return {
    efficiency: (units * seconds) / (workers * now),
    hours: now / 3600,
    kills,
    again: (started - units) / units,
  };
}

const RUNS = [
  { workers: 8, units: 160 },
  { workers: 8, units: 1000 },
  { workers: 100, units: 2000 },
  { workers: 100, units: 74_795 },
  { workers: 1000, units: 74_795 },
];
const KILLS = [
  { name: 'never', hours: Infinity },
  { name: 'each 6 hours', hours: 6 },
  { name: 'each hour', hours: 1 },
];

console.log(
  `simulated: units of ${seconds} s, lease ${lease} s, check each ${check} s, replaced after ${replace} s, ${seeds} seeds`,
);
console.log('kills a worker  workers   units  efficiency (least, most)     hours    kills  begun again');
for (const { name, hours } of KILLS) {
  for (const { workers, units } of RUNS) {
    const found = Array.from({ length: seeds }, (_, i) =>
      simulate({ workers, units, hoursBetweenKills: hours, seed: i + 1 }),
    );
    const of = (/** @type {keyof typeof found[0]} */ key) => found.map((one) => one[key]);
    const efficiency = of('efficiency');
    const range = `(${Math.min(...efficiency).toFixed(3)}, ${Math.max(...efficiency).toFixed(3)})`;
    console.log(
      [
        name.padEnd(14),
        String(workers).padStart(8),
        String(units).padStart(7),
        median(efficiency).toFixed(3).padStart(11),
        range.padEnd(16),
        median(of('hours')).toFixed(2).padStart(9),
        median(of('kills')).toFixed(0).padStart(8),
        `${(100 * median(of('again'))).toFixed(2)} %`.padStart(12),
      ].join(' '),
    );
  }
}
