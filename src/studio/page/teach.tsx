import { useEffect, useState } from 'preact/hooks';
import { percent } from '../../report/html/numbers.ts';
import type { HeadAnswer, Saved, TeachState } from '../api/studio-data.ts';
import { ask, sentenceOf, useAttempt } from './ask.ts';
import { Camera } from './camera.tsx';
import { DropZone } from './drop-zone.tsx';
import { HeadAnswers, plural, ProblemLine, SavedLine } from './parts.tsx';
import type { Shared } from './shared.ts';
import { TaughtClassCard } from './taught-class.tsx';

/** How the taught head does, in words. */
function HeadState({ head }: { head: TeachState['head'] }) {
  if ('missing' in head) return <p id="taught-head">{head.missing}</p>;
  const { validated } = head;
  return (
    <div id="taught-head">
      <p>
        A logistic regression on {plural(head.images, 'image')}, fitted in <strong>{head.fitMs.toFixed(1)} ms</strong>
        {!head.converged && ', not converged'}.
      </p>
      {'missing' in validated ? (
        <p>{validated.missing}</p>
      ) : (
        <p>
          On images that it had not seen: <strong>{percent(validated.accuracy)}</strong> right (95 % interval{' '}
          {percent(validated.interval[0])} to {percent(validated.interval[1])}; {validated.folds} folds of{' '}
          {plural(validated.groups, 'independent group')}, {validated.ms.toFixed(0)} ms).
        </p>
      )}
    </div>
  );
}

/** Classes made by the user: images in, a head out, measured honestly. */
export function Teach({ facts, refresh }: Shared) {
  const [state, setState] = useState<TeachState | null>(null);
  const { problem, setProblem, attempt } = useAttempt();
  const [busy, setBusy] = useState(0);
  const [remark, setRemark] = useState<string | null>(null);
  const [adding, setAdding] = useState<string | null>(null);
  const [name, setName] = useState('');
  const [answer, setAnswer] = useState<HeadAnswer | null>(null);
  const [camera, setCamera] = useState(false);
  const [saveAs, setSaveAs] = useState('mine');
  const [saved, setSaved] = useState<Saved | null>(null);

  /** Shows the state after some work, or the sentence why not. */
  async function act(work: Promise<TeachState>): Promise<void> {
    setBusy((n) => n + 1);
    await attempt(work, setState);
    setBusy((n) => n - 1);
  }
  useEffect(() => {
    setAnswer(null);
    void act(ask('GET /api/teach'));
  }, [facts.snapshot]);

  async function add(id: number, pictures: readonly { blob: Blob; name: string; take?: string }[]): Promise<void> {
    const refused: string[] = [];
    async function upload(): Promise<TeachState> {
      for (const [i, { blob, name: file, take = '' }] of pictures.entries()) {
        if (pictures.length > 1) setAdding(`Adding image ${i + 1} of ${pictures.length}…`);
        const image = { params: { id }, query: { name: file, take }, body: blob };
        await ask('POST /api/teach/classes/:id/images', image).catch((error: unknown) =>
          refused.push(`${file}: ${sentenceOf(error)}`),
        );
      }
      return ask('GET /api/teach');
    }
    await act(upload());
    setAdding(null);
    if (refused.length > 0) setProblem(refused.join(' '));
  }
  const question = (picture: Blob): Promise<void> => attempt(ask('POST /api/teach/ask', { body: picture }), setAnswer);
  const save = (as: 'head' | 'dataset'): Promise<void> =>
    attempt(ask('POST /api/teach/save', { body: { as, name: saveAs } }), (found) => {
      setSaved(found);
      return as === 'head' ? refresh() : undefined;
    });

  if (state === null) return <ProblemLine text={problem} />;
  const hasHead = !('missing' in state.head);
  return (
    <section aria-labelledby="teach-title">
      <h2 id="teach-title">Teach</h2>
      <p>
        Make classes, give them images; the head follows at once. Everything is kept in the store’s folder{' '}
        <span class="path">studio</span> and nowhere else.
      </p>
      <form
        aria-label="New class"
        onSubmit={(event) => {
          event.preventDefault();
          void act(ask('POST /api/teach/classes', { body: { name } }));
          setName('');
        }}
      >
        <label>
          New class
          <input value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} required />
        </label>
        <button type="submit">Make the class</button>
        <button type="button" disabled={!state.canUndo} onClick={() => void act(ask('POST /api/teach/undo'))}>
          Undo
        </button>
        <button
          type="button"
          disabled={!state.canUndo}
          onClick={() => {
            if (confirm('Forget all classes and delete their images from the store? This cannot be undone.'))
              void act(ask('POST /api/teach/clear'));
          }}
        >
          Begin anew
        </button>
      </form>
      <ProblemLine text={problem} />
      <ProblemLine text={remark} />
      <div aria-live="polite" aria-busy={busy > 0}>
        {adding !== null && <p class="small">{adding}</p>}
        <HeadState head={state.head} />
      </div>
      <ul class="classes" aria-label="Classes">
        {state.classes.map((one) => (
          <TaughtClassCard
            key={one.id}
            taught={one}
            busy={busy > 0}
            add={(pictures) => add(one.id, pictures)}
            remark={setRemark}
            rename={(to) =>
              void act(ask('PATCH /api/teach/classes/:id', { params: { id: one.id }, body: { name: to } }))
            }
            remove={() => void act(ask('DELETE /api/teach/classes/:id', { params: { id: one.id } }))}
            removeImage={(id) => void act(ask('DELETE /api/teach/images/:id', { params: { id } }))}
          />
        ))}
      </ul>
      {hasHead && (
        <div class="pair">
          <section aria-labelledby="try-title" class="card">
            <h3 id="try-title">Try it</h3>
            <DropZone
              label="Choose an image to ask about"
              busy={false}
              take={(files) => void question(files[0]!)}
              remark={setRemark}
            />
            {camera ? (
              <Camera label="Try it" close={() => setCamera(false)} take={question} />
            ) : (
              <button type="button" onClick={() => setCamera(true)}>
                Ask the camera
              </button>
            )}
            <div aria-live="polite" id="taught-answer">
              {answer !== null && <HeadAnswers answers={[answer]} />}
            </div>
          </section>
          <section aria-labelledby="save-title" class="card">
            <h3 id="save-title">Save it</h3>
            <label>
              Name <input value={saveAs} onInput={({ currentTarget }) => setSaveAs(currentTarget.value)} />
            </label>
            <div class="pager">
              <button type="button" onClick={() => void save('head')}>
                As a head file
              </button>
              <button type="button" onClick={() => void save('dataset')}>
                As a folder data set
              </button>
            </div>
            <SavedLine id="taught-saved" saved={saved} />
          </section>
        </div>
      )}
    </section>
  );
}
