import { useState } from 'preact/hooks';
import type { HeadFacts, StoreFacts } from '../api/studio-data.ts';
import { ask, useAttempt } from './ask.ts';
import { ProblemLine, Select } from './parts.tsx';

const KEY = 'permafrost-heads';
/** Heads that are trained on demand: those that take milliseconds to seconds. */
const TRAINABLE = ['logistic', 'linear-svm', 'ridge', 'lda', 'knn', 'centroid', 'softmax', 'mlp'];

/** Heads that answer, kept by the browser; until the user chooses, the first three usable ones. */
export function useChosen(heads: readonly HeadFacts[]): [readonly string[], (ids: readonly string[]) => void] {
  const [ids, setIds] = useState<readonly string[] | null>(() => {
    const text = localStorage.getItem(KEY);
    return text === null ? null : text.split('\n').filter((id) => id !== '');
  });
  const usable = heads.filter(({ problem }) => problem === null).map(({ id }) => id);
  const chosen = ids === null ? usable.slice(0, 3) : ids.filter((id) => usable.includes(id));
  return [
    chosen,
    (next) => {
      localStorage.setItem(KEY, next.join('\n'));
      setIds(next);
    },
  ];
}

/** Which heads answer, and training another one. */
export function HeadChoice({
  facts,
  heads,
  chosen,
  choose,
  refresh,
}: {
  facts: StoreFacts;
  heads: readonly HeadFacts[];
  chosen: readonly string[];
  choose: (ids: readonly string[]) => void;
  refresh: () => Promise<void>;
}) {
  const [asked, setRequest] = useState({ head: 'logistic', pooling: 'avg', on: 'chosen' });
  const poolings: readonly string[] = facts.features.find(({ name }) => name === facts.chosen)!.poolings;
  const severalNetworks = new Set(facts.features.map(({ network }) => network)).size > 1;
  const request = { ...asked, pooling: poolings.includes(asked.pooling) ? asked.pooling : poolings[0]! };
  const [busy, setBusy] = useState(false);
  const { problem, attempt } = useAttempt();
  async function train(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    await attempt(ask('POST /api/heads', { body: request }), async ({ id }) => {
      await refresh();
      choose([...chosen.filter((other) => other !== id), id]);
    });
    setBusy(false);
  }
  return (
    <details class="heads">
      <summary>
        Heads that answer:{' '}
        {chosen.length === 0 ? 'none' : chosen.map((id) => id.replace('.safetensors', '')).join(', ')}
      </summary>
      <fieldset>
        <legend>Heads of this store</legend>
        {heads.length === 0 && <p>There is none yet: train one here.</p>}
        {heads.map(({ id, problem: why, classes, trained }) => (
          <label key={id}>
            <input
              type="checkbox"
              checked={chosen.includes(id)}
              disabled={why !== null}
              onChange={({ currentTarget }) =>
                choose(currentTarget.checked ? [...chosen, id] : chosen.filter((other) => other !== id))
              }
            />{' '}
            {id.replace('.safetensors', '')}{' '}
            <span class="small">{why ?? `${classes.length} classes, ${trained} images`}</span>
          </label>
        ))}
      </fieldset>
      <form onSubmit={(event) => void train(event)} aria-label="Train a head">
        <Select
          label="Train"
          value={request.head}
          options={TRAINABLE.map((name) => [name, name])}
          choose={(head) => setRequest({ ...request, head })}
        />
        <Select
          label="on"
          value={request.pooling}
          options={poolings.map((name) => [name, name])}
          choose={(pooling) => setRequest({ ...request, pooling })}
        />
        {severalNetworks && (
          <Select
            label="of"
            value={request.on}
            options={[
              ['chosen', facts.chosen],
              ['all', 'all networks side by side'],
            ]}
            choose={(on) => setRequest({ ...request, on })}
          />
        )}
        <button type="submit" disabled={busy}>
          {busy ? 'Training…' : 'Train it'}
        </button>
      </form>
      <ProblemLine text={problem} />
    </details>
  );
}
