import type { OnnxGraph } from '../../core/onnx-model.ts';
import { createSession, type OnnxSession } from '../../core/onnxruntime.ts';

/**
 * A session of ONNX Runtime for arithmetic, `threads` 0: one per core. `arena`: results take the memory of earlier
 * ones, which the session keeps, up to twice its largest run. Throws PACKAGE_MISSING, ENGINE_FAILED.
 */
export function mathSession(
  graph: OnnxGraph,
  threads: number,
  { arena = false }: { readonly arena?: boolean } = {},
): Promise<OnnxSession> {
  // Without the arena a large result goes back to the system, not into a pool. Threads sleep while they wait: spinning
  // would take the cores from others, the next product included.
  return createSession(graph, {
    enableCpuMemArena: arena,
    intraOpNumThreads: threads,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
}

/** What `make` gives for a key, made once; a failed start is not remembered, so that the next call tries again. */
export function sessionCache(): (key: string, make: () => Promise<OnnxSession>) => Promise<OnnxSession> {
  const sessions = new Map<string, Promise<OnnxSession>>();
  return (key, make) => {
    let session = sessions.get(key);
    if (session === undefined) {
      session = make();
      session.catch(() => sessions.delete(key));
      sessions.set(key, session);
    }
    return session;
  };
}
