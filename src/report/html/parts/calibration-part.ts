import type { Judgement, CalibrationCurve } from '../../../results/report-data.ts';
import { plural } from '../../format.ts';
import { html, type Markup } from '../markup.ts';
import { percent } from '../numbers.ts';
import { plotFrame } from '../plot-frame.ts';
import { htmlTable, numeric, plain } from '../table.ts';

function plot({ bins }: CalibrationCurve): Markup {
  const most = Math.max(...bins.map(({ images }) => images));
  return plotFrame(
    {
      width: 380,
      height: 340,
      x: { domain: [0, 1], title: 'probability that the head gives' },
      y: { domain: [0, 1], title: 'share that is right' },
      label:
        'Calibration: share of images that are right against the probability that the head gives. The numbers stand in the table beside it.',
    },
    (x, y) =>
      html`<path class="guide" d="M${x.at(0)} ${y.at(0)}L${x.at(1)} ${y.at(1)}" /> ${bins.map(
          ({ confidence, accuracy, interval, images }) =>
            html`<path class="span" d="M${x.at(confidence)} ${y.at(interval[0])}V${y.at(interval[1])}" /><circle
                class="dot"
                cx="${x.at(confidence)}"
                cy="${y.at(accuracy)}"
                r="${(3 + 5 * Math.sqrt(images / most)).toFixed(1)}"
              />`,
        )}`,
  );
}

/** Whether probabilities can be taken at their word. */
export function calibrationPart({ calibration }: Judgement): Markup {
  const { bins, error, noise } = calibration;
  return html`<p>
      Of images to which the head gives a probability of 80 %, 80 % should be right: points on the dashed line. Below it
      the head is too sure. Expected calibration error: <strong>${percent(error)}</strong>. On so few images a perfectly
      calibrated head with these probabilities would show ${percent(noise.mean)} on average, and up to
      ${percent(noise.most)} by chance: this one ${error > noise.most ? 'is above that' : 'cannot be told from it'}.
      Points grow with the number of images; bars are 95 % intervals.
    </p>
    <div class="pair">
      <figure>${plot(calibration)}</figure>
      ${htmlTable({
        caption: 'Calibration in numbers',
        columns: [...plain('probability'), ...numeric('mean', 'right', 'of')],
        rows: bins.map(({ low, high, confidence, accuracy, images }) => [
          `${percent(low, 0)} to ${percent(high, 0)}`,
          percent(confidence),
          percent(accuracy),
          plural(images, 'image'),
        ]),
      })}
    </div>`;
}
