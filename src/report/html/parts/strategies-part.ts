import { present, type ReportData } from '../../../results/report-data.ts';
import type {
  StrategiesResult,
  StrategyCurve,
  StrategyEpoch,
  StrategyTrial,
} from '../../../results/strategies-result.ts';
import { bytes, seconds } from '../../format.ts';
import {
  adviceSentences,
  chosenText,
  comparisonText,
  heldOutText,
  logLossComparisonText,
  STRATEGY_TEXTS,
  strategiesRule,
} from '../../strategies-report.ts';
import { accuracyAxis, span } from '../drawn.ts';
import { html, type Markup } from '../markup.ts';
import { figure } from '../numbers.ts';
import { plotFrame } from '../plot-frame.ts';
import { linePath } from '../shapes.ts';
import { htmlTable, numeric, plain, untitled } from '../table.ts';

/** One figure by the epoch, on the held-out part and on the validated images; axes as of the trial's other curves. */
function panel(
  { name, epochs }: StrategyCurve,
  key: 'logLoss' | 'accuracy',
  title: string,
  [first, last, top]: readonly [first: number, last: number, top: number],
): Markup {
  const points = (of: 'heldOut' | 'val'): (readonly [epoch: number, value: number])[] =>
    epochs.flatMap((epoch: StrategyEpoch) => (epoch[of] === null ? [] : [[epoch.epoch, epoch[of][key]] as const]));
  const [held, val] = [points('heldOut'), points('val')];
  const ends = (some: typeof held): string => `from ${figure(some[0]![1])} to ${figure(some.at(-1)![1])}`;
  const words = [
    ...(held.length > 0 ? [`held-out part ${ends(held)}`] : []),
    ...(val.length > 0 ? [`validated images ${ends(val)}`] : []),
  ];
  return plotFrame(
    {
      width: 380,
      height: 240,
      x: { domain: [first, Math.max(first + 1, last)], title: 'epoch' },
      y: { domain: [0, top], title },
      label: `${name}: ${title} by epoch: ${words.join(', ')}.`,
    },
    (x, y) => [
      html`<path class="line l0" d="${linePath(held.map(([epoch, value]) => [x.at(epoch), y.at(value)]))}" />`,
      html`<path class="line l1" d="${linePath(val.map(([epoch, value]) => [x.at(epoch), y.at(value)]))}" />`,
    ],
  );
}

function curvesOf({ strategy, name, curves }: StrategyTrial): Markup[] {
  const all = curves.flatMap(({ epochs }) => epochs);
  const losses = all.flatMap(({ heldOut, val }) => [heldOut?.logLoss ?? 0, val?.logLoss ?? 0]);
  const span = [Math.min(...all.map(({ epoch }) => epoch)), Math.max(...all.map(({ epoch }) => epoch))] as const;
  const top = Math.max(...losses, 1e-6);
  return curves.map(
    (curve) =>
      html`<figure>
        <figcaption>${STRATEGY_TEXTS[strategy]}: ${name}, ${curve.name}</figcaption>
        <div class="pair">
          ${panel(curve, 'logLoss', 'log loss', [...span, top])}${panel(curve, 'accuracy', 'accuracy', [...span, 1])}
        </div>
      </figure>`,
  );
}

function trialsTable({ trials, validatedOn }: StrategiesResult): Markup {
  const { scale } = accuracyAxis(trials);
  const frozen = trials.find(({ comparison }) => comparison === null);
  return htmlTable({
    caption: 'The four strategies of the 2020 report',
    columns: [
      ...plain('strategy', 'trained'),
      ...numeric(`accuracy on ${validatedOn}`),
      ...plain('95 % interval'),
      untitled('interval drawn'),
      ...numeric('beside frozen', 'log loss', 'beside frozen', 'held-out log loss (frozen)', 'time', 'peak memory'),
      ...plain('chosen'),
    ],
    rows: trials.map((trial) => [
      STRATEGY_TEXTS[trial.strategy],
      trial.name,
      figure(trial.accuracy),
      html`<span class="together">${figure(trial.interval[0])} to ${figure(trial.interval[1])}</span>`,
      span(trial.accuracy, trial.interval, scale, frozen?.accuracy ?? trial.accuracy),
      comparisonText(trial),
      figure(trial.logLoss),
      logLossComparisonText(trial),
      heldOutText(trial),
      seconds(trial.seconds),
      bytes(trial.peakBytes),
      chosenText(trial),
    ]),
  });
}

/** The four strategies of the 2020 report beside each other; null where a run did not try them. */
export function strategiesPart({ run }: ReportData): Markup | null {
  if (!present(run) || run.strategies === undefined) return null;
  const { strategies } = run;
  const { trials, skipped, advice } = strategies;
  const remarks = trials.flatMap(({ name, remarks: said }) => said.map((remark) => `${name}: ${remark}`));
  const learned = trials.filter(({ curves }) => curves.length > 0);
  return html`${adviceSentences(advice).map((sentence) => html`<p>${sentence}</p>`)}
    <p class="small">${strategiesRule(strategies)} Dashed line of the bars: the frozen head.</p>
    ${trialsTable(strategies)} ${skipped.length > 0 && html`<p>Left out:</p>`}
    <ul>
      ${skipped.map(({ strategy, name, reason }) => html`<li>${STRATEGY_TEXTS[strategy]}, ${name}: ${reason}</li>`)}
    </ul>
    <ul class="small">
      ${remarks.map((remark) => html`<li>${remark}</li>`)}
    </ul>
    ${
      learned.length > 0 &&
      html`<h3>By epoch</h3>
        <p>
          Solid: the part of the training images that was held out, which chooses. Dashed: the validated images, which
          are watched and choose nothing. Epoch 0 is the frozen head.
        </p>`
    }
    ${learned.map(curvesOf)}`;
}
