import { useEffect, useRef, useState } from 'preact/hooks';
import type { ImageView, StoreFacts } from '../api/studio-data.ts';
import { addresses } from '../api/api.ts';
import { ask, useAttempt } from './ask.ts';
import { HeadAnswers, NearImages, ProblemLine } from './parts.tsx';

/** The label that an image shall have in the review's list of labels. */
function LabelChoice({ view, classes }: { view: ImageView; classes: readonly string[] }) {
  const [decided, setDecided] = useState(view.decided);
  const [label, setLabel] = useState(view.decided ?? view.label);
  const { problem, attempt } = useAttempt();
  return (
    <form
      aria-label="Label"
      onSubmit={(event) => {
        event.preventDefault();
        const { snapshot, row } = view;
        void attempt(
          ask('PUT /api/images/:snapshot/:row/label', { params: { snapshot, row }, body: { label } }),
          (found) => setDecided(found.decided),
        );
      }}
    >
      <label>
        It should be
        <input list="classes" value={label} onInput={({ currentTarget }) => setLabel(currentTarget.value)} />
      </label>
      <datalist id="classes">
        {classes.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <button type="submit" disabled={label.trim() === (decided ?? view.label)}>
        Set it
      </button>
      <p class="small" aria-live="polite">
        {decided === null
          ? 'Goes into the list of labels of Review; your files stay as they are.'
          : decided === view.label
            ? `✓ It stays ${decided}.`
            : `✓ It becomes ${decided} in the list of labels of Review.`}
      </p>
      <ProblemLine text={problem} />
    </form>
  );
}

/** One stored image with facts, answers and neighbours; the arrow keys step through those it was opened among. */
export function ImageDialog({
  facts: { snapshot, classes },
  row,
  among,
  heads,
  open,
  close,
}: {
  facts: StoreFacts;
  row: number;
  among: readonly number[];
  heads: readonly string[];
  open: (row: number) => void;
  close: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  const [view, setView] = useState<ImageView | null>(null);
  const { problem, attempt } = useAttempt();
  const [gone, setGone] = useState(false);

  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  useEffect(() => {
    const stop = new AbortController();
    setGone(false);
    const { signal } = stop;
    void attempt(
      ask('GET /api/images/:snapshot/:row', { params: { snapshot, row }, query: { head: heads }, signal }),
      (found) => {
        setView(found);
        title.current?.focus();
      },
      signal,
    );
    return () => stop.abort();
  }, [snapshot, row, heads.join('\n')]);

  const at = among.indexOf(row);
  const step = (by: -1 | 1): void => {
    const next = among[at + by];
    if (at >= 0 && next !== undefined) open(next);
  };
  return (
    <dialog
      ref={dialog}
      onClose={close}
      aria-labelledby="image-title"
      onKeyDown={(event) => {
        // In a field the arrow keys move the caret.
        if (event.target instanceof HTMLInputElement || event.altKey || event.ctrlKey || event.metaKey) return;
        if (event.key === 'ArrowLeft') step(-1);
        else if (event.key === 'ArrowRight') step(1);
      }}
    >
      <div class="bar-top">
        <h2 id="image-title" tabIndex={-1} ref={title}>
          {view === null ? 'Loading' : view.path}
        </h2>
        <div class="pager">
          {at >= 0 && among.length > 1 && (
            <>
              <button type="button" disabled={at === 0} onClick={() => step(-1)}>
                Previous<span class="out"> image</span>
              </button>
              <button type="button" disabled={at === among.length - 1} onClick={() => step(1)}>
                Next<span class="out"> image</span>
              </button>
            </>
          )}
          <button type="button" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </div>
      </div>
      <ProblemLine text={problem} />
      {view !== null && (
        <>
          <div class="pair">
            {gone ? (
              <p class="notice">The file is gone, changed, a link out of the data set, or does not decode.</p>
            ) : (
              <img
                class="large"
                src={addresses.large(snapshot, view.row)}
                alt={`${view.label}: ${view.path}`}
                onError={() => setGone(true)}
              />
            )}
            <dl>
              <dt>Label</dt>
              <dd>{view.label}</dd>
              <dt>Split</dt>
              <dd>{view.split}</dd>
              <dt>Pixels</dt>
              <dd>
                {view.width} × {view.height}
                {view.orientation > 1 && `, EXIF orientation ${view.orientation}`}
              </dd>
              <dt>SHA-256</dt>
              <dd class="path">{view.sha256}</dd>
            </dl>
            <LabelChoice key={view.row} view={view} classes={classes.map(({ label }) => label)} />
          </div>
          <h3>Answers</h3>
          {view.split === 'train' && view.answers.some(({ trainedOn }) => trainedOn === null) && (
            <p class="small">Heads of older versions may have been trained on this image without telling.</p>
          )}
          <HeadAnswers answers={view.answers} />
          <h3>Nearest images</h3>
          <NearImages snapshot={snapshot} images={view.neighbors} open={open} />
        </>
      )}
    </dialog>
  );
}
