import { useEffect, useState } from 'preact/hooks';
import type { SweepChoices } from '../api/studio-sweep.ts';
import type { SweepForm as SweepFields } from '../api/api.ts';
import { ask, useAttempt } from './ask.ts';
import { ProblemLine, Select } from './parts.tsx';
import { SWEEP_SCORES, type SweepScore } from '../../results/sweep-result.ts';

export const SCORE_WORDS: Readonly<Record<SweepScore, string>> = {
  accuracy: 'accuracy',
  balancedAccuracy: 'balanced accuracy',
  logLoss: 'log loss',
};

/** What was chosen: ticked values by axis, texts by option. */
interface Chosen {
  readonly ticked: Readonly<Record<string, readonly string[]>>;
  readonly texts: Readonly<Record<string, string>>;
}

const TICKED = ['head', 'cut', 'pooling', 'normalize'] as const;
/** Options outside the fold: those that most heads are tuned by. */
const FIRST_OPTIONS = ['C'];

function startOf({ heads, cut, pooling, normalize }: SweepChoices): Chosen {
  const chosen = (list: readonly { value: string; chosen: boolean }[]): string[] =>
    list.filter((one) => one.chosen).map(({ value }) => value);
  const head = heads.filter((one) => one.chosen).map(({ name }) => name);
  const usual = chosen(pooling);
  return {
    ticked: {
      head,
      cut: chosen(cut),
      // A store without the usual pooling sweeps what it has.
      pooling: usual.length > 0 ? usual : pooling.slice(0, 1).map(({ value }) => value),
      normalize: chosen(normalize),
    },
    texts: {},
  };
}

/** Values of one axis to tick, one at least. */
function Ticks({
  legend,
  values,
  ticked,
  change,
}: {
  legend: string;
  values: readonly { readonly value: string; readonly words?: string }[];
  ticked: readonly string[];
  change: (ticked: readonly string[]) => void;
}) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {values.map(({ value, words }) => (
        <label key={value} title={words}>
          <input
            type="checkbox"
            checked={ticked.includes(value)}
            onChange={({ currentTarget }) => {
              const on = currentTarget.checked;
              change(values.map((one) => one.value).filter((v) => (v === value ? on : ticked.includes(v))));
            }}
          />{' '}
          {value}
        </label>
      ))}
    </fieldset>
  );
}

/** The form of a sweep: heads, features, and values of the heads' options, as the flags of the command. */
export function SweepForm({
  snapshot,
  running,
  start,
  stop,
}: {
  snapshot: string;
  running: boolean;
  start: (fields: SweepFields) => void;
  stop: () => void;
}) {
  const [choices, setChoices] = useState<SweepChoices | null>(null);
  const [chosen, setChosen] = useState<Chosen>({ ticked: {}, texts: {} });
  const [folds, setFolds] = useState(0);
  const [score, setScore] = useState<SweepScore>(SWEEP_SCORES[0]);
  const [save, setSave] = useState(true);
  const { problem, attempt } = useAttempt();

  useEffect(() => {
    const gone = new AbortController();
    void attempt(
      ask('GET /api/sweep/choices', { signal: gone.signal }),
      (found) => {
        setChoices(found);
        setChosen(startOf(found));
        setFolds(found.folds);
        setScore(found.score);
      },
      gone.signal,
    );
    return () => gone.abort();
  }, [snapshot]);
  if (choices === null) return <ProblemLine text={problem} />;

  const { ticked, texts } = chosen;
  const heads = choices.heads.filter(({ name }) => ticked.head?.includes(name));
  const options = choices.options.filter(({ name }) => heads.some((head) => head.options.includes(name)));
  const tick =
    (axis: (typeof TICKED)[number]) =>
    (values: readonly string[]): void =>
      setChosen({ ...chosen, ticked: { ...ticked, [axis]: values } });
  const empty = TICKED.find((axis) => ticked[axis]?.length === 0 && (axis !== 'cut' || choices.cut.length > 0));
  const text = (name: string, label: string, describe: string, otherwise: string) => (
    <label key={name}>
      {label}
      <input
        value={texts[name] ?? ''}
        placeholder={otherwise || 'the head’s default'}
        title={otherwise === '' ? describe : `${describe}; empty: ${otherwise}`}
        size={Math.max(16, otherwise.length)}
        onInput={({ currentTarget }) => setChosen({ ...chosen, texts: { ...texts, [name]: currentTarget.value } })}
      />
    </label>
  );
  const option = ({ name, describe, values }: SweepChoices['options'][number]) => text(name, name, describe, values);
  const first = options.filter(({ name }) => FIRST_OPTIONS.includes(name));
  const others = options.filter(({ name }) => !FIRST_OPTIONS.includes(name));

  return (
    <form
      class="grid"
      aria-label="New sweep"
      onSubmit={(event) => {
        event.preventDefault();
        const asked = ['pca', 'views', ...options.map(({ name }) => name)];
        const axes = {
          ...Object.fromEntries(TICKED.map((axis) => [axis, (ticked[axis] ?? []).join(',')])),
          ...Object.fromEntries(asked.map((name) => [name, texts[name]?.trim() ?? ''])),
        };
        start({ axes, folds, score, save });
      }}
    >
      <Ticks
        legend="Heads"
        values={choices.heads.map(({ name, describe }) => ({ value: name, words: describe }))}
        ticked={ticked.head ?? []}
        change={tick('head')}
      />
      {choices.cut.length > 0 && (
        <Ticks legend="Cut layers" values={choices.cut} ticked={ticked.cut ?? []} change={tick('cut')} />
      )}
      <Ticks legend="Features" values={choices.pooling} ticked={ticked.pooling ?? []} change={tick('pooling')} />
      <Ticks
        legend="Normalisation"
        values={choices.normalize}
        ticked={ticked.normalize ?? []}
        change={tick('normalize')}
      />
      <div class="texts">
        {text('pca', 'Principal components', choices.pca.describe, choices.pca.values)}
        {choices.views !== null && text('views', 'Views', choices.views.describe, choices.views.values)}
        {first.map(option)}
        <label>
          Folds
          <input
            type="number"
            min="2"
            max="20"
            required
            value={folds}
            onInput={({ currentTarget }) => setFolds(Number(currentTarget.value))}
          />
        </label>
        <Select
          label="Ranked by"
          value={score}
          options={SWEEP_SCORES.map((name) => [name, SCORE_WORDS[name]])}
          choose={setScore}
        />
      </div>
      {others.length > 0 && (
        <details>
          <summary>More options of these heads</summary>
          <div class="texts">{others.map(option)}</div>
        </details>
      )}
      <p class="small">
        Several values stand with commas between them, 0.1,1,10; every combination is tried. An empty field takes what
        stands in it in grey.
      </p>
      <div class="pager">
        <label class="tick">
          <input type="checkbox" checked={save} onChange={({ currentTarget }) => setSave(currentTarget.checked)} /> save
          the best as a head file
        </label>
        <button type="submit" disabled={running || empty !== undefined}>
          Start the sweep
        </button>
        <button type="button" disabled={!running} onClick={stop}>
          Stop
        </button>
      </div>
      <p class="small" aria-live="polite">
        {empty !== undefined && `Tick at least one under each heading (${empty} has none).`}
      </p>
    </form>
  );
}
