// A process of its own, started by network-process.ts: it holds the network and extracts one unit after the other.
import { openUnitWorker } from '../../unit-worker.ts';
import { serveUnits } from './serve-units.ts';

serveUnits(openUnitWorker);
