import type { Contract } from '../../src/core/contract.ts';

/** What Keras' load_img and preprocess_input do, "caffe" mode; the defaults of Keras' VGG16. */
export const kerasCaffe: Contract = {
  name: 'keras-caffe',
  size: 224,
  geometry: 'squash',
  kernel: 'nearest',
  orientation: 'ignore',
  iccProfile: 'ignore',
  alpha: 'drop',
  channelOrder: 'BGR',
  mean: [103.939, 116.779, 123.68],
  scale: 1,
};

/** The same geometry with `rescale = 1/255`, RGB. */
export const kerasUnit: Contract = {
  ...kerasCaffe,
  name: 'keras-unit',
  channelOrder: 'RGB',
  mean: [0, 0, 0],
  scale: 1 / 255,
};

/** A mean and a scale of its own for each channel, BGR. */
export const threeScales: Contract = {
  ...kerasCaffe,
  name: 'three-scales',
  mean: [100, 110, 120],
  scale: [0.5, 1, 1.5],
};
