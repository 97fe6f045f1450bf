import type { ReportData } from '../../../results/report-data.ts';
import { html, type Markup } from '../markup.ts';
import { plural } from '../../format.ts';
import { percent } from '../numbers.ts';
import { card, imageIndex } from '../pictures.ts';

/** Labels that the other images contradict. */
export function suspectsPart(data: ReportData): Markup {
  const { suspects, labelErrors } = data.check;
  if (suspects.length === 0) return html`<p>No label error is suspected.</p>`;
  const at = imageIndex(data);
  return html`<p>
      About ${plural(labelErrors, 'label')} may be wrong, as confident learning estimates:
      ${suspects.length < labelErrors && html`the first ${suspects.length} are shown.`} A head that never saw these
      images (cross-validation) holds another class for likelier. The most suspect first: look before you change
      anything.
    </p>
    <ul class="cards">
      ${suspects.map(({ path, label, suggested, probability }) =>
        card(
          data,
          at(path),
          html`<span>
            is <b>${label}</b> (${data.images[at(path)]!.split}), more like
            <b>${suggested}</b> (${percent(probability)})
          </span>`,
        ),
      )}
    </ul>`;
}
