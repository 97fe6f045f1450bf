import { useEffect, useState } from 'preact/hooks';
import type { BrowsePage } from '../api/studio-data.ts';
import { ask, sentenceOf } from './ask.ts';
import type { Shared } from './shared.ts';
import { percent, plural, ProblemLine, Tile, TypedInput } from './parts.tsx';

interface BrowseProps extends Shared {
  readonly settings: Readonly<Record<string, string>>;
  readonly change: (settings: Readonly<Record<string, string>>) => void;
}

/** Filter and pages of the store's images. */
export function Browse({ facts, heads, settings, change, open }: BrowseProps) {
  /** The page, and the filter that it answers. */
  const [{ page, shown }, setPage] = useState<{ page: BrowsePage | null; shown: string }>({
    page: null,
    shown: '',
  });
  const [problem, setProblem] = useState<string | null>(null);
  const judges = heads.filter((head) => head.problem === null);
  const set = (key: string, value: string): void => change({ ...settings, page: '', [key]: value });
  const choose =
    (key: string) =>
    (event: Event): void =>
      set(key, (event.currentTarget as HTMLSelectElement).value);

  useEffect(() => {
    const stop = new AbortController();
    ask('GET /api/images', { query: settings, signal: stop.signal }).then(
      (found) => {
        setPage({ page: found, shown: JSON.stringify(settings) });
        setProblem(null);
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setProblem(sentenceOf(error));
      },
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
  const turn = (to: number) => (
    <button
      type="button"
      disabled={page === null || to < 1 || to > page.pages}
      onClick={() => change({ ...settings, page: String(to) })}
    >
      {to < (page?.page ?? 0) ? 'Previous page' : 'Next page'}
    </button>
  );
  return (
    <section aria-labelledby="browse-title" data-shown={shown}>
      <h2 id="browse-title">Browse</h2>
      <form class="filter" aria-label="Filter" onSubmit={(event) => event.preventDefault()}>
        <label>
          Class
          <select value={settings.label ?? ''} onChange={choose('label')}>
            <option value="">all</option>
            {facts.classes.map(({ label, images }) => (
              <option key={label} value={label}>
                {label} ({images})
              </option>
            ))}
          </select>
        </label>
        <label>
          Split
          <select value={settings.split ?? ''} onChange={choose('split')}>
            <option value="">all</option>
            {Object.entries(facts.splits).map(([split, images]) => (
              <option key={split} value={split}>
                {split} ({images})
              </option>
            ))}
          </select>
        </label>
        <label>
          Path contains
          <TypedInput kind={{ type: 'search' }} value={settings.path ?? ''} done={(value) => set('path', value)} />
        </label>
        <label>
          Judged by
          <select value={settings.head ?? ''} onChange={choose('head')}>
            <option value="">no head</option>
            {judges.map(({ id }) => (
              <option key={id} value={id}>
                {id.replace('.safetensors', '')}
              </option>
            ))}
          </select>
        </label>
        {judged && (
          <>
            <label>
              Verdict
              <select value={settings.verdict ?? ''} onChange={choose('verdict')}>
                <option value="">right or wrong</option>
                <option value="right">right</option>
                <option value="wrong">wrong</option>
              </select>
            </label>
            <label>
              Taken for
              <select value={settings.predicted ?? ''} onChange={choose('predicted')}>
                <option value="">any class</option>
                {judges
                  .find(({ id }) => id === settings.head)
                  ?.classes.map((label) => (
                    <option key={label}>{label}</option>
                  ))}
              </select>
            </label>
            {probability('Confidence from', 'least', '0')}
            {probability('to', 'most', '1')}
            <label>
              Order
              <select value={settings.order ?? ''} onChange={choose('order')}>
                <option value="">by path</option>
                <option value="surest">surest first</option>
                <option value="unsurest">unsurest first</option>
              </select>
            </label>
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
                <Tile
                  snapshot={page.snapshot}
                  image={image}
                  open={(row) =>
                    open(
                      row,
                      page.rows.map((one) => one.row),
                    )
                  }
                >
                  {image.verdict !== null && (
                    <span class={image.verdict.label === image.label ? 'verdict' : 'verdict wrong'}>
                      {image.verdict.label === image.label ? '✓ ' : '✗ '}
                      {image.verdict.label} {percent(image.verdict.probability)}
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
