import { useEffect, useState } from 'preact/hooks';
import { percent } from '../../report/html/numbers.ts';
import type { BrowsePage } from '../api/studio-data.ts';
import { ask, useAttempt } from './ask.ts';
import type { Shared } from './shared.ts';
import { plural, ProblemLine, Select, Tile, TypedInput } from './parts.tsx';

interface BrowseProps extends Shared {
  readonly settings: Readonly<Record<string, string>>;
  readonly change: (settings: Readonly<Record<string, string>>) => void;
}

/** Filter and pages of the store's images. */
export function Browse({ facts, heads, settings, change, open }: BrowseProps) {
  /** The page, and the filter that it answers. */
  const [{ page, shown }, setPage] = useState<{ page: BrowsePage | null; shown: string }>({ page: null, shown: '' });
  const { problem, attempt } = useAttempt();
  const judges = heads.filter((head) => head.problem === null);
  const set = (key: string, value: string): void => change({ ...settings, page: '', [key]: value });

  useEffect(() => {
    const stop = new AbortController();
    void attempt(
      ask('GET /api/images', { query: settings, signal: stop.signal }),
      (found) => setPage({ page: found, shown: JSON.stringify(settings) }),
      stop.signal,
    );
    return () => stop.abort();
  }, [JSON.stringify(settings), facts.snapshot]);

  const judged = (settings.head ?? '') !== '';
  const probability = (name: string, key: 'least' | 'most', otherwise: string) => (
    <label>
      {name}
      <TypedInput
        kind={{ type: 'number', min: '0', max: '1', step: '0.05' }}
        value={settings[key] ?? otherwise}
        done={(value) => set(key, value)}
      />
    </label>
  );
  const select = (label: string, key: string, all: string, options: readonly (readonly [string, string])[]) => (
    <Select
      label={label}
      value={settings[key] ?? ''}
      options={[['', all], ...options]}
      choose={(value) => set(key, value)}
    />
  );
  const turn = (to: number) => (
    <button
      type="button"
      disabled={page === null || to < 1 || to > page.pages}
      onClick={() => change({ ...settings, page: String(to) })}
    >
      {to < (page?.page ?? 0) ? 'Previous page' : 'Next page'}
    </button>
  );
  const rows = page?.rows.map(({ row }) => row);
  return (
    <section aria-labelledby="browse-title" data-shown={shown}>
      <h2 id="browse-title">Browse</h2>
      <form aria-label="Filter" onSubmit={(event) => event.preventDefault()}>
        {select(
          'Class',
          'label',
          'all',
          facts.classes.map(({ label, images }) => [label, `${label} (${images})`]),
        )}
        {select(
          'Split',
          'split',
          'all',
          Object.entries(facts.splits).map(([split, images]) => [split, `${split} (${images})`]),
        )}
        <label>
          Path contains
          <TypedInput kind={{ type: 'search' }} value={settings.path ?? ''} done={(value) => set('path', value)} />
        </label>
        {select(
          'Judged by',
          'head',
          'no head',
          judges.map(({ id }) => [id, id.replace('.safetensors', '')]),
        )}
        {judged && (
          <>
            {select('Verdict', 'verdict', 'right or wrong', [
              ['right', 'right'],
              ['wrong', 'wrong'],
            ])}
            {select(
              'Taken for',
              'predicted',
              'any class',
              (judges.find(({ id }) => id === settings.head)?.classes ?? []).map((label) => [label, label]),
            )}
            {probability('Confidence from', 'least', '0')}
            {probability('to', 'most', '1')}
            {select('Order', 'order', 'by path', [
              ['surest', 'surest first'],
              ['unsurest', 'unsurest first'],
            ])}
          </>
        )}
      </form>
      <ProblemLine text={problem} />
      {page !== null && (
        <>
          <p aria-live="polite">
            {plural(page.total, 'image')}, page {page.page} of {page.pages}
          </p>
          <ul class="tiles" aria-label="Images">
            {page.rows.map((image) => (
              <li key={image.row}>
                <Tile snapshot={page.snapshot} image={image} open={(row) => open(row, rows)}>
                  {image.verdict !== null && (
                    <span class={image.verdict.label === image.label ? 'verdict' : 'verdict wrong'}>
                      {image.verdict.label === image.label ? '✓ ' : '✗ '}
                      {image.verdict.label} {percent(image.verdict.probability)}
                      {image.verdict.outOfFold
                        ? ' (by a head that had not seen it)'
                        : image.verdict.trainedOn === true && ' (trained on)'}
                    </span>
                  )}
                </Tile>
              </li>
            ))}
          </ul>
          <div class="pager">
            {turn(page.page - 1)} {turn(page.page + 1)}
          </div>
        </>
      )}
    </section>
  );
}
