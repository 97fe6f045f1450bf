import { useEffect, useRef, useState } from 'preact/hooks';
import type { ImageView } from '../../core/studio-data.ts';
import { addresses } from '../api.ts';
import { ask, sentenceOf } from './ask.ts';
import { Answers, NearImages, Problem } from './parts.tsx';

/** One stored image, large, with facts, answers and neighbours. Escape closes it. */
export function ImageDialog({
  snapshot,
  row,
  heads,
  open,
  close,
}: {
  snapshot: string;
  row: number;
  heads: readonly string[];
  open: (row: number) => void;
  close: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  const [view, setView] = useState<ImageView | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [gone, setGone] = useState(false);

  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  useEffect(() => {
    const stop = new AbortController();
    setGone(false);
    ask('GET /api/images/:snapshot/:row', {
      params: { snapshot, row },
      query: { head: heads },
      signal: stop.signal,
    }).then(
      (found) => {
        setView(found);
        setProblem(null);
        title.current?.focus();
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setProblem(sentenceOf(error));
      },
    );
    return () => stop.abort();
  }, [snapshot, row, heads.join('\n')]);

  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="image-title">
      <div class="bar-top">
        <h2 id="image-title" tabIndex={-1} ref={title}>
          {view === null ? 'Loading' : view.path}
        </h2>
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
      <Problem text={problem} />
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
          </div>
          <h3>Answers</h3>
          {view.split === 'train' && (
            <p class="small">The heads may have been trained on this image: their answer proves little.</p>
          )}
          <Answers answers={view.answers} />
          <h3>Nearest images</h3>
          <NearImages snapshot={snapshot} images={view.neighbors} open={open} />
        </>
      )}
    </dialog>
  );
}
