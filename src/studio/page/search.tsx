import { useEffect, useRef, useState } from 'preact/hooks';
import type { MapAnswer, SearchAnswer } from '../api/studio-data.ts';
import { ask, sentenceOf } from './ask.ts';
import { FeatureMapView } from './feature-map.tsx';
import { DropZone } from './drop-zone.tsx';
import { HeadAnswers, NearImages, ProblemLine } from './parts.tsx';
import type { Shared } from './shared.ts';

/** How often the page asks whether the map is drawn, in milliseconds. */
const MAP_POLL_MS = 1000;

/** The map, as soon as it is drawn. */
function useMap(snapshot: string): MapAnswer {
  const [map, setMap] = useState<MapAnswer>({ state: 'drawing' });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = new AbortController();
    const poll = (): void => {
      ask('GET /api/map', { signal: stop.signal }).then(
        (found) => {
          setMap(found);
          if (found.state === 'drawing') timer = setTimeout(poll, MAP_POLL_MS);
        },
        (error: unknown) => {
          if (!stop.signal.aborted) setMap({ state: 'missing', reason: sentenceOf(error) });
        },
      );
    };
    poll();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [snapshot]);
  return map;
}

/** An answer and its picture. */
interface Shown {
  readonly name: string;
  readonly url: string;
  readonly answer: SearchAnswer;
  /** Milliseconds. */
  readonly waited: number;
  /** Whether the map was there at the request: only then the answer has a place on it. */
  readonly mapped: boolean;
}

/** A picture that is not in the store: what heads and neighbours say of it, and where it lands on the map. */
export function SearchPage({ facts, chosen, open }: Shared) {
  const [picture, setPicture] = useState<{ readonly file: File } | null>(null);
  // The last answer stays until the next is there.
  const [shown, setShown] = useState<Shown | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [remark, setRemark] = useState<string | null>(null);
  const [rest, setRest] = useState<string | null>(null);
  const map = useMap(facts.snapshot);
  const taking = useRef<(files: readonly File[]) => void>(() => undefined);

  taking.current = (files) => {
    const file = files.find(({ type }) => type.startsWith('image/')) ?? files[0];
    if (file === undefined) return;
    setPicture({ file });
    setRest(
      files.length > 1 ? `This is ${file.name}, one of ${files.length} files: an image is searched at a time.` : null,
    );
  };
  useEffect(() => {
    const paste = ({ clipboardData, target }: ClipboardEvent): void => {
      const files = [...(clipboardData?.files ?? [])];
      setRemark(null);
      if (files.length > 0) taking.current(files);
      else if (!(target instanceof HTMLInputElement))
        setProblem('The clipboard holds no image: copy one, not its address or its text.');
    };
    addEventListener('paste', paste);
    return () => removeEventListener('paste', paste);
  }, []);
  useEffect(() => {
    if (picture === null) return undefined;
    const { file } = picture;
    const stop = new AbortController();
    const started = performance.now();
    const mapped = map.state === 'ready';
    setBusy(true);
    ask('POST /api/search', { body: file, query: { head: chosen }, signal: stop.signal })
      .then(
        (found) => {
          const waited = performance.now() - started;
          setShown({ name: file.name, url: URL.createObjectURL(file), answer: found, waited, mapped });
          setProblem(null);
        },
        (error: unknown) => {
          if (stop.signal.aborted) return;
          setShown(null);
          setProblem(sentenceOf(error));
        },
      )
      .finally(() => {
        if (!stop.signal.aborted) setBusy(false);
      });
    return () => stop.abort();
  }, [picture, chosen.join('\n'), facts.snapshot]);
  useEffect(() => {
    // Asked before the map was there: asks again, for the place on it.
    if (map.state === 'ready' && shown?.mapped === false) setPicture((asked) => asked && { ...asked });
  }, [map.state, shown]);
  const url = shown?.url;
  useEffect(() => (url === undefined ? undefined : () => URL.revokeObjectURL(url)), [url]);

  return (
    <section aria-labelledby="search-title">
      <h2 id="search-title">Search</h2>
      <p>
        Choose, drop or paste an image: it goes through the same network as the store’s, and nowhere else. It is not
        kept.
      </p>
      <DropZone label="Choose an image" take={(files) => taking.current(files)} remark={setRemark} busy={busy} />
      <ProblemLine text={problem} />
      <ProblemLine text={[remark, rest].filter((text) => text !== null).join(' ') || null} />
      <div aria-live="polite">
        {shown !== null && (
          <>
            <div class="pair">
              <img class="asked" src={shown.url} alt={`Your image ${shown.name}`} />
              <dl>
                <dt>Pixels</dt>
                <dd>
                  {shown.answer.width} × {shown.answer.height}
                </dd>
                <dt>Answer after</dt>
                <dd id="waited" data-ms={Math.round(shown.waited)}>
                  {Math.round(shown.waited)} ms, {Math.round(shown.answer.ms.network)} of them in the network
                </dd>
              </dl>
            </div>
            <h3>Answers</h3>
            {shown.answer.engine !== null && <p class="notice">{shown.answer.engine}</p>}
            <HeadAnswers answers={shown.answer.answers} />
            <h3>Nearest images</h3>
            <NearImages snapshot={shown.answer.snapshot} images={shown.answer.neighbors} open={open} />
          </>
        )}
      </div>
      <h3>Map</h3>
      {map.state === 'drawing' && <p>The map is being drawn.</p>}
      {map.state === 'missing' && <p>{map.reason}</p>}
      {map.state === 'ready' && <FeatureMapView map={map} place={shown?.answer.place ?? null} open={open} />}
    </section>
  );
}
