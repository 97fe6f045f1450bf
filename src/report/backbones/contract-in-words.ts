import type { Contract } from '../../core/contract.ts';

const numbers = (values: readonly number[]): string => values.map((x) => Number(x.toPrecision(6))).join(', ');

/** All that a contract does to a picture, a clause each. */
export function contractInWords(contract: Contract): string {
  const { size, geometry, resize = size, kernel, antialias, orientation, alpha, channelOrder, mean, scale } = contract;
  const smooth = `${kernel}${antialias === false ? ' without antialiasing' : ''}`;
  const laid = {
    'cover-crop': `shorter side to ${resize} (${smooth}), the middle ${size} x ${size} cut out`,
    squash: `squashed to ${resize} x ${resize} (${smooth})${resize === size ? '' : `, the middle ${size} x ${size} cut out`}`,
    'contain-pad': `longer side to ${resize} (${smooth}), on ${contract.pad ? `RGB ${contract.pad.join(', ')}` : 'black'} to ${size} x ${size}`,
  }[geometry];
  const scales = typeof scale === 'number' ? [scale] : scale;
  const plain = mean.every((m) => m === 0) && scales.every((s) => s === 1);
  const arithmetic = plain ? 'pixels 0 to 255 as they are' : `(pixel - (${numbers(mean)})) * (${numbers(scales)})`;
  const seen = [
    orientation === 'exif' ? 'turned as EXIF says' : 'not turned',
    alpha === 'white' ? 'transparent parts on white' : 'colours under transparency kept',
  ];
  return [...seen, laid, channelOrder, arithmetic].join('; ');
}
