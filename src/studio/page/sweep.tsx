import { useEffect, useState } from 'preact/hooks';
import { percent } from '../../report/html/numbers.ts';
import type { SweepState } from '../api/studio-sweep.ts';
import { addresses } from '../api/api.ts';
import { ask, useAttempt } from './ask.ts';
import { lastName, plural, ProblemLine } from './parts.tsx';
import type { Shared } from './shared.ts';
import { SCORE_WORDS, SweepForm } from './sweep-form.tsx';

const WORDS: Readonly<Record<SweepState['state'], string>> = {
  none: 'No sweep was started yet.',
  running: 'The sweep is running.',
  done: 'The sweep is done.',
  stopped: 'The sweep was stopped; what was found is kept, and the next one goes on from there.',
  failed: 'The sweep failed.',
};

/** The leaderboard of a sweep, filled while it runs. */
export function Sweep({ facts, refresh }: Shared) {
  const [state, setState] = useState<SweepState | null>(null);
  const { problem, attempt } = useAttempt();

  useEffect(() => {
    const events = new EventSource(addresses.sweepEvents);
    events.onmessage = ({ data }: MessageEvent<string>) => setState(JSON.parse(data) as SweepState);
    return () => events.close();
  }, []);
  useEffect(() => {
    if (state?.state === 'done') void refresh();
  }, [state?.state]);

  const running = state?.state === 'running';
  return (
    <section aria-labelledby="sweep-title">
      <h2 id="sweep-title">Sweep</h2>
      <p>
        Heads with their options, normalisations and principal components, each cross-validated on the training images;
        the best alone is measured on the validation images.
      </p>
      <SweepForm
        snapshot={facts.snapshot}
        running={running}
        start={(fields) => void attempt(ask('POST /api/sweep', { body: fields }), setState)}
        stop={() => void attempt(ask('DELETE /api/sweep'), setState)}
      />
      <ProblemLine text={problem ?? state?.problem ?? null} />
      {state !== null && (
        <>
          <p id="sweep-state" aria-live="polite">
            {WORDS[state.state]}
          </p>
          {state.remarks.length > 0 && (
            <ul class="small" aria-label="Remarks">
              {state.remarks.map((text) => (
                <li key={text}>{text}</li>
              ))}
            </ul>
          )}
          {state.total > 0 && (
            <p>
              <progress
                max={state.total}
                value={state.state === 'done' ? state.total : state.done}
                aria-label="Configurations that are known"
              />{' '}
              <span class="n">
                {state.done} of {state.total}
              </span>
            </p>
          )}
          {state.best !== null && (
            <p id="sweep-best">
              Best: <strong>{state.best.head}</strong>, on {plural(state.best.validated, 'validation image')}{' '}
              <strong>{percent(state.best.accuracy)}</strong> right (95 % interval {percent(state.best.interval[0])} to{' '}
              {percent(state.best.interval[1])}). {state.best.looks}{' '}
              {state.best.file !== null && (
                <>
                  Saved as <span class="path">heads/{lastName(state.best.file)}</span>.
                </>
              )}
            </p>
          )}
          {state.comparedBy !== null && (
            <p class="small" id="sweep-compared">
              Told from the best at 5 % by {state.comparedBy}.
            </p>
          )}
          {state.lines.length > 0 && (
            <div class="scroll" role="region" aria-label="Leaderboard" tabIndex={0}>
              <table>
                <caption class="out">Leaderboard, the best first by {SCORE_WORDS[state.score]}</caption>
                <thead>
                  <tr>
                    <th scope="col">Head</th>
                    <th scope="col">Features</th>
                    <th scope="col">Accuracy</th>
                    <th scope="col">95 % interval</th>
                    <th scope="col">Balanced</th>
                    <th scope="col">Log loss</th>
                    <th scope="col">Fit</th>
                    <th scope="col">Told from the best</th>
                  </tr>
                </thead>
                <tbody>
                  {state.lines.map((line, i) => (
                    <tr key={line.id}>
                      <th scope="row">{line.head}</th>
                      <td>{line.features}</td>
                      <td class="n">{percent(line.accuracy)}</td>
                      <td class="n">
                        {percent(line.interval[0])} to {percent(line.interval[1])}
                      </td>
                      <td class="n">{percent(line.balancedAccuracy)}</td>
                      <td class="n">{line.logLoss.toFixed(4)}</td>
                      <td class="n">{line.reused ? 'known' : `${line.fitMs.toFixed(0)} ms`}</td>
                      <td>{line.toldApart === null ? '' : i === 0 ? 'best' : line.toldApart ? 'yes' : 'no'}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </>
      )}
    </section>
  );
}
