import util from 'node:util';

/**
 * Runs the synchronous `work` with a `util.isNullOrUndefined`, which the ops of tfjs-node 4.22 call: Node 22 warns of
 * it and Node 24 no longer has it. Node's own state is restored before this returns.
 */
export function withIsNullOrUndefined<T>(work: () => T): T {
  const name = 'isNullOrUndefined';
  const before = Object.getOwnPropertyDescriptor(util, name);
  const value = (argument: unknown): boolean => argument === null || argument === undefined;
  Object.defineProperty(util, name, { value, configurable: true, enumerable: true, writable: true });
  try {
    return work();
  } finally {
    if (before === undefined) Reflect.deleteProperty(util, name);
    else Object.defineProperty(util, name, before);
  }
}
