import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { HeadFacts, StoreFacts } from '../api/studio-data.ts';
import { hashOf, usePlace } from './address.ts';
import { ask, seeThrough, useAttempt } from './ask.ts';
import { Browse } from './browse.tsx';
import { HeadChoice, useChosen } from './head-choice.tsx';
import { ImageDialog } from './image-dialog.tsx';
import { lastName, plural, ProblemLine, Select } from './parts.tsx';
import { Review } from './review.tsx';
import { SearchPage } from './search.tsx';
import { Sweep } from './sweep.tsx';
import { Teach } from './teach.tsx';
import { showTextAsItIs } from './visible-text.ts';

const PARTS = ['browse', 'search', 'teach', 'sweep', 'review'] as const;
const NAMES: Readonly<Record<(typeof PARTS)[number], string>> = {
  browse: 'Browse',
  search: 'Search',
  teach: 'Teach',
  sweep: 'Sweep',
  review: 'Review',
};

/** A cut, and its network where its name does not tell. */
const featuresInWords = (name: string, network: string): string =>
  name.startsWith(`${network}/`) ? name : `${name} of ${network}`;

function Studio() {
  const [store, setStore] = useState<{ facts: StoreFacts; heads: readonly HeadFacts[] } | null>(null);
  const { problem, attempt } = useAttempt();
  const [place, go] = usePlace();
  const [opened, setOpened] = useState<{ row: number; among: readonly number[] } | null>(null);
  const [chosen, choose] = useChosen(store?.heads ?? []);
  const refresh = (): Promise<void> => attempt(ask('GET /api/store'), setStore);
  useEffect(() => void refresh(), []);

  const part = PARTS.find((name) => name === place.part) ?? 'browse';
  useEffect(() => {
    document.title = `${NAMES[part]}: permafrost studio`;
  }, [part]);
  const begun = problem !== null && location.search !== '' && (
    <button
      type="button"
      onClick={() => {
        seeThrough('');
        void refresh();
      }}
    >
      Show what the studio began with
    </button>
  );
  if (store === null)
    return (
      <>
        <ProblemLine text={problem} />
        {begun}
      </>
    );
  const { facts, heads } = store;
  const shown = facts.features.find(({ name }) => name === facts.chosen)!;
  const seenThrough = facts.features.length > 1 ? featuresInWords(shown.name, shown.network) : shown.name;
  const open = (row: number, among: readonly number[] = []): void => setOpened({ row, among });
  const shared = { facts, heads, chosen, open, refresh };
  return (
    <>
      <header>
        <h1>permafrost studio</h1>
        <p class="summary">
          <span class="path" title={facts.dataset}>
            {lastName(facts.dataset)}
          </span>
          : {plural(facts.images, 'image')}, {plural(facts.classes.length, 'class', 'classes')}; {seenThrough} by{' '}
          {facts.engine}
        </p>
        {facts.features.length > 1 && (
          <Select
            label="Seen through"
            value={facts.chosen}
            options={facts.features.map(({ name, network }) => [name, featuresInWords(name, network)])}
            choose={(name) => {
              seeThrough(name);
              void refresh();
            }}
          />
        )}
        <nav aria-label="Parts of the studio">
          <ul>
            {PARTS.map((name) => (
              <li key={name}>
                <a href={hashOf({ part: name, settings: {} })} aria-current={name === part ? 'page' : undefined}>
                  {NAMES[name]}
                </a>
              </li>
            ))}
          </ul>
        </nav>
      </header>
      <main>
        <ProblemLine text={problem} />
        {begun}
        {(part === 'browse' || part === 'search') && (
          <HeadChoice facts={facts} heads={heads} chosen={chosen} choose={choose} refresh={refresh} />
        )}
        {part === 'browse' && (
          <Browse
            {...shared}
            settings={place.part === 'browse' ? place.settings : {}}
            change={(settings) => go({ part, settings })}
          />
        )}
        {part === 'search' && <SearchPage {...shared} />}
        {part === 'teach' && <Teach {...shared} />}
        {part === 'sweep' && <Sweep {...shared} />}
        {part === 'review' && <Review {...shared} />}
      </main>
      {opened !== null && (
        <ImageDialog
          facts={facts}
          row={opened.row}
          among={opened.among}
          heads={chosen}
          open={(row) => open(row, opened.among)}
          close={() => setOpened(null)}
        />
      )}
    </>
  );
}

showTextAsItIs();
render(<Studio />, document.getElementById('studio')!);
