import { TILE_OUT } from '../winograd-transforms.ts';

/** Height and width of a map. */
export interface MapSize {
  readonly height: number;
  readonly width: number;
}

/**
 * Where the pixels of a map lie among the rows of a tensor (rows, batch, channels). One row is a pixel of all images of
 * the batch, so whatever moves pixels is one Gather of rows, with indices that no batch size changes.
 */
export interface Arrangement extends MapSize {
  /** Names the arrangement: two of one name are the same. */
  readonly name: string;
  /** At least height x width: there may be rows of no pixel. */
  readonly rows: number;
  rowOf(y: number, x: number): number;
  /** A row that is zero in every image, where the tensor has one. */
  readonly zeroRow?: number;
}

/** Pixels row by row, and nothing else. */
export function plainArrangement({ height, width }: MapSize): Arrangement {
  return {
    name: `plain${height}x${width}`,
    height,
    width,
    rows: height * width,
    rowOf: (y, x) => y * width + x,
  };
}

/** Rows by tiles of 4 x 4 pixels: first the place in the tile, then the tile. */
export interface TiledArrangement extends Arrangement {
  /** Tiles along each axis. */
  readonly down: number;
  readonly across: number;
  readonly tiles: number;
  /** 16, or 17 where a block of zeros stands behind the places of a tile. */
  readonly places: number;
  /** The pixel of a row, undefined for one outside of the map. */
  pixelOf(row: number): readonly [y: number, x: number] | undefined;
}

/**
 * The order of the places in a tile: the four windows of a 2 x 2 pool lie side by side in each of four quarters, so
 * that the pool is the maximum of the quarters. PLACES[i] is y * 4 + x of the i-th.
 */
export const PLACES: readonly number[] = [0, 1, 2, 3].flatMap((corner) =>
  [0, 1, 2, 3].map((window) => {
    const y = 2 * (window >> 1) + (corner >> 1);
    return y * TILE_OUT + 2 * (window & 1) + (corner & 1);
  }),
);

/**
 * What Winograd's outputs are in. Rows outside of the map are zero after a layer's ReLU; a map without such rows, which
 * fills its tiles, gets a block of them where `withZeros`.
 */
export function tiledArrangement({ height, width }: MapSize, withZeros: boolean): TiledArrangement {
  const down = Math.ceil(height / TILE_OUT);
  const across = Math.ceil(width / TILE_OUT);
  const tiles = down * across;
  const isFull = down * TILE_OUT === height && across * TILE_OUT === width;
  const places = isFull && withZeros ? 17 : 16;
  const rowOf = (y: number, x: number): number => {
    const place = PLACES.indexOf((y % TILE_OUT) * TILE_OUT + (x % TILE_OUT));
    return place * tiles + Math.floor(y / TILE_OUT) * across + Math.floor(x / TILE_OUT);
  };
  const zeroRow = isFull ? 16 * tiles : rowOf(down * TILE_OUT - 1, across * TILE_OUT - 1);
  return {
    name: `tiled${height}x${width}${places === 17 ? 'z' : ''}`,
    height,
    width,
    rows: places * tiles,
    rowOf,
    ...(!(isFull && places === 16) && { zeroRow }),
    down,
    across,
    tiles,
    places,
    pixelOf(row) {
      const place = PLACES[Math.floor(row / tiles)];
      if (place === undefined) return undefined;
      const tile = row % tiles;
      const y = Math.floor(tile / across) * TILE_OUT + (place >> 2);
      const x = (tile % across) * TILE_OUT + (place & 3);
      return y < height && x < width ? [y, x] : undefined;
    },
  };
}

/** What the pool of a tiled map of even sides is in: the four windows of a tile, then the tile. */
export function pooledArrangement(tiled: TiledArrangement): Arrangement {
  const { height, width, down, across, tiles } = tiled;
  const rowOf = (y: number, x: number): number => ((y & 1) * 2 + (x & 1)) * tiles + (y >> 1) * across + (x >> 1);
  const isFull = tiled.height === down * TILE_OUT && tiled.width === across * TILE_OUT;
  return {
    name: `pooled${height}x${width}`,
    height: height / 2,
    width: width / 2,
    rows: 4 * tiles,
    rowOf,
    // Outside of the map a tiled tensor is zero, and so are the windows there.
    ...(!isFull && { zeroRow: rowOf(2 * down - 1, 2 * across - 1) }),
  };
}

/** The same with one row of zeros behind it. */
export function paddedArrangement(from: Arrangement): Arrangement {
  return { ...from, name: `${from.name}+0`, rows: from.rows + 1, zeroRow: from.rows };
}
