import { random } from '../../src/core/random.ts';

/** A picture of soft coloured discs, other ones for each number: uint8 RGB, shape (side, side, 3). */
export function scene(
  number: number,
  side: number,
  turn: (x: number, y: number) => readonly [number, number] = (x, y) => [x, y],
) {
  const source = random(1000 + number);
  const discs = Array.from({ length: 14 }, () => ({
    x: source.uniform(),
    y: source.uniform(),
    radius: 0.05 + 0.2 * source.uniform(),
    colour: [source.below(256), source.below(256), source.below(256)] as const,
  }));
  const ground = [source.below(200), source.below(200), source.below(200)] as const;
  const pixels = new Uint8Array(side * side * 3);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [x, y] = turn((column + 0.5) / side, (row + 0.5) / side);
      let colour: readonly number[] = ground;
      for (const disc of discs) {
        const distance = Math.hypot(x - disc.x, y - disc.y) / disc.radius;
        const share = Math.min(1, Math.max(0, (1.15 - distance) / 0.3));
        colour = colour.map((value, channel) => value * (1 - share) + disc.colour[channel]! * share);
      }
      const isOutside = x < 0 || y < 0 || x > 1 || y > 1;
      for (const [channel, value] of colour.entries())
        pixels[(row * side + column) * 3 + channel] = isOutside ? 0 : value;
    }
  }
  return pixels;
}
