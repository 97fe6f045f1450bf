import { useMemo, useRef, useState } from 'preact/hooks';
import { signOf } from '../../report/html/shapes.ts';
import type { ImageCard, MapAnswer, MapPlace } from '../api/studio-data.ts';
import { Symbols } from './symbols.tsx';
import { Thumbnail } from './parts.tsx';

const SIZE = 640;
const EDGE = 16;
const WAYS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

type MapPoint = ImageCard & MapPlace;

/** The map of the features by class, and where a new image lands. Arrow keys move over it, Enter opens. */
export function FeatureMapView({
  map,
  place,
  open,
}: {
  map: MapAnswer & { state: 'ready' };
  place: MapPlace | null;
  open: (row: number) => void;
}) {
  const svg = useRef<SVGSVGElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const { points, labels, scale } = useMemo(() => {
    const range = (values: number[]): readonly [number, number] => [Math.min(...values), Math.max(...values)];
    const [left, right] = range(map.points.map(({ x }) => x));
    const [top, bottom] = range(map.points.map(({ y }) => y));
    const by = (SIZE - 2 * EDGE) / Math.max(right - left, bottom - top, 1e-9);
    const scaled = ({ x, y }: MapPlace): MapPlace => ({ x: EDGE + (x - left) * by, y: EDGE + (y - top) * by });
    return {
      points: map.points.map((point): MapPoint => ({ ...point, ...scaled(point) })),
      labels: [...new Set(map.points.map(({ label }) => label))].sort(),
      scale: scaled,
    };
  }, [map]);
  const signs = new Map(labels.map((label, i) => [label, signOf(i)]));
  const mark = place === null ? null : scale(place);
  const current = at === null ? undefined : points[at];

  function nearest(cost: (point: MapPoint) => number, most = Infinity): number | null {
    let [best, least]: [number | null, number] = [null, most];
    points.forEach((point, i) => {
      const value = cost(point);
      if (value < least) [best, least] = [i, value];
    });
    return best;
  }
  function under({ clientX, clientY }: MouseEvent): number | null {
    const matrix = svg.current?.getScreenCTM();
    if (!matrix) return null;
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(matrix.inverse());
    return nearest((point) => Math.hypot(point.x - x, point.y - y), 14);
  }
  function press(event: KeyboardEvent): void {
    if (event.key === 'Enter' && current !== undefined) open(current.row);
    const way = WAYS[event.key];
    if (way === undefined) return;
    event.preventDefault();
    const from = current ?? points[0];
    if (from === undefined) return;
    const [dx, dy] = way;
    // Distance ahead counts once, aside twice; points behind do not count.
    const next = nearest(({ x, y }) => {
      const ahead = (x - from.x) * dx + (y - from.y) * dy;
      return ahead > 0 ? ahead + 2 * Math.abs((x - from.x) * dy + (y - from.y) * dx) : Infinity;
    });
    if (next !== null) setAt(next);
  }

  return (
    <div class="map">
      <Symbols />
      <svg
        ref={svg}
        id="map"
        viewBox={`0 0 ${SIZE} ${SIZE}`}
        role="application"
        aria-label={`Map of ${points.length} images. Arrow keys move from image to image, Enter opens one.`}
        aria-describedby="map-said"
        tabIndex={0}
        onFocus={() => setAt((now) => now ?? (mark ? nearest(({ x, y }) => Math.hypot(x - mark.x, y - mark.y)) : 0))}
        onKeyDown={press}
        onPointerMove={(event) => setAt((now) => under(event) ?? now)}
        onClick={(event) => {
          const hit = under(event);
          if (hit !== null) open(points[hit]!.row);
        }}
      >
        {points.map((point) => {
          const sign = signs.get(point.label)!;
          return <use key={point.row} href={`#s${sign.s}`} class={`c${sign.c}`} x={point.x} y={point.y} />;
        })}
        {current !== undefined && <circle class="mark" cx={current.x} cy={current.y} r="9" />}
        {mark !== null && (
          <g class="landed" data-x={place!.x} data-y={place!.y}>
            <circle cx={mark.x} cy={mark.y} r="13" />
            <path d={`M${mark.x - 20} ${mark.y}h40M${mark.x} ${mark.y - 20}v40`} />
          </g>
        )}
      </svg>
      <div class="shown">
        {current !== undefined && <Thumbnail key={current.row} snapshot={map.snapshot} row={current.row} />}
        <p id="map-said" aria-live="polite">
          {current === undefined ? 'Point at a sign.' : `${current.path}: ${current.label}, ${current.split}`}
        </p>
        <ul class="legend">
          {labels.map((label) => (
            <li key={label}>
              <svg class="sign" width="16" height="16" viewBox="-8 -8 16 16" aria-hidden="true">
                <use href={`#s${signs.get(label)!.s}`} class={`c${signs.get(label)!.c}`} />
              </svg>{' '}
              {label}
            </li>
          ))}
          {mark !== null && <li>⊕ your image: the mean of its nearest images, the nearer the heavier</li>}
        </ul>
        {map.leftOut > 0 && <p class="small">{map.leftOut} images are left out: the map shows a sample.</p>}
      </div>
    </div>
  );
}
