import type { ReportData } from '../../../results/report-data.ts';
import { html, type Markup } from '../markup.ts';

/** The contract, engine and weights that made the features, and the command that makes them again. */
export function provenancePart({ store, permafrost }: ReportData, command: string | null): Markup {
  const set = store.sets.find(({ primary }) => primary);
  const repeat =
    command === null
      ? html`<p>This store records no run with its options, so no command is given that repeats it.</p>`
      : html`<p>The command that repeats the run:</p>
          <pre tabindex="0"><code>${command}</code></pre>`;
  if (set === undefined) return repeat;
  const { engine } = set;
  const cuts = store.sets.filter(({ current }) => current).map(({ cut }) => cut);
  const fields = Object.entries(set.contract).filter(([key]) => key !== 'name');
  return html`<dl>
      <dt>permafrost</dt>
      <dd>${permafrost}</dd>
      <dt>Network</dt>
      <dd>${set.backbone}, cut at ${cuts.join(', ')}; maps in ${set.dtype}</dd>
      <dt>Weights</dt>
      <dd class="path">SHA-256 ${set.weights}</dd>
      <dt>Engine</dt>
      <dd>${engine.name} ${engine.version}, ${engine.device}, ${engine.precision}</dd>
      <dt>Contract</dt>
      <dd>
        ${set.contractId}:
        ${fields.map(([key, value]) => `${key} ${Array.isArray(value) ? value.join(' ') : String(value)}`).join(', ')}
      </dd>
      <dt>Fingerprint</dt>
      <dd class="path">${set.fingerprint}</dd>
    </dl>
    ${repeat}`;
}
