import { useEffect, useState } from 'preact/hooks';
import { percent } from '../../report/html/numbers.ts';
import type { ReviewState, Saved, SuspectCard } from '../api/studio-data.ts';
import { ask, useAttempt } from './ask.ts';
import { plural, ProblemLine, SavedLine, Select, Tile } from './parts.tsx';
import type { Shared } from './shared.ts';

function SuspectCard({
  suspect,
  snapshot,
  classes,
  open,
  decide,
}: {
  suspect: SuspectCard;
  snapshot: string;
  classes: readonly string[];
  open: (row: number) => void;
  decide: (label: string) => void;
}) {
  const { path, label, suggested, probability, decided } = suspect;
  const [other, setOther] = useState(suggested);
  return (
    <li class="card" aria-label={path} data-decided={decided ?? ''}>
      <Tile snapshot={snapshot} image={suspect} open={open} />
      <p>
        Labelled <strong>{label}</strong>; the others say <strong>{suggested}</strong> ({percent(probability)}
        ).
      </p>
      <p class={decided === null ? 'small' : ''}>
        {decided === null ? 'Not decided.' : decided === label ? `✓ It stays ${label}.` : `✓ It becomes ${decided}.`}
      </p>
      <div class="pager">
        <button type="button" aria-pressed={decided === label} onClick={() => decide(label)}>
          Keep {label}
        </button>
        <button type="button" aria-pressed={decided === suggested} onClick={() => decide(suggested)}>
          Make it {suggested}
        </button>
      </div>
      <div class="pager">
        <Select
          label={<span class="out">Another class for {path}</span>}
          value={other}
          options={classes.map((name) => [name, name])}
          choose={setOther}
        />
        <button type="button" onClick={() => decide(other)}>
          Set it<span class="out"> for {path}</span>
        </button>
      </div>
    </li>
  );
}

/** Suspected label errors: keep or change, and a file of labels that extract and run read. */
export function Review({ open, facts }: Shared) {
  const [state, setState] = useState<ReviewState | null>(null);
  const { problem, attempt } = useAttempt();
  const [saved, setSaved] = useState<Saved | null>(null);
  const [openOnly, setOpenOnly] = useState(false);

  const act = (work: Promise<ReviewState>): void => void attempt(work, setState);
  useEffect(() => act(ask('GET /api/review')), [facts.snapshot]);

  const decide = (path: string, label: string): void =>
    act(ask('POST /api/review/decisions', { body: { path, label } }));
  const shown = (state?.suspects ?? []).filter(({ decided }) => !openOnly || decided === null);
  return (
    <section aria-labelledby="review-title">
      <h2 id="review-title">Review</h2>
      <p>
        Images whose label the others contradict, by cross-validation over all images, the most suspect first. What you
        decide goes into a file of labels; your folders stay as they are.
      </p>
      <ProblemLine text={problem} />
      {state === null ? (
        problem === null && <p role="status">Looking for suspects…</p>
      ) : (
        <>
          <p aria-live="polite" id="review-state">
            {plural(state.suspects.length, 'suspect')}, about {state.labelErrors} wrong;{' '}
            {plural(state.decided, 'decision')}, {state.changed} of them change a label.
          </p>
          <div class="pager">
            <button type="button" disabled={!state.canUndo} onClick={() => act(ask('POST /api/review/undo'))}>
              Undo
            </button>
            <button type="button" onClick={() => void attempt(ask('POST /api/review/save'), setSaved)}>
              Save the labels
            </button>
            <label>
              <input
                type="checkbox"
                checked={openOnly}
                onChange={({ currentTarget }) => setOpenOnly(currentTarget.checked)}
              />{' '}
              only those not decided
            </label>
          </div>
          <SavedLine id="review-saved" saved={saved} />
          <ul class="suspects" aria-label="Suspects">
            {shown.map((suspect) => (
              <SuspectCard
                key={suspect.path}
                suspect={suspect}
                snapshot={state.snapshot}
                classes={state.classes}
                open={open}
                decide={(label) => decide(suspect.path, label)}
              />
            ))}
          </ul>
          {state.others.length > 0 && (
            <>
              <h3>Decided elsewhere</h3>
              <p class="small">Images that are no suspects, decided about where they were opened.</p>
              <ul class="suspects" aria-label="Decided elsewhere">
                {state.others.map((image) => (
                  <li key={image.path} class="card" aria-label={image.path}>
                    <Tile snapshot={state.snapshot} image={image} open={open} />
                    <p>
                      {image.decided === image.label ? `✓ It stays ${image.label}.` : `✓ It becomes ${image.decided}.`}
                    </p>
                    {image.decided !== image.label && (
                      <button type="button" onClick={() => decide(image.path, image.label)}>
                        Keep {image.label}
                        <span class="out"> for {image.path}</span>
                      </button>
                    )}
                  </li>
                ))}
              </ul>
            </>
          )}
        </>
      )}
    </section>
  );
}
