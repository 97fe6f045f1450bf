import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { count, percent } from '../../report/html/numbers.ts';
import type { HeadAnswer, ImageCard, NearImage, Saved } from '../api/studio-data.ts';
import { addresses } from '../api/api.ts';

/** "1 image", "2 images". */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** The last part of a path, of any system. */
export const lastName = (path: string): string => path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;

/** The thumbnail of a stored image; the text next to it names the image. */
export function Thumbnail({ snapshot, row }: { snapshot: string; row: number }) {
  const [gone, setGone] = useState(false);
  return gone ? (
    <span class="no-picture">no picture</span>
  ) : (
    <img
      src={addresses.thumbnail(snapshot, row)}
      alt=""
      width="160"
      height="160"
      loading="lazy"
      onError={() => setGone(true)}
    />
  );
}

/** What heads say, side by side. */
export function HeadAnswers({ answers }: { answers: readonly HeadAnswer[] }) {
  if (answers.length === 0) return <p class="small">No head is chosen: tick one under “Heads that answer”.</p>;
  return (
    <ul class="answers">
      {answers.map(({ head, name, pooling, classes, unusual, trainedOn, problem }) => (
        <li key={head} class="card">
          <h3>
            {name} <span class="small">on {pooling}</span>
          </h3>
          {trainedOn === true && <p class="small">It was trained on this picture: its answer proves little.</p>}
          {problem === null ? (
            <table>
              <caption class="out">Probabilities of {head}</caption>
              <tbody>
                {classes.map(({ label, probability }) => (
                  <tr key={label}>
                    <th scope="row">{label}</th>
                    <td>
                      <span class="bar">
                        <meter min={0} max={1} value={probability} aria-hidden="true" />
                        <span class="n">{percent(probability)}</span>
                      </span>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          ) : (
            <p>{problem}</p>
          )}
          {unusual !== null && <p class="notice">{`${unusual[0]!.toUpperCase()}${unusual.slice(1)}.`}</p>}
        </li>
      ))}
    </ul>
  );
}

/** Stored images by nearness; a click opens one. */
export function NearImages({
  snapshot,
  images,
  open,
}: {
  snapshot: string;
  images: readonly NearImage[];
  open: (row: number) => void;
}) {
  return (
    <ol class="tiles" aria-label="Nearest images">
      {images.map((image) => (
        <li key={image.row}>
          <Tile snapshot={snapshot} image={image} open={open}>
            <span class="small n">distance {image.distance.toFixed(3)}</span>
          </Tile>
        </li>
      ))}
    </ol>
  );
}

/** A stored image as a button. */
export function Tile({
  snapshot,
  image,
  open,
  children,
}: {
  snapshot: string;
  image: ImageCard;
  open: (row: number) => void;
  children?: ComponentChildren;
}) {
  return (
    <button type="button" class="tile" onClick={() => open(image.row)}>
      <Thumbnail snapshot={snapshot} row={image.row} />
      <strong>{image.label}</strong>
      <span class="small path">{image.path}</span>
      <span class="small">{image.split}</span>
      {children}
    </button>
  );
}

interface TypedInputProps {
  readonly kind:
    | { readonly type: 'search' }
    | { readonly type: 'number'; readonly min: string; readonly max: string; readonly step: string };
  readonly value: string;
  readonly done: (value: string) => void;
}

/** A field whose value counts when it is left or entered; until then the typed text outlives a new rendering. */
export function TypedInput({ kind, value, done }: TypedInputProps) {
  const [typed, setTyped] = useState({ text: value, over: value });
  return (
    <input
      {...kind}
      value={typed.over === value ? typed.text : value}
      onInput={({ currentTarget }) => setTyped({ text: currentTarget.value, over: value })}
      onChange={({ currentTarget }) => done(currentTarget.value)}
    />
  );
}

/** A choice of [value, text] with its label. */
export function Select<T extends string>({
  label,
  value,
  options,
  choose,
}: {
  label: ComponentChildren;
  value: T;
  options: readonly (readonly [value: T, text: string])[];
  choose: (value: T) => void;
}) {
  return (
    <label>
      {label}
      <select value={value} onChange={({ currentTarget }) => choose(currentTarget.value as T)}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What was saved, and the command that goes on with it. */
export function SavedLine({ id, saved }: { id: string; saved: Saved | null }) {
  return (
    <div aria-live="polite">
      {saved !== null && (
        <p id={id}>
          <span class="path">{saved.path}</span>
          <br />
          Go on with <code>{saved.command}</code>
        </p>
      )}
    </div>
  );
}

/** What went wrong, said to screen readers too. */
export function ProblemLine({ text }: { text: string | null }) {
  return (
    <div role="alert" class={text === null ? '' : 'notice'}>
      {text}
    </div>
  );
}
